//! `GET /sessions/{sessionId}/messages`: what was said.

use super::{ReadChat, own_session};
use crate::{desk::FrontDesk, files::links, pipeline::TenantCall, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::Message;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const USUAL: u32 = 50;
const MOST: u32 = 100;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Only those with a higher sequence.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// `nextCursor` of the page before; the same as `after`.
    cursor: Option<i64>,
    /// At most so many: 1 to 100, usually 50.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// Oldest first.
    #[schema(value_type = Vec<crate::openapi::MessageSchema>)]
    items: Vec<Message>,
    /// Where the next page begins, if there is one.
    next_cursor: Option<String>,
}

/// Read messages
#[utoipa::path(
    get, path = "/api/meta-agent/sessions/{sessionId}/messages", tag = "chat", operation_id = "listMessages",
    params(("sessionId" = String, Path, description = "The session"), HistoryQuery),
    responses((status = 200, description = "Messages by sequence", body = MessagePage)),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: TenantCall<ReadChat>,
) -> Result<Json<MessagePage>, Problem> {
    let query: HistoryQuery = call.received.query()?;
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid_field("?limit", "range", "must be from 1 to 100"));
    }
    let after = query.cursor.or(query.after).unwrap_or(0);
    let session = own_session(&desk.database, &call).await?;
    let conversation = session.conversation_id;
    // One more than asked for tells whether there is another page.
    let mut items =
        desk.database.messages_since(call.tenant(), call.keys(), conversation, after, limit + 1).await?;
    let fits = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > fits;
    items.truncate(fits);
    links::add(&desk, call.state(), &mut items);
    let next_cursor = items.last().filter(|_| more).map(|last| last.sequence.to_string());
    Ok(Json(MessagePage { items, next_cursor }))
}
