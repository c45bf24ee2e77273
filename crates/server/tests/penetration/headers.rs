//! Line breaks and control characters in everything that comes back.

use crate::{
    stage::Stage,
    wire::{Answer, HOST, Request, percent_encoded},
};
use misy_testkit::client::BASE;
use serde_json::json;

/// A name that no answer has unless it was planted.
const PLANTED: &str = "x-planted";

fn is_clean(answer: &Answer, what: &str) {
    for (name, value) in &answer.headers {
        assert_ne!(name, PLANTED, "{what}");
        assert!(!value.iter().any(|byte| *byte < 0x20 || *byte == 0x7f), "{what}: {name}");
        assert!(!String::from_utf8_lossy(value).contains("evil"), "{what}: {name}");
    }
    assert!(answer.status < 500, "{what}: {}", answer.shown());
    let id = answer.header("x-request-id").unwrap_or_default();
    assert!(id.starts_with("req_") && id.len() == 30, "{what}: {id}");
}

fn breaks() -> Vec<String> {
    let tail = format!("{PLANTED}: evil");
    let raw =
        ["\r\n", "\n", "\r", "\0", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{560a}", "\u{560d}\u{560a}"];
    let mut texts: Vec<String> = raw.iter().map(|line| format!("evil{line}{tail}")).collect();
    texts.extend(
        ["%0d%0a", "%0a", "%0d", "%00", "%c4%8d%c4%8a", "%e5%98%8d%e5%98%8a", "%250d%250a", "\\r\\n"]
            .map(|line| format!("evil{line}{tail}")),
    );
    texts.push(format!("evil\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n{tail}\r\n\r\n<script>"));
    texts
}

#[tokio::test]
async fn nothing_that_is_sent_becomes_a_header_of_the_answer() {
    let stage = Stage::start().await;
    let token = stage.browser(&stage.andina).await;
    let own = stage.andina.path("");
    for text in breaks() {
        // Percent-encoded in paths and queries.
        for target in [
            format!("/{}", percent_encoded(&text)),
            format!("{BASE}/tenants/{}", percent_encoded(&text)),
            format!("{own}/sites/{}", percent_encoded(&text)),
            format!("{own}/audit/export?format={}", percent_encoded(&text)),
            format!("{own}/audit/export?from={}", percent_encoded(&text)),
            format!("{own}/audit/report?format=html&lang={}", percent_encoded(&text)),
            format!("{BASE}/tenants?q={}&cursor={}", percent_encoded(&text), percent_encoded(&text)),
            format!("/docs/{}", percent_encoded(&text)),
            format!("/sdk/{}", percent_encoded(&text)),
        ] {
            let request = Request::new("GET", &*target).bearer(&stage.andina.administrator);
            is_clean(&stage.send(request).await, &target);
        }
        // In headers that come back or that are looked at.
        for name in [
            "x-request-id",
            "traceparent",
            "origin",
            "if-match",
            "if-none-match",
            "idempotency-key",
            "user-agent",
            "referer",
            "accept",
            "accept-language",
            "range",
            "cookie",
            "last-event-id",
            "x-api-key",
        ] {
            let bytes = Request::new("GET", &*own)
                .bearer(&stage.andina.administrator)
                .header(name, &text)
                .header("connection", "close")
                .bytes();
            for answer in stage.wire.converse(&bytes).await {
                if answer.header("x-request-id").is_some() {
                    is_clean(&answer, name);
                } else {
                    assert_eq!(answer.status, 400, "{name}: {}", answer.shown());
                }
            }
        }
        // In bodies, whose problems name what they do not take.
        let unknown = json!({ text.clone(): 1, "siteId": text });
        for path in [format!("{BASE}/tokens"), format!("{own}/keys"), format!("{own}/sites")] {
            let request = Request::new("POST", &*path).bearer(&stage.andina.administrator).json(&unknown);
            let request = request
                .header("x-api-key", &stage.andina.publishable_key)
                .header("origin", &stage.andina.origin);
            let answer = stage.send(request).await;
            is_clean(&answer, &path);
            assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"));
        }
        let name = json!({ "tenantName": text });
        let renamed = Request::new("PATCH", &*own).bearer(&stage.andina.administrator).json(&name);
        is_clean(&stage.send(renamed).await, "a name");
        let read = Request::new("GET", &*own).bearer(&stage.andina.administrator);
        is_clean(&stage.send(read).await, "the name");
        // The tenant's name stands in what is exported.
        for format in ["html", "json"] {
            let target = format!("{own}/audit/report?format={format}");
            let report = Request::new("GET", target).bearer(&stage.andina.administrator);
            is_clean(&stage.send(report).await, "a report");
        }
    }
    let body = json!({ "channel": "web", "metadata": { "a\r\nx-planted": "evil\r\nx-planted: evil" } });
    is_clean(
        &stage.send(token.sign(Request::new("POST", format!("{BASE}/sessions")).json(&body))).await,
        "metadata",
    );
}

#[tokio::test]
async fn an_id_of_a_request_is_made_here_and_never_taken() {
    let stage = Stage::start().await;
    for id in ["req_00000000000000000000000000", "x", "1", &"r".repeat(2_000)] {
        for name in ["x-request-id", "x-correlation-id", "request-id"] {
            let answer = stage.send(Request::new("GET", "/nowhere").header(name, id)).await.expect(404);
            assert_ne!(answer.header("x-request-id").as_deref(), Some(id), "{name}");
            assert_eq!(answer.header("x-request-id").unwrap(), answer.text("/requestId"));
        }
    }
}

#[tokio::test]
async fn every_answer_says_how_a_browser_must_treat_it() {
    let stage = Stage::start().await;
    let own = stage.andina.path("");
    let script = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    let name = json!({ "tenantName": script });
    stage.manage(&stage.andina, "PATCH", &own, Some(&name)).await;
    for target in [
        "/",
        "/docs",
        "/enroll",
        "/openapi.json",
        "/nowhere",
        "/health/live",
        &own,
        &format!("{own}/audit/report?format=html"),
        &format!("{BASE}/tenants/{}", "%3Cscript%3Ealert(1)%3C/script%3E"),
    ] {
        let answer = stage.send(Request::new("GET", target).bearer(&stage.andina.administrator)).await;
        assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"), "{target}");
        assert_eq!(answer.header("referrer-policy").as_deref(), Some("no-referrer"), "{target}");
        assert!(answer.header("cache-control").is_some(), "{target}");
        assert_eq!(answer.header("server"), None, "{target}");
        assert_eq!(answer.header("x-powered-by"), None, "{target}");
        let kind = answer.header("content-type").unwrap_or_default();
        if kind.starts_with("text/html") {
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(
                policy.contains("default-src 'none'") && !policy.contains("unsafe"),
                "{target}: {policy}"
            );
            assert!(policy.contains("frame-ancestors 'none'"), "{target}: {policy}");
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{target}");
        }
    }
    let trace = Request::new("TRACE", "/health/live").header("x-secret", "evil");
    let answer = stage.send(trace).await;
    assert_eq!(answer.status, 405);
    assert!(!answer.shown().contains("evil"));
    let options = format!("OPTIONS * HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    for answer in stage.wire.converse(options.as_bytes()).await {
        assert!((200..500).contains(&answer.status), "{}", answer.shown());
    }
}
