//! Cross-origin requests: preflights and real ones.

use crate::support::{App, BASE, HOST, ORIGIN, Token, put, raw};
use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

fn preflight(origin: &str) -> Request<Body> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(format!("{BASE}/messages"))
        .header("host", HOST)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-misy-signature")
        .body(Body::empty())
        .unwrap()
}

const HOSTILE: [&str; 46] = [
    "null",
    "*",
    "https://",
    "https://evil.example",
    "http://andina.example",
    "HTTPS://andina.example",
    "https://Andina.example",
    "https://ANDINA.EXAMPLE",
    "https://andina.example.",
    "https://andina.example:443",
    "https://andina.example:8443",
    "https://andina.example/",
    "https://andina.example/x",
    "https://www.andina.example",
    "https://andina.example.evil.example",
    "https://evilandina.example",
    "https://andina.example@evil.example",
    "https://evil.example@andina.example",
    "https://andina.examplee",
    "https://andina.exampl",
    "https://ndina.example",
    "https://andina-example",
    "https://andina_example",
    "https://sub.sub.andina.example",
    "https://andina.example%00",
    "https://andina.example%2eevil",
    "https://xn--andina-9va.example",
    "https://andin\u{e1}.example",
    "https://andina.example, https://evil.example",
    "https://andina.example https://evil.example",
    "wss://andina.example",
    "file://",
    "file://andina.example",
    "ftp://andina.example",
    "chrome-extension://abcdef",
    "https://andina.example:0443",
    "https://andina.example:",
    "https://andina.example#",
    "https://andina.example?",
    "https:andina.example",
    "//andina.example",
    "andina.example",
    "https://127.0.0.1",
    "http://localhost",
    "https://[::1]",
    "javascript://andina.example",
];

#[tokio::test]
async fn a_preflight_from_a_known_origin_gets_that_origin_back() {
    let app = App::start().await;
    app.two().await;
    let mut request = preflight(ORIGIN);
    put(&mut request, "access-control-request-private-network", "true");
    let answer = app.send(request).await.expect(204);
    let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), ORIGIN);
    assert_eq!(header("access-control-max-age"), "600");
    assert_eq!(header("access-control-allow-private-network"), "true");
    assert!(header("vary").contains("Origin"));
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    for needed in [
        "authorization",
        "content-type",
        "x-api-key",
        "x-misy-signature",
        "last-event-id",
        "idempotency-key",
        "if-match",
    ] {
        assert!(header("access-control-allow-headers").contains(needed), "{needed}");
    }
}

#[tokio::test]
async fn no_other_origin_is_ever_allowed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    for origin in HOSTILE {
        let Ok(value) = http::HeaderValue::from_bytes(origin.as_bytes()) else { continue };
        let mut request = preflight("x");
        request.headers_mut().insert("origin", value.clone());
        let answer = app.send(request).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "preflight of {origin}");

        let mut request = app.signed(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })));
        request.headers_mut().insert("origin", value.clone());
        let answer = app.send(request).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
        assert!([400, 403].contains(&answer.status.as_u16()), "{origin}: {}", answer.body);

        let mut request = app.mint_request(&andina, &json!({ "siteId": "main" }));
        request.headers_mut().insert("origin", value);
        let answer = app.send(request).await;
        assert!([400, 403].contains(&answer.status.as_u16()), "{origin}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_token_is_good_on_its_own_origin_only_even_among_known_ones() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let token = app.browser(&andina).await;
    let elsewhere = Token { origin: Some(verde.origin.clone()), ..token.clone() };
    let answer = app.call(&elsewhere, Method::POST, "/sessions", Some(&json!({ "channel": "web" }))).await;
    // The page may read why, since it is a page of some site.
    assert_eq!(answer.headers["access-control-allow-origin"], "https://verde.example");
    answer.refused(403, "origin_not_allowed");

    let mut request = app.mint_request(&andina, &json!({ "siteId": "main" }));
    put(&mut request, "origin", &verde.origin);
    app.send(request).await.refused(403, "origin_not_allowed");

    // Taken off the list, it is refused at once, and preflights no longer know it.
    let patch = json!({ "origins": ["https://new.andina.example"] });
    app.manage(&andina, Method::PATCH, &andina.path("/sites/main"), Some(&patch)).await.expect(200);
    app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
        .await
        .refused(403, "origin_not_allowed");
    let answer = app.send(preflight(ORIGIN)).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let answer = app.send(preflight("https://new.andina.example")).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://new.andina.example");
}

#[tokio::test]
async fn only_what_is_public_is_for_everybody() {
    let app = App::start().await;
    let mut request = raw(Method::GET, "/.well-known/jwks.json", None);
    put(&mut request, "origin", "https://anywhere.example");
    let answer = app.send(request).await.expect(200);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.body["keys"][0]["kty"], "OKP");
    assert!(answer.body["keys"][0].get("d").is_none());
    for path in ["/docs", "/enroll", "/openapi.json", "/health/live"] {
        let mut request = raw(Method::GET, path, None);
        put(&mut request, "origin", "https://anywhere.example");
        let answer = app.send(request).await.expect(200);
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    let answer = app.send(raw(Method::GET, "/docs", None)).await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    app.send(raw(Method::GET, "/sdk/../Cargo.toml", None)).await.refused(404, "not_found");
}
