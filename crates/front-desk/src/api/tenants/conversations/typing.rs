//! `POST /tenants/{tenantId}/conversations/{conversationId}/typing`: the contact sees that a person writes.

use super::{named, not_held, person};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::extract::State;
use http::StatusCode;
use misy_domain::{ConversationId, TenantId, act};
use misy_store::{
    bell::{Agent, News},
    inbox, tenant_tx,
};
use moka::sync::Cache;
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// So long after the last word of it nobody is seen writing any more.
const LASTS: Duration = Duration::from_secs(8);

/// Whether a person writes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TypingRequest {
    /// `true`: said again every few seconds, as long as they do.
    active: bool,
}

/// In which conversations people of this process write, and how often they said so.
#[derive(Clone)]
pub(crate) struct TypingPeople(Cache<(TenantId, ConversationId), u64>);

impl Default for TypingPeople {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(100_000).time_to_live(LASTS * 2).build())
    }
}

impl TypingPeople {
    /// Notes that somebody writes, and how often it was noted by now.
    fn again(&self, key: &(TenantId, ConversationId)) -> u64 {
        let count = self.0.get(key).unwrap_or_default() + 1;
        self.0.insert(key.clone(), count);
        count
    }

    fn is_last(&self, key: &(TenantId, ConversationId), count: u64) -> bool {
        self.0.get(key) == Some(count)
    }
}

/// Show that a person writes
///
/// The contact sees it for eight seconds, or until a message comes. The caller must hold the conversation.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/typing", tag = "inbox",
    operation_id = "showTyping",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
    ),
    request_body(content = TypingRequest, example = json!({ "active": true })),
    responses((status = 204, description = "The contact sees it")),
    security(("session" = []))
)]
pub(crate) async fn show(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsWrite>,
) -> Result<StatusCode, Problem> {
    let me = person(&call)?.user_id;
    let conversation = named(&call)?;
    let request: TypingRequest = call.received.json()?;
    let handling = tenant_tx!(desk.database, "inbox.typing", &call.tenant, async |tx| {
        inbox::handling(tx, call.keys(), conversation).await
    })
    .await?
    .ok_or_else(Problem::not_found)?;
    if handling.assignee.as_ref().is_none_or(|assignee| assignee.user_id != me) {
        return Err(not_held(Some(&handling)));
    }
    let key = (call.tenant.clone(), conversation);
    let count = desk.typing.again(&key);
    desk.bell.ring(&key.0, conversation, News::typing(request.active.then_some(Agent::Person)));
    if request.active {
        let later = desk.clone();
        desk.in_background(async move {
            tokio::select! {
                () = tokio::time::sleep(LASTS) => {}
                () = later.stopping.cancelled() => return,
            }
            if later.typing.is_last(&key, count) {
                later.bell.ring(&key.0, conversation, News::typing(None));
            }
        });
    }
    Ok(StatusCode::NO_CONTENT)
}
