//! What is booked.

use super::{Booking, Row};
use crate::{StoreError, TenantKeys, TenantTx, readable::stored};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{
    BookingId, BookingState, ContactId, ConversationId, Timestamp,
    booking::{Offer, Taken},
};
use std::collections::BTreeMap;

/// Where a page of bookings ends: they are ordered by their start, and then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The start of the last one.
    pub starts_at: Timestamp,
    /// Its id.
    pub booking_id: BookingId,
}

/// Which bookings.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// That begin at this time or later.
    pub from: Timestamp,
    /// That begin before this time.
    pub until: Timestamp,
    /// Of this contact.
    pub contact: Option<ContactId>,
    /// With this provider.
    pub provider: Option<&'a str>,
    /// In this state.
    pub state: Option<BookingState>,
    /// After this one.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: i64,
}

/// A booking.
pub async fn find(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id: BookingId,
) -> Result<Option<Booking>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        r#"select booking_id, contact_id, conversation_id, service_id, service_name, provider_id, provider_name, state,
                  starts_at as "starts_at: SqlTimestamp", ends_at as "ends_at: SqlTimestamp",
                  held_until as "held_until: SqlTimestamp", sealed_details, version,
                  created_at as "created_at: SqlTimestamp", changed_at as "changed_at: SqlTimestamp"
           from bookings where tenant_id = $1 and booking_id = $2"#,
        tenant.as_str(),
        id.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    match row {
        Some(row) => row.open(tx, keys).await.map(Some),
        None => Ok(None),
    }
}

/// Bookings in the order of their starts.
pub async fn list(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    listed: &Listed<'_>,
) -> Result<Vec<Booking>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"select booking_id, contact_id, conversation_id, service_id, service_name, provider_id, provider_name, state,
                  starts_at as "starts_at: SqlTimestamp", ends_at as "ends_at: SqlTimestamp",
                  held_until as "held_until: SqlTimestamp", sealed_details, version,
                  created_at as "created_at: SqlTimestamp", changed_at as "changed_at: SqlTimestamp"
           from bookings
           where tenant_id = $1 and starts_at >= $2 and starts_at < $3
               and ($4::text is null or contact_id = $4) and ($5::text is null or provider_id = $5)
               and ($6::text is null or state = $6)
               and ($7::timestamptz is null or (starts_at, booking_id) > ($7, $8::text))
           order by starts_at, booking_id limit $9"#,
        tenant.as_str(),
        listed.from.to_sqlx() as _,
        listed.until.to_sqlx() as _,
        listed.contact.map(|id| id.to_string()),
        listed.provider,
        listed.state.map(BookingState::as_str),
        listed.after.map(|after| after.starts_at.to_sqlx()) as _,
        listed.after.map(|after| after.booking_id.to_string()),
        listed.limit,
    )
    .fetch_all(tx.connection())
    .await?;
    let mut bookings = Vec::with_capacity(rows.len());
    for row in rows {
        bookings.push(row.open(tx, keys).await?);
    }
    Ok(bookings)
}

/// What a contact has booked ahead, in order.
pub async fn upcoming(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    contact: ContactId,
    now: Timestamp,
) -> Result<Vec<Booking>, StoreError> {
    let listed = Listed {
        from: now,
        until: Timestamp::MAX,
        contact: Some(contact),
        provider: None,
        state: Some(BookingState::Booked),
        after: None,
        limit: super::MOST_AHEAD,
    };
    list(tx, keys, &listed).await
}

/// The contact that a conversation is with.
pub async fn contact_of(
    tx: &mut TenantTx,
    conversation: ConversationId,
) -> Result<Option<ContactId>, StoreError> {
    let tenant = tx.tenant().clone();
    let contact = sqlx::query_scalar!(
        "select contact_id from conversations where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        conversation.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    contact.map(|id| stored(id.parse())).transpose()
}

/// What takes nothing from whoever asks, since it is their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Own {
    /// The booking that is made or moved.
    pub booking: Option<BookingId>,
    /// The conversation, with whatever time it keeps: a turn that was broken off may have kept one under another id.
    pub conversation: Option<ConversationId>,
}

/// What is taken of the time of those who could do something, by provider: all that a booking which begins between two instants
/// could clash with. A hold that ran out takes nothing, and neither does what is somebody's own.
pub async fn taken(
    tx: &mut TenantTx,
    offers: &[Offer<'_>],
    (from, until): (Timestamp, Timestamp),
    own: Own,
    now: Timestamp,
) -> Result<BTreeMap<String, Vec<Taken>>, StoreError> {
    let tenant = tx.tenant().clone();
    let providers: Vec<String> = offers.iter().map(|offer| offer.provider.id.clone()).collect();
    let before = offers.iter().map(|offer| offer.terms.before).max().unwrap_or_default();
    let after = offers.iter().map(|offer| offer.terms.duration + offer.terms.after).max().unwrap_or_default();
    let rows = sqlx::query!(
        r#"select provider_id, place, lower(occupies) as "from!: SqlTimestamp", upper(occupies) as "until!: SqlTimestamp"
           from bookings
           where tenant_id = $1 and provider_id = any ($2) and state in ('held', 'booked')
               and occupies && tstzrange($3::timestamptz - make_interval(mins => $7), $4::timestamptz + make_interval(mins => $8), '[]')
               -- For the index: nothing lasts longer than a week, with a day before it and after it.
               and starts_at > $3::timestamptz - interval '10 days' and starts_at < $4::timestamptz + interval '10 days'
               and (held_until is null or held_until > $5)
               and ($6::text is null or booking_id <> $6)
               and ($9::text is null or state <> 'held' or conversation_id is distinct from $9)"#,
        tenant.as_str(),
        &providers,
        from.to_sqlx() as _,
        until.to_sqlx() as _,
        now.to_sqlx() as _,
        own.booking.map(|id| id.to_string()),
        i32::try_from(before).unwrap_or(i32::MAX),
        i32::try_from(after).unwrap_or(i32::MAX),
        own.conversation.map(|id| id.to_string()),
    )
    .fetch_all(tx.connection())
    .await?;
    let mut taken: BTreeMap<String, Vec<Taken>> = BTreeMap::new();
    for row in rows {
        let place = stored(u16::try_from(row.place))?;
        let one = Taken { place, from: row.from.to_jiff(), until: row.until.to_jiff() };
        taken.entry(row.provider_id).or_default().push(one);
    }
    Ok(taken)
}
