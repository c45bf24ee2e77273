//! What a warm request costs in CPU time: a bare echo, and a call that passes the whole pipeline and finds nothing (its
//! session id is of the wrong kind, so no handler asks the database). Run with `--release`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for developers")]

use axum::{Router, body::Body, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use misy_domain::{Clock, Entropy, Secret, limit::Quota};
use misy_egress::{Egress, EgressSettings};
use misy_front_desk::{FrontDesk, Parts, PlanLimits, SelfRegistration, Settings};
use misy_testkit::store::test_store;
use misy_trust::{RequestKey, SignedRequest, request_signature, sha256};
use misy_workbench::Packs;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

const REQUESTS: usize = 50_000;
const HOST: &str = "api.misy.example";
const PATH: &str = "/api/meta-agent/sessions/none";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let store = test_store().await.unwrap();
    let mut settings = Settings::new("https://api.misy.example", "colombiatic".parse().unwrap());
    settings.self_registration = SelfRegistration::Open;
    let wide = Quota::per_minute(1_000_000_000);
    settings.limits.free =
        PlanLimits { tenant: wide, site: wide, key: wide, session: wide, channel: wide, agent: wide };
    let desk = FrontDesk::new(Parts {
        database: store.database.clone(),
        vault: store.vault.clone(),
        bell: store.bell.clone(),
        clock: store.clock.clone(),
        entropy: Arc::new(misy_trust::SystemEntropy::new()),
        egress: Egress::new(EgressSettings::default()).unwrap(),
        settings,
        metrics: None,
        redis: None,
        packs: Packs::start(64 * 1024 * 1024).unwrap(),
        files: store.files.clone(),
    })
    .await
    .unwrap();
    let router = desk.router();
    let made = post(&router, "/api/meta-agent/tenants/register", None, &json!({
        "tenantName": "Andina", "contactEmail": "a@andina.example", "websiteUrl": "https://andina.example",
        "businessIndustry": "clinic"
    }))
    .await;
    let key = made["publishableKey"]["key"].as_str().unwrap();
    let token = post(&router, "/api/meta-agent/tokens", Some(key), &json!({ "siteId": "main" })).await;
    let bytes: [u8; 32] =
        URL_SAFE_NO_PAD.decode(token["signingKey"].as_str().unwrap()).unwrap().try_into().unwrap();
    let key = RequestKey::new(Secret::new(bytes));
    let token = token["token"].as_str().unwrap();

    let echo = Router::new().route("/api/meta-agent/sessions/{sessionId}", get(|| async { "{}" }));
    let requests =
        || -> Vec<_> { (0..REQUESTS).map(|_| signed(&*store.clock, &*store.entropy, &key, token)).collect() };
    let bare = measure(&echo, requests()).await;
    let _warm = measure(&router, requests()).await;
    let whole = measure(&router, requests()).await;
    println!(
        "bare echo {bare:.2} µs, whole pipeline {whole:.2} µs, so {:.2} µs for the pipeline",
        whole - bare
    );
    desk.shutdown().await;
}

async fn measure(router: &Router, requests: Vec<Request<Body>>) -> f64 {
    let began = cpu();
    for request in requests {
        let response = router.clone().oneshot(request).await.unwrap();
        drop(response);
    }
    #[allow(clippy::cast_precision_loss, reason = "nanoseconds of some seconds")]
    let each = (cpu() - began) as f64 / REQUESTS as f64 / 1_000.0;
    each
}

/// CPU time of this thread in nanoseconds.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn signed(clock: &dyn Clock, entropy: &dyn Entropy, key: &RequestKey, token: &str) -> Request<Body> {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    let nonce = URL_SAFE_NO_PAD.encode(random);
    let timestamp = clock.unix_seconds().to_string();
    let signature = request_signature::sign(
        key,
        &SignedRequest {
            method: "GET",
            host: HOST,
            path: PATH,
            query: "",
            body_sha256: sha256(b""),
            timestamp: &timestamp,
            nonce: &nonce,
            token_sha256: Some(sha256(token.as_bytes())),
        },
    )
    .unwrap();
    Request::get(PATH)
        .header("host", HOST)
        .header("origin", "https://andina.example")
        .header("authorization", format!("Bearer {token}"))
        .header("x-misy-timestamp", timestamp)
        .header("x-misy-nonce", nonce)
        .header("x-misy-signature", signature)
        .body(Body::empty())
        .unwrap()
}

async fn post(router: &Router, path: &str, key: Option<&str>, body: &Value) -> Value {
    let body = body.to_string();
    let mut request = Request::post(path)
        .header("host", HOST)
        .header("origin", "https://andina.example")
        .header("content-type", "application/json")
        .header("content-length", body.len());
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
