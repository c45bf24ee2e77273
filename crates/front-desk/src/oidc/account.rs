//! Whose account a person of a provider is. Never by an e-mail address alone: by issuer and subject, which a verified
//! address of a domain that the tenant has proved may only introduce once.
//!
//! A provider stands for whoever set it, and is believed as far as they could go themselves: see [`Belief`].

use super::Proved;
use crate::{desk::FrontDesk, problem::Problem, tenant_state::TenantState};
use misy_domain::{BuiltInRole, EmailAddress, Timestamp, UserId};
use misy_store::{
    TenantTx, email_domains, roles,
    sign_in_providers::{self as providers, ProviderPerson, SignInProvider},
    users::{self, LockedUser, NewUser, User, UserChange, UserStatus},
};
use misy_trust::access::{Given, Powers, WeighedRoles};
use serde_json::Value;

/// The most roles that a token can give.
const MOST_ROLES: usize = 20;

/// What was found, and what was changed to find it.
pub(crate) struct Found {
    /// Who it is.
    pub(crate) user: LockedUser,
    /// Who it is at the provider.
    pub(crate) person: ProviderPerson,
    /// How far the provider is believed.
    pub(crate) belief: Belief,
    /// What is to be told of it in the trail, if anything was changed.
    pub(crate) change: Option<&'static str>,
}

/// How far a provider is believed about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Belief {
    /// Not at all: they sign in here.
    Nothing,
    /// They come in once they have proved a second factor of their own.
    AskHere,
    /// They come in. No second factor of the provider counts: what needs one, they enrol here first.
    FirstFactor,
    /// They come in, and a second factor of the provider counts, if the tenant trusts it.
    Full,
}

/// How somebody of a provider is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// They proved a second factor of their own for this link.
    Proved,
    /// The provider alone says so, since an earlier sign-in or because it brought them in.
    Linked,
    /// By an address that somebody here has.
    ByAddress,
}

/// How far a provider is believed that stands for these powers, about somebody who has those.
///
/// What it stands for is what whoever set it could do, so nobody becomes more by setting one. Beyond that, a proof of the
/// person's own is needed each time: one that was given once says nothing of what the provider does later. Within it, powers
/// that ask for a second factor need one proof for the link.
fn belief(stands_for: &Powers, powers: &Powers, known: Known, has_second_factor: bool) -> Belief {
    let within = stands_for.cover(powers).is_ok();
    match known {
        Known::Proved if within => Belief::Full,
        _ if within && !powers.ask_for_second_factor() => Belief::Full,
        _ if has_second_factor => Belief::AskHere,
        Known::Linked if within => Belief::FirstFactor,
        Known::Proved | Known::Linked | Known::ByAddress => Belief::Nothing,
    }
}

/// Refuses a person whose token says that it belongs elsewhere.
pub(crate) fn check_tenant(provider: &SignInProvider, proved: &Proved) -> Result<(), Problem> {
    let said = proved.claims.get(&provider.tenant_claim).and_then(Value::as_str);
    if said == Some(provider.tenant_claim_value.as_str()) {
        return Ok(());
    }
    Err(other_tenant())
}

/// What is answered to whoever the provider says belongs elsewhere.
pub(crate) fn other_tenant() -> Problem {
    refused("tenant_claim_mismatch", "The provider says that you belong to another tenant.")
}

/// When the second factor was proved at the provider, if the tenant trusts what it says about that. Without the time of it
/// nobody knows how old the proof is.
pub(crate) fn second_factor_at(provider: &SignInProvider, proved: &Proved) -> Option<Timestamp> {
    let by_class = proved.acr.as_ref().is_some_and(|acr| provider.trusted_acr.contains(acr));
    let by_method = proved.amr.iter().any(|amr| provider.trusted_amr.contains(amr));
    if by_class || by_method { proved.authenticated_at } else { None }
}

