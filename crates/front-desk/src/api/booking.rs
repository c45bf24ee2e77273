//! What calls of the tenant's people and of its visitors have in common about bookings.

use crate::{
    desk::FrontDesk,
    problem::{Code, FieldError, FreeTime, Problem},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use misy_domain::{
    BookingId, BookingState, ContactId, ContextPack, ConversationId, Metered, Timestamp,
    booking::{Appointment, Offer, Refused, ics},
};
use misy_store::{
    TenantKeys, TenantTx,
    bookings::{self, Booking, Details, Free, Kept, NewBooking},
    context_packs,
    usage::{self, CountedFor},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Free times are looked for within so many days at once.
const LONGEST_LOOK: i64 = 31;
/// No policy lets anybody book further ahead, in days.
const FURTHEST: i64 = 800;
/// So many free times are told at most.
const MOST_FREE: usize = 200;
/// So many other times are offered in the place of one that cannot be had.
const ALTERNATIVES: usize = 5;

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Booking)]
pub struct BookingAnswer {
    /// Its id.
    booking_id: BookingId,
    /// Whose it is.
    contact_id: ContactId,
    /// The service, by its id in the context pack.
    #[schema(example = "limpieza-dental")]
    service_id: String,
    /// What the service was called when it was booked.
    service_name: String,
    /// The provider, by its id in the context pack.
    #[schema(example = "dra-valentina-rojas")]
    provider_id: String,
    /// What the provider was called when it was booked.
    provider_name: String,
    /// Where it stands.
    state: BookingState,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// Until when the time is kept for somebody who decides.
    #[schema(value_type = Option<String>, format = DateTime)]
    held_until: Option<Timestamp>,
    /// Who it is for.
    details: BookingDetails,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Booking> for BookingAnswer {
    fn from(booking: Booking) -> Self {
        Self {
            booking_id: booking.booking_id,
            contact_id: booking.contact_id,
            service_id: booking.service_id,
            service_name: booking.service_name,
            provider_id: booking.provider_id,
            provider_name: booking.provider_name,
            state: booking.state,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            held_until: booking.held_until,
            details: booking.details.into(),
            version: booking.version,
            created_at: booking.created_at,
            updated_at: booking.changed_at,
        }
    }
}

/// Who a booking is for. It is sealed under the key of the contact.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BookingDetails {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    phone: Option<String>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// For how many people, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    party_size: Option<u32>,
    /// What else the business should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl From<Details> for BookingDetails {
    fn from(details: Details) -> Self {
        let Details { name, phone, email, party_size, note } = details;
        Self { name, phone, email, party_size, note }
    }
}

impl BookingDetails {
    fn checked(&self) -> Result<Details, Problem> {
        let mut mistakes = Vec::new();
        for (pointer, text, most) in [
            ("/details/name", &self.name, 120),
            ("/details/phone", &self.phone, 40),
            ("/details/email", &self.email, 254),
            ("/details/note", &self.note, 500),
        ] {
            let Some(text) = text else { continue };
            if text.trim().is_empty() {
                mistakes.push(FieldError::new(pointer, "required", "must not be empty"));
            } else if text.chars().count() > most {
                mistakes.push(FieldError::new(
                    pointer,
                    "too_long",
                    format!("must have at most {most} characters"),
                ));
            } else if text.chars().any(|c| c.is_control() && c != '\n') {
                mistakes.push(FieldError::new(pointer, "format", "must have no control characters"));
            }
        }
        if self.party_size.is_some_and(|size| !(1..=1000).contains(&size)) {
            mistakes.push(FieldError::new("/details/partySize", "range", "must be from 1 to 1000"));
        }
        if !mistakes.is_empty() {
            return Err(Problem::invalid(mistakes));
        }
        let Self { name, phone, email, party_size, note } = self.clone();
        Ok(Details { name, phone, email, party_size, note })
    }
}

