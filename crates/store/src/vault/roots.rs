//! The root keys: the one that wraps, and those before it that still open what they wrapped.

use crate::{Database, StoreError, key_provider::Kms};
use misy_domain::TenantId;
use misy_trust::{DataKey, KeyProvider, OpenError, RootKey, seal};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

/// Where root keys are read again when one is met that is not known here: another replica may have begun to use it.
pub enum KeySource {
    /// Nowhere.
    Fixed,
    /// The file or the environment.
    Local(KeyProvider),
    /// The database, where each is wrapped by a key management service. Behind them the keys of the provider before, as
    /// long as something is wrapped by them.
    Remote(Box<Kms>, Database, Vec<RootKey>),
}

/// The root keys of the installation.
pub struct Roots {
    /// The first one wraps.
    keys: RwLock<Arc<Vec<RootKey>>>,
    source: KeySource,
    reading: Mutex<()>,
}

impl Roots {
    /// Root keys that never change.
    pub fn fixed(keys: Vec<RootKey>) -> Self {
        Self::new(keys, KeySource::Fixed)
    }

    /// Root keys, the one that wraps first, and where they come from.
    pub fn new(keys: Vec<RootKey>, source: KeySource) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), source, reading: Mutex::new(()) }
    }

    /// The one that wraps.
    #[allow(clippy::missing_panics_doc, clippy::indexing_slicing, reason = "there is always one: see `put`")]
    pub fn active(&self) -> RootKey {
        self.known()[0].clone()
    }

    /// Unwraps a data key.
    pub async fn unwrap(
        &self,
        tenant: &TenantId,
        version: u32,
        wrapped: &[u8],
    ) -> Result<DataKey, StoreError> {
        let broken = || StoreError::Unsealable("data_keys");
        if let Some(key) = self.known().iter().find(|root| root.wrapped(wrapped)) {
            return key.unwrap(tenant, version, wrapped).map_err(|_| broken());
        }
        seal::key_version(wrapped).map_err(|_: OpenError| broken())?;
        self.read_again(wrapped).await?;
        let known = self.known();
        let root = known.iter().find(|root| root.wrapped(wrapped)).ok_or(StoreError::UnknownRootKey)?;
        root.unwrap(tenant, version, wrapped).map_err(|_| broken())
    }

    /// Reads the root keys again unless somebody else just did.
    async fn read_again(&self, wrapped: &[u8]) -> Result<(), StoreError> {
        let _turn = self.reading.lock().await;
        if self.known().iter().any(|root| root.wrapped(wrapped)) {
            return Ok(());
        }
        self.reload().await
    }

    /// Reads the root keys again.
    pub async fn reload(&self) -> Result<(), StoreError> {
        match &self.source {
            KeySource::Fixed => {}
            KeySource::Local(provider) => {
                if let Ok(keys) = provider.load_all() {
                    self.put(keys);
                }
            }
            KeySource::Remote(kms, database, before) => {
                let keys = kms.root_keys(database).await?;
                if !keys.is_empty() {
                    self.put([keys, before.clone()].concat());
                }
            }
        }
        Ok(())
    }

    /// Reads the root keys again if others are there than before; to be called now and then, so that a replica that wraps
    /// does so by the newest.
    pub async fn look(&self) -> Result<(), StoreError> {
        if let KeySource::Remote(kms, database, _) = &self.source {
            let newest = kms.newest_version(database).await?;
            if newest.is_none_or(|newest| newest == self.active().version()) {
                return Ok(());
            }
        }
        self.reload().await
    }

    /// Takes these instead.
    pub fn put(&self, keys: Vec<RootKey>) {
        if !keys.is_empty() {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        }
    }

    fn known(&self) -> Arc<Vec<RootKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
