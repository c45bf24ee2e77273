//! `/auth/tokens`: personal API tokens.

use super::own_account;
use crate::{
    api::tenants::{Mistakes, Page, PageQuery},
    desk::FrontDesk,
    identity::{UserCall, start::record},
    management::Manager,
    problem::Problem,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use misy_domain::{Action, KeyId, Timestamp};
use misy_store::users::tokens::{self, LONGEST, NewPersonalToken, PersonalToken};
use misy_trust::{RandomToken, TokenUse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A personal API token; the token itself is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PersonalToken)]
pub struct PersonalTokenAnswer {
    /// Its id.
    #[schema(value_type = String, example = "key_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    token_id: KeyId,
    /// The token itself, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pat_…")]
    token: Option<String>,
    /// Its first characters.
    prefix: String,
    /// What people call it.
    name: String,
    /// What it may do, if its user may.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Action>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is refused.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was used last, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Since when it is refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<PersonalToken> for PersonalTokenAnswer {
    fn from(token: PersonalToken) -> Self {
        Self {
            token_id: token.key_id,
            token: None,
            prefix: token.prefix,
            name: token.name,
            scopes: token.scopes,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// A personal API token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonalTokenRequest {
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// What it may do: actions such as `sites:read`, of those that its user may do now. It never does more than its user may.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Action>,
    /// From when on it is refused: at most a year from now.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List my personal API tokens
#[utoipa::path(
    get, path = "/api/meta-agent/auth/tokens", tag = "auth", operation_id = "listMyTokens",
    params(PageQuery),
    responses((status = 200, description = "Tokens from the newest", body = Page<PersonalTokenAnswer>)),
    security(("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<Page<PersonalTokenAnswer>>, Problem> {
    call.proved_session()?;
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("auth.tokens", &call.proved.tenant).await?;
    let user = call.proved.user.user_id;
    let tokens = tokens::list(&mut tx, user, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(tokens, limit, |token| token.key_id.to_string()).map(PersonalTokenAnswer::from)))
}

/// Create a personal API token
///
/// Shown in this answer and never again. Needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/tokens", tag = "auth", operation_id = "createMyToken",
    request_body(content = PersonalTokenRequest, example = json!({
        "name": "nightly report", "scopes": ["usage:read"], "expiresAt": "2026-12-31T00:00:00Z"
    })),
    responses((status = 201, description = "The token, shown once", body = PersonalTokenAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn create(State(desk): State<FrontDesk>, call: UserCall) -> Result<Response, Problem> {
    call.proved_session()?;
    call.expect_fresh_second_factor(&desk)?;
    let mut asked: PersonalTokenRequest = call.received.json()?;
    let now = desk.clock.now();
    let mut mistakes = Mistakes::default();
    mistakes.line("/name", &asked.name, 120);
    asked.scopes.sort_unstable();
    asked.scopes.dedup();
    if asked.scopes.is_empty() {
        mistakes.add("/scopes", "required", "must have at least one action");
    }
    let latest = now.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
    if asked.expires_at <= now || asked.expires_at > latest {
        mistakes.add("/expiresAt", "range", "must be in the coming year");
    }
    mistakes.into_result()?;
    // What waits for a role that its maker has not got would go round whoever looks at that role later.
    let own = Manager::of_person(&call.proved).powers(&call.proved.tenant);
    let scopes = own.give_actions(asked.scopes).map_err(|_| {
        Problem::forbidden("permission_denied", "A token may do only what your own role allows now.")
    })?;
    let token = RandomToken::generate(TokenUse::Personal, &*desk.entropy);
    let (mut tx, user) = own_account(&desk, &call, "auth.token_create").await?;
    let key_id = KeyId::new(&*desk.clock, &*desk.entropy);
    let new = NewPersonalToken {
        key_id,
        user_id: user.user_id,
        token_hash: &token.hash(),
        prefix: &token.hint(),
        name: asked.name.trim(),
        scopes: &scopes,
        expires_at: asked.expires_at,
    };
    tokens::create(&mut tx, &new, now).await?;
    let detail = json!({ "token": key_id, "scopes": *scopes });
    record(&desk, &call.received, &mut tx, &user, Some(detail)).await?;
    tx.commit().await?;
    let answer = PersonalTokenAnswer {
        token_id: key_id,
        token: Some(token.text().to_owned()),
        prefix: token.hint(),
        name: asked.name.trim().to_owned(),
        scopes: scopes.into_inner(),
        created_at: now,
        expires_at: asked.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Revoke one of my personal API tokens
#[utoipa::path(
    delete, path = "/api/meta-agent/auth/tokens/{keyId}", tag = "auth", operation_id = "revokeMyToken",
    params(("keyId" = String, Path, description = "The id of the token, `key_…`")),
    responses((status = 204, description = "It is refused from now on")),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn revoke(State(desk): State<FrontDesk>, call: UserCall) -> Result<StatusCode, Problem> {
    call.proved_session()?;
    let id: KeyId = call.received.param("keyId")?;
    call.received.expect_no_body()?;
    let (mut tx, user) = own_account(&desk, &call, "auth.token_revoke").await?;
    if !tokens::revoke(&mut tx, user.user_id, id, desk.clock.now()).await? {
        return Err(Problem::not_found());
    }
    record(&desk, &call.received, &mut tx, &user, Some(json!({ "token": id }))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
