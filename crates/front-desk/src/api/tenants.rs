//! Tenants and what belongs to them: management calls.

pub mod alerts;
pub mod audit;
pub mod bookings;
pub mod certificates;
pub mod channels;
pub mod context_pack;
pub mod conversations;
pub mod create;
pub mod decisions;
pub mod domains;
pub mod encryption;
pub mod events;
pub mod files;
pub mod keys;
pub mod life;
pub mod limits;
pub mod list;
pub mod made;
pub mod privilege;
pub mod record;
pub mod register;
pub mod registration;
pub mod roles;
pub mod secrets;
pub mod services;
pub mod sign_in;
pub mod sites;
pub mod turns;
pub mod usage;
pub mod user_access;
pub mod users;
pub mod work;

use crate::{
    pipeline::Received,
    problem::{FieldError, Problem},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use misy_domain::{Plan, TenantId, TenantStatus, TenantType, Timestamp};
use misy_store::tenants::Tenant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const USUAL_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tenant)]
pub struct TenantAnswer {
    /// Its slug.
    tenant_id: TenantId,
    /// The kind of tenant.
    tenant_type: TenantType,
    /// Whether it is the owner of the platform.
    is_owner: bool,
    /// Where it stands in its life.
    status: TenantStatus,
    /// The name of the business.
    #[schema(example = "Clínica Andina")]
    tenant_name: String,
    /// Whom to write to.
    contact_email: String,
    /// Its main web page.
    website_url: String,
    /// What it does.
    business_industry: String,
    /// Its language tag.
    #[schema(example = "es-CL")]
    locale: String,
    /// Its IANA time zone.
    #[schema(example = "America/Santiago")]
    timezone: String,
    /// What it pays for.
    plan: Plan,
    /// How long a session lives.
    session_ttl_seconds: i32,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Since when the owner of the platform holds it, closed or not.
    #[schema(value_type = Option<String>, format = DateTime)]
    suspended_at: Option<Timestamp>,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// When all of it goes but its audit trail, if it is not activated before.
    #[schema(value_type = Option<String>, format = DateTime)]
    purge_at: Option<Timestamp>,
}

impl From<Tenant> for TenantAnswer {
    fn from(tenant: Tenant) -> Self {
        Self {
            tenant_id: tenant.tenant_id,
            tenant_type: tenant.tenant_type,
            is_owner: tenant.tenant_type == TenantType::Owner,
            status: tenant.status,
            tenant_name: tenant.name,
            contact_email: tenant.contact_email,
            website_url: tenant.website_url,
            business_industry: tenant.business_industry,
            locale: tenant.locale,
            timezone: tenant.timezone,
            plan: tenant.plan,
            session_ttl_seconds: tenant.session_ttl_seconds,
            version: tenant.version,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
            suspended_at: tenant.suspended_at,
            closed_at: tenant.closed_at,
            purge_at: tenant.purge_at,
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items.
    items: Vec<T>,
    /// Where the next page begins, if there is one.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page from one item more than it may hold.
    pub(crate) fn of(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let fits = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > fits;
        items.truncate(fits);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Self { items, next_cursor }
    }

    /// A page that was found in steps: it may be short and still have a next one.
    pub(crate) fn found(items: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { items, next_cursor }
    }

    /// A list that has one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl PageQuery {
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        page_limit(self.limit)
    }

    /// The place to go on from.
    pub(crate) fn cursor<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        page_cursor(self.cursor.as_deref())
    }
}

fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(USUAL_PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid_field("?limit", "range", "must be from 1 to 200"))
    }
}

fn page_cursor<T: std::str::FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let parse = |text: &str| {
        text.parse().map_err(|_| Problem::invalid_field("?cursor", "format", "is no cursor of this list"))
    };
    cursor.map(parse).transpose()
}

/// The version that `If-Match` asks for; `None` if it asks for none, or for any (`*`).
pub(crate) fn expected_version(received: &Received) -> Result<Option<i64>, Problem> {
    let Some(tag) = received.header(&header::IF_MATCH) else { return Ok(None) };
    if tag == "*" {
        return Ok(None);
    }
    let version =
        tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    let refused = || Problem::bad_request("The header if-match must be one ETag as it was read.");
    version.map(Some).ok_or_else(refused)
}

/// An answer with the version as its `ETag`.
pub(crate) fn versioned(version: i64, body: impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What becomes of the tokens that were given for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokensOfKey {
    /// They live until they expire.
    Keep,
    /// They are refused too.
    Revoke,
}

/// How to revoke a key.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// What becomes of the tokens that were given for it: `keep` (unless given) or `revoke`.
    tokens: Option<TokensOfKey>,
}

impl RevokeQuery {
    fn with_tokens(&self) -> bool {
        self.tokens == Some(TokensOfKey::Revoke)
    }
}

/// Collects what is wrong.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<FieldError>);

impl Mistakes {
    pub(crate) fn add(&mut self, pointer: &str, code: &str, message: &str) {
        self.0.push(FieldError::new(pointer, code, message));
    }

    /// One line of at most so many characters, without characters that hide or reorder.
    pub(crate) fn line(&mut self, pointer: &str, text: &str, most: usize) {
        let hides = |c: char| {
            c.is_control()
                || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{E0000}'..='\u{E007F}')
        };
        if text.trim().is_empty() {
            self.add(pointer, "required", "must not be empty");
        } else if text.chars().count() > most {
            self.add(pointer, "too_long", &format!("must have at most {most} characters"));
        } else if text.chars().any(hides) {
            self.add(pointer, "format", "must not have control, direction-changing or tag characters");
        }
    }

    /// Why the owner does something to a tenant: enough that the tenant learns something from it.
    pub(crate) fn why(&mut self, pointer: &str, reason: &str) {
        self.line(pointer, reason, 500);
        if reason.trim().chars().count() < 10 {
            self.add(pointer, "too_short", "must say why, in at least 10 characters");
        }
    }

    /// Why somebody does something, if that was said.
    fn reason(&mut self, reason: Option<&String>) {
        if let Some(reason) = reason {
            self.line("/reason", reason, 500);
        }
    }

    pub(crate) fn into_result(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}
