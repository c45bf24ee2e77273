//! Rate limits and the memory of nonces: one call per request decides both, all or nothing. In this process now; a Redis
//! server shared by several replicas takes the same call later.

use crate::{StoreError, TenantTx, tenants::stored};
use misy_domain::{
    TenantId, Timestamp,
    limit::{Quota, Verdict, decide},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

const SHARDS: usize = 64;
/// Refusals of one tenant that are noted, of callers that passed no limit.
const REFUSALS: Quota = Quota::per_minute(600);
/// Entries of one kind in one shard before those that say nothing any more are looked for.
const SWEEP_FLOOR: usize = 1_024;
/// Limits in one shard that are never exceeded: 64 shards of these are about 8 million.
const MOST: usize = 1 << 17;
/// Nonces in one shard that are never exceeded. All nonces of a tenant are in one shard, and may have to be remembered for
/// ten minutes: the busiest plan must find room beside its neighbours, or it would shut them out.
const MOST_NONCES: usize = 1 << 22;

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All requests of a tenant.
    Tenant,
    /// Those of one site.
    Site,
    /// Those made with one key or one chain of tokens.
    Key,
    /// Those of one session.
    Session,
    /// Those on one channel.
    Channel,
    /// Turns of one agent.
    Agent,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Tenant, Self::Site, Self::Key, Self::Session, Self::Channel, Self::Agent];

    /// As it stands in the database, the API and the headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Site => "site",
            Self::Key => "key",
            Self::Session => "session",
            Self::Channel => "channel",
            Self::Agent => "agent",
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
    /// There is no room to remember its nonce, so it cannot be known whether it comes twice.
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

/// The limits of all tenants.
pub struct Limits {
    hasher: [RandomState; 2],
    shards: Vec<Mutex<Shard>>,
    addresses: Vec<Mutex<Shard>>,
}

/// Keys are 128-bit keyed hashes that always include the tenant: short, and nobody can aim for a collision.
struct Shard {
    arrivals: HashMap<u128, i64>,
    nonces: HashMap<u128, i64>,
    sweep_arrivals_at: usize,
    sweep_nonces_at: usize,
    /// Unix seconds of the last sweep; another one in the same second would find nothing new.
    nonces_swept_at: i64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            arrivals: HashMap::new(),
            nonces: HashMap::new(),
            sweep_arrivals_at: SWEEP_FLOOR,
            sweep_nonces_at: SWEEP_FLOOR,
            nonces_swept_at: i64::MIN,
        }
    }
}

