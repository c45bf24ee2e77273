//! How a worker works.

use misy_store::leases::{Backoff, LeaseTerms};
use std::time::Duration;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Rows worked on at the same time; of one tenant less than half of them.
    pub concurrency: u32,
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

impl Default for WorkerSettings {
    /// For conversations. Those of a dead worker are taken up again within five seconds: lease, poll and time to spare.
    fn default() -> Self {
        Self {
            concurrency: 32,
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
