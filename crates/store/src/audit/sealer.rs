//! Gives entries their places in the tree of their tenant and signs how far it goes.

use super::{
    entries::without_leaf,
    keys,
    tree::{self, StoredCheckpoint, TILE, signed},
};
use crate::{
    Database, StoreError, TenantTx, Vault,
    alerts::{self, Alert, Severity},
    readable::readable,
};
use jiff_sqlx::ToSqlx;
use misy_domain::{AlertId, Clock, TenantId};
use misy_trust::audit_tree::{
    Frontier, Hash,
    checkpoint::{self, Checkpoint},
};
use sqlx::postgres::types::PgInterval;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing::error;

/// Statements whose entries are taken at once, unless they have more entries than the other number says.
const STATEMENTS: i64 = 512;
const ENTRIES: i64 = 8_192;
/// And about so many bytes of entries: a statement comes in pieces far smaller than this.
const OCTETS: i64 = 4 * 1024 * 1024;
/// How often a tenant's turn comes in one round. What waits then waits for the next, with what others wrote meanwhile.
const TURNS: usize = 64;
/// Tenants looked at in one round, unless it is set.
const TENANTS: i64 = 1_000;

/// When a checkpoint is signed.
#[derive(Debug, Clone, Copy)]
pub struct SealTerms {
    /// So long after the first entry that no checkpoint covers; at once if it is nothing.
    pub after: Duration,
    /// When so many entries are not covered.
    pub entries: i64,
}

impl Default for SealTerms {
    fn default() -> Self {
        Self { after: Duration::from_mins(15), entries: 10_000 }
    }
}

/// The sequencer. Any number of replicas may run one: the row of a tenant's tree is held by one at a time.
#[derive(Clone)]
pub struct Sealer {
    database: Database,
    vault: Vault,
    clock: Arc<dyn Clock>,
    issuer: Arc<str>,
    terms: SealTerms,
    tenants: i64,
    /// The tenant that the last round ended with, by its name; none when it came to the end of all.
    cursor: Arc<Mutex<String>>,
}

/// What one look at a tenant came to.
struct Sealed {
    /// More waits.
    more: bool,
    checkpoint: Option<StoredCheckpoint>,
}

impl Sealer {
    /// Makes the first key if there is none.
    pub async fn new(
        database: Database,
        vault: Vault,
        clock: Arc<dyn Clock>,
        terms: SealTerms,
    ) -> Result<Self, StoreError> {
        let issuer = database.installation_issuer(&*clock, vault.entropy()).await?.into();
        keys::ensure(&database, &vault, &*clock).await?;
        Ok(Self { database, vault, clock, issuer, terms, tenants: TENANTS, cursor: Arc::default() })
    }

    /// The same, that looks at so many tenants in one round.
    #[must_use]
    pub fn in_rounds_of(mut self, tenants: u16) -> Self {
        self.tenants = tenants.max(1).into();
        self
    }

    /// The origin line of a tenant's checkpoints.
    pub fn origin(&self, tenant: &TenantId) -> String {
        checkpoint::origin(&self.issuer, tenant.as_str())
    }

    /// The name of the installation.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Takes what waits now and signs what is due. Tenants take turns: one with very much keeps nobody waiting.
    pub async fn round(&self) -> Result<(), StoreError> {
        let mut waiting = self.waiting().await?;
        for _ in 0..TURNS {
            let mut again = Vec::new();
            for tenant in waiting {
                match self.step(&tenant, false).await {
                    Ok(Some(Sealed { more: true, .. })) => again.push(tenant),
                    Ok(_) => {}
                    // One tenant's trouble, such as a tree that was tampered with, keeps no other waiting.
                    Err(failure) => {
                        error!(tenantId = %tenant, error = %failure, "the audit tree cannot grow");
                    }
                }
            }
            if again.is_empty() {
                break;
            }
            waiting = again;
        }
        Ok(())
    }

    /// Takes everything of a tenant that is committed now and signs it; `None` if the tenant has no entries at all.
    pub async fn seal(&self, tenant: &TenantId) -> Result<Option<StoredCheckpoint>, StoreError> {
        loop {
            let Some(sealed) = self.step(tenant, true).await? else { return Ok(None) };
            if !sealed.more {
                return Ok(sealed.checkpoint);
            }
        }
    }

