//! Bookings are called off and put right, and times that were kept are let go.

use super::{Booking, By, Details, Kept, find, seal};
use crate::{StoreError, TenantKeys, TenantTx, vault::Via};
use jiff_sqlx::ToSqlx;
use misy_domain::{BookingId, BookingState, ConversationId, Entropy, Timestamp};

/// What came of calling a booking off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Off {
    /// It is off.
    Off(Box<Booking>),
    /// There is none, or it belongs to another contact.
    NotFound,
    /// It has begun or is over, and is the contact's to call off no more.
    Begun,
}

/// Who a booking is for, put right. When it is, and with whom, stays.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    /// Which booking.
    pub booking_id: BookingId,
    /// The version that was read, where that matters.
    pub expected: Option<i64>,
    /// Who puts it right.
    pub by: By,
    /// Who it is for.
    pub details: &'a Details,
}

/// A booking, which nobody else changes until the transaction ends.
pub(super) async fn locked(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id: BookingId,
) -> Result<Option<Booking>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "select 1 as one from bookings where tenant_id = $1 and booking_id = $2 for no key update",
        tenant.as_str(),
        id.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    find(tx, keys, id).await
}

/// Whether somebody may not know of a booking.
fn is_hidden(booking: &Booking, by: By) -> bool {
    matches!(by, By::Contact(contact) if booking.contact_id != contact)
}

/// Whether somebody may not change a booking any more.
fn has_begun(booking: &Booking, by: By, now: Timestamp) -> bool {
    by != By::Staff && booking.starts_at <= now
}

/// Calls a booking off, or lets a time go that was kept. Twice is once; says how it is then.
pub async fn call_off(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id: BookingId,
    expected: Option<i64>,
    by: By,
    now: Timestamp,
) -> Result<Off, StoreError> {
    let tenant = tx.tenant().clone();
    let before = locked(tx, keys, id).await?.filter(|before| !is_hidden(before, by));
    let Some(before) = before else { return Ok(Off::NotFound) };
    if before.state == BookingState::Cancelled {
        return Ok(Off::Off(Box::new(before)));
    }
    if expected.is_some_and(|expected| expected != before.version) {
        return Err(StoreError::Stale("booking"));
    }
    if has_begun(&before, by, now) {
        return Ok(Off::Begun);
    }
    sqlx::query!(
        "update bookings set state = 'cancelled', held_until = null, version = version + 1, changed_at = $3
         where tenant_id = $1 and booking_id = $2",
        tenant.as_str(),
        id.to_string(),
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    let off = find(tx, keys, id).await?.ok_or(StoreError::Conflict("booking"))?;
    Ok(Off::Off(Box::new(off)))
}

/// Puts right who a booking is for. It is no new booking: no rule of the business is asked, and the time stays as it is.
pub async fn correct(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    correction: &Correction<'_>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Kept, StoreError> {
    let Correction { booking_id, expected, by, details } = *correction;
    let tenant = tx.tenant().clone();
    let before = locked(tx, keys, booking_id).await?.filter(|before| !is_hidden(before, by));
    let Some(before) = before else { return Ok(Kept::NotFound) };
    match before.state {
        BookingState::Cancelled => return Ok(Kept::NotFound),
        BookingState::Held => return Ok(Kept::IsHeld),
        BookingState::Booked if has_begun(&before, by, now) => return Ok(Kept::Begun),
        BookingState::Booked => {}
    }
    if expected.is_some_and(|expected| expected != before.version) {
        return Err(StoreError::Stale("booking"));
    }
    if before.details == *details {
        return Ok(Kept::Kept(Box::new(before)));
    }
    let contact = keys.contact(Via::Connection(tx.connection()), &before.contact_id.to_string()).await?;
    let Some(contact) = contact else { return Ok(Kept::NotFound) };
    let id = booking_id.to_string();
    sqlx::query!(
        "update bookings set sealed_details = $3, version = version + 1, changed_at = $4
         where tenant_id = $1 and booking_id = $2",
        tenant.as_str(),
        id,
        seal(&contact, &tenant, &id, details, entropy)?,
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    let kept = find(tx, keys, booking_id).await?.ok_or(StoreError::Conflict("booking"))?;
    Ok(Kept::Kept(Box::new(kept)))
}

/// Lets the time go that a conversation kept.
pub async fn release(tx: &mut TenantTx, conversation: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from bookings where tenant_id = $1 and conversation_id = $2 and state = 'held'",
        tenant.as_str(),
        conversation.to_string(),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
