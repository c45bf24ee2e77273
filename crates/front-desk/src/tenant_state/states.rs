//! What is known of all tenants, kept for about a second and weighed in bytes.

use super::{FRESH_ENOUGH, LOOKS, MOST_BYTES, ReadySecret, TENANT_BYTES, TenantState, UNTOLD};
use crate::settings::DefaultLimits;
use futures_util::{StreamExt, stream};
use misy_domain::{Clock, TenantId};
use misy_store::{
    Bell, Database, StoreError, Vault, credentials::open_secret, limits::Scope, tenants::TenantSnapshot,
};
use moka::sync::Cache;
use std::{
    collections::HashMap,
    sync::{
        self, Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, broadcast, watch};

/// What is known of one tenant, and who waits for news of it.
struct Slot {
    current: RwLock<Option<(Instant, Arc<TenantState>)>>,
    loading: Mutex<()>,
    refreshing: AtomicBool,
    changes: watch::Sender<u32>,
    /// What it takes in memory, about.
    bytes: AtomicU32,
}

/// What is known of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct TenantStates {
    database: Database,
    vault: Vault,
    clock: Arc<dyn Clock>,
    defaults: Arc<DefaultLimits>,
    oldest: Duration,
    bell: Bell,
    slots: Cache<TenantId, Arc<Slot>>,
    /// Those that somebody waits for news of. The cache may let go of them; these stay the same.
    watched: Arc<sync::Mutex<HashMap<TenantId, Weak<Slot>>>>,
    told: broadcast::Sender<TenantId>,
}

/// News of one tenant, as long as it is held.
pub struct News {
    slot: Arc<Slot>,
    changes: watch::Receiver<u32>,
}

impl News {
    /// Ends when something about the tenant may have changed. It may be dropped at any await.
    pub async fn changed(&mut self) {
        // It cannot end in an error: the sender is in the slot.
        if self.changes.changed().await.is_err() {
            debug_assert!(false, "{} watch a slot that is gone", self.slot.changes.receiver_count());
            std::future::pending::<()>().await;
        }
    }
}

impl TenantStates {
    /// Knows nothing yet. `oldest`: how long something may be used.
    pub fn new(
        database: Database,
        vault: Vault,
        clock: Arc<dyn Clock>,
        defaults: DefaultLimits,
        oldest: Duration,
        bell: Bell,
    ) -> Self {
        let weigh = |_: &TenantId, slot: &Arc<Slot>| slot.bytes.load(Ordering::Relaxed);
        let slots = Cache::builder().weigher(weigh).max_capacity(MOST_BYTES).build();
        let told = broadcast::Sender::new(UNTOLD);
        let (defaults, watched) = (Arc::new(defaults), Arc::default());
        Self { database, vault, clock, defaults, oldest, bell, slots, watched, told }
    }

    /// A tenant as it is now, or was less than a second ago; `None` if there is no such tenant.
    pub async fn get(&self, tenant: &TenantId) -> Result<Option<Arc<TenantState>>, StoreError> {
        if let Some(slot) = self.slots.get(tenant)
            && let Some((age, state)) = slot.read()
            && age < self.oldest
        {
            // Past half its time it is read again while it still serves, so that nobody waits for it.
            if age > self.oldest / 2 && !slot.refreshing.swap(true, Ordering::AcqRel) {
                let (this, tenant) = (self.clone(), tenant.clone());
                tokio::spawn(async move {
                    if let Err(error) = this.load(&tenant, &slot, this.oldest / 2).await {
                        tracing::warn!(tenantId = %tenant, %error, "a tenant could not be read again");
                    }
                    slot.refreshing.store(false, Ordering::Release);
                });
            }
            return Ok(Some(state));
        }
        let slot = self.slot(tenant);
        let state = self.load(tenant, &slot, self.oldest).await?;
        if state.is_none() {
            // Names that nobody has must not fill the memory.
            self.slots.invalidate(tenant);
        }
        Ok(state)
    }

