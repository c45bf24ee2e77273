//! The networks that an address belongs to: whoever counts by where somebody is counts by all of them.
//!
//! Whoever has one address has others for nothing: a host gets a /64 of IPv6, a home a /56, anybody who asks a /48. So each
//! width has a share of its own, and a wider one is larger, as more people are in it.

use std::{fmt, net::IpAddr};

/// How wide a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// An IPv4 address, or a /64 of IPv6: one host.
    Host,
    /// A /56 of IPv6: one home or office.
    Home,
    /// A /24 of IPv4, or a /48 of IPv6: one organisation, or the customers of a small provider.
    Region,
}

impl Width {
    /// How many times what a host may take such a network may take.
    pub const fn times(self) -> u32 {
        match self {
            Self::Host => 1,
            Self::Home => 2,
            Self::Region => 4,
        }
    }
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    width: Width,
    bits: u128,
    length: u8,
}

impl Network {
    /// The networks of an address from the widest to that of the host alone. IPv4 in the clothes of IPv6 is IPv4.
    pub fn all_of(address: IpAddr) -> impl DoubleEndedIterator<Item = Self> + Clone {
        let (bits, lengths): (u128, &[(Width, u8)]) = match address.to_canonical() {
            IpAddr::V4(v4) => (v4.to_ipv6_mapped().to_bits(), &[(Width::Region, 120), (Width::Host, 128)]),
            IpAddr::V6(v6) => (v6.to_bits(), &[(Width::Region, 48), (Width::Home, 56), (Width::Host, 64)]),
        };
        lengths.iter().map(move |(width, length)| {
            let bits = bits & !u128::MAX.checked_shr(u32::from(*length)).unwrap_or_default();
            Self { width: *width, bits, length: *length }
        })
    }

    /// The widest network of an address.
    pub fn region_of(address: IpAddr) -> Option<Self> {
        Self::all_of(address).next()
    }

    /// How wide it is.
    pub fn width(self) -> Width {
        self.width
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}/{}", self.bits, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(one: &str, other: &str) -> Vec<Width> {
        let of = |text: &str| Network::all_of(text.parse().unwrap()).collect::<Vec<_>>();
        let theirs = of(other);
        of(one).into_iter().filter(|network| theirs.contains(network)).map(Network::width).collect()
    }

    #[test]
    fn addresses_share_the_networks_that_they_are_in() {
        use Width::{Home, Host, Region};
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), [Region, Home, Host]);
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:1:ff::1"), [Region, Home]);
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:1:ff02::1"), [Region]);
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:2:2::1"), []);
        assert_eq!(shared("192.0.2.1", "::ffff:192.0.2.1"), [Region, Host]);
        assert_eq!(shared("192.0.2.1", "192.0.2.255"), [Region]);
        assert_eq!(shared("192.0.2.1", "192.0.3.1"), []);
        // No IPv6 network is ever an IPv4 one.
        assert_eq!(shared("0.0.0.0", "::"), []);
    }
}
