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

/// Does something in one transaction that serves a tenant, and commits it.
///
/// ```ignore
/// let role = tenant_tx!(database, "roles.rename", &tenant, async |tx| {
///     roles::lock(tx, &id).await?;
///     roles::rename(tx, &id, name).await
/// })
/// .await?;
/// ```
///
/// The name tells in metrics what it is for. An error rolls everything back. When it collides with another transaction it is
/// done again from the beginning, a few times. So it does nothing outside of its transaction: whoever else is to hear of it is
/// told afterwards. Nor does it take another connection, which stops a program that is built for tests.
///
/// It reads like a method that takes an async closure. It is none, because the futures of closures that borrow a transaction do
/// not count as [`Send`].
#[macro_export]
macro_rules! tenant_tx {
    ($database:expr, $name:expr, $tenant:expr, async |$tx:ident| $work:expr $(,)?) => {
        async {
            let mut whole = $crate::transaction::Whole::of(&$database, $name, $tenant);
            loop {
                let mut begun = match whole.begin().await {
                    ::core::result::Result::Ok(begun) => begun,
                    ::core::result::Result::Err(error) => {
                        break ::core::result::Result::Err(::core::convert::From::from(error));
                    }
                };
                let $tx = &mut begun;
                let done = whole.within(async { $work }).await;
                if let ::core::option::Option::Some(done) = whole.end(begun, done).await {
                    break done;
                }
            }
        }
    };
}

/// What [`tenant_tx!`] is made of.
pub struct Whole<'a> {
    database: &'a Database,
    tenant: &'a TenantId,
    tries: Tries,
}

impl<'a> Whole<'a> {
    /// Of this name, for this tenant.
    pub fn of(database: &'a Database, name: &'static str, tenant: &'a TenantId) -> Self {
        Self { database, tenant, tries: Tries::of(name) }
    }

    /// The transaction, in which the work is done that comes next.
    pub async fn begin(&self) -> Result<TenantTx, StoreError> {
        self.database.tenant(self.tries.name, self.tenant).await
    }

    /// Does the work, which may take no other connection.
    pub async fn within<F: Future>(&self, work: F) -> F::Output {
        held::within(self.tries.name, work).await
    }

    /// Commits what was done or undoes it. `None` when it is to be done again.
    pub async fn end<T, E: Collides>(&mut self, tx: TenantTx, done: Result<T, E>) -> Option<Result<T, E>> {
        let done = match done {
            Ok(done) => tx.commit().await.map(|()| done).map_err(E::from),
            Err(error) => {
                tx.roll_back().await;
                Err(error)
            }
        };
        self.tries.stands(done).await
    }
}

/// Does something that is one transaction, again when it collides.
pub(crate) async fn repeated<T, E: Collides, F: Future<Output = Result<T, E>>>(
    name: &'static str,
    work: impl Fn() -> F,
) -> Result<T, E> {
    let mut tries = Tries::of(name);
    loop {
        if let Some(done) = tries.stands(work().await).await {
            return done;
        }
    }
}

/// How often something was tried, and since when.
struct Tries {
    name: &'static str,
    began: Instant,
    tried: u32,
}

impl Tries {
    fn of(name: &'static str) -> Self {
        Self { name, began: Instant::now(), tried: 0 }
    }

    /// What came of one try, if that is the end of it. Else it collided, and a pause has passed.
    async fn stands<T, E: Collides>(&mut self, done: Result<T, E>) -> Option<Result<T, E>> {
        self.tried += 1;
        if self.tried < TRIES && done.as_ref().is_err_and(E::is_collision) {
            self.count("repeated");
            sleep(pause(self.tried)).await;
            return None;
        }
        self.count(if done.is_ok() { "committed" } else { "rolled_back" });
        histogram!("misy_transaction_seconds", "transaction" => self.name).record(self.began.elapsed());
        Some(done)
    }

    fn count(&self, outcome: &'static str) {
        counter!("misy_transactions_total", "transaction" => self.name, "outcome" => outcome).increment(1);
    }
}

/// A pause that is another for each that collided, so that they do not meet again.
fn pause(tried: u32) -> Duration {
    static PARTS: AtomicU64 = AtomicU64::new(0);
    // The golden ratio spreads what follows each other evenly.
    let part = PARTS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61;
    // Between an eighth of it and all of it.
    PAUSE * 2u32.pow(tried - 1) * (1 + u32::try_from(part).unwrap_or_default()) / 8
}
