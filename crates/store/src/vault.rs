//! The keys of tenants: created with the tenant, wrapped under the root key, opened once and kept in memory.
//!
//! The root key wraps the data keys of tenants; a data key wraps the keys of contacts ([`contacts`]) and seals what is the
//! tenant's own. A handle to a tenant's keys lives on when the data key is rotated: a [`Follower`] puts the new version
//! into it, and whoever meets bytes under a version that is not known here yet reads the keys again.

mod contacts;
mod roots;

pub use contacts::{ContactKey, Via};
pub use roots::{KeySource, Roots};

use crate::{Database, StoreError, TenantTx, guesses::Bucket, installation_secrets, shared::Letters};
use base64::{Engine, engine::general_purpose::STANDARD};
use contacts::ContactKeys;
use misy_domain::{Clock, EmailAddress, Entropy, Secret, TenantId};
use misy_trust::{BlindIndex, DataKey, OpenError, Place, RootKey, seal};
use moka::sync::Cache;
use sqlx::PgConnection;
use std::{
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::{Duration, Instant},
};
use zeroize::Zeroize;

/// What seals and signs for one tenant.
pub struct TenantKeys {
    tenant: TenantId,
    shared: Shared,
    opened: RwLock<Arc<Opened>>,
    /// What the keys that sign this tenant's requests are derived from.
    pub signing_root: Secret<[u8; 32]>,
}

/// The keys as they were read last.
struct Opened {
    /// The versions of the data key; the last one seals.
    data: Vec<DataKey>,
    /// What the keys of blind indexes are derived from: a key of its own, so that it outlives the data key.
    blind_index: DataKey,
}

/// What the keys of all tenants share.
#[derive(Clone)]
struct Shared {
    roots: Arc<Roots>,
    entropy: Arc<dyn Entropy>,
    contacts: ContactKeys,
    /// The key of the hashes by which the tenants of an e-mail address are found.
    email_routes: Arc<OnceLock<DataKey>>,
}

/// Opens the keys of tenants with the root key. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    shared: Shared,
    opened: Cache<TenantId, Arc<TenantKeys>>,
}

const KEYS_IN_MEMORY: u64 = 50_000;
/// How often a [`Follower`] is to ask for new keys.
pub const LOOK: Duration = Duration::from_millis(250);
/// Every so many looks the root keys are looked at too: every ten seconds.
const ROUNDS_TO_ROOTS: u64 = 40;
/// After so long without an answer all keys are read again.
const ASLEEP: Duration = Duration::from_secs(30);

const SIGNING_ROOT: &str = "signing_root";
const BLIND_INDEX: &str = "blind_index";
const EMAIL_ROUTE: &str = "email_route";
const LETTERS: &str = "letters";

impl Vault {
    /// A vault over a root key that never changes.
    pub fn new(root: RootKey, entropy: Arc<dyn Entropy>) -> Self {
        Self::over(Roots::fixed(vec![root]), entropy)
    }

    /// A vault over root keys.
    pub fn over(roots: Roots, entropy: Arc<dyn Entropy>) -> Self {
        let opened =
            Cache::builder().max_capacity(KEYS_IN_MEMORY).time_to_live(Duration::from_hours(1)).build();
        let shared = Shared {
            roots: Arc::new(roots),
            entropy,
            contacts: ContactKeys::default(),
            email_routes: Arc::default(),
        };
        Self { shared, opened }
    }

    /// The root keys, for what belongs to the installation.
    pub fn roots(&self) -> &Roots {
        &self.shared.roots
    }

    /// Opens what belongs to the installation and to no tenant; to be done before people are looked for.
    pub async fn open_installation(&self, database: &Database) -> Result<(), StoreError> {
        let secret = installation_secrets::load_or_create(database, self, EMAIL_ROUTE).await?;
        // Somebody else may have been first, with the same secret.
        let _ = self.shared.email_routes.set(DataKey::new(1, secret));
        Ok(())
    }

