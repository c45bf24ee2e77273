//! `POST /tokens/revoke`: a token is accepted no longer.

use crate::{
    desk::FrontDesk,
    identity::cookies,
    management::{Managed, Manager},
    pipeline::{Access, Received, TenantCall, bearer},
    problem::{Code, Problem},
};
use axum::extract::{Request, State};
use http::StatusCode;
use misy_domain::{Action, Permission, TenantId, Timestamp, TokenId, act, share::Trace};
use misy_store::{
    TenantTx,
    audit::{self, Actor, AuditEntry, Kind},
    credentials, tenant_tx,
};
use misy_trust::{RequestKeyKind, TokenUse, token::MAX_LIFETIME};
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// No token of a family can be renewed after this, whenever it was issued before.
const REMEMBERED: Duration = Duration::from_hours(32 * 24);
/// No token of a chain that nobody can renew lives longer than this; clocks may differ a little.
const LIFETIME: Duration = Duration::from_secs(MAX_LIFETIME.unsigned_abs() + 900);

/// Which token. Without either, the one that the call is made with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeRequest {
    /// The identifier (`jti`) of the token; all of its chain of renewals are revoked.
    token_id: Option<TokenId>,
    /// The token itself; all of its chain are revoked.
    token: Option<String>,
    /// The tenant, when the owner of the platform calls.
    tenant_id: Option<TenantId>,
}

/// Calls that a token may make whatever else it allows.
struct Anything;

impl Access for Anything {
    const PERMISSION: Option<Permission> = None;
    const LEAVES: Option<Trace> = Some(Trace::Revocation);
}

/// Revoke a token
///
/// A token revokes itself and its chain of renewals; an administrator, or a server that may manage the tenant, any token
/// of the tenant. Open streams end. Takes effect at once, and within a second on every replica.
#[utoipa::path(
    post, path = "/api/meta-agent/tokens/revoke", tag = "tokens", operation_id = "revokeToken",
    request_body(content = RevokeRequest, example = json!({"tokenId": "tat_01k9z3v5d2m8q4x7c1b6n0f9gh"})),
    responses((status = 204, description = "It is revoked")),
    security(("tenantAccessToken" = [], "requestSignature" = []), ("administrator" = []))
)]
pub(crate) async fn revoke(State(desk): State<FrontDesk>, request: Request) -> Result<StatusCode, Problem> {
    let bearer_text = request.headers().get(http::header::AUTHORIZATION);
    let manages =
        match bearer_text.and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' ')) {
            Some((_, token)) => token.starts_with("adm_") || token.starts_with(TokenUse::Personal.prefix()),
            None => cookies::has_session(&desk.settings, request.headers()),
        };
    if manages {
        let named = |received: &Received| Ok(received.json::<RevokeRequest>()?.tenant_id);
        let call = Managed::<act::TokensRevoke>::naming(&desk, request, named).await?;
        let asked: RevokeRequest = call.received.json()?;
        let tokens = match (asked.token_id, asked.token.as_deref()) {
            (Some(_), Some(_)) => return Err(both()),
            (None, None) => return Err(Problem::invalid_field("/tokenId", "required", "is required")),
            (id, token) => of_tenant(&desk, &call.tenant, id, token)?,
        };
        let (actor, text) = (call.actor_in(&call.tenant), asked.token.as_deref());
        return carry_out(&desk, &call.received, &call.tenant, &actor, &tokens, text).await;
    }
    let received = Received::read(&desk, request, desk.settings.body_limit).await?;
    let call = TenantCall::<Anything>::pass(&desk, received).await?;
    let asked: RevokeRequest =
        if call.received.body.is_empty() { RevokeRequest::default() } else { call.received.json()? };
    if asked.tenant_id.as_ref().is_some_and(|tenant| tenant != call.tenant()) {
        return Err(Problem::not_found());
    }
    let own = call.claims();
    let text = bearer(&call.received);
    let is_own = match (&asked.token_id, &asked.token) {
        (Some(_), Some(_)) => return Err(both()),
        (None, None) => true,
        (Some(id), None) => *id == own.jti || *id == own.family,
        (None, Some(token)) => Some(token.as_str()) == text,
    };
    if is_own && own.sig == RequestKeyKind::Token {
        return give_up(&desk, &call, text).await;
    }
    let tokens = match (&asked.token_id, &asked.token) {
        _ if is_own => vec![own.jti, own.family],
        (id, token) if Manager::of_program(&desk, &call).may(&desk, Action::TokensRevoke, call.tenant()) => {
            of_tenant(&desk, call.tenant(), *id, token.as_deref())?
        }
        _ => return Err(Problem::forbidden(Code::PermissionDenied, "The token may revoke itself only.")),
    };
    let given = asked.token.as_deref().or(text);
    carry_out(&desk, &call.received, call.tenant(), &holder(&call), &tokens, given).await
}

