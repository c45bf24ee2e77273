//! `/tenants/{tenantId}/turns`: turns that wait for a tool or a person, and how they go on.

use super::{Page, PageQuery};
use crate::{
    desk::FrontDesk,
    management::Managed,
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{ConversationId, Timestamp, act, agent::WaitsFor};
use misy_store::{
    tenant_tx,
    turns::{self, AfterWait, WaitingTurn, Woken},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What a turn goes on with may be no longer, as JSON.
const LONGEST_OUTCOME: usize = 16 * 1024;

/// A turn that waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WaitingTurn)]
pub struct TurnAnswer {
    /// The conversation.
    conversation_id: ConversationId,
    /// The number of the wait, which waking it names: a conversation may wait again for something else.
    #[schema(example = 17)]
    wait: i64,
    /// The agent that waits.
    #[schema(example = "support")]
    agent_name: String,
    /// What it waits for.
    waits_for: WaitsFor,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    waits_since: Timestamp,
    /// When it goes on at the latest, with or without an outcome.
    #[schema(value_type = String, format = DateTime)]
    waits_until: Timestamp,
}

impl From<WaitingTurn> for TurnAnswer {
    fn from(turn: WaitingTurn) -> Self {
        Self {
            conversation_id: turn.conversation,
            wait: turn.wait,
            agent_name: turn.agent,
            waits_for: turn.waits_for,
            waits_since: turn.since,
            waits_until: turn.until,
        }
    }
}

/// What a turn waited for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TurnOutcome)]
pub struct OutcomeRequest {
    /// The number of the wait.
    wait: i64,
    /// The result of the tool, or the person's decision. 16 KiB as JSON at most.
    outcome: Value,
}

/// List turns that wait
///
/// For a tool, a person or a timer; those that nobody has woken yet.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/turns", tag = "tenants", operation_id = "listWaitingTurns",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "What has waited longest comes first", body = Page<TurnAnswer>)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::TurnsRead>,
) -> Result<Json<Page<TurnAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let after: Option<AfterWait> = query.cursor()?;
    let waiting = tenant_tx!(desk.database, "turns.list", &call.tenant, async |tx| {
        turns::waiting_turns(tx, after.as_ref(), limit + 1).await
    })
    .await?;
    Ok(Json(Page::of(waiting, limit, |turn| AfterWait::of(turn).to_string()).map(TurnAnswer::from)))
}

/// Let a turn that waits go on
///
/// Its agent goes on at once, with this outcome. The first outcome of a wait holds: the same call again, or another one, changes
/// nothing. A turn that goes on already, since its time is over or the contact wrote, answers `409`.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/turns/{conversationId}/wake", tag = "tenants", operation_id = "wakeTurn",
    request_body(content = OutcomeRequest, example = json!({"wait": 17, "outcome": {"approved": true}})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
    ),
    responses((status = 204, description = "It goes on, or was woken before")),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn wake(
    State(desk): State<FrontDesk>,
    call: Managed<act::TurnsWrite>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = call.received.param("conversationId")?;
    let OutcomeRequest { wait, outcome } = call.received.json()?;
    if serde_json::to_vec(&outcome).map_or(true, |bytes| bytes.len() > LONGEST_OUTCOME) {
        return Err(Problem::invalid_field("/outcome", "too_long", "must be at most 16384 bytes of JSON"));
    }
    let ended = tenant_tx!(desk.database, "turns.wake", &call.tenant, async |tx| {
        match turns::end_wait(tx, call.keys(), conversation, wait, &outcome, &*desk.entropy).await? {
            Woken::Now => {
                let detail = json!({ "wait": wait });
                call.record_change(&desk, tx, conversation.to_string(), Some(detail)).await
            }
            Woken::Before => Ok(()),
            Woken::Over => {
                Err(Problem::conflict(Code::Conflict, "The turn does not wait for this any more."))
            }
            Woken::Unknown => Err(Problem::not_found()),
        }
    });
    Box::pin(ended).await?;
    desk.bell.ring_work();
    Ok(StatusCode::NO_CONTENT)
}
