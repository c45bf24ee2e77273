//! Limits and nonces in the memory of this process.

use super::{Decision, Limit, Nonce, Scope, Standing};
use misy_domain::{
    TenantId, Timestamp,
    limit::{Quota, Verdict, decide},
};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
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

/// The limits of all tenants, as far as they are counted in this process.
pub(super) struct Local {
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

impl Default for Local {
    fn default() -> Self {
        let shards = || (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { hasher: [RandomState::new(), RandomState::new()], shards: shards(), addresses: shards() }
    }
}

impl Local {
    /// As [`super::Limits::check`]. All of a tenant's state is behind one lock, so the answer is exact under concurrency.
    pub(super) fn check(
        &self,
        tenant: &TenantId,
        nonce: Option<Nonce<'_>>,
        limits: &[Limit<'_>],
        now: Timestamp,
    ) -> Decision {
        let shard = &self.shards[self.shard_of(tenant)];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.sweep(now);
        let nonce = nonce.map(|nonce| (self.hash(&(tenant, "nonce", nonce.value)), nonce.forget_at));
        if let Some((key, _)) = nonce {
            if shard.nonces.get(&key).is_some_and(|forget_at| *forget_at >= now.as_second()) {
                return Decision::Replayed;
            }
            if shard.nonces.len() >= MOST_NONCES {
                return Decision::Full;
            }
        }
        let decision = self.count(&mut shard.arrivals, tenant, limits, now);
        if let (Decision::Allowed(_), Some((key, forget_at))) = (&decision, nonce) {
            shard.nonces.insert(key, forget_at);
        }
        decision
    }

    /// Counts a request against all limits, or against none if one of them refuses.
    fn count(
        &self,
        arrivals: &mut HashMap<u128, i64>,
        tenant: &TenantId,
        limits: &[Limit<'_>],
        now: Timestamp,
    ) -> Decision {
        let mut passed = [(0u128, 0i64); super::MOST_AT_ONCE];
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

    pub(super) fn may_note_refusal(&self, tenant: &TenantId, now: Timestamp) -> bool {
        let key = self.hash(&(tenant, "refusals"));
        let mut shard = self.shards[self.shard_of(tenant)].lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = decide(REFUSALS, shard.arrivals.get(&key).copied(), now);
        if let Verdict::Allowed { arrival, .. } = verdict {
            shard.arrivals.insert(key, arrival);
        }
        matches!(verdict, Verdict::Allowed { .. })
    }

    pub(super) fn check_address(
        &self,
        purpose: &'static str,
        address: IpAddr,
        quota: Quota,
        now: Timestamp,
    ) -> Decision {
        let (key, mut shard) = self.of_address(purpose, address);
        shard.sweep(now);
        match decide(quota, shard.arrivals.get(&key).copied(), now) {
            Verdict::Allowed { arrival, .. } => {
                shard.arrivals.insert(key, arrival);
                Decision::Allowed(None)
            }
            Verdict::Limited { retry_after } => Decision::Limited { scope: Scope::Key, quota, retry_after },
        }
    }

    pub(super) fn address_is_spent(
        &self,
        purpose: &'static str,
        address: IpAddr,
        quota: Quota,
        now: Timestamp,
    ) -> bool {
        let (key, shard) = self.of_address(purpose, address);
        matches!(decide(quota, shard.arrivals.get(&key).copied(), now), Verdict::Limited { .. })
    }

    fn of_address(&self, purpose: &'static str, address: IpAddr) -> (u128, MutexGuard<'_, Shard>) {
        let key = self.hash(&(purpose, network_of(address)));
        let shard = &self.addresses[usize::try_from(key % SHARDS as u128).unwrap_or_default()];
        (key, shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many states are kept at this moment.
    pub(super) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.arrivals.len() + shard.nonces.len()
        };
        self.shards.iter().chain(&self.addresses).map(count).sum()
    }

    fn shard_of(&self, tenant: &TenantId) -> usize {
        usize::try_from(self.hasher[0].hash_one(tenant) % SHARDS as u64).unwrap_or_default()
    }

    fn hash(&self, key: &impl std::hash::Hash) -> u128 {
        u128::from(self.hasher[0].hash_one(key)) << 64 | u128::from(self.hasher[1].hash_one(key))
    }
}

/// What counts as one address. An IPv6 customer has at least a /64 to choose addresses from.
pub fn network_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64 | 1 << 63,
    }
}
