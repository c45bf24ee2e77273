//! Static files: the browser SDK, the readable description of the API, the pages on which people sign in and look after
//! their account, the console.

use crate::{desk::FrontDesk, problem::Problem};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use rust_embed::RustEmbed;
use std::{borrow::Cow, sync::LazyLock};

/// Loaded by pages of every site.
#[derive(RustEmbed)]
#[folder = "../../packages/sdk/dist"]
struct Sdk;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Our own pages load nothing from elsewhere and run no script that stands in the page.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// The same, and nothing that a script writes is taken for markup or for another script.
const CONSOLE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// `GET /sdk/{file}`: public, so every page may load it.
pub(crate) async fn sdk(headers: HeaderMap, Path(file): Path<String>) -> Result<Response, Problem> {
    let found = Sdk::get(&file).ok_or_else(Problem::not_found)?;
    let etag = format!("\"{}\"", hex::encode(&found.metadata.sha256_hash()[..16]));
    let etag = HeaderValue::from_str(&etag).map_err(|_| Problem::internal())?;
    let mut response = if headers.get(header::IF_NONE_MATCH) == Some(&etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        shared(found.data).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(&file)));
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// Static content is in memory once, however many readers are given it.
fn shared(content: Cow<'static, [u8]>) -> Bytes {
    match content {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        // Only in a build for developing, which reads files anew.
        Cow::Owned(bytes) => bytes.into(),
    }
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("html") => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

/// `GET /openapi.json`.
pub(crate) async fn openapi(State(_): State<FrontDesk>) -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| crate::openapi::openapi_document().into());
    let mut response = DOCUMENT.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// `GET /docs`.
pub(crate) async fn docs() -> Response {
    page("text/html; charset=utf-8", include_str!("../static/docs.html"))
}

/// The scripts and styles of our own pages.
pub(crate) async fn docs_file(Path(file): Path<String>) -> Result<Response, Problem> {
    Ok(match file.as_str() {
        "docs.js" => page("text/javascript; charset=utf-8", include_str!("../static/docs.js")),
        "page.css" => page("text/css; charset=utf-8", include_str!("../static/page.css")),
        _ => return Err(Problem::not_found()),
    })
}

/// The pages for people: each has a script of its own, and they share the rest.
#[derive(RustEmbed)]
#[folder = "static/people"]
struct People;

/// `GET /sign-in`, `/enroll`, `/invite`, `/reset`, `/account`, and the longer names of two of them.
pub(crate) async fn people_page(uri: Uri) -> Result<Response, Problem> {
    people(match uri.path() {
        "/sign-in" => "sign-in.html",
        "/enroll" => "enroll.html",
        "/invite" | "/invitation" => "invitation.html",
        "/reset" | "/reset-password" => "reset-password.html",
        "/account" => "account.html",
        _ => return Err(Problem::not_found()),
    })
}

/// `GET /people/{file}`: scripts and styles of those pages.
pub(crate) async fn people_file(Path(file): Path<String>) -> Result<Response, Problem> {
    people(&file)
}

fn people(file: &str) -> Result<Response, Problem> {
    let found = People::get(file).ok_or_else(Problem::not_found)?;
    Ok(own(media_type(file), shared(found.data)))
}

/// What `packages/console` builds.
#[derive(RustEmbed)]
#[folder = "../../packages/console/dist"]
struct Console;

/// Where its build puts what is named after its content.
const BUILT: &str = "assets/";

/// `GET /console` and below: a file of the console, or the page that is all of its rooms.
pub(crate) async fn console(uri: Uri) -> Result<Response, Problem> {
    let path = uri.path().strip_prefix("/console/").unwrap_or_default();
    let is_built = path.starts_with(BUILT);
    let file = if is_built { path } else { "index.html" };
    if path.contains("..") {
        return Err(Problem::not_found());
    }
    let found = Console::get(file).ok_or_else(Problem::not_found)?;
    let mut response = own(media_type(file), shared(found.data));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONSOLE_POLICY);
    if is_built {
        let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, keep);
    }
    Ok(response)
}

fn page(media_type: &'static str, text: &'static str) -> Response {
    own(media_type, Bytes::from_static(text.as_bytes()))
}

fn own(media_type: &'static str, content: Bytes) -> Response {
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // What a page shows once somebody is signed in, no browser shows again when they went back to it.
    let keep = if media_type.starts_with("text/html") { "no-store" } else { "public, max-age=300" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}