    /// Some tenants with something to do, from where the last round ended: once around, whoever comes first by name keeps
    /// nobody else waiting.
    async fn waiting(&self) -> Result<Vec<TenantId>, StoreError> {
        let after = self.cursor().clone();
        let mut tx = self.database.system("audit.waiting").await?;
        let rows = sqlx::query!(
            r#"(select tenant_id as "tenant_id!", true as "waits!" from audit_pending where tenant_id > $2
                group by tenant_id order by tenant_id limit $1)
               union all
               (select tenant_id, false from audit_trees where checkpoint_due <= clock_timestamp() and tenant_id > $2
                order by tenant_id limit $1)"#,
            self.tenants,
            after
        )
        .fetch_all(tx.connection())
        .await?;
        tx.commit().await?;
        let of = |waits| rows.iter().filter(move |row| row.waits == waits).map(|row| row.tenant_id.as_str());
        let is_cut = |waits| i64::try_from(of(waits).count()).is_ok_and(|count| count >= self.tenants);
        let ends = [true, false]
            .into_iter()
            .filter(|waits| is_cut(*waits))
            .filter_map(|waits| of(waits).next_back());
        // What lies behind the first end comes next. Without any, all the rest was seen.
        ends.min().unwrap_or_default().clone_into(&mut self.cursor());
        let names: BTreeSet<String> = rows.into_iter().map(|row| row.tenant_id).collect();
        Ok(readable("trail", names, |name| name.parse::<TenantId>()))
    }

    fn cursor(&self) -> MutexGuard<'_, String> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction. `None` if another replica has the tree in hand; with `wait`, waits for it and always signs.
    async fn step(&self, tenant: &TenantId, wait: bool) -> Result<Option<Sealed>, StoreError> {
        let mut tx = self.database.tenant_seal("audit.seal", tenant).await?;
        let Some(head) = Head::hold(&mut tx, wait).await? else { return Ok(None) };
        let (ids, more) = take(&mut tx).await?;
        let (entries, unreadable) = without_leaf(&mut tx, &ids).await?;
        if !unreadable.is_empty() {
            self.quarantine(&mut tx, &unreadable).await?;
        }
        let mut frontier = tree::frontier(&mut tx, head.tree_size).await?;
        let mut growth = Growth::default();
        for (id, hash) in entries {
            growth.leaf(&mut frontier, id, hash)?;
        }
        growth.store(&mut tx).await?;
        let size = signed(frontier.size())?;
        let uncovered = size - head.checkpoint_size;
        let is_time = wait || head.is_due || head.is_over || self.terms.after.is_zero();
        let due = uncovered > 0 && (is_time && !more || uncovered >= self.terms.entries);
        let mut checkpoint = None;
        if due {
            checkpoint = Some(self.sign(&mut tx, tenant, &frontier).await?);
        } else if wait {
            checkpoint = tree::latest_checkpoint(&mut tx).await?;
        }
        head.leave(&mut tx, size, due, self.terms.after).await?;
        tx.commit().await?;
        Ok(Some(Sealed { more, checkpoint }))
    }

    /// Puts aside what cannot be read, so that nothing else waits for it, and says so.
    async fn quarantine(&self, tx: &mut TenantTx, ids: &[String]) -> Result<(), StoreError> {
        let tenant = tx.tenant().clone();
        error!(tenantId = %tenant, entries = ?ids, "audit entries cannot be read and are put into quarantine");
        metrics::counter!("misy_audit_quarantined_total").increment(ids.len() as u64);
        sqlx::query!(
            "insert into audit_quarantine (tenant_id, audit_id) select $1, unnest($2::text[]) on conflict do nothing",
            tenant.as_str(),
            ids
        )
        .execute(tx.connection())
        .await?;
        let is_there = sqlx::query_scalar!("select true from tenants where tenant_id = $1", tenant.as_str())
            .fetch_optional(tx.connection())
            .await?;
        let Some(first) = ids.first().filter(|_| is_there.is_some()) else { return Ok(()) };
        let now = self.clock.now();
        let alert = Alert {
            alert_id: AlertId::new(&*self.clock, self.vault.entropy()),
            rule: "audit_quarantine".to_owned(),
            occurrence: first.clone(),
            severity: Severity::Critical,
            actor: None,
            subject: Some(first.clone()),
            detail: serde_json::json!({ "entries": ids.len() }),
            raised_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
        };
        alerts::raise(tx, &self.vault, &alert).await?;
        Ok(())
    }

    async fn sign(
        &self,
        tx: &mut TenantTx,
        tenant: &TenantId,
        frontier: &Frontier,
    ) -> Result<StoredCheckpoint, StoreError> {
        let now = self.clock.now();
        let keys = keys::signing(tx.connection(), &self.vault, now).await?;
        let checkpoint =
            Checkpoint { origin: self.origin(tenant), size: frontier.size(), root: frontier.root() };
        let note = checkpoint.sign(&keys.iter().collect::<Vec<_>>());
        let signed = StoredCheckpoint {
            tree_size: signed(frontier.size())?,
            root_hash: checkpoint.root.to_vec(),
            note,
            signed_at: now,
        };
        sqlx::query!(
            "insert into audit_checkpoints (tenant_id, tree_size, root_hash, note, signed_at) values ($1, $2, $3, $4, $5)",
            tenant.as_str(),
            signed.tree_size,
            signed.root_hash,
            signed.note,
            signed.signed_at.to_sqlx() as _
        )
        .execute(tx.connection())
        .await?;
        Ok(signed)
    }
}