    /// The keyed hash of an e-mail address by which the tenants are found that it has accounts in. It is the same for all
    /// tenants, and stays so when any key is rotated.
    pub fn email_route(&self, email: &EmailAddress) -> Result<[u8; 32], StoreError> {
        let key = self.shared.email_routes.get().ok_or(StoreError::Unsealable("installation_secrets"))?;
        Ok(key.blind_index("user_emails", EMAIL_ROUTE).of(email.as_str().as_bytes()))
    }

    /// An occurrence of an alert as it is stored. Under the root key of the moment: when that is rotated, what goes on may raise
    /// its alert once more.
    pub(crate) fn occurrence(&self, tenant: &TenantId, rule: &str, occurrence: &str) -> String {
        let index = self.roots().active().blind_index("alerts", "occurrence");
        STANDARD.encode(index.of(format!("{tenant}\n{rule}\n{occurrence}").as_bytes()))
    }

    /// The key of the occurrences of alerts of a rule that the database raises by itself. Of the root key of the moment too.
    pub(crate) fn occurrences(&self, rule: &str) -> [u8; 32] {
        self.roots().active().blind_index("alerts", "occurrence").of(rule.as_bytes())
    }

    /// Where guesses at this are counted: a keyed hash chooses the place.
    pub fn guess_bucket(&self, subject: &str) -> Result<Bucket, StoreError> {
        let key = self.shared.email_routes.get().ok_or(StoreError::Unsealable("installation_secrets"))?;
        Ok(Bucket::of(key.blind_index("guesses", "bucket").of(subject.as_bytes())))
    }

    /// What the replicas of this installation seal their letters with.
    pub async fn letters(&self, database: &Database, clock: Arc<dyn Clock>) -> Result<Letters, StoreError> {
        let secret = installation_secrets::load_or_create(database, self, LETTERS).await?;
        Ok(Letters::new(&secret, clock, self.shared.entropy.clone()))
    }

    /// The source of randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.shared.entropy
    }

    /// The keys of a tenant; `None` if there is no such tenant.
    pub async fn keys(
        &self,
        database: &Database,
        tenant: &TenantId,
    ) -> Result<Option<Arc<TenantKeys>>, StoreError> {
        if let Some(keys) = self.opened.get(tenant) {
            return Ok(Some(keys));
        }
        self.read_keys(&mut *database.app().acquire().await?, tenant).await
    }

    /// The keys of the tenant of a transaction, read over its own connection where they are not in memory.
    pub async fn keys_within(&self, tx: &mut TenantTx) -> Result<Option<Arc<TenantKeys>>, StoreError> {
        let tenant = tx.tenant().clone();
        match self.opened.get(&tenant) {
            Some(keys) => Ok(Some(keys)),
            None => self.read_keys(tx.connection(), &tenant).await,
        }
    }

    async fn read_keys(
        &self,
        connection: &mut PgConnection,
        tenant: &TenantId,
    ) -> Result<Option<Arc<TenantKeys>>, StoreError> {
        let Some((opened, signing_root)) = self.shared.read(connection, tenant).await? else {
            return Ok(None);
        };
        let keys = Arc::new(TenantKeys {
            tenant: tenant.clone(),
            shared: self.shared.clone(),
            opened: RwLock::new(Arc::new(opened)),
            signing_root,
        });
        self.opened.insert(tenant.clone(), keys.clone());
        Ok(Some(keys))
    }

    /// Creates the keys of a new tenant within the transaction that creates the tenant.
    pub async fn create(&self, tx: &mut TenantTx) -> Result<Arc<TenantKeys>, StoreError> {
        let tenant = tx.tenant().clone();
        let key = DataKey::generate(1, self.entropy());
        let signing_root = self.entropy().key();
        let blind_index = DataKey::generate(1, self.entropy());
        let wrapped = self.shared.roots.active().wrap(&tenant, &key, self.entropy());
        let sealed = seal::seal(&key, &place(&tenant, SIGNING_ROOT_ROW), &signing_root, self.entropy());
        let sealed_index = blind_index.wrapped_by(&key, &place(&tenant, BLIND_INDEX_ROW), self.entropy());
        sqlx::query!(
            "insert into data_keys (tenant_id, purpose, version, wrapped_key)
             values ($1, 'data', 1, $2), ($1, 'signing_root', 1, $3), ($1, 'blind_index', 1, $4)",
            tenant.as_str(),
            wrapped,
            sealed,
            sealed_index,
        )
        .execute(tx.connection())
        .await?;
        Ok(Arc::new(TenantKeys {
            tenant,
            shared: self.shared.clone(),
            opened: RwLock::new(Arc::new(Opened { data: vec![key], blind_index })),
            signing_root: Secret::new(signing_root),
        }))
    }

    /// Forgets the keys of a tenant that is no more.
    pub fn forget(&self, tenant: &TenantId) {
        self.opened.invalidate(tenant);
    }

    /// Keeps the keys in memory in step with those in the database, one round after the other.
    pub fn follower(&self) -> Follower {
        Follower { vault: self.clone(), rounds: 0, answered: Instant::now() }
    }

    /// Asks once which tenants have a new data key, and reads those again that are in memory.
    pub async fn look(&self, database: &Database) -> Result<(), StoreError> {
        let new =
            sqlx::query!(r#"select tenant_id as "tenant_id!", version as "version!" from new_data_keys()"#)
                .fetch_all(database.worker())
                .await?;
        for row in new {
            let tenant: TenantId = crate::readable::stored(row.tenant_id.parse())?;
            let Some(keys) = self.opened.get(&tenant) else { continue };
            if i64::from(keys.version()) < i64::from(row.version) {
                let mut connection = database.app().acquire().await?;
                keys.refresh(&mut connection).await?;
            }
        }
        Ok(())
    }
}

