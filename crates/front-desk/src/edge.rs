//! The outermost layer: every request passes here on its way in and every response on its way out. It gives requests
//! their id, answers preflights, writes problems, and leaves a line in the log, the metrics and the audit trail.

mod cors;
pub(crate) mod origins;

use crate::{
    address::address_of,
    connection::Connection,
    desk::FrontDesk,
    problem::{Code, Problem},
    record::{CallRecord, Facts},
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use misy_domain::{RequestId, TraceContext};
use misy_store::{
    audit::CallEntry,
    limits::{Decision, Standing, Unreachable},
};
use misy_telemetry::{Field, Span, Traced};
use misy_trust::RefusedCertificate;
use std::{fmt::Write, panic::AssertUnwindSafe, sync::Arc, time::Instant};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// W3C Trace Context.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Of a document that is no page of ours, such as a report: it is read and does nothing.
const DOCUMENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// RFC 6797; a year.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Serves one request.
pub(crate) async fn serve(State(desk): State<FrontDesk>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let operation = crate::openapi::operation_id(&method, route);
    let request_id = RequestId::new(&*desk.clock, &*desk.entropy);
    let address = address_of(&desk.settings, request.extensions(), request.headers());
    let record = Arc::new(CallRecord::new(request_id, operation, method.clone(), address));
    let origin = request.headers().get(header::ORIGIN).cloned();
    let connection = request.extensions().get::<Connection>().cloned();
    let refused = request.extensions().get::<RefusedCertificate>().copied();
    let ends = refused.is_some() || is_framed_oddly(request.headers());

    let mut response = if cors::is_preflight(&request) {
        cors::preflight(&desk, request.headers(), address).await
    } else {
        request.extensions_mut().insert(record.clone());
        let span = Span::request(operation, trace_of(request.headers()));
        let response = match refused {
            None => serve_inner(next, request).in_span(&span).await,
            Some(refused) => refuse_connection(refused),
        };
        let response = desk.answers.weigh(&record, connection, response);
        describe(&span, &record, route, &response);
        span.within(|| record_call(&desk, &record, &response, origin.as_ref(), started));
        let mut response = finish(response, &record, &method);
        if let Some(origin) = &origin {
            cors::allow(&desk, &record, origin, &mut response).await;
        }
        response
    };
    if let Ok(value) = HeaderValue::from_str(&record.request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    harden(response.headers_mut());
    if ends {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if desk.settings.strict_transport {
        let value = HeaderValue::from_static(STRICT_TRANSPORT);
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    measure(route, &method, response.status(), started);
    response
}

/// The trace that the caller says they are in.
fn trace_of(headers: &HeaderMap) -> Option<TraceContext> {
    let mut said = headers.get_all(TRACE_PARENT).iter();
    let (Some(one), None) = (said.next(), said.next()) else { return None };
    one.to_str().ok()?.parse().ok()
}

/// What became known of a call, in its span.
fn describe(span: &Span, record: &CallRecord, route: &str, response: &Response) {
    if !span.is_recorded() {
        return;
    }
    let status = response.status();
    let outcome = response.extensions().get::<Problem>().map_or("ok", |problem| problem.code().as_str());
    span.set(Field::Request, record.request_id.clone())
        .set(Field::Route, route.to_owned())
        .set(Field::Status, i64::from(status.as_u16()))
        .set(Field::Outcome, outcome);
    if status.is_server_error() {
        span.fail(outcome);
    }
    let facts = record.facts();
    for (field, id) in [
        (Field::Tenant, facts.tenant.as_ref().map(|tenant| tenant.as_str().to_owned())),
        (Field::Site, facts.site.clone()),
        (Field::Session, facts.session.clone()),
    ] {
        if let Some(id) = id {
            span.set(field, id);
        }
    }
}

/// Whether somebody in front could see another end of the request than we do: then nothing that follows on the connection
/// is a request of its own (RFC 9112, section 6.1).
fn is_framed_oddly(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    codings.next().is_some_and(|coding| {
        !coding.as_bytes().eq_ignore_ascii_case(b"chunked")
            || codings.next().is_some()
            || headers.contains_key(header::CONTENT_LENGTH)
    })
}

/// Nothing is answered on a connection whose client certificate no longer counts, not even what is open to everybody: who
/// shows none is free to come without.
fn refuse_connection(refused: RefusedCertificate) -> Response {
    metrics::counter!("misy_client_certificates_refused_total", "reason" => refused.reason).increment(1);
    tracing::info!(reason = refused.reason, "a request came with a client certificate that no longer counts");
    axum::response::IntoResponse::into_response(Problem::unauthorized(Code::CertificateInvalid))
}

/// A handler that panics fails one request and not the connection with all that are on it.
async fn serve_inner(next: Next, request: Request) -> Response {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        axum::response::IntoResponse::into_response(Problem::internal())
    })
}

/// Writes the body of a problem, and the headers that tell of limits.
fn finish(mut response: Response, record: &CallRecord, method: &Method) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && response.extensions().get::<Problem>().is_none()
    {
        let problem = Problem::method_not_allowed(response.headers());
        response = axum::response::IntoResponse::into_response(problem);
    }
    if let Some(problem) = response.extensions().get::<Problem>().cloned() {
        let headers = std::mem::take(response.headers_mut());
        response = problem.render(&record.request_id, method);
        for (name, value) in headers.iter().filter(|(name, _)| *name != header::CONTENT_LENGTH) {
            response.headers_mut().entry(name.clone()).or_insert_with(|| value.clone());
        }
        response.extensions_mut().insert(problem);
    }
    if let Some(standing) = record.facts().standing {
        write_limits(&standing, response.headers_mut());
    }
    response
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): the limit nearest to being reached.
fn write_limits(standing: &Standing, headers: &mut HeaderMap) {
    let scope = standing.scope.as_str();
    let mut text = String::with_capacity(40);
    let window = standing.quota.period.as_secs();
    if write!(text, "\"{scope}\";q={};w={window}", standing.quota.requests).is_ok()
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        headers.insert(RATE_LIMIT_POLICY, value);
    }
    text.clear();
    let seconds = standing.reset.as_secs() + i64::from(standing.reset.subsec_nanos() > 0);
    if write!(text, "\"{scope}\";r={};t={seconds}", standing.remaining).is_ok()
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        headers.insert(RATE_LIMIT, value);
    }
}

