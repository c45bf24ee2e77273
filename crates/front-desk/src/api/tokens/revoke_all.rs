//! `POST /tenants/{tenantId}/tokens/revoke-all`: every token of a tenant is accepted no longer.

use crate::{
    api::tenants::life::Why,
    desk::FrontDesk,
    management::{AtTenant, Managed},
    problem::Problem,
};
use axum::{Json, extract::State};
use misy_domain::act;
use misy_store::{TenantTx, tenant_tx, tenants};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// What is so after all tokens were revoked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Epoch)]
pub struct EpochAnswer {
    /// The credential epoch: tokens of an older one are refused.
    #[schema(example = 2)]
    epoch: i32,
}

/// Revoke all tokens of a tenant
///
/// Raises the credential epoch: every token that was given until now is refused within a second on every replica, open
/// streams end, and no renewal brings one back. Keys and secrets stay, and give new tokens.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/tokens/revoke-all", tag = "tokens",
    operation_id = "revokeAllTokens",
    request_body(content = Why, example = json!({"reason": "a laptop was stolen"})),
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "They are revoked", body = EpochAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn revoke_all(
    State(desk): State<FrontDesk>,
    call: Managed<act::TokensRevoke>,
) -> Result<Json<EpochAnswer>, Problem> {
    let why: Why = call.received.json_or_default()?;
    why.check()?;
    let why = call.why(why.reason);
    let epoch = tenant_tx!(desk.database, "tokens.revoke_all", &call.tenant, async |tx| {
        raise(&desk, &call, tx, why.clone()).await
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    Ok(Json(EpochAnswer { epoch }))
}

/// Raises the epoch, with its place in the life of the tenant and in its trail, by whichever call.
pub(crate) async fn raise(
    desk: &FrontDesk,
    call: &AtTenant,
    tx: &mut TenantTx,
    reason: Option<String>,
) -> Result<i32, Problem> {
    let epoch = tenants::raise_epoch(tx).await?.ok_or_else(Problem::not_found)?;
    let detail = json!({ "epoch": epoch, "reason": reason });
    call.record_change(desk, tx, call.tenant.as_str(), Some(detail)).await?;
    tenants::note_event(tx, &call.event(desk, "tokens_revoked", reason)).await?;
    Ok(epoch)
}
