//! `/sessions/{sessionId}/bookings`: what a visitor has booked. They see and change their own alone.

use super::own_session;
use crate::{
    api::{
        booking::{self, BookingAnswer, BookingPatch, Caller, NewBookingBody},
        tenants::{Page, expected_version, versioned},
    },
    desk::FrontDesk,
    idempotent::Once,
    pipeline::{Access, TenantCall},
    problem::{Code, Problem},
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{BookingId, Channel, Permission};
use misy_store::{
    bookings::{self, Booking, By},
    sessions::Session,
    tenant_tx,
    usage::CountedFor,
};
use serde::Deserialize;
use utoipa::IntoParams;

/// Calls of whoever may book by chat.
pub struct Book;

impl Access for Book {
    const PERMISSION: Option<Permission> = Some(Permission::AgentsBooking);
}

/// Whether somebody knows that it is late.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LateQuery {
    /// `true`: although it is later than the business lets bookings be changed for nothing.
    late: Option<bool>,
}

/// List one's bookings
///
/// Those that are still to come, at most 20.
#[utoipa::path(
    get, path = "/api/meta-agent/sessions/{sessionId}/bookings", tag = "chat", operation_id = "listMyBookings",
    params(("sessionId" = String, Path, description = "The session")),
    responses((status = 200, description = "Bookings in the order of their starts", body = Page<BookingAnswer>)),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: TenantCall<Book>,
) -> Result<Json<Page<BookingAnswer>>, Problem> {
    let session = own_session(&desk.database, &call).await?;
    let found = Box::pin(tenant_tx!(desk.database, "bookings.mine", call.tenant(), async |tx| {
        bookings::upcoming(tx, call.keys(), session.contact_id, desk.clock.now()).await
    }))
    .await?;
    Ok(Json(Page::whole(found).map(BookingAnswer::from)))
}

/// List free times for a session
#[utoipa::path(
    get, path = "/api/meta-agent/sessions/{sessionId}/services/{serviceId}/free-times", tag = "chat",
    operation_id = "listMyFreeTimes",
    params(
        ("sessionId" = String, Path, description = "The session"),
        ("serviceId" = String, Path, description = "The service, by its id in the context pack"), booking::FreeQuery,
    ),
    responses((status = 200, description = "Free times, in order", body = booking::FreeTimes)),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn free(
    State(desk): State<FrontDesk>,
    call: TenantCall<Book>,
) -> Result<Json<booking::FreeTimes>, Problem> {
    own_session(&desk.database, &call).await?;
    let service: String = call.received.param("serviceId")?;
    let query: booking::FreeQuery = call.received.query()?;
    let free = booking::free(&desk, call.tenant(), service, query).await?;
    Ok(Json(free))
}

