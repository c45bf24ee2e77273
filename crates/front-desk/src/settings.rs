//! What the operator decides about the front desk.

use http::{HeaderName, header};
pub use misy_domain::plan::PlanLimits;
use misy_domain::{Origin, Plan, TenantId, limit::Quota};
use misy_trust::{Algorithm, BootstrapSecret, PasswordCost};
use std::{fmt, str::FromStr, time::Duration};

/// Where the Graph API of Meta is unless the operator says otherwise.
pub const GRAPH_URL: &str = "https://graph.facebook.com/v25.0";

/// Who may register a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SelfRegistration {
    /// Anyone.
    Open,
    /// The owner, with its bearer token.
    #[default]
    Invite,
    /// Nobody; the owner creates tenants by the management call.
    Off,
}

/// The text is none of `open`, `invite` and `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be open, invite or off")]
pub struct UnknownSelfRegistration;

impl FromStr for SelfRegistration {
    type Err = UnknownSelfRegistration;
    fn from_str(text: &str) -> Result<Self, UnknownSelfRegistration> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "off" => Ok(Self::Off),
            _ => Err(UnknownSelfRegistration),
        }
    }
}

/// Where the operator's proxies write who called them. The other header is the caller's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// The text is neither `x-forwarded-for` nor `forwarded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be x-forwarded-for or forwarded")]
pub struct UnknownProxyHeader;

impl ProxyHeader {
    /// The header's name.
    pub const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => header::FORWARDED,
        }
    }
}

impl fmt::Display for ProxyHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name().as_str())
    }
}

impl FromStr for ProxyHeader {
    type Err = UnknownProxyHeader;
    fn from_str(text: &str) -> Result<Self, UnknownProxyHeader> {
        let found = [Self::XForwardedFor, Self::Forwarded]
            .into_iter()
            .find(|header| text.eq_ignore_ascii_case(header.name().as_str()));
        found.ok_or(UnknownProxyHeader)
    }
}

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API is reached from outside, without a trailing slash, such as `https://api.example.com`.
    pub public_url: String,
    /// What new signing keys sign with.
    pub algorithm: Algorithm,
    /// The id of the owner tenant, whatever its name.
    pub owner_id: TenantId,
    /// What registers the owner; without it nobody can.
    pub bootstrap_secret: Option<BootstrapSecret>,
    /// The provider that people of all tenants may sign in with.
    pub provider: Option<InstallationProvider>,
    /// Whether mail is sent, so that links may go out by it.
    pub mail: bool,
    /// What one guess at a password costs.
    pub password_cost: PasswordCost,
    /// Who may register a tenant.
    pub self_registration: SelfRegistration,
    /// Limits where a tenant has set none.
    pub limits: DefaultLimits,
    /// How many proxies of the operator stand in front: so many entries at the end of their header are believed.
    pub trusted_proxies: usize,
    /// Where they write who called them.
    pub proxy_header: ProxyHeader,
    /// What scrapes metrics from elsewhere than a loopback or private address.
    pub metrics_token: Option<BootstrapSecret>,
    /// The largest body of a call that says nothing else, in bytes.
    pub body_limit: usize,
    /// The largest file that may be sent, in bytes, if the tenant's plan allows it.
    pub largest_file: usize,
    /// The longest a body may take to arrive.
    pub body_timeout: Duration,
    /// How often a live stream says that it is alive, and looks whether it missed something.
    pub keep_alive: Duration,
    /// Live streams of one session.
    pub streams_per_session: u32,
    /// Live streams of one chain of tokens, which is one visitor.
    pub streams_per_family: u32,
    /// Live streams of one address, which many visitors may share.
    pub streams_per_address: u32,
    /// Live streams of one tenant.
    pub streams_per_tenant: u32,
    /// How long a closed tenant can be activated again before its data go.
    pub close_grace: Duration,
    /// Where the Graph API of Meta is, with its version and without a trailing slash.
    pub graph_url: String,
    /// The longest that what a vendor tells in one call is worked on before it is answered. The vendor sends the rest again.
    pub webhook_work: Duration,
    /// Whether browsers are told to come by HTTPS only: when the program itself ends TLS.
    pub strict_transport: bool,
    /// How long what is known of a tenant may be used; a change elsewhere counts after this at the latest.
    pub snapshot_age: Duration,
}

