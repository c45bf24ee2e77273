//! Hashes of a stored tree, and the proofs made of them.

use crate::{StoreError, TenantTx};
use jiff_sqlx::ToSqlx;
use misy_domain::{AuditId, Timestamp};
use misy_trust::audit_tree::{Frontier, Hash, Subtree, consistency_ranges, fold, inclusion_ranges, subtrees};
use std::{collections::HashMap, ops::Range};

/// The levels whose nodes are stored are multiples of this.
pub(super) const TILE: u32 = 8;

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many entries.
    pub tree_size: i64,
    /// The root.
    pub root_hash: Vec<u8>,
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// The leaf of an entry: its place and hash.
pub async fn leaf_of(tx: &mut TenantTx, audit_id: AuditId) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select leaf_index, leaf_hash from audit_leaves where tenant_id = $1 and audit_id = $2",
        tenant.as_str(),
        audit_id.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| (row.leaf_index, row.leaf_hash)))
}

/// How many leaves the tree has.
pub async fn size(tx: &mut TenantTx) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    let size = sqlx::query_scalar!(
        "select max(leaf_index) + 1 from audit_leaves where tenant_id = $1",
        tenant.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(size.unwrap_or_default())
}

/// Checkpoints of the tenant, the newest first, below a size.
pub async fn checkpoints(
    tx: &mut TenantTx,
    below: Option<i64>,
    limit: i64,
) -> Result<Vec<StoredCheckpoint>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        "select tree_size, root_hash, note, signed_at from audit_checkpoints
         where tenant_id = $1 and ($2::bigint is null or tree_size < $2) order by tree_size desc limit $3",
        tenant.as_str(),
        below,
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    let found = rows.into_iter().map(|row| StoredCheckpoint {
        tree_size: row.tree_size,
        root_hash: row.root_hash,
        note: row.note,
        signed_at: row.signed_at.to_jiff(),
    });
    Ok(found.collect())
}

/// The newest checkpoint.
pub async fn latest_checkpoint(tx: &mut TenantTx) -> Result<Option<StoredCheckpoint>, StoreError> {
    Ok(checkpoints(tx, None, 1).await?.pop())
}

/// The places, first and one past the last, of the leaves whose entries are of a time.
pub async fn leaves_of_time(
    tx: &mut TenantTx,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Option<Range<i64>>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select min(l.leaf_index) as low, max(l.leaf_index) + 1 as high
         from audit_entries e join audit_leaves l on l.tenant_id = e.tenant_id and l.audit_id = e.audit_id
         where e.tenant_id = $1 and ($2::timestamptz is null or e.at >= $2) and ($3::timestamptz is null or e.at < $3)",
        tenant.as_str(),
        from.map(ToSqlx::to_sqlx) as _,
        until.map(ToSqlx::to_sqlx) as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(row.low.zip(row.high).map(|(low, high)| low..high))
}

/// The hashes that prove that a leaf is in the tree of a size.
pub async fn inclusion(tx: &mut TenantTx, index: i64, size: i64) -> Result<Vec<Hash>, StoreError> {
    of_ranges(tx, inclusion_ranges(number(index)?, number(size)?)).await
}

/// The hashes that prove that the tree of a size begins with that of a smaller size.
pub async fn consistency(tx: &mut TenantTx, first: i64, size: i64) -> Result<Vec<Hash>, StoreError> {
    of_ranges(tx, consistency_ranges(number(first)?, number(size)?)).await
}

/// The hashes of the complete subtrees that a range of leaves consists of.
pub async fn subtree_hashes(tx: &mut TenantTx, range: Range<i64>) -> Result<Vec<Hash>, StoreError> {
    hashes(tx, &subtrees(number(range.start)?..number(range.end)?)).await
}

/// The right edge of the tree of a size.
pub(super) async fn frontier(tx: &mut TenantTx, size: i64) -> Result<Frontier, StoreError> {
    let roots = subtree_hashes(tx, 0..size).await?;
    Frontier::new(number(size)?, roots).ok_or(StoreError::Unsealable("audit_leaves"))
}

