//! `POST /tokens`: a key or secret is exchanged for a token.

use crate::{
    address::{self, Purpose},
    desk::FrontDesk,
    edge::limited,
    look_up,
    pipeline::{Received, SignatureHeaders, bearer},
    problem::{Code, Problem},
    shares::{Counts, Who},
    tenant_state::TenantState,
    token_desk::KnownToken,
};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, StatusCode, header};
use misy_domain::{
    KeyId, Origin, Permission, Permissions, Secret, SiteId, TenantId, Timestamp, TokenId, limit::Quota,
    share::Trace,
};
use misy_store::{
    certificates,
    credentials::{self, KeyKind},
    limits::{Nonce, Scope, Unreachable},
};
use misy_trust::{
    ApiKey, ApiKeyKind, BoundCertificate, RequestKey, RequestKeyKind, TatClaims, bound_key,
    token::MAX_LIFETIME,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SECRET_ID: HeaderName = HeaderName::from_static("x-misy-key");
/// For how long after its end a token can still be renewed.
const RENEWABLE: Duration = Duration::from_hours(30 * 24);
const SHORTEST: i64 = 60;

/// What kind of token is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    /// The site.
    pub site_id: SiteId,
    /// What it should allow; the answer may allow less. Anonymous chat unless given.
    #[schema(example = json!(["chat:read", "chat:write"]))]
    pub permissions: Option<Vec<Permission>>,
    /// How long it should live, 60 to 86400; a day unless given.
    #[schema(minimum = 60, maximum = 86400)]
    pub ttl_seconds: Option<i64>,
    /// Which key is to sign requests: `token` (one bound to the token) or `tenant` (the tenant secret; servers only, and
    /// what they get unless they give an origin).
    #[schema(value_type = Option<SigningKeyKind>)]
    pub sig: Option<RequestKeyKind>,
    /// The one origin it may be used from. A browser's is its own.
    pub origin: Option<Origin>,
}

misy_domain::words! {
    /// The kind of a token.
    pub enum TokenType {
        /// A tenant access token.
        TenantAccess = "TAT",
    }
}