    /// Forgets a tenant that was changed here, wakes whoever waits for news of it, and lets other replicas be told.
    pub fn changed(&self, tenant: &TenantId) {
        self.forget(tenant);
        // Nobody listens where there is no other replica to tell.
        let _ = self.told.send(tenant.clone());
        self.bell.tenant_changed(tenant);
    }

    /// Hears which tenants are changed here.
    pub fn changes(&self) -> broadcast::Receiver<TenantId> {
        self.told.subscribe()
    }

    /// Forgets a tenant that was changed, here or elsewhere, and wakes whoever waits for news of it.
    pub fn forget(&self, tenant: &TenantId) {
        if let Some(slot) = self.slots.get(tenant).or_else(|| self.watched_slot(tenant)) {
            *slot.current.write().unwrap_or_else(PoisonError::into_inner) = None;
            slot.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Hears when something about a tenant may have changed.
    pub fn watch(&self, tenant: &TenantId) -> News {
        let own = self.slot(tenant);
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Where somebody else was first and the cache kept neither, theirs counts.
        let slot = watched.get(tenant).and_then(Weak::upgrade).unwrap_or(own);
        let changes = slot.changes.subscribe();
        watched.insert(tenant.clone(), Arc::downgrade(&slot));
        drop(watched);
        News { slot, changes }
    }

    /// Looks again at every tenant that somebody waits for news of; to be called several times a second, since a change
    /// that another replica made may ring no bell here.
    pub async fn look_again(&self) {
        let mut slots = Vec::new();
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).retain(|tenant, slot| {
            let slot = slot.upgrade().filter(|slot| slot.changes.receiver_count() > 0);
            let stays = slot.is_some();
            slots.extend(slot.map(|slot| (tenant.clone(), slot)));
            stays
        });
        let looks = stream::iter(slots);
        looks.for_each_concurrent(LOOKS, async |(tenant, slot)| self.look_at(&tenant, &slot).await).await;
    }

    fn watched_slot(&self, tenant: &TenantId) -> Option<Arc<Slot>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).and_then(Weak::upgrade)
    }

    async fn look_at(&self, tenant: &TenantId, slot: &Arc<Slot>) {
        if let Err(error) = self.load(tenant, slot, FRESH_ENOUGH).await {
            tracing::debug!(tenantId = %tenant, %error, "a tenant could not be looked at");
        }
    }

    fn slot(&self, tenant: &TenantId) -> Arc<Slot> {
        self.slots.get_with_by_ref(tenant, || self.watched_slot(tenant).unwrap_or_default())
    }

    /// Reads a tenant unless somebody else just did, and wakes whoever waits for news if there are any.
    async fn load(
        &self,
        tenant: &TenantId,
        slot: &Arc<Slot>,
        fresh_enough: Duration,
    ) -> Result<Option<Arc<TenantState>>, StoreError> {
        let _turn = slot.loading.lock().await;
        if let Some((age, state)) = slot.read()
            && age < fresh_enough
        {
            return Ok(Some(state));
        }
        // A change that is made while we read must not be forgotten: then what we read does not stay.
        let changes = *slot.changes.borrow();
        let asked_at = Instant::now();
        let snapshot = self.database.tenant_snapshot(tenant, self.clock.now()).await?;
        let state = if let Some((snapshot, messages_used)) = snapshot {
            Some(Arc::new(self.ready(tenant, snapshot, messages_used).await?))
        } else {
            // Deleted, perhaps by another replica: its keys go from memory too.
            self.vault.forget(tenant);
            None
        };
        if let Some(state) = &state {
            self.weigh(tenant, slot, state.bytes());
        }
        let mut current = slot.current.write().unwrap_or_else(PoisonError::into_inner);
        let undisturbed = *slot.changes.borrow() == changes;
        let is_news = match (&*current, &state) {
            (Some((_, before)), Some(after)) => before.snapshot != after.snapshot,
            (Some(_), None) => true,
            (None, _) => false,
        };
        *current = state.clone().filter(|_| undisturbed).map(|state| (asked_at, state));
        drop(current);
        if is_news {
            slot.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(state)
    }

    /// Has the cache weigh a tenant again that takes another amount of memory now.
    fn weigh(&self, tenant: &TenantId, slot: &Arc<Slot>, bytes: u32) {
        let is_kept = || self.slots.get(tenant).is_some_and(|kept| Arc::ptr_eq(&kept, slot));
        if slot.bytes.swap(bytes, Ordering::Relaxed) != bytes && is_kept() {
            self.slots.insert(tenant.clone(), slot.clone());
        }
    }

    async fn ready(
        &self,
        tenant: &TenantId,
        snapshot: TenantSnapshot,
        messages_used: i64,
    ) -> Result<TenantState, StoreError> {
        let keys = misy_store::credentials::keys_of(&self.vault, &self.database, tenant).await?;
        let mut secrets = Vec::with_capacity(snapshot.secrets.len());
        for secret in &snapshot.secrets {
            let sealed = hex::decode(&secret.sealed).map_err(|_| StoreError::Unsealable("tenant_secrets"))?;
            let key = open_secret(&self.database, &keys, tenant, secret.key_id, &sealed).await?;
            let needs_certificate = snapshot.certificate_secrets.contains(&secret.key_id);
            let (key_id, expires_at) = (secret.key_id, secret.expires_at);
            secrets.push(ReadySecret { key_id, key, needs_certificate, expires_at });
        }
        let mut limits = *self.defaults.of_plan(snapshot.plan);
        for row in snapshot.limits.iter().filter(|row| row.subject.is_empty()) {
            let limit = match row.scope {
                Scope::Tenant => &mut limits.tenant,
                Scope::Site => &mut limits.site,
                Scope::Key => &mut limits.key,
                Scope::Session => &mut limits.session,
                Scope::Channel => &mut limits.channel,
                Scope::Agent => &mut limits.agent,
            };
            *limit = row.quota();
        }
        let overrides = snapshot.limits.iter().filter(|row| !row.subject.is_empty()).cloned().collect();
        let revoked = snapshot.revoked.iter().copied().collect();
        let revoked_keys = snapshot.revoked_keys.iter().copied().collect();
        Ok(TenantState { snapshot, messages_used, revoked, revoked_keys, secrets, limits, overrides, keys })
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            current: RwLock::new(None),
            loading: Mutex::new(()),
            refreshing: AtomicBool::new(false),
            changes: watch::Sender::new(0),
            bytes: AtomicU32::new(u32::try_from(TENANT_BYTES).unwrap_or(u32::MAX)),
        }
    }
}

