//! Connections of one role for one class of work, and each tenant's share of them.
//!
//! A tenant that asks for more than its share waits for itself: however many of its calls take however long, the other
//! connections are there for others. While others are there, its share is smaller: statements that run at the same time take
//! the processors from each other. And half of all connections are kept for tenants that hold none: a few that take all they
//! may leave some to everybody else. Whoever works for a tenant takes a turn first, and there is no other way to a transaction
//! of a tenant.

use super::company::Company;
use crate::{StoreError, transaction::held};
use misy_domain::TenantId;
use sqlx::{Connection, PgConnection, PgPool, Postgres, pool::PoolConnection};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long somebody waits for a connection, and before that for the turn of their tenant.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Holders remembered before those that hold nothing are looked for.
const FEW: usize = 64;

/// Connections, and who has how many. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: PgPool,
    shares: Arc<Shares>,
}

/// Who has how many.
struct Shares {
    turns: Turns,
    /// For turns while other tenants are there.
    beside: Turns,
    company: Mutex<Company>,
    /// For turns of tenants that hold a connection already.
    further: Arc<Semaphore>,
}

/// What there is little of, and the share of each who wants it: a tenant, a network. Cheap to clone.
#[derive(Clone)]
pub struct Turns<K = TenantId> {
    share: usize,
    holders: Arc<Mutex<Holders<K>>>,
}

struct Holders<K> {
    turns: HashMap<K, Weak<Semaphore>>,
    tidied_at: usize,
}

/// The right to one piece of a share, until dropped.
pub struct Turn {
    permit: OwnedSemaphorePermit,
    _beside: Option<OwnedSemaphorePermit>,
    _further: Option<OwnedSemaphorePermit>,
}

/// What one tenant may hold at a time of the connections of one class of work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// When it is alone.
    pub(super) alone: u32,
    /// While other tenants hold some too.
    pub(super) beside: u32,
}

/// A connection that serves a tenant outside of any transaction. To be [given back](Self::give_back): if it is dropped while
/// the server still works for it, its turn lasts until the server is done.
pub(crate) struct Served(Option<(PoolConnection<Postgres>, Turn)>);

impl Connections {
    /// Connections, and what one tenant may hold of them.
    pub(super) fn new(pool: PgPool, share: Share) -> Self {
        let further =
            usize::try_from(pool.options().get_max_connections() / 2).unwrap_or(Semaphore::MAX_PERMITS);
        let turns = |share| Turns::of(usize::try_from(share).unwrap_or(usize::MAX));
        let shares = Shares {
            turns: turns(share.alone),
            beside: turns(share.beside),
            company: Mutex::default(),
            further: Arc::new(Semaphore::new(further)),
        };
        Self { pool, shares: Arc::new(shares) }
    }

    /// All of them, for what belongs to no tenant.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Waits until the tenant holds less than its share and, if it holds something, until there is more than is kept for others.
    pub(crate) async fn turn(&self, tenant: &TenantId) -> Result<Turn, StoreError> {
        let turn = timeout(PATIENCE, self.shares.turn(tenant)).await;
        let turn = turn.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()));
        turn.inspect_err(|_| metrics::counter!("misy_tenant_shares_spent_total").increment(1))
    }

    /// A connection for the tenant, in its turn.
    pub(crate) async fn serve(&self, tenant: &TenantId) -> Result<Served, StoreError> {
        held::expect_none();
        let turn = self.turn(tenant).await?;
        Ok(Served(Some((self.pool.acquire().await?, turn))))
    }
}

impl Shares {
    async fn turn(&self, tenant: &TenantId) -> Result<Turn, StoreError> {
        let turn = self.turns.wait(tenant).await?;
        let first = turn.permit.semaphore().available_permits() + 1 == self.turns.share;
        let beside = if self.company(tenant) { Some(self.beside.wait(tenant).await?.permit) } else { None };
        let further = if first { None } else { self.further.clone().acquire_owned().await.ok() };
        Ok(Turn { _beside: beside, _further: further, ..turn })
    }

