//! The keys that roles of the program prove themselves to each other with: in the ring of the signing keys, sealed and
//! rotated like them, and never published.

use crate::{
    Database, StoreError, Vault,
    signing_keys::{LIFETIME, generate, insert, lock, read, retire},
};
use misy_domain::{Clock, Timestamp};
use misy_trust::{Algorithm, ServiceKeys};
use std::time::Duration;

/// How long before it signs a new key can be read, so that every process has read it by then.
const NOTICE: Duration = Duration::from_mins(10);
/// How long a key verifies after another took over: longer than any service token lives.
const OVERLAP: Duration = Duration::from_mins(10);

/// The keys that are in use, after making one if there is none or the newest has signed for its lifetime.
pub async fn load_or_create(
    database: &Database,
    vault: &Vault,
    issuer: &str,
    clock: &dyn Clock,
) -> Result<ServiceKeys, StoreError> {
    let keys = load(database, vault, issuer, clock.now()).await?;
    if is_fresh(&keys, clock.now()) {
        return Ok(keys);
    }
    let mut tx = database.system("service_keys.create").await?;
    lock(&mut tx).await?;
    // Somebody else may have made one while we waited.
    let keys = load(database, vault, issuer, clock.now()).await?;
    if !is_fresh(&keys, clock.now()) {
        let mut key = generate(Algorithm::EdDsa, vault, clock)?;
        if !keys.keys().is_empty() {
            let takes_over = clock.now().checked_add(NOTICE).unwrap_or(Timestamp::MAX);
            key = key.activating_at(takes_over);
            retire(&mut tx, database, vault, "service", takes_over).await?;
        }
        insert(&mut tx, vault, &key, "service").await?;
    }
    tx.commit().await?;
    load(database, vault, issuer, clock.now()).await
}

fn is_fresh(keys: &ServiceKeys, now: Timestamp) -> bool {
    let due = now.checked_sub(LIFETIME).unwrap_or(Timestamp::MIN);
    keys.keys().iter().any(|key| key.record().activates_at > due && key.record().retires_at.is_none())
}

async fn load(
    database: &Database,
    vault: &Vault,
    issuer: &str,
    now: Timestamp,
) -> Result<ServiceKeys, StoreError> {
    let since = now.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
    let keys = read(database, vault, "service", since).await?;
    Ok(ServiceKeys::new(issuer, keys))
}