/// Keeps the keys in memory in step with those in the database: a data key that any replica has made seals here well within a
/// second, if there is a round every [`LOOK`].
pub struct Follower {
    vault: Vault,
    rounds: u64,
    answered: Instant,
}

impl Follower {
    /// One look.
    pub async fn round(&mut self, database: &Database) -> Result<(), StoreError> {
        self.rounds += 1;
        if self.answered.elapsed() > ASLEEP {
            self.vault.opened.invalidate_all();
            self.answered = Instant::now();
        }
        let is_time = self.rounds.is_multiple_of(ROUNDS_TO_ROOTS);
        let roots = if is_time { self.vault.shared.roots.look().await } else { Ok(()) };
        self.vault.look(database).await?;
        self.answered = Instant::now();
        roots
    }
}

impl Shared {
    /// Reads and opens the keys of a tenant.
    async fn read(
        &self,
        connection: &mut PgConnection,
        tenant: &TenantId,
    ) -> Result<Option<(Opened, Secret<[u8; 32]>)>, StoreError> {
        let rows = sqlx::query!(
            r#"select purpose as "purpose!", version as "version!", wrapped_key as "wrapped_key!"
               from wrapped_keys($1)"#,
            tenant.as_str()
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut data = Vec::new();
        for row in rows.iter().filter(|row| row.purpose == "data") {
            let version = u32::try_from(row.version).map_err(|_| StoreError::Unsealable("data_keys"))?;
            data.push(self.roots.unwrap(tenant, version, &row.wrapped_key).await?);
        }
        let find = |purpose: &str| rows.iter().find(|row| row.purpose == purpose);
        let Some(root) = find(SIGNING_ROOT) else { return Ok(None) };
        let signing_root = key_bytes(open(&data, &place(tenant, SIGNING_ROOT_ROW), &root.wrapped_key)?)?;
        let blind_index = match find(BLIND_INDEX) {
            Some(row) => key_bytes(open(&data, &place(tenant, BLIND_INDEX_ROW), &row.wrapped_key)?)?,
            None => self.make_blind_index(connection, tenant, &data).await?,
        };
        let blind_index = DataKey::new(1, blind_index);
        Ok(Some((Opened { data, blind_index }, signing_root)))
    }

    /// A tenant from before there were such keys gets one. Of several replicas one wins, and all take its key.
    async fn make_blind_index(
        &self,
        connection: &mut PgConnection,
        tenant: &TenantId,
        data: &[DataKey],
    ) -> Result<Secret<[u8; 32]>, StoreError> {
        let newest = data.last().ok_or(StoreError::Unsealable("data_keys"))?;
        let place = place(tenant, BLIND_INDEX_ROW);
        let sealed = DataKey::generate(1, &*self.entropy).wrapped_by(newest, &place, &*self.entropy);
        let kept =
            sqlx::query_scalar!(r#"select keep_blind_index($1, $2) as "kept!""#, tenant.as_str(), sealed)
                .fetch_one(connection)
                .await?;
        key_bytes(open(data, &place, &kept)?)
    }
}

impl TenantKeys {
    /// Whose keys they are.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The version of the data key that seals.
    pub fn version(&self) -> u32 {
        self.opened().data.last().map_or(0, DataKey::version)
    }

    /// The key by which a column can be searched for equal values. It stays the same when the data key is rotated.
    pub fn blind_index(&self, table: &str, column: &str) -> BlindIndex {
        self.opened().blind_index.blind_index(table, column)
    }

    /// Seals bytes for one place in the database.
    pub fn seal(
        &self,
        place: &Place<'_>,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        let opened = self.opened();
        let key = opened.data.last().ok_or(StoreError::Unsealable("data_keys"))?;
        Ok(seal::seal(key, place, plaintext, entropy))
    }

    /// Opens what was sealed for that place under a key that is known here.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        open(&self.opened().data, place, sealed)
    }

    /// Opens what was sealed for that place; keys that another replica has made meanwhile are read first.
    pub async fn open_fresh(
        &self,
        via: Via<'_>,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.know(via, [sealed]).await?;
        self.open(place, sealed)
    }

    /// Reads the keys again if one of these values is under a data key that is not known here.
    pub(crate) async fn know<'s>(
        &self,
        via: Via<'_>,
        sealed: impl IntoIterator<Item = &'s [u8]>,
    ) -> Result<(), StoreError> {
        let opened = self.opened();
        let knows = |version| opened.data.iter().any(|key| key.version() == version);
        let all = sealed.into_iter().all(|sealed| seal::key_version(sealed).map_or(true, knows));
        if all {
            return Ok(());
        }
        self.refresh(&mut *via.connection().await?).await
    }

