//! The front desk: what all calls share.

use crate::{
    edge::origins::KnownOrigins, identity::Passwords, live::Streams, oidc::Providers, settings::Settings,
    tenant_state::TenantStates, token_desk::TokenDesk, welcome::Welcomes,
};
use metrics_exporter_prometheus::PrometheusHandle;
use misy_domain::{Clock, Entropy};
use misy_egress::Egress;
use misy_store::{AuditLog, Bell, Database, Limits, StoreError, Vault, signing_keys};
use misy_trust::RelyingParty;
use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often another replica's changes are looked for on behalf of live streams.
const LOOK_AGAIN: Duration = Duration::from_millis(700);
/// How often signing keys are read again, and rotated when it is time.
const READ_KEYS: Duration = Duration::from_mins(1);

/// What a front desk is made of.
pub struct Parts {
    /// The database.
    pub database: Database,
    /// The keys of tenants.
    pub vault: Vault,
    /// Rings when something was stored.
    pub bell: Bell,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The way out over HTTP.
    pub egress: Egress,
    /// What the operator decided.
    pub settings: Settings,
    /// Renders the metrics, if they are recorded.
    pub metrics: Option<PrometheusHandle>,
}

/// The front desk. Cheap to clone.
#[derive(Clone)]
pub struct FrontDesk {
    shared: Arc<Shared>,
}

/// What all calls share.
pub struct Shared {
    /// The database.
    pub database: Database,
    /// The keys of tenants.
    pub vault: Vault,
    /// Rings when something was stored.
    pub bell: Bell,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator decided.
    pub settings: Settings,
    /// Renders the metrics.
    pub metrics: Option<PrometheusHandle>,
    /// Tokens and the keys that sign them.
    pub tokens: TokenDesk,
    /// What is known of tenants.
    pub tenants: TenantStates,
    /// Rate limits and nonces.
    pub limits: Limits,
    /// Hashes passwords.
    pub(crate) passwords: Passwords,
    /// This installation, as authenticators know it; none where browsers know no passkeys.
    pub(crate) relying_party: Option<RelyingParty>,
    /// Providers that people sign in with.
    pub(crate) providers: Providers,
    /// Records of calls.
    pub audit: AuditLog,
    pub(crate) origins: KnownOrigins,
    pub(crate) streams: Arc<Streams>,
    pub(crate) welcomes: Welcomes,
    pub(crate) stopping: CancellationToken,
    tasks: Mutex<Option<TaskTracker>>,
}

impl Deref for FrontDesk {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl FrontDesk {
    /// Loads or makes the signing keys and starts what runs in the background; needs a runtime.
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts { database, vault, bell, clock, entropy, egress, settings, metrics } = parts;
        let issuer = database.installation_issuer(&*clock, &*entropy).await?;
        let algorithm = settings.algorithm;
        let keys = signing_keys::load_or_create(&database, &vault, &issuer, algorithm, &*clock).await?;
        let tenants = TenantStates::new(
            database.clone(),
            vault.clone(),
            clock.clone(),
            settings.limits.clone(),
            settings.snapshot_age,
        );
        let shared = Shared {
            tokens: TokenDesk::new(database.clone(), vault.clone(), clock.clone(), algorithm, keys),
            tenants,
            limits: Limits::default(),
            passwords: Passwords::new(settings.password_cost),
            relying_party: RelyingParty::at(&settings.public_url, "Misy"),
            providers: Providers::new(egress, clock.clone()),
            audit: AuditLog::start(database.clone()),
            origins: KnownOrigins::new(database.clone()),
            streams: Arc::default(),
            welcomes: Welcomes::default(),
            stopping: CancellationToken::new(),
            tasks: Mutex::new(Some(TaskTracker::new())),
            database,
            vault,
            bell,
            clock,
            entropy,
            settings,
            metrics,
        };
        let desk = Self { shared: Arc::new(shared) };
        desk.start();
        Ok(desk)
    }

    fn start(&self) {
        let tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tracker) = tasks.as_ref() else { return };
        let desk = self.clone();
        tracker.spawn(async move {
            let work = async {
                loop {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    desk.tenants.look_again().await;
                }
            };
            desk.stopping.run_until_cancelled(work).await;
        });
        let desk = self.clone();
        tracker.spawn(async move {
            let work = async {
                loop {
                    tokio::time::sleep(READ_KEYS).await;
                    if let Err(error) = desk.tokens.refresh().await {
                        tracing::warn!(%error, "signing keys could not be read");
                    }
                }
            };
            desk.stopping.run_until_cancelled(work).await;
        });
    }

    /// Does something after the answer was given.
    pub(crate) fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tracker) = tasks.as_ref() {
            tracker.spawn(work);
        }
    }

    /// Ends live streams and background work, and writes down what waits. Calls should have ended before.
    pub async fn shutdown(&self) {
        self.stop_streams();
        let tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tracker) = tasks {
            tracker.close();
            tracker.wait().await;
        }
        self.audit.shutdown().await;
    }

    /// Ends live streams, so that the server can end the calls that hold them.
    pub fn stop_streams(&self) {
        self.stopping.cancel();
    }
}
