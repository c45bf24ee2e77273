//! The front desk: what all calls share.

use crate::{
    answers::Answers,
    api::tenants::conversations::typing::TypingPeople,
    bodies::Bodies,
    edge::origins::KnownOrigins,
    identity::{Asker, Passwords},
    live::Streams,
    loops,
    management::Looks,
    oidc::Providers,
    privilege::{SELF_REGISTRATION, Watch, alert_owner},
    problem::Problem,
    refusals::Refusals,
    settings::{SelfRegistration, Settings},
    tallies::Tallies,
    tenant_state::TenantStates,
    token_desk::TokenDesk,
    welcome::Welcomes,
};
use metrics_exporter_prometheus::PrometheusHandle;
use misy_domain::{Clock, EmailAddress, Entropy, Secret, TenantId};
use misy_egress::Egress;
use misy_store::{
    AuditLog, Bell, Database, Files, Limits, Shared as Redis, StoreError, TenantKeys, Turns, Vault,
    alerts::Severity,
    audit::{CallEntry, SealTerms, Sealer},
    closing::{self, Purged},
    signing_keys,
};
use misy_trust::RelyingParty;
use misy_workbench::Packs;
use moka::sync::Cache;
use serde_json::json;
use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Exports of one tenant at a time.
const EXPORTS: usize = 2;

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
    /// What replicas share limits through, when there are several.
    pub redis: Option<Redis>,
    /// Context packs that are ready for answering.
    pub packs: Packs,
    /// Where the bytes of files lie.
    pub files: Files,
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
    /// Context packs that are ready for answering.
    pub(crate) packs: Packs,
    /// Where the bytes of files lie.
    pub files: Files,
    /// Hashes passwords.
    pub(crate) passwords: Passwords,
    /// What replicas share limits through, when there are several.
    pub redis: Option<Redis>,
    /// This installation, as authenticators know it; none where browsers know no passkeys.
    pub(crate) relying_party: Option<RelyingParty>,
    /// Providers that people sign in with.
    pub(crate) providers: Providers,
    /// The way out over HTTP.
    pub(crate) egress: Egress,
    /// Records of calls.
    pub audit: AuditLog,
    /// Exports under way, a few at a time of each tenant: each holds pages in memory as long as its reader is slow.
    pub(crate) exports: Turns,
    /// What the owner decided while the program runs.
    decided: RwLock<Option<SelfRegistration>>,
    /// Puts what is recorded into the trees of the tenants.
    pub sealer: Sealer,
    pub(crate) origins: KnownOrigins,
    pub(crate) streams: Arc<Streams>,
    /// Looks at people on whose behalf something goes on.
    pub(crate) looks: Arc<Looks>,
    /// What the owner's people are refused, and which alerts stand for it.
    pub(crate) watch: Watch,
    pub(crate) refusals: Refusals,
    /// In which conversations people write.
    pub(crate) typing: TypingPeople,
    /// Calls that stand in the trail together.
    pub(crate) tallies: Tallies,
    /// Answers in memory that are not taken yet.
    pub(crate) answers: Answers,
    /// Bodies of requests in memory.
    pub(crate) bodies: Bodies,
    /// The hashes of administrators' tokens that were good lately.
    pub(crate) good_keys: Cache<[u8; 32], ()>,
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
    /// A new password as it is stored, for the account of an address in a tenant.
    pub(crate) async fn hash_password(
        &self,
        password: &Secret<String>,
        email: &EmailAddress,
        keys: &TenantKeys,
        asker: Asker,
    ) -> Result<String, Problem> {
        let address = self.vault.email_route(email)?;
        self.passwords.hash(password.expose(), &address, &keys.pepper(), asker).await
    }

    /// Loads or makes the signing keys and starts what runs in the background; needs a runtime.
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts { database, vault, bell, clock, entropy, egress, settings, metrics, redis, packs, files } =
            parts;
        vault.open_installation(&database).await?;
        let issuer = database.installation_issuer(&*clock, &*entropy).await?;
        let algorithm = settings.algorithm;
        let keys = signing_keys::load_or_create(&database, &vault, &issuer, algorithm, &*clock).await?;
        let tenants = TenantStates::new(
            database.clone(),
            vault.clone(),
            clock.clone(),
            settings.limits.clone(),
            settings.snapshot_age,
            bell.clone(),
        );
        let sealer =
            Sealer::new(database.clone(), vault.clone(), clock.clone(), SealTerms::default()).await?;
        let shared = Shared {
            sealer,
            tokens: TokenDesk::new(database.clone(), vault.clone(), clock.clone(), algorithm, keys),
            tenants,
            packs,
            files,
            passwords: Passwords::new(settings.password_cost),
            limits: Limits::through(redis.clone()),
            redis,
            relying_party: RelyingParty::at(&settings.public_url, "Misy"),
            providers: Providers::new(egress.clone(), clock.clone()),
            egress,
            audit: AuditLog::start(database.clone()),
            exports: Turns::of(EXPORTS),
            decided: RwLock::default(),
            origins: KnownOrigins::new(database.clone()),
            streams: Arc::default(),
            looks: Arc::default(),
            watch: Watch::default(),
            refusals: Refusals::default(),
            typing: TypingPeople::default(),
            tallies: Tallies::default(),
            answers: Answers::default(),
            bodies: Bodies::default(),
            good_keys: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_hours(1)).build(),
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
        desk.read_global_settings().await?;
        desk.start();
        Ok(desk)
    }

    fn start(&self) {
        let tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tracker) = tasks.as_ref() else { return };
        loops::start(self, tracker);
        let desk = self.clone();
        tracker.spawn(async move {
            let mut changes = desk.bell.forget();
            let work = async {
                // Who fell behind missed some; they count within a second all the same. The bell outlives the desk.
                loop {
                    if let Ok(tenant) = changes.recv().await {
                        desk.tenants.forget(&tenant);
                    }
                }
            };
            desk.stopping.run_until_cancelled(work).await;
        });
    }

    /// Tells the owner of rows among the keys of the installation that are none of its keys. One alert a row.
    pub async fn tell_of_keys_set_aside(&self) -> Result<(), StoreError> {
        for row in signing_keys::set_aside(&self.database, &self.vault).await? {
            alert_owner(self, "key_set_aside", Severity::Critical, row.clone(), row, json!({})).await?;
        }
        Ok(())
    }

    /// Writes entries that stand for several calls.
    pub(crate) fn tell_of(&self, entries: Vec<(TenantId, CallEntry)>) {
        for (tenant, entry) in entries {
            self.audit.record_call(tenant, entry);
        }
    }

    /// Who may register a tenant at this moment.
    pub fn self_registration(&self) -> SelfRegistration {
        let decided = *self.decided.read().unwrap_or_else(PoisonError::into_inner);
        decided.unwrap_or(self.settings.self_registration)
    }

    /// Reads what the owner decided for the whole installation.
    pub(crate) async fn read_global_settings(&self) -> Result<(), StoreError> {
        let decided = self.database.global_settings().await?;
        let value = decided.iter().find(|(name, _)| name == SELF_REGISTRATION);
        let value = value.and_then(|(_, value)| value.as_str()?.parse().ok());
        *self.decided.write().unwrap_or_else(PoisonError::into_inner) = value;
        Ok(())
    }

    /// Removes what is left of closed tenants whose grace period is over, and says of how many. Several replicas may do so
    /// at once, and each may be stopped anywhere: whoever comes next goes on.
    pub async fn purge_due(&self) -> Result<usize, StoreError> {
        let mut gone = 0;
        for tenant in closing::due(&self.database, self.clock.now()).await? {
            loop {
                let (clock, entropy) = (&*self.clock, &*self.entropy);
                match closing::purge_batch(&self.database, &tenant, closing::BATCH, clock, entropy).await? {
                    Purged::More => {}
                    Purged::Nothing => break,
                    Purged::Done => {
                        tracing::info!(tenantId = %tenant, "a closed tenant was cleaned up");
                        self.tenant_is_gone(&tenant);
                        gone += 1;
                        break;
                    }
                }
            }
        }
        Ok(gone)
    }

    /// Removes what is over, and the bytes of files whose rows are gone; says of how many rows and files. Several replicas may do
    /// so at once, and each may be stopped anywhere.
    pub async fn sweep(&self) -> Result<(i64, usize), StoreError> {
        let rows = self.database.remove_expired(self.clock.now()).await?;
        let files = self.database.remove_bytes(&self.files).await?;
        Ok((rows, files))
    }

    /// Forgets everything of a tenant that is no more.
    pub(crate) fn tenant_is_gone(&self, tenant: &TenantId) {
        self.vault.forget(tenant);
        self.tenants.changed(tenant);
        self.origins.changed();
    }

    /// Forgets what is known of a tenant, which another replica has changed.
    pub fn forget_tenant(&self, tenant: &TenantId) {
        self.tenants.forget(tenant);
        self.origins.changed();
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
        // What cannot be counted now is lost with the process.
        let _ = self.refusals.write(self).await;
        self.tell_of(self.tallies.over(None));
        self.audit.shutdown().await;
    }

    /// Ends live streams, so that the server can end the calls that hold them.
    pub fn stop_streams(&self) {
        self.stopping.cancel();
    }
}
