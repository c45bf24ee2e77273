//! `/auth/totp` and `/auth/recovery-codes`: an authenticator app becomes a second factor.

use super::{
    own_account,
    step_up::{count_guess, renew_session},
};
use crate::{
    desk::FrontDesk,
    identity::{
        self, UserCall,
        mails::{self, Notice},
        start::record,
    },
    problem::Problem,
};
use axum::{Json, extract::State, response::Response};
use http::HeaderValue;
use misy_domain::Secret;
use misy_store::users::{self, factors};
use misy_trust::TotpSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// What an authenticator app needs, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotpProposal {
    /// The secret in base 32, to be typed.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same as an address, for a QR code.
    #[schema(example = "otpauth://totp/…")]
    uri: String,
    /// The QR code itself, as an address of an image.
    #[schema(example = "data:image/svg+xml;base64,…")]
    qr_code: String,
}

/// A code of the app.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TotpConfirmation {
    /// What the app shows.
    #[schema(example = "123456")]
    code: String,
}

/// Codes for when the app is lost, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodes {
    /// Each is good once. They are in the place of all older ones.
    #[schema(example = json!(["4k7mp-x2c9q"]))]
    recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    fn of(codes: &[Secret<String>]) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.expose().clone()).collect() }
    }
}

/// Propose an authenticator app
///
/// Nothing changes until a code of the app is confirmed. Who has a second factor already must have proved it freshly. Who needs
/// one and came with a password alone is refused: `enrollment_link_required`.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/totp", tag = "auth", operation_id = "proposeTotp",
    responses((status = 200, description = "The secret, shown once", body = TotpProposal)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn propose(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<TotpProposal>, Problem> {
    call.enrolling_session(&desk)?;
    call.received.expect_no_body()?;
    let (mut tx, user) = own_account(&desk, &call, "auth.totp_propose").await?;
    let secret = TotpSecret::generate(&*desk.entropy);
    let keys = &call.proved.state.keys;
    factors::propose_totp(&mut tx, keys, &*desk.entropy, user.user_id, &secret).await?;
    record(&desk, &call.received, &mut tx, &user, None).await?;
    tx.commit().await?;
    let uri = secret.uri(&format!("Misy {}", call.proved.tenant), user.email.as_str());
    let qr_code = identity::qr::image(&uri).ok_or_else(Problem::internal)?;
    Ok(Json(TotpProposal { secret: secret.base32(), uri, qr_code }))
}

/// Confirm an authenticator app
///
/// A code proves that the app has the secret; from now on it is the second factor. The first one comes with recovery codes.
/// The session gets a new token; all others end, and the user is told by mail.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/totp/confirm", tag = "auth", operation_id = "confirmTotp",
    request_body(content = TotpConfirmation, example = json!({"code": "123456"})),
    responses((status = 200, description = "It is the second factor; with recovery codes, shown once, and a new CSRF token", body = RecoveryCodes)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn confirm(State(desk): State<FrontDesk>, call: UserCall) -> Result<Response, Problem> {
    let session = call.enrolling_session(&desk)?.0.sign_in_id;
    let asked: TotpConfirmation = call.received.json()?;
    count_guess(&desk, &call).await?;
    let (mut tx, user) = own_account(&desk, &call, "auth.totp_confirm").await?;
    let (keys, now) = (&call.proved.state.keys, desk.clock.now());
    let confirmed =
        factors::confirm_totp(&mut tx, keys, &*desk.entropy, user.user_id, &asked.code, session, now).await?;
    match confirmed {
        None => return Err(Problem::conflict("not_proposed", "No authenticator app is proposed.")),
        Some(false) => return Err(Problem::unauthorized("code_invalid")),
        Some(true) => {}
    }
    let codes = factors::renew_recovery_codes(&mut tx, keys, &*desk.entropy, user.user_id).await?;
    mails::tell(&desk, &mut tx, keys, &user, Notice::AppAdded).await?;
    let user = users::read(&mut tx, keys, user.user_id).await?.ok_or_else(Problem::internal)?;
    let renewed = renew_session(&desk, &call, tx, &user, Some("totp")).await?;
    with_codes(renewed, &codes).await
}

/// Renew the recovery codes
///
/// All older ones are good no more. Needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/recovery-codes", tag = "auth", operation_id = "renewRecoveryCodes",
    responses((status = 200, description = "New codes, shown once", body = RecoveryCodes)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn renew_codes(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<RecoveryCodes>, Problem> {
    call.proved_session()?;
    call.received.expect_no_body()?;
    call.expect_fresh_second_factor(&desk)?;
    let (mut tx, user) = own_account(&desk, &call, "auth.recovery_codes").await?;
    let keys = &call.proved.state.keys;
    let codes = factors::renew_recovery_codes(&mut tx, keys, &*desk.entropy, user.user_id).await?;
    mails::tell(&desk, &mut tx, keys, &user, Notice::RecoveryCodesRenewed).await?;
    record(&desk, &call.received, &mut tx, &user, Some(json!({ "codes": codes.len() }))).await?;
    tx.commit().await?;
    Ok(Json(RecoveryCodes::of(&codes)))
}

/// The answer about the session with the codes in it.
async fn with_codes(renewed: Response, codes: &[Secret<String>]) -> Result<Response, Problem> {
    let (mut parts, body) = renewed.into_parts();
    let bytes = axum::body::to_bytes(body, 64 * 1024).await.map_err(|_| Problem::internal())?;
    let mut answer: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| Problem::internal())?;
    let codes: Vec<&String> = codes.iter().map(Secret::expose).collect();
    answer["recoveryCodes"] = json!(codes);
    let text = answer.to_string();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    parts.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    Ok(Response::from_parts(parts, text.into()))
}
