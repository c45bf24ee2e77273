//! The root keys: the one that wraps, and those before it that still open what they wrapped.

use crate::{Database, StoreError, key_provider::Kms};
use misy_domain::TenantId;
use misy_trust::{DataKey, KeyProvider, OpenError, RootKey, seal};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How long a root key that was not there is not looked for again, and how many of those are remembered.
const NOT_AGAIN: Duration = Duration::from_secs(10);
const MOST_MISSED: usize = 10;

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
    /// Versions that were looked for in vain, and when.
    missed: Mutex<Vec<(u32, Instant)>>,
}

impl Roots {
    /// Root keys that never change.
    pub fn fixed(keys: Vec<RootKey>) -> Self {
        Self::new(keys, KeySource::Fixed)
    }

    /// Root keys, the one that wraps first, and where they come from.
    pub fn new(keys: Vec<RootKey>, source: KeySource) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), source, missed: Mutex::default() }
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

    /// Whether a root key that is known here wrapped the data key of what is sealed like a signing key.
    pub(crate) fn has_wrapped(&self, sealed: &[u8]) -> bool {
        let wrapped = crate::signing_keys::split(sealed).map(|(wrapped, _)| wrapped);
        wrapped.is_some_and(|wrapped| self.known().iter().any(|root| root.wrapped(wrapped)))
    }

    /// Reads the root keys again unless somebody else just did. A key that was not there a moment ago is not looked for
    /// again: it is known before anything is wrapped by it, so somebody made these bytes up.
    async fn read_again(&self, wrapped: &[u8]) -> Result<(), StoreError> {
        let mut missed = self.missed.lock().await;
        if self.known().iter().any(|root| root.wrapped(wrapped)) {
            return Ok(());
        }
        let version = seal::key_version(wrapped).map_err(|_| StoreError::Unsealable("data_keys"))?;
        missed.retain(|(_, at)| at.elapsed() < NOT_AGAIN);
        if missed.iter().any(|(missed, _)| *missed == version) || missed.len() >= MOST_MISSED {
            return Ok(());
        }
        self.reload().await?;
        if !self.known().iter().any(|root| root.wrapped(wrapped)) {
            missed.push((version, Instant::now()));
        }
        Ok(())
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
                let keys = kms.root_keys(database, before).await?;
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

    /// All of them, the one that wraps first.
    pub fn all(&self) -> Vec<RootKey> {
        self.known().to_vec()
    }

    fn known(&self) -> Arc<Vec<RootKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
