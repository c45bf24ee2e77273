//! `/auth/sessions`: where the user is signed in.

use super::own_account;
use crate::{
    api::tenants::Page,
    desk::FrontDesk,
    identity::{
        UserCall,
        start::{LINK, record},
    },
    problem::Problem,
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{SignInId, Timestamp};
use misy_store::users::sign_ins::{self, SignIn};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// A browser that is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserSession)]
pub struct UserSessionAnswer {
    /// Its id.
    #[schema(value_type = String, example = "sgn_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    session_id: SignInId,
    /// Whether it is the one that asks.
    current: bool,
    /// What the browser says it is.
    user_agent: Option<String>,
    /// Roughly where from.
    #[schema(example = "192.0.2.0/24")]
    address_prefix: Option<String>,
    /// How the user proved itself.
    methods: Vec<String>,
    /// When the user signed in.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was used last, to the minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When it ends whatever happens.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl UserSessionAnswer {
    pub(crate) fn of(sign_in: SignIn, current: Option<SignInId>) -> Self {
        Self {
            session_id: sign_in.sign_in_id,
            current: current == Some(sign_in.sign_in_id),
            user_agent: sign_in.user_agent,
            address_prefix: sign_in.address_prefix,
            methods: sign_in.methods.into_iter().filter(|method| method != LINK).collect(),
            created_at: sign_in.created_at,
            last_seen_at: sign_in.last_seen_at,
            expires_at: sign_in.expires_at,
        }
    }
}

/// List my sessions
#[utoipa::path(
    get, path = "/api/meta-agent/auth/sessions", tag = "auth", operation_id = "listMySessions",
    responses((status = 200, description = "Where the user is signed in, from the newest", body = Page<UserSessionAnswer>)),
    security(("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<Page<UserSessionAnswer>>, Problem> {
    let current = call.proved_session()?.0.sign_in_id;
    let mut tx = desk.database.tenant("auth.sessions", &call.proved.tenant).await?;
    let all = sign_ins::list(&mut tx, call.proved.user.user_id, desk.clock.now()).await?;
    tx.commit().await?;
    Ok(Json(Page::whole(all).map(|sign_in| UserSessionAnswer::of(sign_in, Some(current)))))
}

/// End one of my sessions
#[utoipa::path(
    delete, path = "/api/meta-agent/auth/sessions/{sessionId}", tag = "auth", operation_id = "endMySession",
    params(("sessionId" = String, Path, description = "The session, `sgn_…`")),
    responses((status = 204, description = "It is over")),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn end(State(desk): State<FrontDesk>, call: UserCall) -> Result<StatusCode, Problem> {
    call.proved_session()?;
    let id: SignInId = call.received.param("sessionId")?;
    call.received.expect_no_body()?;
    let (mut tx, user) = own_account(&desk, &call, "auth.end_session").await?;
    if !sign_ins::end(&mut tx, user.user_id, id).await? {
        return Err(Problem::not_found());
    }
    record(&desk, &call.received, &mut tx, &user, Some(json!({ "session": id }))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all my other sessions
#[utoipa::path(
    delete, path = "/api/meta-agent/auth/sessions", tag = "auth", operation_id = "endMyOtherSessions",
    responses((status = 204, description = "This one is the only one left")),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn end_others(State(desk): State<FrontDesk>, call: UserCall) -> Result<StatusCode, Problem> {
    let current = call.proved_session()?.0.sign_in_id;
    call.received.expect_no_body()?;
    let (mut tx, user) = own_account(&desk, &call, "auth.end_sessions").await?;
    let ended = sign_ins::end_all(&mut tx, user.user_id, Some(current)).await?;
    record(&desk, &call.received, &mut tx, &user, Some(json!({ "ended": ended }))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
