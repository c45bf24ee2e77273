//! Whether a person still may what they were let in for: asked again and again, on behalf of what goes on after a call.

use super::{AtTenant, Caller, Manager, UserCaller};
use crate::{desk::FrontDesk, pipeline::bearer, problem::Problem};
use misy_domain::{Action, TenantId, UserId};
use misy_store::{
    StoreError,
    users::{User, UserStatus, roles_need_second_factor},
};
use misy_trust::{RandomToken, TokenUse};

/// A person who was let in, and what they proved it with.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The person.
    pub(crate) user: UserId,
    action: Action,
    proof: Proof,
}

#[derive(Debug, Clone, Copy)]
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

impl Standing {
    /// Of the person who makes this call. No program has one.
    pub(crate) fn of(call: &AtTenant) -> Result<Self, Problem> {
        let proved = call.proved.as_ref().ok_or_else(Problem::person_required)?;
        let personal = || {
            let token = bearer(&call.received).and_then(|text| RandomToken::parse(TokenUse::Personal, text));
            token.map(|token| Proof::Personal(token.hash()))
        };
        let proof = match &proved.session {
            Some((_, token)) => Some(Proof::Session(token.hash())),
            None => personal(),
        };
        Ok(Self {
            tenant: call.tenant.clone(),
            user: proved.user.user_id,
            action: call.action,
            proof: proof.ok_or_else(Problem::person_required)?,
        })
    }

    /// Whether they still may.
    #[allow(clippy::disallowed_methods, reason = "they are proved already: nobody tries keys here")]
    pub(crate) async fn holds(&self, desk: &FrontDesk) -> Result<bool, StoreError> {
        let now = desk.clock.now();
        let (home, user, granted, is_over, has_factor) = match self.proof {
            Proof::Session(hash) => {
                let Some((home, found)) = desk.database.sign_in_by_hash(&hash, now).await? else {
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
                (home, user, found.granted, is_over, has_factor)
            }
            Proof::Personal(hash) => {
                let Some((home, found)) = desk.database.personal_token_by_hash(&hash, now).await? else {
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
                (home, user, found.granted, is_over, found.second_factor_since.is_some())
            }
        };
        let Some(state) = desk.tenants.get(&home).await? else { return Ok(false) };
        let lacks_factor = roles_need_second_factor(&user.roles, &granted) && !has_factor;
        let manager = Manager::of_caller(home, user, granted, state.is_owner());
        let may = manager.may(desk, self.action, &self.tenant);
        Ok(!is_over && !lacks_factor && state.is_active() && may)
    }
}
