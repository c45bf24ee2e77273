//! Requests that are almost right: whatever a stranger or a visitor changes of them, they are answered, and never with a
//! failure of ours. See `misy_testkit::fuzz` for how many there are.

use crate::support::{App, BASE, Token, bare, put, raw};
use axum::{body::Body, extract::ConnectInfo};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use misy_testkit::fuzz::{Dice, rounds};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// One target gets as many inputs as all others, divided by this: each is a call with a database behind it.
const HEAVY: u64 = 4;

struct Stage {
    app: App,
    token: Token,
    session: String,
    dice: Dice,
    sent: u32,
}

impl Stage {
    /// The owner's own site, which has no quota that a fuzzer could use up.
    async fn new(target: &str) -> Self {
        let app = App::start_with(|settings| settings.trusted_proxies = 1).await;
        let owner = app.owner().await;
        let token = app.browser(&owner).await;
        let session = app.session(&token).await;
        Self { app, token, session, dice: Dice::of(target), sent: 0 }
    }

    /// Sends a request from an address of its own, a second later than the one before, so that no limit hides anything.
    async fn send(&mut self, mut request: Request<Body>, shown: &str) -> u16 {
        self.sent += 1;
        let [.., high, middle, low] = self.sent.to_be_bytes();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, high, middle, low], 40_000))));
        let response = self.app.open(request).await;
        self.app.advance(Duration::from_secs(1));
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").cloned();
        if kind.is_some_and(|kind| kind == "text/event-stream") {
            // It goes on for as long as somebody listens.
            return status;
        }
        let body = axum::body::to_bytes(response.into_body(), 10_000_000).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(status < 500, "{status} {body} to {shown}");
        assert!(status < 400 || body.is_empty() || body.contains("\"code\""), "{status} {body} to {shown}");
        status
    }

    fn signed(&self, method: Method, target: &str, body: Option<&[u8]>) -> Request<Body> {
        let mut request = self.app.signed_by(&self.token.key, Some(&self.token.text), method, target, body);
        put(&mut request, "origin", self.token.origin.as_deref().unwrap());
        request
    }
}

#[tokio::test]
async fn envelopes_of_visitors() {
    let mut stage = Stage::new("envelopes of visitors").await;
    let session = stage.session.clone();
    let bodies = [
        (
            "/messages",
            json!({
                "sessionId": session, "channel": "web", "text": "Hola, ¿a qué hora abren?", "clientMessageId": "m-1"
            }),
        ),
        (
            "/sessions",
            json!({ "channel": "web", "locale": "es-CO", "metadata": { "page": "/", "n": [1, 2] } }),
        ),
        ("/tokens/revoke", json!({ "tokenId": "tok_00000000000000000000000001" })),
    ];
    let mut accepted = 0;
    for _ in 0..rounds(HEAVY) * 2 {
        let (path, body) = stage.dice.one(&bodies).unwrap().clone();
        let body = stage.dice.json(&body).to_string();
        // Sometimes what is no longer JSON at all.
        let bytes =
            if stage.dice.below(3) == 0 { stage.dice.bytes(body.as_bytes(), &[]) } else { body.into_bytes() };
        let request = stage.signed(Method::POST, path, Some(&bytes));
        let status = stage.send(request, &format!("{path} {}", String::from_utf8_lossy(&bytes))).await;
        accepted += u32::from(status < 300);
    }
    // Else everything was refused at the door and nothing was tried.
    assert!(accepted > 0);
}

#[tokio::test]
async fn envelopes_of_strangers() {
    let mut stage = Stage::new("envelopes of strangers").await;
    let credential = json!({
        "id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": {},
        "response": { "clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA", "userHandle": "AAAA" }
    });
    let challenge = format!("chl_{}", "A".repeat(43));
    let bodies = [
        (
            "/tokens",
            json!({ "siteId": "main", "permissions": ["chat:read"], "ttlSeconds": 60, "sig": "token" }),
        ),
        (
            "/auth/sign-in",
            json!({ "email": "ana@business.example", "password": "correct horse battery", "tenantId": "andina" }),
        ),
        ("/auth/second-factor", json!({ "challenge": challenge, "code": "123456" })),
        ("/auth/passkeys/sign-in/finish", json!({ "ceremony": "A".repeat(43), "credential": credential })),
        ("/auth/password/forgot", json!({ "email": "ana@business.example" })),
        (
            "/auth/password/reset",
            json!({ "token": format!("rst_{}", "A".repeat(43)), "password": "correct horse battery" }),
        ),
        (
            "/auth/invitations/accept",
            json!({ "token": format!("inv_{}", "A".repeat(43)), "password": "correct horse battery" }),
        ),
        (
            "/tenants/register",
            json!({
                "tenantName": "Andina", "contactEmail": "a@b.example", "websiteUrl": "https://b.example",
                "businessIndustry": "Clinic"
            }),
        ),
    ];
    for _ in 0..rounds(HEAVY) * 2 {
        let (path, body) = stage.dice.one(&bodies).unwrap().clone();
        let body = stage.dice.json(&body).to_string();
        let bytes =
            if stage.dice.below(3) == 0 { stage.dice.bytes(body.as_bytes(), &[]) } else { body.into_bytes() };
        let mut request = raw(Method::POST, &format!("{BASE}{path}"), Some(bytes.clone()));
        put(&mut request, "origin", "https://api.misy.example");
        put(&mut request, "sec-fetch-site", "same-origin");
        stage.send(request, &format!("{path} {}", String::from_utf8_lossy(&bytes))).await;
    }
}