/// Book for oneself
///
/// A time that somebody else has is `409 slot_taken`, one that is against the rules of the business is `422 slot_refused`; both say
/// which times are free. One visitor, and one network, books so many times in a day: more is `429 rate_limited`.
#[utoipa::path(
    post, path = "/api/meta-agent/sessions/{sessionId}/bookings", tag = "chat", operation_id = "createMyBooking",
    request_body(content = NewBookingBody, example = json!({
        "serviceId": "limpieza-dental", "startsAt": "2026-12-03T19:30:00Z", "details": {"name": "Camilo Henríquez"}})),
    params(
        ("sessionId" = String, Path, description = "The session"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses(
        (status = 201, description = "The booking", body = BookingAnswer),
        (status = 402, description = "`quota_exceeded`: the tenant's bookings of the month are used up", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: TenantCall<Book>,
) -> Result<Response, Problem> {
    let session = open_session(&desk, &call).await?;
    let body: NewBookingBody = call.received.json()?;
    let once = Once::of(&call.received, &call.family().to_string())?;
    let booking_id = BookingId::new(&*desk.clock, &*desk.entropy);
    let booked = Box::pin(tenant_tx!(desk.database, "bookings.create", call.tenant(), async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        let caller = visitor(&call, &session, LateQuery::default());
        let whose = (booking_id, session.contact_id);
        let booking = booking::create(&desk, tx, &caller, whose, &body).await?;
        Ok(once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &BookingAnswer::from(booking)).await?)
    }))
    .await;
    booking::answered(&desk, call.tenant(), booked).await
}

/// Read one's booking as a calendar
#[utoipa::path(
    get, path = "/api/meta-agent/sessions/{sessionId}/bookings/{bookingId}/calendar", tag = "chat",
    operation_id = "readMyBookingCalendar",
    params(("sessionId" = String, Path, description = "The session"), ("bookingId" = String, Path, description = "The booking")),
    responses((status = 200, description = "One event (RFC 5545)", body = String, content_type = "text/calendar")),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn calendar(
    State(desk): State<FrontDesk>,
    call: TenantCall<Book>,
) -> Result<Response, Problem> {
    let session = own_session(&desk.database, &call).await?;
    let id: BookingId = call.received.param("bookingId")?;
    let (booking, name) = Box::pin(tenant_tx!(desk.database, "bookings.read", call.tenant(), async |tx| {
        let booking = bookings::find(tx, call.keys(), id).await?;
        let booking = own(booking, &session)?;
        Ok::<_, Problem>((booking, booking::pack(&desk, tx).await?.pack().display_name.clone()))
    }))
    .await?;
    Ok(booking::calendar(&booking, &name))
}

/// Move or change one's booking
///
/// What is not given stays. Later than the business lets it be moved for nothing it is `422 too_late`, unless `late` says that the
/// contact knows. What has begun or is over is `409 conflict`.
#[utoipa::path(
    patch, path = "/api/meta-agent/sessions/{sessionId}/bookings/{bookingId}", tag = "chat", operation_id = "changeMyBooking",
    request_body(content = BookingPatch, example = json!({"startsAt": "2026-12-03T20:00:00Z"})),
    params(
        ("sessionId" = String, Path, description = "The session"), ("bookingId" = String, Path, description = "The booking"),
        LateQuery, ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: TenantCall<Book>,
) -> Result<Response, Problem> {
    let session = open_session(&desk, &call).await?;
    let id: BookingId = call.received.param("bookingId")?;
    let expected = expected_version(&call.received)?;
    let late: LateQuery = call.received.query()?;
    let patch: BookingPatch = call.received.json()?;
    let changed = Box::pin(tenant_tx!(desk.database, "bookings.change", call.tenant(), async |tx| {
        booking::change(&desk, tx, &visitor(&call, &session, late), id, &patch, expected).await
    }))
    .await;
    let booking = booking::answered(&desk, call.tenant(), changed).await?;
    Ok(versioned(booking.version, BookingAnswer::from(booking)))
}

/// Cancel one's booking
///
/// Its time is free again. Twice is once. Later than the business lets it be cancelled for nothing it is `422 too_late`, unless `late`
/// says that the contact knows. What has begun or is over is `409 conflict`.
#[utoipa::path(
    post, path = "/api/meta-agent/sessions/{sessionId}/bookings/{bookingId}/cancel", tag = "chat",
    operation_id = "cancelMyBooking",
    params(
        ("sessionId" = String, Path, description = "The session"), ("bookingId" = String, Path, description = "The booking"),
        LateQuery, ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn cancel(
    State(desk): State<FrontDesk>,
    call: TenantCall<Book>,
) -> Result<Response, Problem> {
    let session = open_session(&desk, &call).await?;
    let id: BookingId = call.received.param("bookingId")?;
    let expected = expected_version(&call.received)?;
    call.received.expect_no_body()?;
    let late: LateQuery = call.received.query()?;
    let booking = Box::pin(tenant_tx!(desk.database, "bookings.cancel", call.tenant(), async |tx| {
        booking::cancel(&desk, tx, &visitor(&call, &session, late), id, expected).await
    }))
    .await?;
    Ok(versioned(booking.version, BookingAnswer::from(booking)))
}

/// The session, if it can still do something.
async fn open_session(desk: &FrontDesk, call: &TenantCall<Book>) -> Result<Session, Problem> {
    let session = own_session(&desk.database, call).await?;
    if session.is_open(desk.clock.now()) {
        Ok(session)
    } else {
        Err(Problem::conflict(Code::Conflict, "The session is over; open another one."))
    }
}

/// A booking of the session's contact; what is somebody else's is not there.
fn own(booking: Option<Booking>, session: &Session) -> Result<Booking, Problem> {
    booking.filter(|booking| booking.contact_id == session.contact_id).ok_or_else(Problem::not_found)
}

/// The session's contact, for themselves.
fn visitor<'a>(call: &'a TenantCall<Book>, session: &Session, late: LateQuery) -> Caller<'a> {
    Caller {
        keys: call.keys(),
        by: By::Contact(session.contact_id),
        conversation: Some(session.conversation_id),
        counted_for: CountedFor { key: None, site: Some(call.site()), channel: Some(Channel::Web) },
        knows_it_is_late: late.late == Some(true),
    }
}
