//! Management calls that were authorised: what handlers take. The type says the action, so there is no handler that forgot
//! to ask, and the description says of each operation what it asks.

use super::{BODY_LIMIT, Manage, ManagementCall, Reason};
use crate::{
    desk::FrontDesk,
    pipeline::{Head, Received, expect_credential},
    privilege,
    problem::Problem,
    tenant_state::TenantState,
};
use axum::extract::{FromRequest, Request};
use misy_domain::{Act, Action, TenantId};
use misy_store::{TenantKeys, tenants::TenantEvent};
use std::{
    marker::PhantomData,
    ops::Deref,
    sync::{Arc, OnceLock},
};

/// What a call may be for: one action, or [`Either`] of two.
pub trait Acts: Send + Sync + 'static {
    /// Who may do the first of them is asked nothing more.
    const ACTIONS: &'static [Action];
}

impl<A: Act> Acts for A {
    const ACTIONS: &'static [Action] = &[A::ACTION];
}

/// Either of two actions lets a caller in; the handler looks at [`AtTenant::action`] for which one did.
pub struct Either<A, B>(PhantomData<(A, B)>);

impl<A: Act, B: Act> Acts for Either<A, B> {
    const ACTIONS: &'static [Action] = &[A::ACTION, B::ACTION];
}

/// What a management handler takes last.
pub trait Authorised: FromRequest<FrontDesk> {
    /// What for: any of these.
    const ACTIONS: &'static [Action];
}

/// A management call to one tenant, by somebody who may do [`AtTenant::action`] there.
pub struct AtTenant {
    call: ManagementCall,
    /// What the caller was found to be allowed.
    pub action: Action,
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant as it is now.
    pub state: Arc<TenantState>,
    /// Why, of what its caller answers for.
    reason: OnceLock<String>,
}

/// A management call to the tenant that the path names, by somebody who may do `A` there.
///
/// ```
/// # use misy_domain::act;
/// # use misy_front_desk::{FrontDesk, management::Managed};
/// fn is_an_extractor<T: axum::extract::FromRequest<FrontDesk>>() {}
/// is_an_extractor::<Managed<act::SitesRead>>();
/// ```
///
/// Without an action there is no call for a handler to take:
///
/// ```compile_fail
/// # use misy_front_desk::{FrontDesk, management::ManagementCall};
/// fn is_an_extractor<T: axum::extract::FromRequest<FrontDesk>>() {}
/// is_an_extractor::<ManagementCall>();
/// ```
///
/// ```compile_fail
/// # use misy_front_desk::{FrontDesk, management::Managed};
/// fn is_an_extractor<T: axum::extract::FromRequest<FrontDesk>>() {}
/// is_an_extractor::<Managed<()>>();
/// ```
pub struct Managed<A> {
    at: AtTenant,
    acts: PhantomData<A>,
}

/// A management call without a tenant in its path, by somebody who may do `A` in its own: what is about all tenants is the
/// owner's to do.
pub struct AtHome<A> {
    at: AtTenant,
    acts: PhantomData<A>,
}

impl AtTenant {
    async fn of(
        desk: &FrontDesk,
        call: ManagementCall,
        actions: &[Action],
        tenant: TenantId,
    ) -> Result<Self, Problem> {
        let action = call.authorize_any(desk, actions, &tenant).await?;
        let state = desk.tenants.get(&tenant).await?.ok_or_else(Problem::not_found)?;
        let at = Self { call, action, tenant, state, reason: OnceLock::new() };
        at.answer_for(desk, action).await?;
        Ok(at)
    }

    /// Writes down what is done to another tenant before it is done, once for each call: whatever comes of it, both know who
    /// it was and why.
    async fn answer_for(&self, desk: &FrontDesk, action: Action) -> Result<(), Problem> {
        if !self.answers_for(action, &self.tenant) || self.reason.get().is_some() {
            return Ok(());
        }
        let reason = Reason::of(&self.received)?.ok_or_else(Problem::reason_required)?.checked()?;
        privilege::answer_for(desk, &self.call, &self.tenant, action, &reason).await?;
        let _ = self.reason.set(reason);
        Ok(())
    }

    /// Whether it was written down in both trails, with a reason, what is done to another tenant.
    pub(super) fn has_answered(&self) -> bool {
        self.reason.get().is_some()
    }