    /// Notes that the tenant is there, and says whether others are.
    fn company(&self, tenant: &TenantId) -> bool {
        let mut company = self.company.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        company.met(tenant, now);
        company.is_there(now)
    }
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// So many at a time for each; at least one.
    pub fn of(share: usize) -> Self {
        let holders = Holders { turns: HashMap::new(), tidied_at: 0 };
        Self { share: share.clamp(1, Semaphore::MAX_PERMITS), holders: Arc::new(Mutex::new(holders)) }
    }

    /// Waits until the holder has less than its share, but not for long.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it still holds all of it after some seconds.
    pub async fn wait(&self, holder: &K) -> Result<Turn, StoreError> {
        let Ok(Ok(permit)) = timeout(PATIENCE, self.turns_of(holder).acquire_owned()).await else {
            return Err(sqlx::Error::PoolTimedOut.into());
        };
        Ok(Turn::of(permit))
    }

    /// A turn, if the holder has less than its share at this moment.
    pub fn take(&self, holder: &K) -> Option<Turn> {
        self.turns_of(holder).try_acquire_owned().ok().map(Turn::of)
    }

    fn turns_of(&self, holder: &K) -> Arc<Semaphore> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = holders.turns.get(holder).and_then(Weak::upgrade) {
            return turns;
        }
        if holders.turns.len() >= FEW.max(2 * holders.tidied_at) {
            holders.turns.retain(|_, turns| turns.strong_count() > 0);
            holders.tidied_at = holders.turns.len();
        }
        let turns = Arc::new(Semaphore::new(self.share));
        holders.turns.insert(holder.clone(), Arc::downgrade(&turns));
        turns
    }
}

impl Turn {
    fn of(permit: OwnedSemaphorePermit) -> Self {
        Self { permit, _beside: None, _further: None }
    }

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

    /// Connections that nobody opens.
    fn nobody(connections: u32, share: Share) -> Connections {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(connections);
        Connections::new(pool.connect_lazy("postgres://localhost/nobody").unwrap(), share)
    }

    /// A turn, if there is one without waiting.
    async fn at_once(connections: &Connections, tenant: &TenantId) -> Option<Turn> {
        tokio::select! {
            biased;
            turn = connections.turn(tenant) => turn.ok(),
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test]
    async fn one_tenant_holds_less_while_others_are_there() {
        let connections = nobody(20, Share { alone: 5, beside: 2 });
        let mut held = Vec::new();
        for _ in 0..4 {
            held.extend(at_once(&connections, &tenant(1)).await);
        }
        assert_eq!(held.len(), 4, "it is alone");
        held.clear();
        assert!(at_once(&connections, &tenant(2)).await.is_some());
        for _ in 0..4 {
            held.extend(at_once(&connections, &tenant(1)).await);
        }
        assert_eq!(held.len(), 2);
        assert!(at_once(&connections, &tenant(2)).await.is_some());
    }

    #[tokio::test]
    async fn four_that_hold_all_they_may_leave_connections_to_others() {
        let connections = nobody(20, Share { alone: 5, beside: 5 });
        let mut held = Vec::new();
        for number in 0..4 {
            for _ in 0..5 {
                held.extend(at_once(&connections, &tenant(number)).await);
            }
        }
        assert_eq!(held.len(), 4 + 10);
        for number in 4..10 {
            let first = at_once(&connections, &tenant(number)).await.expect("one is kept for it");
            assert!(at_once(&connections, &tenant(number)).await.is_none());
            held.push(first);
        }
        held.clear();
        assert!(at_once(&connections, &tenant(0)).await.is_some());
    }

    #[tokio::test]
    async fn who_holds_nothing_is_forgotten_and_who_holds_something_is_not() {
        let turns = Turns::of(1);
        let held = turns.wait(&tenant(0)).await.unwrap();
        for number in 1..10_000 {
            turns.wait(&tenant(number)).await.unwrap();
        }
        assert!(turns.holders.lock().unwrap().turns.len() <= FEW);
        assert_eq!(turns.turns_of(&tenant(0)).available_permits(), 0);
        drop(held);
    }
}
