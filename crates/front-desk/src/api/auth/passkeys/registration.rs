//! `POST /auth/passkeys/registration` and `/finish`: a passkey is added.

use super::{CeremonyAnswer, Kind, Whose, checked_name, invalid, keep, party, provers, take};
use crate::{
    api::auth::{own_account, step_up::renew_session},
    desk::FrontDesk,
    identity::{
        UserCall,
        mails::{self, Notice},
        start,
    },
    problem::Problem,
};
use axum::{Json, extract::State, response::Response};
use http::{StatusCode, header};
use misy_domain::PasskeyId;
use misy_store::users::{
    self, factors,
    passkeys::{self, MOST_PASSKEYS, NewPasskey},
};
use misy_trust::passkey::user_handle;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Begin to add a passkey
///
/// Whoever has a second factor proves it anew before, unless that was within the last five minutes. Who needs one and came with
/// a password alone is refused: `enrollment_link_required`.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/registration", tag = "auth", operation_id = "beginPasskeyRegistration",
    responses((status = 200, description = "What to hand to the authenticator", body = CeremonyAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn begin(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<CeremonyAnswer>, Problem> {
    let party = party(&desk)?;
    call.enrolling_session(&desk)?;
    call.expect_no_body()?;
    let proved = &call.proved;
    let user_id = proved.user.user_id;
    let mut tx = desk.database.tenant("passkeys.begin", &proved.tenant).await?;
    let user = users::read(&mut tx, &proved.state.keys, user_id).await?.ok_or_else(Problem::not_found)?;
    let stored = passkeys::list(&mut tx, &proved.state.keys, user_id).await?;
    tx.commit().await?;
    expect_room(stored.len())?;
    let handle = user_handle(&proved.tenant, user_id);
    let begun = party.begin_registration(handle, user.email.as_str(), &user.name, &provers(&stored));
    let begun = begun.map_err(|_| Problem::internal())?;
    keep(&desk, Kind::Registration, begun, Some(Whose::of(&call)?)).await
}

fn expect_room(count: usize) -> Result<(), Problem> {
    if count < MOST_PASSKEYS {
        return Ok(());
    }
    Err(Problem::conflict("too_many_passkeys", "You have ten passkeys: remove one first."))
}

/// A new passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPasskeyRequest {
    /// As it was given when the ceremony began.
    ceremony: String,
    /// What its holder calls it.
    #[schema(max_length = 80, example = "Telephone")]
    name: String,
    /// The credential, as `PublicKeyCredential.toJSON()` gives it.
    credential: Value,
}

/// The passkey is there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyAdded {
    /// Its id.
    #[schema(value_type = String, example = "psk_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    passkey_id: PasskeyId,
    /// Codes for when it is lost, with the first second factor of an account; shown once.
    #[schema(required = false)]
    recovery_codes: Vec<String>,
    /// To be sent as `X-Misy-Csrf` from now on; and all else that `/auth/me` says.
    csrf_token: String,
}

/// Add a passkey
///
/// It is a second factor from now on, and a way to come in without anything else. The proof counts for this session, which
/// gets a new token; all others end, and the user is told by mail.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/registration/finish", tag = "auth",
    operation_id = "finishPasskeyRegistration",
    request_body(content = NewPasskeyRequest, example = json!({"ceremony": "…", "name": "Telephone", "credential": {}})),
    responses((status = 201, description = "It is there; with a new CSRF token", body = PasskeyAdded)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn finish(State(desk): State<FrontDesk>, call: UserCall) -> Result<Response, Problem> {
    let party = party(&desk)?;
    let session = call.enrolling_session(&desk)?.0.sign_in_id;
    let request: NewPasskeyRequest = call.json()?;
    let name = checked_name(&request.name)?;
    let proved = &call.proved;
    let keys = &proved.state.keys;
    let pending = take(&desk, Kind::Registration, &request.ceremony).await?;
    if pending.whose != Some(Whose::of(&call)?) {
        return Err(invalid());
    }
    let registered = party.finish_registration(&pending.state, request.credential);
    let (passkey, usage) = registered.map_err(|_| invalid())?;
    let now = desk.clock.now();
    let (mut tx, user) = own_account(&desk, &call, "passkeys.add").await?;
    expect_room(passkeys::list(&mut tx, keys, user.user_id).await?.len())?;
    let passkey_id = PasskeyId::new(&*desk.clock, &*desk.entropy);
    let new = NewPasskey { passkey_id, user_id: user.user_id, name, passkey: &passkey, usage };
    passkeys::add(&mut tx, keys, &*desk.entropy, &new, session, now).await?;
    mails::tell(&desk, &mut tx, keys, &user, Notice::PasskeyAdded { name }).await?;
    let detail = json!({ "passkeyId": passkey_id });
    start::record(&desk, &call.received, &mut tx, &user, Some(detail)).await?;
    let mut more = json!({ "passkeyId": passkey_id });
    if user.second_factor_since.is_none() {
        // The first second factor: codes for when it is lost.
        let codes = factors::renew_recovery_codes(&mut tx, keys, &*desk.entropy, user.user_id).await?;
        more["recoveryCodes"] = codes.iter().map(|code| code.expose().clone()).collect();
    }
    let user = users::read(&mut tx, keys, user.user_id).await?.ok_or_else(Problem::internal)?;
    let renewed = renew_session(&desk, &call, tx, &user, Some("passkey")).await?;
    with_members(renewed, &more).await
}

/// The answer about the session with more in it.
async fn with_members(renewed: Response, more: &Value) -> Result<Response, Problem> {
    let (mut parts, body) = renewed.into_parts();
    let bytes = axum::body::to_bytes(body, 64 * 1024).await.map_err(|_| Problem::internal())?;
    let mut answer: Value = serde_json::from_slice(&bytes).map_err(|_| Problem::internal())?;
    for (name, value) in more.as_object().into_iter().flatten() {
        answer[name] = value.clone();
    }
    parts.status = StatusCode::CREATED;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, answer.to_string().into()))
}
