//! SEC-12: whatever is sent, the answer is a problem of the caller, never one of ours.

use crate::{
    people::Browser,
    support::{App, BASE, HOST, Token, bare, put, raw, with_bearer},
};
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use std::time::Duration;

/// Every call that reads a body, with a good one.
fn bodies(tenant: &str, session: &str) -> Vec<(Method, String, Value)> {
    let tenant = format!("/tenants/{tenant}");
    vec![
        (Method::POST, "/tokens".into(), json!({ "siteId": "main" })),
        (Method::POST, "/tokens/revoke".into(), json!({ "tokenId": "tat_00000000000000000000000000" })),
        (Method::POST, "/sessions".into(), json!({ "channel": "web" })),
        (Method::POST, "/messages".into(), json!({ "sessionId": session, "text": "hola" })),
        (Method::POST, "/tenants".into(), crate::support::registration("Verde", "https://verde.example")),
        (
            Method::POST,
            "/tenants/register".into(),
            crate::support::registration("Roja", "https://roja.example"),
        ),
        (Method::PATCH, tenant.clone(), json!({ "tenantName": "x" })),
        (Method::PUT, format!("{tenant}/context-pack"), json!({})),
        (
            Method::POST,
            format!("{tenant}/sites"),
            json!({ "siteId": "shop", "origins": ["https://s.example"] }),
        ),
        (Method::PATCH, format!("{tenant}/sites/main"), json!({ "name": "x" })),
        (Method::POST, format!("{tenant}/keys"), json!({ "siteId": "main" })),
        (Method::POST, format!("{tenant}/secrets"), json!({})),
        (Method::PUT, "/tenants/colombiatic/limits".into(), json!({ "limits": [] })),
    ]
}

struct Caller {
    app: App,
    token: Token,
    /// Of a server that manages the tenant.
    server: Token,
    /// Of the owner.
    person: Browser,
    owner: crate::support::Tenant,
    andina: crate::support::Tenant,
}

impl Caller {
    /// The request with everything that proves the caller, and this body.
    fn request(&self, method: &Method, path: &str, body: &[u8]) -> Request<Body> {
        if path == "/tokens" {
            let mut request = raw(method.clone(), &format!("{BASE}{path}"), Some(body.to_vec()));
            put(&mut request, "x-api-key", &self.andina.publishable_key);
            put(&mut request, "origin", &self.andina.origin);
            return request;
        }
        if path == "/sessions" || path == "/messages" || path == "/tokens/revoke" {
            let key = &self.token.key;
            let mut request =
                self.app.signed_by(key, Some(&self.token.text), method.clone(), path, Some(body));
            put(&mut request, "origin", &self.andina.origin);
            return request;
        }
        if path.ends_with("/secrets") {
            let (key, text) = (&self.server.key, Some(&*self.server.text));
            return self.app.signed_by(key, text, method.clone(), path, Some(body));
        }
        if path.ends_with("/limits") {
            // What a plan allows is for people of the owner to say.
            let mut request = self.person.request(method.clone(), path, Some(&json!({})));
            put(&mut request, "content-length", &body.len().to_string());
            *request.body_mut() = Body::from(body.to_vec());
            return request;
        }
        let request = raw(method.clone(), &format!("{BASE}{path}"), Some(body.to_vec()));
        let who = if path.starts_with("/tenants/andina") { &self.andina } else { &self.owner };
        with_bearer(request, &who.administrator)
    }
}

