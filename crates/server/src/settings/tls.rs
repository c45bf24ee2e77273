//! TLS: for everybody, and between the processes of one installation.

use super::declare::{declare, set};
use crate::tls::Files;
use anyhow::{Context, bail};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

declare! {
    "TLS and other processes";
    open tls_certificate: String = String::new(),
        "certificate with its chain, PEM file: the program ends TLS itself [a proxy does]";
    open tls_key: String = String::new(),
        "private key of tls_certificate, PEM file";
    open tls_client_ca: String = String::new(),
        "authorities of client certificates of tenants' servers, PEM file [none are asked for]";
    open tls_client_crl: String = String::new(),
        "revocation lists of those authorities, PEM file [none]";
    open internal_addr: String = String::new(),
        "address for other processes of this installation, with mutual TLS [none]";
    open internal_certificate: String = String::new(),
        "certificate of this process among the others, for server and client, PEM file";
    open internal_key: String = String::new(),
        "private key of internal_certificate, PEM file";
    open internal_ca: String = String::new(),
        "the private authority of all processes of this installation, PEM file";
    open internal_crl: String = String::new(),
        "revocation list of that authority, PEM file [none]";
    open crl_grace_hours: u32 = 24,
        "hours that a revocation list still counts after the next one was due, 0 to 168; then client certificates of its authority are refused [24]";
    open peers: String = String::new(),
        "internal addresses of the other processes, to be told of changes at once: https://host:port, …";
}

/// TLS: for everybody, and between the processes of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// The program ends TLS itself.
    pub(crate) public: Option<Files>,
    /// Where other processes of the installation are listened to.
    pub(crate) internal_addr: Option<SocketAddr>,
    /// What this process proves itself to them with.
    pub(crate) internal: Option<Files>,
    /// The others.
    pub(crate) peers: Vec<hyper::Uri>,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Tls> {
    anyhow::ensure!(written.crl_grace_hours <= 168, "crl_grace_hours must be from 0 to 168");
    let (public, internal) = (tls_files(written)?, internal_files(written)?);
    let internal_addr = set(&written.internal_addr)
        .map(|text| text.parse().context("internal_addr must be an address and a port"))
        .transpose()?;
    let peers = written.peers.split([',', ' ']).filter_map(set).map(peer).collect::<Result<Vec<_>, _>>()?;
    if internal.is_none() && (internal_addr.is_some() || !peers.is_empty()) {
        bail!("internal_addr and peers need internal_certificate, internal_key and internal_ca");
    }
    Ok(Tls { public, internal_addr, internal, peers })
}

fn crl_grace(written: &Written) -> Duration {
    Duration::from_hours(u64::from(written.crl_grace_hours))
}

fn tls_files(written: &Written) -> anyhow::Result<Option<Files>> {
    let file = |text: &String| set(text).map(PathBuf::from);
    match (file(&written.tls_certificate), file(&written.tls_key)) {
        (Some(certificate), Some(key)) => {
            let (authorities, revoked) = (file(&written.tls_client_ca), file(&written.tls_client_crl));
            let grace = crl_grace(written);
            Ok(Some(Files { certificate, key, authorities, revoked, mutual: false, grace }))
        }
        (None, None) if set(&written.tls_client_ca).is_none() => Ok(None),
        _ => bail!("tls_certificate and tls_key go together, and tls_client_ca needs both"),
    }
}

fn internal_files(written: &Written) -> anyhow::Result<Option<Files>> {
    let file = |text: &String| set(text).map(PathBuf::from);
    let all = [&written.internal_certificate, &written.internal_key, &written.internal_ca].map(file);
    match all {
        [Some(certificate), Some(key), Some(authorities)] => {
            let revoked = file(&written.internal_crl);
            let (authorities, grace) = (Some(authorities), crl_grace(written));
            Ok(Some(Files { certificate, key, authorities, revoked, mutual: true, grace }))
        }
        [None, None, None] => Ok(None),
        _ => bail!("internal_certificate, internal_key and internal_ca go together"),
    }
}

/// The internal address of another process.
pub(crate) fn peer(text: &str) -> anyhow::Result<hyper::Uri> {
    let wrong = || format!("peers: {text} must be https://host:port");
    let uri: hyper::Uri = text.parse().with_context(wrong)?;
    let plain = uri.path() == "/" && uri.query().is_none() && uri.port().is_some();
    anyhow::ensure!(uri.scheme() == Some(&hyper::http::uri::Scheme::HTTPS) && plain, wrong());
    Ok(uri)
}
