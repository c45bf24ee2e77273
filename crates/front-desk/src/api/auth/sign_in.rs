//! `POST /auth/sign-in`: a password opens the way to the second factor, or the door.

use super::{Factor, factors_of};
use crate::{
    desk::FrontDesk,
    identity::{
        Asker, Stored, cookies, csrf,
        guard::{self, Guess},
        start::{Entry, SignedInAnswer, expect_local, known_device, start_session},
    },
    pipeline::Received,
    problem::{Code, Problem},
    tenant_state::TenantState,
};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use misy_domain::{EmailAddress, Secret, TenantId, Timestamp};
use misy_store::{
    TenantTx,
    lookup::AccountOfEmail,
    tenants,
    users::{
        self, LockedUser, User, UserStatus,
        tickets::{self, TicketPurpose},
    },
};
use misy_trust::{PasswordCheck, RandomToken, TokenUse};
use serde::{Deserialize, Serialize};
use std::{slice, sync::Arc, time::Duration};
use tokio::time::timeout;
use utoipa::ToSchema;

/// The largest body of a call about signing in.
pub(crate) const BODY_LIMIT: usize = 16 * 1024;
/// Accounts of an address that are looked for at the same time.
const LOOK_UPS: usize = 4;
/// How long one of them may take. A tenant that keeps its share of connections busy takes longer.
const LOOK_UP_PATIENCE: Duration = Duration::from_secs(2);
/// Changes of a password that a sign-in bears while it is checked.
const CHANGES_BORNE: usize = 3;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignInRequest {
    /// The address of the account.
    #[schema(example = "ana@business.example")]
    email: String,
    /// Its password.
    password: String,
    /// The tenant; needed only by who has accounts with the same address and password in several.
    tenant_id: Option<TenantId>,
}

misy_domain::words! {
    /// The password was right, and a second factor is needed.
    pub enum SecondFactorStatus {
        /// Go on with `POST /auth/second-factor`.
        SecondFactorRequired = "second_factor_required",
    }
}

misy_domain::words! {
    /// The password was right in more than one tenant.
    pub enum TenantRequiredStatus {
        /// Sign in once more with `tenantId`.
        TenantRequired = "tenant_required",
    }
}

/// The password was right; now the second factor.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactorRequired {
    /// What is to be done.
    status: SecondFactorStatus,
    /// To be sent with the second factor.
    #[schema(example = "chl_…")]
    challenge: String,
    /// Which factors the account has.
    #[schema(example = json!(["totp", "recovery_code"]))]
    factors: Vec<Factor>,
    /// Until when the challenge is good.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The password is right in several tenants: the call is to be made again with one of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantRequired {
    /// What is to be done.
    status: TenantRequiredStatus,
    /// The tenants.
    tenants: Vec<TenantChoice>,
}

/// A tenant that the caller has an account in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantChoice {
    /// Its slug.
    #[schema(value_type = misy_domain::TenantId)]
    tenant_id: String,
    /// The name of the business.
    #[schema(example = "Clínica Andina")]
    tenant_name: String,
}

/// What a sign-in comes to.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the answers, which are written one by one")]
pub enum SignInAnswer {
    /// The second factor is needed.
    SecondFactor(SecondFactorRequired),
    /// It must be said which tenant.
    Tenant(TenantRequired),
    /// In.
    SignedIn(SignedInAnswer),
}

/// An account that the address may mean.
struct Account {
    tenant: TenantId,
    state: Arc<TenantState>,
    user: User,
    password_hash: String,
    device: Option<[u8; 32]>,
}

impl Account {
    fn stored(&self) -> Stored<'_> {
        Stored { hash: &self.password_hash, pepper: self.state.keys.pepper() }
    }
}

