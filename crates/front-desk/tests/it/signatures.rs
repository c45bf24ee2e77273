//! The pipeline: each refusal, in its order, and every byte that a signature covers.

use crate::support::{App, BASE, HOST, Token, bare, put, raw, with_bearer};
use axum::body::Body;
use http::{Method, Request};
use misy_domain::Clock;
use misy_trust::{SignedRequest, request_signature, sha256};
use serde_json::json;
use std::time::Duration;

fn open() -> serde_json::Value {
    json!({ "channel": "web" })
}

#[tokio::test]
async fn each_step_refuses_with_its_own_code() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let good = || app.signed(&token, Method::POST, "/sessions", Some(&open()));
    let without = |name: &str| {
        let mut request = good();
        request.headers_mut().remove(name);
        request
    };
    let with = |name: &'static str, value: &str| {
        let mut request = good();
        put(&mut request, name, value);
        request
    };
    app.send(good()).await.expect(201);
    app.send(without("authorization")).await.refused(401, "token_missing");
    app.send(with("authorization", "Basic eDp5")).await.refused(401, "token_missing");
    app.send(with("authorization", "Bearer x")).await.refused(401, "token_invalid");
    app.send(without("origin")).await.refused(403, "origin_not_allowed");
    app.send(with("origin", "https://evil.example")).await.refused(403, "origin_not_allowed");
    for header in ["x-misy-signature", "x-misy-timestamp", "x-misy-nonce"] {
        app.send(without(header)).await.refused(401, "signature_missing");
    }
    for (header, value) in [
        ("x-misy-signature", "v1="),
        ("x-misy-signature", "v2=00"),
        ("x-misy-timestamp", "soon"),
        ("x-misy-timestamp", "+1790000000"),
        ("x-misy-nonce", "short"),
        ("x-misy-nonce", "not base64url!"),
    ] {
        app.send(with(header, value)).await.refused(401, "signature_invalid");
    }
    let old = good();
    let in_window = good();
    app.advance(Duration::from_mins(5));
    app.send(in_window).await.expect(201);
    app.advance(Duration::from_secs(1));
    let answer = app.send(old).await.refused(401, "timestamp_out_of_window");
    assert!(answer.text("serverTime").parse::<misy_domain::Timestamp>().is_ok());

    let reading = json!({ "siteId": "main", "permissions": ["chat:read"] });
    let reading = app.send(app.mint_request(&andina, &reading)).await.expect(201);
    let reading = Token::of(&reading.body, None, Some(andina.origin.clone()));
    app.call(&reading, Method::POST, "/sessions", Some(&open())).await.refused(403, "permission_denied");
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    app.send(good()).await.refused(403, "tenant_suspended");
}

