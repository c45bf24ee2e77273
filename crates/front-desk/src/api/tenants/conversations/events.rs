//! `GET /tenants/{tenantId}/inbox/events`: people of the tenant hear which conversations changed.

use crate::{
    desk::FrontDesk,
    live::inbox,
    management::{Managed, Standing},
    problem::Problem,
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, header};
use jiff::SignedDuration;
use misy_domain::act;

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Follow all conversations
///
/// Live events: `changed` names the conversations in which something happened, `missed` says that any may have changed. They hold
/// ids only: what happened is read. Nothing is sent twice after a reconnect, so read the list anew then. What no replica was told
/// of is found within 15 seconds of silence, and `missed` says so. The stream ends as soon as the
/// caller may not read conversations any more; a last `ended` says so.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/inbox/events", tag = "inbox", operation_id = "followConversations",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((
        status = 200, description = "Events", body = String, content_type = "text/event-stream",
        example = "event: changed\ndata: {\"conversationIds\":[\"cnv_01k9z3v5d2m8q4x7c1b6n0f9gh\"]}\n\n",
    )),
    security(("session" = []))
)]
pub(crate) async fn follow(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsRead>,
) -> Result<Response, Problem> {
    let standing = Standing::of(&desk, &call)?;
    let address = call.received.record.address;
    let events = inbox::events(&desk, standing, address)
        .ok_or_else(|| Problem::rate_limited(SignedDuration::from_secs(10)))?;
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}
