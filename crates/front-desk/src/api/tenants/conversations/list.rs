//! `GET /tenants/{tenantId}/conversations`: which conversations there are.

use super::{ConversationAnswer, person};
use crate::{
    api::tenants::{Page, page_cursor, page_limit},
    desk::FrontDesk,
    management::Managed,
    problem::Problem,
};
use axum::{Json, extract::State};
use misy_domain::{Channel, act};
use misy_store::{
    inbox::{self, HandlingState, Place, Which},
    tenant_tx,
};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which conversations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConversationQuery {
    /// Those in which these answer.
    #[param(value_type = Option<HandlingState>)]
    state: Option<HandlingState>,
    /// `true`: those that the caller holds.
    mine: Option<bool>,
    /// Those of this channel.
    #[param(value_type = Option<Channel>)]
    channel: Option<Channel>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List conversations
///
/// Those in which something was said, the newest activity first. `state=waiting` are those that nobody has taken yet.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/conversations", tag = "inbox", operation_id = "listConversations",
    params(("tenantId" = String, Path, description = "The tenant"), ConversationQuery),
    responses((status = 200, description = "The newest activity comes first", body = Page<ConversationAnswer>)),
    security(("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsRead>,
) -> Result<Json<Page<ConversationAnswer>>, Problem> {
    let query: ConversationQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let behind: Option<Place> = page_cursor(query.cursor.as_deref())?;
    let assignee = match query.mine {
        Some(true) => Some(person(&call)?.user_id),
        _ => None,
    };
    let which = Which { state: query.state, assignee, channel: query.channel };
    let most = i32::try_from(limit).unwrap_or(i32::MAX).saturating_add(1);
    let found = tenant_tx!(desk.database, "inbox.list", &call.tenant, async |tx| {
        Box::pin(inbox::page(tx, call.keys(), &which, behind, most)).await
    })
    .await?;
    let page = Page::of(found, limit, |listed| Place::of(listed).to_string());
    Ok(Json(page.map(ConversationAnswer::from)))
}
