//! `GET /tenants/{tenantId}/audit/export`: the trail for those who keep it elsewhere or want to see it proved.

use super::{ocsf, proofs::texts, syslog};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::header;
use misy_domain::{TenantId, Timestamp, act};
use misy_store::{
    Turn,
    audit::{
        entries::{self, StoredEntry},
        keys,
        tree::{self, StoredCheckpoint},
    },
};
use misy_trust::audit_tree::bundle::FORMAT;
use serde::Deserialize;
use serde_json::json;
use std::{io, ops::Range};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};

/// Entries read and sent at a time; each takes a few kilobytes at most.
const PAGE: i64 = 200;

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// A bundle of JSON lines that `misy audit verify` proves.
    #[default]
    Ndjson,
    /// OCSF 1.3 events, one a line.
    Ocsf,
    /// RFC 5424 syslog messages, one a line.
    Rfc5424,
}

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `ndjson` (usual), `ocsf` or `rfc5424`.
    #[param(value_type = Option<String>)]
    format: Option<ExportFormat>,
    /// Not before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// What is exported: whole leaves from the first to the last of the time, under a checkpoint.
struct Export {
    desk: FrontDesk,
    tenant: TenantId,
    query: ExportQuery,
    range: Range<i64>,
    sealed: StoredCheckpoint,
    _turn: Turn,
}

/// Export the audit trail
///
/// All that is committed now is sealed first. `ndjson` is a bundle with leaves, checkpoints and keys; it goes from the first
/// to the last leaf of the time asked for, so that an entry that was committed late may stand among those of another time.
/// `ocsf` and `rfc5424` hold the entries of the time and nothing else.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit/export", tag = "tenants", operation_id = "exportAudit",
    params(("tenantId" = String, Path, description = "The tenant"), ExportQuery),
    responses((status = 200, description = "Lines, as they are read", body = String,
        content_type = "application/x-ndjson")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn export(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditExport>,
) -> Result<Response, Problem> {
    let query: ExportQuery = call.received.query()?;
    let tenant = call.tenant.clone();
    let turn = desk.exports.wait(&tenant).await?;
    let sealed = desk.sealer.seal(&tenant).await?.ok_or_else(Problem::not_found)?;
    let mut tx = desk.database.tenant_report("audit.export", &tenant).await?;
    let range = if query.from.is_none() && query.to.is_none() {
        0..sealed.tree_size
    } else {
        let found = tree::leaves_of_time(&mut tx, query.from, query.to).await?;
        let range = found.unwrap_or(sealed.tree_size..sealed.tree_size);
        range.start.min(sealed.tree_size)..range.end.min(sealed.tree_size)
    };
    tx.commit().await?;
    let format = query.format.unwrap_or_default();
    let content_type = match format {
        ExportFormat::Ndjson | ExportFormat::Ocsf => "application/x-ndjson",
        ExportFormat::Rfc5424 => "text/plain; charset=utf-8",
    };
    let (sender, receiver) = mpsc::channel(4);
    let export = Export { desk, tenant, query, range, sealed, _turn: turn };
    tokio::spawn(async move {
        if let Err(failure) = export.run(format, &sender).await {
            // The head has been sent: only a connection that breaks can still tell of it.
            tracing::warn!(error = %failure, "an export of an audit trail broke off");
            let _ = sender.send(Err(io::Error::other("the export broke off"))).await;
        }
    });
    let lines = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from_stream(lines)).into_response())
}

type Sender = mpsc::Sender<Result<Bytes, io::Error>>;

