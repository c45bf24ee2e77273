//! Who may manage which tenant. Who calls is proved here (a person, the token of a registration, a server with a token that allows
//! `tenant:manage`); what it may do is decided by the access policies (`misy_trust::access`). Handlers take what both are
//! settled of: [`Managed`], or [`AtHome`] where no tenant is named.

mod abilities;
mod authorised;
mod giving;
mod reason;
mod standing;

pub(crate) use abilities::Ability;
pub use authorised::{Acts, AtHome, AtTenant, Authorised, Either, Managed};
pub(crate) use standing::{Looks, Standing};

use crate::{
    desk::FrontDesk,
    edge::{limited, unreachable},
    identity::{self, Proved, cookies, prove},
    look_up,
    pipeline::{self, Received, TenantCall, bearer},
    problem::{Code, Problem},
    shares::{Counts, Who},
    tenant_state::TenantState,
};
use misy_domain::{Action, BuiltInRole, Permission, Permissions, TenantId, Timestamp, UserId};
use misy_store::{
    TenantTx,
    audit::{self, Actor, AuditEntry, Kind},
    credentials::KeyKind,
    limits::Scope,
    privilege::{self, Access},
};
use misy_trust::{
    AccessDecision, AccessOutcome, AccessPolicies, ApiKey, ApiKeyKind, Moment, Principal, PrincipalKind,
    TokenUse,
    access::{Given, Powers},
};
use reason::Reason;
use serde_json::Value;
use std::ops::Deref;

/// The largest body of a management call: a context pack, written with room.
const BODY_LIMIT: usize = 1024 * 1024;

/// Management by a server of the tenant.
pub struct Manage;

impl pipeline::Access for Manage {
    const PERMISSION: Option<Permission> = Some(Permission::TenantManage);
    const BODY_LIMIT: Option<usize> = Some(BODY_LIMIT);
}

/// Who manages.
pub struct Manager {
    /// The tenant that the caller belongs to.
    pub home: TenantId,
    /// The id of the user, token or key, as it stands in the audit trail.
    pub actor: String,
    /// What the caller is.
    pub caller: Caller,
    /// What it is known by as the maker of something that goes on without it: a program by its secret.
    pub maker: String,
    /// What roles that its tenant made allow; of a program what its secret carries now.
    granted: Vec<Action>,
    /// Whether its tenant is the owner of the platform.
    is_owner: bool,
}

/// What somebody who manages is, and how it was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person who signed in, or a personal API token of one.
    User(UserCaller),
    /// Whoever holds the token that a registration answers with, until somebody enrols with it.
    SetUpToken,
    /// A server with a tenant access token that allows `tenant:manage`.
    Program,
}

/// A person, as far as access depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCaller {
    /// The user.
    pub user_id: UserId,
    /// Names of roles: built-in ones and the tenant's own.
    pub roles: Vec<String>,
    /// When the second factor was proved last, if ever in this session.
    pub second_factor_at: Option<Timestamp>,
    /// What a personal API token is narrowed to; `None` for a session of the console.
    pub scopes: Option<Vec<Action>>,
}

/// A management call by somebody who is proved. Whether it may be made is still open, so no handler can take one.
pub struct ManagementCall {
    /// Who.
    pub manager: Manager,
    /// What was sent.
    pub received: Received,
    /// The user with its session, if it is one.
    pub proved: Option<Proved>,
}

/// Access of the owner's people to another tenant.
#[derive(Debug, Clone, Copy, Default)]
struct Privileges {
    /// That was asked of the tenant itself, where its administrators see it and can end it.
    of_tenant: Access,
    /// To all tenants.
    of_all: Access,
}

impl Privileges {
    /// What of it counts for an action. What was not asked of the tenant itself changes nothing there.
    fn to(self, action: Action) -> Access {
        let mut access = self.of_tenant;
        if AccessPolicies::in_force().only_reads(action) {
            access.support |= self.of_all.support;
            access.agents |= self.of_all.agents;
        }
        access
    }
}

