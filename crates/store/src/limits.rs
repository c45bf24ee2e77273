//! Rate limits and the memory of nonces: one call per request decides both, all or nothing. In this process while there is
//! one; in Redis for several replicas, which then count as one.

mod local;
mod nonces;
mod script;
mod table;

use crate::{Shared, StoreError, TenantTx, readable::stored};
use local::Local;
use misy_domain::{TenantId, Timestamp, limit::Quota, plan::PlanLimits};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

misy_domain::words! {
    /// What a limit is about.
    pub enum Scope as LimitScope {
        /// All requests of a tenant.
        Tenant = "tenant",
        /// Those of one site.
        Site = "site",
        /// Those made with one key or one chain of tokens.
        Key = "key",
        /// Those of one session.
        Session = "session",
        /// Those on one channel.
        Channel = "channel",
        /// Turns of one agent.
        Agent = "agent",
    }
}

impl Scope {
    /// The limit that a plan sets.
    pub fn of_plan(self, limits: &PlanLimits) -> Quota {
        match self {
            Self::Tenant => limits.tenant,
            Self::Site => limits.site,
            Self::Key => limits.key,
            Self::Session => limits.session,
            Self::Channel => limits.channel,
            Self::Agent => limits.agent,
        }
    }
}

/// A limit that differs from the plan's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitRow {
    /// What it is about.
    pub scope: Scope,
    /// The one site, key, channel … it is for; empty for all of the scope.
    #[serde(default)]
    pub subject: String,
    /// Requests in a period, all of which may come at once.
    pub requests: u32,
    /// The period.
    pub period_seconds: u32,
}

impl LimitRow {
    /// The limit as a rule.
    pub fn quota(&self) -> Quota {
        Quota {
            requests: self.requests,
            period: jiff::SignedDuration::from_secs(i64::from(self.period_seconds)),
        }
    }
}

/// The limits of the tenant that differ from its plan's.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<LimitRow>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        "select scope, subject, requests, period_seconds from rate_limits where tenant_id = $1 order by scope, subject",
        tenant.as_str()
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let scope = Scope::ALL.into_iter().find(|scope| scope.as_str() == row.scope);
            Ok(LimitRow {
                scope: stored(scope.ok_or(misy_domain::tenant::UnknownValue))?,
                subject: row.subject,
                requests: stored(row.requests.try_into())?,
                period_seconds: stored(row.period_seconds.try_into())?,
            })
        })
        .collect()
}

/// Puts these limits in the place of all that were set.
pub async fn replace(tx: &mut TenantTx, limits: &[LimitRow]) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!("delete from rate_limits where tenant_id = $1", tenant.as_str())
        .execute(tx.connection())
        .await?;
    for limit in limits {
        sqlx::query!(
            "insert into rate_limits (tenant_id, scope, subject, requests, period_seconds) values ($1, $2, $3, $4, $5)",
            tenant.as_str(),
            limit.scope.as_str(),
            limit.subject,
            stored(i32::try_from(limit.requests))?,
            stored(i32::try_from(limit.period_seconds))?
        )
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}

/// Limits that one request counts against at most.
pub(crate) const MOST_AT_ONCE: usize = 20;

/// One limit that a request counts against.
#[derive(Debug, Clone, Copy)]
pub struct Limit<'a> {
    /// What it is about.
    pub scope: Scope,
    /// The site, key, session …; empty for the tenant itself.
    pub subject: &'a str,
    /// How much is allowed.
    pub quota: Quota,
}

/// A nonce that must not have been seen.
#[derive(Debug, Clone, Copy)]
pub struct Nonce<'a> {
    /// As it came.
    pub value: &'a str,
    /// Unix seconds from when on its timestamp alone refuses it.
    pub forget_at: i64,
}

/// One rule about guesses.
#[derive(Debug, Clone, Copy)]
pub struct GuessRule<'a> {
    /// By what guesses are counted.
    pub at: At,
    /// What is guessed, at which account, from where: whatever the rule counts apart.
    pub subject: &'a str,
    /// How much is allowed.
    pub quota: Quota,
}

/// By what guesses are counted. Each has its own room, so that guesses from many addresses displace none of those at an
/// account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// By the address that they come from, at whatever accounts.
    Address,
    /// By the account, from everywhere or from one address.
    Account,
    /// By a browser that is known for the account.
    Device,
}

/// What the limits say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may pass and was counted.
    Allowed(Option<Standing>),
    /// It must not pass, and was not counted anywhere.
    Limited {
        /// Which limit.
        scope: Scope,
        /// The rule.
        quota: Quota,
        /// Until it would pass.
        retry_after: jiff::SignedDuration,
    },
    /// Its nonce was seen before.
    Replayed,
    /// There is no room to remember its nonce, so it cannot be known whether it comes twice: the tenant has used up its share.
    Full,
}

