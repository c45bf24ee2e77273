//! The leases that a worker holds at this moment, and whose work takes a place meanwhile.

use crate::WorkerSettings;
use misy_domain::TenantId;
use misy_store::leases::{Lease, Leased};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

type Key<K> = (TenantId, <K as Leased>::Id);

/// The leases that a worker holds. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Held<K: Leased>(Arc<Inner<K>>);

struct Inner<K: Leased> {
    entries: Mutex<HashMap<Key<K>, Entry<K>>>,
    most_aside: u32,
    most_aside_of_tenant: u32,
    /// Told when work steps aside, and so leaves its place to another.
    left: Notify,
}

struct Entry<K: Leased> {
    lease: Lease<K>,
    lost: CancellationToken,
    /// Whether its work waits for somebody else and takes no place.
    is_aside: bool,
}

/// The places of a worker, for whoever does its work.
pub struct Places<K: Leased>(Held<K>);

/// Work that waits for somebody else and takes no place, until this is dropped.
pub struct Aside<K: Leased> {
    held: Held<K>,
    key: Key<K>,
    fence: i64,
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
    /// Of a worker that works so.
    pub(crate) fn new(settings: &WorkerSettings) -> Self {
        let WorkerSettings { most_aside, most_aside_of_tenant, .. } = *settings;
        let (entries, left) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { entries, most_aside, most_aside_of_tenant, left }))
    }

    /// Its places.
    pub(crate) fn places(&self) -> Places<K> {
        Places(self.clone())
    }

    /// How much work takes no place.
    pub(crate) fn aside(&self) -> u32 {
        self.map().values().map(|entry| u32::from(entry.is_aside)).sum()
    }

    /// Waits until work steps aside.
    pub(crate) async fn place_left(&self) {
        self.0.left.notified().await;
    }

    /// Notes a lease. Whoever works on the same row under an older one has lost that: no heartbeat asks about it any more.
    pub(crate) fn hold(&self, lease: &Lease<K>) -> Holding<K> {
        let key = (lease.tenant.clone(), lease.id);
        let lost = CancellationToken::new();
        let entry = Entry { lease: lease.clone(), lost: lost.clone(), is_aside: false };
        if let Some(older) = self.map().insert(key.clone(), entry) {
            older.lost.cancel();
        }
        Holding { held: self.clone(), key, fence: lease.fence, lost }
    }

    /// All of them.
    pub(crate) fn leases(&self) -> Vec<Lease<K>> {
        self.map().values().map(|entry| entry.lease.clone()).collect()
    }

    /// The tenants that have so many places, or more, and those of which as much stands aside as may.
    pub(crate) fn tenants_with(&self, least: u32) -> Vec<TenantId> {
        let mut held: HashMap<TenantId, (u32, u32)> = HashMap::new();
        for ((tenant, _), entry) in self.map().iter() {
            let (places, aside) = held.entry(tenant.clone()).or_default();
            *(if entry.is_aside { aside } else { places }) += 1;
        }
        let most_aside = self.0.most_aside_of_tenant;
        let is_full =
            |(_, (places, aside)): &(_, (u32, u32))| *places >= least || (*aside > 0 && *aside >= most_aside);
        held.into_iter().filter(is_full).map(|(tenant, _)| tenant).collect()
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
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Leased> Places<K> {
    /// Leaves the place of a lease's work to others, while that waits for somebody else. `None` where too much waits so already,
    /// of all or of its tenant, or the lease is lost.
    pub fn step_aside(&self, lease: &Lease<K>) -> Option<Aside<K>> {
        let Held(inner) = &self.0;
        let key = (lease.tenant.clone(), lease.id);
        let mut entries = self.0.map();
        let aside = || entries.iter().filter(|(_, entry)| entry.is_aside);
        let of_tenant = aside().filter(|((tenant, _), _)| *tenant == lease.tenant).count();
        let has_room =
            aside().count() < inner.most_aside as usize && of_tenant < inner.most_aside_of_tenant as usize;
        let entry = entries.get_mut(&key).filter(|entry| has_room && entry.lease.fence == lease.fence)?;
        entry.is_aside = true;
        drop(entries);
        inner.left.notify_one();
        Some(Aside { held: self.0.clone(), key, fence: lease.fence })
    }
}

impl<K: Leased> Drop for Aside<K> {
    fn drop(&mut self) {
        let mut map = self.held.map();
        if let Some(entry) = map.get_mut(&self.key).filter(|entry| entry.lease.fence == self.fence) {
            entry.is_aside = false;
        }
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
        let held = Held::new(&WorkerSettings::default());
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
        let held = Held::new(&WorkerSettings::default());
        let late = held.hold(&lease(7));
        let live = held.hold(&lease(8));
        assert!(late.lost.is_cancelled(), "it lost its lease, and no heartbeat would ever tell it");
        held.lose(&lease(7));
        drop(late);
        assert!(!live.lost.is_cancelled());
        assert_eq!(held.leases(), [lease(8)]);
    }

    fn lease_of(tenant: &str, number: u8) -> Lease<Conversations> {
        let id = misy_domain::ConversationId::from_bytes([number; 16]);
        Lease { tenant: tenant.parse().unwrap(), id, ..lease(1) }
    }

    #[test]
    fn what_stands_aside_takes_no_place_and_is_bounded_for_each_and_for_all() {
        let settings = WorkerSettings { most_aside: 3, most_aside_of_tenant: 2, ..WorkerSettings::default() };
        let held = Held::new(&settings);
        let leases: Vec<_> = (1..=3).map(|number| lease_of("andina", number)).collect();
        let others: Vec<_> = (4..=5).map(|number| lease_of("verde", number)).collect();
        let _holding: Vec<_> = leases.iter().chain(&others).map(|lease| held.hold(lease)).collect();
        let places = held.places();
        let first = places.step_aside(&leases[0]).unwrap();
        assert_eq!(held.tenants_with(3), [], "two of three have a place");
        let _second = places.step_aside(&leases[1]).unwrap();
        assert!(places.step_aside(&leases[2]).is_none(), "of one tenant");
        assert_eq!(held.tenants_with(3), ["andina".parse().unwrap()], "no more of it is claimed");
        let _third = places.step_aside(&others[0]).unwrap();
        assert!(places.step_aside(&others[1]).is_none(), "in all");
        assert_eq!(held.aside(), 3);
        drop(first);
        assert!(places.step_aside(&others[1]).is_some());
        // A lease that was lost and claimed again is another one.
        assert!(places.step_aside(&Lease { fence: 2, ..leases[2].clone() }).is_none());
    }
}
