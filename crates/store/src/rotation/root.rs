//! Rotation of the root key: every data key is wrapped anew by the one that wraps now. Those before it go on unwrapping until
//! nothing is left under them. What is done is done, so it can be stopped at any moment and begun again.

use crate::{Database, StoreError, Vault, readable::stored, signing_keys};
use misy_domain::TenantId;
use misy_trust::DataKey;
use tracing::error;

/// How many data keys are wrapped by a root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrapped {
    /// The fingerprint of the root key.
    pub root: u32,
    /// Whether it is the one that wraps now.
    pub active: bool,
    /// Data keys of tenants under it.
    pub data_keys: i64,
}

const BATCH: i64 = 200;

/// What is wrapped by which root key.
pub async fn status(database: &Database, vault: &Vault) -> Result<Vec<Wrapped>, StoreError> {
    let active = vault.roots().active().version();
    let mut tx = database.system("read what root keys wrap").await?;
    let rows = sqlx::query!(
        r#"select data_key_version(wrapped_key) as "root!", count(*) as "data_keys!"
           from data_keys where purpose = 'data' group by 1 order by 1"#
    )
    .fetch_all(tx.connection())
    .await?;
    tx.commit().await?;
    rows.into_iter()
        .map(|row| {
            let root = stored(u32::try_from(row.root))?;
            Ok(Wrapped { root, active: root == active, data_keys: row.data_keys })
        })
        .collect()
}

/// Wraps everything by the root key that wraps now; tells how many data keys it was. `progress` hears of each batch.
pub async fn rewrap(
    database: &Database,
    vault: &Vault,
    mut progress: impl FnMut(u64),
) -> Result<u64, StoreError> {
    let (mut tenant, mut version, mut total) = (String::new(), 0, 0);
    loop {
        let mut tx = database.system("wrap data keys anew").await?;
        let rows = sqlx::query!(
            "select tenant_id, version, wrapped_key from data_keys
             where purpose = 'data' and (tenant_id, version) > ($1, $2)
             order by tenant_id, version limit $3",
            tenant,
            version,
            BATCH,
        )
        .fetch_all(tx.connection())
        .await?;
        let Some(last) = rows.last() else { break };
        (tenant, version) = (last.tenant_id.clone(), last.version);
        let (mut tenants, mut versions, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let root = vault.roots().active();
        for row in rows.into_iter().filter(|row| !root.wrapped(&row.wrapped_key)) {
            // One that cannot be unwrapped stays as it is, and keeps the old root key from being retired.
            let (id, key) = match unwrap(vault, &row.tenant_id, row.version, &row.wrapped_key).await {
                Ok(unwrapped) => unwrapped,
                Err(StoreError::Unavailable(error)) => return Err(StoreError::Unavailable(error)),
                Err(error) => {
                    error!(tenantId = row.tenant_id, version = row.version, %error, "a data key cannot be unwrapped");
                    continue;
                }
            };
            new.push(root.wrap(&id, &key, vault.entropy()));
            tenants.push(row.tenant_id);
            versions.push(row.version);
            old.push(row.wrapped_key);
        }
        let changed = sqlx::query!(
            "update data_keys k set wrapped_key = r.new
             from unnest($1::text[], $2::int[], $3::bytea[], $4::bytea[]) as r (tenant_id, version, old, new)
             where k.tenant_id = r.tenant_id and k.purpose = 'data' and k.version = r.version and k.wrapped_key = r.old",
            &tenants,
            &versions,
            &old,
            &new,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        total += changed.rows_affected();
        progress(total);
    }
    signing_keys::rewrap(database, vault).await?;
    Ok(total)
}

async fn unwrap(
    vault: &Vault,
    tenant: &str,
    version: i32,
    wrapped: &[u8],
) -> Result<(TenantId, DataKey), StoreError> {
    let id: TenantId = stored(tenant.parse())?;
    let key = vault.roots().unwrap(&id, stored(u32::try_from(version))?, wrapped).await?;
    Ok((id, key))
}
