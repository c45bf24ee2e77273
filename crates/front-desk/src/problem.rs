//! What a refused or failed request is answered with (RFC 9457), and the one place where errors of the floors below
//! become HTTP.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::SignedDuration;
use misy_domain::{Metered, Timestamp};
use misy_store::{Collides, StoreError};
use misy_trust::{SignatureError, TokenError};
use misy_workbench::{PackError, TooCostly, Unfinished};
use serde::Serialize;
use std::{borrow::Cow, sync::Arc};
use utoipa::ToSchema;

/// One mistake in what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901) into the body, or `?name` for a parameter of the query.
    #[schema(example = "/text")]
    pub pointer: String,
    /// What kind of mistake, for programs.
    #[schema(example = "required")]
    pub code: String,
    /// The same in words.
    #[schema(example = "is required")]
    pub message: String,
}

impl FieldError {
    /// A mistake.
    pub fn new(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), message: message.into() }
    }
}

/// A refusal or failure. Becomes a response without a body; the edge writes the body, which holds the request's id.
#[derive(Debug, Clone)]
pub struct Problem(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    server_time: Option<Timestamp>,
    retry_after: Option<i64>,
    quota: Option<QuotaFacts>,
    headers: Vec<(HeaderName, HeaderValue)>,
    is_collision: bool,
}

/// The body of a problem.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Names the kind of problem; as stable as `code`.
    #[serde(rename = "type")]
    #[schema(example = "urn:misy:problem:token_expired")]
    kind: String,
    /// The kind in words.
    #[schema(example = "Token expired")]
    title: String,
    /// HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// What is to be said about this one.
    #[schema(example = "The token has expired.")]
    detail: &'a str,
    /// The kind, for programs.
    #[schema(example = "token_expired")]
    code: &'a str,
    /// To be quoted when asking for help; stands in the logs and the audit trail.
    #[schema(example = "req_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    request_id: &'a str,
    /// The mistakes in what was sent.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
    /// The server's time, when yours differs too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    server_time: Option<Timestamp>,
    /// Which quota is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaFacts>,
}

/// A quota that is used up.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExceededQuota)]
pub struct QuotaFacts {
    /// `messages`, `bookings` or `ai_tokens`.
    #[schema(example = "messages")]
    kind: &'static str,
    /// How many a month.
    #[schema(example = 5000)]
    limit: i64,
    /// When it is there again.
    #[schema(value_type = String, format = DateTime)]
    resets_at: Timestamp,
}

