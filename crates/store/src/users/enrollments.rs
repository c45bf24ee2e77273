//! Which user the token of a registration brought in: one, once.

use crate::{StoreError, TenantTx, credentials};
use jiff_sqlx::ToSqlx;
use misy_domain::{KeyId, Timestamp, UserId};

/// Whether the token brought somebody in. Others that come with the same token wait for the end of the transaction.
pub async fn hold(tx: &mut TenantTx, key: KeyId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    // The token's own row is there before any enrolment, so it can be waited for.
    sqlx::query!(
        "select 1 as one from api_keys where tenant_id = $1 and key_id = $2 for update",
        tenant.as_str(),
        key.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    let found = sqlx::query!(
        "select 1 as one from enrollments where tenant_id = $1 and key_id = $2",
        tenant.as_str(),
        key.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(found.is_some())
}

/// Notes that the token brought in this user. With that it is revoked: it opens nothing any more.
pub async fn finish(tx: &mut TenantTx, key: KeyId, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "insert into enrollments (tenant_id, key_id, user_id, enrolled_at) values ($1, $2, $3, $4)",
        tenant.as_str(),
        key.to_string(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    credentials::end_key(tx, key, true, now).await?;
    Ok(())
}
