//! The steps from a request that was read to one that may be carried out.

use super::{
    Received,
    context::{Access, Subjects, TenantCall, TenantContext},
    received::Shown,
};
use crate::{
    desk::FrontDesk,
    edge::{limited, unreachable},
    identity::cookies,
    look_up,
    problem::{Code, Problem},
    record::CallRecord,
    shares::{Counts, Who},
    tenant_state::{ReadySecret, TenantState},
    token_desk::KnownToken,
};
use http::{HeaderMap, HeaderName, header};
use misy_domain::{Channel, Permission, Permissions, TenantId, Timestamp};
use misy_store::limits::{Nonce, Scope};
use misy_trust::{
    ApiKey, ApiKeyKind, ClientCertificate, RandomToken, RequestKey, RequestKeyKind, SignedRequest, TokenUse,
    request_signature::{WINDOW, check_window, parse_timestamp, verify},
};
use std::{marker::PhantomData, sync::Arc};

const SIGNATURE: HeaderName = HeaderName::from_static("x-misy-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-misy-timestamp");
const NONCE: HeaderName = HeaderName::from_static("x-misy-nonce");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The token is genuine, alive and not revoked.
pub(super) struct Identified {
    received: Received,
    token: Arc<KnownToken>,
    state: Arc<TenantState>,
}

/// The tenant may be served.
pub(super) struct Active(Identified);

/// Whoever holds the token is who it was given to.
pub(super) struct Held(Identified);

/// The request comes from where the token may be used.
pub(super) struct AtOrigin(Identified);

/// The holder of the key made exactly this request, within the window.
pub(super) struct Signed {
    at: AtOrigin,
    forget_at: i64,
}

/// Seen for the first time, and within all limits.
pub(super) struct WithinLimits(AtOrigin);

/// The token may do this.
pub(super) struct Permitted<A> {
    within: WithinLimits,
    permissions: Permissions,
    access: PhantomData<A>,
}

/// The bearer token of a request.
pub(crate) fn bearer(received: &Received) -> Option<&str> {
    bearer_of(received.headers())
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The headers of a signature.
pub(crate) struct SignatureHeaders<'a> {
    signature: &'a str,
    timestamp: &'a str,
    nonce: &'a str,
}

impl<'a> SignatureHeaders<'a> {
    /// All three, or a refusal.
    pub(crate) fn of(received: &'a Received) -> Result<Self, Problem> {
        let get = |name| received.header(name).ok_or_else(|| Problem::unauthorized(Code::SignatureMissing));
        Ok(Self { signature: get(&SIGNATURE)?, timestamp: get(&TIMESTAMP)?, nonce: get(&NONCE)? })
    }

    /// Whether one of the keys signed this request within the window; if so, until when its nonce must be remembered.
    pub(crate) fn verify(
        &self,
        received: &Received,
        keys: &[RequestKey],
        token_sha256: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<i64, Problem> {
        let request = SignedRequest {
            method: received.parts.method.as_str(),
            host: received.host(),
            path: received.parts.uri.path(),
            query: received.parts.uri.query().unwrap_or_default(),
            body_sha256: misy_trust::sha256(&received.body),
            timestamp: self.timestamp,
            nonce: self.nonce,
            token_sha256,
        };
        verify(keys, self.signature, &request)?;
        let timestamp = parse_timestamp(self.timestamp)?;
        check_window(now.as_second(), timestamp, WINDOW).map_err(|_| Problem::outside_window(now))?;
        Ok(timestamp.saturating_add_unsigned(WINDOW))
    }

    /// The nonce to be remembered.
    pub(crate) fn nonce(&self, forget_at: i64) -> Nonce<'a> {
        Nonce { value: self.nonce, forget_at }
    }
}

/// Refuses a request that could not be carried out whatever its body is, before that is read: by its token, from where it comes,
/// and what the token may do. The tenant of the token. Everything is asked again once the request is there.
pub(super) async fn expect_entitled<A: Access>(
    desk: &FrontDesk,
    shown: Shown<'_>,
) -> Result<TenantId, Problem> {
    let (token, state) = known(desk, shown.headers, shown.record).await?;
    expect_active(&state)?;
    expect_holder(desk, &token, &state, shown.certificate)?;
    expect_origin(shown.headers, &token, &state)?;
    permissions::<A>(&token, &state)?;
    Ok(token.claims.tenant_id.clone())
}