/// A booking to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBookingBody {
    /// The service, by its id in the context pack.
    #[schema(example = "limpieza-dental")]
    pub(crate) service_id: String,
    /// The provider; anybody who does the service unless given.
    pub(crate) provider_id: Option<String>,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) starts_at: Timestamp,
    /// Who it is for.
    #[serde(default)]
    #[schema(required = false)]
    pub(crate) details: BookingDetails,
}

/// What changes of a booking.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BookingPatch {
    /// When it begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) starts_at: Option<Timestamp>,
    /// The provider.
    pub(crate) provider_id: Option<String>,
    /// Who it is for, in the place of what was known.
    pub(crate) details: Option<BookingDetails>,
}

/// Between which times, and with whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FreeQuery {
    /// Starts from here on; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Starts before this, 31 days later at most; a week later unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// With this provider; with anybody who does the service unless given.
    provider_id: Option<String>,
}

/// Free times, in order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FreeTimes {
    /// The IANA zone that the hours of the business are local to.
    #[schema(example = "America/Santiago")]
    timezone: String,
    /// At most 200; go on from the last one for more.
    items: Vec<FreeTime>,
}

/// A booking as a call wants it.
pub(crate) struct Wanted<'a> {
    pub(crate) booking_id: BookingId,
    pub(crate) expected: Option<i64>,
    pub(crate) contact: ContactId,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) service: &'a str,
    pub(crate) provider: Option<&'a str>,
    pub(crate) starts_at: Timestamp,
    pub(crate) details: &'a BookingDetails,
    pub(crate) counted_for: CountedFor<'a>,
}

/// The pack in force, which says what can be booked.
pub(crate) async fn pack(tx: &mut TenantTx) -> Result<ContextPack, Problem> {
    let stored = context_packs::current(tx).await?.ok_or_else(Problem::not_found)?;
    // It was checked when it was stored.
    ContextPack::parse(&stored.pack).map_err(|_| Problem::internal())
}

/// The service with those who do it, or with the one who is asked for.
fn offers<'a>(
    pack: &'a ContextPack,
    service: &str,
    provider: Option<&str>,
    (at_service, at_provider): (&str, &str),
) -> Result<Vec<Offer<'a>>, Problem> {
    let mut offers = pack.offers(service);
    if offers.is_empty() {
        return Err(Problem::invalid_field(at_service, "reference", "is no service that can be booked"));
    }
    if let Some(provider) = provider {
        offers.retain(|offer| offer.provider.id == provider);
        if offers.is_empty() {
            return Err(Problem::invalid_field(at_provider, "reference", "is nobody who does this service"));
        }
    }
    Ok(offers)
}

/// Makes or moves a booking, or says why not and which times are free instead.
pub(crate) async fn put(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    wanted: &Wanted<'_>,
) -> Result<Booking, Problem> {
    let details = wanted.details.checked()?;
    let (pack, now) = (pack(tx).await?, desk.clock.now());
    let offers = offers(&pack, wanted.service, wanted.provider, ("/serviceId", "/providerId"))?;
    if wanted.starts_at <= now {
        return Err(refused(Refused::Past));
    }
    if wanted.starts_at.duration_since(now) > jiff::SignedDuration::from_hours(24 * FURTHEST) {
        return Err(refused(Refused::TooFar));
    }
    let new = NewBooking {
        booking_id: wanted.booking_id,
        expected: wanted.expected,
        contact: wanted.contact,
        conversation: wanted.conversation,
        offers: &offers,
        starts_at: wanted.starts_at,
        details: &details,
        hold: None,
        counted_for: wanted.counted_for,
    };
    match bookings::put(tx, keys, &pack, &new, now, &*desk.entropy).await? {
        Kept::Kept(booking) => Ok(*booking),
        Kept::NotFound => Err(Problem::not_found()),
        Kept::TooManyAhead => {
            let most = bookings::MOST_AHEAD;
            let detail = format!("The contact has {most} bookings ahead, and can have no more.");
            Err(Problem::conflict(Code::TooMany, detail))
        }
        Kept::QuotaExceeded => {
            let monthly = usage::monthly(tx, Metered::Bookings).await?.unwrap_or_default();
            Err(Problem::quota_exceeded(Metered::Bookings, monthly, now))
        }
        Kept::Refused(why) => {
            let around = around(wanted.starts_at, now);
            let mut free = bookings::free(tx, &pack, &offers, around, Some(wanted.booking_id), now).await?;
            free.sort_by_key(|free| free.slot.from.duration_since(wanted.starts_at).abs());
            free.truncate(ALTERNATIVES);
            free.sort_by_key(|free| free.slot);
            Err(refused(why).with_alternatives(free.into_iter().map(told).collect()))
        }
    }
}

