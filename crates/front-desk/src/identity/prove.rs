//! Who calls: the user behind a session cookie or a personal API token.

use super::{cookies, csrf};
use crate::{
    desk::FrontDesk,
    look_up,
    management::{UserCaller, count},
    pipeline::{Received, bearer},
    problem::{Code, Problem},
    tenant_state::TenantState,
};
use axum::extract::{FromRequest, Request};
use misy_domain::{Action, SignInId, TenantId, UserId};
use misy_store::users::{UserStatus, roles_need_second_factor, sign_ins::SignIn};
use misy_trust::{RandomToken, TokenUse};
use std::{ops::Deref, sync::Arc};

/// What people of a suspended tenant may still do: leave. To leave, a page reads what proves that it is one of ours.
const WHILE_SUSPENDED: [&str; 2] = ["readMe", "signOut"];

/// What people of a closed tenant may still do: open it again, and what it takes to prove that they may.
const WHILE_CLOSED: [&str; 7] = [
    "readMe",
    "readMyAccess",
    "signOut",
    "stepUp",
    "beginPasskeyStepUp",
    "finishPasskeyStepUp",
    "reopenTenant",
];

/// The largest body of a call of a user about itself.
const BODY_LIMIT: usize = 64 * 1024;

/// A user who is proved, as it is at this moment.
pub struct Proved {
    /// Its tenant.
    pub tenant: TenantId,
    /// The tenant as it is now.
    pub state: Arc<TenantState>,
    /// What access depends on.
    pub user: UserCaller,
    /// What those of its roles allow that the tenant made itself.
    pub granted: Vec<Action>,
    /// How it stands with its second factor.
    pub second_factor: SecondFactor,
    /// The browser's session and its token; none for a personal API token.
    pub session: Option<(SignIn, RandomToken)>,
}

/// How a caller stands with the second factor. A factor of the account proves nothing by being there: what counts is what this
/// session proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// The session proved it.
    Proved,
    /// The account has one, which the session has not proved.
    ToProve,
    /// The account has none and may do what needs one.
    ToEnroll,
    /// The account has none and needs none.
    NotNeeded,
}

impl SecondFactor {
    fn of(session_proved: bool, account_has: bool, account_needs: bool) -> Self {
        match (session_proved, account_has, account_needs) {
            (true, _, _) => Self::Proved,
            (false, true, _) => Self::ToProve,
            (false, false, true) => Self::ToEnroll,
            (false, false, false) => Self::NotNeeded,
        }
    }
}

impl Proved {
    /// The browser's session, if it is one.
    pub fn sign_in_id(&self) -> Option<SignInId> {
        self.session.as_ref().map(|(sign_in, _)| sign_in.sign_in_id)
    }

    /// Refuses who has a second factor and has not proved it, and who needs one and has none.
    pub fn expect_second_factor(&self) -> Result<(), Problem> {
        match self.second_factor {
            SecondFactor::Proved | SecondFactor::NotNeeded => Ok(()),
            SecondFactor::ToProve => Err(Problem::second_factor_required()),
            SecondFactor::ToEnroll => Err(Problem::forbidden(
                Code::SecondFactorEnrollmentRequired,
                "Your role needs a second factor: enrol one first.",
            )),
        }
    }
}

/// Proves the session of a browser.
pub(crate) async fn by_cookie(desk: &FrontDesk, received: &Received) -> Result<Proved, Problem> {
    let invalid = || Problem::unauthorized(Code::SessionInvalid);
    let now = desk.clock.now();
    let token = cookies::session(&desk.settings, &received.parts.headers).ok_or_else(invalid)?;
    let found = look_up::session(desk, received, &token.hash()).await?;
    let (tenant, found) = found.ok_or_else(invalid)?;
    if found.sign_in.is_over(now) {
        return Err(Problem::unauthorized(Code::SessionExpired));
    }
    if found.status != UserStatus::Active {
        return Err(invalid());
    }
    let state = admit(desk, received, &tenant, found.sign_in.user_id).await?;
    csrf::check(&desk.settings, received, &token)?;
    let user = UserCaller {
        user_id: found.sign_in.user_id,
        roles: found.roles,
        second_factor_at: found.sign_in.second_factor_at,
        scopes: None,
    };
    // Proved here, or vouched for by the provider that the tenant trusts with it.
    let proved = user.second_factor_at.is_some();
    let needs = roles_need_second_factor(&user.roles, &found.granted);
    let second_factor = SecondFactor::of(proved, found.second_factor_since.is_some(), needs);
    let session = Some((found.sign_in, token));
    Ok(Proved { tenant, state, user, granted: found.granted, second_factor, session })
}

