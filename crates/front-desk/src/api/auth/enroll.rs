//! `POST /auth/enroll`: the first administrator of a tenant comes in with the token of the registration.

use super::sign_in::BODY_LIMIT;
use crate::{
    api::tenants::Mistakes,
    desk::FrontDesk,
    identity::{
        csrf,
        guard::{self, Guess},
        passwords::expect_strong,
        start::{Entry, SignedInAnswer, start_session},
    },
    pipeline::Received,
    problem::Problem,
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use misy_domain::{EmailAddress, KeyId, Secret, TenantId, UserId};
use misy_store::{
    StoreError, TenantKeys, TenantTx,
    credentials::KeyKind,
    users::{
        self, NewUser,
        enrollments::{self, Enrollment},
        sign_ins,
    },
};
use misy_trust::{ApiKey, ApiKeyKind, access::first_administrator};
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// For how long a half-finished enrolment belongs to the address it was begun with.
const HALF_FINISHED: Duration = Duration::from_hours(1);

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
/// Signs the new administrator in, who must then enrol a second factor; until that is done the same token and address can
/// begin again. Afterwards the token enrols nobody any more.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/enroll", tag = "auth", operation_id = "enroll",
    request_body(content = EnrollRequest, example = json!({
        "token": "adm_…", "email": "ana@business.example", "name": "Ana Rojas", "password": "…"
    })),
    responses(
        (status = 200, description = "In; a second factor is to be enrolled next", body = SignedInAnswer),
        (status = 401, description = "`token_invalid`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 403, description = "`csrf_refused`, `tenant_suspended`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 409, description = "`enrollment_in_progress`: with another address; `enrollment_finished`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`, with Retry-After", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn enroll(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: EnrollRequest = received.json()?;
    let address = guard::address(&desk, &received);
    guard::count(
        &desk,
        &Guess {
            what: "enroll",
            account: &misy_trust::sha256(asked.token.as_bytes()),
            address,
            device: None,
        },
    )
    .await?;
    let (tenant, key) = token(&desk, &asked.token).await?;
    let state = desk.tenants.get(&tenant).await?.ok_or_else(|| Problem::unauthorized("token_invalid"))?;
    received.record.facts().tenant = Some(tenant.clone());
    if !state.is_active() {
        return Err(Problem::suspended());
    }
    let email = checked(&asked)?;
    let password = Secret::new(asked.password.clone());
    let hash = desk.passwords.hash(password.expose(), state.keys.pepper(), desk.entropy.clone()).await?;
    let roles = first_administrator(state.is_owner());
    let mut tx = desk.database.tenant("auth.enroll", &tenant).await?;
    let begun = enrollments::hold(&mut tx, key).await?;
    make_room(&desk, &mut tx, &state.keys, begun, &email).await?;
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
    let now = desk.clock.now();
    users::create(&mut tx, &desk.vault, &state.keys, &new, now).await?;
    enrollments::begin(&mut tx, key, user_id, now).await?;
    let user = users::read(&mut tx, &state.keys, user_id).await?.ok_or_else(Problem::internal)?;
    let entry =
        Entry { user: &user, methods: &["password"], second_factor: false, is_owner: state.is_owner() };
    start_session(&desk, &received, tx, &entry).await
}

/// Whose enrolment token this is.
async fn token(desk: &FrontDesk, text: &str) -> Result<(TenantId, KeyId), Problem> {
    let invalid = || Problem::unauthorized("token_invalid");
    let key = ApiKey::parse(text).map_err(|_| invalid())?;
    if key.kind() != ApiKeyKind::Administrator {
        return Err(invalid());
    }
    let (tenant, record) = desk.database.key_by_hash(&key.hash()).await?.ok_or_else(invalid)?;
    if record.kind != KeyKind::Administrator || !record.is_in_force(desk.clock.now()) {
        return Err(invalid());
    }
    Ok((tenant, record.key_id))
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

/// A half-finished enrolment makes room for the same person's next attempt, or after an hour for anybody's with the token.
async fn make_room(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    begun: Option<Enrollment>,
    email: &EmailAddress,
) -> Result<(), Problem> {
    let Some(begun) = begun else { return Ok(()) };
    let finished =
        || Problem::conflict("enrollment_finished", "This token has enrolled somebody; sign in instead.");
    if begun.finished_at.is_some() {
        return Err(finished());
    }
    let Some(user) = users::lock(tx, keys, begun.user_id).await? else { return Ok(()) };
    if user.second_factor_since.is_some() {
        return Err(finished());
    }
    let now = desk.clock.now();
    let abandoned = begun.started_at.checked_add(HALF_FINISHED).is_ok_and(|end| now >= end);
    if user.email != *email && !abandoned {
        return Err(Problem::conflict(
            "enrollment_in_progress",
            "Somebody else has begun to enrol with this token; go on with the same address, or try again in an hour.",
        ));
    }
    sign_ins::end_all(tx, user.user_id, None).await?;
    if !users::remove(tx, user.user_id).await? {
        return Err(StoreError::Stale("user").into());
    }
    Ok(())
}
