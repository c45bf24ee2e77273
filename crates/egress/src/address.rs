//! Which addresses a request may connect to.
//!
//! For IPv6 the rule is the short one: what is not global unicast (`2000::/3`) is refused, and of that the ranges that
//! stand for something else. Sources: the IANA special-purpose address registries (RFC 6890 and its successors), and the
//! metadata services of the large clouds.

use crate::Reach;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Forbidden {
    /// This machine.
    #[error("loopback")]
    Loopback,
    /// A private network: RFC 1918, unique-local, site-local.
    #[error("private")]
    Private,
    /// Only this link.
    #[error("link-local")]
    LinkLocal,
    /// Shared between a provider and its customers (RFC 6598).
    #[error("shared address space")]
    Shared,
    /// Where a cloud tells its machines their secrets.
    #[error("cloud metadata")]
    Metadata,
    /// Many at once.
    #[error("multicast")]
    Multicast,
    /// No address, or "this network".
    #[error("unspecified")]
    Unspecified,
    /// Everybody at once.
    #[error("broadcast")]
    Broadcast,
    /// For examples in documents only.
    #[error("documentation")]
    Documentation,
    /// An IPv4 address in IPv6 clothes: mapped, compatible, 6to4, NAT64, Teredo, ISATAP.
    #[error("translated")]
    Translated,
    /// Kept for other purposes.
    #[error("reserved")]
    Reserved,
    /// Not the one address that this request may go to.
    #[error("not a metadata service")]
    Elsewhere,
}

/// Metadata services that stand outside the link-local range.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];
/// The address that Azure, AWS and Google have agreed on.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// Judges an address for a request of this reach.
pub fn check(address: IpAddr, reach: Reach, allow_loopback: bool) -> Result<(), Forbidden> {
    if allow_loopback && address.is_loopback() {
        return Ok(());
    }
    if reach == Reach::Metadata {
        return if address == IpAddr::V4(METADATA) { Ok(()) } else { Err(Forbidden::Elsewhere) };
    }
    match (kind(address), reach) {
        (None, _) | (Some(Forbidden::Private | Forbidden::Shared), Reach::Operator) => Ok(()),
        (Some(forbidden), _) => Err(forbidden),
    }
}

/// What an address is, if it is no public one.
fn kind(address: IpAddr) -> Option<Forbidden> {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<Forbidden> {
    use Forbidden as F;
    if METADATA_V4.contains(&address) || address == METADATA {
        return Some(F::Metadata);
    }
    match address.octets() {
        [0, ..] => Some(F::Unspecified),
        [127, ..] => Some(F::Loopback),
        [10, ..] | [192, 168, ..] => Some(F::Private),
        [172, second, ..] if second & 0xf0 == 16 => Some(F::Private),
        [100, second, ..] if second & 0xc0 == 64 => Some(F::Shared),
        [169, 254, ..] => Some(F::LinkLocal),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(F::Documentation),
        [192, 88, 99, _] => Some(F::Translated),
        [255, 255, 255, 255] => Some(F::Broadcast),
        [first, ..] if first & 0xf0 == 224 => Some(F::Multicast),
        // Protocol assignments, benchmarks, and what was never given out.
        [192, 0, 0, _] | [198, 18 | 19, ..] | [240..=255, ..] => Some(F::Reserved),
        _ => None,
    }
}

fn kind_v6(address: Ipv6Addr) -> Option<Forbidden> {
    use Forbidden as F;
    if METADATA_V6.contains(&address) {
        return Some(F::Metadata);
    }
    let [first, second, third, fourth, fifth, sixth, ..] = address.segments();
    match (first, second) {
        _ if address.is_unspecified() => Some(F::Unspecified),
        _ if address.is_loopback() => Some(F::Loopback),
        (0xff00.., _) => Some(F::Multicast),
        (0xfe80..=0xfebf, _) => Some(F::LinkLocal),
        (0xfc00..=0xfdff | 0xfec0..=0xfeff, _) => Some(F::Private),
        // Mapped (::ffff:0:0/96), translated (::ffff:0:0:0/96) and compatible (::/96) IPv4; NAT64 in both its ranges.
        (0, 0) if third == 0 && fourth == 0 => Some(F::Translated),
        (0x64, 0xff9b) | (0x2002, _) | (0x2001, 0) => Some(F::Translated),
        (0x2001, 0xdb8) | (0x3fff, 0..=0x0fff) => Some(F::Documentation),
        // 2001::/23 holds protocols; outside 2000::/3 nothing is given out for hosts.
        (0x2001, 0..=0x01ff) => Some(F::Reserved),
        _ if first & 0xe000 != 0x2000 => Some(F::Reserved),
        // ISATAP: the last half spells an IPv4 address.
        _ if fifth & !0x0200 == 0 && sixth == 0x5efe => Some(F::Translated),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
