//! How many connections there are: in all, and of each address.

use misy_store::limits::network_of;
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// The places for connections.
pub(crate) struct Places {
    all: usize,
    /// Of one IPv4 address, or one /64 of IPv6. `None` where proxies stand in front: there all come from the same few.
    per_network: Option<usize>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    networks: HashMap<u128, usize>,
}

/// The place of one connection among the others.
pub(crate) struct Place {
    places: Arc<Places>,
    network: u128,
    /// Whether most places are taken, so that whoever does nothing with theirs has to go earlier.
    pub(crate) crowded: bool,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken.
    All,
    /// This address has as many as one may have.
    Network,
}

impl Full {
    /// For metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Network => "address",
        }
    }
}

impl Places {
    /// All are free.
    pub(crate) fn new(all: usize, per_network: Option<usize>) -> Arc<Self> {
        Arc::new(Self { all, per_network, taken: Mutex::default() })
    }

    /// Takes a place.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let network = network_of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all {
            return Err(Full::All);
        }
        if let Some(most) = self.per_network {
            let count = taken.networks.entry(network).or_default();
            if *count >= most {
                return Err(Full::Network);
            }
            *count += 1;
        }
        taken.all += 1;
        let crowded = taken.all > self.all / 4 * 3;
        Ok(Place { places: self.clone(), network, crowded })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Entry::Occupied(mut count) = taken.networks.entry(self.network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_a_place_that_is_left_is_free_again() {
        let places = Places::new(5, Some(2));
        let here = address("192.0.2.1");
        let (first, _second) = (places.enter(here).unwrap(), places.enter(here).unwrap());
        assert_eq!(places.enter(here).err(), Some(Full::Network));
        assert_eq!(places.enter(address("::ffff:192.0.2.1")).err(), Some(Full::Network));
        let _other = places.enter(address("192.0.2.2")).unwrap();
        drop(first);
        let _again = places.enter(here).unwrap();
        assert_eq!(places.taken.lock().unwrap().networks.len(), 2);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let places = Places::new(100, Some(2));
        let _held =
            [places.enter(address("2001:db8::1")).unwrap(), places.enter(address("2001:db8::2")).unwrap()];
        assert_eq!(places.enter(address("2001:db8::ffff:3")).err(), Some(Full::Network));
        assert!(places.enter(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn behind_proxies_only_the_sum_counts() {
        let places = Places::new(8, None);
        let held: Vec<_> = (0..8).map(|_| places.enter(address("10.0.0.1")).unwrap()).collect();
        assert_eq!(held.iter().filter(|place| place.crowded).count(), 2);
        assert_eq!(places.enter(address("10.0.0.2")).err(), Some(Full::All));
        drop(held);
        assert_eq!(places.taken.lock().unwrap().all, 0);
    }
}
