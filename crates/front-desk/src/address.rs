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
            Self::WrongKeys => "wrong-keys",
        }
    }

    fn quota(self, desk: &FrontDesk) -> Quota {
        let limits = &desk.settings.limits;
        match self {
            Self::Tokens | Self::SignIns => limits.tokens_per_address,
            Self::Registrations => limits.registrations_per_address,
            Self::UnknownOrigins => limits.unknown_origins_per_address,
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
fn entry_of_proxies(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    let name = settings.proxy_header.name();
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let entries: Vec<&str> = values.flat_map(|value| split_outside_quotes(value, ',')).collect();
    let entry = entries[entries.len().checked_sub(settings.trusted_proxies)?];
    match settings.proxy_header {
        ProxyHeader::XForwardedFor => Some(entry.to_owned()),
        ProxyHeader::Forwarded => {
            let mut pairs = split_outside_quotes(entry, ';').filter_map(|pair| pair.split_once('='));
            let told = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
            Some(told.map_or_else(String::new, |(_, value)| value.to_owned()))
        }
    }
}

/// The pieces of a header's value; a separator within quotes separates nothing.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
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

    const PEER: &str = "10.0.0.9";

    fn seen(proxies: usize, header: ProxyHeader, lines: &[(&str, &str)]) -> String {
        let mut settings = Settings::new("https://api.example", "colombiatic".parse().unwrap());
        (settings.trusted_proxies, settings.proxy_header) = (proxies, header);
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(PEER.parse().unwrap(), 1)));
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        address_of(&settings, &extensions, &headers).unwrap().to_string()
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
}
