//! `GET /tenants/{tenantId}/decisions`: why a turn went as it did.

use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{Json, extract::State};
use misy_domain::{Decision, MessageId, act};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

/// Of which message.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DecisionQuery {
    /// A message that was asked or answered in the turn.
    #[param(value_type = misy_domain::MessageId)]
    message_id: String,
}

/// Explain a turn
///
/// How it ended, what may have been meant, language, intent with score, agent, persona, tone, format, rules, sources, limits, labels.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/decisions", tag = "tenants", operation_id = "readDecision",
    params(("tenantId" = String, Path, description = "The tenant"), DecisionQuery),
    responses((status = 200, description = "The decision", body = Decision)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::DecisionsRead>,
) -> Result<Json<Value>, Problem> {
    let query: DecisionQuery = call.received.query()?;
    let message: MessageId = query.message_id.parse().map_err(|_| Problem::not_found())?;
    let mut tx = desk.database.tenant("decisions.read", &call.tenant).await?;
    let decision = misy_store::decisions::decision(&mut tx, message).await?;
    tx.commit().await?;
    decision.map(Json).ok_or_else(Problem::not_found)
}
