//! `POST /tenants/{tenantId}/suspend`, `/activate` and `/close`.

use super::{TenantAnswer, expected_version, versioned};
use crate::{desk::FrontDesk, management::ManagementCall, problem::Problem};
use axum::{extract::State, response::Response};
use misy_domain::{Action, TenantStatus};
use misy_store::tenants;
use serde_json::json;

/// Suspend a tenant
///
/// For the owner. Everything of the tenant answers `403 tenant_suspended` within a second, and open streams end.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/suspend", tag = "tenants", operation_id = "suspendTenant",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = TenantAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn suspend(
    State(desk): State<FrontDesk>,
    call: ManagementCall,
) -> Result<Response, Problem> {
    set(&desk, &call, TenantStatus::Suspended).await
}

/// Activate a tenant
///
/// For the owner. Also takes back that it was closed, while its data are still there.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/activate", tag = "tenants", operation_id = "activateTenant",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = TenantAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn activate(
    State(desk): State<FrontDesk>,
    call: ManagementCall,
) -> Result<Response, Problem> {
    set(&desk, &call, TenantStatus::Active).await
}

/// Close a tenant
///
/// For the owner, and for an administrator of the tenant itself. Serves like a suspended one until its data go.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/close", tag = "tenants", operation_id = "closeTenant",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = TenantAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn close(State(desk): State<FrontDesk>, call: ManagementCall) -> Result<Response, Problem> {
    set(&desk, &call, TenantStatus::Closed).await
}

async fn set(desk: &FrontDesk, call: &ManagementCall, status: TenantStatus) -> Result<Response, Problem> {
    let action = match status {
        TenantStatus::Active => Action::TenantsActivate,
        TenantStatus::Suspended => Action::TenantsSuspend,
        TenantStatus::Closed => Action::TenantClose,
    };
    let managed = call.managed(desk, action).await?;
    if managed.state.is_owner() && status != TenantStatus::Active {
        return Err(Problem::conflict("conflict", "The owner of the platform stays active."));
    }
    let expected = expected_version(&call.received)?;
    let mut tx = desk.database.tenant("tenants.status", &managed.tenant).await?;
    let tenant = tenants::set_status(&mut tx, status, expected, desk.clock.now()).await?;
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    let detail = json!({ "status": status.as_str() });
    call.record_change(desk, &mut tx, managed.tenant.as_str(), Some(detail)).await?;
    tx.commit().await?;
    desk.tenants.changed(&managed.tenant);
    Ok(versioned(tenant.version, TenantAnswer::from(tenant)))
}
