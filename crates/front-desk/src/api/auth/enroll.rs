//! `POST /auth/enroll`: the first administrator of a tenant comes in with the token of the registration.

use super::sign_in::BODY_LIMIT;
use crate::{
    api::tenants::Mistakes,
    desk::FrontDesk,
    identity::{
        Asker, csrf,
        guard::{self, Guess},
        passwords::expect_strong,
        start::{Entry, LINK, SignedInAnswer, start_session},
    },
    look_up,
    pipeline::Received,
    problem::{Code, Problem},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use misy_domain::{EmailAddress, Secret, TenantId, UserId};
use misy_store::{
    credentials::{KeyKind, KeyRecord},
    users::{
        self, NewUser,
        enrollments::{self, Held},
    },
};
use misy_trust::{ApiKey, ApiKeyKind, access::first_administrator};
use serde::Deserialize;
use utoipa::ToSchema;

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrollRequest {
    /// `enrollment.token` of the registration.
    #[schema(example = "adm_…")]
    token: String,
    /// Its address.
    #[schema(example = "ana@business.example")]
    email: String,
    /// What it is called.
    #[schema(example = "Ana Rojas", max_length = 120)]
    name: String,
    /// Its password: 12 to 128 characters.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
    /// The language it prefers.
    #[schema(example = "es-CO")]
    locale: Option<String>,
}

/// Enrol the first administrator
///
/// Signs the new administrator in, who must then enrol a second factor before anything else; whoever leaves before that signs
/// in with the password and goes on. The token enrols one person: with that it is revoked and opens nothing any more.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/enroll", tag = "auth", operation_id = "enroll",
    request_body(content = EnrollRequest, example = json!({
        "token": "adm_…", "email": "ana@business.example", "name": "Ana Rojas", "password": "…"
    })),
    responses(
        (status = 200, description = "In; a second factor is to be enrolled next", body = SignedInAnswer),
        (status = 401, description = "`token_invalid`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 403, description = "`csrf_refused`, `tenant_suspended`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 409, description = "`enrollment_finished`: the token has enrolled somebody", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`, with Retry-After", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn enroll(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: EnrollRequest = received.json()?;
    let address = guard::address(&desk, &received);
    guard::count(&desk, &Guess { what: "enroll", account: None, address, device: None }).await?;
    let (tenant, key) = token(&desk, &received, &asked.token).await?;
    let state = desk.tenants.get(&tenant).await?.ok_or_else(|| Problem::unauthorized(Code::TokenInvalid))?;
    received.record.facts().tenant = Some(tenant.clone());
    if !state.is_active() {
        return Err(Problem::suspended());
    }
    let email = checked(&asked)?;
    let password = Secret::new(asked.password.clone());
    let from = Asker::at(address, false);
    let hash = desk.hash_password(&password, &email, &state.keys, from).await?;
    let roles = first_administrator(state.is_owner());
    // Hashing takes its time: what was good before may be revoked now, and the tenant suspended.
    let state = desk.tenants.get(&tenant).await?.ok_or_else(|| Problem::unauthorized(Code::TokenInvalid))?;
    if !state.is_active() {
        return Err(Problem::suspended());
    }
    let now = desk.clock.now();
    let mut tx = desk.database.tenant("auth.enroll", &tenant).await?;
    match enrollments::hold(&mut tx, key.key_id, now).await? {
        Held::Good => {}
        Held::Used => {
            return Err(Problem::conflict(
                Code::EnrollmentFinished,
                "This token has enrolled somebody; sign in instead.",
            ));
        }
        Held::Dead => return Err(Problem::unauthorized(Code::TokenInvalid)),
    }
    let user_id = UserId::new(&*desk.clock, &*desk.entropy);
    let new = NewUser {
        user_id,
        status: users::UserStatus::Active,
        email: &email,
        name: asked.name.trim(),
        roles: &roles,
        locale: asked.locale.as_deref(),
        password_hash: Some(&hash),
    };
    users::create(&mut tx, &desk.vault, &state.keys, &new, now).await?;
    enrollments::finish(&mut tx, key.key_id, user_id, now).await?;
    let user = users::lock(&mut tx, &state.keys, user_id).await?.ok_or_else(Problem::internal)?;
    let methods = &["password", LINK];
    let entry = Entry { user: &user, methods, second_factor: false, is_owner: state.is_owner() };
    start_session(&desk, &received, tx, &entry).await
}

/// Whose enrolment token this is, in force or revoked.
async fn token(desk: &FrontDesk, received: &Received, text: &str) -> Result<(TenantId, KeyRecord), Problem> {
    let invalid = || Problem::unauthorized(Code::TokenInvalid);
    let key = ApiKey::parse(text).map_err(|_| invalid())?;
    if key.kind() != ApiKeyKind::Administrator {
        return Err(invalid());
    }
    let (tenant, record) = look_up::key(desk, received, &key.hash()).await?.ok_or_else(invalid)?;
    let is_over = record.expires_at.is_some_and(|expires| desk.clock.now() >= expires);
    if record.kind != KeyKind::Administrator || is_over {
        return Err(invalid());
    }
    Ok((tenant, record))
}

fn checked(asked: &EnrollRequest) -> Result<EmailAddress, Problem> {
    let mut mistakes = Mistakes::default();
    mistakes.line("/name", &asked.name, 120);
    if asked.locale.as_ref().is_some_and(|locale| locale.parse::<misy_domain::Locale>().is_err()) {
        mistakes.add("/locale", "format", "must be a language tag");
    }
    let email: Result<EmailAddress, _> = asked.email.parse();
    if email.is_err() {
        mistakes.add("/email", "format", "must be an e-mail address");
    }
    mistakes.into_result()?;
    let email = email.map_err(|_| Problem::internal())?;
    expect_strong("/password", &asked.password, &email, &asked.name, false)?;
    Ok(email)
}