/// Where the limit stands that is nearest to being reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which limit.
    pub scope: Scope,
    /// The rule.
    pub quota: Quota,
    /// Requests that could follow at once.
    pub remaining: u32,
    /// Until the whole burst is there again.
    pub reset: jiff::SignedDuration,
}

/// What is to be done with a request while Redis cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// It changes something: it is refused, as it might be one too many, or come twice.
    Refuse,
    /// It only reads: this process decides by what it has seen itself, so that a flood is still one.
    DecideHere,
}

/// The limits of all tenants.
#[derive(Default)]
pub struct Limits {
    local: Local,
    shared: Option<Shared>,
}

impl Limits {
    /// Limits that are counted in Redis, if there is one, or else in this process.
    pub fn through(shared: Option<Shared>) -> Self {
        Self { local: Local::default(), shared }
    }

    /// Decides one request of a tenant. Whatever the answer is not [`Decision::Allowed`], nothing was counted and the
    /// nonce is not used up. Exact under concurrency, within a process and between replicas.
    ///
    /// # Errors
    /// [`StoreError::SharedUnavailable`] when Redis does not answer in time and the request is to be refused then. It may
    /// have been counted all the same, and its nonce used up: it has to be signed anew.
    pub async fn check(
        &self,
        tenant: &TenantId,
        nonce: Option<Nonce<'_>>,
        limits: &[Limit<'_>],
        now: Timestamp,
        unreachable: Unreachable,
    ) -> Result<Decision, StoreError> {
        debug_assert!(limits.len() <= MOST_AT_ONCE, "some limits would not be counted");
        let Some(shared) = &self.shared else { return Ok(self.local.check(tenant, nonce, limits, 1, now)) };
        match script::check(shared, tenant, nonce, limits, 1, now, None).await {
            Err(StoreError::SharedUnavailable) if unreachable == Unreachable::DecideHere => {
                Ok(self.local.check(tenant, nonce, limits, 1, now))
            }
            decided => decided,
        }
    }

    /// The same of something that weighs as much as so many requests and changes something: it passes whole or not at all.
    pub async fn check_weight(
        &self,
        tenant: &TenantId,
        limits: &[Limit<'_>],
        weight: u32,
        now: Timestamp,
    ) -> Result<Decision, StoreError> {
        debug_assert!(limits.len() <= MOST_AT_ONCE, "some limits would not be counted");
        match &self.shared {
            None => Ok(self.local.check(tenant, None, limits, weight, now)),
            Some(shared) => script::check(shared, tenant, None, limits, weight, now, None).await,
        }
    }

    /// Counts a guess against all rules, or against none if one of them refuses: `Some` is how long to wait then.
    ///
    /// This is the quick and early no. Every replica counts what it sees itself, and through Redis what the others see;
    /// the last word about an account has [`crate::guesses`], which neither a restart nor Redis can make forget.
    pub async fn guess(
        &self,
        installation: &TenantId,
        rules: &[GuessRule<'_>],
        now: Timestamp,
    ) -> Option<jiff::SignedDuration> {
        if let Some(wait) = self.local.guess(rules, now) {
            return Some(wait);
        }
        let shared = self.shared.as_ref()?;
        let limits: Vec<Limit<'_>> = rules
            .iter()
            .map(|rule| Limit { scope: Scope::Key, subject: rule.subject, quota: rule.quota })
            .collect();
        match script::check(shared, installation, None, &limits, 1, now, None).await {
            Ok(Decision::Limited { retry_after, .. }) => Some(retry_after),
            _ => None,
        }
    }

    /// Whether a refusal of a caller that has not passed the limits yet is to stand in the tenant's trail. Whoever holds a
    /// public key can cause any number of them; past so many in a minute they are counted only.
    pub fn may_note_refusal(&self, tenant: &TenantId, now: Timestamp) -> bool {
        self.local.may_note_refusal(tenant, now)
    }

    /// The coarse outer guard of what comes from one address, before any tenant is known: the quota is that of a host, and the
    /// wider networks that it is in have a few times as much. Many visitors share an address. Each replica has its own: a flood must not reach Redis either.
    pub fn check_address(
        &self,
        purpose: &'static str,
        address: IpAddr,
        quota: Quota,
        now: Timestamp,
    ) -> Decision {
        self.local.check_address(purpose, address, quota, now)
    }

    /// Whether an address has used up what [`Self::check_address`] allows; counts nothing.
    pub fn address_is_spent(
        &self,
        purpose: &'static str,
        address: IpAddr,
        quota: Quota,
        now: Timestamp,
    ) -> bool {
        self.local.address_is_spent(purpose, address, quota, now)
    }

    /// How many states are kept in this process at this moment.
    pub fn len(&self) -> usize {
        self.local.len()
    }

    /// Whether nothing is kept in this process.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
