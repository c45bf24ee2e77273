//! Who stores rings, who waits hears: within the process now, through Redis between replicas later. A ring carries ids
//! only and may be lost; whoever waits looks into the database, which alone knows.

use misy_domain::{ConversationId, TenantId};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Notify, watch};

const SHARDS: usize = 64;

type Key = (TenantId, ConversationId);
type Shard = Mutex<HashMap<Key, watch::Sender<Ring>>>;

/// The newest news of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ring {
    /// The highest sequence known to be stored.
    pub sequence: i64,
    /// The agent that is writing at this moment.
    pub typing: Option<Arc<str>>,
    /// Whether the status of the conversation changed; counts up.
    pub status_changes: u32,
}

/// The bell. Cheap to clone.
#[derive(Clone)]
pub struct Bell {
    inner: Arc<Inner>,
}

struct Inner {
    work: Notify,
    hasher: RandomState,
    shards: Vec<Shard>,
}

impl Default for Bell {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { inner: Arc::new(Inner { work: Notify::new(), hasher: RandomState::new(), shards }) }
    }
}

/// Hears what happens in one conversation until it is dropped.
pub struct Listener {
    bell: Bell,
    key: Key,
    receiver: Option<watch::Receiver<Ring>>,
}

impl Bell {
    /// Says that some conversation has work.
    pub fn ring_work(&self) {
        self.inner.work.notify_one();
    }

    /// Waits until some conversation has work. Rings while nobody waits are remembered as one.
    pub async fn work(&self) {
        self.inner.work.notified().await;
    }

    /// Tells the listeners of a conversation, if there are any.
    pub fn ring(&self, tenant: &TenantId, conversation: ConversationId, change: impl FnOnce(&mut Ring)) {
        let key = (tenant.clone(), conversation);
        if let Some(sender) = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            sender.send_modify(change);
        }
    }

    /// Starts to listen to a conversation.
    pub fn listen(&self, tenant: &TenantId, conversation: ConversationId) -> Listener {
        let key = (tenant.clone(), conversation);
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        let receiver =
            shard.entry(key.clone()).or_insert_with(|| watch::Sender::new(Ring::default())).subscribe();
        drop(shard);
        Listener { bell: self.clone(), key, receiver: Some(receiver) }
    }

    fn shard(&self, key: &Key) -> &Shard {
        let hash = self.inner.hasher.hash_one(key);
        &self.inner.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}

impl Listener {
    /// Waits for the next ring and gives the newest state.
    pub async fn heard(&mut self) -> Ring {
        if let Some(receiver) = &mut self.receiver
            && receiver.changed().await.is_ok()
        {
            return receiver.borrow_and_update().clone();
        }
        std::future::pending().await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut shard = self.bell.shard(&self.key).lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if shard.get(&self.key).is_some_and(|sender| sender.receiver_count() == 0) {
            shard.remove(&self.key);
        }
    }
}