impl Export {
    async fn run(self, format: ExportFormat, sender: &Sender) -> Result<(), misy_store::StoreError> {
        if format == ExportFormat::Ndjson && !send(sender, self.head().await?).await {
            return Ok(());
        }
        let mut next = self.range.start;
        while next < self.range.end {
            let mut tx = self.desk.database.tenant_report("audit.export", &self.tenant).await?;
            let page = entries::by_leaf(&mut tx, next, self.range.end, PAGE).await?;
            tx.commit().await?;
            let Some(last) = page.last().and_then(|entry| entry.leaf_index) else { break };
            next = last + 1;
            let mut text = String::with_capacity(page.len() * 400);
            for entry in &page {
                match format {
                    ExportFormat::Ndjson => text += &self.bundled(entry),
                    _ if !self.is_of_the_time(entry) => continue,
                    ExportFormat::Ocsf => text += &ocsf::event(entry).to_string(),
                    ExportFormat::Rfc5424 => text += &syslog::line(entry, self.desk.sealer.issuer()),
                }
                text.push('\n');
            }
            if !send(sender, text).await {
                return Ok(());
            }
        }
        if format == ExportFormat::Ndjson {
            send(sender, self.tail().await?).await;
        }
        Ok(())
    }

    /// Header, keys, checkpoints, and what lies before the first leaf.
    async fn head(&self) -> Result<String, misy_store::StoreError> {
        let origin = self.desk.sealer.origin(&self.tenant);
        let mut lines = vec![json!({
            "type": "header", "format": FORMAT, "tenantId": self.tenant.as_str(), "origin": origin,
            "firstLeaf": self.range.start, "treeSize": self.sealed.tree_size,
            "from": self.query.from, "until": self.query.to, "generatedAt": self.desk.clock.now(),
        })];
        for key in keys::known(&self.desk.database, &self.desk.vault).await? {
            let voucher = key.voucher.as_ref();
            lines.push(json!({
                "type": "key", "key": key.verifier(&origin).to_string(), "keyId": key.key_id,
                "predecessor": voucher.map(|voucher| STANDARD.encode(&voucher.predecessor)),
                "signature": voucher.map(|voucher| STANDARD.encode(&voucher.signature)),
                "createdAt": key.created_at, "retiresAt": key.retires_at,
            }));
        }
        let mut tx = self.desk.database.tenant_report("audit.export", &self.tenant).await?;
        let checkpoints = tree::checkpoints(&mut tx, Some(self.sealed.tree_size + 1), i64::MAX).await?;
        lines.extend(checkpoints.iter().rev().map(|checkpoint| {
            json!({ "type": "checkpoint", "note": checkpoint.note, "signedAt": checkpoint.signed_at })
        }));
        let left = tree::subtree_hashes(&mut tx, 0..self.range.start).await?;
        tx.commit().await?;
        lines.push(json!({ "type": "left", "hashes": texts(&left) }));
        Ok(lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect())
    }

    /// What lies behind the last leaf.
    async fn tail(&self) -> Result<String, misy_store::StoreError> {
        let mut tx = self.desk.database.tenant_report("audit.export", &self.tenant).await?;
        let right = tree::subtree_hashes(&mut tx, self.range.end..self.sealed.tree_size).await?;
        tx.commit().await?;
        let right = json!({ "type": "right", "hashes": texts(&right) });
        let end = json!({ "type": "end", "entries": self.range.end - self.range.start });
        Ok(format!("{right}\n{end}\n"))
    }

    #[allow(clippy::unused_self, reason = "reads like its neighbours")]
    fn bundled(&self, entry: &StoredEntry) -> String {
        let hash = entry.leaf_hash.as_deref().unwrap_or_default();
        json!({
            "type": "entry", "leafIndex": entry.leaf_index, "leafHash": STANDARD.encode(hash), "entry": entry.members,
        })
        .to_string()
    }

    fn is_of_the_time(&self, entry: &StoredEntry) -> bool {
        let at = entry.text("at").and_then(|at| at.parse::<Timestamp>().ok());
        at.is_some_and(|at| {
            self.query.from.is_none_or(|from| from <= at) && self.query.to.is_none_or(|until| at < until)
        })
    }
}

/// Sends a piece; false when nobody reads any more.
async fn send(sender: &Sender, text: String) -> bool {
    sender.send(Ok(Bytes::from(text))).await.is_ok()
}
