//! What an operator can set: defaults, then `misy.toml`, then `MISY_…` in the environment.

mod root_key;

use crate::{http::Terms, tls::Files};
use anyhow::{Context, bail};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use misy_domain::{Origin, Secret, TenantId};
use misy_front_desk::ProxyHeader;
use misy_store::{rotation::LongestUse, shared::Address};
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use root_key::RootKeySettings;

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
    database_role_url: String,
    redis_url: String,
    redis_ca_file: String,
    postgres_bin: String,
    bootstrap_secret: String,
    owner_tenant_id: String,
    self_registration: String,
    root_key: String,
    root_key_provider: String,
    vault_addr: String,
    vault_token: String,
    vault_namespace: String,
    vault_transit_mount: String,
    vault_transit_key: String,
    azure_key: String,
    azure_tenant_id: String,
    azure_client_id: String,
    azure_client_secret: String,
    azure_authority: String,
    aws_kms_key_id: String,
    aws_region: String,
    aws_access_key_id: String,
    aws_secret_access_key: String,
    aws_session_token: String,
    aws_kms_endpoint: String,
    egress_ca_file: String,
    egress_allow_loopback: String,
    token_algorithm: String,
    metrics_token: String,
    log: String,
    log_format: String,
    worker: String,
    trusted_proxies: usize,
    proxy_header: String,
    oidc_issuer: String,
    oidc_client_id: String,
    oidc_client_secret: String,
    oidc_tenant_claim: String,
    smtp_url: String,
    mail_from: String,
    streams_per_visitor: u32,
    streams_per_address: u32,
    connections: usize,
    connections_per_address: usize,
    handshake_timeout_seconds: u64,
    head_timeout_seconds: u64,
    body_timeout_seconds: u64,
    write_timeout_seconds: u64,
    demo_port: u16,
    tls_certificate: String,
    tls_key: String,
    tls_client_ca: String,
    tls_client_crl: String,
    internal_addr: String,
    internal_certificate: String,
    internal_key: String,
    internal_ca: String,
    internal_crl: String,
    peers: String,
    close_grace_days: u32,
    pack_memory_mib: u32,
    crl_grace_hours: u32,
    key_days: u32,
    owner_key_days: u32,
}

