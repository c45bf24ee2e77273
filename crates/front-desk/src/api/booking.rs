//! What calls of the tenant's people and of its visitors have in common about bookings.

mod free;
mod made;
mod missed;
mod shapes;

pub(crate) use free::free;
pub use free::{FreeQuery, FreeTimes};
pub(crate) use made::{Caller, cancel, change, create};
pub(crate) use missed::answered;
pub use shapes::{BookingAnswer, BookingDetails, BookingPatch, NewBookingBody};

use crate::{desk::FrontDesk, problem::Problem};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use misy_domain::{
    BookingState, ContextPack,
    booking::{Appointment, Offer, ics},
};
use misy_store::{TenantTx, bookings::Booking, context_packs, turns};
use misy_workbench::CompiledPack;

/// The pack in force, which says what can be booked.
pub(crate) async fn pack(desk: &FrontDesk, tx: &mut TenantTx) -> Result<CompiledPack, Problem> {
    let tenant = tx.tenant().clone();
    let version = context_packs::current_version(tx).await?;
    let load = async || Ok::<_, Problem>(turns::pack_of_version(tx, version).await?);
    desk.packs.get(&tenant, version, load).await?.ok_or_else(Problem::not_found)
}

/// The service with those who do it, or with the one who is asked for.
fn offers_of<'a>(pack: &'a ContextPack, service: &str, provider: Option<&str>) -> Vec<Offer<'a>> {
    let mut offers = pack.offers(service);
    offers.retain(|offer| provider.is_none_or(|provider| offer.provider.id == provider));
    offers
}

/// The same, where there are any.
fn offers<'a>(
    pack: &'a ContextPack,
    service: &str,
    provider: Option<&str>,
    (at_service, at_provider): (&str, &str),
) -> Result<Vec<Offer<'a>>, Problem> {
    let offers = offers_of(pack, service, provider);
    if !offers.is_empty() {
        return Ok(offers);
    }
    Err(if pack.offers(service).is_empty() {
        Problem::invalid_field(at_service, "reference", "is no service that can be booked")
    } else {
        Problem::invalid_field(at_provider, "reference", "is nobody who does this service")
    })
}

/// A booking as a calendar takes it.
pub(crate) fn calendar(booking: &Booking, business: &str) -> Response {
    let uid = format!("{}@misy", booking.booking_id);
    let summary = format!("{} · {}", booking.service_name, booking.provider_name);
    let text = ics(&Appointment {
        uid: &uid,
        sequence: booking.version,
        summary: &summary,
        location: Some(business),
        from: booking.starts_at,
        until: booking.ends_at,
        changed_at: booking.changed_at,
        cancelled: booking.state == BookingState::Cancelled,
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"booking.ics\"")),
    ];
    (headers, text).into_response()
}
