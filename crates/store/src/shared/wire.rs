//! How Redis is reached: through a Unix socket, TCP, or TLS with certificate and name checked; and how much it may say
//! that nobody asked for.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use std::{
    io,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Bytes that may have come without anybody having taken them. Answers and letters are short.
const MOST_UNREAD: usize = 4 * 1024 * 1024;

/// An address of Redis that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// It is none.
    #[error("is no address of a Redis server, such as rediss://host:6379/0")]
    NoAddress,
    /// The authorities cannot be read.
    #[error("the authorities to trust cannot be read: {0}")]
    Authorities(String),
}

/// Where Redis is, and how to be sure that it is the right one.
#[derive(Clone)]
pub struct Address {
    info: ConnectionInfo,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // There is a password in it.
        f.write_str("Address(..)")
    }
}

impl Address {
    /// Reads an address. With `rediss://` the certificate must name the host and lead to one of the authorities in the PEM
    /// file, or without that to one that the machine trusts.
    pub fn parse(url: &str, authorities: Option<&Path>) -> Result<Self, BadAddress> {
        // A fragment asks the client to check nothing.
        if url.contains('#') {
            return Err(BadAddress::NoAddress);
        }
        let (tls, plain) = match url.strip_prefix("rediss://") {
            Some(rest) => (true, format!("redis://{rest}")),
            None => (false, url.to_owned()),
        };
        let info = plain.into_connection_info().map_err(|_| BadAddress::NoAddress)?;
        let tls = match info.addr() {
            ConnectionAddr::Tcp(host, _) if tls => {
                let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name).map_err(|_| BadAddress::NoAddress)?;
                Some((connector(authorities)?, name))
            }
            ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_) if !tls => None,
            _ => return Err(BadAddress::NoAddress),
        };
        Ok(Self { info, tls })
    }

    /// Whether what is said can be heard and changed on the way to another machine.
    pub fn is_in_the_clear(&self) -> bool {
        let ConnectionAddr::Tcp(host, _) = self.info.addr() else { return false };
        let here =
            host.parse().map_or(host == "localhost", |address: std::net::IpAddr| address.is_loopback());
        self.tls.is_none() && !here
    }

    pub(super) fn settings(&self) -> &RedisConnectionInfo {
        self.info.redis_settings()
    }

    /// A new connection, and the account of what came over it.
    pub(super) async fn reach(&self) -> io::Result<(Wire, Unread)> {
        let stream: Box<dyn Stream> = match self.info.addr() {
            ConnectionAddr::Unix(path) => Box::new(UnixStream::connect(path).await?),
            ConnectionAddr::Tcp(host, port) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let stream = TcpStream::connect((host, *port)).await?;
                stream.set_nodelay(true)?;
                match &self.tls {
                    Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
                    None => Box::new(stream),
                }
            }
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let unread = Unread::default();
        Ok((Wire { stream, unread: unread.clone() }, unread))
    }
}

fn connector(authorities: Option<&Path>) -> Result<TlsConnector, BadAddress> {
    let unreadable = |error: &dyn std::fmt::Display| BadAddress::Authorities(error.to_string());
    let mut roots = RootCertStore::empty();
    if let Some(path) = authorities {
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            roots.add(certificate).map_err(|error| unreadable(&error))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(BadAddress::Authorities("there are none".into()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How many bytes came over a connection that nobody took yet.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicUsize>);

impl Unread {
    /// Somebody took so many.
    pub(super) fn take(&self, bytes: usize) {
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |unread| Some(unread.saturating_sub(bytes)));
    }

    /// Somebody took all that matters.
    pub(super) fn take_all(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A connection that breaks when more comes over it than anybody asked for.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    unread: Unread,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        if self.unread.0.fetch_add(came, Ordering::Relaxed) + came > MOST_UNREAD {
            return Poll::Ready(Err(io::Error::other("Redis says more than it was asked for")));
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_or_asks_for_less_than_a_checked_name_is_refused() {
        for url in [
            "https://redis.example",
            "rediss://redis.example/#insecure",
            "redis://redis.example/#insecure",
            "rediss+unix:///tmp/s",
            "valkeys://redis.example",
            "rediss://",
            "rediss://bad_name..example",
            "",
        ] {
            assert!(matches!(Address::parse(url, None), Err(BadAddress::NoAddress)), "{url}");
        }
        let missing = Address::parse("rediss://redis.example", Some(Path::new("/nowhere.pem")));
        assert!(matches!(missing, Err(BadAddress::Authorities(_))));
    }

    #[test]
    fn only_what_leaves_the_machine_unprotected_is_in_the_clear() {
        for (url, clear) in [
            ("redis://redis.example:6379/0", true),
            ("redis://user:secret@10.0.0.7", true),
            ("redis://localhost", false),
            ("redis://127.0.0.1:6379", false),
            ("redis+unix:///run/redis.sock", false),
        ] {
            assert_eq!(Address::parse(url, None).unwrap().is_in_the_clear(), clear, "{url}");
        }
    }
}
