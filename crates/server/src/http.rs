//! The listening socket and its connections.

mod paced;
mod places;

use crate::tls::{Peer, Tls, reason};
use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use misy_front_desk::Connection;
use paced::Paced;
use places::{Full, Places};
use socket2::SockRef;
use std::{
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, info, warn};

/// Where the program listens when nothing else is set.
pub(crate) const DEFAULT_PORT: u16 = 8787;
/// Request head: lines and names together.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// How long a request that is under way may go on after the client certificate of its connection counts no more.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long requests that are under way may go on after the program was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Files and sockets of the program itself: the database, Redis, calls to others, the private server's lock.
const OWN_FILES: usize = 256;

/// What connections may take.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Connections at a time.
    pub(crate) connections: usize,
    /// Those of one address; `None` where proxies stand in front.
    pub(crate) per_address: Option<usize>,
    /// From the first byte of a request to the end of its head, and between two requests of a connection.
    pub(crate) head: Duration,
    /// How long the peer may take for the next bytes of an answer.
    pub(crate) write: Duration,
    /// From the connection to the end of its TLS handshake.
    pub(crate) handshake: Duration,
}

impl Default for Terms {
    /// For an address that few come to.
    fn default() -> Self {
        Self {
            connections: 1_000,
            per_address: None,
            head: Duration::from_secs(20),
            write: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
        }
    }
}

/// Listens on the address that is set or, when none is, on the default one or else on any free port.
pub(crate) async fn listen(address: Option<SocketAddr>, port: u16) -> anyhow::Result<TcpListener> {
    use anyhow::Context;
    if let Some(address) = address {
        return TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"));
    }
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            warn!(taken = port, using = listener.local_addr()?.port(), "the usual port is taken");
            Ok(listener)
        }
        Err(error) => Err(error.into()),
    }
}

/// Serves until told to stop, then lets requests under way finish. A connection counts from the moment it is accepted,
/// before its TLS handshake, and none waits for the handshake of another. One too many is closed without a word: that costs
/// nothing, and leaves no queue in which others would wait behind it.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    terms: Terms,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let all = within_open_files(terms.connections);
    let places =
        Places::new(all, terms.per_address.map(|share| in_proportion(share, all, terms.connections)));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors or an aborted connection: the listener itself is well.
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = Connection::default();
        let place = match places.enter(peer.ip(), &connection) {
            Ok(place) => place,
            Err(full) => {
                refuse(&stream, peer, full);
                continue;
            }
        };
        let mut terms = terms.clone();
        if place.crowded {
            terms.head /= 4;
        }
        let caller = Caller { peer, certificate: None, connection };
        let stream = Paced::new(stream, caller.connection.clone(), terms.write);
        let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
        connections.spawn(async move {
            match tls {
                None => converse(stream, router, caller, &terms, stop).await,
                Some(tls) => secure(stream, &tls, router, caller, &terms, stop).await,
            }
            drop(place);
        });
    }
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
        warn!(open = connections.len(), "connections did not end in time");
    }
}

/// So many connections, or as many as the system allows files to be open besides those of the program itself. The limit is
/// raised as far as it may be.
fn within_open_files(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let most = if raised.is_ok() { maximum } else { current };
    let Some(most) = most else { return wanted };
    let most = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(OWN_FILES).max(OWN_FILES);
    if most < wanted {
        warn!(wanted, most, "fewer connections than set: the system allows no more open files");
    }
    wanted.min(most)
}

/// A share of all connections when there are fewer than were set: never more of them than it was to be.
fn in_proportion(share: usize, all: usize, wanted: usize) -> usize {
    let part = share as u128 * all as u128 / wanted.max(1) as u128;
    usize::try_from(part).unwrap_or(usize::MAX).max(1)
}

/// Closes a connection that is one too many, with nothing left of it in the kernel.
fn refuse(stream: &TcpStream, peer: SocketAddr, full: Full) {
    metrics::counter!("misy_connections_refused_total", "reason" => full.as_str()).increment(1);
    debug!(%peer, reason = full.as_str(), "no place for a connection");
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Caller {
    peer: SocketAddr,
    certificate: Option<Arc<Peer>>,
    connection: Connection,
}

/// The TLS handshake, then the conversation.
async fn secure(
    stream: Paced,
    tls: &Arc<Tls>,
    router: Router,
    mut caller: Caller,
    terms: &Terms,
    stop: CancellationToken,
) {
    let handshake = TlsAcceptor::from(tls.now().server.clone()).accept(stream);
    let outcome = tokio::select! {
        () = stop.cancelled() => return,
        () = caller.connection.until_cut() => return,
        outcome = tokio::time::timeout(terms.handshake, handshake) => outcome,
    };
    match outcome {
        Ok(Ok(stream)) => match Peer::of(tls, stream.get_ref().1.peer_certificates()) {
            Ok(None) => converse(stream, router, caller, terms, stop).await,
            Ok(Some(peer)) => {
                caller.certificate = Some(peer.clone());
                let (peer_address, over) = (caller.peer, stop.child_token());
                let connection = caller.connection.clone();
                let mut conversation = pin!(converse(stream, router, caller, terms, over.clone()));
                let refused = tokio::select! {
                    () = &mut conversation => return,
                    refused = peer.refused() => refused,
                };
                info!(reason = refused.reason, peer = %peer_address, "a connection ends with its client certificate");
                over.cancel();
                if tokio::time::timeout(LAST_WORDS, &mut conversation).await.is_err() {
                    // With what the kernel still holds for a peer that takes nothing.
                    connection.cut();
                }
            }
            // The handshake has read it already.
            Err(error) => warn!(%error, peer = %caller.peer, "a client certificate cannot be read"),
        },
        Ok(Err(error)) => {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
            let reason = cause.map_or("broken_off", reason);
            metrics::counter!("misy_tls_handshakes_failed_total", "reason" => reason).increment(1);
            match reason {
                "refused" | "broken_off" => debug!(%error, peer = %caller.peer, "no TLS with this one"),
                _ => info!(reason, peer = %caller.peer, "a client certificate is refused"),
            }
        }
        Err(_) => {
            metrics::counter!("misy_tls_handshakes_failed_total", "reason" => "timeout").increment(1);
            debug!(peer = %caller.peer, "a TLS handshake took too long");
        }
    }
}

/// Requests and responses of one connection, until they are over or somebody cuts it.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    caller: Caller,
    terms: &Terms,
    stop: CancellationToken,
) {
    let handle = caller.connection.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(caller.peer));
        extensions.insert(caller.connection.clone());
        match caller.certificate.as_ref().map(|peer| peer.judge()) {
            Some(Ok(certificate)) => {
                extensions.insert(certificate);
            }
            Some(Err(refused)) => {
                extensions.insert(refused);
            }
            None => {}
        }
        let under_way = caller.connection.begin();
        let answer = router.clone().oneshot(request.map(axum::body::Body::new));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(terms.head)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    debug!(%error, "connection ended early");
                }
                return;
            }
            () = handle.until_cut() => {
                metrics::counter!("misy_connections_cut_total", "reason" => "ended").increment(1);
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_shrinks_with_what_it_is_a_share_of() {
        assert_eq!(in_proportion(2_500, 50_000, 50_000), 2_500);
        assert_eq!(in_proportion(2_500, 768, 50_000), 38);
        assert_eq!(in_proportion(2_500, 1, 50_000), 1);
        assert_eq!(in_proportion(5, 10, 0), 50);
    }
}