    /// Reads the keys again.
    pub(crate) async fn refresh(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let read = self.shared.read(connection, &self.tenant).await?;
        let (opened, _) = read.ok_or(StoreError::Unsealable("data_keys"))?;
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(opened);
        Ok(())
    }

    /// A new data key of this version, wrapped.
    pub(crate) fn wrap_new(&self, version: u32) -> Vec<u8> {
        let entropy = &*self.shared.entropy;
        self.shared.roots.active().wrap(&self.tenant, &DataKey::generate(version, entropy), entropy)
    }

    fn opened(&self) -> Arc<Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TenantKeys {
    /// What passwords and recovery codes of the tenant's people are hashed with and that does not stand beside them.
    pub fn pepper(&self) -> Secret<[u8; 32]> {
        misy_trust::derived(&self.signing_root, "misy-password-pepper-v1")
    }
}

const SIGNING_ROOT_ROW: &str = "signing_root/1";
const BLIND_INDEX_ROW: &str = "blind_index/1";

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "data_keys", column: "wrapped_key", row }
}

fn key_bytes(mut opened: Vec<u8>) -> Result<Secret<[u8; 32]>, StoreError> {
    let bytes = opened.as_slice().try_into().map(Secret::new);
    opened.zeroize();
    bytes.map_err(|_| StoreError::Unsealable("data_keys"))
}

fn open(keys: &[DataKey], place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    seal::open(|version| keys.iter().find(|key| key.version() == version), place, sealed).map_err(unsealable)
}

fn unsealable(_: OpenError) -> StoreError {
    StoreError::Unsealable("a row")
}