/// Proves a personal API token.
pub(crate) async fn by_personal_token(
    desk: &FrontDesk,
    received: &Received,
    text: &str,
) -> Result<Proved, Problem> {
    let invalid = || Problem::unauthorized(Code::TokenInvalid);
    let now = desk.clock.now();
    let token = RandomToken::parse(TokenUse::Personal, text).ok_or_else(invalid)?;
    let found = look_up::personal_token(desk, received, &token.hash()).await?;
    let (tenant, found) = found.ok_or_else(invalid)?;
    if found.token.revoked_at.is_some() || found.status != UserStatus::Active {
        return Err(Problem::unauthorized(Code::TokenRevoked));
    }
    if now >= found.token.expires_at {
        return Err(Problem::unauthorized(Code::TokenExpired));
    }
    let state = admit(desk, received, &tenant, found.token.user_id).await?;
    let user = UserCaller {
        user_id: found.token.user_id,
        roles: found.roles,
        // A program proves no second factor: what needs a fresh one is not for it.
        second_factor_at: None,
        scopes: Some(found.token.scopes),
    };
    // Whoever made it proved a second factor then.
    let has = found.second_factor_since.is_some();
    let needs = roles_need_second_factor(&user.roles, &found.granted);
    let second_factor = SecondFactor::of(has, has, needs);
    Ok(Proved { tenant, state, user, granted: found.granted, second_factor, session: None })
}

/// Notes who calls, and lets in whose tenant is active and who does not call too often.
async fn admit(
    desk: &FrontDesk,
    received: &Received,
    tenant: &TenantId,
    user: UserId,
) -> Result<Arc<TenantState>, Problem> {
    let state = desk.tenants.get(tenant).await?.ok_or_else(|| Problem::unauthorized(Code::SessionInvalid))?;
    let actor = user.to_string();
    {
        let mut facts = received.record.facts();
        facts.tenant = Some(tenant.clone());
        facts.actor = Some(actor.clone());
    }
    let operation = &received.record.operation;
    let reopens = state.is_closed() && WHILE_CLOSED.contains(operation);
    let leaves = WHILE_SUSPENDED.contains(operation);
    if !state.is_active() && !reopens && !leaves {
        return Err(Problem::suspended());
    }
    count(desk, received, tenant, &state, &actor).await?;
    received.record.keep_room(&desk.audit).await?;
    Ok(state)
}

/// A call of a user about itself.
pub struct UserCall {
    /// Who.
    pub proved: Proved,
    /// What was sent.
    pub received: Received,
}

impl UserCall {
    /// The browser's session; refuses a personal API token.
    pub fn session(&self) -> Result<&(SignIn, RandomToken), Problem> {
        let refused =
            || Problem::forbidden(Code::SessionRequired, "This can be done in a browser's session only.");
        self.proved.session.as_ref().ok_or_else(refused)
    }

    /// The browser's session of a user who proved in it the second factor that they have or need.
    pub fn proved_session(&self) -> Result<&(SignIn, RandomToken), Problem> {
        self.proved.expect_second_factor()?;
        self.session()
    }

    /// The browser's session of a user who may add a second factor in it: they proved one freshly; they need none; or they came
    /// by more than a password, which somebody else may know and enrol a factor of their own with.
    pub fn enrolling_session(&self, desk: &FrontDesk) -> Result<&(SignIn, RandomToken), Problem> {
        let session = self.session()?;
        match self.proved.second_factor {
            SecondFactor::NotNeeded => {}
            SecondFactor::Proved | SecondFactor::ToProve => self.expect_fresh_second_factor(desk)?,
            SecondFactor::ToEnroll if session.0.methods.iter().any(|method| method != "password") => {}
            SecondFactor::ToEnroll => return Err(Problem::enrollment_link_required()),
        }
        Ok(session)
    }

    /// Refuses unless the second factor was proved in the last five minutes.
    pub fn expect_fresh_second_factor(&self, desk: &FrontDesk) -> Result<(), Problem> {
        super::expect_fresh(self.proved.user.second_factor_at, desk.clock.now())
    }
}

impl FromRequest<FrontDesk> for UserCall {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &FrontDesk) -> Result<Self, Problem> {
        let received = Received::read(desk, request, BODY_LIMIT).await?;
        let proved = match bearer(&received) {
            Some(token) => by_personal_token(desk, &received, token).await?,
            None if cookies::has_session(&desk.settings, &received.parts.headers) => {
                by_cookie(desk, &received).await?
            }
            None => return Err(Problem::unauthorized(Code::SessionMissing)),
        };
        Ok(Self { proved, received })
    }
}

impl Deref for UserCall {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}
