//! Rotation of a tenant's data key: a new version seals at once, and whatever is under an older one is sealed anew in
//! batches by whoever holds the lease of the rotation. What is left to do is found by looking for it, so there is no place to
//! remember: a worker can be stopped at any moment, and the next one goes on. When nothing is left, the older versions are
//! retired; the database refuses whatever a replica that was asleep still wants to seal under them.
//!
//! Messages are sealed under the keys of contacts, and these are merely wrapped anew; only messages from before there were
//! such keys are sealed anew themselves, under their contact's.

pub mod root;

use crate::{
    Database, StoreError, TenantKeys, TenantTx, Vault,
    audit::{self, Actor, AuditEntry, Kind},
    leases::{Lease, Leased},
    readable::{readable, stored},
    vault::Via,
};
use jiff_sqlx::ToSqlx;
use metrics::counter;
use misy_domain::{Clock, Entropy, RotationId, TenantId, Timestamp};
use misy_trust::Place;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tracing::warn;

/// Who asks for rotations that are due by the age of keys.
const SCHEDULE: &str = "schedule";
/// How long a rotation rests before it begins, so that every replica has heard of the new key.
const NOTICE: f64 = 1.0;
/// Sealed values in a batch: few enough that their locks are short.
const BATCH: i32 = 500;
/// Tenants that are looked at together for whose keys are too old.
const PAGE: i64 = 20;
/// Rotations, as leased work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rotations;

impl Leased for Rotations {
    type Id = RotationId;
    const TABLE: &'static str = "key_rotations";
    const KIND: &'static str = "key_rotation";
}

/// A rotation as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Its id.
    pub rotation_id: RotationId,
    /// The new version of the data key.
    pub to_version: i32,
    /// Who asked for it.
    pub requested_by: String,
    /// Sealed values under older versions when it began.
    pub rows_total: i64,
    /// How many of them are under the new version by now.
    pub rows_done: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the last batch was done.
    pub updated_at: Timestamp,
    /// When the older versions were retired.
    pub finished_at: Option<Timestamp>,
    /// The code of what went wrong last.
    pub last_error: Option<String>,
}

/// A version of a key of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// `data`, `signing_root` or `blind_index`.
    pub purpose: String,
    /// Its number.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when nothing is under it.
    pub retired_at: Option<Timestamp>,
    /// How many sealed values are under it, by table; only for data keys.
    pub rows: BTreeMap<String, i64>,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many values were sealed anew; there may be more.
    Resealed(u64),
    /// Nothing is left and the older versions are retired.
    Finished,
}

