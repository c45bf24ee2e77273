//! Where the program listens, and how browsers reach it.

use super::declare::{declare, set};
use anyhow::Context;
use misy_domain::Origin;
use std::net::SocketAddr;

declare! {
    "Address";
    open http_addr: String = String::new(),
        "address to listen on [127.0.0.1:8787; if that is taken and nothing is set, a free port]";
    open public_url: String = String::new(),
        "how browsers reach this installation, such as https://api.example.com [http://<http_addr>]";
}

/// Where the program listens, and how browsers reach it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Where to listen; `None`: the default address or, when it is taken, a free port.
    pub(crate) http: Option<SocketAddr>,
    /// Set when the operator said how browsers reach the installation.
    pub(crate) public_url: Option<Origin>,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Address> {
    let http = set(&written.http_addr)
        .map(|text| text.parse().context("http_addr must be an address and a port, such as 127.0.0.1:8787"))
        .transpose()?;
    let public_url = set(&written.public_url)
        .map(|text| text.trim_end_matches('/').parse::<Origin>().context("public_url"))
        .transpose()?;
    Ok(Address { http, public_url })
}
