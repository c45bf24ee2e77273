//! `POST /tenants/{tenantId}/suspend`, `/activate`, `/close` and `/reopen`, and `DELETE /tenants/{tenantId}`, which closes too.

use super::{Mistakes, TenantAnswer, expected_version, versioned};
use crate::{
    desk::FrontDesk,
    management::{AtTenant, Managed},
    problem::{Code, Problem},
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use misy_domain::{Timestamp, act};
use misy_store::{
    StoreError, TenantTx, closing,
    tenants::{self, LifeStep, Tenant},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;

/// Nobody closes a tenant with less time than this to notice and to undo it.
const SHORTEST_GRACE: u32 = 1;
const LONGEST_GRACE: u32 = 365;

/// Why something is done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Why)]
pub struct Why {
    /// Why; stands in the events and the audit trail of the tenant.
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl Why {
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let mut mistakes = Mistakes::default();
        mistakes.reason(self.reason.as_ref());
        mistakes.into_result()
    }
}

/// Why and how a tenant is closed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Closing)]
pub struct ClosingRequest {
    /// Why; stands in the events and the audit trail of the tenant.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// For how many days the tenant can be activated again before its data go: 1 to 365. For the owner; the
    /// installation's own number unless given.
    #[schema(minimum = 1, maximum = 365)]
    grace_days: Option<u32>,
}

/// A tenant that is closed, with notice of what that means.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClosedTenant)]
pub struct ClosedAnswer {
    /// The tenant as it is now.
    #[serde(flatten)]
    tenant: TenantAnswer,
    /// What goes.
    notice: Notice,
}

/// What of a closed tenant goes, and when.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PurgeNotice)]
pub struct Notice {
    /// When; until then the owner can activate the tenant with all that it had.
    #[schema(value_type = Option<String>, format = DateTime)]
    purge_at: Option<Timestamp>,
    /// How many rows of what are there now. It says nothing where there are too many to be counted in time.
    #[schema(value_type = HashMap<String, i64>, example = json!({"conversations": 12, "messages": 240}))]
    removes: Value,
    /// What stays: the audit trail, and that the id was taken.
    #[schema(value_type = Vec<String>)]
    keeps: [&'static str; 2],
}

/// Suspend a tenant
///
/// For the owner. Everything of the tenant answers `403 tenant_suspended` within a second, and open streams end. Also holds one that
/// is closed: opened again by somebody of the tenant, it is suspended.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/suspend", tag = "tenants", operation_id = "suspendTenant",
    request_body(content = Why, example = json!({"reason": "unpaid since May"})),
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = TenantAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn suspend(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantsSuspend>,
) -> Result<Response, Problem> {
    take(&desk, &call, LifeStep::Suspend).await
}

/// Activate a tenant
///
/// For the owner. Also takes back that it was closed, with all that it had, until its clean-up begins.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/activate", tag = "tenants", operation_id = "activateTenant",
    request_body(content = Why, example = json!({"reason": "paid on 3 May"})),
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = TenantAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn activate(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantsActivate>,
) -> Result<Response, Problem> {
    take(&desk, &call, LifeStep::Activate).await
}

/// Close a tenant
///
/// For the owner, and for an administrator of the tenant itself; a person does this, with a fresh second factor. It answers like
/// a suspended one. At `purgeAt` everything of it goes for ever but its audit trail; until then the owner can activate it
/// again, and an administrator of the tenant can reopen what somebody of the tenant closed.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/close", tag = "tenants", operation_id = "closeTenant",
    request_body(content = ClosingRequest, example = json!({"reason": "the business moved on"})),
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now, and what goes when", body = ClosedAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn close(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantClose>,
) -> Result<Response, Problem> {
    let (tenant, removes) = closed(&desk, &call, call.received.json_or_default()?).await?;
    let keeps = ["audit trail", "tenant id"];
    let notice = Notice { purge_at: tenant.purge_at, removes: removes.unwrap_or_else(|| json!({})), keeps };
    Ok(versioned(tenant.version, ClosedAnswer { tenant: tenant.into(), notice }))
}

/// Delete a tenant
///
/// Closes it, as `/close` does, with the installation's time to undo that; then everything of it goes for ever but its audit
/// trail. Its id is never given out again. The owner of the platform cannot be deleted. A person does this, with a fresh second
/// factor.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}", tag = "tenants", operation_id = "deleteTenant",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 204, description = "It is closed, and goes at its `purgeAt`"),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn delete(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantDelete>,
) -> Result<StatusCode, Problem> {
    call.received.expect_no_body()?;
    closed(&desk, &call, ClosingRequest::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Open a closed tenant again
///
/// For an administrator of the tenant, with a fresh second factor, while its time runs, and if somebody of the tenant itself
/// closed it. What the owner of the platform closed, it alone activates; what it suspended stays suspended. People of a closed tenant can still sign in for this.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/reopen", tag = "tenants", operation_id = "reopenTenant",
    request_body(content = Why, example = json!({"reason": "it was a mistake"})),
    params(("tenantId" = String, Path, description = "The tenant")),
    responses(
        (status = 200, description = "The tenant as it is now", body = TenantAnswer),
        (status = 409, description = "`conflict`: it is not closed, or its clean-up has begun", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn reopen(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantReopen>,
) -> Result<Response, Problem> {
    take(&desk, &call, LifeStep::Reopen).await
}

/// Takes a step that says no more than why.
async fn take(desk: &FrontDesk, call: &AtTenant, step: LifeStep) -> Result<Response, Problem> {
    let Why { reason } = call.received.json_or_default()?;
    let asked = ClosingRequest { reason, grace_days: None };
    let tenant = carry_out(desk, call, &step, asked).await?.0;
    Ok(versioned(tenant.version, TenantAnswer::from(tenant)))
}

/// Closes a tenant, as it is asked for.
async fn closed(
    desk: &FrontDesk,
    call: &AtTenant,
    asked: ClosingRequest,
) -> Result<(Tenant, Option<Value>), Problem> {
    let now = desk.clock.now();
    let after = |grace: Duration| now.checked_add(grace).unwrap_or(Timestamp::MAX);
    let step = LifeStep::Close {
        by_owner: call.manager.home != call.tenant,
        purge_at: asked.grace_days.map(|days| after(Duration::from_hours(24 * u64::from(days)))),
        usual_purge_at: after(desk.settings.close_grace),
    };
    carry_out(desk, call, &step, asked).await
}

/// The tenant after a step and, when it is closed, what of it will go.
async fn carry_out(
    desk: &FrontDesk,
    call: &AtTenant,
    step: &LifeStep,
    asked: ClosingRequest,
) -> Result<(Tenant, Option<Value>), Problem> {
    check(&asked, call)?;
    if call.state.is_owner() && matches!(step, LifeStep::Suspend | LifeStep::Close { .. }) {
        return Err(Problem::conflict(Code::Conflict, "The owner of the platform stays active."));
    }
    let expected = expected_version(&call.received)?;
    let mut tx = desk.database.tenant("tenants.status", &call.tenant).await?;
    let tenant = write(desk, call, &mut tx, step, expected, call.why(asked.reason)).await?;
    tx.commit().await?;
    desk.tenants.changed(&call.tenant);
    let closes = matches!(step, LifeStep::Close { .. });
    Ok((tenant, if closes { to_be_removed(desk, call).await } else { None }))
}

/// What a clean-up will remove. Where there is too much to be counted in time, the tenant is closed all the same.
async fn to_be_removed(desk: &FrontDesk, call: &AtTenant) -> Option<Value> {
    let counted = async {
        let mut tx = desk.database.tenant_report("tenants.inventory", &call.tenant).await?;
        let counted = closing::inventory(&mut tx).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(counted)
    };
    let counted: Result<Value, StoreError> = counted.await;
    let said = |error: &StoreError| tracing::warn!(tenantId = %call.tenant, %error, "what a clean-up will remove is not counted");
    counted.inspect_err(said).ok()
}

/// Takes a step in the life of a tenant, by whichever call, and tells of it there and in the trail.
pub(super) async fn write(
    desk: &FrontDesk,
    call: &AtTenant,
    tx: &mut TenantTx,
    step: &LifeStep,
    expected: Option<i64>,
    reason: Option<String>,
) -> Result<Tenant, Problem> {
    let tenant = tenants::take_step(tx, step, expected, desk.clock.now()).await?;
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    let detail = json!({ "status": tenant.status.as_str(), "reason": reason, "purgeAt": tenant.purge_at });
    call.record_change(desk, tx, call.tenant.as_str(), Some(detail)).await?;
    let mut event = call.event(desk, step.event(), reason);
    event.purge_at = tenant.purge_at.filter(|_| matches!(step, LifeStep::Close { .. }));
    tenants::note_event(tx, &event).await?;
    Ok(tenant)
}

fn check(asked: &ClosingRequest, call: &AtTenant) -> Result<(), Problem> {
    let mut mistakes = Mistakes::default();
    mistakes.reason(asked.reason.as_ref());
    if asked.grace_days.is_some_and(|days| !(SHORTEST_GRACE..=LONGEST_GRACE).contains(&days)) {
        mistakes.add("/graceDays", "range", "must be from 1 to 365");
    }
    mistakes.into_result()?;
    if asked.grace_days.is_some() && !call.manager.is_owner() {
        // Else whoever takes an administrator's key could also take away the time to notice.
        return Err(Problem::forbidden(
            Code::PermissionDenied,
            "The owner of the platform decides graceDays.",
        ));
    }
    Ok(())
}
