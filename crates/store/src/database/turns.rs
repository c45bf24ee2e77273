//! Connections of one role for one class of work, and each tenant's share of them.
//!
//! A tenant that asks for more than its share waits for itself: however many of its calls take however long, the other
//! connections are there for others. Whoever works for a tenant takes a turn first, and there is no other way to a
//! transaction of a tenant.

use crate::{StoreError, transaction::held};
use misy_domain::TenantId;
use sqlx::{Connection, PgConnection, PgPool, Postgres, pool::PoolConnection};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long somebody waits for a connection, and before that for the turn of their tenant.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Tenants remembered before those that hold nothing are looked for.
const FEW: usize = 64;

/// Connections, and who has how many. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: PgPool,
    turns: Turns,
}

/// What there is little of, and each tenant's share of it. Cheap to clone.
#[derive(Clone)]
pub struct Turns {
    share: usize,
    tenants: Arc<Mutex<Tenants>>,
}

#[derive(Default)]
struct Tenants {
    turns: HashMap<TenantId, Weak<Semaphore>>,
    tidied_at: usize,
}

/// The right of a tenant to one piece of its share, until dropped.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// A connection that serves a tenant outside of any transaction. To be [given back](Self::give_back): if it is dropped while
/// the server still works for it, its turn lasts until the server is done.
pub(crate) struct Served(Option<(PoolConnection<Postgres>, Turn)>);

impl Connections {
    /// Connections of which one tenant may hold so many at a time.
    pub(super) fn new(pool: PgPool, share: u32) -> Self {
        Self { pool, turns: Turns::of(usize::try_from(share).unwrap_or(usize::MAX)) }
    }

    /// All of them, for what belongs to no tenant.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Waits until the tenant holds less than its share.
    pub(crate) async fn turn(&self, tenant: &TenantId) -> Result<Turn, StoreError> {
        self.turns.wait(tenant).await
    }

    /// A connection for the tenant, in its turn.
    pub(crate) async fn serve(&self, tenant: &TenantId) -> Result<Served, StoreError> {
        held::expect_none();
        let turn = self.turn(tenant).await?;
        Ok(Served(Some((self.pool.acquire().await?, turn))))
    }
}

impl Turns {
    /// So many at a time for each tenant; at least one.
    pub fn of(share: usize) -> Self {
        Self { share: share.clamp(1, Semaphore::MAX_PERMITS), tenants: Arc::default() }
    }

    /// Waits until the tenant holds less than its share, but not for long.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it still holds all of it after some seconds.
    pub async fn wait(&self, tenant: &TenantId) -> Result<Turn, StoreError> {
        let Ok(Ok(permit)) = timeout(PATIENCE, self.turns_of(tenant).acquire_owned()).await else {
            metrics::counter!("misy_tenant_shares_spent_total").increment(1);
            return Err(sqlx::Error::PoolTimedOut.into());
        };
        Ok(Turn { _permit: permit })
    }

    /// A turn, if the tenant holds less than its share at this moment.
    pub fn take(&self, tenant: &TenantId) -> Option<Turn> {
        self.turns_of(tenant).try_acquire_owned().ok().map(|permit| Turn { _permit: permit })
    }

    fn turns_of(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = tenants.turns.get(tenant).and_then(Weak::upgrade) {
            return turns;
        }
        if tenants.turns.len() >= FEW.max(2 * tenants.tidied_at) {
            tenants.turns.retain(|_, turns| turns.strong_count() > 0);
            tenants.tidied_at = tenants.turns.len();
        }
        let turns = Arc::new(Semaphore::new(self.share));
        tenants.turns.insert(tenant.clone(), Arc::downgrade(&turns));
        turns
    }
}

impl Turn {
    /// Comes to its end after something that the server is still to do: whoever asked for it went away, but the connection is
    /// taken as long as the server works.
    pub(crate) fn end_after(self, last: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime the program is ending.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                last.await;
                drop(self);
            });
        }
    }
}

impl Served {
    /// What statements run on.
    pub(crate) fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        match &mut self.0 {
            Some((connection, _)) => Ok(connection),
            None => Err(sqlx::Error::PoolClosed.into()),
        }
    }

    /// Nothing is under way on it any more.
    pub(crate) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some((mut connection, turn)) = self.0.take() {
            turn.end_after(async move {
                // Answered when the server is done with what came before.
                let _ = connection.ping().await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: usize) -> TenantId {
        format!("tenant-{number}").parse().unwrap()
    }

    #[tokio::test]
    async fn one_tenant_waits_for_itself_and_for_nobody_else() {
        let turns = Turns::of(2);
        let held = [turns.wait(&tenant(1)).await.unwrap(), turns.wait(&tenant(1)).await.unwrap()];
        assert!(turns.take(&tenant(1)).is_none());
        assert!(turns.wait(&tenant(2)).await.is_ok());
        drop(held);
        assert!(turns.wait(&tenant(1)).await.is_ok());
    }

    #[tokio::test]
    async fn who_holds_nothing_is_forgotten_and_who_holds_something_is_not() {
        let turns = Turns::of(1);
        let held = turns.wait(&tenant(0)).await.unwrap();
        for number in 1..10_000 {
            turns.wait(&tenant(number)).await.unwrap();
        }
        assert!(turns.tenants.lock().unwrap().turns.len() <= FEW);
        assert_eq!(turns.turns_of(&tenant(0)).available_permits(), 0);
        drop(held);
    }
}
