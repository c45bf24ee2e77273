//! `POST /auth/step-up`: the second factor again, for what needs a fresh one (RFC 9470).

use super::{
    own_account,
    second_factor::{CodeKind, take_code},
};
use crate::{
    desk::FrontDesk,
    identity::{
        UserCall, cookies,
        guard::{self, Guess},
        start::{SignedInAnswer, known_device, record},
    },
    problem::Problem,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use misy_store::{
    TenantTx,
    users::{User, sign_ins},
};
use misy_trust::{RandomToken, TokenUse};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// The second factor, again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepUpRequest {
    /// Which factor: `totp` or `recovery_code`.
    factor: CodeKind,
    /// The code.
    #[schema(example = "123456")]
    code: String,
}

/// Prove the second factor again
///
/// The session gets a new token, and for five minutes may do what needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/step-up", tag = "auth", operation_id = "stepUp",
    request_body(content = StepUpRequest, example = json!({"factor": "totp", "code": "123456"})),
    responses((status = 200, description = "Proved; with a new CSRF token", body = SignedInAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn step_up(State(desk): State<FrontDesk>, call: UserCall) -> Result<Response, Problem> {
    call.session()?;
    let asked: StepUpRequest = call.received.json()?;
    count_guess(&desk, &call).await?;
    let (mut tx, user) = own_account(&desk, &call, "auth.step_up").await?;
    let keys = call.proved.state.keys.clone();
    if !take_code(&mut tx, &keys, &user, asked.factor, &asked.code, &desk).await? {
        return Err(Problem::unauthorized("code_invalid"));
    }
    renew_session(&desk, &call, tx, &user, Some(asked.factor.as_str())).await
}

/// Counts a guess at the second factor of whoever is signed in.
pub(crate) async fn count_guess(desk: &FrontDesk, call: &UserCall) -> Result<(), Problem> {
    let user = call.proved.user.user_id;
    let mut tx = desk.database.tenant("auth.guess", &call.proved.tenant).await?;
    let device = known_device(desk, &call.received, &mut tx, user).await?;
    tx.commit().await?;
    let (account, address) = (user.to_string(), guard::address(desk, &call.received));
    let account = Some(account.as_bytes());
    guard::count(desk, &Guess { what: "second-factor", account, address, device }).await
}

/// Gives the session a new token, notes the second factor if one was proved, and commits.
pub(crate) async fn renew_session(
    desk: &FrontDesk,
    call: &UserCall,
    mut tx: TenantTx,
    user: &User,
    method: Option<&str>,
) -> Result<Response, Problem> {
    let now = desk.clock.now();
    let (sign_in, _) = call.session()?;
    let token = RandomToken::generate(TokenUse::Session, &*desk.entropy);
    let proved_at = method.map(|_| now);
    let renewed = sign_ins::rotate(&mut tx, sign_in.sign_in_id, &token.hash(), method, proved_at).await?;
    if !renewed {
        return Err(Problem::unauthorized("session_invalid"));
    }
    record(desk, &call.received, &mut tx, user, Some(json!({ "method": method }))).await?;
    tx.commit().await?;
    let mut sign_in = sign_in.clone();
    sign_in.second_factor_at = proved_at.or(sign_in.second_factor_at);
    let answer = SignedInAnswer::of(&call.proved.tenant, user, &sign_in, &token, now);
    let mut response = Json(answer).into_response();
    let age = sign_in.expires_at.duration_since(now).unsigned_abs();
    if let Some(cookie) = cookies::set_session(&desk.settings, &token, age) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
