//! Limits, guesses and nonces in the memory of this process. Each kind has tables of its own, so that a flood of one
//! displaces nothing of another.

use super::{
    At, Decision, GuessRule, Limit, Nonce, Scope, Standing,
    nonces::{self, Nonces},
    table::Table,
};
use jiff::SignedDuration;
use misy_domain::{
    TenantId, Timestamp,
    limit::{Quota, Verdict, decide, decide_for},
    network::Network,
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
/// Limits in one shard: 64 shards of these are about two million.
const MOST_LIMITS: usize = 1 << 15;
/// Tenants in one shard whose noted refusals are counted.
const MOST_REFUSALS: usize = 1 << 12;
/// Addresses of one purpose in one shard: about 260 thousand in all.
const MOST_ADDRESSES: usize = 1 << 12;
/// Nonces in one shard. All nonces of a tenant are in one shard, and may have to be remembered for ten minutes. Each tenant
/// has its share: the busiest one is refused beyond it, and shuts nobody out.
const MOST_NONCES: usize = 1 << 22;
/// Guesses at accounts, each alone and with its address; from addresses; and from known browsers. Whoever wants to fill
/// these needs as many addresses, all at once.
const MOST_GUESSES: [(At, usize); 3] =
    [(At::Address, 1 << 18), (At::Account, 1 << 19), (At::Device, 1 << 16)];

/// The limits of all tenants, as far as they are counted in this process.
pub(super) struct Local {
    hasher: [RandomState; 2],
    shards: Vec<Mutex<Shard>>,
    addresses: Vec<Mutex<HashMap<&'static str, Table>>>,
    guesses: Mutex<[Table; MOST_GUESSES.len()]>,
}

/// What is known of some tenants. All of a tenant's state is behind one lock, so the answer is exact under concurrency.
struct Shard {
    limits: Table,
    nonces: Nonces,
    refusals: Table,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            limits: Table::of(MOST_LIMITS),
            nonces: Nonces::of(MOST_NONCES),
            refusals: Table::of(MOST_REFUSALS),
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Self {
            hasher: [RandomState::new(), RandomState::new()],
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            addresses: (0..SHARDS).map(|_| Mutex::default()).collect(),
            guesses: Mutex::new(MOST_GUESSES.map(|(_, most)| Table::of(most))),
        }
    }
}

/// What a table says of something that weighs as much as so many requests.
fn look(table: &mut Table, key: u128, quota: Quota, weight: u32, now: Timestamp) -> Verdict {
    let known = table.get(key);
    let verdict = decide_for(quota, weight, known, now);
    if let Verdict::Limited { arrival, .. } = verdict
        && known != Some(arrival)
    {
        table.set(key, arrival);
    }
    verdict
}