/// Whoever holds a token of the tenant.
fn holder(call: &TenantCall<Anything>) -> Actor {
    Actor::of(call.tenant(), call.actor(), call.tenant())
}

fn both() -> Problem {
    Problem::invalid_field("/token", "format", "must not come together with tokenId")
}

fn of_tenant(
    desk: &FrontDesk,
    tenant: &TenantId,
    id: Option<TokenId>,
    token: Option<&str>,
) -> Result<Vec<TokenId>, Problem> {
    if let Some(id) = id {
        return Ok(vec![id]);
    }
    let genuine =
        desk.tokens.keys().verify_for_renewal(token.unwrap_or_default(), desk.clock.now(), REMEMBERED);
    match genuine {
        Ok(claims) if claims.tenant_id == *tenant => Ok(vec![claims.jti, claims.family]),
        _ => Err(Problem::not_found()),
    }
}

/// A visitor gives up what they hold. Anybody can do that with any number of tokens, so nothing of it may stay for long: the
/// sessions are taken away from the chain, so that it is worth nothing to whoever would renew it, and what is remembered
/// goes with the last token of the chain.
async fn give_up(
    desk: &FrontDesk,
    call: &TenantCall<Anything>,
    text: Option<&str>,
) -> Result<StatusCode, Problem> {
    let now = desk.clock.now();
    let family = call.family();
    let expires_at = now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    tenant_tx!(desk.database, "tokens.give_up", call.tenant(), async |tx| {
        credentials::revoke_tokens(tx, &[family], now, expires_at).await?;
        credentials::detach_sessions(tx, family).await?;
        record(desk, tx, &call.received, &holder(call), family).await
    })
    .await?;
    Ok(done(desk, call.tenant(), text))
}

async fn record(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    received: &Received,
    actor: &Actor,
    token: TokenId,
) -> Result<(), Problem> {
    let record = &received.record;
    let mut entry = AuditEntry::new(Kind::Change, record.operation, actor, &*desk.clock, &*desk.entropy);
    entry.subject = Some(token.to_string());
    entry.request_id = Some(record.request_id.clone());
    Ok(audit::record(tx, &entry).await?)
}

async fn carry_out(
    desk: &FrontDesk,
    received: &Received,
    tenant: &TenantId,
    actor: &Actor,
    tokens: &[TokenId],
    text: Option<&str>,
) -> Result<StatusCode, Problem> {
    let now = desk.clock.now();
    let expires_at = now.checked_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    tenant_tx!(desk.database, "tokens.revoke", tenant, async |tx| {
        credentials::revoke_tokens(tx, tokens, now, expires_at).await?;
        for token in tokens {
            record(desk, tx, received, actor, *token).await?;
        }
        Ok::<_, Problem>(())
    })
    .await?;
    Ok(done(desk, tenant, text))
}

fn done(desk: &FrontDesk, tenant: &TenantId, text: Option<&str>) -> StatusCode {
    if let Some(text) = text {
        desk.tokens.forget(text);
    }
    desk.tenants.changed(tenant);
    StatusCode::NO_CONTENT
}
