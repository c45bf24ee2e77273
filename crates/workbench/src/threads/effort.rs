//! What tenants computed lately.

use misy_domain::TenantId;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Tenants remembered before those that computed nothing lately are looked for.
const FEW: usize = 64;
/// How long a tenant may compute at the rate of its share before that is much: room for a burst.
const BURST: Duration = Duration::from_secs(2);

/// Who computed how much. What a tenant computed is forgotten at the rate of a twentieth of the machine: who computes less than
/// that never has anything to remember.
pub(super) struct Efforts {
    of_tenants: HashMap<TenantId, Lately>,
    threads: u32,
    tidied_at: usize,
}

#[derive(Clone, Copy)]
struct Lately {
    spent: Duration,
    at: Instant,
}

impl Efforts {
    /// Nobody computed anything on so many threads.
    pub(super) fn on(threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        Self { of_tenants: HashMap::new(), threads, tidied_at: 0 }
    }

    /// A tenant computed for so long.
    pub(super) fn add(&mut self, tenant: &TenantId, took: Duration, now: Instant) {
        if self.of_tenants.len() >= FEW.max(2 * self.tidied_at) {
            let threads = self.threads;
            self.of_tenants.retain(|_, lately| !lately.left(threads, now).is_zero());
            self.tidied_at = self.of_tenants.len();
        }
        let spent = self.left(tenant, now) + took;
        self.of_tenants.insert(tenant.clone(), Lately { spent, at: now });
    }

    /// Whether a tenant computed more than its share lately.
    pub(super) fn is_much(&self, tenant: &TenantId, now: Instant) -> bool {
        self.left(tenant, now) > BURST * self.threads / 20
    }

    fn left(&self, tenant: &TenantId, now: Instant) -> Duration {
        self.of_tenants.get(tenant).map_or(Duration::ZERO, |lately| lately.left(self.threads, now))
    }
}

impl Lately {
    fn left(self, threads: u32, now: Instant) -> Duration {
        self.spent.saturating_sub(now.saturating_duration_since(self.at) * threads / 20)
    }
}

/// The time that this thread was on a processor. Waiting does not count.
pub(super) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: usize) -> TenantId {
        format!("tenant-{number}").parse().unwrap()
    }

    #[test]
    fn who_computes_little_all_the_time_never_computes_much() {
        let (mut efforts, began) = (Efforts::on(2), Instant::now());
        // A twentieth of two threads is 100 ms in a second.
        for turn in 0..1_000 {
            let now = began + Duration::from_millis(50) * turn;
            efforts.add(&tenant(1), Duration::from_millis(5), now);
            assert!(!efforts.is_much(&tenant(1), now), "after {turn} turns");
        }
    }

    #[test]
    fn who_keeps_a_thread_busy_computes_much_until_it_has_rested() {
        let (mut efforts, began) = (Efforts::on(2), Instant::now());
        efforts.add(&tenant(1), Duration::from_millis(150), began);
        assert!(!efforts.is_much(&tenant(1), began), "a burst is no habit");
        efforts.add(&tenant(1), Duration::from_millis(150), began);
        assert!(efforts.is_much(&tenant(1), began));
        assert!(!efforts.is_much(&tenant(2), began));
        assert!(!efforts.is_much(&tenant(1), began + Duration::from_secs(1)));
    }

    #[test]
    fn whoever_rests_is_forgotten() {
        let (mut efforts, began) = (Efforts::on(1), Instant::now());
        for number in 0..10_000_u32 {
            let now = began + Duration::from_secs(1) * number;
            efforts.add(&tenant(number as usize), Duration::from_millis(1), now);
        }
        assert!(efforts.of_tenants.len() <= FEW, "{} are remembered", efforts.of_tenants.len());
    }
}