impl Default for Written {
    fn default() -> Self {
        let none = String::new;
        Self {
            http_addr: none(),
            public_url: none(),
            data_dir: none(),
            database_url: none(),
            database_role_url: none(),
            redis_url: none(),
            redis_ca_file: none(),
            postgres_bin: none(),
            bootstrap_secret: none(),
            owner_tenant_id: "colombiatic".into(),
            self_registration: "invite".into(),
            root_key: none(),
            root_key_provider: none(),
            vault_addr: none(),
            vault_token: none(),
            vault_namespace: none(),
            vault_transit_mount: "transit".into(),
            vault_transit_key: "misy".into(),
            azure_key: none(),
            azure_tenant_id: none(),
            azure_client_id: none(),
            azure_client_secret: none(),
            azure_authority: "https://login.microsoftonline.com".into(),
            aws_kms_key_id: none(),
            aws_region: none(),
            aws_access_key_id: none(),
            aws_secret_access_key: none(),
            aws_session_token: none(),
            aws_kms_endpoint: none(),
            egress_ca_file: none(),
            egress_allow_loopback: "off".into(),
            token_algorithm: "RS256".into(),
            metrics_token: none(),
            log: "info".into(),
            log_format: none(),
            worker: "on".into(),
            trusted_proxies: 0,
            proxy_header: "x-forwarded-for".into(),
            oidc_issuer: none(),
            oidc_client_id: none(),
            oidc_client_secret: none(),
            oidc_tenant_claim: none(),
            smtp_url: none(),
            mail_from: none(),
            streams_per_visitor: 24,
            streams_per_address: 2_000,
            connections: 50_000,
            connections_per_address: 2_500,
            handshake_timeout_seconds: 10,
            head_timeout_seconds: 20,
            body_timeout_seconds: 10,
            write_timeout_seconds: 30,
            demo_port: 8788,
            tls_certificate: none(),
            tls_key: none(),
            tls_client_ca: none(),
            tls_client_crl: none(),
            internal_addr: none(),
            internal_certificate: none(),
            internal_key: none(),
            internal_ca: none(),
            internal_crl: none(),
            peers: none(),
            close_grace_days: 30,
            pack_memory_mib: 256,
            crl_grace_hours: 24,
            key_days: 365,
            owner_key_days: 90,
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
pub(crate) const SETTINGS: &[Setting] = &[
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
        "a given PostgreSQL 15 or newer instead of the private one, as an administrator who may create roles: postgresql://user:password@host/database",
    ),
    secret(
        "database_role_url",
        "how the program's own roles log in to it, {role} for their names, where they have certificates or are known by their account: postgresql://{role}@host/database?sslcert=/keys/{role}.crt [with passwords that the program makes]",
    ),
    secret(
        "redis_url",
        "Redis 6.2 or newer that several replicas share limits and live events through: rediss://host:6379/0 [one replica]",
    ),
    open(
        "redis_ca_file",
        "PEM file with the certificate authorities of that Redis, which are then the only ones [the machine's own]",
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
        "key above all data keys, 32 bytes in base64url; while it is rotated the new one, a comma and the old one [made and kept in <data_dir>/root-key]",
    ),
    open(
        "root_key_provider",
        "what keeps the root key: file, environment (root_key), vault, azure or aws [environment if root_key is set, else file]",
    ),
    open("vault_addr", "HashiCorp Vault, such as https://vault.internal:8200"),
    secret("vault_token", "its token, which may encrypt and decrypt with the key"),
    open("vault_namespace", "its namespace [none]"),
    open("vault_transit_mount", "where its transit engine is mounted [transit]"),
    open("vault_transit_key", "its key, of a type with associated data such as aes256-gcm96 [misy]"),
    open("azure_key", "RSA key of an Azure Key Vault: https://<vault>.vault.azure.net/keys/<name>"),
    open(
        "azure_tenant_id",
        "directory of the application that may wrap and unwrap [the managed identity is used]",
    ),
    open("azure_client_id", "the application, or which of several managed identities"),
    secret("azure_client_secret", "secret of the application"),
    open("azure_authority", "where its tokens come from [https://login.microsoftonline.com]"),
    open("aws_kms_key_id", "id or ARN of a symmetric key of AWS KMS"),
    open("aws_region", "its region, such as eu-west-1"),
    open("aws_access_key_id", "id of the access key that may encrypt and decrypt"),
    secret("aws_secret_access_key", "the access key"),
    secret("aws_session_token", "session token of temporary credentials [none]"),
    open(
        "aws_kms_endpoint",
        "another address of KMS, such as a VPC endpoint [https://kms.<region>.amazonaws.com]",
    ),
    open("egress_ca_file", "PEM file with certificate authorities to trust besides the machine's own [none]"),
    open(
        "egress_allow_loopback",
        "on or off: whether outgoing calls may reach this machine itself; for development only [off]",
    ),
    open("token_algorithm", "algorithm of new token signing keys: RS256, ES256, EdDSA or HS256 [RS256]"),
    secret("metrics_token", "bearer token for /metrics from other machines [only this machine may read it]"),
    open("log", "what to log: error, warn, info, debug, or by module such as info,misy_store=debug [info]"),
    open("log_format", "json or text [text on a terminal, else json]"),
    open("worker", "on or off: whether this process answers conversations, or only takes requests [on]"),
    open(
        "trusted_proxies",
        "how many proxies of yours stand in front: so many last entries of proxy_header are believed [0]",
    ),
    open(
        "proxy_header",
        "where they write who called them: x-forwarded-for or forwarded (RFC 7239) [x-forwarded-for]",
    ),
    open(
        "oidc_issuer",
        "OpenID provider that people of all tenants may sign in with, such as https://login.example.com [none]",
    ),
    open("oidc_client_id", "what this installation is called at that provider"),
    secret("oidc_client_secret", "what it proves itself with there"),
    open(
        "oidc_tenant_claim",
        "claim of that provider's ID tokens that holds the tenant id, such as custom:tenantId",
    ),
    secret(
        "smtp_url",
        "mail server for invitations and links: smtps://user:password@host or smtp://user:password@host:587?tls=required [no mail is sent]",
    ),
    open("mail_from", "whom mail comes from, such as Misy <no-reply@example.com>; needed with smtp_url"),
    open("streams_per_visitor", "live streams that one visitor may have at a time [24]"),
    open("streams_per_address", "live streams from one address, which many visitors may share [2000]"),
    open("connections", "connections at a time, as far as the system allows so many open files [50000]"),
    open(
        "connections_per_address",
        "connections from one address or /64 (a /56 twice, a /48 or /24 four times as many), unless trusted_proxies stand in front [2500]",
    ),
    open("handshake_timeout_seconds", "the longest a TLS handshake may take [10]"),
    open("head_timeout_seconds", "the longest the head of a request may take, and a connection be idle [20]"),
    open("body_timeout_seconds", "the longest the body of a request may take [10]"),
    open(
        "write_timeout_seconds",
        "how long a caller may take nothing of an answer that waits for them, before the connection is cut [30]",
    ),
    open("demo_port", "first port of the demo sites of `misy demo` [8788]"),
    open(
        "tls_certificate",
        "certificate with its chain, PEM file: the program ends TLS itself [a proxy does]",
    ),
    open("tls_key", "private key of tls_certificate, PEM file"),
    open(
        "tls_client_ca",
        "authorities of client certificates of tenants' servers, PEM file [none are asked for]",
    ),
    open("tls_client_crl", "revocation lists of those authorities, PEM file [none]"),
    open("internal_addr", "address for other processes of this installation, with mutual TLS [none]"),
    open(
        "internal_certificate",
        "certificate of this process among the others, for server and client, PEM file",
    ),
    open("internal_key", "private key of internal_certificate, PEM file"),
    open("internal_ca", "the private authority of all processes of this installation, PEM file"),
    open("internal_crl", "revocation list of that authority, PEM file [none]"),
    open(
        "crl_grace_hours",
        "hours that a revocation list still counts after the next one was due, 0 to 168; then client certificates of its authority are refused [24]",
    ),
    open(
        "peers",
        "internal addresses of the other processes, to be told of changes at once: https://host:port, …",
    ),
    open("key_days", "days after which the data key of a tenant is rotated by itself; 0 for never [365]"),
    open("owner_key_days", "the same for the owner's [90]"),
    open(
        "pack_memory_mib",
        "memory for context packs that are ready for answering, in MiB, at least 16; a demo business takes some 0.1 [256]",
    ),
    open("close_grace_days", "days from the closing of a tenant to the removal of its data, 1 to 365 [30]"),
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
    /// A given PostgreSQL, as its administrator.
    pub(crate) database_url: Option<Secret<String>>,
    /// How the program's own roles log in there, if not with passwords.
    pub(crate) database_role_url: Option<Secret<String>>,
    /// What replicas share limits and news through.
    pub(crate) redis: Option<Address>,
    /// Where the PostgreSQL programs are.
    pub(crate) postgres_bin: Option<PathBuf>,
    /// Registers the owner.
    pub(crate) bootstrap_secret: Option<Secret<String>>,
    /// The owner's id.
    pub(crate) owner: TenantId,
    /// Who may register tenants.
    pub(crate) self_registration: SelfRegistration,
    /// What keeps the root key.
    pub(crate) root_key: RootKeySettings,
    /// Certificate authorities besides the machine's own.
    pub(crate) egress_ca_file: Option<PathBuf>,
    /// Whether outgoing calls may reach this machine itself.
    pub(crate) egress_allow_loopback: bool,
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
    /// Where they write who called them.
    pub(crate) proxy_header: ProxyHeader,
    /// The installation's OpenID provider.
    pub(crate) oidc: Option<Oidc>,
    /// The mail server, and whom mail comes from.
    pub(crate) mail: Option<(Secret<String>, String)>,
    /// Live streams of one visitor.
    pub(crate) streams_per_visitor: u32,
    /// Live streams of one address.
    pub(crate) streams_per_address: u32,
    /// What connections may take.
    pub(crate) terms: Terms,
    /// The longest the body of a request may take.
    pub(crate) body_timeout: Duration,
    /// The first port of the demo sites.
    pub(crate) demo_port: u16,
    /// The program ends TLS itself.
    pub(crate) tls: Option<Files>,
    /// Where other processes of the installation are listened to.
    pub(crate) internal_addr: Option<SocketAddr>,
    /// What this process proves itself to them with.
    pub(crate) internal: Option<Files>,
    /// The others.
    pub(crate) peers: Vec<hyper::Uri>,
    /// After how long data keys are rotated by themselves.
    pub(crate) longest_use: Option<LongestUse>,
    /// How long a closed tenant keeps its data.
    pub(crate) close_grace: Duration,
    /// Memory for context packs that are ready for answering, in bytes.
    pub(crate) pack_memory: u64,
    /// Name, value as it may be shown, and where it comes from, for `misy config`.
    pub(crate) shown: Vec<(&'static str, String, String)>,
}

/// An OpenID provider for the whole installation.
#[derive(Debug, Clone)]
pub(crate) struct Oidc {
    /// The issuer.
    pub(crate) issuer: String,
    /// What this installation is called there.
    pub(crate) client_id: String,
    /// What it proves itself with there.
    pub(crate) client_secret: Option<Secret<String>>,
    /// The claim that holds the tenant id.
    pub(crate) tenant_claim: String,
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
        if written.crl_grace_hours > 168 {
            bail!("crl_grace_hours must be from 0 to 168");
        }
        let tls = tls_files(&written)?;
        let internal = internal_files(&written)?;
        let internal_addr = set(&written.internal_addr)
            .map(|text| text.parse().context("internal_addr must be an address and a port"))
            .transpose()?;
        let peers =
            written.peers.split([',', ' ']).filter_map(set).map(peer).collect::<Result<Vec<_>, _>>()?;
        if internal.is_none() && (internal_addr.is_some() || !peers.is_empty()) {
            bail!("internal_addr and peers need internal_certificate, internal_key and internal_ca");
        }
        if written.pack_memory_mib < 16 {
            bail!("pack_memory_mib must be at least 16");
        }
        if set(&written.database_role_url).is_some() && set(&written.database_url).is_none() {
            bail!("database_role_url goes together with database_url");
        }
        if !(1..=365).contains(&written.close_grace_days) {
            bail!("close_grace_days must be from 1 to 365");
        }
        Ok(Self {
            terms: terms(&written)?,
            body_timeout: seconds("body_timeout_seconds", written.body_timeout_seconds)?,
            tls,
            internal_addr,
            internal,
            peers,
            longest_use: longest_use(&written),
            close_grace: Duration::from_hours(24 * u64::from(written.close_grace_days)),
            pack_memory: u64::from(written.pack_memory_mib) * 1024 * 1024,
            http_addr,
            public_url,
            data_dir: match set(&written.data_dir) {
                Some(dir) => std::path::absolute(dir).context("data_dir")?,
                None => default_data_dir()?,
            },
            database_url: hidden(&written.database_url),
            database_role_url: hidden(&written.database_role_url),
            redis: redis(&written)?,
            postgres_bin: set(&written.postgres_bin).map(PathBuf::from),
            bootstrap_secret: hidden(&written.bootstrap_secret),
            owner: written.owner_tenant_id.parse().context("owner_tenant_id")?,
            self_registration,
            root_key: RootKeySettings::check(&written)?,
            egress_ca_file: set(&written.egress_ca_file).map(PathBuf::from),
            egress_allow_loopback: match &*written.egress_allow_loopback {
                "on" => true,
                "off" => false,
                other => bail!("egress_allow_loopback must be on or off, not {other:?}"),
            },
            token_algorithm: written.token_algorithm.parse().context("token_algorithm")?,
            metrics_token: hidden(&written.metrics_token),
            mail: mail(&written)?,
            oidc: oidc(&written)?,
            log: written.log,
            log_format,
            worker,
            trusted_proxies: written.trusted_proxies,
            proxy_header: written.proxy_header.parse().context("proxy_header")?,
            streams_per_visitor: written.streams_per_visitor,
            streams_per_address: written.streams_per_address,
            demo_port: written.demo_port,
            shown,
        })
    }
}

fn crl_grace(written: &Written) -> Duration {
    Duration::from_hours(u64::from(written.crl_grace_hours))
}

fn terms(written: &Written) -> anyhow::Result<Terms> {
    for (name, value) in
        [("connections", written.connections), ("connections_per_address", written.connections_per_address)]
    {
        anyhow::ensure!(value > 0, "{name} must be at least 1");
    }
    Ok(Terms {
        connections: written.connections,
        per_address: (written.trusted_proxies == 0).then_some(written.connections_per_address),
        handshake: seconds("handshake_timeout_seconds", written.handshake_timeout_seconds)?,
        head: seconds("head_timeout_seconds", written.head_timeout_seconds)?,
        write: seconds("write_timeout_seconds", written.write_timeout_seconds)?,
    })
}

/// A time after which a connection ends: none is so long that it ends nothing.
fn seconds(name: &str, value: u64) -> anyhow::Result<Duration> {
    anyhow::ensure!((1..=3600).contains(&value), "{name} must be from 1 to 3600");
    Ok(Duration::from_secs(value))
}

fn tls_files(written: &Written) -> anyhow::Result<Option<Files>> {
    let file = |text: &String| set(text).map(PathBuf::from);
    match (file(&written.tls_certificate), file(&written.tls_key)) {
        (Some(certificate), Some(key)) => {
            let (authorities, revoked) = (file(&written.tls_client_ca), file(&written.tls_client_crl));
            let grace = crl_grace(written);
            Ok(Some(Files { certificate, key, authorities, revoked, mutual: false, grace }))
        }
        (None, None) if set(&written.tls_client_ca).is_none() => Ok(None),
        _ => bail!("tls_certificate and tls_key go together, and tls_client_ca needs both"),
    }
}

fn internal_files(written: &Written) -> anyhow::Result<Option<Files>> {
    let file = |text: &String| set(text).map(PathBuf::from);
    let all = [&written.internal_certificate, &written.internal_key, &written.internal_ca].map(file);
    match all {
        [Some(certificate), Some(key), Some(authorities)] => {
            let revoked = file(&written.internal_crl);
            let (authorities, grace) = (Some(authorities), crl_grace(written));
            Ok(Some(Files { certificate, key, authorities, revoked, mutual: true, grace }))
        }
        [None, None, None] => Ok(None),
        _ => bail!("internal_certificate, internal_key and internal_ca go together"),
    }
}

/// The internal address of another process.
pub(crate) fn peer(text: &str) -> anyhow::Result<hyper::Uri> {
    let wrong = || format!("peers: {text} must be https://host:port");
    let uri: hyper::Uri = text.parse().with_context(wrong)?;
    let plain = uri.path() == "/" && uri.query().is_none() && uri.port().is_some();
    anyhow::ensure!(uri.scheme() == Some(&hyper::http::uri::Scheme::HTTPS) && plain, wrong());
    Ok(uri)
}

/// A provider is set whole or not at all.
fn oidc(written: &Written) -> anyhow::Result<Option<Oidc>> {
    let Some(issuer) = set(&written.oidc_issuer) else { return Ok(None) };
    let needed = |name: &str, text: &str| {
        set(text).map(str::to_owned).with_context(|| format!("{name} is needed with oidc_issuer"))
    };
    Ok(Some(Oidc {
        issuer: issuer.to_owned(),
        client_id: needed("oidc_client_id", &written.oidc_client_id)?,
        client_secret: hidden(&written.oidc_client_secret),
        tenant_claim: needed("oidc_tenant_claim", &written.oidc_tenant_claim)?,
    }))
}

/// The mail server. One-time links travel to it: only to one's own machine without TLS.
fn mail(written: &Written) -> anyhow::Result<Option<(Secret<String>, String)>> {
    let Some(url) = hidden(&written.smtp_url) else { return Ok(None) };
    let Some(from) = set(&written.mail_from) else { bail!("mail_from must be set together with smtp_url") };
    let text = url.expose();
    let plain = text.strip_prefix("smtp://").filter(|rest| !rest.contains("tls=required"));
    let is_local = |rest: &str| {
        let host = rest.rsplit('@').next().unwrap_or_default();
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| {
            host.strip_prefix(local)
                .is_some_and(|after| after.is_empty() || after.starts_with([':', '/', '?']))
        })
    };
    if plain.is_some_and(|rest| !is_local(rest)) || !text.starts_with("smtp") {
        bail!(
            "smtp_url must be smtps://… or smtp://…?tls=required: without TLS only a server on this machine is used"
        );
    }
    Ok(Some((url, from.to_owned())))
}

fn redis(written: &Written) -> anyhow::Result<Option<Address>> {
    let authorities = set(&written.redis_ca_file).map(Path::new);
    let url = set(&written.redis_url);
    url.map(|url| Address::parse(url, authorities)).transpose().context("redis_url")
}

/// Never is so long that nothing gets there.
fn longest_use(written: &Written) -> Option<LongestUse> {
    let days = |days: u32| Duration::from_hours(24 * u64::from(if days == 0 { 365_000 } else { days }));
    (written.key_days > 0 || written.owner_key_days > 0)
        .then(|| LongestUse { tenant: days(written.key_days), owner: days(written.owner_key_days) })
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
