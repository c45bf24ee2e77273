//! Passwords of people, hashed; and what ends when a way in changes.

use super::{sign_ins, tickets};
use crate::{StoreError, TenantTx};
use jiff_sqlx::ToSqlx;
use misy_domain::{SignInId, Timestamp, UserId};

/// Ends what was opened before the ways changed in which somebody comes in: their sessions, but perhaps that which changed
/// them, sign-ins that wait for a second factor, and links.
pub(super) async fn end_older(
    tx: &mut TenantTx,
    user: UserId,
    keep: Option<SignInId>,
) -> Result<(), StoreError> {
    sign_ins::end_all(tx, user, keep).await?;
    tickets::void(tx, user, None).await
}

/// Sets a password, hashed. Who was invited has come in by it. All sessions end but that to keep.
pub async fn set_password(
    tx: &mut TenantTx,
    user: UserId,
    hash: &str,
    keep: Option<SignInId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    end_older(tx, user, keep).await?;
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update users set password_hash = $3, password_changed_at = $4, updated_at = $4, version = version + 1,
                          status = case status when 'invited' then 'active' else status end
         where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string(),
        hash,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Stores the same password, hashed at another cost, unless it was changed meanwhile.
pub async fn rehash_password(
    tx: &mut TenantTx,
    user: UserId,
    old: &str,
    new: &str,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update users set password_hash = $4 where tenant_id = $1 and user_id = $2 and password_hash = $3",
        tenant.as_str(),
        user.to_string(),
        old,
        new
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
