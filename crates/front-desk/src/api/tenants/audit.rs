//! `GET /tenants/{tenantId}/audit`: what happened; beneath it the proofs that nothing of it was changed, exports and reports.

pub mod export;
pub mod ocsf;
pub mod proofs;
pub mod report;
mod report_texts;
pub mod syslog;

use super::{Page, page_cursor, page_limit};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::{Timestamp, act};
use misy_store::audit::{self, AuditEntry, AuditFilter, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// `call`, `change`, `turn` or `system`.
    kind: Option<String>,
    /// The id of an operation, such as `createSite`.
    action: Option<String>,
    /// The id of a token or key.
    actor: Option<String>,
    /// `ok`, or the code of a refusal.
    outcome: Option<String>,
    /// Of this session.
    session_id: Option<String>,
    /// Of this site.
    site_id: Option<String>,
    /// Done to this.
    subject: Option<String>,
    /// Not before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// An entry of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub struct AuditAnswer {
    /// Its id.
    #[schema(example = "aud_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    audit_id: String,
    /// Whose trail it stands in.
    tenant_id: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `call`, `change`, `turn` or `system`.
    kind: &'static str,
    /// What was done.
    #[schema(example = "createSite")]
    action: String,
    /// Who did it; `tenant/key` when it was somebody of another tenant.
    actor: String,
    /// The site.
    site_id: Option<String>,
    /// The session.
    session_id: Option<String>,
    /// The agent.
    agent_name: Option<String>,
    /// Where the request came from.
    origin: Option<String>,
    /// `ok`, or the code of the refusal.
    #[schema(example = "ok")]
    outcome: String,
    /// HTTP status.
    status: Option<i32>,
    /// How long it took, in microseconds.
    duration_micros: Option<i64>,
    /// Which request.
    request_id: Option<String>,
    /// What it was done to.
    subject: Option<String>,
    /// Anything else worth knowing.
    #[schema(value_type = Option<Object>)]
    detail: Option<Value>,
}

/// Read the audit trail
///
/// A page looks at ten thousand entries at most. With a filter it may hold fewer items than asked for, or none, and still have a
/// `nextCursor`, which goes on with older entries; the last page has none.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit", tag = "tenants", operation_id = "listAudit",
    params(("tenantId" = String, Path, description = "The tenant"), AuditQuery),
    responses((status = 200, description = "Entries from the newest", body = Page<AuditAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditRead>,
) -> Result<Json<Page<AuditAnswer>>, Problem> {
    let query: AuditQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let kind = match &query.kind {
        None => None,
        Some(text) => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
            let message = "must be call, change, turn or system";
            Some(kind.ok_or_else(|| Problem::invalid_field("?kind", "format", message))?)
        }
    };
    let filter = AuditFilter {
        kind,
        action: query.action,
        actor: query.actor,
        outcome: query.outcome,
        session_id: query.session_id,
        site_id: query.site_id,
        subject: query.subject,
        from: query.from,
        until: query.until,
        before: page_cursor(query.cursor.as_deref())?,
        limit: i64::from(limit),
    };
    let mut tx = desk.database.tenant("audit.list", &call.tenant).await?;
    let found = audit::list(&mut tx, &filter).await?;
    tx.commit().await?;
    let items = found.entries.into_iter().map(|entry| shown(call.tenant.as_str(), entry)).collect();
    Ok(Json(Page::found(items, found.next.map(|id| id.to_string()))))
}

fn shown(tenant: &str, entry: AuditEntry) -> AuditAnswer {
    AuditAnswer {
        audit_id: entry.audit_id.to_string(),
        tenant_id: tenant.to_owned(),
        at: entry.at,
        kind: entry.kind.as_str(),
        action: entry.action,
        actor: entry.actor,
        site_id: entry.site_id,
        session_id: entry.session_id,
        agent_name: entry.agent_name,
        origin: entry.origin,
        outcome: entry.outcome,
        status: entry.status,
        duration_micros: entry.duration_micros,
        request_id: entry.request_id,
        subject: entry.subject,
        detail: entry.detail,
    }
}
