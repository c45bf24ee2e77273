//! `GET /tenants/{tenantId}/audit/report`: what an auditor asks of a time.

use super::report_texts;
pub use super::report_texts::Language;
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use misy_domain::{Timestamp, act};
use misy_store::audit::report::{self, Access, Deed, Refusals};
use misy_store::audit::tree;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use utoipa::{IntoParams, ToSchema};

/// The time that is reported on when none is named.
const USUAL: Duration = Duration::from_hours(30 * 24);

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportFormat {
    /// For programs.
    #[default]
    Json,
    /// A page for people.
    Html,
    /// Text for people.
    Markdown,
}

/// Which report.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// Not before this time; usually 30 days before `to`.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time; usually now.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `json` (usual), `html` or `markdown`.
    #[param(value_type = Option<String>)]
    format: Option<ReportFormat>,
    /// `es`, `en` (usual) or `pt`, for `html` and `markdown`.
    #[param(value_type = Option<String>)]
    lang: Option<Language>,
}

/// A compliance report.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// The tenant.
    pub(super) tenant_id: String,
    /// From when on.
    #[schema(value_type = String, format = DateTime)]
    pub(super) from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub(super) until: Timestamp,
    /// When it was put together.
    #[schema(value_type = String, format = DateTime)]
    pub(super) generated_at: Timestamp,
    /// Entries of each kind.
    pub(super) entries: BTreeMap<String, i64>,
    /// Who had access.
    pub(super) access: Vec<ReportedAccess>,
    /// Privileged operations, and work by others than the tenant.
    pub(super) privileged: Vec<ReportedDeed>,
    /// Changes to people, roles, keys, secrets, certificates.
    pub(super) credential_changes: Vec<ReportedDeed>,
    /// Refusals by reason.
    pub(super) refusals: Vec<ReportedRefusals>,
    /// What proves all of it.
    pub(super) integrity: Integrity,
}

/// Who had access.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedAccess {
    /// Who.
    pub(super) actor: String,
    /// How often.
    pub(super) entries: i64,
    /// How often it was refused.
    pub(super) refused: i64,
    /// The first time.
    #[schema(value_type = String, format = DateTime)]
    pub(super) first_at: Timestamp,
    /// The last time.
    #[schema(value_type = String, format = DateTime)]
    pub(super) last_at: Timestamp,
}

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedDeed {
    /// Its entry, to be proved.
    pub(super) audit_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
    /// What.
    pub(super) action: String,
    /// By whom.
    pub(super) actor: String,
    /// To what.
    pub(super) subject: Option<String>,
    /// What came of it.
    pub(super) outcome: String,
}

/// Refusals of one reason.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedRefusals {
    /// The code.
    pub(super) reason: String,
    /// The operation.
    pub(super) action: String,
    /// How many.
    pub(super) entries: i64,
}

/// What proves a report, and what it lacks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Integrity {
    /// The signed checkpoint that covers every entry of the report.
    pub(super) checkpoint: String,
    /// Entries of the time that have no place in the tree yet.
    pub(super) entries_without_leaf: i64,
    /// Places of the tree whose entry is gone.
    pub(super) leaves_without_entry: i64,
    /// The longest time without any entry.
    pub(super) longest_silence: Option<Silence>,
}

/// A time without entries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// The last entry before.
    #[schema(value_type = String, format = DateTime)]
    pub(super) from: Timestamp,
    /// The first entry after.
    #[schema(value_type = String, format = DateTime)]
    pub(super) until: Timestamp,
}

impl From<Access> for ReportedAccess {
    fn from(Access { actor, entries, refused, first_at, last_at }: Access) -> Self {
        Self { actor, entries, refused, first_at, last_at }
    }
}

impl From<Deed> for ReportedDeed {
    fn from(Deed { audit_id, at, action, actor, subject, outcome }: Deed) -> Self {
        Self { audit_id, at, action, actor, subject, outcome }
    }
}

impl From<Refusals> for ReportedRefusals {
    fn from(Refusals { outcome, action, entries }: Refusals) -> Self {
        Self { reason: outcome, action, entries }
    }
}

/// Read a compliance report
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/audit/report", tag = "tenants", operation_id = "readAuditReport",
    params(("tenantId" = String, Path, description = "The tenant"), ReportQuery),
    responses((status = 200, description = "The report, as JSON or for people", body = AuditReport)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::AuditRead>,
) -> Result<Response, Problem> {
    let query: ReportQuery = call.received.query()?;
    let now = desk.clock.now();
    let until = query.to.unwrap_or(now);
    let from = query.from.unwrap_or(until.checked_sub(USUAL).unwrap_or(Timestamp::MIN));
    if from >= until {
        return Err(Problem::invalid_field("?from", "range", "must be before the end"));
    }
    let sealed = desk.sealer.seal(&call.tenant).await?.ok_or_else(Problem::not_found)?;
    let mut tx = desk.database.tenant_report("audit.report", &call.tenant).await?;
    let found = report::report(&mut tx, from, until).await?;
    let checkpoint = tree::latest_checkpoint(&mut tx).await?.map_or(sealed.note, |latest| latest.note);
    tx.commit().await?;
    let report = AuditReport {
        tenant_id: call.tenant.to_string(),
        from,
        until,
        generated_at: now,
        entries: found.kinds.into_iter().collect(),
        access: found.access.into_iter().map(Into::into).collect(),
        privileged: found.privileged.into_iter().map(Into::into).collect(),
        credential_changes: found.credentials.into_iter().map(Into::into).collect(),
        refusals: found.refusals.into_iter().map(Into::into).collect(),
        integrity: Integrity {
            checkpoint,
            entries_without_leaf: found.without_leaf,
            leaves_without_entry: found.leaves_without_entry,
            longest_silence: found.longest_silence.map(|(from, until)| Silence { from, until }),
        },
    };
    let language = query.lang.unwrap_or_default();
    let people = |kind: &'static str, text: String| ([(header::CONTENT_TYPE, kind)], text).into_response();
    Ok(match query.format.unwrap_or_default() {
        ReportFormat::Json => Json(report).into_response(),
        ReportFormat::Html => people("text/html; charset=utf-8", report_texts::html(&report, language)),
        ReportFormat::Markdown => {
            people("text/markdown; charset=utf-8", report_texts::markdown(&report, language))
        }
    })
}
