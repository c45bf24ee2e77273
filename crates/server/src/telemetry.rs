//! Logs and metrics.

use crate::settings::{LogFormat, Settings};
use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Bounds of the buckets of every histogram of seconds: from 100 µs to 10 s.
const SECONDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];

/// Starts to log to standard error and to count. Call once.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<PrometheusHandle> {
    let filter = EnvFilter::try_new(&settings.telemetry.log).context("log")?;
    let terminal = std::io::stderr().is_terminal();
    let format =
        settings.telemetry.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            registry.with(layer.with_writer(std::io::stderr)).try_init()?;
        }
        LogFormat::Text => {
            let layer = fmt::layer().compact().with_ansi(terminal).with_target(false);
            registry.with(layer.with_writer(std::io::stderr)).try_init()?;
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        // What a panic says may quote a contact; where it happened does not.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder().context("metrics")
}
