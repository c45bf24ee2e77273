//! The keys that sign checkpoints: made by the installation, sealed under the root key, never deleted.

use crate::{Database, StoreError, SystemTx, Vault, signing_keys};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Clock, KeyId, Secret, Timestamp};
use misy_trust::audit_tree::checkpoint::{CheckpointKey, PublicKey};
use sqlx::{Executor, PgConnection};
use std::time::Duration;

/// How long a key goes on signing beside its successor, so that whoever pinned it sees the successor vouched for.
pub const OVERLAP: Duration = Duration::from_hours(7 * 24);

pub(crate) const TABLE: &str = "audit_keys";

/// What everybody may know of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its id.
    pub key_id: String,
    /// 32 bytes.
    pub public_key: Vec<u8>,
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
}

/// All keys there ever were, the oldest first.
pub async fn known(database: &Database) -> Result<Vec<KnownKey>, StoreError> {
    let rows = sqlx::query!(
        "select key_id, public_key, created_at, retires_at from platform.audit_keys order by created_at, key_id"
    )
    .fetch_all(database.app())
    .await?;
    let known = rows.into_iter().map(|row| KnownKey {
        key_id: row.key_id,
        public_key: row.public_key,
        created_at: row.created_at.to_jiff(),
        retires_at: row.retires_at.map(SqlTimestamp::to_jiff),
    });
    Ok(known.collect())
}

/// The keys that sign now, the newest first.
pub(super) async fn signing(
    connection: &mut PgConnection,
    vault: &Vault,
    now: Timestamp,
) -> Result<Vec<CheckpointKey>, StoreError> {
    let rows = sqlx::query!(
        "select key_id, sealed_private_key from platform.audit_keys where retires_at is null or retires_at > $1
         order by created_at desc, key_id desc",
        now.to_sqlx() as _
    )
    .fetch_all(connection)
    .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let seed = signing_keys::open(vault, TABLE, &row.key_id, &row.sealed_private_key).await?;
        keys.push(CheckpointKey::from_seed(&seed).ok_or(StoreError::Unsealable(TABLE))?);
    }
    Ok(keys)
}

/// Makes the first key if there is none.
pub async fn ensure(database: &Database, vault: &Vault, clock: &dyn Clock) -> Result<(), StoreError> {
    if !known(database).await?.is_empty() {
        return Ok(());
    }
    let mut tx = database.system("audit_keys.create").await?;
    lock(&mut tx).await?;
    // Somebody else may have made one while we waited.
    if known(database).await?.is_empty() {
        insert(&mut tx, vault, clock).await?;
    }
    tx.commit().await
}

/// Makes a successor that signs at once; its predecessors sign beside it for [`OVERLAP`]. Gives the new key's id.
pub async fn rotate(database: &Database, vault: &Vault, clock: &dyn Clock) -> Result<String, StoreError> {
    let mut tx = database.system("audit_keys.rotate").await?;
    lock(&mut tx).await?;
    let retires_at = clock.now().checked_add(OVERLAP).unwrap_or(Timestamp::MAX);
    sqlx::query!(
        "update platform.audit_keys set retires_at = $1 where retires_at is null",
        retires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let key_id = insert(&mut tx, vault, clock).await?;
    tx.commit().await?;
    Ok(key_id)
}

async fn lock(tx: &mut SystemTx) -> Result<(), StoreError> {
    tx.connection().execute("lock table platform.audit_keys in share row exclusive mode").await?;
    Ok(())
}

async fn insert(tx: &mut SystemTx, vault: &Vault, clock: &dyn Clock) -> Result<String, StoreError> {
    let key_id = KeyId::new(clock, vault.entropy()).to_string();
    let seed: Secret<Vec<u8>> = CheckpointKey::generate(vault.entropy());
    let key = CheckpointKey::from_seed(&seed).ok_or(StoreError::Unsealable(TABLE))?;
    let sealed = signing_keys::seal_private(vault, TABLE, &key_id, seed.expose())?;
    sqlx::query!(
        "insert into platform.audit_keys (key_id, public_key, sealed_private_key, created_at) values ($1, $2, $3, $4)",
        key_id,
        key.public_bytes(),
        sealed,
        clock.now().to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(key_id)
}
