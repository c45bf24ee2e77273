//! Context packs made ready for answering, kept as long as they are used.

use misy_agents::CompiledPack;
use misy_domain::{ContextPack, TenantId};
use misy_store::{StoreError, TenantTx, turns};
use moka::sync::Cache;
use std::{sync::Arc, time::Duration};

const PACKS_IN_MEMORY: u64 = 2_000;

/// Compiled packs by tenant and version. Cheap to clone.
#[derive(Clone)]
pub struct Packs(Cache<(TenantId, i64), Arc<CompiledPack>>);

impl Default for Packs {
    fn default() -> Self {
        let idle = Duration::from_hours(1);
        Self(Cache::builder().max_capacity(PACKS_IN_MEMORY).time_to_idle(idle).build())
    }
}

impl Packs {
    /// The pack of a version; `None` if it is not there or is not one that this program can read.
    pub(crate) async fn get(
        &self,
        tx: &mut TenantTx,
        version: i64,
    ) -> Result<Option<Arc<CompiledPack>>, StoreError> {
        let key = (tx.tenant().clone(), version);
        if let Some(pack) = self.0.get(&key) {
            return Ok(Some(pack));
        }
        let Some(json) = turns::pack_of_version(tx, version).await? else { return Ok(None) };
        let Ok(pack) = ContextPack::parse(&json) else { return Ok(None) };
        let pack = Arc::new(CompiledPack::new(Arc::new(pack)));
        self.0.insert(key, pack.clone());
        Ok(Some(pack))
    }
}
