//! `/tenants/{tenantId}/secrets`: what the tenant's servers sign with.

use super::{Mistakes, Page, PageQuery, RevokeQuery};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::{AtTenant, Managed},
    problem::Problem,
};
use axum::{Json, extract::State, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use misy_domain::{Action, KeyId, Permission, Permissions, Timestamp, act};
use misy_store::{
    credentials::{self, NewSecret, SecretGrant, SecretRecord},
    tenant_tx,
};
use misy_trust::access::{self, Given};
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
    key_id: KeyId,
    /// The secret itself, once: 32 bytes in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// What people call it.
    name: String,
    /// What tokens may hold that are given for it; `tenant:manage` if there is some action.
    #[schema(example = json!(["chat:read", "chat:write", "tenant:manage"]))]
    permissions: Permissions,
    /// What `tenant:manage` means in them.
    #[schema(example = json!(["context-pack:read", "context-pack:write"]))]
    actions: Vec<Action>,
    /// Whether it counts only on connections with a client certificate of the tenant.
    needs_certificate: bool,
    /// Who made it: a user, a secret whose server did, or who registered the tenant.
    #[schema(example = "usr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    made_by: String,
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
            permissions: secret.grant.permissions,
            actions: secret.grant.actions,
            needs_certificate: secret.needs_certificate,
            made_by: secret.made_by,
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
    /// What tokens may hold that are given for it; unless given what the newest secret carries.
    #[schema(example = json!(["chat:read", "chat:write"]))]
    permissions: Option<Vec<Permission>>,
    /// What `tenant:manage` means in them: management actions that its maker may do, and none about people. Unless given those
    /// of the newest secret that its maker may do; none if `permissions` are given without `tenant:manage`.
    #[schema(example = json!(["context-pack:write"]))]
    actions: Option<Vec<Action>>,
    /// Whether it counts only on connections with a client certificate of the tenant; no unless given.
    needs_certificate: Option<bool>,
}

/// What of a tenant secret is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SecretPatch)]
pub struct SecretPatch {
    /// Whether it counts only on connections with a client certificate of the tenant.
    needs_certificate: Option<bool>,
    /// What its tokens may hold from now on.
    #[schema(example = json!(["chat:read", "chat:write"]))]
    permissions: Option<Vec<Permission>>,
    /// What `tenant:manage` means in them from now on: what is added, the caller must be allowed.
    #[schema(example = json!(["context-pack:read"]))]
    actions: Option<Vec<Action>>,
}

/// What a secret is asked to carry, before it is known whether the caller may give that.
struct Wanted {
    permissions: Option<Permissions>,
    actions: Option<Vec<Action>>,
}

impl Wanted {
    fn new(
        permissions: Option<Vec<Permission>>,
        actions: Option<Vec<Action>>,
        mistakes: &mut Mistakes,
    ) -> Self {
        let for_programs = access::for_programs();
        for (at, action) in actions.iter().flatten().enumerate() {
            if !for_programs.contains(action) {
                mistakes.add(&format!("/actions/{at}"), "reference", "is nothing that a program may do");
            }
        }
        let permissions: Option<Permissions> = permissions.map(|list| list.into_iter().collect());
        // To take management away it is enough to leave it out.
        let leaves_out = |list: &Permissions| !list.contains(Permission::TenantManage);
        let actions = actions.or_else(|| permissions.as_ref().is_some_and(leaves_out).then(Vec::new));
        Self { permissions, actions }
    }

    /// What the secret is to carry. What is not asked for goes on as `before`, as far as the caller may give that; what is
    /// asked for beyond that is refused.
    fn grant(
        &self,
        desk: &FrontDesk,
        call: &AtTenant,
        before: &SecretGrant,
    ) -> Result<Given<SecretGrant>, Problem> {
        let own = call.reach(desk)?;
        let goes_on = || before.actions.iter().copied().filter(|action| own.powers.contains(*action));
        let actions = self.actions.clone().unwrap_or_else(|| goes_on().collect());
        let permissions =
            self.permissions.clone().unwrap_or_else(|| before.permissions.intersection(&own.permissions));
        call.give(desk, SecretGrant::new(&permissions, actions))
    }
}

