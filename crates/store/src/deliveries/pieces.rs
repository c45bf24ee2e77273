//! The pieces in which a delivery leaves with a vendor.

use super::Deliveries;
use crate::{StoreError, TenantKeys, TenantTx, channels::name_of, leases::Lease};
use jiff_sqlx::ToSqlx;
use misy_domain::{ChannelAccountId, ConversationId, DeliveryId, Timestamp};
use sqlx::postgres::types::PgInterval;
use std::{fmt, str::FromStr, time::Duration};

/// The template that asks a contact to write again.
pub const REOPENING: i32 = -1;

/// A piece as the vendor brings it back with each receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PieceReference {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Its piece.
    pub piece: i32,
    /// Which try it was, from 1.
    pub attempt: i32,
}

impl fmt::Display for PieceReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.delivery_id, self.piece, self.attempt)
    }
}

/// The text is no reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoReference;

impl FromStr for PieceReference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        let (delivery, rest) = text.split_once('/').ok_or(NoReference)?;
        let (piece, attempt) = rest.split_once('/').ok_or(NoReference)?;
        let number = |text: &str| text.parse().map_err(|_| NoReference);
        let delivery_id = delivery.parse().map_err(|_| NoReference)?;
        Ok(Self { delivery_id, piece: number(piece)?, attempt: number(attempt)? })
    }
}

/// Whether a piece is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is, and it is noted that it is tried, for the how manieth time.
    Go(i32),
    /// The vendor has it.
    Done,
    /// It is not known what the vendor did with the try before.
    Unsure,
}

/// Notes that a piece is tried. After `unsure_for` without a receipt it is taken that the try before did not reach the vendor.
pub async fn begin_piece(
    tx: &mut TenantTx,
    lease: &Lease<Deliveries>,
    piece: i32,
    unsure_for: Duration,
) -> Result<Begun, StoreError> {
    let tenant = tx.tenant().clone();
    let unsure = PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(unsure_for.as_micros()).unwrap_or(i64::MAX),
    };
    let begun = sqlx::query!(
        "select outcome, attempt from begin_piece($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        lease.id.to_string(),
        piece,
        lease.worker.as_str(),
        lease.fence,
        unsure,
    )
    .fetch_one(tx.connection())
    .await?;
    match (begun.outcome.as_deref(), begun.attempt) {
        (Some("go"), Some(attempt)) => Ok(Begun::Go(attempt)),
        (Some("done"), _) => Ok(Begun::Done),
        (Some("unsure"), _) => Ok(Begun::Unsure),
        _ => Err(StoreError::LeaseLost),
    }
}

