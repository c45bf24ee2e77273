//! Size and syntax: a request that was read whole and is written as HTTP should be.

use crate::{
    bodies::Weight,
    desk::FrontDesk,
    problem::{Code, Problem},
    record::CallRecord,
};
use axum::{
    body::Body,
    extract::{FromRequestParts, RawPathParams, Request},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, request::Parts};
use http_body_util::BodyExt;
use misy_domain::TenantId;
use misy_trust::ClientCertificate;
use serde::de::DeserializeOwned;
use std::{net::IpAddr, str::FromStr, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Headers that decide about trust. If one stood there twice, two readers could each believe another.
const ONCE: [HeaderName; 17] = [
    header::AUTHORIZATION,
    header::ORIGIN,
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("x-misy-csrf"),
    HeaderName::from_static("x-misy-key"),
    HeaderName::from_static("x-misy-timestamp"),
    HeaderName::from_static("x-misy-nonce"),
    HeaderName::from_static("x-misy-reason"),
    HeaderName::from_static("x-misy-signature"),
    HeaderName::from_static("x-hub-signature-256"),
];
/// All header names and values together.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_TARGET_BYTES: usize = 8 * 1024;
/// A body that is read before anything is proved.
const SMALL: usize = 16 * 1024;

/// A request of which all but the body was read.
pub(crate) struct Head {
    parts: Parts,
    body: Body,
    record: Arc<CallRecord>,
    params: Option<RawPathParams>,
    has_body: bool,
    /// Whose token it comes with, if that was asked before the body is read.
    tenant: Option<TenantId>,
}

/// What tells who sends a request, whatever its body is.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'h> {
    pub(super) headers: &'h HeaderMap,
    /// The client certificate of the connection, which its TLS handshake has verified.
    pub(super) certificate: Option<&'h Arc<ClientCertificate>>,
    pub(super) record: &'h CallRecord,
}

/// A request that was read whole.
pub struct Received {
    /// All but the body.
    pub parts: Parts,
    /// The body as it came.
    pub body: Bytes,
    /// What is known of the call.
    pub record: Arc<CallRecord>,
    params: Option<RawPathParams>,
    /// What the body takes in memory.
    _weight: Weight,
}

impl Head {
    /// Looks at everything but the body, which may have at most so many bytes.
    pub(crate) async fn of(request: Request, limit: usize) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        check_headers(&parts)?;
        let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
        let record = parts.extensions.remove::<Arc<CallRecord>>().ok_or_else(Problem::internal)?;
        let has_body = parts.headers.contains_key(header::TRANSFER_ENCODING)
            || parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
        if has_body {
            check_body_headers(&parts, limit)?;
        }
        Ok(Self { parts, body, record, params, has_body, tenant: None })
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// A part of the path as a value. What cannot be one names nothing.
    pub(crate) fn param<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        param(self.params.as_ref(), name)
    }

    /// The query as it came.
    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// What is known of the call.
    pub(crate) fn record(&self) -> &Arc<CallRecord> {
        &self.record
    }

    /// What tells who sends it.
    pub(crate) fn shown(&self) -> Shown<'_> {
        let Parts { headers, extensions, .. } = &self.parts;
        Shown { headers, certificate: extensions.get(), record: &self.record }
    }

    /// Lets the body count as this tenant's.
    pub(crate) fn count_for(&mut self, tenant: TenantId) {
        self.tenant = Some(tenant);
    }

    /// Where it comes from.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.record.address
    }

    /// Whether the body may be larger than what everybody may send.
    pub(crate) fn is_large(&self) -> bool {
        let length = self.parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let length = length.and_then(|length| length.parse::<usize>().ok());
        self.has_body && length.is_none_or(|length| length > SMALL)
    }

    /// Reads the body.
    pub(crate) async fn read(self, desk: &FrontDesk, limit: usize) -> Result<Received, Problem> {
        self.read_within(desk, limit, desk.settings.body_timeout).await
    }

    /// Reads the body, which may take so long to arrive.
    pub(crate) async fn read_within(
        self,
        desk: &FrontDesk,
        limit: usize,
        longest: Duration,
    ) -> Result<Received, Problem> {
        let Self { parts, body, record, params, has_body, tenant } = self;
        let mut weight = desk.bodies.begin(record.address, tenant);
        let body = if has_body {
            let whole = collect(body, limit, &mut weight);
            let late = || {
                let detail = "The body took too long to arrive.";
                Problem::new(StatusCode::REQUEST_TIMEOUT, Code::RequestTimeout, detail)
            };
            timeout(longest, whole).await.map_err(|_| late())??
        } else {
            Bytes::new()
        };
        Ok(Received { parts, body, record, params, _weight: weight })
    }
}