impl Manager {
    /// A server of a tenant, with a token that passed the pipeline.
    pub(crate) fn of_program<A: pipeline::Access>(desk: &FrontDesk, call: &TenantCall<A>) -> Self {
        let key = call.claims().key;
        let secret = key.and_then(|key| call.state().secret(key, desk.clock.now()));
        let secret = secret.filter(|_| call.permissions().contains(Permission::TenantManage));
        Self {
            home: call.tenant().clone(),
            actor: call.actor().to_owned(),
            caller: Caller::Program,
            maker: key.map_or_else(|| call.actor().to_owned(), |key| key.to_string()),
            granted: secret.map(|secret| secret.actions.clone()).unwrap_or_default(),
            is_owner: false,
        }
    }

    /// A person, as what their roles allow is at this moment.
    pub(crate) fn of_person(proved: &Proved) -> Self {
        Self {
            home: proved.tenant.clone(),
            actor: proved.user.user_id.to_string(),
            caller: Caller::User(proved.user.clone()),
            maker: proved.user.user_id.to_string(),
            granted: proved.granted.clone(),
            is_owner: proved.state.is_owner(),
        }
    }

    /// What of chat it may give to others: people all of it, a program what its own secret carries now.
    pub(crate) fn most_permissions(&self, state: &TenantState, now: Timestamp) -> Permissions {
        match &self.caller {
            Caller::User(_) | Caller::SetUpToken => Permissions::all(),
            Caller::Program => {
                let secret = self.maker.parse().ok().and_then(|key| state.secret(key, now));
                secret.map(|secret| secret.permissions.clone()).unwrap_or_default()
            }
        }
    }

    /// Whether it is the owner of the platform.
    pub fn is_owner(&self) -> bool {
        self.is_owner
    }

    /// The user, if it is a person who signed in and not a key or a program.
    pub fn user(&self) -> Option<&UserCaller> {
        match &self.caller {
            Caller::User(user) => Some(user),
            Caller::SetUpToken | Caller::Program => None,
        }
    }

    /// The built-in roles that the policies know it by.
    fn roles(&self) -> Vec<BuiltInRole> {
        match &self.caller {
            Caller::User(user) => user.roles.iter().filter_map(|name| name.parse().ok()).collect(),
            Caller::SetUpToken if self.is_owner => vec![BuiltInRole::Owner],
            Caller::SetUpToken => vec![BuiltInRole::Admin],
            Caller::Program => Vec::new(),
        }
    }

    /// Whether it may do something to a tenant.
    pub(crate) fn may(&self, desk: &FrontDesk, action: Action, tenant: &TenantId) -> bool {
        self.decide(desk, action, tenant, Access::default(), false).is_allowed()
    }

    /// What the policies say.
    fn decide(
        &self,
        desk: &FrontDesk,
        action: Action,
        tenant: &TenantId,
        access: Access,
        reason_given: bool,
    ) -> AccessDecision {
        let now = desk.clock.now();
        let second_factor_at = self.user().and_then(|user| user.second_factor_at);
        let moment = Moment {
            // Of a clock that was put back, the factor is from the future: that is no proof that it is fresh.
            second_factor_age: second_factor_at.map(|at| (now - at).get_seconds()).filter(|age| *age >= -5),
            support_access: access.support,
            agent_access: access.agents,
            reason_given,
        };
        self.as_principal(|principal| AccessPolicies::in_force().decide(principal, action, tenant, moment))
    }

    /// The access to a tenant that privileged operations gave to this person of the owner: on that tenant, or on all of them.
    async fn privileges(&self, desk: &FrontDesk, tenant: &TenantId) -> Result<Privileges, Problem> {
        // Access was given to somebody with a second factor, so no personal token, which has none, goes in with it.
        let is_present = self.user().is_some_and(|user| user.scopes.is_none());
        if self.home == *tenant || !self.is_owner || !is_present {
            return Ok(Privileges::default());
        }
        let now = desk.clock.now();
        let mut found = [Access::default(); 2];
        for (place, access) in [tenant, &self.home].into_iter().zip(&mut found) {
            let mut tx = desk.database.tenant("privilege.access", place).await?;
            *access = privilege::access(&mut tx, &self.actor, now).await?;
            tx.commit().await?;
        }
        let [of_tenant, of_all] = found;
        Ok(Privileges { of_tenant, of_all })
    }