/// Headers that every response carries unless it has its own.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(DOCUMENT_POLICY);
    }
}

fn measure(route: &str, method: &Method, status: StatusCode, started: Instant) {
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    };
    let route = route.to_owned();
    let status = status.as_u16().to_string();
    metrics::counter!("misy_http_requests_total", "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!("misy_http_request_duration_seconds", "route" => route, "method" => method)
        .record(started.elapsed().as_secs_f64());
}

/// Leaves a call in the log, the metrics of refusals and, once its tenant is proved, the audit trail.
fn record_call(
    desk: &FrontDesk,
    record: &CallRecord,
    response: &Response,
    origin: Option<&HeaderValue>,
    started: Instant,
) {
    let micros = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
    let status = response.status().as_u16();
    let refusal = response.extensions().get::<Problem>().map(Problem::code);
    let outcome = refusal.map_or("ok", Code::as_str);
    if outcome != "ok" {
        metrics::counter!("misy_http_refusals_total", "reason" => outcome).increment(1);
    }
    if let Some(code) = refusal {
        crate::privilege::watch_refusal(desk, record, code);
    }
    let mut facts = record.facts();
    tracing::info!(
        target: "misy::call",
        requestId = record.request_id,
        operation = record.operation,
        tenantId = facts.tenant.as_ref().map(misy_domain::TenantId::as_str),
        siteId = facts.site,
        sessionId = facts.session,
        actor = facts.actor,
        outcome,
        status,
        micros,
    );
    let Some(tenant) = facts.tenant.clone() else { return };
    if outcome != "ok" {
        desk.refusals.count(&tenant, outcome);
    }
    let permit = record.take_room();
    // Whoever holds a public key can cause any number of these.
    let proves_nothing = facts.is_visitor || outcome != "ok" && !facts.is_within_limits;
    let is_told_together = permit.is_none() && proves_nothing
        || outcome != "ok" && !desk.limits.may_note_refusal(&tenant, desk.clock.now());
    // The call is over: nobody asks for these facts any more.
    let entry = CallEntry {
        at: desk.clock.now(),
        action: record.operation,
        actor: facts.actor.take(),
        site_id: facts.site.take(),
        session_id: facts.session.take(),
        origin: origin
            .and_then(|origin| origin.to_str().ok())
            .map(|origin| origin.chars().take(300).collect()),
        outcome,
        status,
        duration_micros: micros,
        request_id: record.id,
        subject: facts.subject.take(),
        detail: told(&facts),
    };
    let visited = facts.visited.clone();
    drop(facts);
    if let Some(visited) = visited {
        let actor = entry.actor.as_deref().unwrap_or("anonymous");
        let actor = Some(format!("{tenant}/{actor}"));
        desk.audit.record_call(visited, CallEntry { actor, ..entry.clone() });
    }
    if is_told_together {
        if let Some(first) = desk.tallies.note(&tenant, entry) {
            desk.audit.record_call(tenant, first);
        }
        return;
    }
    match permit {
        Some(permit) => permit.record(tenant, entry),
        None => desk.audit.record_call(tenant, entry),
    }
}

/// The decision of the access policies, where somebody may ask for it later: refusals, what is sensitive, and what the
/// owner did elsewhere. The rest would only repeat the role.
fn told(facts: &Facts) -> Option<serde_json::Value> {
    let (action, decision) = facts.decision.as_ref()?;
    let policies = misy_trust::AccessPolicies::in_force();
    let worth = !decision.is_allowed()
        || facts.visited.is_some()
        || policies.is_sensitive(*action)
        || policies.is_accounted(*action);
    worth.then(|| {
        serde_json::json!({
            "action": action.as_str(),
            "decision": if decision.is_allowed() { "allow" } else { "deny" },
            "policies": decision.policies,
        })
    })
}

/// What is to be done with a call while Redis is lost: what only reads goes on.
pub(crate) fn unreachable(method: &Method) -> Unreachable {
    if method.is_safe() { Unreachable::DecideHere } else { Unreachable::Refuse }
}

/// What the limits decided, as a refusal or as where the caller stands.
pub(crate) fn limited(decision: Decision, record: &CallRecord) -> Result<(), Problem> {
    match decision {
        Decision::Allowed(standing) => {
            let mut facts = record.facts();
            (facts.standing, facts.is_within_limits) = (standing, true);
            Ok(())
        }
        Decision::Limited { scope, quota, retry_after } => {
            record.facts().standing = Some(Standing { scope, quota, remaining: 0, reset: retry_after });
            Err(Problem::rate_limited(retry_after))
        }
        Decision::Replayed => Err(Problem::unauthorized(Code::ReplayDetected)),
        Decision::Full => Err(Problem::unavailable()),
    }
}
