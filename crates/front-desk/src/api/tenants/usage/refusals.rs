//! `GET /tenants/{tenantId}/usage/refusals`: what was refused, and why.

use super::span;
use crate::{
    desk::FrontDesk,
    management::Managed,
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use misy_domain::act;
use misy_store::usage;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const MOST: i64 = 10_000;

/// Which refusals.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RefusalsQuery {
    /// From this day on; the first of this month unless given.
    from: Option<String>,
    /// Until this day; the end of this month unless given.
    to: Option<String>,
}

/// Refused calls of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalsAnswer {
    /// By day and reason, the newest first; at most 10 000.
    items: Vec<Refusal>,
}

/// Refused calls of one day and reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// The day in UTC.
    #[schema(example = "2026-11-22")]
    day: String,
    /// The `code` of the problem.
    #[schema(value_type = Code)]
    reason: String,
    /// How many.
    #[schema(example = 17)]
    count: i64,
}

/// Read refusals
///
/// Calls that were refused after it was known whose they are, a few seconds late.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/usage/refusals", tag = "tenants", operation_id = "readRefusals",
    params(("tenantId" = String, Path, description = "The tenant"), RefusalsQuery),
    responses((status = 200, description = "The refusals", body = RefusalsAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsageRead>,
) -> Result<Json<RefusalsAnswer>, Problem> {
    let query: RefusalsQuery = call.received.query()?;
    let (from, to) = span(query.from.as_deref(), query.to.as_deref(), desk.clock.now())?;
    let mut tx = desk.database.tenant("usage.refusals", &call.tenant).await?;
    let rows = usage::refusals(&mut tx, from, to, MOST).await?;
    tx.commit().await?;
    let item =
        |row: usage::Refusals| Refusal { day: row.day.to_string(), reason: row.reason, count: row.count };
    Ok(Json(RefusalsAnswer { items: rows.into_iter().map(item).collect() }))
}
