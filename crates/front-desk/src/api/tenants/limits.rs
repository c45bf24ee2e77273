//! `GET` and `PUT /tenants/{tenantId}/limits`: how much is allowed, at once and in a month.

use super::Mistakes;
use crate::{desk::FrontDesk, management::Managed, problem::Problem, tenant_state::TenantState};
use axum::{Json, extract::State};
use misy_domain::{Metered, Timestamp, act};
use misy_store::{
    TenantTx, files,
    limits::{self, LimitRow, Scope},
    tenant_tx, usage,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

const MOST_LIMITS: usize = 200;
const LARGEST: u32 = 100_000_000;
const LONGEST: u32 = 24 * 60 * 60;
const LARGEST_QUOTA: i64 = 1_000_000_000_000;

/// A limit: so many requests in a period, all of which may come at once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Limit)]
pub struct LimitShape {
    /// `tenant`, `site`, `key`, `session` (messages), `channel` (messages) or `agent`.
    scope: Scope,
    /// The one site, key … it is for; without it, each of the scope.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    subject: String,
    /// Requests in a period.
    #[schema(minimum = 1, maximum = 100_000_000, example = 30)]
    requests: u32,
    /// The period.
    #[schema(minimum = 1, maximum = 86400, example = 60)]
    period_seconds: u32,
}

/// Limits that differ from the plan's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewLimits)]
pub struct LimitsRequest {
    /// In the place of all that were set.
    limits: Vec<LimitShape>,
    /// Monthly quotas in the place of all that were set; without it they stay as they are.
    #[schema(required = false)]
    quotas: Option<Vec<QuotaShape>>,
}

/// A monthly quota.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Quota)]
pub struct QuotaShape {
    /// `messages`, `bookings` or `ai_tokens`.
    kind: Metered,
    /// So many in a month of UTC.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 200_000)]
    monthly: i64,
}

/// A monthly quota that holds, and how much of it is used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaStanding {
    /// `messages`, `bookings` or `ai_tokens`.
    kind: Metered,
    /// So many in a month; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    monthly: Option<i64>,
    /// What was used of it this month.
    #[schema(example = 1204)]
    used: i64,
    /// When it begins anew.
    #[schema(value_type = String, format = DateTime)]
    resets_at: Timestamp,
}

/// The limits of a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Limits)]
pub struct LimitsAnswer {
    /// Those that were set.
    limits: Vec<LimitShape>,
    /// What holds for each scope as a whole, set or by the plan.
    in_force: Vec<LimitShape>,
    /// Monthly quotas that were set.
    quotas: Vec<QuotaShape>,
    /// What holds for the month, set or by the plan.
    quotas_in_force: Vec<QuotaStanding>,
    /// What files may take, by the plan.
    files: FileStanding,
}

/// What files may take, and what they take.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FileRoom)]
pub struct FileStanding {
    /// Bytes of one file at most.
    #[schema(example = 5_242_880)]
    largest_bytes: u64,
    /// Bytes of all files at most; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_bytes: Option<i64>,
    /// Bytes that all files take now.
    #[schema(example = 1204)]
    used_bytes: i64,
    /// How many files that is.
    #[schema(example = 3)]
    files: i64,
}

/// Read limits
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/limits", tag = "tenants", operation_id = "readLimits",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The limits", body = LimitsAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::LimitsRead>,
) -> Result<Json<LimitsAnswer>, Problem> {
    let largest = desk.settings.largest_file;
    let answer = tenant_tx!(desk.database, "limits.read", &call.tenant, async |tx| {
        answer(tx, &call.state, largest, desk.clock.now()).await
    });
    Ok(Json(answer.await?))
}

