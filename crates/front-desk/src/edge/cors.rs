//! Cross-origin requests (Fetch standard, CORS protocol): only origins of sites are ever allowed, each by its own name.

use crate::{
    address::{Purpose, count, is_spent},
    desk::FrontDesk,
    record::CallRecord,
};
use axum::{extract::Request, response::IntoResponse, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use misy_domain::Origin;
use std::net::IpAddr;

const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, x-api-key, x-misy-key, x-misy-timestamp, x-misy-nonce, x-misy-signature, last-event-id, \
     idempotency-key, if-match",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("ratelimit, ratelimit-policy, retry-after, etag, x-request-id");
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// Whether this asks what a later request may do.
pub(super) fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a preflight. It carries no token, so all that can be asked is whether some site has this origin.
pub(super) async fn preflight(desk: &FrontDesk, asked: &HeaderMap, address: Option<IpAddr>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, VARY_PREFLIGHT);
    let mut origins = asked.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else { return response };
    if !is_known(desk, origin, address).await {
        return response;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if asked.contains_key(REQUEST_PRIVATE_NETWORK) {
        headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    response
}

/// Lets a page of a known origin read the response, refusals included.
pub(super) async fn allow(
    desk: &FrontDesk,
    record: &CallRecord,
    origin: &HeaderValue,
    response: &mut Response,
) {
    // What is everybody's says so itself.
    if response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    let known = record.facts().origin_is_known;
    if known || is_known(desk, origin, record.address).await {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
}

/// Whether some site has this origin. Whoever asked for too many that no site has is not worth a look into the database any
/// more, unless it is about one that was known lately: others may sit behind the same address.
async fn is_known(desk: &FrontDesk, origin: &HeaderValue, address: Option<IpAddr>) -> bool {
    let Some(origin) = origin.to_str().ok().and_then(|text| text.parse::<Origin>().ok()) else {
        return false;
    };
    let known = match desk.origins.seen(&origin) {
        Some(known) => known,
        None if is_spent(desk, address, Purpose::UnknownOrigins) && !desk.origins.was_known(&origin) => {
            return false;
        }
        None => desk.origins.contain(&origin).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "origins cannot be looked up");
            false
        }),
    };
    if !known {
        // Whether it is too many is asked before the next look.
        let _ = count(desk, address, Purpose::UnknownOrigins);
    }
    known
}