#[tokio::test]
async fn headers_that_decide() {
    let mut stage = Stage::new("headers").await;
    let session = stage.session.clone();
    let bearer = format!("Bearer {}", stage.token.text);
    let extra = [
        ("idempotency-key", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("if-match", "\"3\""),
        ("if-none-match", "W/\"3\""),
        ("cookie", "__Host-misy_session=bss_AAAA; __Host-misy_device=dev_AAAA; a=\"b\""),
        ("last-event-id", "12"),
        ("x-forwarded-for", "203.0.113.7:443, [2001:db8::1]:80, 10.0.0.1"),
        ("x-api-key", "pk_live_AAAA"),
        ("x-misy-key", "key_00000000000000000000000001"),
        ("x-misy-csrf", "AAAA"),
        ("sec-fetch-site", "same-origin"),
        ("accept", "text/event-stream;q=0.9, */*"),
        ("content-type", "application/json; charset=\"utf-8\""),
        ("content-encoding", "identity"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-misy-signature, content-type"),
        ("authorization", &bearer),
    ];
    for _ in 0..rounds(HEAVY) * 2 {
        let (method, target, body) = match stage.dice.below(4) {
            0 => (Method::GET, format!("/sessions/{session}/messages?after=0&limit=5"), None),
            1 => (Method::POST, "/sessions".into(), Some(json!({ "channel": "web" }).to_string())),
            2 => (Method::OPTIONS, "/messages".into(), None),
            _ => (Method::GET, "/auth/me".into(), None),
        };
        let mut request = stage.signed(method, &target, body.as_deref().map(str::as_bytes));
        for _ in 0..2 {
            let (name, value) = *stage.dice.one(&extra).unwrap();
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let names: Vec<HeaderName> = request.headers().keys().cloned().collect();
        let name = stage.dice.one(&names).unwrap().clone();
        let value = stage.dice.bytes(request.headers()[&name].as_bytes(), &[]);
        let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
        // Now and then a second time, or nowhere at all.
        match stage.dice.below(6) {
            0 => drop(request.headers_mut().append(&name, value)),
            1 => drop(request.headers_mut().remove(&name)),
            _ => drop(request.headers_mut().insert(&name, value)),
        }
        let shown = format!("{} {target} {:?}", request.method(), request.headers());
        stage.send(request, &shown).await;
    }
}

#[tokio::test]
async fn paths_and_queries() {
    let mut stage = Stage::new("paths").await;
    let session = stage.session.clone();
    let targets = [
        format!("/sessions/{session}/messages?after=0&limit=5"),
        format!("/sessions/{session}/events?after=3"),
        format!("/sessions/{session}"),
        "/tenants/colombiatic/audit?limit=10&cursor=aud_00000000000000000000000001&from=2026-01-01T00:00:00Z"
            .into(),
        "/tenants/colombiatic/usage?from=2026-01-01&to=2026-02-01".into(),
        "/auth/oidc/callback?state=AAAA&code=BBBB&iss=https%3A%2F%2Fissuer.example".into(),
    ];
    let others: Vec<Vec<u8>> = targets.iter().map(|target| target.clone().into_bytes()).collect();
    for _ in 0..rounds(HEAVY) * 2 {
        let from = stage.dice.one(&targets).unwrap().clone();
        let bytes = stage.dice.bytes(from.as_bytes(), &others);
        let Ok(target) = String::from_utf8(bytes) else { continue };
        // Only what hyper would have taken from a socket.
        if format!("{BASE}{target}").parse::<Uri>().is_err() || target.is_empty() {
            continue;
        }
        let request = if stage.dice.below(2) == 0 {
            // What cannot be signed is sent without.
            if target.contains(|c: char| !c.is_ascii_graphic()) {
                continue;
            }
            stage.signed(Method::GET, &target, None)
        } else {
            bare(Method::GET, &target, None::<&Value>)
        };
        stage.send(request, &target).await;
    }
}
