//! For whoever runs the installation: `/health/live`, `/health/ready`, `/metrics`.

use crate::{desk::FrontDesk, problem::Problem};
use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use utoipa::ToSchema;

const PATIENCE: Duration = Duration::from_secs(2);

/// How the program is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Each part that was looked at.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    parts: Vec<PartHealth>,
}

/// How a part is.
#[derive(Serialize, ToSchema)]
pub struct PartHealth {
    /// Which.
    #[schema(example = "postgresql")]
    name: &'static str,
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Ask whether the program runs
#[utoipa::path(
    get, path = "/health/live", tag = "operation", operation_id = "readLiveness",
    responses((status = 200, description = "It runs", body = Health)), security(())
)]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "ok", parts: Vec::new() })
}

/// Ask whether the program can serve
#[utoipa::path(
    get, path = "/health/ready", tag = "operation", operation_id = "readReadiness",
    responses((status = 200, description = "It can", body = Health), (status = 503, description = "It cannot, and which part", body = Health)),
    security(())
)]
pub(crate) async fn ready(State(desk): State<FrontDesk>) -> Response {
    let answered = tokio::time::timeout(PATIENCE, desk.database.ping()).await;
    let database = matches!(answered, Ok(Ok(()))) && !desk.stopping.is_cancelled();
    let text = |good: bool| if good { "ok" } else { "unavailable" };
    let health = Health {
        status: text(database),
        parts: vec![PartHealth { name: "postgresql", status: text(database) }],
    };
    let status = if database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

/// Read metrics
///
/// In the text format of Prometheus. Answers to loopback and private addresses that speak to the program directly, and to
/// whoever has the operator's metrics token; everybody else is told that there is nothing here.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "readMetrics",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")),
    security((), ("metricsToken" = []))
)]
pub(crate) async fn metrics(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if !may_read_metrics(&desk, peer, request.headers()) {
        return Err(Problem::not_found());
    }
    let handle = desk.metrics.as_ref().ok_or_else(Problem::not_found)?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], handle.render()).into_response())
}

/// A proxy on the same machine makes the whole world look local, so a request that came through one proves nothing by its
/// address; and where there is a token, only the token counts.
fn may_read_metrics(desk: &FrontDesk, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    if let Some(expected) = &desk.settings.metrics_token {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        return given
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|token| expected.matches(token));
    }
    let proxied =
        ["x-forwarded-for", "forwarded", "x-real-ip", "via"].iter().any(|name| headers.contains_key(*name));
    !proxied && peer.is_some_and(is_near)
}

fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}
