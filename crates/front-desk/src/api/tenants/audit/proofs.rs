//! Checkpoints of the trail, and the proofs that lead to them.

use crate::{
    api::tenants::{Page, PageQuery},
    desk::FrontDesk,
    management::Managed,
    problem::Problem,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::header;
use misy_domain::{AuditId, TenantId, Timestamp, act};
use misy_store::{
    TenantTx,
    audit::{
        entries,
        tree::{self, StoredCheckpoint},
    },
};
use misy_trust::audit_tree::Hash;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// A checkpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditCheckpoint)]
pub struct CheckpointAnswer {
    /// How many entries.
    #[schema(example = 4711)]
    tree_size: i64,
    /// The root of the tree over them, base64.
    root_hash: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    signed_at: Timestamp,
    /// The signed note (C2SP tlog-checkpoint).
    note: String,
}

impl From<StoredCheckpoint> for CheckpointAnswer {
    fn from(checkpoint: StoredCheckpoint) -> Self {
        Self {
            tree_size: checkpoint.tree_size,
            root_hash: STANDARD.encode(checkpoint.root_hash),
            signed_at: checkpoint.signed_at,
            note: checkpoint.note,
        }
    }
}

/// Which tree the proof is for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The tree of so many entries; usually that of the latest checkpoint.
    #[param(minimum = 1)]
    tree_size: Option<i64>,
}

/// That an entry is in the trail (RFC 9162, section 2.1.3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    /// The entry in the form that its leaf hashes.
    #[schema(value_type = HashMap<String, Value>)]
    entry: Map<String, Value>,
    /// Its place in the tree.
    leaf_index: i64,
    /// SHA-256(0x00 ‖ entry), base64.
    leaf_hash: String,
    /// How many entries the tree has.
    tree_size: i64,
    /// Its root, base64.
    root_hash: String,
    /// The path from the leaf to the root, base64.
    hashes: Vec<String>,
    /// The signed checkpoint of this size, if there is one.
    checkpoint: Option<String>,
}

/// Which trees to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConsistencyQuery {
    /// Entries of the earlier tree.
    #[param(minimum = 1)]
    from: Option<i64>,
    /// Entries of the later tree; usually that of the latest checkpoint.
    #[param(minimum = 1)]
    to: Option<i64>,
}

/// That a trail is an earlier one with entries added (RFC 9162, section 2.1.4).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    /// Entries of the earlier tree.
    from: i64,
    /// Its root, base64.
    from_root_hash: String,
    /// Entries of the later tree.
    to: i64,
    /// Its root, base64.
    to_root_hash: String,
    /// The proof, base64.
    hashes: Vec<String>,
}

/// Read the latest checkpoint
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit/checkpoint", tag = "tenants",
    operation_id = "readAuditCheckpoint", params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "A signed note (C2SP tlog-checkpoint)", body = String,
        content_type = "text/plain; charset=utf-8")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn checkpoint(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditRead>,
) -> Result<Response, Problem> {
    let latest = latest(&desk, &call.tenant).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], latest.note).into_response())
}

/// List checkpoints
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit/checkpoints", tag = "tenants",
    operation_id = "listAuditCheckpoints",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Checkpoints from the newest", body = Page<CheckpointAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn checkpoints(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditRead>,
) -> Result<Json<Page<CheckpointAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let (limit, below) = (query.limit()?, query.cursor::<i64>()?);
    let mut tx = desk.database.tenant("audit.checkpoints", &call.tenant).await?;
    let found = tree::checkpoints(&mut tx, below, i64::from(limit) + 1).await?;
    tx.commit().await?;
    let page = Page::of(found, limit, |checkpoint| checkpoint.tree_size.to_string());
    Ok(Json(page.map(CheckpointAnswer::from)))
}

