//! SEC-15: no secret and no word of a contact reaches the log or a trace. Alone in its process: it reads what the whole
//! process tells.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it should be"
)]

#[path = "it/described.rs"]
mod described;
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "shared with the other tests, which use more of it"
)]
#[path = "it/people.rs"]
mod people;
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "shared with the other tests, which use more of it"
)]
#[path = "it/support.rs"]
mod support;

use http::Method;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use serde_json::json;
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use support::{App, BOOTSTRAP, bare, with_bearer};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// All that spans hold, as text.
#[derive(Clone, Debug, Default)]
struct Spans(Arc<Mutex<String>>);

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().push_str(&format!("{batch:?}"));
        Ok(())
    }
}

#[tokio::test]
async fn neither_secrets_nor_words_reach_the_log_or_a_trace() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let spans = Spans::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    opentelemetry::global::set_tracer_provider(provider);
    misy_telemetry::record();
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "canario-del-contacto").await.expect(202);
    let body = json!({ "sessionId": session, "text": "canario-rechazado", "more": 1 });
    app.call(&token, Method::POST, "/messages", Some(&body)).await.refused(422, "validation_failed");
    app.call(&token, Method::GET, &format!("/sessions/{session}/messages?canario-consulta=1"), None).await;
    app.send(with_bearer(bare(Method::GET, "/tenants", None), "adm_canario"))
        .await
        .refused(401, "token_invalid");
    let server = app.server(&andina, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await;
    let made = app.call(&server, Method::POST, &andina.path("/secrets"), Some(&json!({}))).await.expect(201);
    app.desk.shutdown().await;
    let log = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    assert!(log.contains("writeMessage") && log.contains(&session), "calls are in the log");
    let spans = spans.0.lock().unwrap().clone();
    assert!(spans.contains("writeMessage") && spans.contains(&session), "calls are traced");
    for (what, secret) in [
        ("bootstrap secret", BOOTSTRAP),
        ("publishable key", &*andina.publishable_key),
        ("administrator", &*andina.administrator),
        ("administrator", &*owner.administrator),
        ("token", &*token.text),
        ("token", &*server.text),
        ("secret", &*made.text("secret")),
        ("text", "canario-del-contacto"),
        ("text", "canario-rechazado"),
        ("query", "canario-consulta"),
        ("bearer", "adm_canario"),
    ] {
        assert!(!log.contains(secret), "{what} in the log");
        assert!(!spans.contains(secret), "{what} in a trace");
    }
}
