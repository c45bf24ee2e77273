//! Logs, metrics and traces: to standard error, to `/metrics` and, if the operator names a receiver, to it by OTLP.

mod otlp;
mod prometheus;
#[cfg(test)]
mod tests;

use crate::settings::{LogFormat, Settings};
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use misy_telemetry::metrics::Kind;
use otlp::Otlp;
use std::io::IsTerminal;
use tokio::runtime::Handle;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Bounds of the buckets of every histogram of seconds: from 100 µs to 10 s.
const SECONDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];
/// The same for a turn's steps.
const STEPS: [f64; 8] = [1e3, 1e4, 5e4, 1e5, 5e5, 1e6, 5e6, 1e7];

/// Tells of the program until it ends.
pub(crate) struct Telemetry {
    metrics: PrometheusHandle,
    otlp: Option<Otlp>,
}

impl Telemetry {
    /// Starts to log and to count, and to send both and traces where the operator says. Call once.
    pub(crate) fn start(settings: &Settings, runtime: &Handle) -> anyhow::Result<Self> {
        let metrics = PrometheusBuilder::new()
            .set_buckets(&SECONDS)?
            .set_buckets_for_metric(Matcher::Full("misy_turn_steps".to_owned()), &STEPS)?
            .install_recorder()
            .context("metrics")?;
        describe();
        let receiver = settings.telemetry.receiver.as_ref();
        let otlp = receiver
            .map(|receiver| Otlp::start(receiver, settings, metrics.clone(), runtime))
            .transpose()
            .context("otlp_endpoint")?;
        log(settings, otlp.as_ref())?;
        std::panic::set_hook(Box::new(|panic| {
            // What a panic says may quote a contact; where it happened does not.
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panic");
        }));
        Ok(Self { metrics, otlp })
    }

    /// Tells of the program while it runs, and sends what is left when it ends.
    pub(crate) async fn watch(
        self,
        program: impl AsyncFnOnce(PrometheusHandle) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let ended = program(self.metrics).await;
        if let Some(otlp) = self.otlp {
            otlp.stop().await;
        }
        ended
    }
}

fn log(settings: &Settings, otlp: Option<&Otlp>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.telemetry.log).context("log")?;
    let terminal = std::io::stderr().is_terminal();
    let format =
        settings.telemetry.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            registry.with(layer.with_writer(std::io::stderr)).with(otlp.map(Otlp::logs)).try_init()?;
        }
        LogFormat::Text => {
            let layer = fmt::layer().compact().with_ansi(terminal).with_target(false);
            registry.with(layer.with_writer(std::io::stderr)).with(otlp.map(Otlp::logs)).try_init()?;
        }
    }
    Ok(())
}

/// Says in `/metrics` what each metric tells.
fn describe() {
    for metric in misy_telemetry::metrics::ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.meaning),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.meaning),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.meaning),
        }
    }
}
