//! `POST /auth/second-factor`: the second half of a sign-in. `GET`: what it is about, for whoever came back from a provider.

use super::{Factor, factors_of, sign_in::BODY_LIMIT};
use crate::{
    address::{self, Purpose},
    desk::FrontDesk,
    identity::{
        cookies, csrf,
        guard::{self, Guess},
        mails::{self, Notice},
        start::{Entry, SignedInAnswer, known_device, record, start_session},
    },
    look_up,
    pipeline::Received,
    problem::{Code, Problem},
    tenant_state::TenantState,
};
use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use http::header;
use misy_domain::TenantId;
use misy_store::{
    TenantKeys, TenantTx,
    sign_in_providers::{self, ProviderPerson},
    users::{
        self, LockedUser, User, UserStatus, factors,
        tickets::{self, Ticket, TicketPurpose},
    },
};
use misy_trust::{RandomToken, TokenUse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// Wrong codes that a challenge bears.
pub(crate) const MOST_ATTEMPTS: i32 = 5;

/// Which factor is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// The code that an authenticator app shows.
    Totp,
    /// One of the codes that were written down.
    RecoveryCode,
}

impl CodeKind {
    /// As it stands among the methods of a session.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// The second factor.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecondFactorRequest {
    /// What the sign-in answered.
    #[schema(example = "chl_…")]
    challenge: String,
    /// Which factor: `totp` or `recovery_code`.
    factor: CodeKind,
    /// The code.
    #[schema(example = "123456")]
    code: String,
}

/// What a challenge is about that a provider's sign-in ended with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderChallenge {
    /// The issuer that says who it is.
    #[schema(example = "https://login.business.example")]
    provider: String,
    /// The account that is joined to the provider's person when the factor is proved.
    #[schema(example = "ana@business.example")]
    account: String,
    /// With what it can be proved.
    factors: Vec<Factor>,
}

/// A sign-in that waits for its second factor, held until the transaction ends.
pub(crate) struct Pending {
    pub(crate) tx: TenantTx,
    pub(crate) state: Arc<TenantState>,
    pub(crate) user: LockedUser,
    pub(crate) token: RandomToken,
    /// How the user proved itself before.
    pub(crate) first_method: String,
    /// The person of a provider that the user is, as the second factor proves.
    pub(crate) link: Option<ProviderPerson>,
}

/// Finds the sign-in that a challenge belongs to, and counts a guess at its second factor.
pub(crate) async fn pending(
    desk: &FrontDesk,
    received: &Received,
    challenge: &str,
) -> Result<Pending, Problem> {
    let token = RandomToken::parse(TokenUse::SecondFactor, challenge).ok_or_else(invalid)?;
    let hash = token.hash();
    let (tenant, state) = of_tenant(desk, received, &hash).await?;
    let (mut tx, user, _) = hold(desk, received, &state, &tenant, &hash).await?;
    {
        let mut facts = received.record.facts();
        facts.tenant = Some(tenant.clone());
        facts.actor = Some(user.user_id.to_string());
    }
    let device = known_device(desk, received, &mut tx, user.user_id).await?;
    tx.commit().await?;
    let (account, address) = (user.user_id.to_string(), guard::address(desk, received));
    let guess = Guess { what: "second-factor", account: Some(account.as_bytes()), address, device };
    guard::count(desk, &guess).await?;
    // Counting took its time, in which the challenge may have been used.
    let (tx, user, ticket) = hold(desk, received, &state, &tenant, &hash).await?;
    Ok(Pending { tx, state, user, token, first_method: ticket.first_method, link: ticket.link })
}

fn invalid() -> Problem {
    Problem::unauthorized(Code::ChallengeInvalid)
}

/// The tenant that a challenge is of.
async fn of_tenant(
    desk: &FrontDesk,
    received: &Received,
    challenge: &[u8; 32],
) -> Result<(TenantId, Arc<TenantState>), Problem> {
    let tenant = look_up::tenant(desk, received, challenge).await?.ok_or_else(invalid)?;
    let state = desk.tenants.get(&tenant).await?.ok_or_else(invalid)?;
    if !state.lets_people_in() {
        return Err(Problem::suspended());
    }
    Ok((tenant, state))
}

