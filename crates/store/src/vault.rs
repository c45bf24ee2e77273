//! The keys of tenants: created with the tenant, wrapped under the root key, opened once and kept in memory.

use crate::{Database, StoreError, TenantTx};
use misy_domain::{EmailAddress, Entropy, Secret, TenantId};
use misy_trust::{DataKey, Place, RootKey, seal};
use moka::sync::Cache;
use std::{sync::Arc, time::Duration};

/// What seals and signs for one tenant.
pub struct TenantKeys {
    /// All versions of the data key; the last one seals.
    data: Vec<DataKey>,
    /// What the keys that sign this tenant's requests are derived from.
    pub signing_root: Secret<[u8; 32]>,
}

/// Opens the keys of tenants with the root key. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    root: Arc<RootKey>,
    entropy: Arc<dyn Entropy>,
    opened: Cache<TenantId, Arc<TenantKeys>>,
}

const KEYS_IN_MEMORY: u64 = 50_000;
const SIGNING_ROOT_ROW: &str = "signing_root/1";

impl Vault {
    /// A vault over a root key.
    pub fn new(root: RootKey, entropy: Arc<dyn Entropy>) -> Self {
        let opened =
            Cache::builder().max_capacity(KEYS_IN_MEMORY).time_to_live(Duration::from_hours(1)).build();
        Self { root: Arc::new(root), entropy, opened }
    }

    /// The root key, for what belongs to the installation.
    pub fn root(&self) -> &RootKey {
        &self.root
    }

    /// The keyed hash of an e-mail address by which the tenants are found that it has accounts in. It must be the same for
    /// all tenants, so it hangs from the root key.
    pub fn email_route(&self, email: &EmailAddress) -> [u8; 32] {
        self.root.blind_index("user_emails", "email_route").of(email.as_str().as_bytes())
    }

    /// The source of randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
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
        let mut tx = database.tenant("vault.keys", tenant).await?;
        let rows = sqlx::query!(
            "select purpose, version, wrapped_key from data_keys where tenant_id = $1 order by version",
            tenant.as_str()
        )
        .fetch_all(tx.connection())
        .await?;
        tx.commit().await?;
        let mut data = Vec::new();
        for row in rows.iter().filter(|row| row.purpose == "data") {
            let version = u32::try_from(row.version).map_err(|_| StoreError::Unsealable("data_keys"))?;
            let key = self.root.unwrap(tenant, version, &row.wrapped_key);
            data.push(key.map_err(|_| StoreError::Unsealable("data_keys"))?);
        }
        let Some(root) = rows.iter().find(|row| row.purpose == "signing_root") else { return Ok(None) };
        let opened = open(&data, &signing_root_place(tenant), &root.wrapped_key)?;
        let bytes: [u8; 32] = opened.try_into().map_err(|_| StoreError::Unsealable("data_keys"))?;
        let keys = Arc::new(TenantKeys { data, signing_root: Secret::new(bytes) });
        self.opened.insert(tenant.clone(), keys.clone());
        Ok(Some(keys))
    }

    /// Creates the keys of a new tenant within the transaction that creates the tenant.
    pub async fn create(&self, tx: &mut TenantTx) -> Result<Arc<TenantKeys>, StoreError> {
        let tenant = tx.tenant().clone();
        let key = DataKey::generate(1, self.entropy());
        let signing_root = self.entropy.key();
        let wrapped = self.root.wrap(&tenant, &key, self.entropy());
        let sealed = seal::seal(&key, &signing_root_place(&tenant), &signing_root, self.entropy());
        sqlx::query!(
            "insert into data_keys (tenant_id, purpose, version, wrapped_key)
             values ($1, 'data', 1, $2), ($1, 'signing_root', 1, $3)",
            tenant.as_str(),
            wrapped,
            sealed
        )
        .execute(tx.connection())
        .await?;
        Ok(Arc::new(TenantKeys { data: vec![key], signing_root: Secret::new(signing_root) }))
    }

    /// Forgets the keys of a tenant that is no more.
    pub fn forget(&self, tenant: &TenantId) {
        self.opened.invalidate(tenant);
    }
}

impl TenantKeys {
    /// Seals bytes for one place in the database.
    pub fn seal(
        &self,
        place: &Place<'_>,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        let key = self.data.last().ok_or(StoreError::Unsealable("data_keys"))?;
        Ok(seal::seal(key, place, plaintext, entropy))
    }

    /// Opens what was sealed for that place.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        open(&self.data, place, sealed)
    }
}

impl TenantKeys {
    /// The keyed hash by which a row with this value in a column is found.
    pub fn index_of(&self, table: &str, column: &str, value: &[u8]) -> Result<[u8; 32], StoreError> {
        // The first version: what is found by it must not get lost when another one seals.
        let key = self.data.first().ok_or(StoreError::Unsealable("data_keys"))?;
        Ok(key.blind_index(table, column).of(value))
    }

    /// What passwords and recovery codes of the tenant's people are hashed with and that does not stand beside them.
    pub fn pepper(&self) -> Secret<[u8; 32]> {
        misy_trust::derived(&self.signing_root, "misy-password-pepper-v1")
    }
}

fn signing_root_place(tenant: &TenantId) -> Place<'_> {
    Place { tenant, table: "data_keys", column: "wrapped_key", row: SIGNING_ROOT_ROW }
}

fn open(keys: &[DataKey], place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    seal::open(|version| keys.iter().find(|key| key.version() == version), place, sealed)
        .map_err(|_| StoreError::Unsealable("a row"))
}
