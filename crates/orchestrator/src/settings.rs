//! How a worker works.

use misy_store::leases::{Backoff, LeaseTerms};
use std::time::Duration;

/// Conversations worked on at a time for each core.
const TURNS_PER_CORE: u32 = 4;
/// Conversations worked on at a time on the smallest machine.
const FEWEST_TURNS: u32 = 8;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Rows worked on at the same time; of one tenant less than half of them. The other half is for tenants of which nothing is
    /// worked on yet, so that a few that are slow leave places to everybody else.
    pub concurrency: u32,
    /// Rows of one tenant worked on at the same time while other tenants have work too. `None` where rows wait for others
    /// most of the time, and so take nothing from anybody.
    pub beside_others: Option<u32>,
    /// Rows whose work waits for somebody else and takes none of the places, at most.
    pub most_aside: u32,
    /// The same of one tenant.
    pub most_aside_of_tenant: u32,
    /// Rows claimed at once, at most.
    pub batch: u32,
    /// Leases.
    pub terms: LeaseTerms,
    /// How often leases are prolonged; well below their length.
    pub heartbeat: Duration,
    /// The longest time without looking for work; the shortest is half of it. Rings of the bell are heard at once.
    pub poll: Duration,
    /// How long after a failure the next attempt waits.
    pub backoff: Backoff,
    /// How long one row may be worked on.
    pub most_time: Duration,
    /// How long shutting down waits for what is being worked on.
    pub grace: Duration,
}

impl WorkerSettings {
    /// For conversations on a machine with so many cores. A turn keeps a core or the database busy: more at a time would only
    /// wait for each other, and one tenant's would stand before everybody else's. So one tenant has half of the cores at
    /// most, unless it is alone.
    pub fn for_cores(cores: usize) -> Self {
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let concurrency = cores.saturating_mul(TURNS_PER_CORE).max(FEWEST_TURNS);
        Self { concurrency, beside_others: Some((cores / 2).max(1)), ..Self::default() }
    }
}

impl Default for WorkerSettings {
    /// For conversations. Those of a dead worker are taken up again within five seconds: lease, poll and time to spare.
    fn default() -> Self {
        Self {
            concurrency: 32,
            beside_others: None,
            most_aside: 512,
            most_aside_of_tenant: 128,
            batch: 32,
            terms: LeaseTerms::default(),
            heartbeat: Duration::from_secs(1),
            poll: Duration::from_millis(500),
            backoff: Backoff::default(),
            most_time: Duration::from_mins(2),
            grace: Duration::from_secs(10),
        }
    }
}
