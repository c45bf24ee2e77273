//! Where requests come from, and the coarse guard that keeps floods from one place away from costly work.

use crate::{
    desk::FrontDesk,
    problem::Problem,
    record::CallRecord,
    settings::{ProxyHeader, Settings},
};
use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};
use misy_domain::limit::Quota;
use misy_store::limits::Decision;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Once},
};

/// What is counted per address; each has its own count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Tokens that are asked for.
    Tokens,
    /// Registrations.
    Registrations,
    /// Sign-ins that begin or end without a password: passkeys, providers.
    SignIns,
    /// Origins that turn out to be nobody's.
    UnknownOrigins,
    /// Links to files.
    Links,
    /// Keys, tokens and links that turn out to be nobody's.
    WrongKeys,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Registrations => "registrations",
            Self::SignIns => "sign-ins",
            Self::UnknownOrigins => "unknown-origins",
            Self::Links => "links",
            Self::WrongKeys => "wrong-keys",
        }
    }

    fn quota(self, desk: &FrontDesk) -> Quota {
        let limits = &desk.settings.limits;
        match self {
            Self::Tokens | Self::SignIns => limits.tokens_per_address,
            Self::Registrations => limits.registrations_per_address,
            Self::UnknownOrigins => limits.unknown_origins_per_address,
            Self::Links => limits.links_per_address,
            Self::WrongKeys => limits.wrong_keys_per_address,
        }
    }
}

/// The address of whoever calls: the peer's, or what the operator's own proxies say. What a proxy says and nobody can read
/// is counted under the proxy's own address, and told in the log: all that come through it would share one count.
pub(crate) fn address_of(
    settings: &Settings,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    static TOLD: Once = Once::new();
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if settings.trusted_proxies == 0 {
        return peer;
    }
    let Some(told) = entry_of_proxies(settings, headers) else { return peer };
    let address = read_entry(&told);
    if address.is_none() {
        metrics::counter!("misy_forwarded_addresses_unreadable_total").increment(1);
        TOLD.call_once(|| {
            let entry: String = told.chars().take(60).collect();
            tracing::warn!(
                header = %settings.proxy_header,
                entry,
                "a trusted proxy tells an address in a form that is not known: its callers share the proxy's own limits"
            );
        });
    }
    address.or(peer)
}

/// What the first of the operator's proxies wrote about who called it; `None` when there are fewer entries than proxies.
///
/// The proxies write at the end, so it is read from the end and no further than their own entries. Whatever a caller wrote
/// stands before them: an open quote, bytes that are no text, any number of entries. None of it is looked at.
fn entry_of_proxies(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(settings.proxy_header.name()).iter().rev();
    let mut entries = lines.flat_map(|line| split_from_the_end(line.as_bytes(), b',', settings.proxy_header));
    let entry = entries.nth(settings.trusted_proxies.checked_sub(1)?)?;
    let read = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    match settings.proxy_header {
        ProxyHeader::XForwardedFor => Some(read(entry)),
        ProxyHeader::Forwarded => {
            let pairs = split_from_the_end(entry, b';', settings.proxy_header).map(read);
            let mut told = pairs.filter_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then(|| value.to_owned())
            });
            Some(told.next().unwrap_or_default())
        }
    }
}

/// The pieces of a header's value from the last to the first. Where a header has quotes (RFC 7239), a separator within them
/// separates nothing; a quote that a backslash escapes is none.
fn split_from_the_end(text: &[u8], separator: u8, header: ProxyHeader) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let at = text.iter().enumerate().rev().find_map(|(at, byte)| {
            let escaped = || text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
            quoted ^= header == ProxyHeader::Forwarded && *byte == b'"' && !escaped();
            (*byte == separator && !quoted).then_some(at)
        });
        rest = at.map(|at| &text[..at]);
        Some(at.map_or(text, |at| &text[at + 1..]))
    })
}

/// An address as proxies write it: alone, with a port (Azure's gateways), in brackets, in quotes (RFC 7239).
fn read_entry(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let entry = entry.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(entry).trim();
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = entry.parse::<SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let bracketed = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    Some(bracketed?.parse::<IpAddr>().ok()?.to_canonical())
}

/// Counts one more; a refusal when it is too many.
pub(crate) fn guard(desk: &FrontDesk, extensions: &Extensions, purpose: Purpose) -> Result<(), Problem> {
    let address = extensions.get::<Arc<CallRecord>>().and_then(|record| record.address);
    count(desk, address, purpose)
}

/// The same, by the address.
pub(crate) fn count(desk: &FrontDesk, address: Option<IpAddr>, purpose: Purpose) -> Result<(), Problem> {
    let Some(address) = address else { return Ok(()) };
    let now = desk.clock.now();
    match desk.limits.check_address(purpose.name(), address, purpose.quota(desk), now) {
        Decision::Limited { retry_after, .. } => Err(Problem::rate_limited(retry_after)),
        _ => Ok(()),
    }
}