/// A request with everything wrong is refused for the first step that it fails; mended, for the next.
#[tokio::test]
async fn the_steps_come_in_the_order_of_the_contract() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let reading = json!({ "siteId": "main", "permissions": ["chat:read"] });
    let reading = app.send(app.mint_request(&andina, &reading)).await.expect(201);
    let mut token = Token::of(&reading.body, None, Some("https://evil.example".to_owned()));
    let limits = json!({ "limits": [{ "scope": "key", "requests": 1, "periodSeconds": 3600 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    let wrong = || {
        let mut request = app.signed(&token, Method::POST, "/sessions", Some(&json!({})));
        put(&mut request, "x-misy-signature", &format!("v1={}", "0".repeat(64)));
        put(&mut request, "x-misy-timestamp", "1");
        request
    };
    let mut request = wrong();
    request.headers_mut().append("authorization", "Bearer again".parse().unwrap());
    app.send(request).await.refused(400, "bad_request");
    app.send(with_bearer(wrong(), "x")).await.refused(401, "token_invalid");
    app.send(wrong()).await.refused(403, "tenant_suspended");
    app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
    app.send(wrong()).await.refused(403, "origin_not_allowed");
    token.origin = Some(andina.origin.clone());
    let mut request = app.signed(&token, Method::POST, "/sessions", Some(&json!({})));
    put(&mut request, "x-misy-signature", &format!("v1={}", "0".repeat(64)));
    put(&mut request, "x-misy-timestamp", "1");
    app.send(request).await.refused(401, "signature_invalid");
    let early = app.signed(&token, Method::POST, "/sessions", Some(&json!({})));
    let replayed = app.signed(&token, Method::GET, "/sessions/ses_00000000000000000000000000", None);
    let again = copy(&replayed);
    app.send(replayed).await.refused(404, "not_found");
    app.send(again).await.refused(401, "replay_detected");
    let answer = app.send(early).await.refused(429, "rate_limited");
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(answer.headers["ratelimit-policy"], "\"key\";q=1;w=3600");
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&json!({ "limits": [] })))
        .await
        .expect(200);
    let last = app.signed(&token, Method::POST, "/sessions", Some(&json!({})));
    app.send(last).await.refused(403, "permission_denied");
}

fn copy(request: &Request<Body>) -> Request<Body> {
    let mut copy = Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        copy = copy.header(name, value);
    }
    copy.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_signature_covers_every_byte() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let path = format!("{BASE}/sessions/{session}/messages");
    let (query, body) = ("after=0&limit=20", r#"{"channel":"web"}"#);
    let timestamp = app.store.clock.unix_seconds().to_string();
    let sign = |nonce: &str, method: &str, host: &str, path: &str, query: &str, body: &str, text: &str| {
        let request = SignedRequest {
            method,
            host,
            path,
            query,
            body_sha256: sha256(body.as_bytes()),
            timestamp: &timestamp,
            nonce,
            token_sha256: Some(sha256(text.as_bytes())),
        };
        request_signature::sign(&token.key, &request).unwrap()
    };
    let send =
        async |method: Method, target: String, body: &str, stamp: &str, nonce: &str, signature: &str| {
            let sent = (!body.is_empty()).then(|| body.as_bytes().to_vec());
            let mut request = with_bearer(raw(method, &target, sent), &token.text);
            put(&mut request, "origin", &andina.origin);
            put(&mut request, "x-misy-timestamp", stamp);
            put(&mut request, "x-misy-nonce", nonce);
            put(&mut request, "x-misy-signature", signature);
            app.send(request).await
        };
    let target = |path: &str, query: &str| format!("{path}?{query}");

    let nonce = app.nonce();
    let good = sign(&nonce, "GET", HOST, &path, query, "", &token.text);
    send(Method::GET, target(&path, query), "", &timestamp, &nonce, &good).await.expect(200);

    let mut altered = 0;
    let flip = |text: &str, at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        String::from_utf8(bytes).unwrap()
    };
    // Signed for something else by one byte, sent as it should be.
    let nonce = app.nonce();
    for (part, length) in [
        ("host", HOST.len()),
        ("path", path.len()),
        ("query", query.len()),
        ("nonce", nonce.len()),
        ("token", token.text.len()),
    ] {
        for at in usize::from(part == "path")..length {
            let pick = |name: &str, text: &str| if part == name { flip(text, at) } else { text.to_owned() };
            let (host, path_, query_) = (pick("host", HOST), pick("path", &path), pick("query", query));
            let (nonce_, text) = (pick("nonce", &nonce), pick("token", &token.text));
            let signature = sign(&nonce_, "GET", &host, &path_, &query_, "", &text);
            send(Method::GET, target(&path, query), "", &timestamp, &nonce, &signature)
                .await
                .refused(401, "signature_invalid");
            altered += 1;
        }
    }
    let other_method = sign(&nonce, "PUT", HOST, &path, query, "", &token.text);
    send(Method::GET, target(&path, query), "", &timestamp, &nonce, &other_method)
        .await
        .refused(401, "signature_invalid");
    let open_path = format!("{BASE}/sessions");
    for at in 0..body.len() {
        let signature = sign(&nonce, "POST", HOST, &open_path, "", &flip(body, at), &token.text);
        send(Method::POST, open_path.clone(), body, &timestamp, &nonce, &signature)
            .await
            .refused(401, "signature_invalid");
        altered += 1;
    }
    let good = sign(&nonce, "POST", HOST, &open_path, "", body, &token.text);
    for at in 0..timestamp.len() {
        let answer = send(Method::POST, open_path.clone(), body, &flip(&timestamp, at), &nonce, &good).await;
        answer.refused(401, "signature_invalid");
        altered += 1;
    }
    for at in 3..good.len() {
        send(Method::POST, open_path.clone(), body, &timestamp, &nonce, &flip(&good, at))
            .await
            .refused(401, "signature_invalid");
    }
    // None of that has used the nonce up. Two signatures while keys rotate: one good one is enough.
    let two = format!("v1={} {good}", "0".repeat(64));
    send(Method::POST, open_path, body, &timestamp, &nonce, &two).await.expect(201);
    assert!(altered > 500);
}

#[tokio::test]
async fn hosts_are_what_the_request_says_and_only_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let signed = || app.signed(&token, Method::POST, "/sessions", Some(&open()));
    let mut upper = signed();
    put(&mut upper, "host", "API.misy.example");
    app.send(upper).await.expect(201);
    let mut other = signed();
    put(&mut other, "host", "other.example");
    app.send(other).await.refused(401, "signature_invalid");
    let mut none = signed();
    none.headers_mut().remove("host");
    app.send(none).await.refused(400, "bad_request");
    let mut absolute = signed();
    *absolute.uri_mut() = format!("http://{HOST}{BASE}/sessions").parse().unwrap();
    app.send(absolute).await.expect(201);
    let mut disagreeing = signed();
    *disagreeing.uri_mut() = format!("http://evil.example{BASE}/sessions").parse().unwrap();
    app.send(disagreeing).await.refused(400, "bad_request");
}

#[tokio::test]
async fn headers_that_decide_about_trust_stand_there_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    for name in [
        "authorization",
        "origin",
        "host",
        "content-length",
        "content-type",
        "x-misy-timestamp",
        "x-misy-nonce",
        "x-misy-signature",
        "x-api-key",
        "x-misy-key",
        "idempotency-key",
        "if-match",
    ] {
        let mut request = app.signed(&token, Method::POST, "/sessions", Some(&open()));
        let value = request.headers().get(name).cloned().unwrap_or_else(|| "x".parse().unwrap());
        let name = http::HeaderName::from_static(name);
        request.headers_mut().insert(&name, value.clone());
        request.headers_mut().append(&name, value);
        app.send(request).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_say_so() {
    let app = App::start().await;
    app.send(bare(Method::GET, "/nothing", None)).await.refused(404, "not_found");
    app.send(raw(Method::GET, "/", None)).await.refused(404, "not_found");
    let answer = app.send(bare(Method::DELETE, "/messages", None)).await.refused(405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "POST");
    app.send(raw(Method::GET, "/health/ready", None)).await.expect(200);
    app.send(raw(Method::GET, "/metrics", None)).await.refused(404, "not_found");
}
