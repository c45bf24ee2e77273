//! Bookings are made and moved.

use super::{Booking, Details, MOST_AHEAD, Own, change::locked, find, read::taken, seal, shares};
use crate::{
    ContactKey, StoreError, TenantKeys, TenantTx,
    usage::{self, CountedFor, Reserved},
    vault::Via,
};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    BookingId, BookingState, ContactId, ContextPack, ConversationId, Entropy, Metered, Timestamp,
    booking::{Offer, Refused, Slot},
};
use std::time::Duration;

/// A booking as it shall be.
#[derive(Debug, Clone, Copy)]
pub struct NewBooking<'a> {
    /// Its id. One that is there is changed: moved, or booked where its time was kept. So the same call twice is one booking.
    pub booking_id: BookingId,
    /// The version that was read, where that matters.
    pub expected: Option<i64>,
    /// Whose it is.
    pub contact: ContactId,
    /// Who makes or moves it.
    pub by: By,
    /// The conversation that it is made in; a contact's takes from the share of its visitor.
    pub conversation: Option<ConversationId>,
    /// The service with those who may do it, the preferred ones first.
    pub offers: &'a [Offer<'a>],
    /// When it begins.
    pub starts_at: Timestamp,
    /// Who it is for.
    pub details: &'a Details,
    /// For how long the time is kept only; nothing books it.
    pub hold: Option<Duration>,
    /// Who its place in the month's quota is counted for.
    pub counted_for: CountedFor<'a>,
}

/// Who does something with a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Somebody of the tenant.
    Staff,
    /// This contact. They change their own, and nothing that has begun.
    Contact(ContactId),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is as it shall be.
    Kept(Box<Booking>),
    /// That time cannot be had.
    Refused(Refused),
    /// The tenant has booked as much as it may in this month.
    QuotaExceeded,
    /// The contact has as much ahead as they may.
    TooManyAhead,
    /// The visitor, or the network that they come from, has booked or keeps as much as one may in a day.
    ShareSpent,
    /// It belongs to another contact, or was called off.
    NotFound,
    /// It is only kept for somebody who decides, and alone books it.
    IsHeld,
    /// It is booked, and not kept for a while any more.
    IsBooked,
    /// It has begun or is over.
    Begun,
}

/// Makes a booking be as it shall be: keeps a time, books it, or moves it. All or nothing; the rest is as it was.
pub async fn put(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    pack: &ContextPack,
    new: &NewBooking<'_>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Kept, StoreError> {
    let mut providers: Vec<&str> = new.offers.iter().map(|offer| offer.provider.id.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    lock(tx, &providers).await?;
    forget_what_ran_out(tx, &providers, new, now).await?;
    let before = locked(tx, keys, new.booking_id).await?;
    if let Some(before) = &before {
        if before.contact_id != new.contact || before.state == BookingState::Cancelled {
            return Ok(Kept::NotFound);
        }
        if new.expected.is_some_and(|expected| expected != before.version) {
            return Err(StoreError::Stale("booking"));
        }
        // Whoever keeps a time books it, and what is booked is not kept for a while only.
        match before.state {
            BookingState::Held if new.by == By::Staff => return Ok(Kept::IsHeld),
            BookingState::Booked if new.hold.is_some() => return Ok(Kept::IsBooked),
            BookingState::Booked if new.by != By::Staff && before.starts_at <= now => return Ok(Kept::Begun),
            _ => {}
        }
        if is_so_already(before, new) {
            return Ok(Kept::Kept(Box::new(before.clone())));
        }
    }
    let then = (new.starts_at, new.starts_at);
    let own = Own { booking: Some(new.booking_id), conversation: new.conversation };
    let busy = taken(tx, new.offers, then, own, now).await?;
    let (offer, slot, place) = match choose(pack, new, &busy, now) {
        Ok(chosen) => chosen,
        Err(refused) => return Ok(Kept::Refused(refused)),
    };
    let was_booked = before.as_ref().is_some_and(|before| before.state == BookingState::Booked);
    if !was_booked {
        if open(tx, new, now).await? >= MOST_AHEAD {
            return Ok(Kept::TooManyAhead);
        }
        if !shares::take(tx, new, now).await? {
            return Ok(Kept::ShareSpent);
        }
        if new.hold.is_none() && !count(tx, new, now).await? {
            return Ok(Kept::QuotaExceeded);
        }
    }
    let contact = keys.contact(Via::Connection(tx.connection()), &new.contact.to_string()).await?;
    let Some(contact) = contact else { return Ok(Kept::NotFound) };
    write(tx, &contact, new, (&offer, slot, place), now, entropy).await?;
    let kept = find(tx, keys, new.booking_id).await?.ok_or(StoreError::Conflict("booking"))?;
    Ok(Kept::Kept(Box::new(kept)))
}

/// Whether there is nothing left to do.
fn is_so_already(before: &Booking, new: &NewBooking<'_>) -> bool {
    before.state == BookingState::Booked
        && before.starts_at == new.starts_at
        && before.details == *new.details
        && new
            .offers
            .iter()
            .any(|offer| offer.provider.id == before.provider_id && offer.service.id == before.service_id)
}

/// The first of those who can do it at that time; else the reason that stands the least in the way.
fn choose<'a>(
    pack: &ContextPack,
    new: &NewBooking<'a>,
    busy: &std::collections::BTreeMap<String, Vec<misy_domain::booking::Taken>>,
    now: Timestamp,
) -> Result<(Offer<'a>, Slot, u16), Refused> {
    let mut why = Refused::Closed;
    for offer in new.offers {
        let taken = busy.get(&offer.provider.id).map_or(&[][..], Vec::as_slice);
        let book = pack.book(offer, taken);
        match book.judge(new.starts_at, now) {
            Ok(slot) => {
                if let Some(place) = book.place(new.starts_at) {
                    return Ok((*offer, slot, place));
                }
            }
            Err(refused) => why = why.nearer(refused),
        }
    }
    Err(why)
}