/// Whether an address has used up what it may; counts nothing.
pub(crate) fn is_spent(desk: &FrontDesk, address: Option<IpAddr>, purpose: Purpose) -> bool {
    let quota = purpose.quota(desk);
    address
        .is_some_and(|address| desk.limits.address_is_spent(purpose.name(), address, quota, desk.clock.now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    const PEER: &str = "10.0.0.9";

    fn seen_in(proxies: usize, header: ProxyHeader, headers: &HeaderMap) -> String {
        let mut settings = Settings::new("https://api.example", "colombiatic".parse().unwrap());
        (settings.trusted_proxies, settings.proxy_header) = (proxies, header);
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(PEER.parse().unwrap(), 1)));
        address_of(&settings, &extensions, headers).unwrap().to_string()
    }

    fn seen(proxies: usize, header: ProxyHeader, lines: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        seen_in(proxies, header, &headers)
    }

    #[test]
    fn every_form_that_proxies_write_tells_the_address() {
        for (entry, address) in [
            ("198.51.100.7", "198.51.100.7"),
            ("198.51.100.7:51234", "198.51.100.7"),
            (" 198.51.100.7 ", "198.51.100.7"),
            ("\"198.51.100.7:51234\"", "198.51.100.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("[::ffff:198.51.100.7]:443", "198.51.100.7"),
            // Nothing that could be read as somebody.
            ("", PEER),
            ("unknown", PEER),
            ("_hidden", PEER),
            ("198.51.100.7:", PEER),
            ("198.51.100.7:99999", PEER),
            ("198.51.100", PEER),
            ("198.51.100.07", PEER),
            ("[198.51.100.7", PEER),
            ("[2001:db8::1]x", PEER),
            ("\"198.51.100.7", PEER),
            ("api.example:443", PEER),
        ] {
            let line = format!("203.0.113.1, {entry}");
            assert_eq!(
                seen(1, ProxyHeader::XForwardedFor, &[("x-forwarded-for", &line)]),
                address,
                "{entry:?}"
            );
            let line = format!("for=203.0.113.1, proto=https;For={entry};by=10.0.0.1");
            assert_eq!(seen(1, ProxyHeader::Forwarded, &[("forwarded", &line)]), address, "{entry:?}");
        }
    }

    #[test]
    fn only_what_the_trusted_proxies_wrote_counts_and_only_in_the_header_that_the_operator_names() {
        let lines = [("x-forwarded-for", "192.0.2.1, 192.0.2.2"), ("x-forwarded-for", "192.0.2.3:80")];
        for (proxies, address) in [(0, PEER), (1, "192.0.2.3"), (2, "192.0.2.2"), (3, "192.0.2.1"), (4, PEER)]
        {
            assert_eq!(seen(proxies, ProxyHeader::XForwardedFor, &lines), address);
            assert_eq!(seen(proxies, ProxyHeader::Forwarded, &lines), PEER);
        }
        let lines =
            [("forwarded", "for=192.0.2.1;by=\"a,b;for=9.9.9.9\", for=\"[2001:db8::2]:1\";proto=http")];
        for (proxies, address) in [(0, PEER), (1, "2001:db8::2"), (2, "192.0.2.1"), (3, PEER)] {
            assert_eq!(seen(proxies, ProxyHeader::Forwarded, &lines), address);
            assert_eq!(seen(proxies, ProxyHeader::XForwardedFor, &lines), PEER);
        }
        assert_eq!(seen(1, ProxyHeader::Forwarded, &[("forwarded", "proto=http")]), PEER);
    }

    /// What a caller may write before the proxies' own entries: anything that a header can hold.
    fn forged() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop_oneof![
            Just(b"for=198.51.100.1;by=\"".to_vec()),
            Just(b"\"".to_vec()),
            Just(b"\\".to_vec()),
            Just(b", ".to_vec()),
            Just(b"198.51.100.2".to_vec()),
            proptest::collection::vec(prop_oneof![Just(b'\t'), 0x20..0x7f_u8, 0x80..=0xff_u8], 0..20),
        ];
        proptest::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Whatever a caller sends of its own, in the same line or in lines before it, the answer is what the proxies wrote.
        #[test]
        fn nothing_that_a_caller_writes_changes_who_it_is(
            lines in proptest::collection::vec(forged(), 0..3),
            same_line in proptest::option::of(forged()),
            proxies in 1..4_usize,
            forwarded in any::<bool>(),
        ) {
            let header = if forwarded { ProxyHeader::Forwarded } else { ProxyHeader::XForwardedFor };
            let entry = |number: usize| {
                if forwarded {
                    format!("by=\"_a,b\\\",;for=9.9.9.9\";For=\"[2001:db8::{number}]:443\";proto=https")
                } else {
                    format!("2001:db8::{number}")
                }
            };
            let own = (1..=proxies).map(entry).collect::<Vec<_>>().join(", ");
            let mut last = same_line.map(|forged| [&forged[..], b", "].concat()).unwrap_or_default();
            last.extend_from_slice(own.as_bytes());
            let mut headers = HeaderMap::new();
            for line in lines.iter().chain([&last]) {
                let value = HeaderValue::from_bytes(line).unwrap();
                headers.append(header.name(), value);
            }
            prop_assert_eq!(seen_in(proxies, header, &headers), "2001:db8::1");
        }
    }
}
