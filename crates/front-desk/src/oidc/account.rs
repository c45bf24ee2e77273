//! Whose account a person of a provider is. Never by an e-mail address alone: by issuer and subject, which a verified
//! address may only introduce once.

use super::Proved;
use crate::{desk::FrontDesk, problem::Problem};
use misy_domain::{BuiltInRole, EmailAddress, Timestamp, UserId};
use misy_store::{
    TenantKeys, TenantTx,
    sign_in_providers::{self as providers, SignInProvider},
    users::{self, NewUser, User, UserChange, UserStatus},
};
use serde_json::Value;

/// The most roles that a token can give.
const MOST_ROLES: usize = 20;

/// What was found, and what was changed to find it.
pub(crate) struct Found {
    /// Who it is.
    pub(crate) user: User,
    /// What is to be told of it in the trail, if anything was changed.
    pub(crate) change: Option<&'static str>,
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

/// The account of a person; made or linked when the tenant wants that.
pub(crate) async fn of(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    provider: &SignInProvider,
    proved: &Proved,
) -> Result<Found, Problem> {
    check_tenant(provider, proved)?;
    let now = desk.clock.now();
    let known = providers::identified(tx, &proved.issuer, &proved.subject, now).await?;
    let found = match known {
        Some(user) => {
            let user = users::lock(tx, keys, user).await?.ok_or_else(Problem::internal)?;
            Found { user, change: None }
        }
        None => introduce(desk, tx, keys, provider, proved).await?,
    };
    if found.user.status == UserStatus::Disabled {
        return Err(refused("account_disabled", "This account is disabled."));
    }
    follow_roles(desk, tx, keys, provider, proved, found).await
}

fn refused(code: &'static str, detail: &'static str) -> Problem {
    Problem::forbidden(code, detail)
}

/// Somebody who comes for the first time: an account with the same verified address, or a new one.
async fn introduce(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    provider: &SignInProvider,
    proved: &Proved,
) -> Result<Found, Problem> {
    let now = desk.clock.now();
    let email = verified_email(provider, proved)?;
    if let Some(user) = users::by_email(tx, keys, &email).await? {
        // Who has this address at the provider now may be somebody else than the one who came before.
        if providers::has_identity(tx, &proved.issuer, user.user_id).await? {
            return Err(refused("account_linked", "This account belongs to somebody else at the provider."));
        }
        providers::identify(tx, &proved.issuer, &proved.subject, user.user_id, now).await?;
        let user = users::lock(tx, keys, user.user_id).await?.ok_or_else(Problem::internal)?;
        return Ok(Found { user, change: Some("linked") });
    }
    if !provider.provisioning {
        return Err(refused("account_unknown", "There is no account for you here. Ask for an invitation."));
    }
    let roles = roles_of(provider, proved);
    if roles.is_empty() {
        return Err(no_role());
    }
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
    users::create(tx, &desk.vault, keys, &new, now).await?;
    providers::identify(tx, &proved.issuer, &proved.subject, user_id, now).await?;
    let user = users::lock(tx, keys, user_id).await?.ok_or_else(Problem::internal)?;
    Ok(Found { user, change: Some("created") })
}

fn no_role() -> Problem {
    refused("no_role", "None of your groups at the provider has a role here.")
}

fn one_line(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The address, if the provider vouches for it and the tenant takes it.
fn verified_email(provider: &SignInProvider, proved: &Proved) -> Result<EmailAddress, Problem> {
    let email = proved.email.as_deref().and_then(|text| text.parse::<EmailAddress>().ok());
    let email =
        email.ok_or_else(|| refused("email_missing", "The provider does not say your e-mail address."))?;
    if !proved.email_verified.unwrap_or(provider.trust_email) {
        return Err(refused("email_not_verified", "The provider has not verified your e-mail address."));
    }
    let domain = email.as_str().rsplit('@').next().unwrap_or_default();
    if provider.email_domains.is_empty() || provider.email_domains.iter().any(|allowed| allowed == domain) {
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

/// Where the provider says who has which role, what it says counts at each sign-in. The last administrator stays one, and
/// so does the account that is kept for when the provider fails.
async fn follow_roles(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    provider: &SignInProvider,
    proved: &Proved,
    mut found: Found,
) -> Result<Found, Problem> {
    let user = &found.user;
    let kept = provider.break_glass_user == Some(user.user_id) || user.has_role(BuiltInRole::Owner);
    let invited = user.status == UserStatus::Invited;
    let mut roles = user.roles.clone();
    if provider.role_claim.is_some() && !kept {
        roles = roles_of(provider, proved);
        if roles.is_empty() {
            return Err(no_role());
        }
        let admin = BuiltInRole::Admin.as_str().to_owned();
        if user.has_role(BuiltInRole::Admin) && !roles.contains(&admin) {
            users::lock_administrators(tx).await?;
            if users::others_with_role(tx, BuiltInRole::Admin, user.user_id).await? == 0 {
                roles.push(admin);
            }
        }
    }
    let mut before = user.roles.clone();
    before.sort_unstable();
    roles.sort_unstable();
    if before == roles && !invited {
        return Ok(found);
    }
    let change = UserChange {
        roles: Some(roles),
        status: invited.then_some(UserStatus::Active),
        ..UserChange::default()
    };
    users::change(tx, &desk.vault, keys, user, &change, None, desk.clock.now()).await?;
    found.user = users::read(tx, keys, user.user_id).await?.ok_or_else(Problem::internal)?;
    found.change = found.change.or(Some("roles"));
    Ok(found)
}