/// Sign in
///
/// An unknown address, a wrong password and a disabled account are answered alike. Answers `second_factor_required` when the
/// account has a second factor, and `tenant_required` when the password opens accounts in several tenants.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/sign-in", tag = "auth", operation_id = "signIn",
    request_body(content = SignInRequest, example = json!({"email": "ana@business.example", "password": "…"})),
    responses(
        (status = 200, description = "In, or on the way", body = SignInAnswer),
        (status = 401, description = "`credentials_invalid`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 403, description = "`csrf_refused`, `tenant_suspended`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`, with Retry-After", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn sign_in(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: SignInRequest = received.json()?;
    let password = Secret::new(asked.password);
    let email: Result<EmailAddress, _> = asked.email.parse();
    let route = match &email {
        Ok(email) => desk.vault.email_route(email)?,
        Err(_) => [0; 32],
    };
    let devices: Vec<[u8; 32]> =
        cookies::devices(&desk.settings, received.headers()).iter().map(RandomToken::hash).collect();
    // One question, however many tenants gave the address an account. In none of them anything is done before it is counted.
    let mut found = match &email {
        Ok(_) => desk.database.accounts_of_email(&route, &devices, asked.tenant_id.as_ref()).await?,
        Err(_) => Vec::new(),
    };
    let guess = Guess {
        what: "password",
        account: Some(&route),
        address: guard::address(&desk, &received),
        // Known for all of them: else whoever makes an account with somebody's address in a tenant of its own would have a
        // known browser for guessing at the others.
        device: found.iter().map(|found| found.device).reduce(Option::and).flatten(),
    };
    if let Some(found) = found.first() {
        // So that guesses stand in the trail of whom they are aimed at. Nothing of it shows in the answer.
        received.record.facts().tenant = Some(found.tenant.clone());
    }
    let counted = guard::count(&desk, &guess).await;
    if let Err(limited) = &counted {
        // Whoever guesses at the address from elsewhere keeps nobody out of an account that this browser is known for.
        found.retain(|found| found.device.is_some());
        let Some(known) = found.first() else { return Err(limited.clone()) };
        guard::count(&desk, &Guess { device: known.device, ..guess }).await?;
    }
    let (mut accounts, unseen) = match &email {
        Ok(email) => accounts(&desk, &received, email, found).await?,
        Err(_) => (Vec::new(), None),
    };
    if let Err(limited) = counted {
        // In the meantime the browser may not be known any more.
        accounts.retain(|account| account.device.is_some());
        if accounts.is_empty() {
            return Err(limited);
        }
    }
    let from = Asker::at(guess.address, accounts.iter().any(|account| account.device.is_some()));
    let mut right = check(&desk, &accounts, &route, &password, from).await?;
    let (Some((at, outdated)), rest) = (right.pop(), right) else {
        // It may be right where it could not be looked.
        return Err(unseen.unwrap_or_else(|| Problem::unauthorized(Code::CredentialsInvalid)));
    };
    if !rest.is_empty() {
        let all = rest.iter().map(|(at, _)| *at).chain([at]).map(|at| &accounts[at]);
        return choose(&desk, all).await;
    }
    let account = accounts.swap_remove(at);
    received.record.facts().tenant = Some(account.tenant.clone());
    if !account.state.lets_people_in() {
        return Err(Problem::suspended());
    }
    let is_owner = account.state.is_owner();
    let (tx, user) = hold(&desk, account, &route, &password, outdated, from).await?;
    after_first_factor(&desk, &received, tx, &user, is_owner, &["password"]).await
}

/// Holds the account whose password was right. Checking took its time: whoever was disabled meanwhile is refused, and where the
/// password was changed, what is stored now is checked.
async fn hold(
    desk: &FrontDesk,
    mut account: Account,
    route: &[u8; 32],
    password: &Secret<String>,
    mut outdated: bool,
    from: Asker,
) -> Result<(TenantTx, LockedUser), Problem> {
    let invalid = || Problem::unauthorized(Code::CredentialsInvalid);
    let keys = &account.state.keys;
    for _ in 0..CHANGES_BORNE {
        // Hashed at the present cost, now that it is at hand.
        let new = if outdated {
            Some(desk.hash_password(password, &account.user.email, keys, from).await?)
        } else {
            None
        };
        let mut tx = desk.database.tenant("auth.sign_in", &account.tenant).await?;
        let user = users::lock(&mut tx, keys, account.user.user_id).await?;
        let user = user.filter(|user| user.status == UserStatus::Active).ok_or_else(invalid)?;
        let stored = user.password_hash.clone().ok_or_else(invalid)?;
        if stored == account.password_hash {
            if let Some(new) = new {
                users::rehash_password(&mut tx, user.user_id, &stored, &new).await?;
            }
            return Ok((tx, user));
        }
        tx.commit().await?;
        account.password_hash = stored;
        outdated = match check(desk, slice::from_ref(&account), route, password, from).await?[..] {
            [(_, outdated)] => outdated,
            _ => return Err(invalid()),
        };
    }
    Err(invalid())
}

/// The first factor is proved: asks for the second if the account has one, or lets the user in.
pub(crate) async fn after_first_factor(
    desk: &FrontDesk,
    received: &Received,
    mut tx: TenantTx,
    user: &LockedUser,
    is_owner: bool,
    methods: &[&str],
) -> Result<Response, Problem> {
    if user.second_factor_since.is_none() {
        let entry = Entry { user, methods, second_factor: false, is_owner };
        return start_session(desk, received, tx, &entry).await;
    }
    expect_local(&mut tx, user).await?;
    let factors = factors_of(&mut tx, user).await?;
    let challenge = RandomToken::generate(TokenUse::SecondFactor, &*desk.entropy);
    let purpose = TicketPurpose::SecondFactor;
    let expires_at = tickets::issue(&mut tx, user, purpose, &challenge.hash(), desk.clock.now()).await?;
    tx.commit().await?;
    received.record.facts().actor = Some(user.user_id.to_string());
    Ok(Json(SecondFactorRequired {
        status: SecondFactorStatus::SecondFactorRequired,
        challenge: challenge.text().to_owned(),
        factors,
        expires_at,
    })
    .into_response())
}

/// The accounts that an address has and that somebody could sign in to with a password; and why a tenant could not be looked at,
/// if one could not. Anybody may give somebody's address an account in a tenant of their own, and keep that tenant busy: this
/// must keep nobody from the other accounts.
async fn accounts(
    desk: &FrontDesk,
    received: &Received,
    email: &EmailAddress,
    found: Vec<AccountOfEmail>,
) -> Result<(Vec<Account>, Option<Problem>), Problem> {
    let found = found.into_iter().map(async |AccountOfEmail { tenant, .. }| {
        let found = timeout(LOOK_UP_PATIENCE, account(desk, received, email, tenant.clone())).await;
        found.unwrap_or_else(|_elapsed| Err(Problem::unavailable())).inspect_err(|problem| {
            tracing::warn!(tenantId = %tenant, code = problem.code().as_str(), "an account cannot be looked at");
        })
    });
    // In their order, a few at a time: there may be many.
    let found: Vec<_> = stream::iter(found).buffered(LOOK_UPS).collect().await;
    let (mut accounts, mut unseen) = (Vec::new(), None);
    for found in found {
        match found {
            Ok(account) => accounts.extend(account),
            Err(problem) => unseen = Some(problem),
        }
    }
    Ok((accounts, unseen))
}

/// The account that an address has in a tenant, if somebody could sign in to it with a password.
async fn account(
    desk: &FrontDesk,
    received: &Received,
    email: &EmailAddress,
    tenant: TenantId,
) -> Result<Option<Account>, Problem> {
    let Some(state) = desk.tenants.get(&tenant).await? else { return Ok(None) };
    let mut tx = desk.database.tenant("auth.accounts", &tenant).await?;
    let user = users::by_email(&mut tx, &state.keys, email).await?;
    let Some(user) = user.filter(|user| user.status == UserStatus::Active) else { return Ok(None) };
    let device = known_device(desk, received, &mut tx, user.user_id).await?;
    tx.commit().await?;
    let password_hash = user.password_hash.clone();
    Ok(password_hash.map(|password_hash| Account { tenant, state, user, password_hash, device }))
}

/// Which accounts the password opens, and whether it should be hashed again.
async fn check(
    desk: &FrontDesk,
    accounts: &[Account],
    route: &[u8; 32],
    password: &Secret<String>,
    from: Asker,
) -> Result<Vec<(usize, bool)>, Problem> {
    let stored: Vec<Stored<'_>> = accounts.iter().map(Account::stored).collect();
    let checked = desk.passwords.check(password.expose(), route, &stored, from).await?;
    let right = checked.into_iter().enumerate().filter_map(|(at, checked)| match checked {
        PasswordCheck::Right { outdated } => Some((at, outdated)),
        PasswordCheck::Wrong => None,
    });
    Ok(right.collect())
}

async fn choose(desk: &FrontDesk, accounts: impl Iterator<Item = &Account>) -> Result<Response, Problem> {
    let mut choices = Vec::new();
    for account in accounts {
        let mut tx = desk.database.tenant("auth.choose", &account.tenant).await?;
        let found = tenants::read(&mut tx).await?;
        tx.commit().await?;
        choices.extend(
            found
                .map(|found| TenantChoice { tenant_id: account.tenant.to_string(), tenant_name: found.name }),
        );
    }
    choices.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    Ok(Json(TenantRequired { status: TenantRequiredStatus::TenantRequired, tenants: choices })
        .into_response())
}