/// Replace limits
///
/// For the owner: a tenant cannot allow itself more than its plan. They hold within a second on every replica.
#[utoipa::path(
    put, path = "/api/meta-agent/tenants/{tenantId}/limits", tag = "tenants", operation_id = "replaceLimits",
    request_body(content = LimitsRequest, example = json!({"limits": [{"scope": "session", "requests": 60, "periodSeconds": 60}], "quotas": [{"kind": "messages", "monthly": 200_000}]})),
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The limits as they are now", body = LimitsAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn replace(
    State(desk): State<FrontDesk>,
    call: Managed<act::PlanWrite>,
) -> Result<Json<LimitsAnswer>, Problem> {
    let asked: LimitsRequest = call.received.json()?;
    check(&asked.limits)?;
    let quotas = checked(asked.quotas.as_deref().unwrap_or_default())?;
    let rows: Vec<LimitRow> = asked
        .limits
        .iter()
        .map(|limit| LimitRow {
            scope: limit.scope,
            subject: limit.subject.clone(),
            requests: limit.requests,
            period_seconds: limit.period_seconds,
        })
        .collect();
    tenant_tx!(desk.database, "limits.replace", &call.tenant, async |tx| {
        limits::replace(tx, &rows).await?;
        if asked.quotas.is_some() {
            usage::replace_quotas(tx, &quotas).await?;
        }
        let detail = json!({ "limits": asked.limits, "quotas": asked.quotas });
        call.record_change(&desk, tx, "limits", Some(detail)).await?;
        Ok::<_, Problem>(())
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    let state = desk.tenants.get(&call.tenant).await?.ok_or_else(Problem::not_found)?;
    let largest = desk.settings.largest_file;
    let answer = tenant_tx!(desk.database, "limits.replaced", &call.tenant, async |tx| {
        answer(tx, &state, largest, desk.clock.now()).await
    });
    Ok(Json(answer.await?))
}

fn checked(quotas: &[QuotaShape]) -> Result<BTreeMap<Metered, i64>, Problem> {
    let mut mistakes = Mistakes::default();
    let mut checked = BTreeMap::new();
    for (at, quota) in quotas.iter().enumerate() {
        if !(0..=LARGEST_QUOTA).contains(&quota.monthly) {
            mistakes.add(&format!("/quotas/{at}/monthly"), "range", "must be from 0 to 1000000000000");
        }
        if checked.insert(quota.kind, quota.monthly).is_some() {
            mistakes.add(&format!("/quotas/{at}"), "duplicate", "stands there twice");
        }
    }
    mistakes.into_result().map(|()| checked)
}

fn check(limits: &[LimitShape]) -> Result<(), Problem> {
    let mut mistakes = Mistakes::default();
    if limits.len() > MOST_LIMITS {
        mistakes.add("/limits", "too_many", "must have at most 200 items");
        return mistakes.into_result();
    }
    for (at, limit) in limits.iter().enumerate() {
        let same = |other: &LimitShape| other.scope == limit.scope && other.subject == limit.subject;
        if limits[..at].iter().any(same) {
            mistakes.add(&format!("/limits/{at}"), "duplicate", "stands there twice");
        }
        if !(1..=LARGEST).contains(&limit.requests) {
            mistakes.add(&format!("/limits/{at}/requests"), "range", "must be from 1 to 100000000");
        }
        if !(1..=LONGEST).contains(&limit.period_seconds) {
            mistakes.add(&format!("/limits/{at}/periodSeconds"), "range", "must be from 1 to 86400");
        }
        if limit.subject.len() > 200 || limit.subject.chars().any(char::is_control) {
            mistakes.add(&format!("/limits/{at}/subject"), "too_long", "must have at most 200 characters");
        }
        if limit.scope == Scope::Tenant && !limit.subject.is_empty() {
            mistakes.add(&format!("/limits/{at}/subject"), "format", "must be empty for the tenant itself");
        }
    }
    mistakes.into_result()
}

async fn answer(
    tx: &mut TenantTx,
    state: &TenantState,
    largest_file: usize,
    now: Timestamp,
) -> Result<LimitsAnswer, Problem> {
    let rows = limits::list(tx).await?;
    let (quotas, used) = (usage::quotas(tx).await?, usage::counted(tx, now).await?);
    let (room, taken) = (state.file_limits(), files::taken(tx).await?);
    let of_scope = |scope: Scope| {
        let quota = state.quota(scope, "");
        LimitShape {
            scope,
            subject: String::new(),
            requests: quota.requests,
            period_seconds: u32::try_from(quota.period.as_secs()).unwrap_or(u32::MAX),
        }
    };
    let set = rows.into_iter().map(|row| LimitShape {
        scope: row.scope,
        subject: row.subject,
        requests: row.requests,
        period_seconds: row.period_seconds,
    });
    let standing = |kind: Metered| QuotaStanding {
        kind,
        monthly: state.monthly(kind),
        used: used.get(&kind).copied().unwrap_or_default(),
        resets_at: usage::next_month(now),
    };
    Ok(LimitsAnswer {
        limits: set.collect(),
        in_force: Scope::ALL.map(of_scope).into(),
        quotas: quotas.into_iter().map(|(kind, monthly)| QuotaShape { kind, monthly }).collect(),
        quotas_in_force: Metered::ALL.map(standing).into(),
        files: FileStanding {
            largest_bytes: room.largest.min(largest_file as u64),
            total_bytes: room.total,
            used_bytes: taken.bytes,
            files: taken.files,
        },
    })
}
