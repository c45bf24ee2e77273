//! `/tenants/{tenantId}/work`: work that was given up, looked at, revived, dropped.

use super::{Page, page_cursor, page_limit};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{Action, Timestamp, act};
use misy_store::{
    leases::{self, Behind, DeadWork, Leased},
    rotation::Rotations,
    tenant_tx,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Work that was given up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Work)]
pub struct WorkAnswer {
    /// What it is: `conversation`, `delivery`, `mail` or `key_rotation`.
    #[schema(example = "conversation")]
    kind: String,
    /// The id of the conversation, delivery, mail or rotation.
    #[schema(example = "cnv_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    work_id: String,
    /// How often it was tried.
    #[schema(example = 8)]
    attempts: i32,
    /// The code of the last failure.
    #[schema(example = "context_pack_invalid")]
    last_error: Option<String>,
    /// What that means, and what to do.
    #[schema(example = "The context pack cannot be used. Put a valid one, then revive it.")]
    meaning: &'static str,
    /// When it was given up.
    #[schema(value_type = String, format = DateTime)]
    dead_at: Timestamp,
}

impl From<DeadWork> for WorkAnswer {
    fn from(work: DeadWork) -> Self {
        let meaning = work.meaning();
        let DeadWork { kind, id: work_id, attempts, last_error, dead_at } = work;
        Self { kind, work_id, attempts, last_error, meaning, dead_at }
    }
}

/// In which state work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkStatus {
    /// Given up after too many attempts.
    Dead,
}

/// Which work.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkQuery {
    /// In which state: `dead`, also unless given.
    #[param(value_type = Option<String>)]
    status: Option<WorkStatus>,
    /// Of one kind only.
    kind: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List work that was given up
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/work", tag = "tenants", operation_id = "listWork",
    params(("tenantId" = String, Path, description = "The tenant"), WorkQuery),
    responses((status = 200, description = "What was given up last comes first", body = Page<WorkAnswer>)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::WorkRead>,
) -> Result<Json<Page<WorkAnswer>>, Problem> {
    let query: WorkQuery = call.received.query()?;
    let WorkStatus::Dead = query.status.unwrap_or(WorkStatus::Dead);
    let limit = page_limit(query.limit)?;
    let behind: Option<Behind> = page_cursor(query.cursor.as_deref())?;
    let kind = query.kind.as_deref();
    if kind.is_some_and(|kind| !leases::KINDS.contains(&kind)) {
        let kinds = leases::KINDS.join(", ");
        return Err(Problem::invalid_field("?kind", "unknown", format!("must be one of {kinds}")));
    }
    let dead = tenant_tx!(desk.database, "work.list", &call.tenant, async |tx| {
        leases::dead_work(tx, kind, behind.as_ref(), limit + 1).await
    })
    .await?;
    Ok(Json(Page::of(dead, limit, |work| Behind::of(work).to_string()).map(WorkAnswer::from)))
}

/// Revive work
///
/// It is due at once, and has all its attempts again. Mend what kept it from its end first.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/work/{kind}/{workId}/revive", tag = "tenants",
    operation_id = "reviveWork",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("kind" = String, Path, description = "What it is"),
        ("workId" = String, Path, description = "Its id"),
    ),
    responses((status = 204, description = "It is due again")),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn revive(
    State(desk): State<FrontDesk>,
    call: Managed<act::WorkWrite>,
) -> Result<StatusCode, Problem> {
    let (kind, id) = named(&desk, &call).await?;
    tenant_tx!(desk.database, "work.revive", &call.tenant, async |tx| {
        if !leases::revive(tx, &kind, &id).await? {
            return Err(Problem::not_found());
        }
        call.record_change(&desk, tx, id.as_str(), Some(json!({ "kind": kind }))).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Drop work
///
/// It is not tried again. A mail goes, and so does a rotation of keys, whose old keys stay in use. A conversation only stops
/// being tried: its messages stay, and the next message of the contact makes it due again.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/work/{kind}/{workId}", tag = "tenants", operation_id = "dropWork",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("kind" = String, Path, description = "What it is"),
        ("workId" = String, Path, description = "Its id"),
    ),
    responses((status = 204, description = "It is dropped")),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn drop_work(
    State(desk): State<FrontDesk>,
    call: Managed<act::WorkWrite>,
) -> Result<StatusCode, Problem> {
    let (kind, id) = named(&desk, &call).await?;
    tenant_tx!(desk.database, "work.drop", &call.tenant, async |tx| {
        if !leases::drop_work(tx, &kind, &id).await? {
            return Err(Problem::not_found());
        }
        call.record_change(&desk, tx, id.as_str(), Some(json!({ "kind": kind }))).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The work that the path names. A rotation of keys is for those who may begin one.
async fn named(desk: &FrontDesk, call: &Managed<act::WorkWrite>) -> Result<(String, String), Problem> {
    let kind: String = call.received.param("kind")?;
    let id: String = call.received.param("workId")?;
    // Ids are letters, digits and underscores; of anything else there is no work.
    let is_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !leases::KINDS.contains(&&*kind) || !is_id {
        return Err(Problem::not_found());
    }
    if kind == Rotations::KIND {
        call.also(desk, Action::EncryptionRotate).await?;
    }
    Ok((kind, id))
}
