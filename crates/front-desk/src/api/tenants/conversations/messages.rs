//! `GET /tenants/{tenantId}/conversations/{conversationId}/messages`: what was said.

use super::named;
use crate::{
    api::tenants::{page_cursor, page_limit},
    desk::FrontDesk,
    files::links,
    management::Managed,
    problem::Problem,
};
use axum::{Json, extract::State};
use misy_domain::{Message, MessageId, act};
use misy_store::{deliveries, inbox, messages, tenant_tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SaidQuery {
    /// Only those with a higher sequence, oldest first. Without it the newest are read.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// `nextCursor` of the page before: those that were said before it.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SaidPage {
    /// Oldest first.
    #[schema(value_type = Vec<crate::openapi::MessageSchema>)]
    items: Vec<Message>,
    /// How those of them fare that leave on a channel.
    deliveries: Vec<DeliveryOfMessage>,
    /// Where the page begins that was said before this one, or with `after` the one that was said next.
    next_cursor: Option<String>,
}

/// How a message fares on its way out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryOfMessage {
    /// The message.
    #[schema(value_type = misy_domain::MessageId)]
    message_id: MessageId,
    /// `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
    #[schema(example = "queued")]
    status: String,
    /// Why it has not left: `window_closed` where it waits until the contact writes again.
    #[schema(example = "window_closed")]
    error: Option<String>,
}

/// Read what was said
///
/// The newest messages, and with `nextCursor` those before. With `after`, those since. Reading stands in the audit trail.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/messages", tag = "inbox",
    operation_id = "listConversationMessages",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
        SaidQuery,
    ),
    responses((status = 200, description = "Messages by sequence", body = SaidPage)),
    security(("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsRead>,
) -> Result<Json<SaidPage>, Problem> {
    let id = named(&call)?;
    let query: SaidQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let before: Option<i64> = page_cursor(query.cursor.as_deref())?;
    // One more than asked for tells whether there is another page.
    let (mut items, deliveries) = tenant_tx!(desk.database, "inbox.messages", &call.tenant, async |tx| {
        if inbox::handling(tx, call.keys(), id).await?.is_none() {
            return Err(Problem::not_found());
        }
        let items = match query.after {
            Some(after) => messages::history(tx, call.keys(), id, after, limit + 1).await?,
            None => messages::newest_before(tx, call.keys(), id, before, limit + 1).await?,
        };
        let first = items.first().map_or(0, |message| message.sequence);
        Ok((items, deliveries::of_conversation(tx, id, first).await?))
    })
    .await?;
    let fits = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > fits;
    let cut = if query.after.is_some() {
        items.truncate(fits);
        items.last()
    } else {
        items.drain(..items.len().saturating_sub(fits));
        items.first()
    };
    let next_cursor = cut.filter(|_| more).map(|message| message.sequence.to_string());
    links::add(&desk, &call.state, &mut items);
    let of_these =
        deliveries.into_iter().filter(|one| items.iter().any(|item| item.message_id == one.message_id));
    let deliveries = of_these
        .map(|one| DeliveryOfMessage { message_id: one.message_id, status: one.status, error: one.error })
        .collect();
    Ok(Json(SaidPage { items, deliveries, next_cursor }))
}