/// The root of the tree of a size.
pub async fn root(tx: &mut TenantTx, size: i64) -> Result<Hash, StoreError> {
    Ok(frontier(tx, size).await?.root())
}

async fn of_ranges(tx: &mut TenantTx, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>, StoreError> {
    let trees: Vec<Vec<Subtree>> = ranges.into_iter().map(subtrees).collect();
    let mut found = hashes(tx, &trees.concat()).await?.into_iter();
    let folded = trees.iter().map(|trees| fold(&found.by_ref().take(trees.len()).collect::<Vec<_>>()));
    folded.collect::<Option<_>>().ok_or(StoreError::Unsealable("audit_leaves"))
}

/// The hashes of subtrees, each from the nearest stored hashes below it.
async fn hashes(tx: &mut TenantTx, trees: &[Subtree]) -> Result<Vec<Hash>, StoreError> {
    let mut known = HashMap::new();
    let below = |tree: &Subtree| {
        let stored = tree.level / TILE * TILE;
        let width = tree.level - stored;
        (stored, tree.index << width..(tree.index + 1) << width)
    };
    let (mut leaves, mut nodes) = (Columns::default(), Columns::default());
    for tree in trees {
        let (level, range) = below(tree);
        if level == 0 { leaves.push(level, &range)? } else { nodes.push(level, &range)? }
    }
    read_leaves(tx, &leaves, &mut known).await?;
    read_nodes(tx, &nodes, &mut known).await?;
    trees
        .iter()
        .map(|tree| {
            let (level, range) = below(tree);
            let mut frontier = Frontier::default();
            for index in range {
                frontier.append(*known.get(&(level, index))?, |_, _| {});
            }
            Some(frontier.root())
        })
        .collect::<Option<_>>()
        .ok_or(StoreError::Unsealable("audit_leaves"))
}

#[derive(Default)]
struct Columns {
    levels: Vec<i16>,
    low: Vec<i64>,
    high: Vec<i64>,
}

impl Columns {
    fn push(&mut self, level: u32, range: &Range<u64>) -> Result<(), StoreError> {
        self.levels.push(i16::try_from(level).map_err(|_| StoreError::Unsealable("audit_nodes"))?);
        self.low.push(signed(range.start)?);
        self.high.push(signed(range.end)?);
        Ok(())
    }
}

type Known = HashMap<(u32, u64), Hash>;

async fn read_leaves(tx: &mut TenantTx, wanted: &Columns, known: &mut Known) -> Result<(), StoreError> {
    if wanted.low.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select l.leaf_index, l.leaf_hash from unnest($2::bigint[], $3::bigint[]) as w (low, high)
           join audit_leaves l on l.tenant_id = $1 and l.leaf_index >= w.low and l.leaf_index < w.high"#,
        tenant.as_str(),
        &wanted.low,
        &wanted.high
    )
    .fetch_all(tx.connection())
    .await?;
    for row in rows {
        known.insert((0, number(row.leaf_index)?), hash(row.leaf_hash)?);
    }
    Ok(())
}

async fn read_nodes(tx: &mut TenantTx, wanted: &Columns, known: &mut Known) -> Result<(), StoreError> {
    if wanted.low.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select n.level, n.node_index, n.node_hash
           from unnest($2::smallint[], $3::bigint[], $4::bigint[]) as w (level, low, high)
           join audit_nodes n on n.tenant_id = $1 and n.level = w.level
               and n.node_index >= w.low and n.node_index < w.high"#,
        tenant.as_str(),
        &wanted.levels,
        &wanted.low,
        &wanted.high
    )
    .fetch_all(tx.connection())
    .await?;
    for row in rows {
        let level = u32::try_from(row.level).map_err(|_| StoreError::Unsealable("audit_nodes"))?;
        known.insert((level, number(row.node_index)?), hash(row.node_hash)?);
    }
    Ok(())
}

pub(super) fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Unsealable("audit_leaves"))
}

pub(super) fn number(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Unsealable("audit_leaves"))
}

pub(super) fn signed(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Unsealable("audit_leaves"))
}
