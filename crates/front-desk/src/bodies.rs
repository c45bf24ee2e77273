//! How much of the bodies of requests is in memory: in all, and from each network. Bytes count as they arrive, before anybody
//! knows who sends them, and until the call is over.

use misy_domain::network::Network;
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// In all.
const MOST: usize = 256 << 20;
/// From one host; wider networks may send a few times as much.
const OF_A_HOST: usize = 16 << 20;

/// The bytes of all bodies.
#[derive(Clone)]
pub(crate) struct Bodies {
    most: usize,
    of_a_host: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    all: usize,
    networks: HashMap<Network, usize>,
}

/// The bytes of one body; they count until this is dropped.
pub(crate) struct Weight {
    bodies: Bodies,
    address: Option<IpAddr>,
    bytes: usize,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { most: MOST, of_a_host: OF_A_HOST, held: Arc::default() }
    }
}

impl Bodies {
    /// A body of which nothing has arrived.
    pub(crate) fn begin(&self, address: Option<IpAddr>) -> Weight {
        Weight { bodies: self.clone(), address, bytes: 0 }
    }
}

impl Weight {
    /// Counts more of it; false if there is no room for that.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let mut held = self.bodies.held.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |network: Network| {
            let most = self.bodies.of_a_host.saturating_mul(network.width().times() as usize);
            held.networks.get(&network).copied().unwrap_or_default().saturating_add(bytes) <= most
        };
        let networks = self.address.into_iter().flat_map(Network::all_of);
        if held.all.saturating_add(bytes) > self.bodies.most || !networks.clone().all(has_room) {
            metrics::counter!("misy_bodies_without_room_total").increment(1);
            return false;
        }
        held.all += bytes;
        for network in networks {
            *held.networks.entry(network).or_default() += bytes;
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
        for network in self.address.into_iter().flat_map(Network::all_of) {
            if let Entry::Occupied(mut bytes) = held.networks.entry(network) {
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

    #[test]
    fn a_network_has_its_share_of_the_memory_and_what_is_over_counts_no_more() {
        let bodies = Bodies { most: 1_000, of_a_host: 100, held: Arc::default() };
        let begin = |address: &str| bodies.begin(Some(address.parse().unwrap()));
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
        assert!(
            begin("198.51.100.1").grow(100) && bodies.begin(None).grow(600) && !bodies.begin(None).grow(601)
        );
        drop((first, held));
        let held = bodies.held.lock().unwrap();
        assert!(held.all == 0 && held.networks.is_empty());
    }
}