/// Holds a challenge that is good now and whose it is, and tells how they proved themselves before. One that joins a person of a
/// provider to the account is good in the browser that came back from there: whoever else has its link could have anybody's
/// code typed into it.
async fn hold(
    desk: &FrontDesk,
    received: &Received,
    state: &TenantState,
    tenant: &TenantId,
    challenge: &[u8; 32],
) -> Result<(TenantTx, LockedUser, Ticket), Problem> {
    let mut tx = desk.database.tenant("auth.second_factor", tenant).await?;
    let ticket = tickets::hold(&mut tx, TicketPurpose::SecondFactor, challenge, desk.clock.now()).await?;
    let ticket = ticket.filter(|ticket| ticket.attempts < MOST_ATTEMPTS).ok_or_else(invalid)?;
    let came_back = || cookies::challenge(&desk.settings, received.headers());
    if ticket.link.is_some() && came_back().is_none_or(|own| own.hash() != *challenge) {
        return Err(invalid());
    }
    let user = users::lock(&mut tx, &state.keys, ticket.user_id).await?;
    let user = user.filter(|user| user.status == UserStatus::Active).ok_or_else(invalid)?;
    Ok((tx, user, ticket))
}

/// Whether a code is right; it is used up by this.
pub(crate) async fn take_code(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: &User,
    kind: CodeKind,
    code: &str,
    desk: &FrontDesk,
) -> Result<bool, Problem> {
    let now = desk.clock.now();
    Ok(match kind {
        CodeKind::Totp => factors::take_totp(tx, keys, user.user_id, code, now).await?,
        CodeKind::RecoveryCode => factors::take_recovery_code(tx, keys, user.user_id, code, now).await?,
    })
}

/// Read what a challenge is about
///
/// For the page that a browser comes back to from a provider, by the cookie that it came back with. A link says nothing of it.
#[utoipa::path(
    get, path = "/api/meta-agent/auth/second-factor", tag = "auth", operation_id = "readProviderChallenge",
    responses(
        (status = 200, description = "Who says so, and of which account", body = ProviderChallenge),
        (status = 401, description = "`challenge_invalid`: this browser did not come back from a provider, or too long ago", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    request: Request,
) -> Result<Json<ProviderChallenge>, Problem> {
    address::guard(&desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_visit(&received)?;
    let token = cookies::challenge(&desk.settings, received.headers()).ok_or_else(invalid)?;
    let (tenant, state) = of_tenant(&desk, &received, &token.hash()).await?;
    let (mut tx, user, ticket) = hold(&desk, &received, &state, &tenant, &token.hash()).await?;
    let link = ticket.link.ok_or_else(invalid)?;
    let factors = factors_of(&mut tx, &user).await?;
    tx.commit().await?;
    Ok(Json(ProviderChallenge { provider: link.issuer, account: user.email.to_string(), factors }))
}

/// Prove the second factor of a sign-in
///
/// A challenge bears five wrong codes and five minutes. Each code counts once.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/second-factor", tag = "auth", operation_id = "proveSecondFactor",
    request_body(content = SecondFactorRequest, example = json!({"challenge": "chl_…", "factor": "totp", "code": "123456"})),
    responses(
        (status = 200, description = "In", body = SignedInAnswer),
        (status = 401, description = "`challenge_invalid`, `code_invalid`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 403, description = "`csrf_refused`, `tenant_suspended`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`, with Retry-After", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn prove(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: SecondFactorRequest = received.json()?;
    let mut pending = pending(&desk, &received, &asked.challenge).await?;
    let keys = pending.state.keys.clone();
    let right = take_code(&mut pending.tx, &keys, &pending.user, asked.factor, &asked.code, &desk).await?;
    if !right {
        tickets::count_attempt(&mut pending.tx, &pending.token.hash()).await?;
        pending.tx.commit().await?;
        return Err(Problem::unauthorized(Code::CodeInvalid));
    }
    finish(&desk, &received, pending, asked.factor.as_str()).await
}

/// The second factor is proved: lets the user in.
pub(crate) async fn finish(
    desk: &FrontDesk,
    received: &Received,
    pending: Pending,
    method: &str,
) -> Result<Response, Problem> {
    let Pending { mut tx, state, user, token, first_method, link } = pending;
    tickets::spend(&mut tx, &token.hash()).await?;
    if let Some(person) = &link {
        sign_in_providers::prove(&mut tx, person, user.user_id, desk.clock.now()).await?;
        let detail = json!({ "provider": person.issuer, "change": "link_proved" });
        record(desk, received, &mut tx, &user, Some(detail)).await?;
        let notice = Notice::ProviderLinked { issuer: &person.issuer };
        mails::tell(desk, &mut tx, &state.keys, &user, notice).await?;
    }
    let methods = [&*first_method, method];
    let entry = Entry { user: &user, methods: &methods, second_factor: true, is_owner: state.is_owner() };
    let mut response = start_session(desk, received, tx, &entry).await?;
    if link.is_some() {
        let answered = cookies::clear_challenge(&desk.settings);
        response.headers_mut().extend(answered.map(|cookie| (header::SET_COOKIE, cookie)));
    }
    Ok(response)
}
