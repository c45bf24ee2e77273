//! Who may manage which tenant: the owner all of them, an administrator its own, a server with a token that allows
//! `tenant:manage` its own too.

use crate::{
    address::{self, Purpose, is_spent},
    desk::FrontDesk,
    edge::{limited, unreachable},
    pipeline::{Access, Received, TenantCall, bearer},
    problem::Problem,
    tenant_state::TenantState,
};
use axum::extract::{FromRequest, Request};
use misy_domain::{Action, KeyId, Permission, TenantId, Timestamp, UserId};
use misy_store::{
    TenantKeys, TenantTx,
    audit::{self, AuditEntry, Kind},
    credentials::KeyKind,
    limits::{Limit, Scope},
};
use misy_trust::{ApiKey, ApiKeyKind};
use serde_json::Value;
use std::{ops::Deref, sync::Arc};

/// The largest body of a management call: a context pack, written with room.
const BODY_LIMIT: usize = 1024 * 1024;

/// Management by a server of the tenant.
pub struct Manage;

impl Access for Manage {
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
    /// Whether its tenant is the owner of the platform.
    is_owner: bool,
}

/// What somebody who manages is, and how it was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person who signed in, or a personal API token of one.
    User(UserCaller),
    /// Whoever holds the bearer key that a tenant's first administrator was given.
    AdministratorKey,
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

/// A management call by somebody who may manage something.
pub struct ManagementCall {
    /// Who.
    pub manager: Manager,
    /// What was sent.
    pub received: Received,
}

/// A tenant that the caller may manage.
pub struct Managed {
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant as it is now.
    pub state: Arc<TenantState>,
}

impl Managed {
    /// Its keys.
    pub fn keys(&self) -> &TenantKeys {
        &self.state.keys
    }
}

impl Manager {
    /// Whether it is the owner of the platform.
    pub fn is_owner(&self) -> bool {
        self.is_owner
    }

    /// Whether the caller may do something to a tenant or what belongs to it.
    fn may(&self, action: Action, tenant: &TenantId) -> Result<(), Problem> {
        use Action as A;
        if !self.is_owner && self.home != *tenant {
            return Err(Problem::not_found());
        }
        let owner_only = matches!(
            action,
            A::PlanWrite
                | A::TenantsList
                | A::TenantsCreate
                | A::TenantsSuspend
                | A::TenantsActivate
                | A::PrivilegeUse
                | A::PrivilegeRead
        );
        let person_only = matches!(
            action,
            A::TenantClose
                | A::TenantDelete
                | A::AdministratorKeysRevoke
                | A::UsersRead
                | A::UsersWrite
                | A::RolesRead
                | A::RolesWrite
                | A::SignInRead
                | A::SignInWrite
                | A::EncryptionRotate
        );
        if (owner_only && !self.is_owner) || (person_only && self.caller == Caller::Program) {
            return Err(Problem::forbidden("permission_denied", "Your role does not allow this."));
        }
        Ok(())
    }
}

impl ManagementCall {
    /// Proves who calls: an administrator's bearer token, or a signed token through the pipeline.
    async fn prove(desk: &FrontDesk, received: Received) -> Result<Self, Problem> {
        let token = bearer(&received).ok_or_else(|| Problem::unauthorized("token_missing"))?;
        if token.starts_with(ApiKeyKind::Administrator.prefix()) {
            let manager = administrator(desk, &received, token).await?;
            return Ok(Self { manager, received });
        }
        let call = TenantCall::<Manage>::pass(desk, received).await?;
        let manager = Manager {
            home: call.tenant().clone(),
            actor: call.actor().to_owned(),
            caller: Caller::Program,
            is_owner: false,
        };
        Ok(Self { manager, received: call.received })
    }

    /// Refuses what the caller may not do to a tenant: 404 if it may not even know of it, else 403.
    pub fn authorize(&self, action: Action, tenant: &TenantId) -> Result<(), Problem> {
        self.manager.may(action, tenant)
    }

    /// The tenant that the path names, if the caller may do this to it or to what belongs to it.
    pub async fn managed(&self, desk: &FrontDesk, action: Action) -> Result<Managed, Problem> {
        let tenant: TenantId = self.received.param("tenantId")?;
        self.authorize(action, &tenant)?;
        self.received.record.facts().subject = Some(tenant.to_string());
        let state = desk.tenants.get(&tenant).await?.ok_or_else(Problem::not_found)?;
        Ok(Managed { tenant, state })
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
        // Who reads the trail of a tenant sees when it was the owner that came.
        let actor = if self.manager.home == *tx.tenant() {
            self.manager.actor.clone()
        } else {
            format!("{}/{}", self.manager.home, self.manager.actor)
        };
        let mut entry = AuditEntry::new(Kind::Change, record.operation, &actor, &*desk.clock, &*desk.entropy);
        entry.subject = Some(subject.into());
        entry.detail = detail;
        entry.request_id = Some(record.request_id.clone());
        Ok(audit::record(tx, &entry).await?)
    }
}

async fn administrator(desk: &FrontDesk, received: &Received, token: &str) -> Result<Manager, Problem> {
    let invalid = || Problem::unauthorized("token_invalid");
    let key = ApiKey::parse(token).map_err(|_| invalid())?;
    let now = desk.clock.now();
    // Whoever tried too many that are nobody's is not worth a look into the database any more; who shares the address and
    // has a token that was good lately goes on.
    let (hash, address) = (key.hash(), received.record.address);
    if is_spent(desk, address, Purpose::WrongKeys) && !desk.good_keys.contains_key(&hash) {
        address::count(desk, address, Purpose::WrongKeys)?;
    }
    let found = desk.database.key_by_hash(&hash).await?;
    let Some((home, key)) = found.filter(|(_, key)| key.kind == KeyKind::Administrator) else {
        let _ = address::count(desk, address, Purpose::WrongKeys);
        return Err(invalid());
    };
    desk.good_keys.insert(hash, ());
    if key.revoked_at.is_some() {
        return Err(Problem::unauthorized("token_revoked"));
    }
    if !key.is_in_force(now) {
        return Err(Problem::unauthorized("token_expired"));
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
    count(desk, received, &home, &state, key.key_id).await?;
    received.record.keep_room(&desk.audit).await?;
    Ok(Manager { is_owner: state.is_owner(), caller: Caller::AdministratorKey, home, actor })
}

async fn count(
    desk: &FrontDesk,
    received: &Received,
    tenant: &TenantId,
    state: &TenantState,
    key: KeyId,
) -> Result<(), Problem> {
    let subject = key.to_string();
    let limits = [
        Limit { scope: Scope::Tenant, subject: "", quota: state.quota(Scope::Tenant, "") },
        Limit { scope: Scope::Key, subject: &subject, quota: state.quota(Scope::Key, &subject) },
    ];
    let otherwise = unreachable(&received.parts.method);
    let decision = desk.limits.check(tenant, None, &limits, desk.clock.now(), otherwise).await?;
    limited(decision, &received.record)
}

impl FromRequest<FrontDesk> for ManagementCall {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &FrontDesk) -> Result<Self, Problem> {
        let received = Received::read(desk, request, BODY_LIMIT).await?;
        Self::prove(desk, received).await
    }
}

impl Deref for ManagementCall {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}
