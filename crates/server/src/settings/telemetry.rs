//! What the program tells of itself.

use super::declare::{declare, hidden};
use anyhow::bail;
use misy_domain::Secret;

declare! {
    "Logs and metrics";
    secret metrics_token: String = String::new(),
        "bearer token for /metrics from other machines [only this machine may read it]";
    open log: String = "info".into(),
        "what to log: error, warn, info, debug, or by module such as info,misy_store=debug [info]";
    open log_format: String = String::new(),
        "json or text [text on a terminal, else json]";
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
    Ok(Telemetry { metrics_token: hidden(&written.metrics_token), log: written.log.clone(), log_format })
}