    /// What it may do to a tenant, and so what it may give to others. The second factor counts as fresh.
    pub(crate) fn powers(&self, tenant: &TenantId) -> Powers {
        self.as_principal(|principal| Powers::of(principal, tenant))
    }

    /// Asks something about it as the policies know it.
    fn as_principal<T>(&self, ask: impl FnOnce(&Principal<'_>) -> T) -> T {
        let kind = match &self.caller {
            Caller::User(user) => PrincipalKind::User { scopes: user.scopes.as_deref() },
            Caller::SetUpToken => PrincipalKind::SetUpToken,
            Caller::Program => PrincipalKind::Program { permissions: &[Permission::TenantManage.as_str()] },
        };
        ask(&Principal {
            kind,
            id: &self.actor,
            tenant: &self.home,
            is_owner: self.is_owner,
            roles: &self.roles(),
            granted: &self.granted,
        })
    }
}

impl ManagementCall {
    /// Proves who calls: a person, the token of a registration, or a signed token through the pipeline.
    async fn prove(desk: &FrontDesk, received: Received) -> Result<Self, Problem> {
        let Some(token) = bearer(&received) else {
            if cookies::has_session(&desk.settings, &received.parts.headers) {
                let proved = prove::by_cookie(desk, &received).await?;
                return Self::by_user(received, proved);
            }
            return Err(Problem::unauthorized(Code::TokenMissing));
        };
        if token.starts_with(TokenUse::Personal.prefix()) {
            let proved = prove::by_personal_token(desk, &received, token).await?;
            return Self::by_user(received, proved);
        }
        if token.starts_with(ApiKeyKind::Administrator.prefix()) {
            let manager = set_up_token(desk, &received, token).await?;
            return Ok(Self { manager, received, proved: None });
        }
        let call = TenantCall::<Manage>::pass(desk, received).await?;
        let manager = Manager::of_program(desk, &call);
        Ok(Self { manager, received: call.received, proved: None })
    }

    /// A person, who must have proved the second factor that they have or need.
    fn by_user(received: Received, proved: Proved) -> Result<Self, Problem> {
        proved.expect_second_factor()?;
        let manager = Manager::of_person(&proved);
        Ok(Self { manager, received, proved: Some(proved) })
    }

    /// Refuses a person whose second factor was not proved in the last five minutes. What proves itself otherwise (an
    /// administrator's key, a server) has none to prove.
    pub fn expect_fresh_second_factor(&self, desk: &FrontDesk) -> Result<(), Problem> {
        match &self.manager.caller {
            Caller::User(user) => identity::expect_fresh(user.second_factor_at, desk.clock.now()),
            Caller::SetUpToken | Caller::Program => Ok(()),
        }
    }

    /// Whether the caller answers for this, because it comes from another tenant.
    fn answers_for(&self, action: Action, tenant: &TenantId) -> bool {
        self.manager.home != *tenant && AccessPolicies::in_force().is_accounted(action)
    }

    /// Refuses what the caller may not do to a tenant: 404 if it may not even know of it, 401 if a fresh second factor is
    /// all that is missing, 422 if a reason is, else 403. What decided stands in the audit trail.
    async fn authorize(&self, desk: &FrontDesk, action: Action, tenant: &TenantId) -> Result<(), Problem> {
        let manager = &self.manager;
        let elsewhere = manager.home != *tenant;
        let access = manager.privileges(desk, tenant).await?.to(action);
        let reason_given = self.answers_for(action, tenant) && Reason::of(&self.received)?.is_some();
        let decision = manager.decide(desk, action, tenant, access, reason_given);
        if elsewhere && decision.is_allowed() {
            self.received.record.facts().visited = Some(tenant.clone());
        }
        let outcome = decision.outcome;
        self.received.record.facts().decision = Some((action, decision));
        match outcome {
            AccessOutcome::Allowed => Ok(()),
            AccessOutcome::Hidden => Err(Problem::not_found()),
            AccessOutcome::StepUp => Err(Problem::step_up_required()),
            AccessOutcome::NeedsPerson => Err(Problem::person_required()),
            AccessOutcome::NeedsReason => Err(Problem::reason_required()),
            AccessOutcome::NeedsPrivilege => Err(Problem::forbidden(
                Code::PrivilegeRequired,
                "This belongs to the tenant: a privileged operation gives access to it, for a limited time.",
            )),
            AccessOutcome::Denied => {
                Err(Problem::forbidden(Code::PermissionDenied, "Your role does not allow this."))
            }
        }
    }

