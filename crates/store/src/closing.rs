//! The end of a tenant: what a clean-up will remove, and the clean-up itself, when the grace period is over.

use crate::{
    Database, StoreError, TenantTx,
    audit::{self, Actor, AuditEntry},
    readable::readable,
};
use jiff_sqlx::ToSqlx;
use misy_domain::{Clock, Entropy, TenantId, Timestamp};
use serde_json::{Value, json};

/// Rows that one transaction of a clean-up removes at most.
pub const BATCH: i32 = 2_000;

/// What a batch of a clean-up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purged {
    /// There is more to remove.
    More,
    /// Nothing of the tenant is left but its audit trail.
    Done,
    /// Not due, gone already, or another replica is at work.
    Nothing,
}

/// How many rows of the tenant a clean-up will remove, by table.
pub async fn inventory(tx: &mut TenantTx) -> Result<Value, StoreError> {
    let tenant = tx.tenant().clone();
    let inventory = sqlx::query_scalar!("select misy.tenant_inventory($1)", tenant.as_str())
        .fetch_one(tx.connection())
        .await?;
    Ok(inventory.unwrap_or_else(|| json!({})))
}

/// Tenants whose grace period is over, those first that wait the longest.
pub async fn due(database: &Database, now: Timestamp) -> Result<Vec<TenantId>, StoreError> {
    let mut tx = database.system("tenants.due_for_purge").await?;
    let ids = sqlx::query_scalar!(
        "select tenant_id from tenants where purge_at <= $1 and status = 'closed' order by purge_at limit 100",
        now.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    tx.commit().await?;
    Ok(readable("tenant to clean up", ids, |id| id.parse::<TenantId>()))
}

/// Removes at most so many rows of a tenant whose grace period is over, in one transaction. The last one removes the tenant
/// and says so in its trail. May be interrupted anywhere and called again by anybody.
pub async fn purge_batch(
    database: &Database,
    tenant: &TenantId,
    limit: i32,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Purged, StoreError> {
    let mut tx = database.system("tenants.purge").await?;
    let row = sqlx::query!(
        "select outcome, removed, total from platform.purge_batch($1, $2, $3)",
        tenant.as_str(),
        clock.now().to_sqlx() as _,
        limit
    )
    .fetch_one(tx.connection())
    .await?;
    let purged = match row.outcome.as_deref() {
        Some("more") => Purged::More,
        Some("done") => {
            let mut entry =
                AuditEntry::new(audit::Kind::System, "purgeTenant", &Actor::outside("misy"), clock, entropy);
            entry.subject = Some(tenant.to_string());
            entry.detail = Some(json!({ "rows": row.total }));
            audit::record_system(&mut tx, tenant, &entry).await?;
            Purged::Done
        }
        _ => Purged::Nothing,
    };
    tx.commit().await?;
    Ok(purged)
}