/// Moves or changes a booking; what the patch does not say stays.
pub(crate) async fn change(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    before: &Booking,
    patch: &BookingPatch,
    expected: Option<i64>,
) -> Result<Booking, Problem> {
    if before.state == BookingState::Cancelled {
        return Err(Problem::conflict(Code::Conflict, "The booking was called off; make another one."));
    }
    let details = patch.details.clone().unwrap_or_else(|| before.details.clone().into());
    let wanted = Wanted {
        booking_id: before.booking_id,
        expected: Some(expected.unwrap_or(before.version)),
        contact: before.contact_id,
        conversation: before.conversation_id,
        service: &before.service_id,
        provider: Some(patch.provider_id.as_deref().unwrap_or(&before.provider_id)),
        starts_at: patch.starts_at.unwrap_or(before.starts_at),
        details: &details,
        counted_for: CountedFor::default(),
    };
    put(desk, tx, keys, &wanted).await
}

/// A week around a time, and not what is over.
fn around(at: Timestamp, now: Timestamp) -> (Timestamp, Timestamp) {
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let from = at.checked_sub(days(3)).unwrap_or(now).max(now);
    (from, from.checked_add(days(7)).unwrap_or(from))
}

fn told(free: Free) -> FreeTime {
    FreeTime { starts_at: free.slot.from, ends_at: free.slot.until, provider_id: free.provider_id }
}

/// Taken is a conflict, which another moment may end. The rest is against the rules of the business.
fn refused(why: Refused) -> Problem {
    if why == Refused::Taken {
        return Problem::conflict(Code::SlotTaken, "Somebody else has this time.");
    }
    let detail = match why {
        Refused::Past => "This time is over.",
        Refused::TooSoon => "This begins sooner than the business takes bookings.",
        Refused::TooFar => "This is further ahead than the business takes bookings.",
        Refused::Holiday => "The business is closed that day.",
        Refused::DoesNotFit => "It takes longer than somebody is there.",
        Refused::OffGrid => "Bookings begin at other minutes.",
        Refused::Closed | Refused::Taken => "Nobody is there at that time.",
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::SlotRefused, detail)
}

/// The free times of a service.
pub(crate) async fn free(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    service: &str,
    query: &FreeQuery,
) -> Result<FreeTimes, Problem> {
    let now = desk.clock.now();
    let from = query.from.unwrap_or(now).max(now);
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let until = query.until.unwrap_or_else(|| from.checked_add(days(7)).unwrap_or(from));
    if until.duration_since(from) > days(LONGEST_LOOK) {
        return Err(Problem::invalid_field("?until", "range", "must be within 31 days of the beginning"));
    }
    let pack = pack(tx).await?;
    if pack.service(service).is_none() {
        return Err(Problem::not_found());
    }
    let offers = offers(&pack, service, query.provider_id.as_deref(), ("?serviceId", "?providerId"))?;
    let mut found = bookings::free(tx, &pack, &offers, (from, until), None, now).await?;
    found.truncate(MOST_FREE);
    let items = found.into_iter().map(told).collect();
    Ok(FreeTimes { timezone: pack.timezone.as_str().to_owned(), items })
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

/// Whether a contact may no longer change a booking by themselves without saying that they know what it costs.
pub(crate) fn is_late(booking: &Booking, pack: &ContextPack, now: Timestamp) -> bool {
    let hours = pack.booking_policy.as_ref().and_then(|policy| policy.cancellation_hours).unwrap_or_default();
    booking.starts_at.duration_since(now) < jiff::SignedDuration::from_hours(i64::from(hours))
}
