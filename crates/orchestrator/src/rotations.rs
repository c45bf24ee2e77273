//! Rotations of data keys, as work: one batch after the other, until nothing is left under an older key.

use crate::{
    Worker, WorkerSettings,
    worker::{Handler, WorkError},
};
use misy_domain::Entropy;
use misy_store::{
    Database, Vault,
    leases::{Backoff, Lease, LeaseTerms},
    rotation::{Rotations, Rotator, Step},
};
use std::{sync::Arc, time::Duration};
use tracing::info;

/// Batches of one rotation before others that wait have their turn.
const BATCHES: usize = 20;

/// A worker for rotations.
pub fn rotations(database: Database, vault: Vault, entropy: Arc<dyn Entropy>) -> Worker<Rotator> {
    Worker::new(database.clone(), entropy, settings(), Rotator::new(database, vault))
}

/// A rotation may take hours, but each batch starts its attempts anew. It is tried for about a day.
fn settings() -> WorkerSettings {
    WorkerSettings {
        concurrency: 1,
        beside_others: None,
        batch: 1,
        terms: LeaseTerms { length: Duration::from_secs(30), most_attempts: 1_500 },
        heartbeat: Duration::from_secs(10),
        poll: Duration::from_secs(1),
        backoff: Backoff { first: Duration::from_secs(1), most: Duration::from_mins(1) },
        most_time: Duration::from_hours(24),
        grace: Duration::from_secs(2),
        ..WorkerSettings::default()
    }
}

impl Handler for Rotator {
    type Kind = Rotations;

    async fn handle(&self, lease: &Lease<Rotations>) -> Result<(), WorkError> {
        for _ in 0..BATCHES {
            if self.step(lease).await? == Step::Finished {
                info!("rotated the data key");
                return Ok(());
            }
        }
        // The place goes to another tenant that waits; this one comes again after it.
        self.give_way(lease).await?;
        Ok(())
    }
}
