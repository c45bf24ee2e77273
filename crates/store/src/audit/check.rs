//! Compares what is stored with what was sealed: an edit that somebody with all rights made is found.

use super::{
    entries::by_leaf,
    keys,
    tree::{self, hash, number},
};
use crate::{Database, StoreError, TenantTx, Vault, readable::readable};
use misy_domain::TenantId;
use misy_trust::audit_tree::{Frontier, checkpoint};
use std::collections::BTreeMap;

/// An entry takes a few kilobytes at most: see the checks of its table.
const PAGE: i64 = 200;

/// What was found in one trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong.
    pub findings: Vec<String>,
    /// Leaves that were computed anew.
    pub leaves: u64,
    /// Entries that have no leaf yet and wait for one.
    pub waiting: i64,
    /// Checkpoints whose signature and root were compared.
    pub checkpoints: usize,
}

/// The tenants that have a trail.
pub async fn tenants(database: &Database) -> Result<Vec<TenantId>, StoreError> {
    let mut tx = database.system("audit.check").await?;
    let names = sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from audit_trees union select tenant_id from audit_pending order by 1"#
    )
    .fetch_all(tx.connection())
    .await?;
    tx.commit().await?;
    Ok(readable("trail", names, |name| name.parse::<TenantId>()))
}

/// Walks the whole trail of a tenant.
pub async fn check(
    database: &Database,
    vault: &Vault,
    issuer: &str,
    tenant: &TenantId,
) -> Result<Checked, StoreError> {
    let origin = checkpoint::origin(issuer, tenant.as_str());
    let keys: Vec<_> = keys::known(database, vault).await?.iter().map(|key| key.verifier(&origin)).collect();
    let mut tx = database.tenant_work("audit.check", tenant).await?;
    let mut checked = Checked::default();
    let mut claimed = BTreeMap::new();
    for stored in tree::checkpoints(&mut tx, None, i64::MAX).await? {
        checked.checkpoints += 1;
        let size = number(stored.tree_size)?;
        match checkpoint::Checkpoint::verify(&stored.note, &origin, &keys) {
            Ok(note) if note.size == size && note.root.as_slice() == stored.root_hash => {
                claimed.insert(size, note.root);
            }
            Ok(_) => checked.findings.push(format!("the checkpoint of {size} entries is not the signed one")),
            Err(error) => checked.findings.push(format!("the checkpoint of {size} entries {error}")),
        }
    }
    let frontier = leaves(&mut tx, &mut checked, &mut claimed).await?;
    for size in claimed.keys() {
        checked.findings.push(format!("{size} entries were sealed and {} leaves are there", frontier.size()));
    }
    loose_ends(&mut tx, &mut checked).await?;
    tx.commit().await?;
    Ok(checked)
}

async fn leaves(
    tx: &mut TenantTx,
    checked: &mut Checked,
    claimed: &mut BTreeMap<u64, [u8; 32]>,
) -> Result<Frontier, StoreError> {
    let size = tree::size(tx).await?;
    let mut frontier = Frontier::default();
    let mut next = 0;
    while next < size {
        let until = size.min(next + PAGE);
        let mut stored = leaf_rows(tx, next, until).await?.into_iter().peekable();
        let mut entries = by_leaf(tx, next, until, PAGE).await?.into_iter().peekable();
        for place in next..until {
            checked.leaves += 1;
            let leaf = stored.next_if(|(index, ..)| *index == place);
            let entry = entries.next_if(|entry| entry.leaf_index == Some(place));
            let computed = entry.map(|entry| entry.hash()).transpose()?;
            let (told, id) = leaf.map(|(_, bytes, id)| (bytes, id)).unzip();
            let (told, id) = (told.map(hash).transpose()?, id.unwrap_or_default());
            match (computed, told) {
                (Some(computed), Some(told)) if computed == told => {}
                (Some(_), Some(_)) => {
                    checked.findings.push(format!("leaf {place}: the entry {id} was changed"));
                }
                (None, Some(_)) => checked.findings.push(format!("leaf {place}: the entry {id} is gone")),
                _ => checked.findings.push(format!("leaf {place} is gone")),
            }
            frontier.append(computed.or(told).unwrap_or_default(), |_, _| {});
            if let Some(root) = claimed.remove(&frontier.size())
                && root != frontier.root()
            {
                checked
                    .findings
                    .push(format!("the first {} entries are not those that were sealed", frontier.size()));
            }
        }
        next = until;
    }
    Ok(frontier)
}

async fn leaf_rows(
    tx: &mut TenantTx,
    from: i64,
    until: i64,
) -> Result<Vec<(i64, Vec<u8>, String)>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        "select leaf_index, leaf_hash, audit_id from audit_leaves
         where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3 order by leaf_index",
        tenant.as_str(),
        from,
        until
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (row.leaf_index, row.leaf_hash, row.audit_id)).collect())
}

/// Entries without a leaf wait for one; those that do not even wait were slipped in.
async fn loose_ends(tx: &mut TenantTx, checked: &mut Checked) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        r#"with waiting as (
               select unnest(audit_ids) as audit_id from audit_pending where tenant_id = $1
           ), aside as (
               select audit_id from audit_quarantine where tenant_id = $1
           ), loose as (
               select e.audit_id from audit_entries e
               where e.tenant_id = $1
                   and not exists (select from audit_leaves l where l.tenant_id = $1 and l.audit_id = e.audit_id)
           )
           select (select count(*) from waiting) as "waiting!",
                  coalesce((select array_agg(audit_id) from (
                      select audit_id from loose except select audit_id from waiting except select audit_id from aside
                      order by 1 limit 20) s), '{}') as "slipped!: Vec<String>",
                  coalesce((select array_agg(audit_id) from (select audit_id from aside order by 1 limit 20) s), '{}')
                      as "aside!: Vec<String>""#,
        tenant.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    checked.waiting = row.waiting;
    for id in row.aside {
        checked.findings.push(format!("the entry {id} is in quarantine: it cannot be read"));
    }
    for id in row.slipped {
        checked.findings.push(format!("the entry {id} has no leaf and waits for none"));
    }
    Ok(())
}
