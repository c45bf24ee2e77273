//! What the owner's people do to tenants: the catalogue of privileged operations, and how they answer for those and for every
//! other call that the policies call accounted. Each asks for a fresh second factor and a reason, stands with the tenant, is
//! told in both trails, and comes before the rules that find something suspicious.

use crate::{
    desk::FrontDesk,
    edge::limited,
    management::ManagementCall,
    openapi,
    problem::{Code, Problem},
    record::CallRecord,
};
use misy_domain::{Action, AlertId, Clock, Entropy, GrantId, TenantId, Timestamp, limit::Quota};
use misy_store::{
    StoreError, SystemTx, Vault,
    alerts::{self, Alert, Severity},
    audit::{self, Actor, AuditEntry, Kind},
    limits::{Decision, Limit, Scope, Unreachable},
    privilege::{self, PrivilegeUse},
    tenants,
};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

/// One kind of privileged operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Access to the agents of a tenant, or of all of them: what they know, and why they answered as they did.
    SystemAccess,
    /// To read what a tenant has, as its auditor could.
    SupportAccess,
    /// Suspend a tenant.
    SuspendTenant,
    /// Activate a tenant.
    ActivateTenant,
    /// Raise the tenant's credential epoch: every token given so far is refused.
    RevokeAllTokens,
    /// Take the second factors from somebody who lost them and whom nobody in the tenant can help: they enrol anew.
    ResetSecondFactor,
    /// Decide something for the whole installation while it runs.
    SetGlobalSetting,
}

/// An operation of the catalogue.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PrivilegedOperation)]
pub struct Entry {
    /// Its name.
    pub operation: Operation,
    /// What it can be done to.
    pub resources: &'static [&'static str],
    /// Whether it is for a tenant, for the owner tenant (and then about the whole installation), or for both.
    pub on: On,
    /// How long access lasts unless asked otherwise, in minutes; 0 for what is done at once.
    pub usual_minutes: u32,
    /// The longest it can last.
    pub most_minutes: u32,
}

/// Which tenants an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Any but the owner.
    Tenant,
    /// The owner tenant: the operation is about the installation.
    Owner,
    /// Either; with the owner tenant, to read in all of them.
    Both,
}

/// What can be decided for the whole installation.
pub const SELF_REGISTRATION: &str = "self_registration";

/// Everything that can be done.
pub const CATALOGUE: [Entry; 7] = [
    access(Operation::SystemAccess, &["all_agents"], On::Both),
    access(Operation::SupportAccess, &["tenant"], On::Tenant),
    at_once(Operation::SuspendTenant, &["tenant"], On::Tenant),
    at_once(Operation::ActivateTenant, &["tenant"], On::Tenant),
    at_once(Operation::RevokeAllTokens, &["all_tokens"], On::Tenant),
    at_once(Operation::ResetSecondFactor, &["usr_…"], On::Tenant),
    at_once(Operation::SetGlobalSetting, &[SELF_REGISTRATION], On::Owner),
];

const fn access(operation: Operation, resources: &'static [&'static str], on: On) -> Entry {
    Entry { operation, resources, on, usual_minutes: 60, most_minutes: 240 }
}

const fn at_once(operation: Operation, resources: &'static [&'static str], on: On) -> Entry {
    Entry { operation, resources, on, usual_minutes: 0, most_minutes: 0 }
}

impl Operation {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SystemAccess => privilege::SYSTEM_ACCESS,
            Self::SupportAccess => privilege::SUPPORT_ACCESS,
            Self::SuspendTenant => "suspend_tenant",
            Self::ActivateTenant => "activate_tenant",
            Self::RevokeAllTokens => "revoke_all_tokens",
            Self::ResetSecondFactor => "reset_second_factor",
            Self::SetGlobalSetting => "set_global_setting",
        }
    }

    /// What the catalogue says of it.
    pub fn entry(self) -> &'static Entry {
        CATALOGUE.iter().find(|entry| entry.operation == self).unwrap_or(&CATALOGUE[0])
    }
}