/// One after another: whoever holds a provider's line sees what was booked before.
async fn lock(tx: &mut TenantTx, providers: &[&str]) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    for provider in providers {
        sqlx::query!(
            "insert into booking_calendars as c (tenant_id, provider_id) values ($1, $2)
             on conflict (tenant_id, provider_id) do update set changes = c.changes + 1",
            tenant.as_str(),
            *provider,
        )
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}

/// Holds that ran out are gone, and so is another one of the same conversation.
async fn forget_what_ran_out(
    tx: &mut TenantTx,
    providers: &[&str],
    new: &NewBooking<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let providers: Vec<String> = providers.iter().map(|id| (*id).to_owned()).collect();
    sqlx::query!(
        "delete from bookings
         where tenant_id = $1 and state = 'held' and booking_id <> $4
             and (provider_id = any ($2) and held_until <= $3 or conversation_id = $5)",
        tenant.as_str(),
        &providers,
        now.to_sqlx() as _,
        new.booking_id.to_string(),
        new.conversation.map(|id| id.to_string()),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What else the contact has ahead, booked or kept.
async fn open(tx: &mut TenantTx, new: &NewBooking<'_>, now: Timestamp) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    let open = sqlx::query_scalar!(
        r#"select count(*) as "count!" from bookings
           where tenant_id = $1 and contact_id = $2 and starts_at > $3 and booking_id <> $4
               and (state = 'booked' or state = 'held' and held_until > $3)"#,
        tenant.as_str(),
        new.contact.to_string(),
        now.to_sqlx() as _,
        new.booking_id.to_string(),
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(open)
}

/// Counts a booking in the month's quota; whether there was room. It counts once, and goes on counting when it is called off.
async fn count(tx: &mut TenantTx, new: &NewBooking<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let monthly = usage::monthly(tx, Metered::Bookings).await?;
    let subject = new.booking_id.to_string();
    let reserved = usage::reserve(tx, Metered::Bookings, &subject, 1, monthly, new.counted_for, now).await?;
    if reserved == Reserved::QuotaExceeded {
        return Ok(false);
    }
    usage::settle(tx, Metered::Bookings, &subject, 1, now).await?;
    Ok(true)
}

async fn write(
    tx: &mut TenantTx,
    contact: &ContactKey,
    new: &NewBooking<'_>,
    (offer, slot, place): (&Offer<'_>, Slot, u16),
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let id = new.booking_id.to_string();
    let sealed = seal(contact, &tenant, &id, new.details, entropy)?;
    let state = if new.hold.is_some() { BookingState::Held } else { BookingState::Booked };
    let held_until = new.hold.map(|hold| now.checked_add(hold).unwrap_or(now));
    sqlx::query!(
        "insert into bookings as b (tenant_id, booking_id, contact_id, conversation_id, service_id, service_name, provider_id,
             provider_name, place, state, starts_at, ends_at, occupies, held_until, sealed_details, created_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
             tstzrange($11::timestamptz - make_interval(mins => $13), $12::timestamptz + make_interval(mins => $14)), $15, $16, $17, $17)
         on conflict (tenant_id, booking_id) do update
         set service_id = excluded.service_id, service_name = excluded.service_name, provider_id = excluded.provider_id,
             provider_name = excluded.provider_name, place = excluded.place, state = excluded.state,
             starts_at = excluded.starts_at, ends_at = excluded.ends_at, occupies = excluded.occupies,
             held_until = excluded.held_until, sealed_details = excluded.sealed_details, changed_at = excluded.changed_at,
             version = b.version + 1",
        tenant.as_str(),
        id,
        contact.contact(),
        new.conversation.map(|id| id.to_string()),
        offer.service.id,
        offer.service.name,
        offer.provider.id,
        offer.provider.name,
        i16::try_from(place).unwrap_or(i16::MAX),
        state.as_str(),
        slot.from.to_sqlx() as _,
        slot.until.to_sqlx() as _,
        i32::try_from(offer.terms.before).unwrap_or(i32::MAX),
        i32::try_from(offer.terms.after).unwrap_or(i32::MAX),
        held_until.map(ToSqlx::to_sqlx) as _,
        sealed,
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await
    .map_err(|error| if is_overlap(&error) { StoreError::Conflict("booking") } else { error.into() })?;
    Ok(())
}

/// Whether the database refused what would take a place twice.
fn is_overlap(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "23P01")
}
