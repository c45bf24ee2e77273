//! What the program tells of itself.

use super::declare::{declare, hidden, set};
use anyhow::{Context, bail};
use misy_domain::Secret;

declare! {
    "Logs and metrics";
    secret metrics_token: String = String::new(),
        "bearer token for /metrics from other machines [only this machine may read it]";
    open log: String = "info".into(),
        "what to log: error, warn, info, debug, or by module such as info,misy_store=debug [info]";
    open log_format: String = String::new(),
        "json or text [text on a terminal, else json]";
    open otlp_endpoint: String = String::new(),
        "where traces, metrics and log lines go by OTLP over HTTP (protobuf), such as http://127.0.0.1:4318 [nowhere]";
    secret otlp_headers: String = String::new(),
        "headers that the receiver wants: name=value, name=value";
    open trace_sample: f64 = 0.05,
        "share of requests whose traces are recorded, 0 to 1; nobody outside can change it [0.05]";
}

/// What the program tells of itself.
#[derive(Debug, Clone)]
pub(crate) struct Telemetry {
    /// Opens `/metrics` to other machines.
    pub(crate) metrics_token: Option<Secret<String>>,
    /// Directives of the log filter.
    pub(crate) log: String,
    /// `json` or `text`.
    pub(crate) log_format: Option<LogFormat>,
    /// Where observations are sent.
    pub(crate) receiver: Option<Receiver>,
}

/// What receives observations by OTLP.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    /// Its address, without a slash at the end.
    pub(crate) endpoint: String,
    /// Headers that it wants.
    pub(crate) headers: Secret<Vec<(String, String)>>,
    /// The share of traces that are recorded.
    pub(crate) sample: f64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Telemetry> {
    let log_format = match &*written.log_format {
        "" => None,
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        other => bail!("log_format must be json or text, not {other:?}"),
    };
    Ok(Telemetry {
        metrics_token: hidden(&written.metrics_token),
        log: written.log.clone(),
        log_format,
        receiver: receiver(written)?,
    })
}

fn receiver(written: &Written) -> anyhow::Result<Option<Receiver>> {
    anyhow::ensure!((0.0..=1.0).contains(&written.trace_sample), "trace_sample must be from 0 to 1");
    let Some(endpoint) = set(&written.otlp_endpoint) else {
        anyhow::ensure!(
            set(&written.otlp_headers).is_none(),
            "otlp_headers goes together with otlp_endpoint"
        );
        return Ok(None);
    };
    let url: url::Url = endpoint.parse().context("otlp_endpoint")?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || !plain {
        bail!(
            "otlp_endpoint must be http://host:port or https://host, without credentials: those go to otlp_headers"
        );
    }
    let headers = written.otlp_headers.split(',').filter_map(set).map(header).collect::<Result<_, _>>()?;
    Ok(Some(Receiver {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        headers: Secret::new(headers),
        sample: written.trace_sample,
    }))
}

/// A header; an error says nothing of its value.
fn header(text: &str) -> anyhow::Result<(String, String)> {
    let wrong = "otlp_headers must be name=value, name=value";
    let (name, value) = text.split_once('=').context(wrong)?;
    let (name, value) = (name.trim(), value.trim());
    let fits = http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
    anyhow::ensure!(fits, wrong);
    Ok((name.to_owned(), value.to_owned()))
}