/// Prove that an entry is in the trail
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit/entries/{auditId}/proof", tag = "tenants",
    operation_id = "proveAuditEntry",
    params(("tenantId" = String, Path, description = "The tenant"), ("auditId" = String, Path, description = "The entry"),
        ProofQuery),
    responses((status = 200, description = "An inclusion proof", body = InclusionProof)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn inclusion(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditRead>,
) -> Result<Json<InclusionProof>, Problem> {
    let audit_id: AuditId = call.received.param("auditId")?;
    let query: ProofQuery = call.received.query()?;
    let mut tx = desk.database.tenant("audit.proof", &call.tenant).await?;
    let mut leaf = tree::leaf_of(&mut tx, audit_id).await?;
    let mut sealed = tree::latest_checkpoint(&mut tx).await?;
    tx.commit().await?;
    let covered = |leaf: &Option<(i64, Vec<u8>)>, sealed: &Option<StoredCheckpoint>| matches!((leaf, sealed), (Some((index, _)), Some(sealed)) if *index < sealed.tree_size);
    if query.tree_size.is_none() && !covered(&leaf, &sealed) {
        sealed = desk.sealer.seal(&call.tenant).await?;
        let mut tx = desk.database.tenant("audit.proof", &call.tenant).await?;
        leaf = tree::leaf_of(&mut tx, audit_id).await?;
        tx.commit().await?;
    }
    let (index, hash) = leaf.ok_or_else(Problem::not_found)?;
    let size = query.tree_size.or(sealed.map(|sealed| sealed.tree_size)).ok_or_else(Problem::not_found)?;
    let mut tx = desk.database.tenant("audit.proof", &call.tenant).await?;
    within(&mut tx, "?treeSize", size, index + 1).await?;
    let entry = entries::by_leaf(&mut tx, index, index + 1, 1).await?.pop().ok_or_else(Problem::not_found)?;
    let checkpoint = tree::checkpoints(&mut tx, Some(size + 1), 1).await?.pop();
    let proof = InclusionProof {
        entry: entry.members,
        leaf_index: index,
        leaf_hash: STANDARD.encode(hash),
        tree_size: size,
        root_hash: STANDARD.encode(tree::root(&mut tx, size).await?),
        hashes: texts(&tree::inclusion(&mut tx, index, size).await?),
        checkpoint: checkpoint.filter(|found| found.tree_size == size).map(|found| found.note),
    };
    tx.commit().await?;
    Ok(Json(proof))
}

/// Prove that the trail only grew
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit/consistency", tag = "tenants",
    operation_id = "proveAuditConsistency",
    params(("tenantId" = String, Path, description = "The tenant"), ConsistencyQuery),
    responses((status = 200, description = "A consistency proof", body = ConsistencyProof)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn consistency(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditRead>,
) -> Result<Json<ConsistencyProof>, Problem> {
    let query: ConsistencyQuery = call.received.query()?;
    let from = query.from.ok_or_else(|| Problem::invalid_field("?from", "required", "must be given"))?;
    let to = match query.to {
        Some(to) => to,
        None => latest(&desk, &call.tenant).await?.tree_size,
    };
    let mut tx = desk.database.tenant("audit.consistency", &call.tenant).await?;
    within(&mut tx, "?to", to, 1).await?;
    if !(1..=to).contains(&from) {
        return Err(Problem::invalid_field("?from", "range", "must be from 1 to the size of the later tree"));
    }
    let proof = ConsistencyProof {
        from,
        from_root_hash: STANDARD.encode(tree::root(&mut tx, from).await?),
        to,
        to_root_hash: STANDARD.encode(tree::root(&mut tx, to).await?),
        hashes: texts(&tree::consistency(&mut tx, from, to).await?),
    };
    tx.commit().await?;
    Ok(Json(proof))
}

/// The latest checkpoint; a trail that has none yet is signed now.
async fn latest(desk: &FrontDesk, tenant: &TenantId) -> Result<StoredCheckpoint, Problem> {
    let mut tx = desk.database.tenant("audit.checkpoint", tenant).await?;
    let latest = tree::latest_checkpoint(&mut tx).await?;
    tx.commit().await?;
    match latest {
        Some(latest) => Ok(latest),
        None => desk.sealer.seal(tenant).await?.ok_or_else(Problem::not_found),
    }
}

/// Refuses sizes that the tree has not.
async fn within(tx: &mut TenantTx, name: &str, size: i64, least: i64) -> Result<(), Problem> {
    if (least..=tree::size(tx).await?).contains(&size) {
        return Ok(());
    }
    Err(Problem::invalid_field(
        name,
        "range",
        "must be a size that the tree has had and that holds the entry",
    ))
}

pub(super) fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}
