//! `GET /tenants/{tenantId}/events`: the life of a tenant.

use super::{Page, PageQuery};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::{Timestamp, act};
use misy_store::tenants::{self, TenantEvent};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that happened to a tenant in its life.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TenantEvent)]
pub struct EventAnswer {
    /// Its place in the life of the tenant, from 1.
    number: i64,
    /// What happened.
    #[schema(value_type = EventKind)]
    event: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who: the id of a user or key; `tenant/key` when it was somebody of another tenant.
    actor: String,
    /// Why, if somebody said so.
    reason: Option<String>,
    /// Of `closed`: when the data go.
    #[schema(value_type = Option<String>, format = DateTime)]
    purge_at: Option<Timestamp>,
}

misy_domain::words! {
    /// What happens in the life of a tenant.
    pub enum EventKind as TenantEventKind {
        /// It was registered.
        Registered = "registered",
        /// It was suspended.
        Suspended = "suspended",
        /// It was activated, or its own administrator took the closing back.
        Activated = "activated",
        /// It was closed.
        Closed = "closed",
        /// All of its tokens were revoked.
        TokensRevoked = "tokens_revoked",
    }
}

impl From<TenantEvent> for EventAnswer {
    fn from(event: TenantEvent) -> Self {
        let TenantEvent { number, event, at, actor, reason, purge_at } = event;
        Self { number, event, at, actor, reason, purge_at }
    }
}

/// Read the life of a tenant
///
/// When it was registered, suspended, activated and closed, by whom and why. The audit trail tells the same among all else.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/events", tag = "tenants", operation_id = "listTenantEvents",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Events from the newest", body = Page<EventAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantRead>,
) -> Result<Json<Page<EventAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("tenants.events", &call.tenant).await?;
    let events = tenants::events(&mut tx, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(events, limit, |event| event.number.to_string()).map(EventAnswer::from)))
}
