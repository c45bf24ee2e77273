//! Who connects, how often and how slowly.

use super::declare::declare;
use crate::http::Terms;
use anyhow::Context;
use misy_front_desk::ProxyHeader;
use std::time::Duration;

declare! {
    "Connections";
    open trusted_proxies: usize = 0,
        "how many proxies of yours stand in front: so many last entries of proxy_header are believed [0]";
    open proxy_header: String = "x-forwarded-for".into(),
        "where they write who called them: x-forwarded-for or forwarded (RFC 7239) [x-forwarded-for]";
    open streams_per_visitor: u32 = 24,
        "live streams that one visitor may have at a time [24]";
    open streams_per_address: u32 = 2_000,
        "live streams from one address, which many visitors may share [2000]";
    open connections: usize = 50_000,
        "connections at a time, as far as the system allows so many open files [50000]";
    open connections_per_address: usize = 2_500,
        "connections from one address or /64 (a /56 twice, a /48 or /24 four times as many), unless trusted_proxies stand in front [2500]";
    open handshake_timeout_seconds: u64 = 10,
        "the longest a TLS handshake may take [10]";
    open head_timeout_seconds: u64 = 20,
        "the longest the head of a request may take, and a connection be idle [20]";
    open body_timeout_seconds: u64 = 10,
        "the longest the body of a request may take [10]";
    open write_timeout_seconds: u64 = 30,
        "how long a caller may take nothing of an answer that waits for them, before the connection is cut [30]";
}

/// Who connects, how often and how slowly.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    /// Proxies in front.
    pub(crate) trusted_proxies: usize,
    /// Where they write who called them.
    pub(crate) proxy_header: ProxyHeader,
    /// Live streams of one visitor.
    pub(crate) streams_per_visitor: u32,
    /// Live streams of one address.
    pub(crate) streams_per_address: u32,
    /// What connections may take.
    pub(crate) terms: Terms,
    /// The longest the body of a request may take.
    pub(crate) body_timeout: Duration,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Connections> {
    for (name, value) in
        [("connections", written.connections), ("connections_per_address", written.connections_per_address)]
    {
        anyhow::ensure!(value > 0, "{name} must be at least 1");
    }
    let terms = Terms {
        connections: written.connections,
        per_address: (written.trusted_proxies == 0).then_some(written.connections_per_address),
        handshake: seconds("handshake_timeout_seconds", written.handshake_timeout_seconds)?,
        head: seconds("head_timeout_seconds", written.head_timeout_seconds)?,
        write: seconds("write_timeout_seconds", written.write_timeout_seconds)?,
    };
    Ok(Connections {
        trusted_proxies: written.trusted_proxies,
        proxy_header: written.proxy_header.parse().context("proxy_header")?,
        streams_per_visitor: written.streams_per_visitor,
        streams_per_address: written.streams_per_address,
        terms,
        body_timeout: seconds("body_timeout_seconds", written.body_timeout_seconds)?,
    })
}

/// A time after which a connection ends: none is so long that it ends nothing.
fn seconds(name: &str, value: u64) -> anyhow::Result<Duration> {
    anyhow::ensure!((1..=3600).contains(&value), "{name} must be from 1 to 3600");
    Ok(Duration::from_secs(value))
}
