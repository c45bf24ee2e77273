//! `GET /auth/me` and `POST /auth/sign-out`.

use super::own_account;
use crate::{
    desk::FrontDesk,
    identity::{
        UserCall, cookies,
        start::{SignedInAnswer, record},
    },
    problem::{Code, Problem},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use misy_store::users::sign_ins;

/// Read who is signed in
#[utoipa::path(
    get, path = "/api/meta-agent/auth/me", tag = "auth", operation_id = "readMe",
    responses((status = 200, description = "The user, the tenant and the session", body = SignedInAnswer)),
    security(("session" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<SignedInAnswer>, Problem> {
    let (sign_in, token) = call.session()?;
    let mut tx = desk.database.tenant("auth.me", &call.proved.tenant).await?;
    let user = misy_store::users::read(&mut tx, &call.proved.state.keys, call.proved.user.user_id).await?;
    tx.commit().await?;
    let user = user.ok_or_else(|| Problem::unauthorized(Code::SessionInvalid))?;
    Ok(Json(SignedInAnswer::of(&call.proved.tenant, &user, sign_in, token, desk.clock.now())))
}

/// Sign out
///
/// The session ends at once.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/sign-out", tag = "auth", operation_id = "signOut",
    responses((status = 204, description = "Out")),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn sign_out(State(desk): State<FrontDesk>, call: UserCall) -> Result<Response, Problem> {
    let (sign_in, _) = call.session()?;
    call.received.expect_no_body()?;
    let (mut tx, user) = own_account(&desk, &call, "auth.sign_out").await?;
    sign_ins::end(&mut tx, user.user_id, sign_in.sign_in_id).await?;
    record(&desk, &call.received, &mut tx, &user, None).await?;
    tx.commit().await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookies::clear_session(&desk.settings) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