misy_domain::words! {
    /// Which key signs the requests that a token comes with.
    pub enum SigningKeyKind {
        /// One that is bound to this very token.
        Token = "token",
        /// The tenant secret.
        Tenant = "tenant",
    }
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenAnswer {
    /// The token.
    token: String,
    /// The kind of token.
    token_type: TokenType,
    /// From when on it is refused.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The key that signs requests, 32 bytes in base64url, with `sig: token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_key: Option<String>,
    /// The server's time, to correct the caller's clock by.
    #[schema(value_type = String, format = DateTime)]
    server_time: Timestamp,
}

/// Who asks for a token, proved.
struct Caller {
    tenant: TenantId,
    state: Arc<TenantState>,
    /// What the key or secret can give.
    most: Permissions,
    /// What it can give when nothing is asked for.
    usual: Permissions,
    site: SiteId,
    origin: Option<Origin>,
    sig: RequestKeyKind,
    /// The chain that the token renews.
    family: Option<TokenId>,
    /// The key or secret that the token, or the first of its chain, is given for.
    key: KeyId,
    /// The client certificate that the token is to be bound to.
    certificate: Option<BoundCertificate>,
}

/// Mint a token
///
/// A browser sends its publishable key and its origin and gets a token bound to that origin, with a signing key of its
/// own. A server sends the id of its tenant secret and signs the request (with an empty token line). Whoever has a token
/// sends it too, and signs with its key, to get one that goes on with the same sessions, up to 30 days after its end.
/// A server renews tokens that were given for its secret, or for one that its secret took over from.
/// A secret that needs a client certificate counts only on a TLS connection with a bound certificate of the tenant, and
/// the token only on connections of that certificate.
#[utoipa::path(
    post, path = "/api/meta-agent/tokens", tag = "tokens", operation_id = "mintToken",
    request_body(content = TokenRequest, example = json!({"siteId": "main"})),
    params(
        ("X-Api-Key" = Option<String>, Header, description = "Publishable key of the site (browsers)"),
        ("X-Misy-Key" = Option<String>, Header, description = "Id of the tenant secret (servers)"),
    ),
    responses((status = 201, description = "A token", body = TokenAnswer)),
    security(("publishableKey" = []), ("tenantSecret" = []))
)]
pub(crate) async fn mint(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    address::guard(&desk, request.extensions(), Purpose::Tokens)?;
    let received = Received::read(&desk, request, desk.settings.body_limit).await?;
    let (api_key, secret_id) = (received.header(&API_KEY), received.header(&SECRET_ID));
    let (caller, asked) = match (api_key, secret_id) {
        (Some(key), None) => browser(&desk, &received, key).await?,
        (None, Some(id)) => server(&desk, &received, id).await?,
        (None, None) => return Err(Problem::unauthorized(Code::KeyInvalid)),
        (Some(_), Some(_)) => return Err(Problem::bad_request("Either x-api-key or x-misy-key, not both.")),
    };
    let (answer, claims) = issue(&desk, &caller, &asked)?;
    if caller.family.is_some() {
        note_renewal(&desk, &claims).await?;
    }
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// So that an attempt stands in the trail of whom it is aimed at.
fn note(received: &Received, tenant: &TenantId, key: KeyId) {
    let mut facts = received.record.facts();
    facts.tenant = Some(tenant.clone());
    facts.actor = Some(key.to_string());
}

async fn tenant(
    desk: &FrontDesk,
    received: &Received,
    id: &TenantId,
    key: KeyId,
) -> Result<Arc<TenantState>, Problem> {
    let state = desk.tenants.get(id).await?.ok_or_else(|| Problem::unauthorized(Code::KeyInvalid))?;
    note(received, id, key);
    if state.is_active() { Ok(state) } else { Err(Problem::suspended()) }
}

/// A page with a publishable key; perhaps with a token to renew.
async fn browser(
    desk: &FrontDesk,
    received: &Received,
    key: &str,
) -> Result<(Caller, TokenRequest), Problem> {
    let refused = || Problem::unauthorized(Code::KeyInvalid);
    let key = ApiKey::parse(key).map_err(|_| refused())?;
    if !matches!(key.kind(), ApiKeyKind::PublishableLive | ApiKeyKind::PublishableTest) {
        return Err(refused());
    }
    let now = desk.clock.now();
    let (id, key) = look_up::key(desk, received, &key.hash()).await?.ok_or_else(refused)?;
    if key.kind != KeyKind::Publishable || !key.is_in_force(now) {
        return Err(refused());
    }
    let state = tenant(desk, received, &id, key.key_id).await?;
    let origin = received.header(&header::ORIGIN).and_then(|text| text.parse::<Origin>().ok());
    let origin = origin.filter(|origin| key.origins.as_ref().is_none_or(|listed| listed.contains(origin)));
    let origin = origin.ok_or_else(Problem::origin_not_allowed)?;
    let asked: TokenRequest = received.json()?;
    received.record.facts().site = Some(asked.site_id.to_string());
    let site = state.site(&asked.site_id).ok_or_else(Problem::not_found)?;
    if key.site_id.as_ref().is_some_and(|only| *only != asked.site_id) {
        return Err(Problem::forbidden(Code::PermissionDenied, "The key is for another site."));
    }
    if !site.origins.contains(&origin) || asked.origin.as_ref().is_some_and(|asked| *asked != origin) {
        return Err(Problem::origin_not_allowed());
    }
    received.record.facts().origin_is_known = true;
    if asked.sig == Some(RequestKeyKind::Tenant) {
        return Err(Problem::invalid_field("/sig", "format", "must be token for a browser"));
    }
    let (family, given_for, nonce) = match bearer(received) {
        None => (None, None, None),
        Some(text) => {
            let old = old_token(desk, &id, &state, &asked.site_id, text).await?;
            let is_ours = old.claims.sig == RequestKeyKind::Token && old.claims.certificate.is_none();
            if old.claims.origin.as_ref() != Some(&origin) || !is_ours {
                return Err(Problem::unauthorized(Code::TokenInvalid));
            }
            let headers = SignatureHeaders::of(received)?;
            let bound = std::slice::from_ref(old.bound_key(&state.keys));
            let forget_at = headers.verify(received, bound, Some(old.sha256), now)?;
            (Some(old.claims.family), old.claims.key, Some(headers.nonce(forget_at)))
        }
    };
    let mut counts =
        Counts::of(&state, Who::Visitor(received.record.address)).shared(Scope::Site, asked.site_id.as_str());
    // All visitors of a site share its publishable key, so only a limit of its own counts.
    if let Some(per_minute) = key.requests_per_minute {
        counts = counts.of_key(&key.key_id.to_string(), Quota::per_minute(per_minute));
    }
    if let Some(family) = family {
        counts = counts.leaving(Trace::Renewal, &family.to_string());
    }
    count(desk, received, &id, &counts, nonce).await?;
    drop(counts);
    let caller = Caller {
        tenant: id,
        // A renewed token stays one of the key that the first was given for: revoked with its tokens, that key ends it.
        key: given_for.unwrap_or(key.key_id),
        certificate: None,
        most: key.permissions.clone(),
        usual: key.permissions,
        site: asked.site_id.clone(),
        origin: Some(origin),
        sig: RequestKeyKind::Token,
        family,
        state,
    };
    Ok((caller, asked))
}

/// The secret of an id, if it is one that signs now.
async fn secret(
    desk: &FrontDesk,
    id: &str,
    now: Timestamp,
) -> Result<Option<(TenantId, KeyId, RequestKey)>, Problem> {
    let Ok(key_id) = id.parse::<KeyId>() else { return Ok(None) };
    let Some(tenant) = desk.database.tenant_of_secret(key_id).await? else { return Ok(None) };
    let Some(state) = desk.tenants.get(&tenant).await? else { return Ok(None) };
    let found = state.secrets(now).find(|secret| secret.key_id == key_id);
    Ok(found.map(|secret| (tenant, key_id, secret.key.clone())))
}

/// A server with the tenant secret; perhaps with a token to renew.
async fn server(desk: &FrontDesk, received: &Received, id: &str) -> Result<(Caller, TokenRequest), Problem> {
    // A tenant secret in a web page is no secret any more.
    if received.headers().contains_key(header::ORIGIN) {
        return Err(Problem::origin_not_allowed());
    }
    let headers = SignatureHeaders::of(received)?;
    let now = desk.clock.now();
    let found = secret(desk, id, now).await?;
    if let Some((tenant, key_id, _)) = &found {
        note(received, tenant, *key_id);
    }
    // Before the signature is proved nothing tells an id that is known from one that is not, nor how its tenant is.
    let nobodys = || RequestKey::new(Secret::new([0; 32]));
    let key = found.as_ref().map_or_else(nobodys, |(.., key)| key.clone());
    let old_text = bearer(received);
    let old_sha256 = old_text.map(|text| misy_trust::sha256(text.as_bytes()));
    let verified = headers.verify(received, &[key], old_sha256, now);
    let Some((id, key_id, _)) = found else { return Err(Problem::unauthorized(Code::SignatureInvalid)) };
    let forget_at = verified?;
    let state = tenant(desk, received, &id, key_id).await?;
    let asked: TokenRequest = received.json()?;
    received.record.facts().site = Some(asked.site_id.to_string());
    let old = match old_text {
        Some(text) => Some(old_token(desk, &id, &state, &asked.site_id, text).await?),
        None => None,
    };
    // A secret goes on with what it began, or what it took over: it speaks for no visitor, and for no stronger secret.
    let began = |old: &Arc<KnownToken>| {
        old.claims.key.is_some_and(|key| state.signers(key, now).any(|secret| secret.key_id == key_id))
    };
    if old.as_ref().is_some_and(|old| !began(old)) {
        return Err(Problem::unauthorized(Code::TokenInvalid));
    }
    // A chain that is bound to certificates stays so: else the secret alone could take it over.
    let was_bound = old.as_ref().is_some_and(|old| old.claims.certificate.is_some());
    let certificate = if was_bound || state.needs_certificate(key_id) {
        Some(own_certificate(received, &state, key_id, &asked.site_id, now)?)
    } else {
        None
    };
    let site = state.site(&asked.site_id).ok_or_else(Problem::not_found)?;
    if asked.origin.as_ref().is_some_and(|origin| !site.origins.contains(origin)) {
        return Err(Problem::origin_not_allowed());
    }
    let usual_sig = if asked.origin.is_some() { RequestKeyKind::Token } else { RequestKeyKind::Tenant };
    let sig = asked.sig.unwrap_or(usual_sig);
    if sig == RequestKeyKind::Tenant && asked.origin.is_some() {
        return Err(Problem::invalid_field("/sig", "format", "must be token with an origin"));
    }
    let mut counts = Counts::of(&state, Who::Program).shared(Scope::Site, asked.site_id.as_str());
    if let Some(old) = &old {
        counts = counts.leaving(Trace::Renewal, &old.claims.family.to_string());
    }
    count(desk, received, &id, &counts, Some(headers.nonce(forget_at))).await?;
    drop(counts);
    if let Some(bound) = certificate {
        hold(desk, received, &id, bound, now).await?;
    }
    let most = state.secret(key_id, now).map(|secret| secret.permissions.clone()).unwrap_or_default();
    let caller = Caller {
        tenant: id,
        key: key_id,
        certificate,
        most,
        usual: Permissions::anonymous_chat(),
        site: asked.site_id.clone(),
        origin: asked.origin.clone(),
        sig,
        family: old.map(|old| old.claims.family),
        state,
    };
    Ok((caller, asked))
}

/// The client certificate of the connection, if it is one of the tenant's for this secret and site.
fn own_certificate(
    received: &Received,
    state: &TenantState,
    secret: KeyId,
    site: &SiteId,
    now: Timestamp,
) -> Result<BoundCertificate, Problem> {
    let shown = received.certificate().ok_or_else(|| Problem::unauthorized(Code::CertificateRequired))?;
    // Of several bindings the newest, which is the one that stays when somebody tidies up.
    let binding = state.bindings_of(shown, Some(secret), site, now).max();
    let binding = binding.ok_or_else(|| Problem::unauthorized(Code::CertificateInvalid))?;
    Ok(BoundCertificate { certificate: shown.certificate, binding })
}

/// Who shows a certificate holds its private key: with the first token it becomes the tenant's, and no other tenant's while
/// it is bound there. To bind it proves nothing, and so keeps nobody else from it.
async fn hold(
    desk: &FrontDesk,
    received: &Received,
    tenant: &TenantId,
    bound: BoundCertificate,
    now: Timestamp,
) -> Result<(), Problem> {
    let refused = || Problem::unauthorized(Code::CertificateInvalid);
    let key = received.certificate().ok_or_else(refused)?.key;
    let mut tx = desk.database.tenant("certificates.hold", tenant).await?;
    let is_ours = certificates::hold(&mut tx, key, bound.binding, now).await?;
    tx.commit().await?;
    if is_ours { Ok(()) } else { Err(refused()) }
}

/// Remembers the chain of a renewed token, so that revoking this one by its id ends those that will be renewed from it.
async fn note_renewal(desk: &FrontDesk, claims: &TatClaims) -> Result<(), Problem> {
    let renewable_until = claims.exp.checked_add(RENEWABLE).unwrap_or(Timestamp::MAX);
    let mut tx = desk.database.tenant("tokens.renewal", &claims.tenant_id).await?;
    credentials::note_renewal(&mut tx, claims.jti, claims.family, desk.clock.now(), renewable_until).await?;
    Ok(tx.commit().await?)
}

/// A token to be renewed: of this tenant and site, genuine, not revoked, and at most a month over.
async fn old_token(
    desk: &FrontDesk,
    tenant: &TenantId,
    state: &TenantState,
    site: &SiteId,
    text: &str,
) -> Result<Arc<KnownToken>, Problem> {
    let old = desk.tokens.verify_for_renewal(text, desk.clock.now(), RENEWABLE).await?;
    if old.claims.tenant_id != *tenant || old.claims.site_id != *site {
        return Err(Problem::unauthorized(Code::TokenInvalid));
    }
    if desk.tokens.was_revoked(&old, state).await? {
        return Err(Problem::unauthorized(Code::TokenRevoked));
    }
    Ok(old)
}

async fn count(
    desk: &FrontDesk,
    received: &Received,
    tenant: &TenantId,
    counts: &Counts<'_>,
    nonce: Option<Nonce<'_>>,
) -> Result<(), Problem> {
    let (limits, now) = (counts.limits(), desk.clock.now());
    let decision = desk.limits.check(tenant, nonce, &limits, now, Unreachable::Refuse).await?;
    limited(decision, &received.record)?;
    received.record.keep_room(&desk.audit).await
}

fn issue(
    desk: &FrontDesk,
    caller: &Caller,
    asked: &TokenRequest,
) -> Result<(TokenAnswer, TatClaims), Problem> {
    let ttl = asked.ttl_seconds.unwrap_or(MAX_LIFETIME);
    if !(SHORTEST..=MAX_LIFETIME).contains(&ttl) {
        return Err(Problem::invalid_field("/ttlSeconds", "range", "must be from 60 to 86400"));
    }
    let wanted = match &asked.permissions {
        Some(list) => list.iter().copied().collect(),
        None => caller.usual.clone(),
    };
    let site = caller.state.site(&caller.site).ok_or_else(Problem::not_found)?;
    let mut permissions = wanted.intersection(&caller.most).intersection(site.permissions);
    if caller.origin.is_some() {
        // No page manages a tenant, whatever was asked for it.
        permissions =
            permissions.iter().filter(|permission| *permission != Permission::TenantManage).collect();
    }
    if permissions.is_empty() {
        return Err(Problem::forbidden(
            Code::PermissionDenied,
            "Nothing of what was asked for can be given.",
        ));
    }
    let now = desk.clock.now();
    let iat = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let exp = Timestamp::from_second(iat.as_second() + ttl).unwrap_or(iat);
    let jti = TokenId::new(&*desk.clock, &*desk.entropy);
    let claims = TatClaims {
        tenant_id: caller.tenant.clone(),
        site_id: caller.site.clone(),
        origin: caller.origin.clone(),
        permissions,
        iat,
        exp,
        jti,
        epoch: caller.state.epoch(),
        sig: caller.sig,
        family: caller.family.unwrap_or(jti),
        key: Some(caller.key),
        certificate: caller.certificate,
    };
    let token = desk.tokens.keys().issue(&claims).map_err(|error| {
        tracing::error!(%error, "a token could not be issued");
        Problem::unavailable()
    })?;
    let signing_key = (caller.sig == RequestKeyKind::Token).then(|| {
        let key = bound_key(&caller.state.keys.signing_root, jti, &caller.tenant, &caller.site);
        URL_SAFE_NO_PAD.encode(key.expose())
    });
    let answer = TokenAnswer {
        token,
        token_type: TokenType::TenantAccess,
        expires_at: exp,
        signing_key,
        server_time: now,
    };
    Ok((answer, claims))
}
