//! Creating calls that are made again.

use crate::support::{Answer, App, bare, put, registration, with_bearer};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_call_is_answered_the_same_and_another_one_is_refused() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = async |key: &str, body: Value| -> Answer {
        let mut request = app.signed(&token, Method::POST, "/sessions", Some(&body));
        put(&mut request, "idempotency-key", key);
        app.send(request).await
    };
    let first = session("k1", json!({ "channel": "web" })).await.expect(201);
    let again = session("k1", json!({ "channel": "web" })).await.expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    session("k1", json!({ "channel": "api" })).await.refused(409, "idempotency_mismatch");
    let other = session("k2", json!({ "channel": "web" })).await.expect(201);
    assert_ne!(first.body["sessionId"], other.body["sessionId"]);

    let make = async |path: &str, body: &Value, key: &str| {
        let who = if path == "/tenants" { &owner } else { &andina };
        let mut request = if path.ends_with("/secrets") {
            app.at_once(who).await.request(Method::POST, path, Some(body))
        } else {
            with_bearer(bare(Method::POST, path, Some(body)), &who.administrator)
        };
        put(&mut request, "idempotency-key", key);
        app.send(request).await
    };
    let body = registration("Verde Café", "https://verde.example");
    for (path, body) in [
        ("/tenants".to_owned(), body.clone()),
        (andina.path("/sites"), json!({ "siteId": "shop", "origins": ["https://shop.example"] })),
        (andina.path("/keys"), json!({ "siteId": "main" })),
        (andina.path("/secrets"), json!({})),
    ] {
        let first = make(&path, &body, "key").await.expect(201);
        let again = make(&path, &body, "key").await.expect(201);
        assert_eq!(first.body, again.body, "{path}");
        assert_eq!(again.headers["idempotency-replayed"], "true", "{path}");
    }
    let mut changed = body;
    changed["businessIndustry"] = json!("Bakery");
    make("/tenants", &changed, "key").await.refused(409, "idempotency_mismatch");
    for bad in ["", "with blank", &"x".repeat(201)] {
        make("/tenants", &changed, bad).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn a_program_that_comes_again_with_another_token_is_answered_the_same() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let make = async || {
        let token = app.server(&andina, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await;
        let body = json!({ "siteId": "main" });
        let mut request = app.signed(&token, Method::POST, &andina.path("/keys"), Some(&body));
        put(&mut request, "idempotency-key", "0001");
        app.send(request).await.expect(201)
    };
    let (first, again) = (make().await, make().await);
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn of_many_at_once_one_has_the_effect() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let open = async || {
        let mut request = app.signed(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })));
        put(&mut request, "idempotency-key", "same");
        app.send(request).await.expect(201).text("sessionId")
    };
    let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
    assert!(a == b && b == c && c == d);
}
