//! `GET /tenants/{tenantId}/conversations/{conversationId}`: one conversation, with what whoever takes it should know.

use super::{ConversationAnswer, named};
use crate::{api::tenants::versioned, desk::FrontDesk, management::Managed, problem::Problem};
use axum::{extract::State, response::Response};
use misy_domain::{Channel, ConversationId, Message, Role, Timestamp, act, message::text_of};
use misy_store::{StoreError, TenantKeys, TenantTx, inbox, messages, tenant_tx, turns};
use serde::Serialize;
use utoipa::ToSchema;

/// Messages that the summary is made of.
const LOOKED_AT: u32 = 40;
/// What contacts asked that the summary shows.
const ASKED: usize = 3;
/// Characters of each.
const SHOWN: usize = 240;
/// For so long after a contact wrote these vendors take any answer: <https://developers.facebook.com/docs/whatsapp/pricing>.
const WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A conversation with what whoever takes it should know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationDetail {
    /// The conversation.
    pub(super) conversation: ConversationAnswer,
    /// What happened, made of the last messages.
    summary: Summary,
    /// Until when the channel takes any answer; after that it waits until the contact writes again. Nothing where there is no such limit.
    #[schema(value_type = Option<String>, format = DateTime)]
    window_closes_at: Option<Timestamp>,
}

/// What happened in a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConversationSummary)]
pub struct Summary {
    /// Why a person was asked for, in sentences; quotes the contact.
    handoff: Option<String>,
    /// What the contact said last, oldest first.
    asked: Vec<String>,
    /// Titles of what the assistant answered from.
    sources: Vec<String>,
}

/// Read a conversation
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}", tag = "inbox",
    operation_id = "readConversation",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
    ),
    responses((status = 200, description = "The conversation, with its version as `ETag`", body = ConversationDetail)),
    security(("session" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsRead>,
) -> Result<Response, Problem> {
    let id = named(&call)?;
    let detail = tenant_tx!(desk.database, "inbox.read", &call.tenant, async |tx| {
        Box::pin(detail(tx, call.keys(), id)).await
    })
    .await?
    .ok_or_else(Problem::not_found)?;
    Ok(versioned(detail.conversation.version, detail))
}

/// A conversation as it is in a transaction.
pub(super) async fn detail(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id: ConversationId,
) -> Result<Option<ConversationDetail>, StoreError> {
    let Some(listed) = inbox::read(tx, keys, id).await? else { return Ok(None) };
    let handoff = turns::handoff_summary(tx, keys, id).await?;
    let last = messages::newest_before(tx, keys, id, None, LOOKED_AT).await?;
    let has_window = matches!(listed.channel, Channel::Whatsapp | Channel::Messenger | Channel::Instagram);
    let heard_at = last.iter().rev().find(|message| message.role == Role::Contact).map(|one| one.created_at);
    let window_closes_at = heard_at.filter(|_| has_window).and_then(|at| at.checked_add(WINDOW).ok());
    Ok(Some(ConversationDetail {
        conversation: listed.into(),
        summary: summary(handoff, &last),
        window_closes_at,
    }))
}

fn summary(handoff: Option<String>, last: &[Message]) -> Summary {
    let said = last.iter().filter(|message| message.role == Role::Contact);
    let mut asked: Vec<String> = said.map(|message| shortened(&text_of(&message.parts))).collect();
    asked.retain(|text| !text.is_empty());
    asked.drain(..asked.len().saturating_sub(ASKED));
    let mut sources = Vec::new();
    for source in last.iter().flat_map(|message| &message.sources) {
        if !sources.contains(&source.title) {
            sources.push(source.title.clone());
        }
    }
    Summary { handoff, asked, sources }
}

fn shortened(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(SHOWN) {
        line.truncate(end);
        line.push('…');
    }
    line
}