impl Slot {
    fn read(&self) -> Option<(Duration, Arc<TenantState>)> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|(asked_at, state)| (asked_at.elapsed(), state.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use misy_testkit::store::test_store;

    #[tokio::test]
    async fn whoever_waits_for_news_hears_them_wherever_the_cache_let_go_of_the_tenant() {
        let store = test_store().await.unwrap();
        let tenant = store.tenant("andina").await.unwrap().id;
        let states = TenantStates::new(
            store.database.clone(),
            store.vault.clone(),
            store.clock.clone(),
            DefaultLimits::default(),
            Duration::from_secs(1),
            store.bell.clone(),
        );
        let mut news = states.watch(&tenant);
        states.slots.invalidate_all();
        states.slots.run_pending_tasks();
        // Nothing has happened: whoever waits is not woken again and again.
        assert!(news.changed().now_or_never().is_none());
        states.forget(&tenant);
        assert!(news.changed().now_or_never().is_some());
        assert!(states.get(&tenant).await.unwrap().is_some());
        store.admin("update misy.tenants set suspended_at = now()").await.unwrap();
        tokio::time::sleep(FRESH_ENOUGH).await;
        states.look_again().await;
        assert!(news.changed().now_or_never().is_some(), "a look finds what no bell told");
        drop(news);
        states.look_again().await;
        assert!(states.watched.lock().unwrap().is_empty());
    }
}
