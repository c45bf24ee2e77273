//! Bookings are made, moved, put right and called off: by the tenant's people, and by contacts for themselves.

use super::{
    BookingPatch, NewBookingBody,
    missed::{Missed, NotBooked, around, refused},
    offers, pack,
};
use crate::{
    desk::FrontDesk,
    problem::{Code, Problem},
};
use http::StatusCode;
use misy_domain::{
    BookingId, BookingState, ContactId, ContextPack, ConversationId, Metered, Timestamp, booking::Refused,
};
use misy_store::{
    TenantKeys, TenantTx,
    bookings::{self, Booking, By, Correction, Details, Kept, NewBooking, Off, Own},
    usage::{self, CountedFor},
};

/// No policy lets anybody book further ahead, in days.
const FURTHEST: i64 = 800;

/// Who calls.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// The tenant's keys.
    pub(crate) keys: &'a TenantKeys,
    /// Somebody of the tenant, or a contact.
    pub(crate) by: By,
    /// The conversation of the contact.
    pub(crate) conversation: Option<ConversationId>,
    /// Who a booking is counted for.
    pub(crate) counted_for: CountedFor<'a>,
    /// Whether the contact knows that it is late.
    pub(crate) knows_it_is_late: bool,
}

impl<'a> Caller<'a> {
    /// Somebody of the tenant.
    pub(crate) fn staff(keys: &'a TenantKeys) -> Self {
        let counted_for = CountedFor::default();
        Self { keys, by: By::Staff, conversation: None, counted_for, knows_it_is_late: false }
    }

    /// A booking that the caller may know of; what is somebody else's is not there.
    async fn find(&self, tx: &mut TenantTx, id: BookingId) -> Result<Booking, Problem> {
        let found = bookings::find(tx, self.keys, id).await?;
        let may_know = |booking: &Booking| match self.by {
            By::Staff => true,
            By::Contact(contact) => booking.contact_id == contact,
        };
        found.filter(may_know).ok_or_else(Problem::not_found)
    }

    /// Contacts change nothing that has begun, and say that they know where it is late.
    fn expect_in_time(&self, booking: &Booking, pack: &ContextPack, now: Timestamp) -> Result<(), Problem> {
        if self.by == By::Staff {
            return Ok(());
        }
        if booking.starts_at <= now {
            return Err(begun());
        }
        if is_late(booking, pack, now) && !self.knows_it_is_late { Err(too_late()) } else { Ok(()) }
    }
}

/// What is wanted of a booking.
struct Wanted<'a> {
    booking_id: BookingId,
    expected: Option<i64>,
    contact: ContactId,
    service: &'a str,
    provider: Option<&'a str>,
    starts_at: Timestamp,
    details: &'a Details,
}

/// Makes a booking, or says why not.
pub(crate) async fn create(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    caller: &Caller<'_>,
    (booking_id, contact): (BookingId, ContactId),
    body: &NewBookingBody,
) -> Result<Booking, NotBooked> {
    let wanted = Wanted {
        booking_id,
        expected: None,
        contact,
        service: &body.service_id,
        provider: body.provider_id.as_deref(),
        starts_at: body.starts_at,
        details: &body.details.checked()?,
    };
    put(desk, tx, caller, &wanted).await
}

/// Moves a booking, or puts right who it is for; what the patch does not say stays. Who it is for is no matter of the rules: they are asked
/// where the time or the provider changes.
pub(crate) async fn change(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    caller: &Caller<'_>,
    id: BookingId,
    patch: &BookingPatch,
    expected: Option<i64>,
) -> Result<Booking, NotBooked> {
    let before = caller.find(tx, id).await?;
    let details = match &patch.details {
        Some(details) => details.checked()?,
        None => before.details.clone(),
    };
    match before.state {
        BookingState::Booked => {}
        BookingState::Held => return Err(held().into()),
        BookingState::Cancelled => {
            let detail = "The booking was called off; make another one.";
            return Err(Problem::conflict(Code::Conflict, detail).into());
        }
    }
    let expected = Some(expected.unwrap_or(before.version));
    let provider = patch.provider_id.as_deref().unwrap_or(&before.provider_id);
    let starts_at = patch.starts_at.unwrap_or(before.starts_at);
    if starts_at == before.starts_at && provider == before.provider_id {
        let correction = Correction { booking_id: id, expected, by: caller.by, details: &details };
        let now = desk.clock.now();
        return match bookings::correct(tx, caller.keys, &correction, now, &*desk.entropy).await? {
            Kept::Kept(booking) => Ok(*booking),
            other => Err(not_kept(&other).into()),
        };
    }
    caller.expect_in_time(&before, pack(desk, tx).await?.pack(), desk.clock.now())?;
    let wanted = Wanted {
        booking_id: id,
        expected,
        contact: before.contact_id,
        service: &before.service_id,
        provider: Some(provider),
        starts_at,
        details: &details,
    };
    put(desk, tx, caller, &wanted).await
}

