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

/// Remembers a browser, and forgets those that were not used for long.
pub async fn remember(
    tx: &mut TenantTx,
    user: UserId,
    device: &[u8; 32],
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
        "insert into user_devices (tenant_id, user_id, device_hash, created_at, last_used_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)
         on conflict (tenant_id, user_id, device_hash)
         do update set last_used_at = excluded.last_used_at, expires_at = excluded.expires_at",
        tenant.as_str(),
        user.to_string(),
        &device[..],
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _
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
