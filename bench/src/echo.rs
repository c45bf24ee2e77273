//! The yardstick: axum and hyper with the program's own settings, that gives back what it gets.

use axum::{Router, body::Bytes, routing::post};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{io::Write, time::Duration};
use tower::ServiceExt;

/// Prints its address and serves until killed.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let router = Router::new().route("/{*path}", post(async |body: Bytes| body));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let router = router.clone();
        tokio::spawn(async move {
            let service =
                hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    router.clone().oneshot(request.map(axum::body::Body::new))
                });
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(20))
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