/// Notes that the vendor has a piece, under the id that it said.
pub async fn piece_taken(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    of: PieceReference,
    vendor_message_id: Option<&str>,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let name = vendor_message_id.map(|id| name_of(keys, account, id));
    sqlx::query!(
        "update delivery_pieces
         set status = case when status = 'trying' then 'sent' else status end,
             vendor_message_id = coalesce(vendor_message_id, $4)
         where tenant_id = $1 and delivery_id = $2 and piece = $3",
        tenant.as_str(),
        of.delivery_id.to_string(),
        of.piece,
        name,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Notes that the vendor did not take a piece: it can be tried again at once.
pub async fn piece_refused(tx: &mut TenantTx, of: PieceReference) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update delivery_pieces set status = 'refused'
         where tenant_id = $1 and delivery_id = $2 and piece = $3 and status = 'trying'",
        tenant.as_str(),
        of.delivery_id.to_string(),
        of.piece,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Brings a delivery that has left to where its pieces are.
pub async fn settle(tx: &mut TenantTx, delivery: DeliveryId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!("select settle_delivery($1, $2)", tenant.as_str(), delivery.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Has a delivery wait until the contact writes again. `heard` is when they wrote last, as it was loaded: if they wrote since, it
/// is due at once.
pub async fn hold(
    tx: &mut TenantTx,
    lease: &Lease<Deliveries>,
    heard: Option<Timestamp>,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let held = sqlx::query_scalar!(
        "select hold_delivery($1, $2, $3, $4, $5)",
        tenant.as_str(),
        lease.id.to_string(),
        lease.worker.as_str(),
        lease.fence,
        heard.map(ToSqlx::to_sqlx) as _,
    )
    .fetch_one(tx.connection())
    .await?;
    if held == Some(true) { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// How far a piece has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The piece, if it is known from what came back.
    pub piece: Option<PieceReference>,
    /// The vendor's id of it.
    pub vendor_message_id: &'a str,
    /// `sent`, `delivered`, `read` or `failed`.
    pub status: &'a str,
    /// Why it failed.
    pub error: Option<&'a str>,
}

/// Notes how a piece of an account fares; says whether it is known.
pub async fn note_receipt(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    progress: &Progress<'_>,
) -> Result<bool, StoreError> {
    Ok(note_receipts(tx, keys, account, std::slice::from_ref(progress)).await? == 1)
}

/// The same for many, in their order and in one round trip; says how many are known.
pub async fn note_receipts(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    all: &[Progress<'_>],
) -> Result<usize, StoreError> {
    let tenant = tx.tenant().clone();
    let texts = |of: fn(&Progress<'_>) -> Option<String>| all.iter().map(of).collect::<Vec<_>>();
    let deliveries = texts(|one| one.piece.map(|piece| piece.delivery_id.to_string()));
    let numbers = |of: fn(PieceReference) -> i32| all.iter().map(|one| one.piece.map(of)).collect::<Vec<_>>();
    let (pieces, attempts) = (numbers(|piece| piece.piece), numbers(|piece| piece.attempt));
    let vendor_messages: Vec<_> =
        all.iter().map(|one| name_of(keys, account, one.vendor_message_id)).collect();
    let statuses = texts(|one| Some(one.status.to_owned()));
    let errors = texts(|one| one.error.map(str::to_owned));
    let known = sqlx::query_scalar!(
        r#"select note_receipt($1, $2, r.delivery, r.piece, r.attempt, r.vendor_message, r.status, r.error) as "known!"
           from unnest($3::text[], $4::integer[], $5::integer[], $6::text[], $7::text[], $8::text[])
               as r (delivery, piece, attempt, vendor_message, status, error)"#,
        tenant.as_str(),
        account.to_string(),
        &deliveries as &[Option<String>],
        &pieces as &[Option<i32>],
        &attempts as &[Option<i32>],
        &vendor_messages,
        &statuses as &[Option<String>],
        &errors as &[Option<String>],
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(known.into_iter().filter(|known| *known).count())
}

/// Notes how far everything came that was sent in a thread until an instant.
pub async fn note_reached(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    conversation: misy_domain::ConversationId,
    status: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "select note_reached($1, $2, $3, $4, $5)",
        tenant.as_str(),
        account.to_string(),
        conversation.to_string(),
        status,
        until.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The message that left as a piece with this id of the vendor's; else the message of the account that came under it.
pub async fn message_of(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    vendor_message_id: &str,
) -> Result<Option<misy_domain::MessageId>, StoreError> {
    let tenant = tx.tenant().clone();
    let found = sqlx::query_scalar!(
        r#"select coalesce(
             (select d.message_id from delivery_pieces p
              join deliveries d on d.tenant_id = p.tenant_id and d.delivery_id = p.delivery_id
              where p.tenant_id = $1 and p.account_id = $2 and p.vendor_message_id = $3 limit 1),
             (select m.message_id from messages m
              where m.tenant_id = $1 and coalesce(m.account_id, m.session_id) = $2 and m.external_id = $3
                and m.role = 'contact')) as "id""#,
        tenant.as_str(),
        account.to_string(),
        name_of(keys, account, vendor_message_id),
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(found.and_then(|id| id.parse().ok()))
}

/// Makes due what waited until somebody writes in one of these conversations: they did.
pub async fn heard(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    conversations: &[ConversationId],
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let conversations: Vec<String> = conversations.iter().map(ToString::to_string).collect();
    sqlx::query!("select heard($1, $2, $3)", tenant.as_str(), account.to_string(), &conversations,)
        .execute(tx.connection())
        .await?;
    Ok(())
}
