//! Which user the token of a registration brought in: one, once.

use crate::{StoreError, TenantTx, credentials};
use jiff_sqlx::ToSqlx;
use misy_domain::{KeyId, Timestamp, UserId};

/// What the token of a registration is good for, while nobody else can use or revoke it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// To enrol somebody.
    Good,
    /// Nothing: it has enrolled somebody.
    Used,
    /// Nothing: it is revoked, over or gone.
    Dead,
}

/// What the token is good for. Others that come with it wait for the end of the transaction.
pub async fn hold(tx: &mut TenantTx, key: KeyId, now: Timestamp) -> Result<Held, StoreError> {
    let tenant = tx.tenant().clone();
    // The token's own row is there before any enrolment, so it can be waited for.
    let good = sqlx::query_scalar!(
        r#"select revoked_at is null and (expires_at is null or expires_at > $3) as "good!"
           from api_keys where tenant_id = $1 and key_id = $2 for update"#,
        tenant.as_str(),
        key.to_string(),
        now.to_sqlx() as _
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
    Ok(match (found, good) {
        (Some(_), _) => Held::Used,
        (None, Some(true)) => Held::Good,
        (None, _) => Held::Dead,
    })
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
