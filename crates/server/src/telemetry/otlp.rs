//! To a receiver that the operator names, by OTLP over HTTP: an OpenTelemetry Collector, or whatever speaks it.
//!
//! All queues are bounded and what does not fit is dropped: a receiver that is slow or gone costs observations and nothing
//! else. The way out is the guarded one, with this machine allowed, since a collector often stands beside the program and
//! nobody but the operator can name it.

use super::prometheus;
use crate::settings::{Receiver, Settings};
use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use misy_domain::Secret;
use misy_egress::{Egress, EgressSettings, Reach, Request};
use misy_trust::SystemEntropy;
use opentelemetry::{KeyValue, global};
use opentelemetry_appender_tracing::layer::{OpenTelemetryTracingBridge, TracingSpanAttributes};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{LogExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    trace::{Sampler, SdkTracerProvider},
};
use prost::Message;
use std::{
    fmt, fs,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{runtime::Handle, task::JoinHandle, time};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// How often metrics are sent.
const METRICS_EVERY: Duration = Duration::from_secs(10);
/// The longest that one call may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a stop waits for what is left to be sent.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// What sends: what it logs would be sent in its turn, and so on.
const SENDERS: [&str; 6] = ["hyper", "hyper_util", "reqwest", "rustls", "opentelemetry", "misy_egress"];

/// Sends to the receiver.
pub(super) struct Otlp {
    traces: SdkTracerProvider,
    logs: SdkLoggerProvider,
    metrics: Arc<Metrics>,
    ticking: JoinHandle<()>,
}

impl Otlp {
    /// Starts to send.
    pub(super) fn start(
        receiver: &Receiver,
        settings: &Settings,
        metrics: PrometheusHandle,
        runtime: &Handle,
    ) -> anyhow::Result<Self> {
        let extra_roots = settings
            .egress
            .ca_file
            .as_ref()
            .map(|path| fs::read(path).with_context(|| format!("egress_ca_file {}", path.display())))
            .transpose()?;
        let settings = EgressSettings {
            allow_loopback: true,
            extra_roots,
            timeout: PATIENCE,
            ..EgressSettings::default()
        };
        let way = Way {
            egress: Egress::new(settings)?,
            headers: receiver.headers.clone(),
            runtime: runtime.clone(),
        };
        let attributes = vec![
            KeyValue::new("service.name", "misy"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance()),
        ];
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let address = |signal: &str| format!("{}/v1/{signal}", receiver.endpoint);

        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(way.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address("traces"))
            .with_timeout(PATIENCE)
            .build()?;
        // What goes on from a recorded message is recorded; where a trace begins, this share is.
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(receiver.sample)));
        let traces = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_resource(resource.clone())
            .with_batch_exporter(spans)
            .build();
        global::set_tracer_provider(traces.clone());
        misy_telemetry::record();

        let lines = LogExporter::builder()
            .with_http()
            .with_http_client(way.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address("logs"))
            .with_timeout(PATIENCE)
            .build()?;
        let logs =
            SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(lines).build();

        let metrics =
            Arc::new(Metrics { handle: metrics, way, address: address("metrics"), resource, began: now() });
        let ticking = runtime.spawn(metrics.clone().tick());
        Ok(Self { traces, logs, metrics, ticking })
    }

    /// Sends log lines as they pass the filter of the log.
    pub(super) fn logs<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let is_a_senders = |target: &str| {
            SENDERS.iter().any(|sender| {
                target.strip_prefix(sender).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
        };
        OpenTelemetryTracingBridge::builder(&self.logs)
            .with_tracing_span_attributes(TracingSpanAttributes::all())
            .build()
            .with_filter(filter_fn(move |meta| !is_a_senders(meta.target())))
    }

    /// Sends what is left, within bounds.
    pub(super) async fn stop(self) {
        self.ticking.abort();
        let last = time::timeout(LAST_WORDS, self.metrics.send());
        let (traces, logs) = (self.traces, self.logs);
        // Both wait for their threads, which wait for calls that this runtime makes.
        let rest = tokio::task::spawn_blocking(move || {
            let ended = [traces.shutdown_with_timeout(LAST_WORDS), logs.shutdown_with_timeout(LAST_WORDS)];
            ended.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect::<Vec<_>>()
        });
        let (_, errors) = tokio::join!(last, rest);
        for error in errors.unwrap_or_default() {
            tracing::warn!(error, "the last traces or log lines were not sent");
        }
    }
}

/// The time of this machine, as the receiver gets it; nothing else depends on it.
#[allow(clippy::disallowed_methods, reason = "an observation is made when it is made")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Another number for each start, so that a receiver can tell processes from each other.
fn instance() -> String {
    use misy_domain::Entropy;
    let mut bytes = [0u8; 8];
    SystemEntropy::new().fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// The guarded way out, for exporters that run on threads of their own.
#[derive(Clone)]
struct Way {
    egress: Egress,
    headers: Secret<Vec<(String, String)>>,
    runtime: Handle,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

#[async_trait]
impl HttpClient for Way {
    async fn send_bytes(
        &self,
        request: opentelemetry_http::Request<Bytes>,
    ) -> Result<opentelemetry_http::Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let url = head.uri.to_string().parse()?;
        let mut request = Request { headers: head.headers, body, ..Request::new(head.method, url) };
        for (name, value) in self.headers.expose() {
            request = request.header(name.parse()?, value.parse()?);
        }
        let egress = self.egress.clone();
        let call = self.runtime.spawn(async move { egress.send(Reach::Operator, request).await });
        let answer = call.await??;
        let mut response = opentelemetry_http::Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

/// Sends what `/metrics` shows.
struct Metrics {
    handle: PrometheusHandle,
    way: Way,
    address: String,
    resource: Resource,
    began: SystemTime,
}

impl Metrics {
    async fn tick(self: Arc<Self>) {
        let mut ticks = time::interval(METRICS_EVERY);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let sent = self.send().await;
            match &sent {
                Err(error) if !failing => {
                    tracing::warn!(%error, "metrics are not received; tried again every {METRICS_EVERY:?}");
                }
                Ok(()) if failing => tracing::info!("metrics are received again"),
                _ => {}
            }
            failing = sent.is_err();
        }
    }

    async fn send(&self) -> Result<(), HttpError> {
        let text = self.handle.render();
        let message = prometheus::to_otlp(&text, &self.resource, self.began, now());
        let request = opentelemetry_http::Request::post(&self.address)
            .header(http::header::CONTENT_TYPE, "application/x-protobuf")
            .body(message.encode_to_vec().into())?;
        let answer = self.way.send_bytes(request).await?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string().into()) }
    }
}
