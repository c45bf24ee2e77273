//! How many connections there are: in all, and of each network.

use misy_domain::network::{Network, Width};
use misy_front_desk::Connection;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Of how many connections of the largest network one is looked for that is idle.
const LOOKED_AT: usize = 64;

/// The places for connections.
pub(crate) struct Places {
    all: usize,
    /// Of one host; wider networks have a few times as many. `None` where proxies stand in front: there all come from the
    /// same few.
    per_host: Option<usize>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    networks: HashMap<Network, usize>,
    /// The connections of each region, the oldest first.
    regions: HashMap<Network, BTreeMap<u64, Guest>>,
    /// The regions by how many connections they have.
    by_size: BTreeSet<(usize, Network)>,
    entered: u64,
}

/// Whoever has a place.
struct Guest {
    address: IpAddr,
    connection: Connection,
}

/// The place of one connection among the others.
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
    number: u64,
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
    pub(crate) fn new(all: usize, per_host: Option<usize>) -> Arc<Self> {
        Arc::new(Self { all, per_host, taken: Mutex::default() })
    }

    /// Takes a place. When all are taken, the oldest connection of the largest region goes that does nothing, unless the
    /// newcomer's is as large.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, connection: &Connection) -> Result<Place, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = self.per_host {
            let is_full = |network: Network| {
                let most = share.saturating_mul(network.width().times() as usize);
                taken.networks.get(&network).is_some_and(|count| *count >= most)
            };
            if Network::all_of(address).any(is_full) {
                return Err(Full::Network);
            }
        }
        if taken.all >= self.all && !(self.per_host.is_some() && taken.make_room(address)) {
            return Err(Full::All);
        }
        let guest = Guest { address, connection: connection.clone() };
        let number = taken.add(guest, self.per_host.is_some());
        let crowded = taken.all > self.all / 4 * 3;
        Ok(Place { places: self.clone(), address, number, crowded })
    }
}

impl Taken {
    fn add(&mut self, guest: Guest, by_network: bool) -> u64 {
        self.entered += 1;
        self.all += 1;
        if by_network {
            self.resize(guest.address, |networks, network| *networks.entry(network).or_default() += 1);
            if let Some(region) = Network::region_of(guest.address) {
                self.regions.entry(region).or_default().insert(self.entered, guest);
            }
        }
        self.entered
    }

    /// Gives back a place, unless it was taken away before.
    fn remove(&mut self, address: IpAddr, number: u64) {
        let Some(Entry::Occupied(mut guests)) =
            Network::region_of(address).map(|region| self.regions.entry(region))
        else {
            return;
        };
        if guests.get_mut().remove(&number).is_none() {
            return;
        }
        if guests.get().is_empty() {
            guests.remove();
        }
        self.all -= 1;
        self.resize(address, |networks, network| {
            if let Entry::Occupied(mut count) = networks.entry(network) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        });
    }

    /// Changes the counts of the networks of an address, and the order of its region.
    fn resize(&mut self, address: IpAddr, change: impl Fn(&mut HashMap<Network, usize>, Network)) {
        for network in Network::all_of(address) {
            let size =
                |networks: &HashMap<Network, usize>| networks.get(&network).copied().unwrap_or_default();
            let before = size(&self.networks);
            change(&mut self.networks, network);
            if network.width() == Width::Region {
                self.by_size.remove(&(before, network));
                let now = size(&self.networks);
                if now > 0 {
                    self.by_size.insert((now, network));
                }
            }
        }
    }