/// Calls a booking off.
pub(crate) async fn cancel(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    caller: &Caller<'_>,
    id: BookingId,
    expected: Option<i64>,
) -> Result<Booking, Problem> {
    let before = caller.find(tx, id).await?;
    let now = desk.clock.now();
    if before.state == BookingState::Booked {
        caller.expect_in_time(&before, pack(desk, tx).await?.pack(), now)?;
    }
    match bookings::call_off(tx, caller.keys, id, expected, caller.by, now).await? {
        Off::Off(booking) => Ok(*booking),
        Off::NotFound => Err(Problem::not_found()),
        Off::Begun => Err(begun()),
    }
}

/// Makes or moves a booking, or says why not.
async fn put(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    caller: &Caller<'_>,
    wanted: &Wanted<'_>,
) -> Result<Booking, NotBooked> {
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
        by: caller.by,
        conversation: caller.conversation,
        offers: &offers,
        starts_at: wanted.starts_at,
        details: wanted.details,
        hold: None,
        counted_for: caller.counted_for,
    };
    match bookings::put(tx, caller.keys, pack, &new, now, &*desk.entropy).await? {
        Kept::Kept(booking) => Ok(*booking),
        Kept::QuotaExceeded => {
            let monthly = usage::monthly(tx, Metered::Bookings).await?.unwrap_or_default();
            Err(Problem::quota_exceeded(Metered::Bookings, monthly, now).into())
        }
        Kept::ShareSpent => Err(Problem::too_many_bookings(now).into()),
        Kept::Refused(why) => {
            let around = around(wanted.starts_at, now);
            let own = Own { booking: Some(wanted.booking_id), conversation: caller.conversation };
            let taken = bookings::taken(tx, &offers, around, own, now).await?;
            let (service, provider) = (wanted.service.to_owned(), wanted.provider.map(str::to_owned));
            let (pack, at) = (compiled.clone(), wanted.starts_at);
            Err(NotBooked::Slot(Box::new(Missed { why, pack, service, provider, taken, at, now })))
        }
        other => Err(not_kept(&other).into()),
    }
}

/// Why a booking is not as it was to be, where no other time would help.
fn not_kept(kept: &Kept) -> Problem {
    match kept {
        Kept::IsHeld => held(),
        Kept::Begun => begun(),
        Kept::TooManyAhead => {
            let most = bookings::MOST_AHEAD;
            let detail = format!("The contact has {most} bookings ahead, and can have no more.");
            Problem::conflict(Code::TooMany, detail)
        }
        _ => Problem::not_found(),
    }
}

fn held() -> Problem {
    let detail = "This time is only kept for somebody who decides, and is no booking yet; cancel it, or wait a few minutes.";
    Problem::conflict(Code::Conflict, detail)
}

fn begun() -> Problem {
    let detail = "The booking has begun or is over; only the business can change it.";
    Problem::conflict(Code::Conflict, detail)
}

fn too_late() -> Problem {
    let detail =
        "It is too late to change this booking for nothing; ask with late=true if the contact knows.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::TooLate, detail)
}

/// Whether a contact may no longer change a booking by themselves without saying that they know what it costs.
fn is_late(booking: &Booking, pack: &ContextPack, now: Timestamp) -> bool {
    let hours = pack.booking_policy.as_ref().and_then(|policy| policy.cancellation_hours).unwrap_or_default();
    booking.starts_at.duration_since(now) < jiff::SignedDuration::from_hours(i64::from(hours))
}
