//! Browsers from which somebody signed in before.

use crate::{StoreError, TenantTx};
use jiff_sqlx::ToSqlx;
use misy_domain::{Timestamp, UserId};
use std::time::Duration;

/// How long a browser is remembered after the last sign-in from it.
pub const REMEMBERED: Duration = Duration::from_hours(180 * 24);

/// Which of these browsers is known for a user.
pub async fn known(
    tx: &mut TenantTx,
    user: UserId,
    devices: &[[u8; 32]],
    now: Timestamp,
) -> Result<Option<[u8; 32]>, StoreError> {
    let tenant = tx.tenant().clone();
    let hashes: Vec<Vec<u8>> = devices.iter().map(|hash| hash.to_vec()).collect();
    let found = sqlx::query_scalar!(
        "select device_hash from user_devices
         where tenant_id = $1 and user_id = $2 and device_hash = any ($3) and expires_at > $4 limit 1",
        tenant.as_str(),
        user.to_string(),
        &hashes,
        now.to_sqlx() as _
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(found.and_then(|hash| hash.try_into().ok()))
}

/// Whether a link that was made for a user was used in one of these browsers.
pub async fn had_link(
    tx: &mut TenantTx,
    user: UserId,
    devices: &[[u8; 32]],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let hashes: Vec<Vec<u8>> = devices.iter().map(|hash| hash.to_vec()).collect();
    let had = sqlx::query_scalar!(
        "select exists (select from user_devices where tenant_id = $1 and user_id = $2 and device_hash = any ($3)
                        and had_link and expires_at > $4)",
        tenant.as_str(),
        user.to_string(),
        &hashes,
        now.to_sqlx() as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(had.unwrap_or_default())
}

/// Remembers a browser, with whether a link that was made for the user was used in it, and forgets those that were not used
/// for long.
pub async fn remember(
    tx: &mut TenantTx,
    user: UserId,
    device: &[u8; 32],
    had_link: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let expires_at = now.checked_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    sqlx::query!(
        "delete from user_devices where tenant_id = $1 and user_id = $2 and expires_at <= $3",
        tenant.as_str(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "insert into user_devices as d (tenant_id, user_id, device_hash, created_at, last_used_at, expires_at, had_link)
         values ($1, $2, $3, $4, $4, $5, $6)
         on conflict (tenant_id, user_id, device_hash)
         do update set last_used_at = excluded.last_used_at, expires_at = excluded.expires_at,
                       had_link = d.had_link or excluded.had_link",
        tenant.as_str(),
        user.to_string(),
        &device[..],
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _,
        had_link
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Forgets all browsers of a user: none is trusted more than another any longer.
pub async fn forget(tx: &mut TenantTx, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from user_devices where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