/// The token of a request, genuine, alive and not revoked, with its tenant.
async fn known(
    desk: &FrontDesk,
    headers: &HeaderMap,
    record: &CallRecord,
) -> Result<(Arc<KnownToken>, Arc<TenantState>), Problem> {
    let text = bearer_of(headers).ok_or_else(|| Problem::unauthorized(Code::TokenMissing))?;
    let token = desk.tokens.verify(text, desk.clock.now()).await?;
    let tenant = &token.claims.tenant_id;
    let state = desk.tenants.get(tenant).await?.ok_or_else(|| Problem::unauthorized(Code::TokenRevoked))?;
    {
        let mut facts = record.facts();
        facts.tenant = Some(tenant.clone());
        facts.site = Some(token.claims.site_id.to_string());
        facts.actor = Some(token.jti.clone());
        facts.is_visitor = token.claims.sig == RequestKeyKind::Token;
    }
    if desk.tokens.was_revoked(&token, &state).await? {
        return Err(Problem::unauthorized(Code::TokenRevoked));
    }
    Ok((token, state))
}

fn expect_active(state: &TenantState) -> Result<(), Problem> {
    if state.is_active() { Ok(()) } else { Err(Problem::suspended()) }
}

/// A token that is bound to a client certificate counts only on connections of that certificate.
fn expect_holder(
    desk: &FrontDesk,
    token: &KnownToken,
    state: &TenantState,
    shown: Option<&Arc<ClientCertificate>>,
) -> Result<(), Problem> {
    let held = state.check_holder(&token.claims, shown.map(|shown| &**shown), desk.clock.now());
    held.map_err(Problem::unauthorized)
}

/// A browser's token is used from its one origin, which the site must still list; a server's token from no origin.
fn expect_origin(headers: &HeaderMap, token: &KnownToken, state: &TenantState) -> Result<(), Problem> {
    let claims = &token.claims;
    let site = state.site(&claims.site_id).ok_or_else(|| Problem::unauthorized(Code::TokenRevoked))?;
    let given = text(headers, &header::ORIGIN);
    let allowed = match (&claims.origin, given) {
        (Some(bound), given) => {
            let here = given == Some(bound.as_str()) || (given.is_none() && is_same_origin(headers, bound));
            here && site.origins.contains(bound)
        }
        (None, None) => true,
        // A server's token in a web page has leaked.
        (None, Some(_)) => false,
    };
    if allowed { Ok(()) } else { Err(Problem::origin_not_allowed()) }
}

/// A browser sends no `Origin` with a GET to the page's own origin; then it says that the request is one of those.
fn is_same_origin(headers: &HeaderMap, bound: &misy_domain::Origin) -> bool {
    let host = bound.as_str().split_once("://").map(|(_, host)| host);
    text(headers, &FETCH_SITE) == Some("same-origin") && host == text(headers, &header::HOST)
}

