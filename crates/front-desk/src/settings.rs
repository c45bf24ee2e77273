//! What the operator decides about the front desk.

use misy_domain::{Origin, Plan, TenantId, limit::Quota};
use misy_store::limits::Scope;
use misy_trust::{Algorithm, BootstrapSecret, PasswordCost};
use std::time::Duration;

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
    /// How many proxies of the operator stand in front: so many entries at the end of `X-Forwarded-For` are believed.
    pub trusted_proxies: usize,
    /// What scrapes metrics from elsewhere than a loopback or private address.
    pub metrics_token: Option<BootstrapSecret>,
    /// The largest body of a call that says nothing else, in bytes.
    pub body_limit: usize,
    /// The longest a body may take to arrive.
    pub body_timeout: Duration,
    /// How often a live stream says that it is alive, and looks whether it missed something.
    pub keep_alive: Duration,
    /// Live streams of one session.
    pub streams_per_session: u32,
    /// Live streams of one tenant.
    pub streams_per_tenant: u32,
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
}

/// Limits of one plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanLimits {
    /// All calls of the tenant.
    pub tenant: Quota,
    /// All calls of one site.
    pub site: Quota,
    /// Calls with one chain of tokens, one tenant secret or one administrator token.
    pub key: Quota,
    /// Messages of one session.
    pub session: Quota,
    /// Messages on one channel.
    pub channel: Quota,
}

impl PlanLimits {
    const fn of(per_minute: u32, per_key: u32) -> Self {
        Self {
            tenant: Quota::per_minute(per_minute),
            site: Quota::per_minute(per_minute),
            key: Quota::per_minute(per_key),
            session: Quota::per_minute(30),
            channel: Quota::per_minute(per_minute),
        }
    }

    /// The limit of a scope. Agents have none of their own yet.
    pub fn of_scope(&self, scope: Scope) -> Quota {
        match scope {
            Scope::Tenant | Scope::Agent => self.tenant,
            Scope::Site => self.site,
            Scope::Key => self.key,
            Scope::Session => self.session,
            Scope::Channel => self.channel,
        }
    }
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
            free: PlanLimits::of(12_000, 600),
            pro: PlanLimits::of(60_000, 3_000),
            enterprise: PlanLimits::of(600_000, 60_000),
            tokens_per_address: Quota::per_minute(600),
            registrations_per_address: Quota::per_minute(300),
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
            algorithm: Algorithm::Rs256,
            owner_id,
            bootstrap_secret: None,
            provider: None,
            mail: false,
            password_cost: PasswordCost::default(),
            self_registration: SelfRegistration::default(),
            limits: DefaultLimits::default(),
            trusted_proxies: 0,
            metrics_token: None,
            body_limit: 256 * 1024,
            body_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            streams_per_session: 8,
            streams_per_tenant: 20_000,
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
