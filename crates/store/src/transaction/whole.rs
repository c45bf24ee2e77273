//! Transactions that are done as a whole: begun, committed, and done again when PostgreSQL undoes them because of another.

use super::held;
use crate::{Database, StoreError, TenantTx};
use metrics::{counter, histogram};
use misy_domain::TenantId;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How often something is tried that collides.
const TRIES: u32 = 4;
/// The longest pause before the second time; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(16);

/// An error that says whether the same may be tried again at once.
pub trait Collides: From<StoreError> {
    /// Whether PostgreSQL undid all of it because of what another transaction did at the same moment.
    fn is_collision(&self) -> bool;
}

impl Collides for StoreError {
    fn is_collision(&self) -> bool {
        // Serialisation failure, deadlock. Nothing of either was done, other than where a connection was lost.
        matches!(self, Self::Unavailable(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("40001" | "40P01")))
    }
}

impl Database {
    /// Does something in one transaction that serves the tenant, and commits it. The name tells what it is for.
    ///
    /// When it collides with another it is done again from the beginning, a few times. So it does nothing outside of its
    /// transaction: whoever else is to hear of it is told afterwards. Nor does it take another connection, which stops a
    /// program that is built for tests.
    pub async fn tenant_tx<T, E: Collides>(
        &self,
        name: &'static str,
        tenant: &TenantId,
        work: impl AsyncFn(&mut TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        repeated(name, async || {
            let mut tx = self.tenant(name, tenant).await?;
            match held::within(name, work(&mut tx)).await {
                Ok(done) => {
                    tx.commit().await?;
                    Ok(done)
                }
                Err(error) => {
                    tx.roll_back().await;
                    Err(error)
                }
            }
        })
        .await
    }
}

/// Does something that is one transaction, again when it collides.
pub(crate) async fn repeated<T, E: Collides>(
    name: &'static str,
    work: impl AsyncFn() -> Result<T, E>,
) -> Result<T, E> {
    let began = Instant::now();
    let count = |outcome| {
        counter!("misy_transactions_total", "transaction" => name, "outcome" => outcome).increment(1);
    };
    let mut tried = 1;
    let done = loop {
        match work().await {
            Err(error) if error.is_collision() && tried < TRIES => {
                count("repeated");
                sleep(pause(tried)).await;
                tried += 1;
            }
            done => break done,
        }
    };
    count(if done.is_ok() { "committed" } else { "rolled_back" });
    histogram!("misy_transaction_seconds", "transaction" => name).record(began.elapsed());
    done
}

/// A pause that is another for each that collided, so that they do not meet again.
fn pause(tried: u32) -> Duration {
    static PARTS: AtomicU64 = AtomicU64::new(0);
    // The golden ratio spreads what follows each other evenly.
    let part = PARTS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61;
    // Between an eighth of it and all of it.
    PAUSE * 2u32.pow(tried - 1) * (1 + u32::try_from(part).unwrap_or_default()) / 8
}
