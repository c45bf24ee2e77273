//! One demo site: static pages that embed the widget as any site would.

use super::seed::Business;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use std::sync::Arc;

#[derive(RustEmbed)]
#[folder = "../../packages/demo-site"]
struct Pages;

struct Site {
    tenant: String,
    publishable_key: String,
    api: String,
    policy: HeaderValue,
}

/// The site of a business, which finds the API at another origin.
pub(super) fn router(business: &Business, api: &str) -> Router {
    // As strict as a careful site owner would be: nothing inline, one foreign origin for script and calls.
    let policy = format!(
        "default-src 'none'; script-src {api}; style-src 'self'; connect-src {api}; img-src 'self' data: {api}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let site = Site {
        tenant: business.tenant.to_string(),
        publishable_key: business.publishable_key.clone(),
        api: api.to_owned(),
        // An origin has no character that a header cannot carry.
        policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
    };
    Router::new().fallback(page).with_state(Arc::new(site))
}

async fn page(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let name = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    // A file of the business itself, else one that all share.
    let own = format!("{}/{name}", site.tenant);
    let Some(file) = Pages::get(&own).or_else(|| Pages::get(&format!("shared/{name}"))) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let body = if kind.starts_with("text/html") {
        let html = String::from_utf8_lossy(&file.data)
            .replace("{{apiOrigin}}", &site.api)
            .replace("{{tenantId}}", &site.tenant)
            .replace("{{publicKey}}", &site.publishable_key);
        Body::from(html)
    } else {
        Body::from(file.data.into_owned())
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, site.policy.clone()),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    ];
    (headers, body).into_response()
}
