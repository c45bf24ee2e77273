//! `GET /sessions/{sessionId}/events`: what is said, as it is said.

use super::{ReadChat, own_session};
use crate::{
    desk::FrontDesk,
    live::{self, Opening},
    pipeline::TenantCall,
    problem::Problem,
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, header};
use jiff::SignedDuration;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Follow a session
///
/// Live events: `message` (its `id:` is the sequence), `message.delta`, `typing`, `handoff`, `status`. A `message.delta` has more
/// of an answer that is being written, with its `agentName`: all of it so far in `text`, or what comes next in `delta`. It may be
/// missing; the message has everything. Begins after `Last-Event-ID`, or
/// with the first message. Every 15 seconds there is a comment. Before the stream ends because the token expired or was
/// revoked, or the tenant was suspended, a last `status` says so in `ending`.
#[utoipa::path(
    get, path = "/api/meta-agent/sessions/{sessionId}/events", tag = "chat", operation_id = "followSession",
    params(
        ("sessionId" = String, Path, description = "The session"),
        ("Last-Event-ID" = Option<String>, Header, description = "The sequence of the last message that was seen"),
    ),
    responses((
        status = 200, description = "Events", body = String, content_type = "text/event-stream",
        example = "id: 2\nevent: message\ndata: {\"sequence\":2,\"role\":\"agent\"}\n\n",
    )),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn follow(
    State(desk): State<FrontDesk>,
    call: TenantCall<ReadChat>,
) -> Result<Response, Problem> {
    let after = match call.received.header(&LAST_EVENT_ID) {
        None | Some("") => 0,
        Some(text) => {
            let after = text.parse().ok().filter(|after: &i64| *after >= 0);
            after.ok_or_else(|| Problem::bad_request("The header last-event-id must be a sequence."))?
        }
    };
    let session = own_session(&desk.database, &call).await?;
    let opening = Opening {
        tenant: call.tenant().clone(),
        keys: call.keys().clone(),
        token: call.token().clone(),
        certificate: call.received.certificate().cloned(),
        connection: call.received.parts.extensions.get().cloned(),
        session: session.session_id,
        conversation: session.conversation_id,
        status: session.status,
        address: call.received.record.address,
        after,
    };
    let events =
        live::events(&desk, opening).ok_or_else(|| Problem::rate_limited(SignedDuration::from_secs(10)))?;
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}
