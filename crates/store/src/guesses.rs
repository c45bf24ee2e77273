//! Guesses at accounts, counted where neither a restart nor a flood nor Redis makes them forgotten. What refuses most
//! guesses early, and those from one address, is [`crate::limits`].

use crate::{Database, StoreError};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use misy_domain::{Timestamp, limit::Quota};

/// So many buckets of guesses there are; the schema says so too.
const BUCKETS: u32 = 1 << 22;

/// Where guesses at one thing are counted, together with those at very few others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket(i32);

impl Bucket {
    pub(crate) fn of(hash: [u8; 32]) -> Self {
        let [a, b, c, d, ..] = hash;
        Self(i32::try_from(u32::from_be_bytes([a, b, c, d]) % BUCKETS).unwrap_or_default())
    }
}

impl Database {
    /// Counts a guess before it is looked at: `Some` is how long to wait if there were too many. For good at once, in a
    /// transaction of its own: what becomes of the guess does not undo it.
    pub async fn count_guess(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, StoreError> {
        let wait = sqlx::query_scalar!(
            r#"select platform.count_guess($1, $2, $3, $4) as "wait!""#,
            bucket.0,
            quota.interval(),
            quota.burst(),
            now.to_sqlx() as _
        )
        .fetch_one(self.app())
        .await?;
        Ok((wait > 0).then(|| SignedDuration::from_micros(wait)))
    }
}