/// The account of a person; made or linked when the tenant wants that. Where a second factor is to be proved here first,
/// nothing is changed.
pub(crate) async fn of(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    proved: &Proved,
) -> Result<Found, Problem> {
    check_tenant(provider, proved)?;
    let now = desk.clock.now();
    let person = ProviderPerson::new(&proved.issuer, &proved.subject);
    let (user, known) = match providers::identified(tx, &person, now).await? {
        Some(link) => (link.user_id, if link.proved { Known::Proved } else { Known::Linked }),
        None => match introduced(tx, state, provider, proved, &person).await? {
            Some(user) => (user, Known::ByAddress),
            None => return create(desk, tx, state, provider, proved, person).await,
        },
    };
    let user = users::lock(tx, &state.keys, user).await?.ok_or_else(Problem::internal)?;
    if user.status == UserStatus::Disabled {
        return Err(refused("account_disabled", "This account is disabled."));
    }
    let before = roles::weigh(tx, state.is_owner(), user.roles.clone()).await?;
    let after = followed(tx, state, provider, proved, &user, &before).await?;
    let has_second_factor = user.second_factor_since.is_some();
    let mut belief = belief(&provider.stands_for, before.powers(), known, has_second_factor);
    if let Some((powers, _)) = &after {
        let known = if known == Known::ByAddress { Known::Linked } else { known };
        belief = belief.min(self::belief(&provider.stands_for, powers, known, has_second_factor));
    }
    match belief {
        Belief::Nothing => Err(refused(
            "link_not_proved",
            "Your account may do more than your provider stands for. Sign in here and enrol a second factor first.",
        )),
        Belief::AskHere => Ok(Found { user, person, belief, change: None }),
        Belief::FirstFactor | Belief::Full => {
            let mut change = None;
            if known == Known::ByAddress {
                providers::identify(tx, &person, user.user_id, now).await?;
                change = Some("linked");
            }
            let (user, changed) = bring_in(desk, tx, state, user, after.map(|(_, roles)| roles)).await?;
            let change = change.or(changed.then_some("roles"));
            Ok(Found { user, person, belief, change })
        }
    }
}

fn refused(code: &'static str, detail: &'static str) -> Problem {
    Problem::forbidden(code, detail)
}

/// Whose account somebody would be linked to who comes for the first time: that with the same verified address.
async fn introduced(
    tx: &mut TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    proved: &Proved,
    person: &ProviderPerson,
) -> Result<Option<UserId>, Problem> {
    let email = verified_email(tx, provider, proved).await?;
    let Some(user) = users::by_email(tx, &state.keys, &email).await? else { return Ok(None) };
    // Who has this address at the provider now may be somebody else than the one who came before.
    if providers::is_somebody_else(tx, person, user.user_id).await? {
        return Err(refused("account_linked", "This account belongs to somebody else at the provider."));
    }
    Ok(Some(user.user_id))
}

/// Makes an account for somebody who has none.
async fn create(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    proved: &Proved,
    person: ProviderPerson,
) -> Result<Found, Problem> {
    let email = verified_email(tx, provider, proved).await?;
    if !provider.provisioning {
        return Err(refused("account_unknown", "There is no account for you here. Ask for an invitation."));
    }
    let now = desk.clock.now();
    let (powers, roles) = given(tx, state, provider, proved).await?;
    let user_id = UserId::new(&*desk.clock, &*desk.entropy);
    let name = proved.name.as_deref().map_or_else(|| email.local().to_owned(), one_line);
    let new = NewUser {
        user_id,
        status: UserStatus::Active,
        email: &email,
        name: &name,
        roles: &roles,
        locale: None,
        password_hash: None,
    };
    users::create(tx, &desk.vault, &state.keys, &new, now).await?;
    providers::identify(tx, &person, user_id, now).await?;
    let user = users::lock(tx, &state.keys, user_id).await?.ok_or_else(Problem::internal)?;
    let belief = belief(&provider.stands_for, &powers, Known::Linked, false);
    Ok(Found { user, person, belief, change: Some("created") })
}

fn no_role() -> Problem {
    refused("no_role", "None of your groups at the provider has a role here.")
}