impl Problem {
    /// A problem of this status, code and detail.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            server_time: None,
            retry_after: None,
            quota: None,
            headers: Vec::new(),
            is_collision: false,
        }))
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// 401: says which of the proofs failed and nothing else.
    pub fn unauthorized(code: &'static str) -> Self {
        let detail = match code {
            "token_missing" => "A tenant access token is required.",
            "token_expired" => "The token has expired.",
            "token_revoked" => "The token is no longer accepted.",
            "signature_missing" => "The request must be signed.",
            "signature_invalid" => "The signature does not match the request.",
            "timestamp_out_of_window" => "The request was signed too long ago or too far ahead.",
            "replay_detected" => "The request was seen before.",
            "certificate_required" => "A client certificate of the tenant is required.",
            "certificate_invalid" => "The client certificate is not accepted.",
            "key_invalid" => "The key is not accepted.",
            "session_missing" => "Sign in first.",
            "session_expired" => "The session is over; sign in again.",
            "session_invalid" => "The session is not accepted; sign in again.",
            "credentials_invalid" => "The address or the password is wrong.",
            "link_invalid" => "The link was used before, is too old, or was replaced by a newer one.",
            "challenge_invalid" => "The sign-in took too long or too many attempts; begin again.",
            "code_invalid" => "The code is wrong or was used before.",
            "bootstrap_secret_invalid" => "The bootstrap secret is not accepted.",
            _ => "The token is not accepted.",
        };
        let challenge = HeaderValue::from_static("Bearer realm=\"misy\"");
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
            .edit(|inner| inner.headers.push((header::WWW_AUTHENTICATE, challenge)))
    }

    /// 401 for what somebody may do once the second factor was proved again (RFC 9470).
    pub fn step_up_required() -> Self {
        Self::step_up("This asks a person for a second factor that is not older than five minutes.")
    }

    /// 403 for a session that has not proved the second factor that its account has.
    pub fn second_factor_required() -> Self {
        Self::forbidden(
            "second_factor_required",
            "This session has not proved your second factor: prove it first.",
        )
    }

    /// 403 for whoever would enrol a first second factor with nothing but a password.
    pub fn enrollment_link_required() -> Self {
        Self::forbidden(
            "enrollment_link_required",
            "A password alone enrols no second factor for this account: set a new password by a link in this browser, then sign in.",
        )
    }

    /// 401 for what a person may do, with a fresh second factor, and a token never.
    pub fn person_required() -> Self {
        Self::step_up(
            "A person with a second factor must do this; a token has none. Enrol somebody, who signs in and does it.",
        )
    }

    fn step_up(detail: &'static str) -> Self {
        let challenge = HeaderValue::from_static(
            "Bearer realm=\"misy\", error=\"insufficient_user_authentication\", max_age=300",
        );
        Self::new(StatusCode::UNAUTHORIZED, "step_up_required", detail)
            .edit(|inner| inner.headers.push((header::WWW_AUTHENTICATE, challenge)))
    }

    /// 422 for what is done to another tenant by who says why.
    pub fn reason_required() -> Self {
        let detail = "This is done to another tenant: say why, with `reason` in the body or else with the header X-Misy-Reason.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "reason_required", detail)
    }

    /// 401 with the server's time.
    pub fn outside_window(now: Timestamp) -> Self {
        Self::unauthorized("timestamp_out_of_window").edit(|inner| inner.server_time = Some(now))
    }

    /// 400.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 403.
    pub fn forbidden(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 403 for a tenant that is suspended or closed.
    pub fn suspended() -> Self {
        Self::forbidden("tenant_suspended", "The tenant is suspended.")
    }

    /// 403 for an origin that is not the site's or not the token's.
    pub fn origin_not_allowed() -> Self {
        Self::forbidden("origin_not_allowed", "This origin may not do this.")
    }

    /// 404, for what is not there and what is somebody else's alike.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// 405 with the methods that are there.
    pub fn method_not_allowed(allow: &HeaderMap) -> Self {
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Not with this method; see Allow.",
        );
        match allow.get(header::ALLOW) {
            Some(value) => problem.edit(|inner| inner.headers.push((header::ALLOW, value.clone()))),
            None => problem,
        }
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422 with what is wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            "Some of what was sent cannot be used.",
        )
        .edit(|inner| inner.errors = errors)
    }

    /// 422 with one thing that is wrong.
    pub fn invalid_field(pointer: &str, code: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, code, message)])
    }

    /// 422 for what the contract knows and this version cannot do yet.
    pub fn not_supported(pointer: &str, message: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_supported", message)
            .edit(|inner| inner.errors = vec![FieldError::new(pointer, "not_supported", message)])
    }

    /// 429 with the time to wait.
    pub fn rate_limited(retry_after: SignedDuration) -> Self {
        // Whole seconds, rounded up: coming back earlier would only be refused again.
        let seconds = retry_after.as_secs() + i64::from(retry_after.subsec_nanos() > 0);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests.")
            .edit(|inner| inner.retry_after = Some(seconds.max(1)))
    }

    /// 429: a mail that would be one too many.
    pub fn too_many_mails(retry_after: SignedDuration) -> Self {
        Self::rate_limited(retry_after).edit(|inner| {
            inner.detail = "Too many mails to this address, or of this tenant, within an hour.".into();
        })
    }

    /// 402: what a tenant may use in a month is used up.
    pub fn quota_exceeded(metered: Metered, most: i64, now: Timestamp) -> Self {
        let resets_at = misy_store::usage::next_month(now);
        let what = metered.in_words();
        let detail =
            format!("The quota of {most} {what} a month is used up; it is there again at {resets_at}.");
        let seconds = resets_at.as_second() - now.as_second();
        Self::new(StatusCode::PAYMENT_REQUIRED, "quota_exceeded", detail).edit(|inner| {
            inner.retry_after = Some(seconds.max(1));
            inner.quota = Some(QuotaFacts { kind: metered.as_str(), limit: most, resets_at });
        })
    }

    /// 503: worth another try in a moment.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not at this moment; try again.")
            .edit(|inner| inner.retry_after = Some(1))
    }

    /// 500: our own fault, of which the log knows more.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The whole response.
    pub(crate) fn render(&self, request_id: &str, method: &Method) -> Response {
        let inner = &*self.0;
        let mut title = inner.code.replace('_', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let body = ProblemBody {
            kind: format!("urn:misy:problem:{}", inner.code),
            title,
            status: inner.status.as_u16(),
            detail: &inner.detail,
            code: inner.code,
            request_id,
            errors: &inner.errors,
            server_time: inner.server_time,
            quota: inner.quota,
        };
        // Only text and numbers are in it, so there is nothing that could fail.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = if method == Method::HEAD { ().into_response() } else { json.into_response() };
        *response.status_mut() = inner.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = inner.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in &inner.headers {
            headers.insert(name.clone(), value.clone());
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Collides for Problem {
    fn is_collision(&self) -> bool {
        self.0.is_collision
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Self::conflict("conflict", format!("{what} exists already.")),
            StoreError::NotTheirs => Self::forbidden(
                "permission_denied",
                "The owner of the platform closed the tenant, and alone activates it.",
            ),
            StoreError::Refused(why) => Self::conflict("conflict", why),
            StoreError::Full(why) => Self::conflict("too_many", why),
            StoreError::Stale(what) => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                format!("The {what} was changed since you read it."),
            ),
            error if error.is_collision() => {
                tracing::info!(cause = ?std::error::Error::source(&error), "undone because of another transaction");
                Self::unavailable().edit(|inner| inner.is_collision = true)
            }
            StoreError::Unavailable(_) => {
                tracing::warn!(error = %error, cause = ?std::error::Error::source(&error), "the database is unavailable");
                Self::unavailable()
            }
            // Said once, when it was lost.
            StoreError::SharedUnavailable => Self::unavailable(),
            error => {
                tracing::error!(error = %error, cause = ?std::error::Error::source(&error), "the store failed");
                Self::internal()
            }
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::unauthorized(match error {
            TokenError::Malformed | TokenError::Invalid => "token_invalid",
            TokenError::Expired { .. } => "token_expired",
        })
    }
}

impl From<SignatureError> for Problem {
    fn from(_: SignatureError) -> Self {
        Self::unauthorized("signature_invalid")
    }
}

impl From<Vec<misy_domain::context_pack::Invalid>> for Problem {
    fn from(mistakes: Vec<misy_domain::context_pack::Invalid>) -> Self {
        let field = |mistake: misy_domain::context_pack::Invalid| FieldError {
            pointer: mistake.pointer,
            code: mistake.code,
            message: mistake.message,
        };
        Self::invalid(mistakes.into_iter().map(field).collect())
    }
}

impl From<PackError> for Problem {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Invalid(mistakes) => mistakes.into(),
            PackError::TooCostly(costly) => {
                let TooCostly { pointer, measure, found, limit } = costly;
                let found = if measure == "steps" { format!("more than {found}") } else { found.to_string() };
                Self::invalid_field(
                    pointer,
                    "too_costly",
                    format!(
                        "takes {found} {measure} to be made ready for answering, at most {limit} are allowed: use fewer \
                         different words or fewer ways of asking"
                    ),
                )
            }
            // Too many packs of this tenant wait to be looked at.
            PackError::Unfinished(Unfinished::Full) => Self::rate_limited(SignedDuration::from_secs(1)),
            PackError::Unfinished(Unfinished::Panicked) => Self::internal(),
        }
    }
}
