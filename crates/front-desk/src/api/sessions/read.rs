//! `GET /sessions/{sessionId}`: where a session stands.

use super::{ReadChat, own_session};
use crate::{desk::FrontDesk, pipeline::TenantCall, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::{Channel, ConversationId, SessionId, Timestamp};
use misy_store::sessions::ConversationStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// Where a session stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionState {
    /// Its id.
    session_id: SessionId,
    /// The conversation it writes to.
    conversation_id: ConversationId,
    /// The channel.
    channel: Channel,
    /// Where the conversation stands.
    status: ConversationStatus,
    /// The sequence of the newest message; 0 before the first.
    last_sequence: i64,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it takes no message.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Read a session
#[utoipa::path(
    get, path = "/api/meta-agent/sessions/{sessionId}", tag = "chat", operation_id = "readSession",
    params(("sessionId" = String, Path, description = "The session")),
    responses((status = 200, description = "Where it stands", body = SessionState)),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: TenantCall<ReadChat>,
) -> Result<Json<SessionState>, Problem> {
    let session = own_session(&desk.database, &call).await?;
    let over = !session.is_open(desk.clock.now());
    Ok(Json(SessionState {
        session_id: session.session_id,
        conversation_id: session.conversation_id,
        channel: session.channel,
        status: if over { ConversationStatus::Closed } else { session.status },
        last_sequence: session.last_sequence,
        created_at: session.created_at,
        expires_at: session.expires_at,
    }))
}
