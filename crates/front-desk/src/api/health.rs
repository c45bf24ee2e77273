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
/// What proxies add, besides `X-Forwarded-…`, and browsers.
const NOT_STRAIGHT: [&str; 8] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "origin",
    "sec-fetch-site",
];

/// How the program is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// How the program is.
    status: Condition,
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
    /// How it is.
    status: Condition,
}

misy_domain::words! {
    /// How something is that the program needs.
    pub enum Condition {
        /// It answers.
        Ok = "ok",
        /// It does not answer.
        Unavailable = "unavailable",
    }
}

/// Ask whether the program runs
#[utoipa::path(
    get, path = "/health/live", tag = "operation", operation_id = "readLiveness",
    responses((status = 200, description = "It runs", body = Health)), security(())
)]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: Condition::Ok, parts: Vec::new() })
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
    let text = |good: bool| if good { Condition::Ok } else { Condition::Unavailable };
    let mut parts = vec![PartHealth { name: "postgresql", status: text(database) }];
    if let Some(redis) = &desk.redis {
        // Without it reads go on: the replica is still of use, so that alone does not take it out of service.
        parts.push(PartHealth { name: "redis", status: text(redis.is_up()) });
    }
    let health = Health { status: text(database), parts };
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

fn may_read_metrics(desk: &FrontDesk, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    let Some(expected) = &desk.settings.metrics_token else {
        return comes_straight(headers) && peer.is_some_and(is_near);
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| expected.matches(token))
}

/// A proxy on the same machine makes the whole world look local, and so does a page that somebody near has open: a request
/// of either proves nothing by its address.
fn comes_straight(headers: &HeaderMap) -> bool {
    !headers
        .keys()
        .any(|name| NOT_STRAIGHT.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-"))
}

fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn what_came_through_a_proxy_or_from_a_page_proves_nothing_by_its_address() {
        let of = |name: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("127.0.0.1"))])
        };
        for name in NOT_STRAIGHT.into_iter().chain(["x-forwarded-for", "x-forwarded-host"]) {
            assert!(!comes_straight(&of(name)), "{name}");
        }
        assert!(comes_straight(&of("user-agent")) && comes_straight(&HeaderMap::new()));
    }

    #[test]
    fn near_is_this_machine_and_its_private_network() {
        for (address, near) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.1.2.3", true),
            ("fd00::1", true),
            ("::ffff:192.168.0.1", true),
            ("203.0.113.7", false),
            ("2001:db8::1", false),
            ("169.254.169.254", false),
        ] {
            assert_eq!(is_near(address.parse().unwrap()), near, "{address}");
        }
    }
}
