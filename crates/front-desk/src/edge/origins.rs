//! The origins of all sites of all tenants, as a preflight needs them.

use misy_domain::Origin;
use misy_store::{Database, StoreError};
use moka::sync::Cache;
use std::time::Duration;

/// What the origins of either kind may take in memory: whoever asks writes them.
const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// What one takes beside its text.
const ENTRY_BYTES: usize = 128;

/// Answers for a second what the database said; no origin is known or unknown for longer.
pub(crate) struct KnownOrigins {
    database: Database,
    seen: Cache<Origin, bool>,
    /// Those that were known within the last minutes.
    lately: Cache<Origin, ()>,
}

impl KnownOrigins {
    pub(crate) fn new(database: Database) -> Self {
        let seen = Cache::builder().weigher(|origin, _| bytes(origin)).max_capacity(MOST_BYTES);
        let seen = seen.time_to_live(Duration::from_millis(900)).build();
        let lately = Cache::builder().weigher(|origin, ()| bytes(origin)).max_capacity(MOST_BYTES);
        let lately = lately.time_to_live(Duration::from_mins(10)).build();
        Self { database, seen, lately }
    }

    /// What the database said within the last second.
    pub(crate) fn seen(&self, origin: &Origin) -> Option<bool> {
        self.seen.get(origin)
    }

    /// Whether it was known within the last minutes.
    pub(crate) fn was_known(&self, origin: &Origin) -> bool {
        self.lately.contains_key(origin)
    }

    /// Asks the database whether any site of any tenant may be used from here.
    pub(crate) async fn contain(&self, origin: &Origin) -> Result<bool, StoreError> {
        let known = self.database.origin_is_known(origin).await?;
        if known {
            self.lately.insert(origin.clone(), ());
        }
        self.seen.insert(origin.clone(), known);
        Ok(known)
    }

    /// Asks the database again from now on, after a site was changed.
    pub(crate) fn changed(&self) {
        self.seen.invalidate_all();
    }
}

fn bytes(origin: &Origin) -> u32 {
    u32::try_from(origin.as_str().len() + ENTRY_BYTES).unwrap_or(u32::MAX)
}
