//! The listening socket and its connections.

use crate::tls::{Tls, peer_certificate};
use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use misy_trust::ClientCertificate;
use std::{
    net::{Ipv4Addr, SocketAddr},
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
use tracing::{debug, warn};

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
    certificate: Option<Arc<ClientCertificate>>,
}

/// The TLS handshake, then the conversation.
async fn secure(stream: TcpStream, tls: &Tls, router: Router, mut caller: Caller, stop: CancellationToken) {
    let handshake = TlsAcceptor::from(tls.now().server.clone()).accept(stream);
    let outcome = tokio::select! {
        () = stop.cancelled() => return,
        outcome = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake) => outcome,
    };
    match outcome {
        Ok(Ok(stream)) => {
            let connection = stream.get_ref().1;
            let shown = connection.peer_certificates();
            caller.certificate = peer_certificate(shown);
            if shown.is_some() && caller.certificate.is_none() {
                debug!(peer = %caller.peer, "a client certificate cannot be read");
                return;
            }
            converse(stream, router, caller, stop).await;
        }
        Ok(Err(error)) => {
            metrics::counter!("tls_handshakes_failed_total", "reason" => "refused").increment(1);
            debug!(%error, peer = %caller.peer, "no TLS with this one");
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
        if let Some(certificate) = &caller.certificate {
            request.extensions_mut().insert(certificate.clone());
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
    let mut connection = std::pin::pin!(connection);
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