/// How much one person does to other tenants.
const OWN_LIMIT: Quota = Quota { requests: 20, period: jiff::SignedDuration::from_hours(1) };

/// Refuses who did too much to tenants lately.
pub(crate) async fn expect_within_limit(desk: &FrontDesk, call: &ManagementCall) -> Result<(), Problem> {
    let manager = &call.manager;
    let subject = format!("privilege/{}", manager.actor);
    let limit = Limit { scope: Scope::Key, subject: &subject, quota: OWN_LIMIT };
    let decision =
        desk.limits.check(&manager.home, None, &[limit], desk.clock.now(), Unreachable::Refuse).await?;
    limited(decision, &call.received.record)
}

/// Writes down an ordinary call to another tenant that the policies call accounted.
pub(crate) async fn answer_for(
    desk: &FrontDesk,
    call: &ManagementCall,
    tenant: &TenantId,
    action: Action,
    reason: &str,
) -> Result<(), Problem> {
    expect_within_limit(desk, call).await?;
    let used = PrivilegeUse {
        grant_id: GrantId::new(&*desk.clock, &*desk.entropy),
        home: call.manager.home.clone(),
        actor: call.manager.actor.clone(),
        operation: call.received.record.operation.to_owned(),
        resource: action.as_str().to_owned(),
        reason: reason.to_owned(),
        used_at: desk.clock.now(),
        expires_at: None,
        ended_at: None,
        ended_by: None,
    };
    let mut tx = desk.database.system("privilege.answer_for").await?;
    let raised = write_down(desk, call, &mut tx, tenant, &used).await?;
    tx.commit().await?;
    for rule in raised {
        announce(&used.home, rule, &used.actor);
    }
    Ok(())
}

/// Writes down what is done to a tenant where the tenant reads it, and in both trails. Says which alerts it raised.
pub(crate) async fn write_down(
    desk: &FrontDesk,
    call: &ManagementCall,
    tx: &mut SystemTx,
    tenant: &TenantId,
    used: &PrivilegeUse,
) -> Result<Vec<&'static str>, Problem> {
    privilege::one_at_a_time(tx).await?;
    privilege::record(tx, tenant, used).await?;
    let record = &call.received.record;
    let trails = if *tenant == used.home { vec![tenant] } else { vec![&used.home, tenant] };
    for trail in trails {
        let actor = Actor::of(&used.home, &used.actor, trail);
        let mut entry = AuditEntry::new(Kind::System, record.operation, &actor, &*desk.clock, &*desk.entropy);
        entry.subject = Some(used.grant_id.to_string());
        entry.request_id = Some(record.request_id.clone());
        entry.detail = Some(json!({
            "tenantId": tenant.as_str(),
            "operation": used.operation,
            "resource": used.resource,
            "reason": used.reason,
            "expiresAt": used.expires_at,
        }));
        audit::record_system(tx, trail, &entry).await?;
    }
    let timezone = tenants::timezone(tx, &used.home).await?.unwrap_or_default();
    Ok(watch(tx, &desk.vault, &timezone, used, &*desk.clock, &*desk.entropy).await?)
}

/// From when on what somebody does is a burst: so many operations within the window.
const BURST: (i64, Duration) = (5, Duration::from_mins(10));
/// From when on somebody goes through the tenants: so many of them within the window.
const MANY_TENANTS: (i64, Duration) = (4, Duration::from_hours(1));
/// Hours of the owner's day outside which privileged operations are looked at.
const WORKING_HOURS: std::ops::Range<i8> = 6..22;