/// What the first secret carries that takes over from none.
fn chat_only() -> SecretGrant {
    SecretGrant::new(&Permissions::all(), Vec::new())
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
/// one after the other; the new one signs for their tokens too, if it carries what they do. It carries what the newest one does
/// unless something else is asked for, and never more than its maker may do. Older ones that can do more than its maker go on.
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
    let wanted = Wanted::new(asked.permissions, asked.actions, &mut mistakes);
    mistakes.into_result()?;
    let once = Once::of(&call.received, &call.manager.maker)?;
    let mut tx = desk.database.tenant("secrets.rotate", &call.tenant).await?;
    if let Some(answer) = once.answered(&desk, &mut tx).await? {
        return Ok(answer);
    }
    let key_id = KeyId::new(&*desk.clock, &*desk.entropy);
    let now = desk.clock.now();
    let until = now.checked_add(Duration::from_secs(u64::from(overlap))).unwrap_or(Timestamp::MAX);
    let present = credentials::lock_secrets(&mut tx, now).await?;
    let before = present.first().map_or_else(chat_only, |newest| newest.grant.clone());
    let grant = wanted.grant(&desk, &call, &before)?;
    let needs_certificate = asked.needs_certificate.unwrap_or_default();
    let made_by = call.maker_in(&call.tenant);
    let new = NewSecret { key_id, name: &name, grant: &grant, needs_certificate, made_by: &made_by };
    let secret = credentials::create_secret(&mut tx, call.keys(), &*desk.entropy, &new).await?;
    // Those that can do more than the caller go on as if nothing had been: nobody ends them by making another.
    let older: Vec<_> = present.into_iter().filter_map(|older| call.handle(&desk, older).ok()).collect();
    credentials::replace_secrets(&mut tx, &older, key_id, until).await?;
    let replaces: Vec<_> = older.iter().map(|older| older.key_id).collect();
    let grant = grant.into_inner();
    let detail = json!({
        "overlapSeconds": overlap, "needsCertificate": needs_certificate, "permissions": grant.permissions,
        "actions": grant.actions, "replaces": replaces,
    });
    call.record_change(&desk, &mut tx, key_id.to_string(), Some(detail)).await?;
    let answer = SecretAnswer {
        key_id,
        secret: Some(URL_SAFE_NO_PAD.encode(secret.expose())),
        name,
        permissions: grant.permissions,
        actions: grant.actions,
        needs_certificate,
        made_by,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    let response = once.answer(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await?;
    desk.tenants.changed(&call.tenant);
    Ok(response)
}

/// Change a tenant secret
///
/// By whoever may do all that it carries. What it carries: what is taken from it is taken at once from the tokens that were given for it. And whether it needs a client
/// certificate: when it does, no token is given for it on a connection without a bound certificate of the tenant, and the tokens that
/// were given for it without one are refused from now on.
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/secrets/{keyId}", tag = "tenants", operation_id = "changeSecret",
    request_body(content = SecretPatch, example = json!({"actions": ["context-pack:read"]})),
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
    let mut mistakes = Mistakes::default();
    let wanted = Wanted::new(patch.permissions, patch.actions, &mut mistakes);
    mistakes.into_result()?;
    tenant_tx!(desk.database, "secrets.change", &call.tenant, async |tx| {
        let secret = credentials::lock_secret(tx, id).await?.ok_or_else(Problem::not_found)?;
        let needs_certificate = patch.needs_certificate.unwrap_or(secret.needs_certificate);
        let secret = call.handle(&desk, secret)?;
        let grant = wanted.grant(&desk, &call, &secret.grant)?;
        credentials::change_secret(tx, &secret, &grant, needs_certificate).await?;
        let detail = json!({
            "needsCertificate": needs_certificate, "permissions": grant.permissions, "actions": grant.actions,
        });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await?;
        Ok::<_, Problem>(())
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    Ok(StatusCode::NO_CONTENT)
}

/// Revoke a tenant secret
///
/// By whoever may do all that it carries. No token is given for it any more, and none that requests are signed with it for counts. `tokens=revoke` ends all
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
    tenant_tx!(desk.database, "secrets.revoke", &call.tenant, async |tx| {
        let secret = credentials::lock_secret(tx, id).await?.ok_or_else(Problem::not_found)?;
        let secret = call.handle(&desk, secret)?;
        credentials::revoke_secret(tx, &secret, query.with_tokens(), desk.clock.now()).await?;
        let detail = json!({ "tokens": if query.with_tokens() { "revoke" } else { "keep" } });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    Ok(StatusCode::NO_CONTENT)
}