impl Shard {
    /// Forgets what says nothing any more, once in so many insertions that each pays a constant share of it.
    fn sweep(&mut self, now: Timestamp) {
        if self.arrivals.len() >= self.sweep_arrivals_at {
            let micros = now.as_microsecond();
            self.arrivals.retain(|_, arrival| *arrival > micros);
            if self.arrivals.len() >= MOST {
                // Limits that far apart from their burst are few; forgetting them lets through one burst more.
                self.arrivals.clear();
            }
            self.sweep_arrivals_at = (self.arrivals.len() * 2).clamp(SWEEP_FLOOR, MOST);
        }
        let seconds = now.as_second();
        if self.nonces.len() >= self.sweep_nonces_at && self.nonces_swept_at != seconds {
            self.nonces.retain(|_, forget_at| *forget_at >= seconds);
            self.sweep_nonces_at = (self.nonces.len() * 2).clamp(SWEEP_FLOOR, MOST_NONCES);
            self.nonces_swept_at = seconds;
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let shards = || (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { hasher: [RandomState::new(), RandomState::new()], shards: shards(), addresses: shards() }
    }
}

impl Limits {
    /// Decides one request of a tenant. Whatever the answer is not [`Decision::Allowed`], nothing was counted and the
    /// nonce is not used up. All of a tenant's state is behind one lock, so the answer is exact under concurrency.
    ///
    /// # Errors
    /// When the limits cannot be reached, which cannot happen while they are in this process.
    #[allow(
        clippy::unused_async,
        reason = "the same call goes to a shared server when there are several replicas"
    )]
    pub async fn check(
        &self,
        tenant: &TenantId,
        nonce: Option<Nonce<'_>>,
        limits: &[Limit<'_>],
        now: Timestamp,
    ) -> Result<Decision, StoreError> {
        let shard = &self.shards[self.shard_of(tenant)];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.sweep(now);
        let nonce = nonce.map(|nonce| (self.hash(&(tenant, "nonce", nonce.value)), nonce.forget_at));
        if let Some((key, _)) = nonce {
            if shard.nonces.get(&key).is_some_and(|forget_at| *forget_at >= now.as_second()) {
                return Ok(Decision::Replayed);
            }
            if shard.nonces.len() >= MOST_NONCES {
                return Ok(Decision::Full);
            }
        }
        let decision = self.count(&mut shard.arrivals, tenant, limits, now);
        if let (Decision::Allowed(_), Some((key, forget_at))) = (&decision, nonce) {
            shard.nonces.insert(key, forget_at);
        }
        Ok(decision)
    }

    /// Counts a request against all limits, or against none if one of them refuses.
    fn count(
        &self,
        arrivals: &mut HashMap<u128, i64>,
        tenant: &TenantId,
        limits: &[Limit<'_>],
        now: Timestamp,
    ) -> Decision {
        let mut passed = [(0u128, 0i64); Scope::ALL.len()];
        let mut nearest: Option<Standing> = None;
        let limits = &limits[..limits.len().min(passed.len())];
        for (limit, place) in limits.iter().zip(&mut passed) {
            // With the rule in it: who is locked out under one rule starts afresh when it is changed.
            let rule = (limit.quota.requests, limit.quota.period.as_micros());
            let key = self.hash(&(tenant, limit.scope, limit.subject, rule));
            match decide(limit.quota, arrivals.get(&key).copied(), now) {
                Verdict::Allowed { arrival, remaining, reset } => {
                    *place = (key, arrival);
                    if nearest.is_none_or(|standing| remaining < standing.remaining) {
                        nearest = Some(Standing { scope: limit.scope, quota: limit.quota, remaining, reset });
                    }
                }
                Verdict::Limited { retry_after } => {
                    return Decision::Limited { scope: limit.scope, quota: limit.quota, retry_after };
                }
            }
        }
        arrivals.extend(passed[..limits.len()].iter().copied());
        Decision::Allowed(nearest)
    }

    /// Whether a refusal of a caller that has not passed the limits yet is to stand in the tenant's trail. Whoever holds a
    /// public key can cause any number of them; past so many in a minute they are counted only.
    pub fn may_note_refusal(&self, tenant: &TenantId, now: Timestamp) -> bool {
        let key = self.hash(&(tenant, "refusals"));
        let mut shard = self.shards[self.shard_of(tenant)].lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = decide(REFUSALS, shard.arrivals.get(&key).copied(), now);
        if let Verdict::Allowed { arrival, .. } = verdict {
            shard.arrivals.insert(key, arrival);
        }
        matches!(verdict, Verdict::Allowed { .. })
    }

    /// The coarse outer guard of what comes from one address, before any tenant is known. Many visitors share an address.
    pub fn check_address(&self, address: IpAddr, quota: Quota, now: Timestamp) -> Decision {
        // An IPv6 customer has at least a /64 to choose addresses from.
        let prefix = match address.to_canonical() {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits() >> 64 << 64 | 1 << 63,
        };
        let key = self.hash(&prefix);
        let shard = &self.addresses[usize::try_from(key % SHARDS as u128).unwrap_or_default()];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.sweep(now);
        match decide(quota, shard.arrivals.get(&key).copied(), now) {
            Verdict::Allowed { arrival, .. } => {
                shard.arrivals.insert(key, arrival);
                Decision::Allowed(None)
            }
            Verdict::Limited { retry_after } => Decision::Limited { scope: Scope::Key, quota, retry_after },
        }
    }

    /// How many states are kept at this moment.
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.arrivals.len() + shard.nonces.len()
        };
        self.shards.iter().chain(&self.addresses).map(count).sum()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard_of(&self, tenant: &TenantId) -> usize {
        usize::try_from(self.hasher[0].hash_one(tenant) % SHARDS as u64).unwrap_or_default()
    }

    fn hash(&self, key: &impl std::hash::Hash) -> u128 {
        u128::from(self.hasher[0].hash_one(key)) << 64 | u128::from(self.hasher[1].hash_one(key))
    }
}

#[cfg(test)]
mod tests;
