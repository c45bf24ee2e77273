//! The keys that sign checkpoints: made by the installation, sealed under the root key, never changed or deleted.
//!
//! A row is believed as far as it opens: the public key, the times and who vouches for the key are bound to the seed that is
//! sealed in it, and the public key is derived from that seed. So whoever may write to the table makes no key of it. What
//! there is to say anew of a key, that it retires or is sealed under another root key, is another revision of it.

use crate::{
    Database, StoreError, SystemTx, Vault,
    signing_keys::{self, Opened, believed, bound_text, kept, micros, seal_private, unless_forged},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Clock, KeyId, Secret, Timestamp};
use misy_trust::audit_tree::{
    checkpoint::{CheckpointKey, PublicKey},
    succession::Voucher,
};
use sqlx::{PgConnection, PgExecutor};
use std::time::Duration;

/// How long a key goes on signing beside its successor, so that whoever pinned it sees the successor vouched for.
pub const OVERLAP: Duration = Duration::from_hours(7 * 24);

const TABLE: &str = "audit_keys";

/// What everybody may know of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its id.
    pub key_id: String,
    /// 32 bytes.
    pub public_key: Vec<u8>,
    /// Which key before it vouches for it; none does for the first one.
    pub voucher: Option<Voucher>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs no more.
    pub retires_at: Option<Timestamp>,
}

impl KnownKey {
    /// The key as one that verifies checkpoints of a trail.
    pub fn verifier(&self, origin: &str) -> PublicKey {
        PublicKey::new(origin, &self.public_key)
    }

    /// What of the key its seed is bound to.
    fn bound(&self) -> String {
        let voucher = self.voucher.as_ref();
        bound_text(&[
            &self.key_id,
            &STANDARD.encode(&self.public_key),
            &voucher.map(|voucher| STANDARD.encode(&voucher.predecessor)).unwrap_or_default(),
            &voucher.map(|voucher| STANDARD.encode(&voucher.signature)).unwrap_or_default(),
            &micros(Some(self.created_at)),
            &micros(self.retires_at),
        ])
    }

    fn signs_at(&self, now: Timestamp) -> bool {
        self.retires_at.is_none_or(|retires_at| retires_at > now)
    }
}

/// A revision of a key.
struct Row {
    key_id: String,
    public_key: Vec<u8>,
    predecessor: Option<Vec<u8>>,
    voucher: Option<Vec<u8>>,
    sealed_private_key: Vec<u8>,
    created_at: SqlTimestamp,
    retires_at: Option<SqlTimestamp>,
}

/// A key of ours.
struct OwnKey {
    known: KnownKey,
    seed: Secret<Vec<u8>>,
    key: CheckpointKey,
    /// Whether it is sealed under the root key that wraps now.
    is_current: bool,
}

impl Row {
    fn known(&self) -> KnownKey {
        let voucher = self.predecessor.clone().zip(self.voucher.clone());
        KnownKey {
            key_id: self.key_id.clone(),
            public_key: self.public_key.clone(),
            voucher: voucher.map(|(predecessor, signature)| Voucher { predecessor, signature }),
            created_at: self.created_at.to_jiff(),
            retires_at: self.retires_at.map(SqlTimestamp::to_jiff),
        }
    }

    async fn open(&self, vault: &Vault) -> Result<OwnKey, StoreError> {
        let known = self.known();
        let seed = signing_keys::open(vault, TABLE, &known.bound(), &self.sealed_private_key).await?;
        let key = CheckpointKey::from_seed(&seed).filter(|key| key.public_bytes() == known.public_key);
        let key = key.ok_or(StoreError::Unsealable(TABLE))?;
        let root = vault.roots().active();
        let is_current =
            signing_keys::split(&self.sealed_private_key).is_some_and(|(wrapped, _)| root.wrapped(wrapped));
        Ok(OwnKey { known, seed, key, is_current })
    }
}

async fn rows(executor: impl PgExecutor<'_>) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select key_id, public_key, predecessor, voucher, sealed_private_key, created_at, retires_at
         from platform.audit_keys order by key_id, revision desc"
    )
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

/// Each key once, the oldest first: from the revision that ends it first, and of several such from the newest that opens.
async fn open_all(vault: &Vault, rows: Vec<Row>) -> Result<Vec<Opened<(), OwnKey>>, StoreError> {
    let mut all: Vec<Opened<(), OwnKey>> = Vec::new();
    for row in rows {
        let is_another = all.last().is_none_or(|last| last.name != row.key_id);
        // An older revision may be sealed under a root key that is no more. That is not looked for.
        if !is_another && !vault.roots().has_wrapped(&row.sealed_private_key) {
            continue;
        }
        let key = unless_forged(row.open(vault).await)?;
        match all.last_mut().filter(|_| !is_another) {
            None => all.push(Opened { name: row.key_id, row: (), key }),
            Some(last) => {
                let ends = |key: &OwnKey| key.known.retires_at.unwrap_or(Timestamp::MAX);
                if let Ok(key) = key
                    && last.key.as_ref().map_or(true, |last| ends(&key) < ends(last))
                {
                    last.key = Ok(key);
                }
            }
        }
    }
    all.sort_by_key(|opened| opened.key.as_ref().map(|key| key.known.created_at).ok());
    Ok(all)
}

