//! What leaves the program by OTLP: a real receiver takes it from the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::Uri};
use http::Method;
use misy_testkit::{
    PATIENCE,
    client::{Site, Visitor},
    program::{BOOTSTRAP_SECRET, Program, Start, register},
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{KeyValue, any_value::Value},
    logs::v1::LogRecord,
    trace::v1::Span,
};
use prost::Message;
use std::fmt::Write as _;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

const THEIRS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const WORDS: &str = "canario-del-contacto ¿cuál es el horario?";

/// A call that the receiver got: path, the header of the settings, body.
type Call = (String, Option<String>, Bytes);

/// Receives OTLP.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<Call>>>);

impl Receiver {
    async fn start() -> (Self, SocketAddr) {
        let receiver = Self::default();
        let take = async |State(receiver): State<Self>, uri: Uri, headers: HeaderMap, body: Bytes| {
            let key = headers.get("x-key").map(|value| value.to_str().unwrap().to_owned());
            receiver.0.lock().unwrap().push((uri.path().to_owned(), key, body));
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, address)
    }

    fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }

    fn received<M: Message + Default>(&self, signal: &str) -> Vec<M> {
        let path = format!("/v1/{signal}");
        let calls = self.calls().into_iter().filter(|(at, _, _)| *at == path);
        calls.map(|(_, _, body)| M::decode(body).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let all = self.received::<ExportTraceServiceRequest>("traces").into_iter();
        let scopes = all.flat_map(|one| one.resource_spans).flat_map(|one| one.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    fn lines(&self) -> Vec<LogRecord> {
        let all = self.received::<ExportLogsServiceRequest>("logs").into_iter();
        let scopes = all.flat_map(|one| one.resource_logs).flat_map(|one| one.scope_logs);
        scopes.flat_map(|scope| scope.log_records).collect()
    }

    fn metrics(&self) -> BTreeSet<String> {
        let all = self.received::<ExportMetricsServiceRequest>("metrics").into_iter();
        let scopes = all.flat_map(|one| one.resource_metrics).flat_map(|one| one.scope_metrics);
        scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name).collect()
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// A program that sends what it sees there, with a tenant.
async fn program(dir: &TempDir, receiver: SocketAddr, sample: &str) -> (Program, Site) {
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), dir.path().join("a"))
        .unwrap()
        .with("MISY_LOG", "info")
        .with("MISY_OTLP_ENDPOINT", format!("http://{receiver}"))
        .with("MISY_OTLP_HEADERS", "x-key=canario-del-receptor")
        .with("MISY_TRACE_SAMPLE", sample);
    let mut program = start.spawn().unwrap();
    assert!(program.ready(PATIENCE).await, "see {}", start.log().display());
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/businesses/andina.json");
    let site = register(&program.url, "andina", &pack).await.unwrap();
    (program, site)
}

/// Writes a message as somebody who says that they record a trace, and reads the live events until it is answered.
async fn converse(site: &Site) -> (Visitor, String) {
    let visitor = Visitor::arrive(site).await.unwrap();
    let session = visitor.open_session().await.unwrap();
    let events = visitor.signed(Method::GET, &format!("/sessions/{session}/events"), Vec::new());
    let mut events = events.timeout(PATIENCE).send().await.unwrap();
    let body = visitor.message(&session, "m1", WORDS).to_string().into_bytes();
    let write = visitor.signed(Method::POST, "/messages", body);
    let write = write.header("traceparent", format!("00-{THEIRS}-00f067aa0ba902b7-01"));
    assert_eq!(write.send().await.unwrap().status(), 202);
    let mut read = String::new();
    while !read.contains("\"role\":\"agent\"") {
        let piece = events.chunk().await.unwrap().expect("an answer before the end");
        read.push_str(&String::from_utf8_lossy(&piece));
    }
    assert!(!read.contains("00-") || !read.contains("\"trace\""), "clients see nothing of traces");
    (visitor, session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_follows_a_message_from_the_request_to_the_live_event() {
    let (receiver, address) = Receiver::start().await;
    let dir = tempfile::Builder::new().prefix("misy-o").tempdir_in("/tmp").unwrap();
    let (mut program, site) = program(&dir, address, "1").await;
    let (visitor, session) = converse(&site).await;
    // What is left is sent before the end.
    program.stop().unwrap();

    let spans = receiver.spans();
    let wrote: Vec<_> = spans.iter().filter(|span| span.name == "writeMessage").collect();
    let [wrote] = wrote[..] else { panic!("{wrote:?}") };
    assert_ne!(hex(&wrote.trace_id), THEIRS, "a stranger's trace is not ours");
    assert_eq!(wrote.parent_span_id, Vec::<u8>::new());
    assert_eq!(wrote.links.iter().map(|link| hex(&link.trace_id)).collect::<Vec<_>>(), [THEIRS]);

    let of_message: Vec<_> = spans.iter().filter(|span| span.trace_id == wrote.trace_id).collect();
    let only = |name: &str, under: &Span| {
        let found: Vec<_> = of_message
            .iter()
            .filter(|span| span.name == name && span.parent_span_id == under.span_id)
            .collect();
        let [one] = found[..] else { panic!("{name}: {of_message:#?}") };
        (*one).clone()
    };
    let ingest = only("ingest", wrote);
    let (bell, lease) = (only("bell", &ingest), only("lease", &ingest));
    let turn = only("turn", &lease);
    let (decide, commit) = (only("decide", &turn), only("commit", &turn));
    let (asked, answered) = (only("live event", &ingest), only("live event", &commit));
    for span in [wrote, &ingest, &bell, &lease, &turn, &decide, &commit, &asked, &answered] {
        assert_eq!(text(&span.attributes, "tenantId"), Some("andina"), "{span:?}");
        assert_eq!(text(&span.attributes, "sessionId"), Some(&*session), "{span:?}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
    }
    for span in [&turn, &commit, &answered] {
        assert!(text(&span.attributes, "agentName").is_some(), "{span:?}");
    }

    let lines = receiver.lines();
    let line = lines.iter().find(|line| text(&line.attributes, "operation") == Some("writeMessage")).unwrap();
    assert_eq!((&line.trace_id, text(&line.attributes, "tenantId")), (&wrote.trace_id, Some("andina")));
    let line = lines.iter().find(|line| line.trace_id == wrote.trace_id && line.span_id == commit.span_id);
    assert!(line.is_some(), "the turn's line stands in its trace: {lines:#?}");

    let metrics = receiver.metrics();
    assert!(metrics.contains("misy_work_total") && metrics.contains("misy_http_requests_total"));
    for name in &metrics {
        assert!(misy_telemetry::metrics::ALL.iter().any(|metric| metric.name == name), "{name}");
    }

    let calls = receiver.calls();
    for signal in ["traces", "metrics", "logs"] {
        let path = format!("/v1/{signal}");
        let mut keys = calls.iter().filter(|(at, _, _)| *at == path).map(|(_, key, _)| key.as_deref());
        assert!(keys.all(|key| key == Some("canario-del-receptor")), "{signal} comes with the header");
    }
    for (path, _, body) in &calls {
        for secret in ["canario", "horario", BOOTSTRAP_SECRET, &visitor.token, &site.publishable_key] {
            let found = body.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_outside_decides_that_a_trace_is_recorded() {
    let (receiver, address) = Receiver::start().await;
    let dir = tempfile::Builder::new().prefix("misy-o").tempdir_in("/tmp").unwrap();
    let (mut program, site) = program(&dir, address, "0").await;
    converse(&site).await;
    program.stop().unwrap();
    assert!(!receiver.metrics().is_empty(), "metrics are sent");
    assert_eq!(receiver.spans(), Vec::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_gone_holds_nothing_up() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let dir = tempfile::Builder::new().prefix("misy-o").tempdir_in("/tmp").unwrap();
    let (mut program, site) = program(&dir, gone, "1").await;
    converse(&site).await;
    program.stop().unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
