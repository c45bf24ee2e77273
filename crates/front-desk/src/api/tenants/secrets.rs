//! `/tenants/{tenantId}/secrets`: what the tenant's servers sign with.

use super::{Mistakes, Page, PageQuery, RevokeQuery};
use crate::{desk::FrontDesk, idempotent::Once, management::Managed, problem::Problem};
use axum::{Json, extract::State, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use misy_domain::{KeyId, Timestamp, act};
use misy_store::credentials::{self, SecretRecord};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use utoipa::ToSchema;

const USUAL_OVERLAP: u32 = 24 * 60 * 60;
const LONGEST_OVERLAP: u32 = 30 * 24 * 60 * 60;

/// A tenant secret; the secret itself is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Secret)]
pub struct SecretAnswer {
    /// Its id, for `X-Misy-Key`.
    #[schema(value_type = String, example = "key_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    key_id: KeyId,
    /// The secret itself, once: 32 bytes in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// What people call it.
    name: String,
    /// Whether it counts only on connections with a client certificate of the tenant.
    needs_certificate: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Since when it is refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<SecretRecord> for SecretAnswer {
    fn from(secret: SecretRecord) -> Self {
        Self {
            key_id: secret.key_id,
            secret: None,
            name: secret.name,
            needs_certificate: secret.needs_certificate,
            created_at: secret.created_at,
            expires_at: secret.expires_at,
            revoked_at: secret.revoked_at,
        }
    }
}

/// A tenant secret to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewSecret)]
pub struct SecretRequest {
    /// What people call it.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// How long the older secrets go on: 0 to 2592000; a day unless given.
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<u32>,
    /// Whether it counts only on connections with a client certificate of the tenant; no unless given.
    needs_certificate: Option<bool>,
}

/// What of a tenant secret is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SecretPatch)]
pub struct SecretPatch {
    /// Whether it counts only on connections with a client certificate of the tenant.
    needs_certificate: bool,
}

/// List tenant secrets
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/secrets", tag = "tenants", operation_id = "listSecrets",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Secrets from the newest", body = Page<SecretAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::SecretsRead>,
) -> Result<Json<Page<SecretAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("secrets.list", &call.tenant).await?;
    let secrets = credentials::list_secrets(&mut tx, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(secrets, limit, |secret| secret.key_id.to_string()).map(SecretAnswer::from)))
}

/// Make a new tenant secret
///
/// The secret is shown in this answer and never again. The older ones go on for a while, so that servers can change over
/// one after the other.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/secrets", tag = "tenants", operation_id = "rotateSecret",
    request_body(content = SecretRequest, example = json!({"overlapSeconds": 3600})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "The secret, shown once", body = SecretAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn rotate(
    State(desk): State<FrontDesk>,
    call: Managed<act::SecretsWrite>,
) -> Result<Response, Problem> {
    let asked: SecretRequest = call.received.json()?;
    let overlap = asked.overlap_seconds.unwrap_or(USUAL_OVERLAP);
    let name = asked.name.clone().unwrap_or_default();
    let mut mistakes = Mistakes::default();
    if asked.name.is_some() {
        mistakes.line("/name", &name, 120);
    }
    if overlap > LONGEST_OVERLAP {
        mistakes.add("/overlapSeconds", "range", "must be from 0 to 2592000");
    }
    mistakes.into_result()?;
    let once = Once::of(&call.received, &call.manager.actor)?;
    let mut tx = desk.database.tenant("secrets.rotate", &call.tenant).await?;
    if let Some(answer) = once.answered(&desk, &mut tx).await? {
        return Ok(answer);
    }
    let key_id = KeyId::new(&*desk.clock, &*desk.entropy);
    let now = desk.clock.now();
    let until = now.checked_add(Duration::from_secs(u64::from(overlap))).unwrap_or(Timestamp::MAX);
    let secret = credentials::create_secret(&mut tx, call.keys(), &*desk.entropy, key_id, &name).await?;
    let needs_certificate = asked.needs_certificate.unwrap_or_default();
    credentials::require_certificate(&mut tx, key_id, needs_certificate).await?;
    credentials::expire_older_secrets(&mut tx, key_id, until).await?;
    let detail = json!({ "overlapSeconds": overlap, "needsCertificate": needs_certificate });
    call.record_change(&desk, &mut tx, key_id.to_string(), Some(detail)).await?;
    let answer = SecretAnswer {
        key_id,
        secret: Some(URL_SAFE_NO_PAD.encode(secret.expose())),
        name,
        needs_certificate,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    let response = once.answer(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await?;
    desk.tenants.changed(&call.tenant);
    Ok(response)
}

/// Say whether a tenant secret needs a client certificate
///
/// When it does, no token is given for it on a connection without a bound certificate of the tenant, and the tokens that
/// were given for it without one are refused from now on.
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/secrets/{keyId}", tag = "tenants", operation_id = "changeSecret",
    request_body(content = SecretPatch, example = json!({"needsCertificate": true})),
    params(("tenantId" = String, Path, description = "The tenant"), ("keyId" = String, Path, description = "The secret's id")),
    responses((status = 204, description = "It is so now")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::SecretsWrite>,
) -> Result<StatusCode, Problem> {
    let id: KeyId = call.received.param("keyId")?;
    let patch: SecretPatch = call.received.json()?;
    let mut tx = desk.database.tenant("secrets.change", &call.tenant).await?;
    if !credentials::require_certificate(&mut tx, id, patch.needs_certificate).await? {
        return Err(Problem::not_found());
    }
    let detail = json!({ "needsCertificate": patch.needs_certificate });
    call.record_change(&desk, &mut tx, id.to_string(), Some(detail)).await?;
    tx.commit().await?;
    desk.tenants.changed(&call.tenant);
    Ok(StatusCode::NO_CONTENT)
}

/// Revoke a tenant secret
///
/// No token is given for it any more, and none that requests are signed with it for counts. `tokens=revoke` ends all
/// tokens that it gave, and their chains.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/secrets/{keyId}", tag = "tenants", operation_id = "revokeSecret",
    params(("tenantId" = String, Path, description = "The tenant"), ("keyId" = String, Path, description = "The secret's id"), RevokeQuery),
    responses((status = 204, description = "It is revoked")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn revoke(
    State(desk): State<FrontDesk>,
    call: Managed<act::SecretsWrite>,
) -> Result<StatusCode, Problem> {
    let id: KeyId = call.received.param("keyId")?;
    call.received.expect_no_body()?;
    let query: RevokeQuery = call.received.query()?;
    let mut tx = desk.database.tenant("secrets.revoke", &call.tenant).await?;
    if !credentials::revoke_secret(&mut tx, id, query.with_tokens(), desk.clock.now()).await? {
        return Err(Problem::not_found());
    }
    let detail = json!({ "tokens": if query.with_tokens() { "revoke" } else { "keep" } });
    call.record_change(&desk, &mut tx, id.to_string(), Some(detail)).await?;
    tx.commit().await?;
    desk.tenants.changed(&call.tenant);
    Ok(StatusCode::NO_CONTENT)
}
