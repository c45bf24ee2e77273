//! The leases that a worker holds at this moment.

use misy_domain::TenantId;
use misy_store::leases::{Lease, Leased};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

type Key<K> = (TenantId, <K as Leased>::Id);

/// The leases that a worker holds. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Held<K: Leased>(Arc<Mutex<HashMap<Key<K>, Entry<K>>>>);

impl<K: Leased> Default for Held<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

struct Entry<K: Leased> {
    lease: Lease<K>,
    lost: CancellationToken,
}

/// One of them, until this is dropped.
pub(crate) struct Holding<K: Leased> {
    held: Held<K>,
    key: Key<K>,
    fence: i64,
    /// Cancelled when the lease turns out to be lost.
    pub(crate) lost: CancellationToken,
}

impl<K: Leased> Held<K> {
    /// Notes a lease.
    pub(crate) fn hold(&self, lease: &Lease<K>) -> Holding<K> {
        let key = (lease.tenant.clone(), lease.id);
        let lost = CancellationToken::new();
        self.map().insert(key.clone(), Entry { lease: lease.clone(), lost: lost.clone() });
        Holding { held: self.clone(), key, fence: lease.fence, lost }
    }

    /// All of them.
    pub(crate) fn leases(&self) -> Vec<Lease<K>> {
        self.map().values().map(|entry| entry.lease.clone()).collect()
    }

    /// The tenants of which so many are held, or more.
    pub(crate) fn tenants_with(&self, least: u32) -> Vec<TenantId> {
        let mut held: HashMap<TenantId, u32> = HashMap::new();
        for (tenant, _) in self.map().keys() {
            *held.entry(tenant.clone()).or_default() += 1;
        }
        held.into_iter().filter(|(_, count)| *count >= least).map(|(tenant, _)| tenant).collect()
    }

    /// Tells whoever works under a lease that it is lost. The worker may have ended that work and claimed the row again
    /// since it asked: work under another fence goes on.
    pub(crate) fn lose(&self, lost: &Lease<K>) {
        let key = (lost.tenant.clone(), lost.id);
        if let Some(entry) = self.map().get(&key).filter(|entry| entry.lease.fence == lost.fence) {
            entry.lost.cancel();
        }
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Key<K>, Entry<K>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Leased> Drop for Holding<K> {
    fn drop(&mut self) {
        let mut map = self.held.map();
        // The same worker may have claimed it again after losing it.
        if map.get(&self.key).is_some_and(|entry| entry.lease.fence == self.fence) {
            map.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_domain::Entropy;
    use misy_store::{leases::WorkerId, turns::Conversations};

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn lease(fence: i64) -> Lease<Conversations> {
        let (tenant, conversation) = ("andina".parse().unwrap(), "cnv_00000000000000000000000000".parse());
        Lease { tenant, id: conversation.unwrap(), worker: WorkerId::new(&Zeros), fence, attempts: 1 }
    }

    #[test]
    fn a_lease_that_ended_while_the_heartbeat_asked_does_not_cancel_its_successor() {
        let held = Held::default();
        let ended = held.hold(&lease(7));
        // The heartbeat asks about 7; meanwhile 7 is committed, and the same worker claims the conversation again.
        let asked = held.leases();
        drop(ended);
        let live = held.hold(&lease(8));
        // The database answers that 7 is held no more.
        for lost in &asked {
            held.lose(lost);
        }
        assert!(!live.lost.is_cancelled());
        held.lose(&lease(8));
        assert!(live.lost.is_cancelled());
    }

    #[test]
    fn whoever_ends_late_does_not_end_the_successor() {
        let held = Held::default();
        let late = held.hold(&lease(7));
        let live = held.hold(&lease(8));
        held.lose(&lease(7));
        drop(late);
        assert!(!live.lost.is_cancelled());
        assert_eq!(held.leases(), [lease(8)]);
    }
}