fn one_line(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The address, if the provider vouches for it and its domain is the tenant's.
async fn verified_email(
    tx: &mut TenantTx,
    provider: &SignInProvider,
    proved: &Proved,
) -> Result<EmailAddress, Problem> {
    let email = proved.email.as_deref().and_then(|text| text.parse::<EmailAddress>().ok());
    let email =
        email.ok_or_else(|| refused("email_missing", "The provider does not say your e-mail address."))?;
    if !proved.email_verified.unwrap_or(provider.trust_email) {
        return Err(refused("email_not_verified", "The provider has not verified your e-mail address."));
    }
    let Some(allowed) = &provider.email_domains else { return Ok(email) };
    if let Some(domain) = email.domain().filter(|domain| allowed.contains(domain))
        && email_domains::is_proved(tx, &domain).await?
    {
        return Ok(email);
    }
    Err(refused("email_domain_not_allowed", "Addresses of this domain are not taken here."))
}

/// The roles that the groups of a token give: text, or a list of texts.
fn roles_of(provider: &SignInProvider, proved: &Proved) -> Vec<String> {
    let claim = provider.role_claim.as_ref().and_then(|name| proved.claims.get(name));
    let groups: Vec<&str> = match claim {
        Some(Value::String(group)) => vec![group],
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mapped = groups.iter().filter_map(|group| provider.role_mapping.get(*group)).flatten();
    let mut roles: Vec<String> = mapped.cloned().collect();
    if roles.is_empty() {
        roles.clone_from(&provider.default_roles);
    }
    roles.sort_unstable();
    roles.dedup();
    roles.truncate(MOST_ROLES);
    roles
}

/// The roles that a provider gives, by the same check as anybody who gives roles.
async fn given(
    tx: &mut TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    proved: &Proved,
) -> Result<(Powers, Given<Vec<String>>), Problem> {
    let names = roles_of(provider, proved);
    if names.is_empty() {
        return Err(no_role());
    }
    give(tx, state, provider, names).await
}

async fn give(
    tx: &mut TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    names: Vec<String>,
) -> Result<(Powers, Given<Vec<String>>), Problem> {
    let roles = roles::weigh(tx, state.is_owner(), names).await?;
    let powers = roles.powers().clone();
    Ok((powers, provider.stands_for.give_roles(roles).map_err(|_| no_role())?))
}

/// Where the provider says who has which role, what it says counts at each sign-in: the roles that somebody is to have, if
/// they change. It leaves alone whoever may do more than it stands for, the last administrator, and the account that is kept
/// for when it fails.
async fn followed(
    tx: &mut TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    proved: &Proved,
    user: &User,
    before: &WeighedRoles,
) -> Result<Option<(Powers, Given<Vec<String>>)>, Problem> {
    let kept = provider.break_glass_user == Some(user.user_id) || user.has_role(BuiltInRole::Owner);
    if provider.role_claim.is_none() || kept || provider.stands_for.cover(before.powers()).is_err() {
        return Ok(None);
    }
    let mut names = roles_of(provider, proved);
    if names.is_empty() {
        return Err(no_role());
    }
    let admin = BuiltInRole::Admin.as_str().to_owned();
    if user.has_role(BuiltInRole::Admin) && !names.contains(&admin) {
        users::lock_administrators(tx).await?;
        if users::others_with_role(tx, BuiltInRole::Admin, user.user_id).await? == 0 {
            names.push(admin);
        }
    }
    let mut had = user.roles.clone();
    had.sort_unstable();
    names.sort_unstable();
    if had == names { Ok(None) } else { give(tx, state, provider, names).await.map(Some) }
}

/// Lets somebody in who was invited, and gives the roles that changed. Says whether anything did.
async fn bring_in(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    state: &TenantState,
    user: LockedUser,
    roles: Option<Given<Vec<String>>>,
) -> Result<(LockedUser, bool), Problem> {
    let invited = user.status == UserStatus::Invited;
    if roles.is_none() && !invited {
        return Ok((user, false));
    }
    let status = invited.then_some(UserStatus::Active);
    let change = UserChange { roles, status, ..UserChange::default() };
    users::change(tx, &desk.vault, &state.keys, &user, &change, None, desk.clock.now()).await?;
    let user = users::lock(tx, &state.keys, user.user_id).await?.ok_or_else(Problem::internal)?;
    Ok((user, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_domain::Action;

    #[test]
    fn a_provider_is_believed_as_far_as_whoever_set_it_could_go() {
        let setter = Powers::from_actions([Action::SitesRead, Action::UsageRead, Action::UsersWrite]);
        let reader = Powers::from_actions([Action::SitesRead]);
        let beyond = Powers::from_actions([Action::SitesRead, Action::AuditRead]);
        let sensitive = Powers::from_actions([Action::UsersWrite]);
        for (powers, known, has_second_factor, expected) in [
            (&reader, Known::ByAddress, false, Belief::Full),
            (&reader, Known::Linked, true, Belief::Full),
            (&beyond, Known::ByAddress, false, Belief::Nothing),
            (&beyond, Known::ByAddress, true, Belief::AskHere),
            (&beyond, Known::Linked, false, Belief::Nothing),
            (&beyond, Known::Linked, true, Belief::AskHere),
            (&beyond, Known::Proved, true, Belief::AskHere),
            (&beyond, Known::Proved, false, Belief::Nothing),
            (&sensitive, Known::ByAddress, false, Belief::Nothing),
            (&sensitive, Known::ByAddress, true, Belief::AskHere),
            (&sensitive, Known::Linked, false, Belief::FirstFactor),
            (&sensitive, Known::Linked, true, Belief::AskHere),
            (&sensitive, Known::Proved, true, Belief::Full),
        ] {
            let believed = belief(&setter, powers, known, has_second_factor);
            assert_eq!(believed, expected, "{powers:?} {known:?} {has_second_factor}");
        }
    }
}