async fn caller() -> (Caller, String) {
    let app = App::start_with(|settings| {
        settings.limits.tokens_per_address.requests = 100_000;
        settings.limits.registrations_per_address.requests = 100_000;
        settings.limits.free.key.requests = 100_000;
        settings.limits.enterprise.key.requests = 100_000;
        settings.limits.free.session.requests = 100_000;
    })
    .await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let server = app.server(&andina, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await;
    let person = app.at_once(&owner).await;
    (Caller { app, token, server, person, owner, andina }, session)
}

#[tokio::test]
async fn every_body_is_read_strictly() {
    let (caller, session) = caller().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let long = json!({ "tenantName": "x".repeat(100_000), "text": "x".repeat(5_000) }).to_string();
    for (method, path, good) in bodies("andina", &session) {
        let mut cases: Vec<(&str, Vec<u8>, u16)> = vec![
            ("not JSON", b"{".to_vec(), 400),
            ("nothing but blanks", b"  ".to_vec(), 400),
            ("two values", b"{} {}".to_vec(), 400),
            ("not UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec(), 400),
            ("a lone surrogate", br#"{"a":"\ud800"}"#.to_vec(), 400),
            ("NUL", br#"{"siteId":"ma\u0000in","text":"\u0000"}"#.to_vec(), 400),
            ("too deep", deep.clone().into_bytes(), 400),
            ("a list", b"[]".to_vec(), 422),
            ("a text", b"\"x\"".to_vec(), 422),
            ("null", b"null".to_vec(), 422),
            ("too long", long.clone().into_bytes(), 422),
        ];
        let mut unknown = good.clone();
        unknown["unknownMember"] = json!(1);
        cases.push(("unknown", unknown.to_string().into_bytes(), 422));
        let mut twice = good.to_string();
        twice.insert_str(1, "\"x\":1,\"x\":2,");
        cases.push(("twice", twice.replace(",}", "}").into_bytes(), 400));
        for (name, value) in good.as_object().unwrap() {
            let mut wrong = good.clone();
            wrong[name] = if value.is_number() { json!("x") } else { json!({ "a": [1] }) };
            cases.push(("wrong type", wrong.to_string().into_bytes(), 422));
        }
        for (what, body, status) in cases {
            let answer = caller.app.send(caller.request(&method, &path, &body)).await;
            assert_eq!(answer.status, status, "{what}: {method} {path}: {}", answer.body);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            if status == 422 {
                assert!(answer.body["errors"][0]["pointer"].is_string(), "{what}: {path}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn bodies_must_be_plain_json_of_a_bearable_size() {
    let (caller, session) = caller().await;
    for (method, path, good) in bodies("andina", &session) {
        let body = good.to_string().into_bytes();
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=latin1",
            "",
        ] {
            let mut request = caller.request(&method, &path, &body);
            put(&mut request, "content-type", content_type);
            caller.app.send(request).await.refused(415, "unsupported_media_type");
        }
        for encoding in ["gzip", "br", "deflate", "identity, gzip", "zstd"] {
            let mut request = caller.request(&method, &path, &body);
            put(&mut request, "content-encoding", encoding);
            caller.app.send(request).await.refused(415, "unsupported_media_type");
        }
        let large = vec![b' '; 10_000_000];
        caller.app.send(caller.request(&method, &path, &large)).await.refused(413, "body_too_large");
        let mut chunked = caller.request(&method, &path, &large);
        chunked.headers_mut().remove("content-length");
        put(&mut chunked, "transfer-encoding", "chunked");
        caller.app.send(chunked).await.refused(413, "body_too_large");
        let mut lying = caller.request(&method, &path, &body);
        put(&mut lying, "content-length", "many");
        caller.app.send(lying).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let app = App::start_with(|settings| settings.body_timeout = Duration::from_millis(100)).await;
    let stream = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{BASE}/tokens"))
        .header("host", HOST)
        .header("content-type", "application/json")
        .header("content-length", "20")
        .body(Body::from_stream(stream))
        .unwrap();
    app.send(request).await.refused(408, "request_timeout");
}

#[tokio::test]
async fn what_is_not_supported_says_so() {
    let (caller, session) = caller().await;
    for (path, body) in [
        ("/sessions", json!({ "channel": "web", "identity": { "sub": "x" } })),
        ("/sessions", json!({ "channel": "whatsapp" })),
    ] {
        let request = caller.request(&Method::POST, path, body.to_string().as_bytes());
        caller.app.send(request).await.refused(422, "not_supported");
    }
    for (body, pointer) in [
        (json!({ "sessionId": session }), "/text"),
        (json!({ "sessionId": session, "text": "" }), "/text"),
        (json!({ "sessionId": session, "text": " \n" }), "/text"),
        (json!({ "sessionId": session, "text": "ñ".repeat(4_001) }), "/text"),
        (json!({ "sessionId": session, "text": "x", "clientMessageId": "" }), "/clientMessageId"),
        (json!({ "sessionId": session, "text": "x", "metadata": [] }), "/metadata"),
        (json!({ "sessionId": session, "text": "x", "metadata": { "a": "x".repeat(5_000) } }), "/metadata"),
        (json!({ "sessionId": session, "action": {} }), "/action/type"),
        (json!({ "sessionId": session, "text": "x", "attachments": [] }), "/attachments"),
        (json!({ "sessionId": session, "attachments": [{ "fileId": "x" }] }), "/attachments/0"),
        (
            json!({ "sessionId": session, "text": "", "attachments": ["fil_00000000000000000000000000"] }),
            "/text",
        ),
        (json!({ "text": "x" }), "/sessionId"),
        (json!({ "sessionId": session, "text": "x", "channel": "fax" }), "/channel"),
    ] {
        let request = caller.request(&Method::POST, "/messages", body.to_string().as_bytes());
        let answer = caller.app.send(request).await.refused(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
    let longest = json!({ "sessionId": session, "text": "ñ".repeat(4_000) });
    let request = caller.request(&Method::POST, "/messages", longest.to_string().as_bytes());
    caller.app.send(request).await.expect(202);
}

#[tokio::test]
async fn odd_addresses_name_nothing() {
    let (caller, _) = caller().await;
    for path in [
        "/tenants/%00",
        "/tenants/%ff",
        "/tenants/..%2f",
        "/tenants/ANDINA",
        "/tenants/andina%20",
        "/tenants/andina/sites/%F0%9F%98%80",
        "/tenants/andina/keys/1",
        "/tenants/andina/decisions?messageId=1",
    ] {
        let request = with_bearer(bare(Method::GET, path, None), &caller.andina.administrator);
        let answer = caller.app.send(request).await;
        assert!([404, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.body);
    }
    let mut request = bare(Method::GET, "/tenants", None);
    put(&mut request, "x-filler", &"x".repeat(40_000));
    caller.app.send(request).await;
}
