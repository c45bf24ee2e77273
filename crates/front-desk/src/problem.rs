//! What a refused or failed request is answered with (RFC 9457), and the one place where errors of the floors below
//! become HTTP.

mod code;

pub use code::{Code, FieldCode};

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
    #[schema(value_type = FieldCode)]
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
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    server_time: Option<Timestamp>,
    retry_after: Option<i64>,
    quota: Option<QuotaFacts>,
    alternatives: Vec<FreeTime>,
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
    code: Code,
    /// To be quoted when asking for help; stands in the logs and the audit trail.
    #[schema(value_type = misy_domain::RequestId)]
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
    /// Times that are free in the place of the one that cannot be had.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    alternatives: &'a [FreeTime],
}

/// A time that can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FreeTime {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// With whom.
    #[schema(example = "dra-valentina-rojas")]
    pub provider_id: String,
}

/// A quota that is used up.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExceededQuota)]
pub struct QuotaFacts {
    /// What was used up.
    kind: Metered,
    /// How many a month.
    #[schema(example = 5000)]
    limit: i64,
    /// When it is there again.
    #[schema(value_type = String, format = DateTime)]
    resets_at: Timestamp,
}

impl Problem {
    /// A problem of this status, code and detail.
    pub fn new(status: StatusCode, code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            server_time: None,
            retry_after: None,
            quota: None,
            alternatives: Vec::new(),
            headers: Vec::new(),
            is_collision: false,
        }))
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// 401: says which of the proofs failed and nothing else.
    pub fn unauthorized(code: Code) -> Self {
        let detail = match code {
            Code::TokenMissing => "A tenant access token is required.",
            Code::TokenExpired => "The token has expired.",
            Code::TokenRevoked => "The token is no longer accepted.",
            Code::SignatureMissing => "The request must be signed.",
            Code::SignatureInvalid => "The signature does not match the request.",
            Code::TimestampOutOfWindow => "The request was signed too long ago or too far ahead.",
            Code::ReplayDetected => "The request was seen before.",
            Code::CertificateRequired => "A client certificate of the tenant is required.",
            Code::CertificateInvalid => "The client certificate is not accepted.",
            Code::KeyInvalid => "The key is not accepted.",
            Code::SessionMissing => "Sign in first.",
            Code::SessionExpired => "The session is over; sign in again.",
            Code::SessionInvalid => "The session is not accepted; sign in again.",
            Code::CredentialsInvalid => "The address or the password is wrong.",
            Code::LinkInvalid => "The link was used before, is too old, or was replaced by a newer one.",
            Code::ChallengeInvalid => "The sign-in took too long or too many attempts; begin again.",
            Code::CodeInvalid => "The code is wrong or was used before.",
            Code::BootstrapSecretInvalid => "The bootstrap secret is not accepted.",
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
            Code::SecondFactorRequired,
            "This session has not proved your second factor: prove it first.",
        )
    }

    /// 403 for whoever would enrol a first second factor with nothing but a password.
    pub fn enrollment_link_required() -> Self {
        Self::forbidden(
            Code::EnrollmentLinkRequired,
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
        Self::new(StatusCode::UNAUTHORIZED, Code::StepUpRequired, detail)
            .edit(|inner| inner.headers.push((header::WWW_AUTHENTICATE, challenge)))
    }

    /// 422 for what is done to another tenant by who says why.
    pub fn reason_required() -> Self {
        let detail = "This is done to another tenant: say why, with `reason` in the body or else with the header X-Misy-Reason.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::ReasonRequired, detail)
    }

    /// 401 with the server's time.
    pub fn outside_window(now: Timestamp) -> Self {
        Self::unauthorized(Code::TimestampOutOfWindow).edit(|inner| inner.server_time = Some(now))
    }

    /// 400.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadRequest, detail)
    }

    /// 403.
    pub fn forbidden(code: Code, detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 403 for a tenant that is suspended or closed.
    pub fn suspended() -> Self {
        Self::forbidden(Code::TenantSuspended, "The tenant is suspended.")
    }

    /// 403 for an origin that is not the site's or not the token's.
    pub fn origin_not_allowed() -> Self {
        Self::forbidden(Code::OriginNotAllowed, "This origin may not do this.")
    }

    /// 404, for what is not there and what is somebody else's alike.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "There is nothing here.")
    }

    /// 405 with the methods that are there.
    pub fn method_not_allowed(allow: &HeaderMap) -> Self {
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::MethodNotAllowed,
            "Not with this method; see Allow.",
        );
        match allow.get(header::ALLOW) {
            Some(value) => problem.edit(|inner| inner.headers.push((header::ALLOW, value.clone()))),
            None => problem,
        }
    }

    /// 409.
    pub fn conflict(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422 with what is wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            Code::ValidationFailed,
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
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::NotSupported, message)
            .edit(|inner| inner.errors = vec![FieldError::new(pointer, "not_supported", message)])
    }

    /// 429 with the time to wait.
    pub fn rate_limited(retry_after: SignedDuration) -> Self {
        // Whole seconds, rounded up: coming back earlier would only be refused again.
        let seconds = retry_after.as_secs() + i64::from(retry_after.subsec_nanos() > 0);
        Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, "Too many requests.")
            .edit(|inner| inner.retry_after = Some(seconds.max(1)))
    }

    /// 429: a mail that would be one too many.
    pub fn too_many_mails(retry_after: SignedDuration) -> Self {
        Self::rate_limited(retry_after).edit(|inner| {
            inner.detail = "Too many mails to this address, or of this tenant, within an hour.".into();
        })
    }

    /// 429: a booking that would be one too many for one visitor, or one network, in a day.
    pub fn too_many_bookings(now: Timestamp) -> Self {
        const DAY: i64 = 24 * 60 * 60;
        let left = DAY - now.as_second().rem_euclid(DAY);
        Self::rate_limited(SignedDuration::from_secs(left)).edit(|inner| {
            inner.detail = "More bookings than one visitor, or one network, may make in a day.".into();
        })
    }

    /// 402: what a tenant may use in a month is used up.
    pub fn quota_exceeded(metered: Metered, most: i64, now: Timestamp) -> Self {
        let resets_at = misy_store::usage::next_month(now);
        let what = metered.in_words();
        let detail =
            format!("The quota of {most} {what} a month is used up; it is there again at {resets_at}.");
        let seconds = resets_at.as_second() - now.as_second();
        Self::new(StatusCode::PAYMENT_REQUIRED, Code::QuotaExceeded, detail).edit(|inner| {
            inner.retry_after = Some(seconds.max(1));
            inner.quota = Some(QuotaFacts { kind: metered, limit: most, resets_at });
        })
    }

    /// 503: worth another try in a moment.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, "Not at this moment; try again.")
            .edit(|inner| inner.retry_after = Some(1))
    }

    /// 500: our own fault, of which the log knows more.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "Something went wrong on our side.")
    }

    /// The same, with times that are free.
    #[must_use]
    pub fn with_alternatives(self, alternatives: Vec<FreeTime>) -> Self {
        self.edit(|inner| inner.alternatives = alternatives)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The whole response.
    pub(crate) fn render(&self, request_id: &str, method: &Method) -> Response {
        let inner = &*self.0;
        let mut title = inner.code.as_str().replace('_', " ");
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
            alternatives: &inner.alternatives,
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
            StoreError::Conflict(what) => Self::conflict(Code::Conflict, format!("{what} exists already.")),
            StoreError::NotTheirs => Self::forbidden(
                Code::PermissionDenied,
                "The owner of the platform closed the tenant, and alone activates it.",
            ),
            StoreError::Refused(why) => Self::conflict(Code::Conflict, why),
            StoreError::Full(why) => Self::conflict(Code::TooMany, why),
            StoreError::Stale(what) => Self::new(
                StatusCode::PRECONDITION_FAILED,
                Code::Stale,
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
            StoreError::Files(_) => {
                tracing::error!(error = %error, cause = ?std::error::Error::source(&error), "a file cannot be had");
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
            TokenError::Malformed | TokenError::Invalid => Code::TokenInvalid,
            TokenError::Expired { .. } => Code::TokenExpired,
        })
    }
}

impl From<SignatureError> for Problem {
    fn from(_: SignatureError) -> Self {
        Self::unauthorized(Code::SignatureInvalid)
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