    /// The reason that the body gave, or the header.
    pub(crate) fn why(&self, of_body: Option<String>) -> Option<String> {
        of_body.or_else(|| self.reason.get().cloned())
    }

    /// Refuses who may not do this as well, where what is asked for depends on what was sent.
    pub async fn also(&self, desk: &FrontDesk, action: Action) -> Result<(), Problem> {
        self.call.authorize(desk, action, &self.tenant).await?;
        self.answer_for(desk, action).await
    }

    /// The keys of the tenant.
    pub fn keys(&self) -> &TenantKeys {
        &self.state.keys
    }

    /// Something that the caller does to the tenant, now.
    pub(crate) fn event(&self, desk: &FrontDesk, event: &str, reason: Option<String>) -> TenantEvent {
        let (at, actor) = (desk.clock.now(), self.actor_in(&self.tenant).as_str().to_owned());
        TenantEvent { number: 0, event: event.to_owned(), at, actor, reason, purge_at: None }
    }
}

impl<A: Acts> Managed<A> {
    /// A call that names its tenant elsewhere than in the path; its caller's own, unless it names one.
    pub(crate) async fn naming(
        desk: &FrontDesk,
        request: Request,
        tenant: impl FnOnce(&Received) -> Result<Option<TenantId>, Problem>,
    ) -> Result<Self, Problem> {
        let call = ManagementCall::read(desk, request).await?;
        let tenant = tenant(&call.received)?.unwrap_or_else(|| call.manager.home.clone());
        Self::of(desk, call, tenant).await
    }

    async fn of(desk: &FrontDesk, call: ManagementCall, tenant: TenantId) -> Result<Self, Problem> {
        let at = AtTenant::of(desk, call, A::ACTIONS, tenant).await?;
        Ok(Self { at, acts: PhantomData })
    }
}

impl<A: Acts> FromRequest<FrontDesk> for Managed<A> {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &FrontDesk) -> Result<Self, Problem> {
        let call = ManagementCall::read(desk, request).await?;
        let tenant: TenantId = call.received.param("tenantId")?;
        let managed = Self::of(desk, call, tenant).await?;
        managed.received.record.facts().subject = Some(managed.tenant.to_string());
        Ok(managed)
    }
}

impl<A: Acts> FromRequest<FrontDesk> for AtHome<A> {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &FrontDesk) -> Result<Self, Problem> {
        let call = ManagementCall::read(desk, request).await?;
        let home = call.manager.home.clone();
        let at = AtTenant::of(desk, call, A::ACTIONS, home).await?;
        Ok(Self { at, acts: PhantomData })
    }
}

impl<A: Acts> Authorised for Managed<A> {
    const ACTIONS: &'static [Action] = A::ACTIONS;
}

impl<A: Acts> Authorised for AtHome<A> {
    const ACTIONS: &'static [Action] = A::ACTIONS;
}

impl<A> Deref for Managed<A> {
    type Target = AtTenant;

    fn deref(&self) -> &AtTenant {
        &self.at
    }
}

impl<A> Deref for AtHome<A> {
    type Target = AtTenant;

    fn deref(&self) -> &AtTenant {
        &self.at
    }
}

impl Deref for AtTenant {
    type Target = ManagementCall;

    fn deref(&self) -> &ManagementCall {
        &self.call
    }
}

impl ManagementCall {
    /// Reads a call and proves who makes it.
    async fn read(desk: &FrontDesk, request: Request) -> Result<Self, Problem> {
        let head = Head::of(request, BODY_LIMIT).await?;
        if head.is_large() {
            expect_credential::<Manage>(desk, head.shown()).await?;
        }
        let received = head.read(desk, BODY_LIMIT).await?;
        Self::prove(desk, received).await
    }

    /// The first action that the caller may do to the tenant. If it may do none, what the last one is refused with.
    async fn authorize_any(
        &self,
        desk: &FrontDesk,
        actions: &[Action],
        tenant: &TenantId,
    ) -> Result<Action, Problem> {
        let mut refusal = Problem::not_found();
        for action in actions {
            match self.authorize(desk, *action, tenant).await {
                Ok(()) => return Ok(*action),
                Err(problem) => refusal = problem,
            }
        }
        Err(refusal)
    }
}
