//! `GET /auth/access`: what the caller may do.

use crate::{
    desk::FrontDesk,
    identity::UserCall,
    management::{Ability, Manager},
    problem::Problem,
};
use axum::{Json, extract::State};
use misy_domain::{Action, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccessQuery {
    tenant_id: Option<TenantId>,
}

/// What the caller may do to a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MyAccess)]
pub struct AccessAnswer {
    /// The tenant.
    tenant_id: TenantId,
    /// All that may be done. What is not here is refused.
    items: Vec<AbilityAnswer>,
}

/// Something that may be done, and what it takes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ability)]
pub struct AbilityAnswer {
    /// What.
    action: Action,
    /// It takes a second factor that was proved in the last five minutes: `step_up_required`.
    needs_second_factor: bool,
    /// It takes a reason: `reason_required`.
    needs_reason: bool,
    /// It takes a privileged operation first: `privilege_required`.
    needs_privilege: bool,
}

impl From<Ability> for AbilityAnswer {
    fn from(ability: Ability) -> Self {
        Self {
            action: ability.action,
            needs_second_factor: ability.second_factor,
            needs_reason: ability.reason,
            needs_privilege: ability.privilege,
        }
    }
}

/// Read what I may do
///
/// At home, or to the tenant that is named. Of a tenant that the caller must not know of it says what it says of one that is not there.
#[utoipa::path(
    get, path = "/api/meta-agent/auth/access", tag = "auth", operation_id = "readMyAccess",
    params(("tenantId" = Option<String>, Query, description = "The tenant; the caller's own unless given")),
    responses((status = 200, description = "What may be done, and what it takes", body = AccessAnswer)),
    security(("session" = []), ("personalToken" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<AccessAnswer>, Problem> {
    call.proved.expect_second_factor()?;
    let query: AccessQuery = call.received.query()?;
    let tenant_id = query.tenant_id.unwrap_or_else(|| call.proved.tenant.clone());
    let abilities = Manager::of_person(&call.proved).abilities(&desk, &tenant_id).await?;
    if tenant_id != call.proved.tenant
        && (abilities.is_empty() || desk.tenants.get(&tenant_id).await?.is_none())
    {
        return Err(Problem::not_found());
    }
    Ok(Json(AccessAnswer { tenant_id, items: abilities.into_iter().map(AbilityAnswer::from).collect() }))
}
