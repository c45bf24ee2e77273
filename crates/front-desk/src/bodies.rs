//! How much of the bodies of requests is in memory: in all, from each network, and of those that were told before what they send
//! of each tenant. Bytes count as they arrive and until the call is over. Half of the room is kept for regions that send little
//! (adr/0101).

use misy_domain::{TenantId, network::Network};
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// What may be in memory.
const MOST: Most =
    Most { all: 256 << 20, of_a_tenant: 64 << 20, of_a_host: 16 << 20, of_a_small_region: 1 << 20 };

/// The bytes of all bodies.
#[derive(Clone)]
pub(crate) struct Bodies {
    most: Most,
    held: Arc<Mutex<Held>>,
}

/// How many bytes may be in memory.
#[derive(Clone, Copy)]
struct Most {
    all: usize,
    /// Of large bodies with tokens of one tenant.
    of_a_tenant: usize,
    /// From one host; wider networks may send a few times as much.
    of_a_host: usize,
    /// From a region for which half of the room is kept.
    of_a_small_region: usize,
}

#[derive(Default)]
struct Held {
    all: usize,
    senders: HashMap<Sender, usize>,
}

/// Whose bytes they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Sender {
    Network(Network),
    Tenant(TenantId),
}

/// The bytes of one body; they count until this is dropped.
pub(crate) struct Weight {
    bodies: Bodies,
    /// The widest network comes first.
    senders: Vec<Sender>,
    bytes: usize,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { most: MOST, held: Arc::default() }
    }
}

impl Bodies {
    /// A body of which nothing has arrived; of a tenant, if that was asked before.
    pub(crate) fn begin(&self, address: Option<IpAddr>, tenant: Option<TenantId>) -> Weight {
        let networks = address.into_iter().flat_map(Network::all_of).map(Sender::Network);
        let senders = networks.chain(tenant.map(Sender::Tenant)).collect();
        Weight { bodies: self.clone(), senders, bytes: 0 }
    }
}

impl Sender {
    fn most(&self, most: &Most) -> usize {
        match self {
            Self::Network(network) => most.of_a_host.saturating_mul(network.width().times() as usize),
            Self::Tenant(_) => most.of_a_tenant,
        }
    }
}

impl Held {
    fn of(&self, sender: &Sender) -> usize {
        self.senders.get(sender).copied().unwrap_or_default()
    }

    /// Whether more of it may be in memory.
    fn has_room(&self, most: &Most, senders: &[Sender], bytes: usize) -> bool {
        let with = |held: usize| held.saturating_add(bytes);
        let in_all = match senders.first() {
            Some(region) if with(self.of(region)) > most.of_a_small_region => most.all / 2,
            _ => most.all,
        };
        with(self.all) <= in_all && senders.iter().all(|sender| with(self.of(sender)) <= sender.most(most))
    }
}

impl Weight {
    /// Counts more of it; false if there is no room for that.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let mut held = self.bodies.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.has_room(&self.bodies.most, &self.senders, bytes) {
            metrics::counter!("misy_bodies_without_room_total").increment(1);
            return false;
        }
        held.all += bytes;
        for sender in &self.senders {
            *held.senders.entry(sender.clone()).or_default() += bytes;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.bodies.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.all -= self.bytes;
        for sender in self.senders.drain(..) {
            if let Entry::Occupied(mut bytes) = held.senders.entry(sender) {
                *bytes.get_mut() -= self.bytes;
                if *bytes.get() == 0 {
                    bytes.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Most = Most { all: 1_000, of_a_tenant: 200, of_a_host: 100, of_a_small_region: 10 };

    fn bodies() -> Bodies {
        Bodies { most: MOST, held: Arc::default() }
    }

    /// Bodies of so many bytes from hosts of a region, until there is no room.
    fn fill(bodies: &Bodies, region: u8, bytes: usize) -> Vec<Weight> {
        let body = |host: u8| {
            let mut weight = bodies.begin(Some(IpAddr::from([192, 0, region, host])), None);
            weight.grow(bytes).then_some(weight)
        };
        (1..).map_while(body).collect()
    }

    #[test]
    fn a_network_has_its_share_of_the_memory_and_what_is_over_counts_no_more() {
        let bodies = bodies();
        let begin = |address: &str| bodies.begin(Some(address.parse().unwrap()), None);
        let mut first = begin("192.0.2.1");
        assert!(first.grow(60) && first.grow(40) && !first.grow(1));
        assert!(!begin("192.0.2.1").grow(1) && begin("192.0.2.2").grow(100));
        // A region has four hosts' worth, whatever host it comes from.
        let held: Vec<_> = (2..)
            .map_while(|n| {
                let mut weight = begin(&format!("192.0.2.{n}"));
                weight.grow(100).then_some(weight)
            })
            .collect();
        assert_eq!(held.len(), 3);
        assert!(begin("198.51.100.1").grow(100));
        assert!(bodies.begin(None, None).grow(600) && !bodies.begin(None, None).grow(601));
        drop((first, held));
        let held = bodies.held.lock().unwrap();
        assert!(held.all == 0 && held.senders.is_empty());
    }

    #[test]
    fn half_of_the_room_is_kept_for_regions_that_send_little() {
        let bodies = bodies();
        let crowd: Vec<_> = (1..=6).flat_map(|region| fill(&bodies, region, 100)).collect();
        assert_eq!(crowd.len(), 5, "half of it, however many regions there are");
        let begin = |address: &str| bodies.begin(Some(address.parse().unwrap()), None);
        let mut message = begin("198.51.100.1");
        assert!(message.grow(10) && !message.grow(1), "a message, and no file");
        assert!(!begin("192.0.1.9").grow(1), "not for a region that sends much");
        drop(crowd);
        assert!(message.grow(90));
    }

    #[test]
    fn a_tenant_has_its_share_wherever_it_is_sent_from() {
        let bodies = bodies();
        let begin = |address: &str, tenant: &str| {
            bodies.begin(Some(address.parse().unwrap()), Some(tenant.parse().unwrap()))
        };
        let (mut one, mut other) = (begin("192.0.2.1", "andina"), begin("198.51.100.1", "andina"));
        assert!(one.grow(100) && other.grow(100));
        assert!(!begin("203.0.113.1", "andina").grow(1) && begin("203.0.113.1", "verde").grow(100));
        drop((one, other));
        assert!(bodies.held.lock().unwrap().senders.is_empty());
    }
}
