//! Web origins, compared byte for byte in their one canonical form (RFC 6454).

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// An origin such as `https://andina.example` or `http://localhost:8788`: scheme, host and, if it is not the scheme's
/// own, port. Anything a browser would not send as an `Origin` header byte for byte is not an origin: upper case, a
/// trailing dot or slash, user names, default ports, wildcards, Unicode, `null`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(Arc<str>);

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an origin such as https://shop.example: lower case, without path, trailing slash or default port; http only for localhost and loopback addresses"
)]
pub struct InvalidOrigin;

impl Origin {
    /// The origin as a browser writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin of a web address, whose path, query and fragment are dropped.
    pub fn of_url(url: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidOrigin)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        let mut authority = authority.to_ascii_lowercase();
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        if let Some(host) = authority.strip_suffix(default_port) {
            authority = host.to_owned();
        }
        format!("{scheme}://{authority}").parse()
    }
}

fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        // Browsers write an IPv4 address inside of one in hexadecimal digits; nobody needs it to name a site.
        let address = v6.parse::<std::net::Ipv6Addr>();
        return address.is_ok_and(|address| address.to_string() == v6 && address.to_ipv4_mapped().is_none());
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !(host.len() <= 253 && host.split('.').all(label)) {
        return false;
    }
    // What ends in digits is an IPv4 address to a browser, and only the four plain numbers are canonical.
    let last = host.rsplit('.').next().unwrap_or_default();
    !last.bytes().all(|b| b.is_ascii_digit()) || host.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_loopback(host: &str) -> bool {
    let v6 = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|a| a.is_loopback())
        || v6.parse::<std::net::Ipv6Addr>().is_ok_and(|a| a.is_loopback())
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let port_at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match port_at {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        };
        let port_fits = port.is_none_or(|port| {
            port.parse::<u16>().is_ok_and(|number| {
                let default = if scheme == "https" { 443 } else { 80 };
                number != 0 && number != default && number.to_string() == port
            })
        });
        let scheme_fits = scheme == "https" || (scheme == "http" && is_loopback(host));
        if scheme_fits && port_fits && is_host(host) { Ok(Self(text.into())) } else { Err(InvalidOrigin) }
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;
    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0.as_ref().into()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_origins_are_read() {
        for text in [
            "https://andina.example",
            "https://a.b-c.example:8443",
            "http://localhost:3000",
            "http://127.0.0.1:8788",
            "http://[::1]:8080",
            "https://xn--clnica-9va.example",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_a_browser_would_not_send_is_refused() {
        for text in [
            "null",
            "",
            "*",
            "https://",
            "https://*.example",
            "https://Andina.example",
            "HTTPS://andina.example",
            "https://andina.example/",
            "https://andina.example.",
            "https://andina.example:443",
            "https://andina.example:0443",
            "https://andina.example:",
            "https://andina.example:0",
            "https://andina.example:99999",
            "https://u@andina.example",
            "https://andina.example?x",
            "https://andina..example",
            "https://clínica.example",
            "http://andina.example",
            "ftp://andina.example",
            "https://andina.example#",
            "https://-a.example",
            "https://127.1",
            "https://1.2.3.4.5",
            "http://localhost.evil.example",
            "https://a b.example",
            "https://andina.example\n",
            "https://[::0:1]",
            "https://[::ffff:127.0.0.1]",
            "https://[::ffff:7f00:1]",
            "https://[::1",
            "file://",
            "chrome-extension://abc",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text:?}");
        }
    }

    #[test]
    fn the_origin_of_an_address_drops_everything_else() {
        assert_eq!(
            Origin::of_url("https://Shop.Example:443/a?b#c").unwrap().as_str(),
            "https://shop.example"
        );
        assert_eq!(Origin::of_url("https://user:pw@shop.example/"), Err(InvalidOrigin));
    }
}