/// Where a tree stands, held until the transaction ends.
struct Head {
    tree_size: i64,
    checkpoint_size: i64,
    is_due: bool,
    /// The tenant is closed or gone: each entry may be the last.
    is_over: bool,
}

impl Head {
    async fn hold(tx: &mut TenantTx, wait: bool) -> Result<Option<Self>, StoreError> {
        let tenant = tx.tenant().clone();
        sqlx::query!(
            "insert into audit_trees (tenant_id) values ($1) on conflict do nothing",
            tenant.as_str()
        )
        .execute(tx.connection())
        .await?;
        if wait {
            sqlx::query!("select from audit_trees where tenant_id = $1 for update", tenant.as_str())
                .fetch_optional(tx.connection())
                .await?;
        }
        let row = sqlx::query_as!(
            Self,
            r#"select tree_size, checkpoint_size, coalesce(checkpoint_due <= clock_timestamp(), false) as "is_due!",
                      not exists (select from tenants o where o.tenant_id = $1 and o.status <> 'closed') as "is_over!"
               from audit_trees t where t.tenant_id = $1 for update of t skip locked"#,
            tenant.as_str()
        )
        .fetch_optional(tx.connection())
        .await?;
        Ok(row)
    }

    async fn leave(
        &self,
        tx: &mut TenantTx,
        size: i64,
        signed: bool,
        after: Duration,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant().clone();
        let microseconds = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        sqlx::query!(
            "update audit_trees
             set tree_size = $2,
                 checkpoint_size = case when $3 then $2 else checkpoint_size end,
                 checkpoint_due = case
                     when $3 or $2 = checkpoint_size then null
                     else coalesce(checkpoint_due, clock_timestamp() + $4) end
             where tenant_id = $1",
            tenant.as_str(),
            size,
            signed,
            PgInterval { months: 0, days: 0, microseconds }
        )
        .execute(tx.connection())
        .await?;
        Ok(())
    }
}

/// Takes statements that wait: the ids of their entries, and whether more wait.
async fn take(tx: &mut TenantTx) -> Result<(Vec<String>, bool), StoreError> {
    let tenant = tx.tenant().clone();
    let taken = sqlx::query_scalar!(
        "delete from audit_pending where tenant_id = $1 and pending_id in (
             select pending_id from (
                 select pending_id, sum(cardinality(audit_ids)) over (order by pending_id) - cardinality(audit_ids) as before,
                        (sum(octets) over (order by pending_id))::bigint - octets as octets_before
                 from (select pending_id, audit_ids, octets from audit_pending where tenant_id = $1 limit $2) as looked_at
             ) as counted
             where before < $3 and octets_before < $4)
         returning audit_ids",
        tenant.as_str(),
        STATEMENTS,
        ENTRIES,
        OCTETS
    )
    .fetch_all(tx.connection())
    .await?;
    let more = sqlx::query_scalar!(
        r#"select exists (select from audit_pending where tenant_id = $1) as "more!""#,
        tenant.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok((taken.concat(), more && !taken.is_empty()))
}

/// What a tree grows by.
#[derive(Default)]
struct Growth {
    places: Vec<i64>,
    ids: Vec<String>,
    hashes: Vec<Vec<u8>>,
    node_levels: Vec<i16>,
    node_places: Vec<i64>,
    node_hashes: Vec<Vec<u8>>,
}

impl Growth {
    fn leaf(&mut self, frontier: &mut Frontier, id: String, hash: Hash) -> Result<(), StoreError> {
        self.places.push(signed(frontier.size())?);
        self.ids.push(id);
        self.hashes.push(hash.to_vec());
        frontier.append(hash, |node, hash| {
            // A tree high enough to overflow these would have more leaves than a table has rows.
            if let (0, Ok(level), Ok(place)) =
                (node.level % TILE, i16::try_from(node.level), i64::try_from(node.index))
            {
                self.node_levels.push(level);
                self.node_places.push(place);
                self.node_hashes.push(hash.to_vec());
            }
        });
        Ok(())
    }

    async fn store(&self, tx: &mut TenantTx) -> Result<(), StoreError> {
        if self.places.is_empty() {
            return Ok(());
        }
        let tenant = tx.tenant().clone();
        sqlx::query!(
            "insert into audit_leaves (tenant_id, leaf_index, audit_id, leaf_hash)
             select $1, l.* from unnest($2::bigint[], $3::text[], $4::bytea[]) as l",
            tenant.as_str(),
            &self.places,
            &self.ids,
            &self.hashes
        )
        .execute(tx.connection())
        .await?;
        if !self.node_levels.is_empty() {
            sqlx::query!(
                "insert into audit_nodes (tenant_id, level, node_index, node_hash)
                 select $1, n.* from unnest($2::smallint[], $3::bigint[], $4::bytea[]) as n",
                tenant.as_str(),
                &self.node_levels,
                &self.node_places,
                &self.node_hashes
            )
            .execute(tx.connection())
            .await?;
        }
        Ok(())
    }
}
