//! What an operator can set: defaults, then `misy.toml`, then `MISY_…` in the environment.

use anyhow::{Context, bail};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use misy_domain::{Origin, Secret, TenantId};
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The file that is read when it stands in the working directory and nothing else is named.
const FILE: &str = "misy.toml";

/// The settings as they are written. Empty text means "not set".
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    http_addr: String,
    public_url: String,
    data_dir: String,
    database_url: String,
    redis_url: String,
    postgres_bin: String,
    bootstrap_secret: String,
    owner_tenant_id: String,
    self_registration: String,
    root_key: String,
    token_algorithm: String,
    metrics_token: String,
    log: String,
    log_format: String,
    worker: String,
    trusted_proxies: usize,
    streams_per_visitor: u32,
    streams_per_address: u32,
    demo_port: u16,
}

impl Default for Written {
    fn default() -> Self {
        let none = String::new;
        Self {
            http_addr: none(),
            public_url: none(),
            data_dir: none(),
            database_url: none(),
            redis_url: none(),
            postgres_bin: none(),
            bootstrap_secret: none(),
            owner_tenant_id: "colombiatic".into(),
            self_registration: "invite".into(),
            root_key: none(),
            token_algorithm: "RS256".into(),
            metrics_token: none(),
            log: "info".into(),
            log_format: none(),
            worker: "on".into(),
            trusted_proxies: 0,
            streams_per_visitor: 24,
            streams_per_address: 2_000,
            demo_port: 8788,
        }
    }
}

/// A shorter bootstrap secret could be guessed over the network in spite of the limit on attempts.
const SHORTEST_SECRET: usize = 10;

/// What one setting means; shown by `misy config` and `misy --help`.
pub(crate) struct Setting {
    /// Its name in `misy.toml`; in the environment upper case behind `MISY_`.
    pub(crate) name: &'static str,
    /// What it does, its values and its default.
    pub(crate) meaning: &'static str,
    /// Whether its value must not be shown.
    pub(crate) secret: bool,
}

const fn open(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, meaning, secret: false }
}

const fn secret(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, meaning, secret: true }
}

/// All settings, in the order in which they are explained.
pub(crate) const SETTINGS: [Setting; 19] = [
    open(
        "http_addr",
        "address to listen on [127.0.0.1:8787; if that is taken and nothing is set, a free port]",
    ),
    open(
        "public_url",
        "how browsers reach this installation, such as https://api.example.com [http://<http_addr>]",
    ),
    open(
        "data_dir",
        "where the private PostgreSQL, the root key and files live [/var/lib/misy as root, else ~/.local/share/misy]",
    ),
    secret(
        "database_url",
        "a given PostgreSQL 15 or newer instead of the private one: postgresql://user:password@host/database",
    ),
    secret(
        "redis_url",
        "Redis 6.2 or newer that several replicas share limits and live events through: redis://host:6379/0 [one replica]",
    ),
    open("postgres_bin", "folder of the PostgreSQL programs for the private server [found on the machine]"),
    secret(
        "bootstrap_secret",
        "one-time secret that registers the owner, at least 10 characters [made and kept in <data_dir>/bootstrap-secret]",
    ),
    open("owner_tenant_id", "id of the tenant that runs the platform [colombiatic]"),
    open("self_registration", "who may register tenants: open, invite (the owner) or off [invite]"),
    secret(
        "root_key",
        "key above all data keys, 32 bytes in base64url [made and kept in <data_dir>/root-key]",
    ),
    open("token_algorithm", "algorithm of new token signing keys: RS256, ES256, EdDSA or HS256 [RS256]"),
    secret("metrics_token", "bearer token for /metrics from other machines [only this machine may read it]"),
    open("log", "what to log: error, warn, info, debug, or by module such as info,misy_store=debug [info]"),
    open("log_format", "json or text [text on a terminal, else json]"),
    open("worker", "on or off: whether this process answers conversations, or only takes requests [on]"),
    open(
        "trusted_proxies",
        "how many proxies of yours stand in front: so many last entries of X-Forwarded-For are believed [0]",
    ),
    open("streams_per_visitor", "live streams that one visitor may have at a time [24]"),
    open("streams_per_address", "live streams from one address, which many visitors may share [2000]"),
    open("demo_port", "first port of the demo sites of `misy demo` [8788]"),
];

