//! `/tenants/{tenantId}/keys`: publishable keys. Administrators' tokens are listed and revoked here too.

use super::{Mistakes, Page, PageQuery, RevokeQuery, registration::origins};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::{Either, Managed},
    problem::{Code, Problem},
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{Action, KeyId, Permission, Permissions, SiteId, Timestamp, act};
use misy_store::{
    credentials::{self, KeyKind, KeyRecord, NewKey},
    tenant_tx,
};
use misy_trust::{ApiKey, ApiKeyKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A key; the key itself is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Key)]
pub struct KeyAnswer {
    /// Its id.
    key_id: KeyId,
    /// What it is for.
    kind: KeyKind,
    /// Whether it is for use.
    mode: Mode,
    /// The key itself, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Its first characters.
    #[schema(example = "pk_live_Yb3k")]
    prefix: String,
    /// What people call it.
    name: String,
    /// The one site it is for.
    site_id: Option<SiteId>,
    /// What it can give at most.
    permissions: Permissions,
    /// Narrows the origins of the site.
    origins: Option<Vec<String>>,
    /// Its own limit.
    requests_per_minute: Option<u32>,
    /// Who made it: a user, a secret whose server did, the token of a registration, or who registered the tenant.
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

impl From<KeyRecord> for KeyAnswer {
    fn from(key: KeyRecord) -> Self {
        Self {
            key_id: key.key_id,
            kind: key.kind,
            mode: if key.is_test { Mode::Test } else { Mode::Live },
            key: None,
            prefix: key.prefix,
            name: key.name,
            site_id: key.site_id,
            permissions: key.permissions,
            origins: key.origins.map(|list| list.iter().map(ToString::to_string).collect()),
            requests_per_minute: key.requests_per_minute,
            made_by: key.made_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

misy_domain::words! {
    /// Whether a key is for use.
    pub enum Mode as KeyMode {
        /// For use.
        Live = "live",
        /// For trying out.
        Test = "test",
    }
}

/// A publishable key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewKey)]
pub struct KeyRequest {
    /// The site it is for.
    site_id: SiteId,
    /// `live` unless given.
    mode: Option<Mode>,
    /// What people call it.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// What it can give at most: anonymous chat unless given, never `tenant:manage`, and of a program no more than its secret
    /// carries.
    permissions: Option<Vec<Permission>>,
    /// Narrows the origins of the site.
    origins: Option<Vec<String>>,
    /// Its own limit.
    #[schema(minimum = 1, maximum = 1_000_000)]
    requests_per_minute: Option<u32>,
    /// From when on it is refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// List keys
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/keys", tag = "tenants", operation_id = "listKeys",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Keys from the newest", body = Page<KeyAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::KeysRead>,
) -> Result<Json<Page<KeyAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("keys.list", &call.tenant).await?;
    let keys = credentials::list_keys(&mut tx, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(keys, limit, |key| key.key_id.to_string()).map(KeyAnswer::from)))
}

/// Create a publishable key
///
/// The key is shown in this answer and never again.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/keys", tag = "tenants", operation_id = "createKey",
    request_body(content = KeyRequest, example = json!({"siteId": "main", "name": "shop page"})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "The key, shown once", body = KeyAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: Managed<act::KeysWrite>,
) -> Result<Response, Problem> {
    let new: KeyRequest = call.received.json()?;
    let name = new.name.clone().unwrap_or_default();
    let mut mistakes = Mistakes::default();
    if new.name.is_some() {
        mistakes.line("/name", &name, 120);
    }
    let narrowed = new.origins.as_ref().map(|list| origins("/origins", list, &mut mistakes.0));
    if new.requests_per_minute.is_some_and(|number| !(1..=1_000_000).contains(&number)) {
        mistakes.add("/requestsPerMinute", "range", "must be from 1 to 1000000");
    }
    if call.state.site(&new.site_id).is_none() {
        mistakes.add("/siteId", "reference", "is no site of the tenant");
    }
    let most = call.manager.most_permissions(&call.state, desk.clock.now());
    let permissions: Permissions = match new.permissions {
        Some(list) => list.into_iter().collect(),
        None => Permissions::anonymous_chat().intersection(&most),
    };
    if permissions.contains(Permission::TenantManage) {
        mistakes.add("/permissions", "format", "must not have tenant:manage: the key stands in a web page");
    }
    mistakes.into_result()?;
    let given = call.give(&desk, permissions.clone())?;
    let kind = match new.mode {
        Some(Mode::Test) => ApiKeyKind::PublishableTest,
        Some(Mode::Live) | None => ApiKeyKind::PublishableLive,
    };
    let key = ApiKey::generate(kind, &*desk.entropy);
    let key_id = KeyId::new(&*desk.clock, &*desk.entropy);
    let once = Once::of(&call.received, &call.manager.maker)?;
    let mut tx = desk.database.tenant("keys.create", &call.tenant).await?;
    if let Some(answer) = once.answered(&desk, &mut tx).await? {
        return Ok(answer);
    }
    let made_by = call.maker_in(&call.tenant);
    let stored = NewKey {
        key_id,
        key: &key,
        name: &name,
        site_id: Some(&new.site_id),
        permissions: &given,
        origins: narrowed.as_deref(),
        requests_per_minute: new.requests_per_minute,
        made_by: &made_by,
        expires_at: new.expires_at,
    };
    credentials::create_key(&mut tx, &stored).await?;
    call.record_change(&desk, &mut tx, key_id.to_string(), None).await?;
    let answer = KeyAnswer {
        key_id,
        kind: KeyKind::Publishable,
        mode: new.mode.unwrap_or(Mode::Live),
        key: Some(key.text().expose().clone()),
        prefix: key.hint(),
        name,
        site_id: Some(new.site_id),
        permissions,
        origins: new.origins,
        requests_per_minute: new.requests_per_minute,
        made_by,
        created_at: desk.clock.now(),
        expires_at: new.expires_at,
        revoked_at: None,
    };
    once.answer(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
}

/// Revoke a key
///
/// No token is given for it any more, on any replica. Tokens that it gave live on until they expire or are revoked, unless
/// `tokens=revoke` ends them too, and their chains, within a second. A person's key is revoked by a person only, not by a
/// program.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/keys/{keyId}", tag = "tenants", operation_id = "revokeKey",
    params(("tenantId" = String, Path, description = "The tenant"), ("keyId" = String, Path, description = "The key"), RevokeQuery),
    responses((status = 204, description = "It is revoked")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn revoke(
    State(desk): State<FrontDesk>,
    call: Managed<Either<act::KeysWrite, act::AdministratorKeysRevoke>>,
) -> Result<StatusCode, Problem> {
    // The owner of the platform takes any tenant's administrator key out of the world, and no other key.
    let id: KeyId = call.received.param("keyId")?;
    call.received.expect_no_body()?;
    let query: RevokeQuery = call.received.query()?;
    let of_owner = call.state.is_owner();
    let kind = tenant_tx!(desk.database, "keys.kind", &call.tenant, async |tx| {
        Ok::<_, Problem>(credentials::lock_key(tx, of_owner, id).await?.map(|key| key.record.kind))
    })
    .await?;
    // No key changes its kind. What is asked next has transactions of its own.
    if kind == Some(KeyKind::Administrator) {
        // Else a server's token that leaked could lock out whoever would stop it.
        call.also(&desk, Action::AdministratorKeysRevoke).await?;
        if call.manager.actor == id.to_string() {
            // It may be the last one, and nobody could make another.
            return Err(Problem::conflict(Code::Conflict, "An administrator's key does not revoke itself."));
        }
    } else {
        call.also(&desk, Action::KeysWrite).await?;
    }
    tenant_tx!(desk.database, "keys.revoke", &call.tenant, async |tx| {
        let key = credentials::lock_key(tx, of_owner, id).await?;
        let key = call.handle(&desk, key.ok_or_else(Problem::not_found)?)?;
        credentials::revoke_key(tx, &key, query.with_tokens(), desk.clock.now()).await?;
        let detail = json!({ "tokens": if query.with_tokens() { "revoke" } else { "keep" } });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    Ok(StatusCode::NO_CONTENT)
}
