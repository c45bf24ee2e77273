//! `POST /tenants`: the owner makes a tenant.

use super::{
    register::{self, RegistrationAnswer},
    registration::Registration,
};
use crate::{desk::FrontDesk, management::AtHome, problem::Problem};
use axum::{extract::State, response::Response};
use misy_domain::act;

/// Create a tenant
///
/// For the owner. The same as registering one, whatever the operator's choice about that.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants", tag = "tenants", operation_id = "createTenant",
    request_body(content = Registration, example = json!({
        "tenantName": "Verde Café", "contactEmail": "hola@verdecafe.example",
        "websiteUrl": "https://verdecafe.example", "businessIndustry": "Coffee shop", "plan": "PRO"
    })),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once")),
    responses((status = 201, description = "The tenant, with credentials shown once", body = RegistrationAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: AtHome<act::TenantsCreate>,
) -> Result<Response, Problem> {
    register::by_owner(&desk, &call).await
}
