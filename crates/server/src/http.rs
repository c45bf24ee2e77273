//! The listening socket and its connections.

use crate::tls::{Peer, Tls, reason};
use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, info, warn};

/// Where the program listens when nothing else is set.
pub(crate) const DEFAULT_PORT: u16 = 8787;
/// Connections at a time; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 50_000;
/// Request head: lines and names together.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// From the first byte of a request to the end of its head, and between two requests of a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// From the connection to the end of its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request that is under way may go on after the client certificate of its connection counts no more.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long requests that are under way may go on after the program was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

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
/// before its TLS handshake, and none waits for the handshake of another.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
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
        let _ = stream.set_nodelay(true);
        let caller = Caller { peer, certificate: None };
        let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
        connections.spawn(async move {
            match tls {
                None => converse(stream, router, caller, stop).await,
                Some(tls) => secure(stream, &tls, router, caller, stop).await,
            }
            drop(place);
        });
    }
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
        warn!(open = connections.len(), "connections did not end in time");
    }
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Caller {
    peer: SocketAddr,
    certificate: Option<Arc<Peer>>,
}

/// The TLS handshake, then the conversation.
async fn secure(
    stream: TcpStream,
    tls: &Arc<Tls>,
    router: Router,
    mut caller: Caller,
    stop: CancellationToken,
) {
    let handshake = TlsAcceptor::from(tls.now().server.clone()).accept(stream);
    let outcome = tokio::select! {
        () = stop.cancelled() => return,
        outcome = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake) => outcome,
    };
    match outcome {
        Ok(Ok(stream)) => match Peer::of(tls, stream.get_ref().1.peer_certificates()) {
            Ok(None) => converse(stream, router, caller, stop).await,
            Ok(Some(peer)) => {
                caller.certificate = Some(peer.clone());
                let (peer_address, over) = (caller.peer, stop.child_token());
                let mut conversation = pin!(converse(stream, router, caller, over.clone()));
                let refused = tokio::select! {
                    () = &mut conversation => return,
                    refused = peer.refused() => refused,
                };
                info!(reason = refused.reason, peer = %peer_address, "a connection ends with its client certificate");
                over.cancel();
                let _ = tokio::time::timeout(LAST_WORDS, conversation).await;
            }
            // The handshake has read it already.
            Err(error) => warn!(%error, peer = %caller.peer, "a client certificate cannot be read"),
        },
        Ok(Err(error)) => {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
            let reason = cause.map_or("broken_off", reason);
            metrics::counter!("tls_handshakes_failed_total", "reason" => reason).increment(1);
            match reason {
                "refused" | "broken_off" => debug!(%error, peer = %caller.peer, "no TLS with this one"),
                _ => info!(reason, peer = %caller.peer, "a client certificate is refused"),
            }
        }
        Err(_) => {
            metrics::counter!("tls_handshakes_failed_total", "reason" => "timeout").increment(1);
            debug!(peer = %caller.peer, "a TLS handshake took too long");
        }
    }
}

/// Requests and responses of one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    caller: Caller,
    stop: CancellationToken,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(caller.peer));
        match caller.certificate.as_ref().map(|peer| peer.judge()) {
            Some(Ok(certificate)) => {
                request.extensions_mut().insert(certificate);
            }
            Some(Err(refused)) => {
                request.extensions_mut().insert(refused);
            }
            None => {}
        }
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        debug!(%error, "connection ended early");
    }
}
