//! `/tenants/{tenantId}/services` and `/providers`: what can be booked, as it stands in the context pack, and when.

use crate::{api::booking, desk::FrontDesk, management::Managed, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::{
    act,
    context_pack::{Provider, Service},
};
use misy_store::tenant_tx;
use serde::Serialize;
use utoipa::ToSchema;

/// What a tenant offers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Services {
    /// In the order of the context pack. There are at most 300, so this list has no further page.
    items: Vec<ServiceAnswer>,
    /// Always `null`.
    next_cursor: Option<String>,
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OfferedService)]
pub struct ServiceAnswer {
    /// As it stands in the context pack.
    #[serde(flatten)]
    service: Service,
    /// Whether it can be booked: it has a length and somebody who does it.
    is_bookable: bool,
}

/// Who or what can be booked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Providers {
    /// In the order of the context pack. There are at most 100, so this list has no further page.
    items: Vec<Provider>,
    /// Always `null`.
    next_cursor: Option<String>,
}

/// List services
///
/// They are written with the context pack.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/services", tag = "bookings", operation_id = "listServices",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "Services with prices and lengths", body = Services)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::ContextPackRead>,
) -> Result<Json<Services>, Problem> {
    let pack = Box::pin(tenant_tx!(desk.database, "services.list", &call.tenant, async |tx| booking::pack(
        &desk, tx
    )
    .await))
    .await?;
    let answer = |service: Service| ServiceAnswer { is_bookable: service.is_bookable(), service };
    Ok(Json(Services {
        items: pack.pack().services.iter().cloned().map(answer).collect(),
        next_cursor: None,
    }))
}

/// List providers
///
/// They are written with the context pack.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/providers", tag = "bookings", operation_id = "listProviders",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "Providers with their weeks and exceptions", body = Providers)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn providers(
    State(desk): State<FrontDesk>,
    call: Managed<act::ContextPackRead>,
) -> Result<Json<Providers>, Problem> {
    let pack = Box::pin(tenant_tx!(desk.database, "providers.list", &call.tenant, async |tx| booking::pack(
        &desk, tx
    )
    .await))
    .await?;
    Ok(Json(Providers { items: pack.pack().providers.clone(), next_cursor: None }))
}

/// List free times
///
/// Starts that can be booked now. A time may be gone when it is asked for: then the answer to that says which others are free.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/services/{serviceId}/free-times", tag = "bookings",
    operation_id = "listFreeTimes",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("serviceId" = String, Path, description = "The service, by its id in the context pack"), booking::FreeQuery,
    ),
    responses((status = 200, description = "Free times, in order", body = booking::FreeTimes)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn free(
    State(desk): State<FrontDesk>,
    call: Managed<act::ContextPackRead>,
) -> Result<Json<booking::FreeTimes>, Problem> {
    let service: String = call.received.param("serviceId")?;
    let query: booking::FreeQuery = call.received.query()?;
    let free = booking::free(&desk, &call.tenant, service, query).await?;
    Ok(Json(free))
}