/// The whole body, which counts as it arrives.
async fn collect(mut body: Body, limit: usize, weight: &mut Weight) -> Result<Bytes, Problem> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("The body did not arrive whole."))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(too_large());
        }
        if !weight.grow(data.len()) {
            return Err(Problem::unavailable());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

impl Received {
    /// Reads a request with a body of at most so many bytes.
    pub async fn read(desk: &FrontDesk, request: Request, limit: usize) -> Result<Self, Problem> {
        Head::of(request, limit).await?.read(desk, limit).await
    }

    /// A header as text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The client certificate of the connection, which its TLS handshake has verified.
    pub fn certificate(&self) -> Option<&Arc<ClientCertificate>> {
        self.parts.extensions.get()
    }

    /// The host that was asked, as it stands in the `Host` header.
    pub fn host(&self) -> &str {
        self.header(&header::HOST).unwrap_or_default()
    }

    /// A part of the path as a value. What cannot be one names nothing.
    pub fn param<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        param(self.params.as_ref(), name)
    }

    /// The query as a value of a type.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        crate::query::read(self.parts.uri.query().unwrap_or_default())
    }

    /// The body as a value of a type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.expect_json()?;
        crate::json::read(&self.body)
    }

    /// The body as a value of a type, or what stands for no body.
    pub fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The body as JSON without a shape.
    pub fn json_value(&self) -> Result<serde_json::Value, Problem> {
        self.expect_json()?;
        crate::json::parse(&self.body)
    }

    /// Refuses a body where none is read, so that nobody believes that it had an effect.
    pub fn expect_no_body(&self) -> Result<(), Problem> {
        if self.body.is_empty() { Ok(()) } else { Err(Problem::bad_request("This call takes no body.")) }
    }

    fn expect_json(&self) -> Result<(), Problem> {
        let media_type = self.header(&header::CONTENT_TYPE).unwrap_or_default();
        let mut pieces = media_type.split(';').map(str::trim);
        let is_json = pieces.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
        let is_utf8 = pieces.all(|piece| {
            let piece = piece.to_ascii_lowercase();
            !piece.starts_with("charset=")
                || piece.trim_start_matches("charset=").trim_matches('"') == "utf-8"
        });
        if is_json && is_utf8 {
            return Ok(());
        }
        Err(unsupported("The body must be application/json in UTF-8."))
    }
}

fn param<T: FromStr>(params: Option<&RawPathParams>, name: &str) -> Result<T, Problem> {
    let params = params.ok_or_else(Problem::not_found)?;
    let text = params.iter().find_map(|(key, text)| (key == name).then_some(text));
    text.and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)
}

fn check_headers(parts: &Parts) -> Result<(), Problem> {
    let mut bytes = 0;
    for (name, value) in &parts.headers {
        bytes += name.as_str().len() + value.len() + 4;
    }
    let target = parts.uri.path().len() + parts.uri.query().map_or(0, str::len);
    if bytes > MAX_HEADER_BYTES || target > MAX_TARGET_BYTES {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Problem::new(
            status,
            Code::HeadersTooLarge,
            "The request line and headers are too large.",
        ));
    }
    for name in &ONCE {
        let mut values = parts.headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::bad_request(format!("The header {name} must stand there once.")));
        }
        if first.is_some_and(|value| value.to_str().is_err()) {
            return Err(Problem::bad_request(format!("The header {name} must be plain ASCII.")));
        }
    }
    check_host(parts)
}

/// RFC 9112, section 3.2: HTTP/1.1 needs a Host; in absolute form the target names it too, and both must agree. A request
/// of HTTP/1.0 without one could be signed for any host, so it is refused as well.
fn check_host(parts: &Parts) -> Result<(), Problem> {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if parts.version > Version::HTTP_11 && host.is_none() {
        return Err(Problem::bad_request("This protocol version is not spoken here."));
    }
    let Some(host) = host.filter(|host| !host.is_empty()) else {
        return Err(Problem::bad_request("The header host is needed."));
    };
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    if target.is_some_and(|target| !target.eq_ignore_ascii_case(host)) {
        return Err(Problem::bad_request("The target of the request and its host disagree."));
    }
    Ok(())
}

fn check_body_headers(parts: &Parts, limit: usize) -> Result<(), Problem> {
    let headers = &parts.headers;
    let identity = HeaderValue::from_static("identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| *encoding != identity) {
        return Err(unsupported("Compressed bodies are not taken."));
    }
    // RFC 9112, section 6.1: two lengths, or a coding that is not undone here, are how requests get smuggled past a proxy.
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        let plain = coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
        if !plain || headers.contains_key(header::CONTENT_LENGTH) {
            return Err(Problem::bad_request(
                "The body must have one length, or be chunked and nothing else.",
            ));
        }
    }
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    match declared.map(str::parse::<u64>) {
        Some(Ok(length)) if length > limit as u64 => Err(too_large()),
        Some(Err(_)) => Err(Problem::bad_request("The header content-length is no number.")),
        _ => Ok(()),
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, "The body is too large.")
}

fn unsupported(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, detail)
}
