//! What is good once and for a short time: the way from password to second factor, links to set a password or to join.

use crate::{StoreError, TenantTx, readable::stored, sign_in_providers::ProviderPerson, users::LockedUser};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Timestamp, UserId};
use std::time::Duration;

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketPurpose {
    /// The password was right; the second factor is awaited.
    SecondFactor,
    /// Sets a password without the old one.
    PasswordReset,
    /// Joins the tenant.
    Invitation,
}

impl TicketPurpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor",
            Self::PasswordReset => "password_reset",
            Self::Invitation => "invitation",
        }
    }

    /// How long it is good.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::SecondFactor => Duration::from_mins(5),
            Self::PasswordReset => Duration::from_hours(1),
            Self::Invitation => Duration::from_hours(7 * 24),
        }
    }
}

/// A ticket that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Whose it is.
    pub user_id: UserId,
    /// How the user proved itself before: `password`, `oidc`.
    pub first_method: String,
    /// The person of a provider that is the user once the second factor is proved.
    pub link: Option<ProviderPerson>,
    /// How often it was tried without success.
    pub attempts: i32,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Stores a ticket. Of links that an administrator makes a user has one at a time: older ones of the same purpose are good
/// no more.
pub async fn issue(
    tx: &mut TenantTx,
    user: &LockedUser,
    purpose: TicketPurpose,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    user.expect_held_by(tx)?;
    let user = user.user_id;
    let tenant = tx.tenant().clone();
    let expires_at = now.checked_add(purpose.lifetime()).unwrap_or(Timestamp::MAX);
    sqlx::query!(
        "delete from user_tickets
         where tenant_id = $1 and user_id = $2 and purpose = $3 and (expires_at <= $4 or $3 <> 'second_factor')",
        tenant.as_str(),
        user.to_string(),
        purpose.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "insert into user_tickets (tenant_id, token_hash, user_id, purpose, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        &token_hash[..],
        user.to_string(),
        purpose.as_str(),
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(expires_at)
}

/// Links of one purpose that a user has at the same time, when anybody may ask for them.
const MOST_AT_ONCE: i64 = 3;

/// Stores a ticket beside those that are good already, unless there are too many. Says whether it was stored. They come one
/// after the other, so that the count holds.
pub async fn issue_one_more(
    tx: &mut TenantTx,
    user: &LockedUser,
    purpose: TicketPurpose,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    user.expect_held_by(tx)?;
    let user = user.user_id;
    let tenant = tx.tenant().clone();
    let expires_at = now.checked_add(purpose.lifetime()).unwrap_or(Timestamp::MAX);
    sqlx::query!(
        "delete from user_tickets where tenant_id = $1 and user_id = $2 and purpose = $3 and expires_at <= $4",
        tenant.as_str(),
        user.to_string(),
        purpose.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let stored = sqlx::query!(
        "insert into user_tickets (tenant_id, token_hash, user_id, purpose, created_at, expires_at)
         select $1, $2, $3, $4, $5, $6
         where (select count(*) from user_tickets where tenant_id = $1 and user_id = $3 and purpose = $4) < $7",
        tenant.as_str(),
        &token_hash[..],
        user.to_string(),
        purpose.as_str(),
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _,
        MOST_AT_ONCE
    )
    .execute(tx.connection())
    .await?;
    Ok(stored.rows_affected() > 0)
}

/// Notes that the user came from the tenant's provider, not with a password, and as whom if the second factor is to prove
/// that.
pub async fn note_provider(
    tx: &mut TenantTx,
    token_hash: &[u8; 32],
    link: Option<&ProviderPerson>,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update user_tickets set first_method = 'oidc', link_issuer = $3, link_subject_hash = $4
         where tenant_id = $1 and token_hash = $2",
        tenant.as_str(),
        &token_hash[..],
        link.map(|link| &*link.issuer),
        link.map(|link| &link.subject_hash[..])
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A ticket that is good now, held until the transaction ends: two that come with it at once come one after the other.
pub async fn hold(
    tx: &mut TenantTx,
    purpose: TicketPurpose,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Ticket>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select user_id, first_method, link_issuer, link_subject_hash, attempts, expires_at from user_tickets
         where tenant_id = $1 and token_hash = $2 and purpose = $3 and expires_at > $4
         for update",
        tenant.as_str(),
        &token_hash[..],
        purpose.as_str(),
        now.to_sqlx() as _
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(Ticket {
            user_id: stored(row.user_id.parse())?,
            first_method: row.first_method,
            link: row.link_issuer.zip(row.link_subject_hash).and_then(|(issuer, hash)| {
                Some(ProviderPerson { issuer, subject_hash: hash.try_into().ok()? })
            }),
            attempts: row.attempts,
            expires_at: SqlTimestamp::to_jiff(row.expires_at),
        })
    })
    .transpose()
}

/// Counts an attempt without success.
pub async fn count_attempt(tx: &mut TenantTx, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update user_tickets set attempts = attempts + 1 where tenant_id = $1 and token_hash = $2",
        tenant.as_str(),
        &token_hash[..]
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Uses a ticket up.
pub async fn spend(tx: &mut TenantTx, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from user_tickets where tenant_id = $1 and token_hash = $2",
        tenant.as_str(),
        &token_hash[..]
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Makes all tickets of a user void: of one purpose, or all.
pub async fn void(tx: &mut TenantTx, user: UserId, purpose: Option<TicketPurpose>) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from user_tickets where tenant_id = $1 and user_id = $2 and ($3::text is null or purpose = $3)",
        tenant.as_str(),
        user.to_string(),
        purpose.map(TicketPurpose::as_str)
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