/// Who may register tenants.
pub(crate) use misy_front_desk::SelfRegistration;

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where to listen; `None`: the default address or, when it is taken, a free port.
    pub(crate) http_addr: Option<SocketAddr>,
    /// Set when the operator said how browsers reach the installation.
    pub(crate) public_url: Option<Origin>,
    /// Where files live.
    pub(crate) data_dir: PathBuf,
    /// A given PostgreSQL.
    pub(crate) database_url: Option<Secret<String>>,
    /// What replicas share limits and news through.
    pub(crate) redis_url: Option<Secret<String>>,
    /// Where the PostgreSQL programs are.
    pub(crate) postgres_bin: Option<PathBuf>,
    /// Registers the owner.
    pub(crate) bootstrap_secret: Option<Secret<String>>,
    /// The owner's id.
    pub(crate) owner: TenantId,
    /// Who may register tenants.
    pub(crate) self_registration: SelfRegistration,
    /// The root key, when the environment carries it.
    pub(crate) root_key: Option<Secret<String>>,
    /// For new token signing keys.
    pub(crate) token_algorithm: misy_trust::Algorithm,
    /// Opens `/metrics` to other machines.
    pub(crate) metrics_token: Option<Secret<String>>,
    /// Directives of the log filter.
    pub(crate) log: String,
    /// `json` or `text`.
    pub(crate) log_format: Option<LogFormat>,
    /// Whether this process works on conversations.
    pub(crate) worker: bool,
    /// Proxies in front.
    pub(crate) trusted_proxies: usize,
    /// Live streams of one visitor.
    pub(crate) streams_per_visitor: u32,
    /// Live streams of one address.
    pub(crate) streams_per_address: u32,
    /// The first port of the demo sites.
    pub(crate) demo_port: u16,
    /// Name, value as it may be shown, and where it comes from, for `misy config`.
    pub(crate) shown: Vec<(&'static str, String, String)>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Settings {
    /// Reads and checks all settings. Each error names the setting and what it takes.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Written::default()));
        match file {
            Some(file) if !file.is_file() => bail!("{} is not a file", file.display()),
            Some(file) => figment = figment.merge(Toml::file_exact(file)),
            None if Path::new(FILE).is_file() => figment = figment.merge(Toml::file_exact(FILE)),
            None => {}
        }
        let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        // Other MISY_… variables belong to tests and tools; only a file must not hold unknown names.
        figment = figment.merge(Env::prefixed("MISY_").only(&known));
        let written: Written = figment.extract().context("settings")?;
        let shown = SETTINGS.iter().map(|setting| shown(&figment, setting)).collect();
        Self::check(written, shown)
    }

    fn check(written: Written, shown: Vec<(&'static str, String, String)>) -> anyhow::Result<Self> {
        let http_addr = set(&written.http_addr)
            .map(|text| {
                text.parse().context("http_addr must be an address and a port, such as 127.0.0.1:8787")
            })
            .transpose()?;
        let public_url = set(&written.public_url)
            .map(|text| text.trim_end_matches('/').parse::<Origin>().context("public_url"))
            .transpose()?;
        let bootstrap_secret = set(&written.bootstrap_secret);
        if bootstrap_secret.is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            bail!("bootstrap_secret must have at least {SHORTEST_SECRET} characters");
        }
        let self_registration = match &*written.self_registration {
            "open" => SelfRegistration::Open,
            "invite" => SelfRegistration::Invite,
            "off" => SelfRegistration::Off,
            other => bail!("self_registration must be open, invite or off, not {other:?}"),
        };
        let log_format = match &*written.log_format {
            "" => None,
            "json" => Some(LogFormat::Json),
            "text" => Some(LogFormat::Text),
            other => bail!("log_format must be json or text, not {other:?}"),
        };
        let worker = match &*written.worker {
            "on" => true,
            "off" => false,
            other => bail!("worker must be on or off, not {other:?}"),
        };
        Ok(Self {
            http_addr,
            public_url,
            data_dir: match set(&written.data_dir) {
                Some(dir) => std::path::absolute(dir).context("data_dir")?,
                None => default_data_dir()?,
            },
            database_url: hidden(&written.database_url),
            redis_url: hidden(&written.redis_url),
            postgres_bin: set(&written.postgres_bin).map(PathBuf::from),
            bootstrap_secret: hidden(&written.bootstrap_secret),
            owner: written.owner_tenant_id.parse().context("owner_tenant_id")?,
            self_registration,
            root_key: hidden(&written.root_key),
            token_algorithm: written.token_algorithm.parse().context("token_algorithm")?,
            metrics_token: hidden(&written.metrics_token),
            log: written.log,
            log_format,
            worker,
            trusted_proxies: written.trusted_proxies,
            streams_per_visitor: written.streams_per_visitor,
            streams_per_address: written.streams_per_address,
            demo_port: written.demo_port,
            shown,
        })
    }
}

fn set(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn hidden(text: &str) -> Option<Secret<String>> {
    set(text).map(|text| Secret::new(text.to_owned()))
}

fn shown(figment: &Figment, setting: &Setting) -> (&'static str, String, String) {
    let value = figment.find_value(setting.name).ok();
    let text = match &value {
        Some(value) => {
            value.as_str().map_or_else(|| value.to_u128().unwrap_or_default().to_string(), str::to_owned)
        }
        None => String::new(),
    };
    let source =
        figment.find_metadata(setting.name).map(|metadata| metadata.name.to_string()).unwrap_or_default();
    let source = match &*source {
        name if name.contains("environment") => "environment".to_owned(),
        name if name.contains("TOML") => "file".to_owned(),
        _ => "default".to_owned(),
    };
    let text = if setting.secret && !text.is_empty() { "(set)".to_owned() } else { text };
    (setting.name, text, source)
}

fn default_data_dir() -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    if misy_postgres::we_are_root() {
        return Ok("/var/lib/misy".into());
    }
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")))
        .context("set MISY_DATA_DIR: there is no home directory to put data into")?;
    Ok(base.join("misy"))
}