/// Counts one more request against one limit.
fn count(table: &mut Table, key: u128, quota: Quota, now: Timestamp) -> Verdict {
    table.forget(now.as_microsecond());
    let verdict = look(table, key, quota, 1, now);
    if let Verdict::Allowed { arrival, .. } = verdict {
        table.set(key, arrival);
    }
    verdict
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Local {
    /// As [`super::Limits::check`].
    pub(super) fn check(
        &self,
        tenant: &TenantId,
        nonce: Option<Nonce<'_>>,
        limits: &[Limit<'_>],
        weight: u32,
        now: Timestamp,
    ) -> Decision {
        let mut shard = self.shard(tenant);
        shard.limits.forget(now.as_microsecond());
        shard.nonces.forget(now.as_second());
        let nonce = nonce.map(|nonce| (self.nonce_key(tenant, nonce.value), nonce.forget_at));
        if let Some((key, _)) = nonce {
            if shard.nonces.get(key).is_some_and(|end| end > now.as_second()) {
                return Decision::Replayed;
            }
            if !shard.nonces.has_room(key) {
                return Decision::Full;
            }
        }
        let decision = self.count(&mut shard.limits, tenant, limits, weight, now);
        if let (Decision::Allowed(_), Some((key, forget_at))) = (&decision, nonce) {
            // It is good through the whole of that second.
            shard.nonces.set(key, forget_at.saturating_add(1));
        }
        decision
    }

    /// Counts a request against all limits, or against none if one of them refuses.
    fn count(
        &self,
        table: &mut Table,
        tenant: &TenantId,
        limits: &[Limit<'_>],
        weight: u32,
        now: Timestamp,
    ) -> Decision {
        let mut passed = [(0u128, 0i64); super::MOST_AT_ONCE];
        let mut nearest: Option<Standing> = None;
        let limits = &limits[..limits.len().min(passed.len())];
        for (limit, place) in limits.iter().zip(&mut passed) {
            let key = self.key_of(tenant, limit);
            match look(table, key, limit.quota, weight, now) {
                Verdict::Allowed { arrival, remaining, reset } => {
                    *place = (key, arrival);
                    if nearest.is_none_or(|standing| remaining < standing.remaining) {
                        nearest = Some(Standing { scope: limit.scope, quota: limit.quota, remaining, reset });
                    }
                }
                Verdict::Limited { retry_after, .. } => {
                    return Decision::Limited { scope: limit.scope, quota: limit.quota, retry_after };
                }
            }
        }
        for (key, arrival) in &passed[..limits.len()] {
            table.set(*key, *arrival);
        }
        Decision::Allowed(nearest)
    }

    /// With the rule in it: who is locked out under one rule starts afresh when it is changed.
    fn key_of(&self, tenant: &TenantId, limit: &Limit<'_>) -> u128 {
        let rule = (limit.quota.requests, limit.quota.period.as_micros());
        self.hash(&(tenant, limit.scope, limit.subject, rule))
    }

    /// Counts a guess against all rules, or against none if one of them refuses: `Some` is how long to wait. A guess that
    /// there is no room to remember is refused too, since whoever fills the tables must not be able to go on guessing.
    pub(super) fn guess(&self, rules: &[GuessRule<'_>], now: Timestamp) -> Option<SignedDuration> {
        let mut tables = lock(&self.guesses);
        let mut passed = Vec::with_capacity(rules.len());
        for (table, (at, _)) in tables.iter_mut().zip(MOST_GUESSES) {
            table.forget(now.as_microsecond());
            let mut more = 0;
            for rule in rules.iter().filter(|rule| rule.at == at) {
                let key = self.hash(&(rule.subject, rule.quota.requests, rule.quota.period.as_micros()));
                match look(table, key, rule.quota, 1, now) {
                    Verdict::Allowed { arrival, .. } => passed.push((at, key, arrival)),
                    Verdict::Limited { retry_after, .. } => return Some(retry_after),
                }
                more += usize::from(table.get(key).is_none());
            }
            if !table.has_room(more) {
                metrics::counter!("misy_guesses_without_room_total").increment(1);
                let wait = table.next_end().unwrap_or_default() - now.as_microsecond();
                return Some(SignedDuration::from_micros(wait.max(1)));
            }
        }
        for (table, (at, _)) in tables.iter_mut().zip(MOST_GUESSES) {
            for (_, key, arrival) in passed.iter().filter(|(one, ..)| *one == at) {
                table.set(*key, *arrival);
            }
        }
        None
    }

    pub(super) fn may_note_refusal(&self, tenant: &TenantId, now: Timestamp) -> bool {
        let key = self.hash(&(tenant, "refusals"));
        let mut shard = self.shard(tenant);
        matches!(count(&mut shard.refusals, key, REFUSALS, now), Verdict::Allowed { .. })
    }

    pub(super) fn check_address(
        &self,
        purpose: &'static str,
        address: IpAddr,
        quota: Quota,
        now: Timestamp,
    ) -> Decision {
        // What is refused counts nowhere: who is over their own share must not use up that of their neighbours.
        for network in Network::all_of(address) {
            let quota = of_network(quota, network);
            let (key, tables) = self.of_network(network);
            let known = tables.get(purpose).and_then(|table| table.get(key));
            if let Verdict::Limited { retry_after, .. } = decide(quota, known, now) {
                return Decision::Limited { scope: Scope::Key, quota, retry_after };
            }
        }
        // From the widest, so that what a wide one refuses takes no room among the narrow ones.
        for network in Network::all_of(address) {
            let quota = of_network(quota, network);
            let (key, mut tables) = self.of_network(network);
            let table = tables.entry(purpose).or_insert_with(|| Table::of(MOST_ADDRESSES));
            if let Verdict::Limited { retry_after, .. } = count(table, key, quota, now) {
                return Decision::Limited { scope: Scope::Key, quota, retry_after };
            }
        }
        Decision::Allowed(None)
    }

    pub(super) fn address_is_spent(
        &self,
        purpose: &'static str,
        address: IpAddr,
        quota: Quota,
        now: Timestamp,
    ) -> bool {
        Network::all_of(address).any(|network| {
            let (key, tables) = self.of_network(network);
            let known = tables.get(purpose).and_then(|table| table.get(key));
            matches!(decide(of_network(quota, network), known, now), Verdict::Limited { .. })
        })
    }

    fn of_network(&self, network: Network) -> (u128, MutexGuard<'_, HashMap<&'static str, Table>>) {
        let key = self.hash(&network);
        (key, lock(&self.addresses[usize::try_from(key % SHARDS as u128).unwrap_or_default()]))
    }

    fn nonce_key(&self, tenant: &TenantId, nonce: &str) -> u128 {
        nonces::key(self.hasher[0].hash_one(tenant), self.hasher[1].hash_one((tenant, nonce)))
    }

    /// How many states are kept at this moment.
    pub(super) fn len(&self) -> usize {
        let of_tenants = self.shards.iter().map(|shard| {
            let shard = lock(shard);
            shard.limits.len() + shard.nonces.len() + shard.refusals.len()
        });
        let of_addresses =
            self.addresses.iter().map(|tables| lock(tables).values().map(Table::len).sum::<usize>());
        let of_guesses = lock(&self.guesses).iter().map(Table::len).sum::<usize>();
        of_tenants.chain(of_addresses).sum::<usize>() + of_guesses
    }

    fn shard(&self, tenant: &TenantId) -> MutexGuard<'_, Shard> {
        let hash = self.hasher[0].hash_one(tenant);
        lock(&self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()])
    }

    fn hash(&self, key: &impl std::hash::Hash) -> u128 {
        u128::from(self.hasher[0].hash_one(key)) << 64 | u128::from(self.hasher[1].hash_one(key))
    }

    /// Puts a state where only somebody who forges could.
    #[cfg(test)]
    pub(super) fn forge(&self, tenant: &TenantId, limit: &Limit<'_>, arrival: i64) {
        let key = self.key_of(tenant, limit);
        self.shard(tenant).limits.set(key, arrival);
    }
}

/// The quota of a host, as it is for a network.
fn of_network(quota: Quota, network: Network) -> Quota {
    Quota { requests: quota.requests.saturating_mul(network.width().times()), ..quota }
}