/// Raises what is suspicious of an operation that was just written down. The alerts become durable with it.
async fn watch(
    tx: &mut SystemTx,
    vault: &Vault,
    timezone: &str,
    used: &PrivilegeUse,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Vec<&'static str>, StoreError> {
    let now = used.used_at;
    let mut found: Vec<(&'static str, Severity, Duration, Value)> = Vec::new();
    let burst = privilege::recent(tx, &used.actor, privilege::since(now, BURST.1)).await?;
    if burst.operations >= BURST.0 {
        found.push((
            "privilege_burst",
            Severity::Critical,
            BURST.1,
            json!({ "operations": burst.operations }),
        ));
    }
    let visited = privilege::recent(tx, &used.actor, privilege::since(now, MANY_TENANTS.1)).await?;
    if visited.tenants >= MANY_TENANTS.0 {
        found.push((
            "privilege_many_tenants",
            Severity::Critical,
            MANY_TENANTS.1,
            json!({ "tenants": visited.tenants }),
        ));
    }
    if let Some(hour) = hour_at(now, timezone)
        && !WORKING_HOURS.contains(&hour)
    {
        found.push((
            "privilege_at_night",
            Severity::Warning,
            Duration::from_hours(1),
            json!({ "hour": hour }),
        ));
    }
    let mut raised = Vec::new();
    for (rule, severity, window, detail) in found {
        let alert = Alert {
            alert_id: AlertId::new(clock, entropy),
            rule: rule.to_owned(),
            occurrence: occurrence(&used.actor, now, window),
            severity,
            actor: Some(used.actor.clone()),
            subject: Some(used.grant_id.to_string()),
            detail,
            raised_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
        };
        if alerts::raise_system(tx, vault, &used.home, &alert).await? {
            raised.push(rule);
        }
    }
    Ok(raised)
}

/// Refusals of one person of the owner, or attempts with the bootstrap secret, after which somebody is told.
const REFUSALS: Quota = Quota { requests: 5, period: jiff::SignedDuration::from_mins(10) };

/// How many refusals are counted at the same time. Whoever causes more of them is told of by the first.
const MOST_COUNTED: usize = 64;
const WINDOW: Duration = Duration::from_mins(10);

/// Alerts on refusals that were raised lately: whoever goes on being refused causes no more work.
pub(crate) struct Watch {
    raised: Cache<(&'static str, String), ()>,
    counted: Arc<Semaphore>,
}

impl Default for Watch {
    fn default() -> Self {
        let raised = Cache::builder().max_capacity(10_000).time_to_live(WINDOW).build();
        Self { raised, counted: Arc::new(Semaphore::new(MOST_COUNTED)) }
    }
}

impl Watch {
    /// The right to count a refusal, unless its alert was raised or too many are counted already.
    fn look(&self, rule: &'static str, occurrence: &str) -> Option<OwnedSemaphorePermit> {
        if self.raised.contains_key(&(rule, occurrence.to_owned())) {
            return None;
        }
        self.counted.clone().try_acquire_owned().ok()
    }

    /// Whether nobody raised it yet: whoever asks does so now.
    fn begin(&self, rule: &'static str, occurrence: &str) -> bool {
        self.raised.entry((rule, occurrence.to_owned())).or_insert(()).is_fresh()
    }

    /// It could not be raised, so the next one does it.
    fn failed(&self, rule: &'static str, occurrence: &str) {
        self.raised.invalidate(&(rule, occurrence.to_owned()));
    }
}

/// Watches what the owner's people and keys are refused, and attempts to register the owner: many of them are an alert.
pub(crate) fn watch_refusal(desk: &FrontDesk, record: &CallRecord, code: Code) {
    let facts = record.facts();
    let home = &desk.settings.owner_id;
    let of_owner = facts.tenant.as_ref() == Some(home);
    let proves_somebody = || openapi::is_of(record.operation, "auth");
    let (rule, actor) = match code {
        Code::BootstrapSecretInvalid => ("bootstrap_attempts", "bootstrap".to_owned()),
        Code::CredentialsInvalid
        | Code::CodeInvalid
        | Code::ChallengeInvalid
        | Code::PasskeyInvalid
        | Code::RateLimited
            if of_owner && proves_somebody() =>
        {
            ("owner_sign_in_refused", facts.actor.clone().unwrap_or_else(|| "anonymous".to_owned()))
        }
        Code::PermissionDenied
        | Code::PrivilegeRequired
        | Code::StepUpRequired
        | Code::ReasonRequired
        | Code::RateLimited
            if of_owner && facts.decision.is_some() =>
        {
            ("owner_refused", facts.actor.clone().unwrap_or_default())
        }
        _ => return,
    };
    let occurrence = occurrence(&actor, desk.clock.now(), WINDOW);
    let Some(counted) = desk.watch.look(rule, &occurrence) else { return };
    let (desk, operation) = (desk.clone(), record.operation);
    tokio::spawn(async move {
        if let Err(error) = count_refusal(&desk, rule, &actor, &occurrence, operation).await {
            tracing::warn!(%error, rule, "an alert could not be raised");
            desk.watch.failed(rule, &occurrence);
        }
        drop(counted);
    });
}

async fn count_refusal(
    desk: &FrontDesk,
    rule: &'static str,
    actor: &str,
    occurrence: &str,
    operation: &'static str,
) -> Result<(), StoreError> {
    let home = &desk.settings.owner_id;
    let now = desk.clock.now();
    let subject = format!("watch/{rule}/{actor}");
    let limit = Limit { scope: Scope::Key, subject: &subject, quota: REFUSALS };
    let Decision::Limited { .. } =
        desk.limits.check(home, None, &[limit], now, Unreachable::DecideHere).await?
    else {
        return Ok(());
    };
    if desk.watch.begin(rule, occurrence) {
        let (occurrence, operation) = (occurrence.to_owned(), operation.to_owned());
        raise(desk, rule, Severity::Critical, occurrence, Some(actor), operation, json!({})).await?;
    }
    Ok(())
}

/// Raises an alert with the owner of the platform; says whether it stands there, which it cannot while there is no owner.
pub async fn alert_owner(
    desk: &FrontDesk,
    rule: &'static str,
    severity: Severity,
    occurrence: String,
    subject: String,
    detail: Value,
) -> Result<bool, StoreError> {
    raise(desk, rule, severity, occurrence, None, subject, detail).await
}

async fn raise(
    desk: &FrontDesk,
    rule: &'static str,
    severity: Severity,
    occurrence: String,
    actor: Option<&str>,
    subject: String,
    detail: Value,
) -> Result<bool, StoreError> {
    let home = &desk.settings.owner_id;
    if desk.tenants.get(home).await?.is_none() {
        return Ok(false);
    }
    let alert = Alert {
        alert_id: AlertId::new(&*desk.clock, &*desk.entropy),
        rule: rule.to_owned(),
        occurrence,
        severity,
        actor: actor.map(str::to_owned),
        subject: Some(subject),
        detail,
        raised_at: desk.clock.now(),
        acknowledged_at: None,
        acknowledged_by: None,
    };
    let mut tx = desk.database.tenant("alerts.raise", home).await?;
    let raised = alerts::raise(&mut tx, &desk.vault, &alert).await?;
    tx.commit().await?;
    if raised {
        announce(home, rule, actor.unwrap_or("program"));
    }
    Ok(true)
}

/// One alert for each rule, person and window.
pub(crate) fn occurrence(actor: &str, now: Timestamp, window: Duration) -> String {
    let seconds = i64::try_from(window.as_secs()).unwrap_or(i64::MAX).max(1);
    format!("{actor}/{}", now.as_second().div_euclid(seconds))
}

fn hour_at(now: Timestamp, timezone: &str) -> Option<i8> {
    let zone = jiff::tz::TimeZone::get(timezone).ok()?;
    Some(now.to_zoned(zone).hour())
}

/// Says an alert where operators look at once.
pub(crate) fn announce(home: &TenantId, rule: &'static str, actor: &str) {
    metrics::counter!("misy_alerts_total", "rule" => rule).increment(1);
    tracing::warn!(tenantId = %home, rule, actor, "alert");
}
