//! `/tenants/{tenantId}/alerts`: what should be looked at now.

use super::{Page, page_cursor, page_limit};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::{AlertId, Timestamp, act};
use misy_store::alerts::{self, Alert};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// An alert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Alert)]
pub struct AlertAnswer {
    /// Its id.
    #[schema(value_type = String, example = "alr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    alert_id: AlertId,
    /// The rule that raised it.
    #[schema(example = "privilege_burst")]
    rule: String,
    /// `info`, `warning` or `critical`.
    #[schema(example = "critical")]
    severity: &'static str,
    /// Who caused it.
    actor: Option<String>,
    /// What it is about.
    subject: Option<String>,
    /// Figures.
    #[schema(value_type = Object)]
    detail: Value,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    raised_at: Timestamp,
    /// When somebody took note.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    /// Who.
    acknowledged_by: Option<String>,
}

impl From<Alert> for AlertAnswer {
    fn from(alert: Alert) -> Self {
        Self {
            alert_id: alert.alert_id,
            rule: alert.rule,
            severity: alert.severity.as_str(),
            actor: alert.actor,
            subject: alert.subject,
            detail: alert.detail,
            raised_at: alert.raised_at,
            acknowledged_at: alert.acknowledged_at,
            acknowledged_by: alert.acknowledged_by,
        }
    }
}

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// `true`: only those that nobody took note of.
    open: Option<bool>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List alerts
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/alerts", tag = "privilege", operation_id = "listAlerts",
    params(("tenantId" = String, Path, description = "The tenant"), AlertQuery),
    responses((status = 200, description = "Alerts from the newest", body = Page<AlertAnswer>)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::AlertsRead>,
) -> Result<Json<Page<AlertAnswer>>, Problem> {
    let query: AlertQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let before = page_cursor(query.cursor.as_deref())?;
    let mut tx = desk.database.tenant("alerts.list", &call.tenant).await?;
    let found = alerts::list(&mut tx, query.open.unwrap_or_default(), before, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |alert| alert.alert_id.to_string()).map(AlertAnswer::from)))
}

/// Acknowledge an alert
///
/// Somebody takes note of it; twice is once.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/alerts/{alertId}/acknowledge", tag = "privilege",
    operation_id = "acknowledgeAlert",
    params(("tenantId" = String, Path, description = "The tenant"), ("alertId" = String, Path, description = "The alert")),
    responses((status = 200, description = "The alert as it is now", body = AlertAnswer)),
    security(("administrator" = []), ("session" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn acknowledge(
    State(desk): State<FrontDesk>,
    call: Managed<act::AlertsWrite>,
) -> Result<Json<AlertAnswer>, Problem> {
    let id: AlertId = call.received.param("alertId")?;
    let mut tx = desk.database.tenant("alerts.acknowledge", &call.tenant).await?;
    let alert = alerts::acknowledge(&mut tx, id, &call.actor_in(&call.tenant), desk.clock.now()).await?;
    let alert = alert.ok_or_else(Problem::not_found)?;
    call.record_change(&desk, &mut tx, id.to_string(), None).await?;
    tx.commit().await?;
    Ok(Json(AlertAnswer::from(alert)))
}
