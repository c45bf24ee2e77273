//! Refusals by tenant and reason. Metrics count by reason alone, as a label for each tenant would be one series for each; by
//! tenant they are added up here and written to the database every few seconds.

use crate::desk::FrontDesk;
use misy_domain::TenantId;
use misy_store::{StoreError, usage};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Counts that wait to be written; further ones are seen in the metrics only.
const MOST: usize = 50_000;

type Counts = HashMap<TenantId, HashMap<&'static str, i64>>;

/// Refusals that were not written yet.
#[derive(Default)]
pub(crate) struct Refusals {
    counts: Mutex<Counts>,
}

impl Refusals {
    /// Counts one. Codes are few, and so each tenant has few.
    pub(crate) fn count(&self, tenant: &TenantId, reason: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_tenant) = counts.get_mut(tenant) {
            *of_tenant.entry(reason).or_default() += 1;
        } else if counts.len() < MOST {
            counts.insert(tenant.clone(), HashMap::from([(reason, 1)]));
        }
    }

    /// Writes what was counted. What cannot be written waits for the next time.
    pub(crate) async fn write(&self, desk: &FrontDesk) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        for (tenant, of_tenant) in counts {
            let rows: Vec<_> = of_tenant.iter().map(|(reason, count)| (*reason, *count)).collect();
            let written = async {
                let mut tx = desk.database.tenant("refusals.write", &tenant).await?;
                usage::add_refusals(&mut tx, &rows, desk.clock.now()).await?;
                tx.commit().await
            };
            if let Err(error) = written.await {
                tracing::debug!(tenantId = %tenant, %error, "refusals could not be counted");
                self.put_back(tenant, of_tenant);
                outcome = Err(error);
            }
        }
        outcome
    }

    fn put_back(&self, tenant: TenantId, of_tenant: HashMap<&'static str, i64>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = counts.entry(tenant).or_default();
        for (reason, count) in of_tenant {
            *entry.entry(reason).or_default() += count;
        }
    }
}