    /// Ends the oldest idle connection of the largest network, for a newcomer of a smaller one.
    fn make_room(&mut self, newcomer: IpAddr) -> bool {
        let Some((size, largest)) = self.by_size.last().copied() else { return false };
        let own = Network::region_of(newcomer).and_then(|region| self.networks.get(&region)).copied();
        // Else the two would take places from each other without end.
        if size <= own.unwrap_or_default() + 1 {
            return false;
        }
        let Some(guests) = self.regions.get(&largest) else { return false };
        let idle = guests.iter().take(LOOKED_AT).find(|(_, guest)| guest.connection.is_idle());
        let Some((number, guest)) = idle else { return false };
        let (number, address) = (*number, guest.address);
        metrics::counter!("misy_connections_cut_total", "reason" => "crowded").increment(1);
        guest.connection.cut();
        self.remove(address, number);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if self.places.per_host.is_some() {
            taken.remove(self.address, self.number);
        } else {
            taken.all -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(places: &Arc<Places>, address: &str) -> Result<Place, Full> {
        places.enter(address.parse().unwrap(), &Connection::default())
    }

    #[test]
    fn an_address_has_its_share_and_a_place_that_is_left_is_free_again() {
        let places = Places::new(5, Some(2));
        let here = "192.0.2.1";
        let (first, second) = (enter(&places, here).unwrap(), enter(&places, here).unwrap());
        assert_eq!(enter(&places, here).err(), Some(Full::Network));
        assert_eq!(enter(&places, "::ffff:192.0.2.1").err(), Some(Full::Network));
        let other = enter(&places, "192.0.2.2").unwrap();
        drop(first);
        let again = enter(&places, here).unwrap();
        assert_eq!(places.taken.lock().unwrap().networks.len(), 3);
        drop((second, other, again));
        let taken = places.taken.lock().unwrap();
        assert!(
            taken.all == 0
                && taken.networks.is_empty()
                && taken.by_size.is_empty()
                && taken.regions.is_empty()
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_the_wider_ones_have_shares_too() {
        let places = Places::new(100, Some(2));
        let _held = [enter(&places, "2001:db8::1").unwrap(), enter(&places, "2001:db8::2").unwrap()];
        assert_eq!(enter(&places, "2001:db8::ffff:3").err(), Some(Full::Network));
        // One home, in a /64 each time.
        let home: Vec<_> =
            (1..).map_while(|subnet| enter(&places, &format!("2001:db8:0:{subnet:x}::1")).ok()).collect();
        assert_eq!(home.len(), 2);
        // One region, in a /56 each time.
        let region: Vec<_> =
            (1..).map_while(|subnet| enter(&places, &format!("2001:db8:0:{subnet:x}00::1")).ok()).collect();
        assert_eq!(region.len(), 4);
        assert!(enter(&places, "2001:db8:1::1").is_ok());
    }

    #[test]
    fn when_all_is_taken_the_largest_network_gives_way_to_others_and_not_to_itself() {
        let places = Places::new(6, Some(4));
        let connection = Connection::default();
        let crowd = |n: u8| format!("192.0.2.{n}").parse().unwrap();
        let busy = places.enter(crowd(1), &connection).unwrap();
        let under_way = connection.begin();
        let idle = Connection::default();
        let first = places.enter(crowd(2), &idle).unwrap();
        let mut held: Vec<_> = (3..7).map(|n| enter(&places, &format!("192.0.2.{n}")).unwrap()).collect();
        assert_eq!(enter(&places, "192.0.2.9").err(), Some(Full::All));
        // The oldest that does nothing goes, and leaves nothing behind when it notices.
        held.push(enter(&places, "198.51.100.1").unwrap());
        assert!(idle.is_cut() && !connection.is_cut());
        drop(first);
        assert_eq!(places.taken.lock().unwrap().all, 6);
        // Until the crowd is none any more.
        let more: Vec<_> = (1..9).map_while(|n| enter(&places, &format!("203.0.{n}.1")).ok()).collect();
        assert_eq!(more.len(), 4);
        drop((busy, under_way, held, more));
        assert_eq!(places.taken.lock().unwrap().all, 0);
    }

    #[test]
    fn behind_proxies_only_the_sum_counts() {
        let places = Places::new(8, None);
        let held: Vec<_> = (0..8).map(|_| enter(&places, "10.0.0.1").unwrap()).collect();
        assert_eq!(held.iter().filter(|place| place.crowded).count(), 2);
        assert_eq!(enter(&places, "10.0.0.2").err(), Some(Full::All));
        drop(held);
        assert_eq!(places.taken.lock().unwrap().all, 0);
    }
}
