//! `/tenants/{tenantId}/bookings`: what is booked, for the tenant's people.

use super::{Page, expected_version, page_limit, versioned};
use crate::{
    api::booking::{self, BookingAnswer, BookingPatch, Caller, NewBookingBody},
    desk::FrontDesk,
    idempotent::Once,
    management::Managed,
    problem::Problem,
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{BookingId, BookingState, ContactId, Timestamp, act};
use misy_store::{
    bookings::{self, Booking, Listed, Position},
    contacts, tenant_tx,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Which bookings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BookingQuery {
    /// That begin at this time or later; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// That begin before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// With this provider.
    provider_id: Option<String>,
    /// Of this contact.
    #[param(value_type = Option<ContactId>)]
    contact_id: Option<String>,
    /// In this state.
    state: Option<BookingState>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A booking that somebody of the tenant makes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BookingOfContact {
    /// Whose it is; somebody new unless given.
    #[schema(value_type = Option<ContactId>)]
    contact_id: Option<ContactId>,
    /// What is booked.
    booking: NewBookingBody,
}

/// The end of a page, as it travels: the start of the last booking, and its id.
pub(crate) fn cursor_of(booking: &Booking) -> String {
    format!("{}~{}", booking.starts_at, booking.booking_id)
}

pub(crate) fn position(cursor: Option<&str>) -> Result<Option<Position>, Problem> {
    let read = |text: &str| {
        let (starts_at, id) = text.split_once('~')?;
        let starts_at = starts_at.parse().ok().filter(|at| *at >= Timestamp::UNIX_EPOCH)?;
        Some(Position { starts_at, booking_id: id.parse().ok()? })
    };
    let refused = || Problem::invalid_field("?cursor", "format", "is no cursor of this list");
    cursor.map(|text| read(text).ok_or_else(refused)).transpose()
}

/// List bookings
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/bookings", tag = "bookings", operation_id = "listBookings",
    params(("tenantId" = String, Path, description = "The tenant"), BookingQuery),
    responses((status = 200, description = "Bookings in the order of their starts", body = Page<BookingAnswer>)),
    security(("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::BookingsRead>,
) -> Result<Json<Page<BookingAnswer>>, Problem> {
    let query: BookingQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let refused = |_| Problem::invalid_field("?contactId", "format", "is no id of a contact");
    let contact = query.contact_id.as_deref().map(|id| id.parse().map_err(refused)).transpose()?;
    let listed = Listed {
        from: query.from.unwrap_or_else(|| desk.clock.now()).max(Timestamp::UNIX_EPOCH),
        until: query.until.unwrap_or(Timestamp::MAX).max(Timestamp::UNIX_EPOCH),
        contact,
        provider: query.provider_id.as_deref(),
        state: query.state,
        after: position(query.cursor.as_deref())?,
        limit: i64::from(limit) + 1,
    };
    let found = Box::pin(tenant_tx!(desk.database, "bookings.list", &call.tenant, async |tx| {
        bookings::list(tx, call.keys(), &listed).await
    }))
    .await?;
    Ok(Json(Page::of(found, limit, cursor_of).map(BookingAnswer::from)))
}

/// Book
///
/// Counts in the month's quota of bookings. A time that somebody else has is `409 slot_taken`, one that is against the rules of the
/// business is `422 slot_refused`; both say which times are free.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/bookings", tag = "bookings", operation_id = "createBooking",
    request_body(content = BookingOfContact, example = json!({"booking": {
        "serviceId": "limpieza-dental", "startsAt": "2026-12-03T19:30:00Z", "details": {"name": "Camilo Henríquez"}}})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses(
        (status = 201, description = "The booking", body = BookingAnswer),
        (status = 402, description = "`quota_exceeded`: the month's bookings are used up", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: Managed<act::BookingsWrite>,
) -> Result<Response, Problem> {
    let BookingOfContact { contact_id, booking: body } = call.received.json()?;
    let once = Once::of(&call.received, &call.manager.maker)?;
    let booking_id = BookingId::new(&*desk.clock, &*desk.entropy);
    let booked = Box::pin(tenant_tx!(desk.database, "bookings.create", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        let contact = match contact_id {
            Some(contact) => contact,
            None => contacts::add(tx, call.keys(), &*desk.clock, &*desk.entropy).await?,
        };
        let caller = Caller::staff(call.keys());
        let booking = booking::create(&desk, tx, &caller, (booking_id, contact), &body).await?;
        let detail = json!({ "serviceId": booking.service_id, "providerId": booking.provider_id });
        call.record_change(&desk, tx, booking_id.to_string(), Some(detail)).await?;
        Ok(once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &BookingAnswer::from(booking)).await?)
    }))
    .await;
    booking::answered(&desk, &call.tenant, booked).await
}

/// Read a booking
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/bookings/{bookingId}", tag = "bookings", operation_id = "readBooking",
    params(("tenantId" = String, Path, description = "The tenant"), ("bookingId" = String, Path, description = "The booking")),
    responses((status = 200, description = "The booking, with its version as ETag", body = BookingAnswer)),
    security(("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::BookingsRead>,
) -> Result<Response, Problem> {
    let booking = found(&desk, &call).await?;
    Ok(versioned(booking.version, BookingAnswer::from(booking)))
}

async fn found(desk: &FrontDesk, call: &Managed<act::BookingsRead>) -> Result<Booking, Problem> {
    let id: BookingId = call.received.param("bookingId")?;
    let booking = Box::pin(tenant_tx!(desk.database, "bookings.read", &call.tenant, async |tx| {
        bookings::find(tx, call.keys(), id).await
    }))
    .await?;
    booking.ok_or_else(Problem::not_found)
}

/// Read a booking as a calendar
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/bookings/{bookingId}/calendar", tag = "bookings",
    operation_id = "readBookingCalendar",
    params(("tenantId" = String, Path, description = "The tenant"), ("bookingId" = String, Path, description = "The booking")),
    responses((status = 200, description = "One event (RFC 5545)", body = String, content_type = "text/calendar")),
    security(("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn calendar(
    State(desk): State<FrontDesk>,
    call: Managed<act::BookingsRead>,
) -> Result<Response, Problem> {
    let booking = found(&desk, &call).await?;
    let pack = Box::pin(tenant_tx!(desk.database, "bookings.pack", &call.tenant, async |tx| booking::pack(
        &desk, tx
    )
    .await))
    .await?;
    Ok(booking::calendar(&booking, &pack.pack().display_name))
}

/// Move or change a booking
///
/// What is not given stays. A change of time or provider is refused with the same codes as a new booking; who it is for can be put right at
/// any time. A time that is only kept for somebody who decides is `409 conflict`.
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/bookings/{bookingId}", tag = "bookings", operation_id = "changeBooking",
    request_body(content = BookingPatch, example = json!({"startsAt": "2026-12-03T20:00:00Z"})),
    params(
        ("tenantId" = String, Path, description = "The tenant"), ("bookingId" = String, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::BookingsWrite>,
) -> Result<Response, Problem> {
    let id: BookingId = call.received.param("bookingId")?;
    let expected = expected_version(&call.received)?;
    let patch: BookingPatch = call.received.json()?;
    let changed = Box::pin(tenant_tx!(desk.database, "bookings.change", &call.tenant, async |tx| {
        let booking = booking::change(&desk, tx, &Caller::staff(call.keys()), id, &patch, expected).await?;
        let detail = json!({ "version": booking.version });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await?;
        Ok(booking)
    }))
    .await;
    let booking = booking::answered(&desk, &call.tenant, changed).await?;
    Ok(versioned(booking.version, BookingAnswer::from(booking)))
}

/// Cancel a booking
///
/// Its time is free again. Twice is once.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/bookings/{bookingId}/cancel", tag = "bookings",
    operation_id = "cancelBooking",
    params(
        ("tenantId" = String, Path, description = "The tenant"), ("bookingId" = String, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn cancel(
    State(desk): State<FrontDesk>,
    call: Managed<act::BookingsWrite>,
) -> Result<Response, Problem> {
    let id: BookingId = call.received.param("bookingId")?;
    let expected = expected_version(&call.received)?;
    call.received.expect_no_body()?;
    let booking = Box::pin(tenant_tx!(desk.database, "bookings.cancel", &call.tenant, async |tx| {
        let booking = booking::cancel(&desk, tx, &Caller::staff(call.keys()), id, expected).await?;
        call.record_change(&desk, tx, id.to_string(), None).await?;
        Ok::<_, Problem>(booking)
    }))
    .await?;
    Ok(versioned(booking.version, BookingAnswer::from(booking)))
}
