//! The pages for people load nothing from elsewhere and run nothing that stands in them.

use crate::support::{App, raw};
use http::Method;
use std::path::Path;

#[tokio::test]
async fn each_page_and_each_of_its_files_comes_with_the_strict_policy() {
    let app = App::start().await;
    for page in ["sign-in", "enroll", "invitation", "reset-password", "account"] {
        let response = app.open(raw(Method::GET, &format!("/{page}"), None)).await;
        assert_eq!(response.status(), 200, "{page}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{page}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(html.contains(&format!("/people/{page}.js")) && !html.contains("<script>"), "{html}");
    }
    for file in ["people.css", "dom.js", "api.js", "texts.js", "passkeys.js", "second-factor.js"] {
        assert_eq!(
            app.open(raw(Method::GET, &format!("/people/{file}"), None)).await.status(),
            200,
            "{file}"
        );
    }
    for file in ["", "none.js", "..%2Fdocs.html", "%2e%2e/docs.html"] {
        assert_eq!(
            app.open(raw(Method::GET, &format!("/people/{file}"), None)).await.status(),
            404,
            "{file}"
        );
    }
}

#[tokio::test]
async fn the_console_comes_with_a_stricter_policy_and_its_page_answers_for_every_room() {
    let app = App::start().await;
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/console/dist/index.html").exists() {
        eprintln!("nothing to serve: `npm run build:console` makes it, and `make test` begins with that");
        return;
    }
    for room in ["", "/", "/andina", "/andina/sites/main", "/andina/assets/none.js"] {
        let response = app.open(raw(Method::GET, &format!("/console{room}"), None)).await;
        assert_eq!(response.status(), 200, "{room:?}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        for part in [
            "script-src 'self'",
            "style-src 'self'",
            "require-trusted-types-for 'script'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        assert!(body.starts_with(b"<!doctype html>"), "{room}");
    }
    for file in ["none.js", "..%2Findex.html", "../index.html", "%2e%2e/package.json"] {
        let response = app.open(raw(Method::GET, &format!("/console/assets/{file}"), None)).await;
        assert_eq!(response.status(), 404, "{file}");
    }
}