/// Makes a new data key of the tenant of the transaction and begins the rotation to it. It seals as soon as that is
/// committed. [`StoreError::Conflict`] while another rotation goes on.
pub async fn start(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    actor: &Actor,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Rotation, StoreError> {
    let tenant = tx.tenant().clone();
    let newest = sqlx::query_scalar!(
        "select version from data_keys where tenant_id = $1 and purpose = 'data' order by version desc limit 1 for update",
        tenant.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    let version = newest + 1;
    let wrapped = keys.wrap_new(u32::try_from(version).unwrap_or(u32::MAX));
    let id = RotationId::new(clock, entropy);
    let begun = sqlx::query!(
        "insert into key_rotations (tenant_id, rotation_id, to_version, requested_by, rows_total, work_at)
         values ($1, $2, $3::integer, $4,
                 (select coalesce(sum(c.sealed_rows), 0)::bigint from sealed_counts($1) c where c.version < $3::integer),
                 clock_timestamp() + make_interval(secs => $5))",
        tenant.as_str(),
        id.to_string(),
        version,
        actor.as_str(),
        NOTICE,
    )
    .execute(tx.connection())
    .await;
    match begun {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            return Err(StoreError::Conflict("a rotation that goes on"));
        }
        other => other?,
    };
    sqlx::query!(
        "insert into data_keys (tenant_id, purpose, version, wrapped_key) values ($1, 'data', $2, $3)",
        tenant.as_str(),
        version,
        wrapped,
    )
    .execute(tx.connection())
    .await?;
    let begun = rotations(tx).await?.into_iter().find(|rotation| rotation.rotation_id == id);
    begun.ok_or(StoreError::Unsealable("key_rotations"))
}

/// How old the newest data key of a tenant may become.
#[derive(Debug, Clone, Copy)]
pub struct LongestUse {
    /// Of a tenant.
    pub tenant: Duration,
    /// Of the owner.
    pub owner: Duration,
}

/// Begins all rotations that are due by the age of keys; says for whom. Of several replicas that do so at once, one begins
/// each.
pub async fn start_due(
    database: &Database,
    vault: &Vault,
    longest: LongestUse,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Vec<TenantId>, StoreError> {
    let now = clock.now();
    let before = |age: Duration| now.checked_sub(age).unwrap_or(Timestamp::MIN).to_sqlx();
    let (mut begun, mut after) = (Vec::new(), String::new());
    loop {
        let mut tx = database.system("rotation.due").await?;
        let due = sqlx::query_scalar!(
            r#"select t.tenant_id from tenants t
               where t.status = 'active' and t.tenant_id > $3
                 and not exists (select from key_rotations r where r.tenant_id = t.tenant_id and r.finished_at is null)
                 and (select max(k.created_at) from data_keys k where k.tenant_id = t.tenant_id and k.purpose = 'data')
                     < case when t.is_owner then $1::timestamptz else $2::timestamptz end
               order by t.tenant_id limit $4"#,
            before(longest.owner) as _,
            before(longest.tenant) as _,
            after,
            PAGE
        )
        .fetch_all(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(last) = due.last() else { return Ok(begun) };
        after.clone_from(last);
        for tenant in readable("tenant to rotate", due, |name| name.parse::<TenantId>()) {
            match start_by_age(database, vault, &tenant, clock, entropy).await {
                Ok(true) => begun.push(tenant),
                Ok(false) => {}
                // One tenant's trouble keeps no other waiting.
                Err(error) => {
                    counter!("misy_rotations_not_begun_total").increment(1);
                    tracing::error!(tenantId = %tenant, %error, "a rotation that is due cannot begin");
                }
            }
        }
    }
}

/// Begins the rotation of a tenant; `false` if it has no keys, or if somebody else was first.
async fn start_by_age(
    database: &Database,
    vault: &Vault,
    tenant: &TenantId,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    let Some(keys) = vault.keys(database, tenant).await? else { return Ok(false) };
    let mut tx = database.tenant("rotation.start_due", tenant).await?;
    let rotation = match start(&mut tx, &keys, &Actor::outside(SCHEDULE), clock, entropy).await {
        Err(StoreError::Conflict(_)) => return Ok(false),
        started => started?,
    };
    let mut entry = AuditEntry::new(Kind::Change, "rotateDataKey", &Actor::outside(SCHEDULE), clock, entropy);
    entry.subject = Some(rotation.rotation_id.to_string());
    audit::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// The rotations of the tenant, the newest first.
pub async fn rotations(tx: &mut TenantTx) -> Result<Vec<Rotation>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        "select rotation_id, to_version, requested_by, rows_total, rows_done, created_at, updated_at, finished_at, last_error
         from key_rotations where tenant_id = $1 order by to_version desc limit 100",
        tenant.as_str()
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Rotation {
                rotation_id: stored(row.rotation_id.parse())?,
                to_version: row.to_version,
                requested_by: row.requested_by,
                rows_total: row.rows_total,
                rows_done: row.rows_done,
                created_at: row.created_at.to_jiff(),
                updated_at: row.updated_at.to_jiff(),
                finished_at: row.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
                last_error: row.last_error,
            })
        })
        .collect()
}