/// A provider of OpenID Connect for the whole installation.
#[derive(Debug, Clone)]
pub struct InstallationProvider {
    /// The provider.
    pub provider: crate::oidc::Provider,
    /// The claim of the ID token that names the tenant.
    pub tenant_claim: String,
}

/// Limits per plan and scope, and those of addresses.
#[derive(Debug, Clone)]
pub struct DefaultLimits {
    /// Of `FREE` tenants.
    pub free: PlanLimits,
    /// Of `PRO` tenants.
    pub pro: PlanLimits,
    /// Of `ENTERPRISE` tenants and of the owner.
    pub enterprise: PlanLimits,
    /// Token requests from one address. Many visitors share one, so this only keeps floods out.
    pub tokens_per_address: Quota,
    /// Registrations from one address by callers that prove nothing before.
    pub registrations_per_address: Quota,
    /// Requests from one address with origins that are nobody's.
    pub unknown_origins_per_address: Quota,
    /// Requests from one address with links to files.
    pub links_per_address: Quota,
    /// Requests from one address with administrators' tokens that are nobody's.
    pub wrong_keys_per_address: Quota,
}

impl DefaultLimits {
    /// The limits of a plan.
    pub fn of_plan(&self, plan: Plan) -> &PlanLimits {
        match plan {
            Plan::Free => &self.free,
            Plan::Pro => &self.pro,
            Plan::Enterprise => &self.enterprise,
        }
    }
}

impl Default for DefaultLimits {
    fn default() -> Self {
        Self {
            free: Plan::Free.terms().limits,
            pro: Plan::Pro.terms().limits,
            enterprise: Plan::Enterprise.terms().limits,
            tokens_per_address: Quota::per_minute(600),
            registrations_per_address: Quota::per_minute(300),
            unknown_origins_per_address: Quota::per_minute(600),
            links_per_address: Quota::per_minute(1_200),
            wrong_keys_per_address: Quota::per_minute(120),
        }
    }
}

impl Settings {
    /// The usual settings of an installation reached at this address.
    pub fn new(public_url: impl Into<String>, owner_id: TenantId) -> Self {
        let mut public_url = public_url.into();
        public_url.truncate(public_url.trim_end_matches('/').len());
        Self {
            public_url,
            algorithm: Algorithm::Es256,
            owner_id,
            bootstrap_secret: None,
            provider: None,
            mail: false,
            password_cost: PasswordCost::default(),
            self_registration: SelfRegistration::default(),
            limits: DefaultLimits::default(),
            trusted_proxies: 0,
            proxy_header: ProxyHeader::default(),
            metrics_token: None,
            body_limit: 256 * 1024,
            largest_file: 10 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            streams_per_session: 8,
            streams_per_family: 24,
            streams_per_address: 2_000,
            streams_per_tenant: 20_000,
            close_grace: Duration::from_hours(30 * 24),
            graph_url: GRAPH_URL.to_owned(),
            webhook_work: Duration::from_secs(3),
            strict_transport: false,
            snapshot_age: Duration::from_millis(900),
        }
    }

    /// Whether it is reached without TLS on one's own machine, for trying out.
    pub fn is_plain_loopback(&self) -> bool {
        let Some(rest) = self.public_url.strip_prefix("http://") else { return false };
        let host = rest.strip_prefix('[').map_or_else(
            || rest.split([':', '/']).next().unwrap_or_default(),
            |v6| v6.split(']').next().unwrap_or_default(),
        );
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The origin of the API itself.
    pub fn public_origin(&self) -> Option<Origin> {
        Origin::of_url(&self.public_url).ok()
    }
}
