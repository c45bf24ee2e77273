//! Which user the enrolment token of a tenant brought in: one, once.

use crate::{StoreError, TenantTx, tenants::stored};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{KeyId, Timestamp, UserId};

/// How far an enrolment came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrollment {
    /// Whom it brought in.
    pub user_id: UserId,
    /// When it was begun last.
    pub started_at: Timestamp,
    /// When it was finished: the second factor is there.
    pub finished_at: Option<Timestamp>,
}

/// How far the enrolment with this token came. Others that come with the same token wait for the end of the transaction.
pub async fn hold(tx: &mut TenantTx, key: KeyId) -> Result<Option<Enrollment>, StoreError> {
    let tenant = tx.tenant().clone();
    // The token's own row is there before any enrolment, so it can be waited for.
    sqlx::query!(
        "select 1 as one from api_keys where tenant_id = $1 and key_id = $2 for update",
        tenant.as_str(),
        key.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    let row = sqlx::query!(
        "select user_id, started_at, finished_at from enrollments where tenant_id = $1 and key_id = $2",
        tenant.as_str(),
        key.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(Enrollment {
            user_id: stored(row.user_id.parse())?,
            started_at: row.started_at.to_jiff(),
            finished_at: row.finished_at.map(SqlTimestamp::to_jiff),
        })
    })
    .transpose()
}

/// Notes that the token brings in this user.
pub async fn begin(tx: &mut TenantTx, key: KeyId, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "insert into enrollments (tenant_id, key_id, user_id, started_at) values ($1, $2, $3, $4)
         on conflict (tenant_id, key_id) do update set user_id = excluded.user_id, started_at = excluded.started_at",
        tenant.as_str(),
        key.to_string(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Notes that a user has a second factor: the token that brought it in brings in nobody any more.
pub async fn finish(tx: &mut TenantTx, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update enrollments set finished_at = $3 where tenant_id = $1 and user_id = $2 and finished_at is null",
        tenant.as_str(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
