//! Guesses at accounts, counted where neither a restart nor a flood nor Redis makes them forgotten. What refuses most
//! guesses early, and those from one address, is [`crate::limits`].

use crate::{Database, StoreError};
use jiff::SignedDuration;
use misy_domain::limit::Quota;

/// So many buckets of guesses there are; the schema says so too.
const BUCKETS: u32 = 1 << 22;

/// Where guesses at one thing are counted, together with those at very few others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket(pub(crate) i32);

impl Bucket {
    pub(crate) fn of(hash: [u8; 32]) -> Self {
        let [a, b, c, d, ..] = hash;
        Self(i32::try_from(u32::from_be_bytes([a, b, c, d]) % BUCKETS).unwrap_or_default())
    }
}

/// By which rule guesses are counted. The schema says the same, so that whoever reaches only the database cannot choose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuessesAt {
    /// At one account, from everywhere but known browsers. In any hour at most 40 pass: the burst and what comes back meanwhile.
    Account,
    /// At one account, from one browser that is known for it.
    Device,
}

impl GuessesAt {
    /// As it stands in the database.
    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Device => "device",
        }
    }

    /// How many pass.
    pub const fn quota(self) -> Quota {
        match self {
            Self::Account => Quota { requests: 20, period: SignedDuration::from_hours(1) },
            Self::Device => Quota { requests: 10, period: SignedDuration::from_mins(10) },
        }
    }
}

impl Database {
    /// Counts a guess before it is looked at: `Some` is how long to wait if there were too many. For good at once, in a
    /// transaction of its own: what becomes of the guess does not undo it. By the clock of the database (adr/0002).
    pub async fn count_guess(
        &self,
        bucket: Bucket,
        rule: GuessesAt,
    ) -> Result<Option<SignedDuration>, StoreError> {
        let wait =
            sqlx::query_scalar!(r#"select platform.count_guess($1, $2) as "wait!""#, bucket.0, rule.as_str())
                .fetch_one(self.app())
                .await?;
        Ok((wait > 0).then(|| SignedDuration::from_micros(wait)))
    }
}