    /// What the caller may give, change and take away in a tenant. Whoever does that has proved the second factor freshly.
    pub fn powers(&self, desk: &FrontDesk, tenant: &TenantId) -> Result<Powers, Problem> {
        self.expect_fresh_second_factor(desk)?;
        Ok(self.manager.powers(tenant))
    }

    /// Gives actions, as a role or a credential lists them: none that the caller may not do itself.
    pub fn may_give(
        &self,
        desk: &FrontDesk,
        tenant: &TenantId,
        actions: &[Action],
    ) -> Result<Given<Vec<Action>>, Problem> {
        let given = self.powers(desk, tenant)?.give_actions(actions.to_vec());
        given.map_err(|_| {
            Problem::forbidden(
                Code::PermissionDenied,
                "You can give to others only what you may do yourself.",
            )
        })
    }

    /// Who calls, as a tenant's own records name it: who reads them sees when it was the owner that came.
    pub(crate) fn actor_in(&self, tenant: &TenantId) -> Actor {
        Actor::of(&self.manager.home, &self.manager.actor, tenant)
    }

    /// Who calls, as what they make in a tenant names its maker.
    pub(crate) fn maker_in(&self, tenant: &TenantId) -> String {
        Actor::of(&self.manager.home, &self.manager.maker, tenant).as_str().to_owned()
    }

    /// Records a change in the transaction of the change, in the trail of the tenant that is changed.
    pub async fn record_change(
        &self,
        desk: &FrontDesk,
        tx: &mut TenantTx,
        subject: impl Into<String>,
        detail: Option<Value>,
    ) -> Result<(), Problem> {
        let record = &self.received.record;
        let actor = self.actor_in(tx.tenant());
        let mut entry = AuditEntry::new(Kind::Change, record.operation, &actor, &*desk.clock, &*desk.entropy);
        entry.subject = Some(subject.into());
        entry.detail = detail;
        entry.request_id = Some(record.request_id.clone());
        Ok(audit::record(tx, &entry).await?)
    }
}

async fn set_up_token(desk: &FrontDesk, received: &Received, token: &str) -> Result<Manager, Problem> {
    let invalid = || Problem::unauthorized(Code::TokenInvalid);
    let key = ApiKey::parse(token).map_err(|_| invalid())?;
    let now = desk.clock.now();
    let found = look_up::key(desk, received, &key.hash()).await?;
    let found = found.filter(|(_, key)| key.kind == KeyKind::Administrator);
    let (home, key) = found.ok_or_else(invalid)?;
    if key.revoked_at.is_some() {
        return Err(Problem::unauthorized(Code::TokenRevoked));
    }
    if !key.is_in_force(now) {
        return Err(Problem::unauthorized(Code::TokenExpired));
    }
    let state = desk.tenants.get(&home).await?.ok_or_else(invalid)?;
    let actor = key.key_id.to_string();
    {
        let mut facts = received.record.facts();
        facts.tenant = Some(home.clone());
        facts.actor = Some(actor.clone());
    }
    if !state.is_active() {
        return Err(Problem::suspended());
    }
    count(desk, received, &home, &state, &actor).await?;
    received.record.keep_room(&desk.audit).await?;
    let (caller, maker) = (Caller::SetUpToken, actor.clone());
    Ok(Manager { is_owner: state.is_owner(), caller, maker, granted: Vec::new(), home, actor })
}

/// Counts a call of somebody who manages.
pub(crate) async fn count(
    desk: &FrontDesk,
    received: &Received,
    tenant: &TenantId,
    state: &TenantState,
    subject: &str,
) -> Result<(), Problem> {
    let counts = Counts::of(state, Who::Manager).own(Scope::Key, subject);
    let otherwise = unreachable(&received.parts.method);
    let decision = desk.limits.check(tenant, None, &counts.limits(), desk.clock.now(), otherwise).await?;
    limited(decision, &received.record)
}

impl Deref for ManagementCall {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}
