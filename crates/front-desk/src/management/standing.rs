//! Whether a person still may what they were let in for: asked again and again, on behalf of what goes on after a call.

use super::{AtTenant, Caller, Manager, UserCaller};
use crate::{
    desk::FrontDesk,
    pipeline::bearer,
    problem::{Code, Problem},
};
use misy_domain::{Action, TenantId, UserId};
use misy_store::{
    StoreError,
    users::{User, UserStatus, roles_need_second_factor},
};
use misy_trust::{RandomToken, TokenUse};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Instant,
};
use tokio::sync::Mutex as TurnOfLooks;

/// A person who was let in, and what they proved it with.
#[derive(Clone)]
pub(crate) struct Standing {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The person.
    pub(crate) user: UserId,
    /// Where they belong to.
    home: TenantId,
    action: Action,
    proof: Proof,
    last: LastLook,
}

/// The looks at everybody on whose behalf something goes on. What goes on more than once for the same person and proof shares
/// its looks.
#[derive(Default)]
pub(crate) struct Looks {
    last: Mutex<HashMap<Looked, Weak<TurnOfLooks<Option<Look>>>>>,
}

type Looked = (TenantId, Action, Proof);
type LastLook = Arc<TurnOfLooks<Option<Look>>>;

/// When somebody was looked at, and whether they still might.
#[derive(Clone, Copy)]
struct Look {
    began: Instant,
    holds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Proof {
    /// The hash of the token of a browser's session.
    Session([u8; 32]),
    /// That of a personal API token.
    Personal([u8; 32]),
}

impl Manager {
    /// A person of a tenant, as their account is at this moment, at home.
    pub(crate) fn of_user(home: &TenantId, user: &User, is_owner: bool) -> Self {
        let caller = UserCaller {
            user_id: user.user_id,
            roles: user.roles.clone(),
            second_factor_at: None,
            scopes: None,
        };
        Self::of_caller(home.clone(), caller, user.granted.clone(), is_owner)
    }

    fn of_caller(home: TenantId, caller: UserCaller, granted: Vec<Action>, is_owner: bool) -> Self {
        let actor = caller.user_id.to_string();
        Self { home, maker: actor.clone(), actor, caller: Caller::User(caller), granted, is_owner }
    }
}

impl Looks {
    fn of(&self, looked: Looked) -> LastLook {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = all.get(&looked).and_then(Weak::upgrade) {
            return last;
        }
        all.retain(|_, last| last.strong_count() > 0);
        let last = LastLook::default();
        all.insert(looked, Arc::downgrade(&last));
        last
    }
}

impl AtTenant {
    /// Looks at the person again who makes this call, after a wait for somebody outside: they may have lost their right to it
    /// meanwhile. Calls of programs go on.
    pub(crate) async fn expect_still(&self, desk: &FrontDesk) -> Result<(), Problem> {
        if self.proved.is_none() {
            return Ok(());
        }
        let holds = Standing::of(desk, self)?.holds(desk, Instant::now()).await?;
        if holds { Ok(()) } else { Err(Problem::unauthorized(Code::SessionInvalid)) }
    }
}

impl Standing {
    /// Of the person who makes this call. No program has one.
    pub(crate) fn of(desk: &FrontDesk, call: &AtTenant) -> Result<Self, Problem> {
        let proved = call.proved.as_ref().ok_or_else(Problem::person_required)?;
        let personal = || {
            let token = bearer(&call.received).and_then(|text| RandomToken::parse(TokenUse::Personal, text));
            token.map(|token| Proof::Personal(token.hash()))
        };
        let proof = match &proved.session {
            Some((_, token)) => Some(Proof::Session(token.hash())),
            None => personal(),
        };
        let proof = proof.ok_or_else(Problem::person_required)?;
        Ok(Self {
            tenant: call.tenant.clone(),
            user: proved.user.user_id,
            home: call.manager.home.clone(),
            action: call.action,
            proof,
            last: desk.looks.of((call.tenant.clone(), call.action, proof)),
        })
    }

    /// Whether they still may, as somebody saw who looked since then, or sees now.
    pub(crate) async fn holds(&self, desk: &FrontDesk, since: Instant) -> Result<bool, StoreError> {
        let mut last = self.last.lock().await;
        if let Some(look) = last.filter(|look| look.began >= since) {
            return Ok(look.holds);
        }
        let began = Instant::now();
        let holds = self.look(desk).await?;
        *last = Some(Look { began, holds });
        Ok(holds)
    }

    async fn look(&self, desk: &FrontDesk) -> Result<bool, StoreError> {
        let now = desk.clock.now();
        let (user, granted, is_over, has_factor) = match self.proof {
            Proof::Session(hash) => {
                let Some(found) = desk.database.sign_in_of(&self.home, &hash).await? else {
                    return Ok(false);
                };
                let user = UserCaller {
                    user_id: found.sign_in.user_id,
                    roles: found.roles,
                    second_factor_at: found.sign_in.second_factor_at,
                    scopes: None,
                };
                let is_over = found.sign_in.is_over(now) || found.status != UserStatus::Active;
                let has_factor = user.second_factor_at.is_some();
                (user, found.granted, is_over, has_factor)
            }
            Proof::Personal(hash) => {
                let Some(found) = desk.database.personal_token_of(&self.home, &hash).await? else {
                    return Ok(false);
                };
                let token = found.token;
                let is_over = token.revoked_at.is_some()
                    || now >= token.expires_at
                    || found.status != UserStatus::Active;
                let user = UserCaller {
                    user_id: token.user_id,
                    roles: found.roles,
                    second_factor_at: None,
                    scopes: Some(token.scopes),
                };
                (user, found.granted, is_over, found.second_factor_since.is_some())
            }
        };
        let Some(state) = desk.tenants.get(&self.home).await? else { return Ok(false) };
        let lacks_factor = roles_need_second_factor(&user.roles, &granted) && !has_factor;
        let manager = Manager::of_caller(self.home.clone(), user, granted, state.is_owner());
        let may = manager.may(desk, self.action, &self.tenant);
        Ok(!is_over && !lacks_factor && state.is_active() && may)
    }
}
