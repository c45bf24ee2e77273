//! What calls of the tenant's people and of its visitors have in common about bookings.

use crate::{
    desk::FrontDesk,
    problem::{Code, FieldError, FreeTime, Problem},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use misy_domain::{
    BookingId, BookingState, ContactId, ContextPack, ConversationId, Metered, TenantId, Timestamp,
    booking::{Appointment, Free, Offer, Refused, Taken, ics},
};
use misy_store::{
    Collides, StoreError, TenantKeys, TenantTx,
    bookings::{self, Booking, Details, Kept, NewBooking, Own},
    context_packs, tenant_tx, turns,
    usage::{self, CountedFor},
};
use misy_workbench::{CompiledPack, PackError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
pub(crate) async fn pack(desk: &FrontDesk, tx: &mut TenantTx) -> Result<CompiledPack, Problem> {
    let tenant = tx.tenant().clone();
    let version = context_packs::current_version(tx).await?;
    let load = async || Ok::<_, Problem>(turns::pack_of_version(tx, version).await?);
    desk.packs.get(&tenant, version, load).await?.ok_or_else(Problem::not_found)
}

/// Why nothing was booked.
pub(crate) enum NotBooked {
    /// For this reason.
    For(Problem),
    /// The time cannot be had.
    Slot(Box<Missed>),
}

impl From<Problem> for NotBooked {
    fn from(problem: Problem) -> Self {
        Self::For(problem)
    }
}

impl From<StoreError> for NotBooked {
    fn from(error: StoreError) -> Self {
        Self::For(error.into())
    }
}

impl Collides for NotBooked {
    fn is_collision(&self) -> bool {
        matches!(self, Self::For(problem) if problem.is_collision())
    }
}

impl NotBooked {
    /// As it is answered: which other times are free is looked for after everything was let go.
    async fn answered(self, desk: &FrontDesk, tenant: &TenantId) -> Problem {
        let missed = match self {
            Self::For(problem) => return problem,
            Self::Slot(missed) => missed,
        };
        let problem = refused(missed.why);
        match desk.packs.workbench().run(tenant, move |_| missed.alternatives()).await {
            Ok(alternatives) => problem.with_alternatives(alternatives),
            Err(_) => problem,
        }
    }
}

/// What came of a transaction that books, as it is answered.
pub(crate) async fn answered<T>(
    desk: &FrontDesk,
    tenant: &TenantId,
    booked: Result<T, NotBooked>,
) -> Result<T, Problem> {
    match booked {
        Ok(booked) => Ok(booked),
        Err(not) => Err(not.answered(desk, tenant).await),
    }
}

/// A time that cannot be had, and what the times around it are computed from.
pub(crate) struct Missed {
    why: Refused,
    pack: CompiledPack,
    service: String,
    provider: Option<String>,
    taken: BTreeMap<String, Vec<Taken>>,
    at: Timestamp,
    now: Timestamp,
}

impl Missed {
    /// The nearest times that are free.
    fn alternatives(&self) -> Vec<FreeTime> {
        let pack = self.pack.pack();
        let offers = offers_of(pack, &self.service, self.provider.as_deref());
        let half_a_day = jiff::SignedDuration::from_hours(12);
        let near = self.at.checked_sub(half_a_day).ok().zip(self.at.checked_add(half_a_day).ok());
        let within = |between| pack.free(&offers, &self.taken, between, self.now);
        let mut free = near.map(within).unwrap_or_default();
        if free.len() < ALTERNATIVES {
            free = within(around(self.at, self.now));
        }
        free.sort_by_key(|free| free.slot.from.duration_since(self.at).abs());
        free.truncate(ALTERNATIVES);
        free.sort_by_key(|free| free.slot);
        free.into_iter().map(told).collect()
    }
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

/// Makes or moves a booking, or says why not.
pub(crate) async fn put(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    wanted: &Wanted<'_>,
) -> Result<Booking, NotBooked> {
    let details = wanted.details.checked()?;
    let (compiled, now) = (pack(desk, tx).await?, desk.clock.now());
    let pack = compiled.pack();
    let offers = offers(pack, wanted.service, wanted.provider, ("/serviceId", "/providerId"))?;
    if wanted.starts_at <= now {
        return Err(refused(Refused::Past).into());
    }
    if wanted.starts_at.duration_since(now) > jiff::SignedDuration::from_hours(24 * FURTHEST) {
        return Err(refused(Refused::TooFar).into());
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
    match bookings::put(tx, keys, pack, &new, now, &*desk.entropy).await? {
        Kept::Kept(booking) => Ok(*booking),
        Kept::NotFound => Err(Problem::not_found().into()),
        Kept::TooManyAhead => {
            let most = bookings::MOST_AHEAD;
            let detail = format!("The contact has {most} bookings ahead, and can have no more.");
            Err(Problem::conflict(Code::TooMany, detail).into())
        }
        Kept::QuotaExceeded => {
            let monthly = usage::monthly(tx, Metered::Bookings).await?.unwrap_or_default();
            Err(Problem::quota_exceeded(Metered::Bookings, monthly, now).into())
        }
        Kept::Refused(why) => {
            let around = around(wanted.starts_at, now);
            let own = Own { booking: Some(wanted.booking_id), conversation: wanted.conversation };
            let taken = bookings::taken(tx, &offers, around, own, now).await?;
            let (service, provider) = (wanted.service.to_owned(), wanted.provider.map(str::to_owned));
            let (pack, at) = (compiled.clone(), wanted.starts_at);
            Err(NotBooked::Slot(Box::new(Missed { why, pack, service, provider, taken, at, now })))
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
) -> Result<Booking, NotBooked> {
    if before.state == BookingState::Cancelled {
        let detail = "The booking was called off; make another one.";
        return Err(Problem::conflict(Code::Conflict, detail).into());
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

/// The free times of a service. They are computed where agents compute.
pub(crate) async fn free(
    desk: &FrontDesk,
    tenant: &TenantId,
    service: String,
    query: FreeQuery,
) -> Result<FreeTimes, Problem> {
    let now = desk.clock.now();
    let from = query.from.unwrap_or(now).max(now);
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let until = query.until.unwrap_or_else(|| from.checked_add(days(7)).unwrap_or(from));
    let length = until.duration_since(from);
    if !length.is_positive() || length > days(LONGEST_LOOK) {
        return Err(Problem::invalid_field(
            "?until",
            "range",
            "must be after the beginning, within 31 days of it",
        ));
    }
    let (pack, taken) = Box::pin(tenant_tx!(desk.database, "bookings.free", tenant, async |tx| {
        let pack = pack(desk, tx).await?;
        if pack.pack().service(&service).is_none() {
            return Err(Problem::not_found());
        }
        let at = ("?serviceId", "?providerId");
        let offers = offers(pack.pack(), &service, query.provider_id.as_deref(), at)?;
        let taken = bookings::taken(tx, &offers, (from, until), Own::default(), now).await?;
        Ok((pack.clone(), taken))
    }))
    .await?;
    let timezone = pack.pack().timezone.as_str().to_owned();
    let look = move |_: &_| {
        let offers = offers_of(pack.pack(), &service, query.provider_id.as_deref());
        pack.pack().free(&offers, &taken, (from, until), now)
    };
    let mut found = desk.packs.workbench().run(tenant, look).await.map_err(PackError::from)?;
    found.truncate(MOST_FREE);
    Ok(FreeTimes { timezone, items: found.into_iter().map(told).collect() })
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
