//! `GET /tenants`: the tenants that the caller may know of.

use super::{Page, TenantAnswer, page_cursor, page_limit};
use crate::{
    desk::FrontDesk,
    management::{AtHome, Either},
    problem::Problem,
};
use axum::{Json, extract::State};
use misy_domain::{Action, Plan, TenantStatus, TenantType, act};
use misy_store::{
    audit::{self, AuditEntry, Kind},
    tenants::{self, TenantFilter},
};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which tenants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TenantQuery {
    /// `active`, `suspended` or `closed`.
    #[param(value_type = Option<String>)]
    status: Option<TenantStatus>,
    /// `owner` or `standard`.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>)]
    tenant_type: Option<TenantType>,
    /// `FREE`, `PRO` or `ENTERPRISE`.
    #[param(value_type = Option<String>)]
    plan: Option<Plan>,
    /// With this text in the id or the name.
    q: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List tenants
///
/// The owner (`tenants:list`) sees all, everybody else its own (`tenant:read`).
#[utoipa::path(
    get, path = "/api/meta-agent/tenants", tag = "tenants", operation_id = "listTenants",
    params(TenantQuery),
    responses((status = 200, description = "Tenants by id", body = Page<TenantAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: AtHome<Either<act::TenantsList, act::TenantRead>>,
) -> Result<Json<Page<TenantAnswer>>, Problem> {
    let query: TenantQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let filter = TenantFilter {
        status: query.status,
        tenant_type: query.tenant_type,
        plan: query.plan,
        text: query.q,
        after: page_cursor(query.cursor.as_deref())?,
        limit: i64::from(limit) + 1,
    };
    let tenants = if call.action == Action::TenantsList {
        let mut tx = desk.database.system("tenants.list").await?;
        let tenants = tenants::list(&mut tx, &filter).await?;
        let record = &call.received.record;
        let actor = call.actor_in(&call.manager.home);
        let mut entry = AuditEntry::new(Kind::System, record.operation, &actor, &*desk.clock, &*desk.entropy);
        entry.request_id = Some(record.request_id.clone());
        audit::record_system(&mut tx, &call.manager.home, &entry).await?;
        tx.commit().await?;
        tenants
    } else {
        let mut tx = desk.database.tenant("tenants.list", &call.manager.home).await?;
        let own = tenants::read(&mut tx).await?;
        tx.commit().await?;
        own.filter(|own| fits(own, &filter)).into_iter().collect()
    };
    let page = Page::of(tenants, limit, |tenant| tenant.tenant_id.to_string());
    Ok(Json(page.map(TenantAnswer::from)))
}

fn fits(tenant: &tenants::Tenant, filter: &TenantFilter) -> bool {
    let text = filter.text.as_ref().map(|text| text.to_lowercase());
    filter.status.is_none_or(|status| status == tenant.status)
        && filter.tenant_type.is_none_or(|tenant_type| tenant_type == tenant.tenant_type)
        && filter.plan.is_none_or(|plan| plan == tenant.plan)
        && filter.after.as_ref().is_none_or(|after| tenant.tenant_id > *after)
        && text.is_none_or(|text| {
            tenant.name.to_lowercase().contains(&text) || tenant.tenant_id.as_str().contains(&text)
        })
}
