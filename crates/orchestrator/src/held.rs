//! The leases that a worker holds at this moment.

use misy_domain::{ConversationId, TenantId};
use misy_store::leases::Lease;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

type Key = (TenantId, ConversationId);

/// The leases that a worker holds. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<Mutex<HashMap<Key, Entry>>>);

struct Entry {
    lease: Lease,
    lost: CancellationToken,
}

/// One of them, until this is dropped.
pub(crate) struct Holding {
    held: Held,
    key: Key,
    fence: i64,
    /// Cancelled when the lease turns out to be lost.
    pub(crate) lost: CancellationToken,
}

impl Held {
    /// Notes a lease.
    pub(crate) fn hold(&self, lease: &Lease) -> Holding {
        let key = (lease.tenant.clone(), lease.conversation);
        let lost = CancellationToken::new();
        self.map().insert(key.clone(), Entry { lease: lease.clone(), lost: lost.clone() });
        Holding { held: self.clone(), key, fence: lease.fence, lost }
    }

    /// All of them.
    pub(crate) fn leases(&self) -> Vec<Lease> {
        self.map().values().map(|entry| entry.lease.clone()).collect()
    }

    /// Tells whoever works on it that its lease is lost.
    pub(crate) fn lose(&self, tenant: TenantId, conversation: ConversationId) {
        if let Some(entry) = self.map().get(&(tenant, conversation)) {
            entry.lost.cancel();
        }
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut map = self.held.map();
        // The same worker may have claimed it again after losing it.
        if map.get(&self.key).is_some_and(|entry| entry.lease.fence == self.fence) {
            map.remove(&self.key);
        }
    }
}