async fn own(executor: impl PgExecutor<'_>, vault: &Vault) -> Result<Vec<OwnKey>, StoreError> {
    let opened = open_all(vault, rows(executor).await?).await?;
    Ok(believed(TABLE, opened)?.into_iter().map(|((), key)| key).collect())
}

/// All keys there ever were, the oldest first.
pub async fn known(database: &Database, vault: &Vault) -> Result<Vec<KnownKey>, StoreError> {
    Ok(own(database.app(), vault).await?.into_iter().map(|key| key.known).collect())
}

/// Rows that are no keys of ours.
pub(crate) async fn set_aside(database: &Database, vault: &Vault) -> Result<Vec<String>, StoreError> {
    let opened = open_all(vault, rows(database.app()).await?).await?;
    let aside = opened.into_iter().filter(|opened| opened.key.is_err());
    Ok(aside.map(|opened| format!("{TABLE}/{}", opened.name)).collect())
}

/// The keys that sign now, the newest first.
pub(super) async fn signing(
    connection: &mut PgConnection,
    vault: &Vault,
    now: Timestamp,
) -> Result<Vec<CheckpointKey>, StoreError> {
    let keys = own(connection, vault).await?.into_iter().rev().filter(|key| key.known.signs_at(now));
    Ok(keys.map(|key| key.key).collect())
}

/// Makes the first key if there is none.
pub async fn ensure(database: &Database, vault: &Vault, clock: &dyn Clock) -> Result<(), StoreError> {
    if !known(database, vault).await?.is_empty() {
        return Ok(());
    }
    let mut tx = database.system("audit_keys.create").await?;
    signing_keys::lock(&mut tx).await?;
    // Somebody else may have made one while we waited.
    if own(tx.connection(), vault).await?.is_empty() {
        make(&mut tx, vault, clock, None).await?;
    }
    tx.commit().await
}

/// Makes a successor that signs at once; its predecessors sign beside it for [`OVERLAP`]. Gives the new key's id.
pub async fn rotate(database: &Database, vault: &Vault, clock: &dyn Clock) -> Result<String, StoreError> {
    let issuer = database.installation_issuer(clock, vault.entropy()).await?;
    let mut tx = database.system("audit_keys.rotate").await?;
    signing_keys::lock(&mut tx).await?;
    let retires_at = kept(clock.now().checked_add(OVERLAP).unwrap_or(Timestamp::MAX));
    let mut keys = own(tx.connection(), vault).await?;
    for key in keys.iter_mut().filter(|key| key.known.retires_at.is_none()) {
        key.known.retires_at = Some(retires_at);
        write(&mut tx, vault, key).await?;
    }
    let before = keys.last().map(|key| (issuer.as_str(), &key.key));
    let key_id = make(&mut tx, vault, clock, before).await?;
    tx.commit().await?;
    Ok(key_id)
}

/// Seals those anew that are sealed under an old root key.
pub(crate) async fn rewrap(tx: &mut SystemTx, vault: &Vault) -> Result<(), StoreError> {
    for key in own(tx.connection(), vault).await? {
        if !key.is_current {
            write(tx, vault, &key).await?;
        }
    }
    Ok(())
}

/// Makes a key, which the one before it vouches for.
async fn make(
    tx: &mut SystemTx,
    vault: &Vault,
    clock: &dyn Clock,
    before: Option<(&str, &CheckpointKey)>,
) -> Result<String, StoreError> {
    let seed: Secret<Vec<u8>> = CheckpointKey::generate(vault.entropy());
    let key = CheckpointKey::from_seed(&seed).ok_or(StoreError::Unsealable(TABLE))?;
    let public_key = key.public_bytes();
    let known = KnownKey {
        key_id: KeyId::new(clock, vault.entropy()).to_string(),
        voucher: before.map(|(issuer, before)| before.vouch(issuer, &public_key)),
        public_key,
        created_at: kept(clock.now()),
        retires_at: None,
    };
    let key = OwnKey { known, seed, key, is_current: true };
    write(tx, vault, &key).await?;
    Ok(key.known.key_id)
}

async fn write(tx: &mut SystemTx, vault: &Vault, key: &OwnKey) -> Result<(), StoreError> {
    let known = &key.known;
    let sealed = seal_private(vault, TABLE, &known.bound(), key.seed.expose())?;
    sqlx::query!(
        "insert into platform.audit_keys
             (key_id, public_key, predecessor, voucher, sealed_private_key, created_at, retires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        known.key_id,
        known.public_key,
        known.voucher.as_ref().map(|voucher| &voucher.predecessor[..]),
        known.voucher.as_ref().map(|voucher| &voucher.signature[..]),
        sealed,
        known.created_at.to_sqlx() as _,
        known.retires_at.map(ToSqlx::to_sqlx) as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
