//! What is known of a call that passed the whole pipeline.

use super::{Head, Received, steps::expect_entitled};
use crate::{
    desk::FrontDesk, problem::Problem, settings::Settings, tenant_state::TenantState, token_desk::KnownToken,
};
use axum::extract::{FromRequest, Request};
use misy_domain::{Permission, Permissions, SiteId, TenantId, TokenId, share::Trace};
use misy_store::TenantKeys;
use misy_trust::TatClaims;
use std::{marker::PhantomData, ops::Deref, sync::Arc, time::Duration};

/// What a kind of call needs.
pub trait Access: Send + Sync + 'static {
    /// What the token must allow.
    const PERMISSION: Option<Permission>;
    /// The largest body, if it is another than usual.
    const BODY_LIMIT: Option<usize> = None;
    /// What a visitor leaves behind with it, of which each has a share.
    const LEAVES: Option<Trace> = None;

    /// The largest body, where a setting says it.
    fn body_limit(settings: &Settings) -> usize {
        Self::BODY_LIMIT.unwrap_or(settings.body_limit)
    }

    /// The longest a body may take to arrive.
    fn body_timeout(settings: &Settings) -> Duration {
        settings.body_timeout
    }

    /// What else than tenant, site and key the call counts against.
    fn subjects(_: &Received) -> Subjects {
        Subjects::default()
    }
}

/// What a call counts against, as text of the caller that is not yet believed.
#[derive(Debug, Default)]
pub struct Subjects {
    /// The session that is written in.
    pub session: Option<String>,
    /// The channel that is written on.
    pub channel: Option<String>,
}

/// A call that passed the pipeline; there is no other way to make one.
pub struct TenantContext<A> {
    token: Arc<KnownToken>,
    state: Arc<TenantState>,
    permissions: Permissions,
    access: PhantomData<A>,
}

impl<A: Access> TenantContext<A> {
    pub(super) fn of(
        received: Received,
        token: Arc<KnownToken>,
        state: Arc<TenantState>,
        permissions: Permissions,
    ) -> TenantCall<A> {
        TenantCall { received, context: Self { token, state, permissions, access: PhantomData } }
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.token.claims.tenant_id
    }

    /// The site of the token.
    pub fn site(&self) -> &SiteId {
        &self.token.claims.site_id
    }

    /// The chain of tokens that sessions belong to.
    pub fn family(&self) -> TokenId {
        self.token.claims.family
    }

    /// What the token says.
    pub fn claims(&self) -> &TatClaims {
        &self.token.claims
    }

    /// The `jti` of the token.
    pub fn actor(&self) -> &str {
        &self.token.jti
    }

    /// What the token and its site allow together.
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// The token.
    pub(crate) fn token(&self) -> &Arc<KnownToken> {
        &self.token
    }

    /// The tenant as it is now.
    pub fn state(&self) -> &TenantState {
        &self.state
    }

    /// The tenant's keys.
    pub fn keys(&self) -> &Arc<TenantKeys> {
        &self.state.keys
    }
}

/// The call of a tenant: who may do it, and what was sent.
pub struct TenantCall<A> {
    /// Who calls.
    pub context: TenantContext<A>,
    /// What was sent.
    pub received: Received,
}

impl<A: Access> TenantCall<A> {
    /// Sends a request that was read through the rest of the pipeline.
    pub(crate) async fn pass(desk: &FrontDesk, received: Received) -> Result<Self, Problem> {
        let call = received
            .identify(desk)
            .await?
            .tenant_active()?
            .holder(desk)?
            .origin()?
            .signature(desk)?
            .replay_and_limits::<A>(desk)
            .await?
            .permission::<A>()?
            .consent()?;
        call.received.record.keep_room(&desk.audit).await?;
        Ok(call)
    }
}

impl<A: Access> FromRequest<FrontDesk> for TenantCall<A> {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &FrontDesk) -> Result<Self, Problem> {
        let limit = A::body_limit(&desk.settings);
        let mut head = Head::of(request, limit).await?;
        if head.is_large() {
            let tenant = expect_entitled::<A>(desk, head.shown()).await?;
            head.count_for(tenant);
        }
        let received = head.read_within(desk, limit, A::body_timeout(&desk.settings)).await?;
        Self::pass(desk, received).await
    }
}

impl<A> Deref for TenantCall<A> {
    type Target = TenantContext<A>;

    fn deref(&self) -> &TenantContext<A> {
        &self.context
    }
}
