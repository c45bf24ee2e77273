//! Context packs: all versions are kept, the highest is in force.

use crate::{StoreError, TenantTx};
use misy_domain::ContextPack;

/// A context pack with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPack {
    /// From 1, growing by one.
    pub version: i64,
    /// The pack as JSON, as it was validated.
    pub pack: serde_json::Value,
}

/// The pack in force.
pub async fn current(tx: &mut TenantTx) -> Result<Option<StoredPack>, StoreError> {
    let tenant = tx.tenant().clone();
    let pack = sqlx::query_as!(
        StoredPack,
        "select version, pack from context_packs where tenant_id = $1 order by version desc limit 1",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(pack)
}

/// The version of the pack in force; 0 if there is none.
pub async fn current_version(tx: &mut TenantTx) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    let version =
        sqlx::query_scalar!("select max(version) from context_packs where tenant_id = $1", tenant.as_str())
            .fetch_one(tx.connection())
            .await?;
    Ok(version.unwrap_or_default())
}

/// Refuses what was made of another version than the one in force.
pub async fn expect(tx: &mut TenantTx, expected: Option<i64>) -> Result<(), StoreError> {
    match expected {
        Some(expected) if expected != current_version(tx).await? => Err(StoreError::Stale("context pack")),
        _ => Ok(()),
    }
}

/// Puts a pack in force and gives its version. With `expected`, only if that is still the version in force.
pub async fn put(tx: &mut TenantTx, pack: &ContextPack, expected: Option<i64>) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    // Writers of one tenant come one after the other, so that no version is given out twice.
    sqlx::query!("select tenant_id from tenants where tenant_id = $1 for no key update", tenant.as_str())
        .fetch_optional(tx.connection())
        .await?;
    expect(tx, expected).await?;
    let version = current_version(tx).await?;
    sqlx::query!(
        "insert into context_packs (tenant_id, version, pack) values ($1, $2, $3)",
        tenant.as_str(),
        version + 1,
        pack.to_json()
    )
    .execute(tx.connection())
    .await?;
    Ok(version + 1)
}