/// The versions of the tenant's keys, and what is under them.
pub async fn key_versions(tx: &mut TenantTx) -> Result<Vec<KeyVersion>, StoreError> {
    let tenant = tx.tenant().clone();
    let keys = sqlx::query!(
        "select purpose, version, created_at, retired_at from data_keys where tenant_id = $1 order by purpose, version",
        tenant.as_str()
    )
    .fetch_all(tx.connection())
    .await?;
    let counts = sqlx::query!(
        r#"select table_name as "table_name!", version as "version!", sealed_rows as "sealed_rows!" from sealed_counts($1)"#,
        tenant.as_str()
    )
    .fetch_all(tx.connection())
    .await?;
    let rows = |purpose: &str, version: i32| {
        let under = counts.iter().filter(|count| purpose == "data" && count.version == i64::from(version));
        under.map(|count| (count.table_name.clone(), count.sealed_rows)).collect()
    };
    Ok(keys
        .into_iter()
        .map(|key| KeyVersion {
            rows: rows(&key.purpose, key.version),
            purpose: key.purpose,
            version: key.version,
            created_at: key.created_at.to_jiff(),
            retired_at: key.retired_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// Works on rotations, one batch at a time.
pub struct Rotator {
    database: Database,
    vault: Vault,
    batch: i32,
}

/// A sealed value that is to be sealed anew.
struct Sealed {
    table: String,
    column: String,
    key: serde_json::Value,
    row: String,
    contact: Option<String>,
    value: Vec<u8>,
}

impl Rotator {
    /// For the tenants of a database, whose keys are in the vault.
    pub fn new(database: Database, vault: Vault) -> Self {
        Self { database, vault, batch: BATCH }
    }

    /// The same, with batches of another size.
    #[must_use]
    pub fn with_batch(self, batch: i32) -> Self {
        Self { batch, ..self }
    }

    /// Gives the rotation back, for others that wait to come first.
    pub async fn give_way(&self, lease: &Lease<Rotations>) -> Result<(), StoreError> {
        self.database.postpone(lease, Duration::ZERO).await.map(|_| ())
    }

    /// One batch, in one transaction with its progress.
    pub async fn step(&self, lease: &Lease<Rotations>) -> Result<Step, StoreError> {
        let keys = crate::credentials::keys_of(&self.vault, &self.database, &lease.tenant).await?;
        let mut tx = self.database.tenant("rotation.step", &lease.tenant).await?;
        let to_version = hold(&mut tx, lease).await?;
        if keys.version() < to_version {
            keys.refresh(tx.connection()).await?;
        }
        let batch = self.below(&mut tx, to_version).await?;
        if batch.is_empty() {
            return retire(tx, lease, to_version).await;
        }
        let mut done = 0;
        let mut tables: BTreeMap<(String, String), Vec<Sealed>> = BTreeMap::new();
        for sealed in batch {
            tables.entry((sealed.table.clone(), sealed.column.clone())).or_default().push(sealed);
        }
        for ((table, column), values) in tables {
            done += self.reseal(&mut tx, &keys, &table, &column, values).await?;
        }
        if done == 0 {
            return Err(StoreError::Unsealable("what is to be sealed anew"));
        }
        sqlx::query!(
            "update key_rotations set rows_done = rows_done + $1, updated_at = clock_timestamp(), attempts = 0, last_error = null
             where tenant_id = $2 and rotation_id = $3",
            i64::try_from(done).unwrap_or(i64::MAX),
            lease.tenant.as_str(),
            lease.id.to_string(),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(Step::Resealed(done))
    }

    async fn below(&self, tx: &mut TenantTx, to_version: u32) -> Result<Vec<Sealed>, StoreError> {
        let tenant = tx.tenant().clone();
        let rows = sqlx::query!(
            r#"select table_name as "table_name!", column_name as "column_name!", row_key as "row_key!",
                      place_row as "place_row!", contact_id, sealed as "sealed!"
               from sealed_below($1, $2, $3)"#,
            tenant.as_str(),
            i64::from(to_version),
            self.batch,
        )
        .fetch_all(tx.connection())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Sealed {
                table: row.table_name,
                column: row.column_name,
                key: row.row_key,
                row: row.place_row,
                contact: row.contact_id,
                value: row.sealed,
            })
            .collect())
    }

    /// Seals values of one column anew. One that does not open stays as it is, and keeps the rotation from its end.
    async fn reseal(
        &self,
        tx: &mut TenantTx,
        keys: &Arc<TenantKeys>,
        table: &str,
        column: &str,
        values: Vec<Sealed>,
    ) -> Result<u64, StoreError> {
        let tenant = tx.tenant().clone();
        let entropy = self.vault.entropy();
        let (mut names, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for sealed in values {
            let place = Place { tenant: &tenant, table, column, row: &sealed.row };
            let Ok(plaintext) = keys.open(&place, &sealed.value) else {
                warn!(tenantId = %tenant, table, "a sealed value does not open and cannot be sealed anew");
                continue;
            };
            let anew = match &sealed.contact {
                None => keys.seal(&place, &plaintext, entropy)?,
                Some(contact) => match keys.contact(Via::Connection(tx.connection()), contact).await? {
                    Some(key) => key.seal(&place, &plaintext, entropy),
                    // Their key was destroyed, and what lay beside it goes the same way.
                    None => keys.of_nobody()?.seal(&place, &plaintext, entropy),
                },
            };
            names.push(sealed.key);
            old.push(sealed.value);
            new.push(anew);
        }
        let changed = sqlx::query_scalar!(
            r#"select reseal($1, $2, $3, $4, $5, $6) as "changed!""#,
            tenant.as_str(),
            table,
            column,
            serde_json::Value::Array(names),
            &old,
            &new,
        )
        .fetch_one(tx.connection())
        .await?;
        Ok(changed.unsigned_abs())
    }
}

/// Keeps the lease for the transaction; says to which version the rotation goes.
async fn hold(tx: &mut TenantTx, lease: &Lease<Rotations>) -> Result<u32, StoreError> {
    let to_version = sqlx::query_scalar!(
        "select to_version from key_rotations
         where tenant_id = $1 and rotation_id = $2 and fence = $3 and lease_owner = $4 and finished_at is null
         for no key update",
        lease.tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        lease.worker.as_str(),
    )
    .fetch_optional(tx.connection())
    .await?;
    stored(u32::try_from(to_version.ok_or(StoreError::LeaseLost)?))
}

/// Retires the older versions, unless somebody has sealed something under them meanwhile. The lock waits for transactions
/// that are doing so, and after it nobody can; what they have committed is seen by the look behind it.
async fn retire(mut tx: TenantTx, lease: &Lease<Rotations>, to_version: u32) -> Result<Step, StoreError> {
    let version = i32::try_from(to_version).unwrap_or(i32::MAX);
    sqlx::query!(
        "select version from data_keys where tenant_id = $1 and purpose = 'data' and version < $2 order by version for update",
        lease.tenant.as_str(),
        version,
    )
    .fetch_all(tx.connection())
    .await?;
    let left = sqlx::query_scalar!(
        r#"select exists (select from sealed_below($1, $2, 1)) as "left!""#,
        lease.tenant.as_str(),
        i64::from(to_version),
    )
    .fetch_one(tx.connection())
    .await?;
    if left {
        return Ok(Step::Resealed(0));
    }
    sqlx::query!(
        "update data_keys set retired_at = clock_timestamp()
         where tenant_id = $1 and purpose = 'data' and version < $2 and retired_at is null",
        lease.tenant.as_str(),
        version,
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "update key_rotations
         set finished_at = clock_timestamp(), updated_at = clock_timestamp(), work_at = null, lease_owner = null, attempts = 0
         where tenant_id = $1 and rotation_id = $2",
        lease.tenant.as_str(),
        lease.id.to_string(),
    )
    .execute(tx.connection())
    .await?;
    tx.commit().await?;
    Ok(Step::Finished)
}