/// What a token may do is what it says and what its site and its secret still allow.
fn permissions<A: Access>(token: &KnownToken, state: &TenantState) -> Result<Permissions, Problem> {
    let permissions = state.permissions_now(&token.claims);
    if A::PERMISSION.is_some_and(|needed: Permission| !permissions.contains(needed)) {
        return Err(Problem::forbidden(Code::PermissionDenied, "The token may not do this."));
    }
    Ok(permissions)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The same where people and set-up tokens come too, of whom it is asked whether they are there. What merely looks like theirs does
/// not count.
pub(crate) async fn expect_credential<A: Access>(desk: &FrontDesk, shown: Shown<'_>) -> Result<(), Problem> {
    let (headers, from) = (shown.headers, shown.record.address);
    let (is_there, code) = match bearer_of(headers) {
        None if cookies::has_session(&desk.settings, headers) => {
            let is_there = match cookies::session(&desk.settings, headers) {
                Some(token) => look_up::is_session(desk, from, &token.hash()).await?,
                None => false,
            };
            (is_there, Code::SessionInvalid)
        }
        Some(text) if text.starts_with(TokenUse::Personal.prefix()) => {
            let is_there = match RandomToken::parse(TokenUse::Personal, text) {
                Some(token) => look_up::is_personal_token(desk, from, &token.hash()).await?,
                None => false,
            };
            (is_there, Code::TokenInvalid)
        }
        Some(text) if text.starts_with(ApiKeyKind::Administrator.prefix()) => {
            let is_there = match ApiKey::parse(text) {
                Ok(key) => look_up::is_set_up_token(desk, from, &key.hash()).await?,
                Err(_) => false,
            };
            (is_there, Code::TokenInvalid)
        }
        None | Some(_) => return expect_entitled::<A>(desk, shown).await.map(|_| ()),
    };
    if is_there { Ok(()) } else { Err(Problem::unauthorized(code)) }
}

impl Received {
    /// Who calls.
    pub(super) async fn identify(self, desk: &FrontDesk) -> Result<Identified, Problem> {
        let (token, state) = known(desk, self.headers(), &self.record).await?;
        Ok(Identified { received: self, token, state })
    }
}

impl Identified {
    pub(super) fn tenant_active(self) -> Result<Active, Problem> {
        expect_active(&self.state)?;
        Ok(Active(self))
    }
}

impl Active {
    pub(super) fn holder(self, desk: &FrontDesk) -> Result<Held, Problem> {
        let Identified { received, token, state } = &self.0;
        expect_holder(desk, token, state, received.certificate())?;
        Ok(Held(self.0))
    }
}

impl Held {
    pub(super) fn origin(self) -> Result<AtOrigin, Problem> {
        let Self(identified) = self;
        let Identified { received, token, state } = &identified;
        expect_origin(received.headers(), token, state)?;
        received.record.facts().origin_is_known = received.header(&header::ORIGIN).is_some();
        Ok(AtOrigin(identified))
    }
}

impl AtOrigin {
    pub(super) fn signature(self, desk: &FrontDesk) -> Result<Signed, Problem> {
        let Identified { received, token, state } = &self.0;
        let headers = SignatureHeaders::of(received)?;
        let now = desk.clock.now();
        let sha256 = Some(token.sha256);
        let forget_at = match token.claims.sig {
            RequestKeyKind::Token => {
                let key = token.bound_key(&state.keys);
                headers.verify(received, std::slice::from_ref(key), sha256, now)?
            }
            RequestKeyKind::Tenant => {
                let bound = token.claims.certificate.is_some();
                let counts = |secret: &&ReadySecret| bound || !secret.needs_certificate;
                // With its own secret, not with any of the tenant's: the least of them would speak for the strongest.
                let own = token.claims.key.into_iter().flat_map(|key| state.signers(key, now));
                let keys: Vec<RequestKey> = own.filter(counts).map(|secret| secret.key.clone()).collect();
                headers.verify(received, &keys, sha256, now)?
            }
        };
        Ok(Signed { at: self, forget_at })
    }
}

impl Signed {
    /// Replay and rate limits.
    pub(super) async fn replay_and_limits<A: Access>(
        self,
        desk: &FrontDesk,
    ) -> Result<WithinLimits, Problem> {
        let Self { at, forget_at } = self;
        let Identified { received, token, state } = &at.0;
        let claims = &token.claims;
        let nonce = SignatureHeaders::of(received)?.nonce(forget_at);
        let Subjects { session, channel } = A::subjects(received);
        // A visitor comes over the web, whatever they name: so they use up the limit of no other channel.
        let (who, channel) = match claims.sig {
            RequestKeyKind::Token => {
                (Who::Visitor(received.record.address), channel.map(|_| Channel::Web.as_str().to_owned()))
            }
            RequestKeyKind::Tenant => (Who::Program, channel),
        };
        let mut counts = Counts::of(state, who).shared(Scope::Site, claims.site_id.as_str());
        counts = counts.own(Scope::Key, &token.family);
        if let Some(session) = &session {
            counts = counts.session(session, &token.family);
        }
        if let Some(channel) = &channel {
            counts = counts.shared(Scope::Channel, channel);
        }
        if let Some(trace) = A::LEAVES {
            counts = counts.leaving(trace, &token.family);
        }
        let now = desk.clock.now();
        let otherwise = unreachable(&received.parts.method);
        let decision =
            desk.limits.check(&claims.tenant_id, Some(nonce), &counts.limits(), now, otherwise).await?;
        limited(decision, &received.record)?;
        Ok(WithinLimits(at))
    }
}

impl WithinLimits {
    pub(super) fn permission<A: Access>(self) -> Result<Permitted<A>, Problem> {
        let Identified { token, state, .. } = &self.0.0;
        let permissions = permissions::<A>(token, state)?;
        Ok(Permitted { within: self, permissions, access: PhantomData })
    }
}

impl<A: Access> Permitted<A> {
    /// Whether the contact agreed to what the call would do with personal data.
    ///
    /// Today no call has a purpose that needs an agreement (an answer to what the contact itself asks does not), so
    /// every call passes. The ledger of consents will be asked here and nowhere else.
    #[allow(clippy::unnecessary_wraps, reason = "the other steps can refuse, and so will this one")]
    pub(super) fn consent(self) -> Result<TenantCall<A>, Problem> {
        let Identified { received, token, state } = self.within.0.0;
        Ok(TenantContext::of(received, token, state, self.permissions))
    }
}
