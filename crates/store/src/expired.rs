//! Rows that are over: answers that were kept for repeated calls, revocations and renewals of tokens, known browsers, mails
//! that were given up.

use crate::{Database, StoreError};
use jiff_sqlx::ToSqlx;
use misy_domain::Timestamp;

/// Rows of one table that a transaction removes at most.
const BATCH: i32 = 2_000;

impl Database {
    /// Removes what has been over for an hour, and mails that were given up thirty days ago, of all tenants; says how much.
    /// The database's clock must say so too. Several processes may do so at once.
    pub async fn remove_expired(&self, now: Timestamp) -> Result<i64, StoreError> {
        let mut gone = 0;
        loop {
            let mut tx = self.system("expired.remove").await?;
            let removed = sqlx::query_scalar!(
                r#"select platform.remove_expired($1, $2) as "removed!""#,
                now.to_sqlx() as _,
                BATCH
            )
            .fetch_one(tx.connection())
            .await?;
            tx.commit().await?;
            gone += removed;
            if removed < i64::from(BATCH) {
                return Ok(gone);
            }
        }
    }
}
