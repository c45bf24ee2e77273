//! The keys that sign tokens: made once, sealed under the root key, rotated with overlap, shared by all replicas.

use crate::{Database, StoreError, SystemTx, Vault, audit, installation_secrets, tenants::stored};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Clock, Secret, TenantId, Timestamp};
use misy_trust::{
    Algorithm, DataKey, Place, SigningKey, TokenKeys, seal,
    token::{KeyRecord, MAX_LIFETIME},
};
use sqlx::{AssertSqlSafe, Executor};
use std::time::Duration;

/// How long a key signs.
pub const LIFETIME: Duration = Duration::from_hours(90 * 24);
/// How long before it signs a new key is published, so that everybody has read it by then.
pub const NOTICE: Duration = Duration::from_hours(1);

const TABLE: &str = "token_signing_keys";
/// Under this name the data key of a signing key is wrapped. No tenant can have it: see the reserved ids.
const INSTALLATION: &str = "misy-installation";

/// Makes the first key if there is none, and gives all that are in use.
pub async fn load_or_create(
    database: &Database,
    vault: &Vault,
    issuer: &str,
    algorithm: Algorithm,
    clock: &dyn Clock,
) -> Result<TokenKeys, StoreError> {
    let keys = load(database, vault, issuer, clock.now()).await?;
    if keys.keys().iter().any(|key| key.signs_at(clock.now())) {
        return Ok(keys);
    }
    let mut tx = database.system("signing_keys.create").await?;
    lock(&mut tx).await?;
    // Somebody else may have made one while we waited.
    let keys = load(database, vault, issuer, clock.now()).await?;
    if !keys.keys().iter().any(|key| key.signs_at(clock.now())) {
        let key = generate(algorithm, vault, clock)?;
        insert(&mut tx, vault, &key, "tenant").await?;
    }
    tx.commit().await?;
    load(database, vault, issuer, clock.now()).await
}

/// All keys that sign or verify at this time or later.
pub async fn load(
    database: &Database,
    vault: &Vault,
    issuer: &str,
    now: Timestamp,
) -> Result<TokenKeys, StoreError> {
    // A renewed token may be a month older than it lives.
    let kept = Duration::from_secs(MAX_LIFETIME.unsigned_abs() + 31 * 24 * 60 * 60);
    let since = now.checked_sub(kept).unwrap_or(Timestamp::MIN);
    let keys = read(database, vault, "tenant", since).await?;
    stored(TokenKeys::new(issuer, keys))
}

/// The keys of a purpose that have not retired before a time, opened.
pub(crate) async fn read(
    database: &Database,
    vault: &Vault,
    purpose: &str,
    since: Timestamp,
) -> Result<Vec<SigningKey>, StoreError> {
    let rows = sqlx::query!(
        "select kid, algorithm, sealed_private_key, created_at, activates_at, retires_at
         from platform.token_signing_keys
         where purpose = $1 and (retires_at is null or retires_at > $2) order by activates_at",
        purpose,
        since.to_sqlx() as _
    )
    .fetch_all(database.app())
    .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let record = KeyRecord {
            kid: stored(row.kid.parse())?,
            algorithm: stored(row.algorithm.parse())?,
            private: open(vault, TABLE, &row.kid, &row.sealed_private_key).await?,
            created_at: row.created_at.to_jiff(),
            activates_at: row.activates_at.to_jiff(),
            retires_at: row.retires_at.map(SqlTimestamp::to_jiff),
        };
        keys.push(stored(SigningKey::from_record(record))?);
    }
    Ok(keys)
}

/// Makes a successor when the newest key has signed for its lifetime, and says whether it did.
pub async fn rotate_if_due(
    database: &Database,
    vault: &Vault,
    algorithm: Algorithm,
    clock: &dyn Clock,
) -> Result<bool, StoreError> {
    let due = clock.now().checked_sub(LIFETIME).unwrap_or(Timestamp::MIN);
    if newest(database).await?.is_none_or(|activated| activated > due) {
        return Ok(false);
    }
    rotate(database, vault, algorithm, clock, Some(due)).await
}

/// Makes a successor now; with `due`, only if the newest key is not younger.
pub async fn rotate(
    database: &Database,
    vault: &Vault,
    algorithm: Algorithm,
    clock: &dyn Clock,
    due: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let mut tx = database.system("signing_keys.rotate").await?;
    lock(&mut tx).await?;
    let newest = newest(database).await?;
    if due.is_some_and(|due| newest.is_some_and(|activated| activated > due)) {
        return Ok(false);
    }
    let activates_at = clock.now().checked_add(NOTICE).unwrap_or(Timestamp::MAX);
    sqlx::query!(
        "update platform.token_signing_keys set retires_at = least(retires_at, $1) where purpose = 'tenant'",
        activates_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let key = generate(algorithm, vault, clock)?.activating_at(activates_at);
    insert(&mut tx, vault, &key, "tenant").await?;
    let verified_until = Duration::from_secs(MAX_LIFETIME.unsigned_abs() + 31 * 24 * 60 * 60);
    let gone = clock.now().checked_sub(verified_until).unwrap_or(Timestamp::MIN);
    sqlx::query!("delete from platform.token_signing_keys where retires_at < $1", gone.to_sqlx() as _)
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// What of the installation is sealed like the signing keys: table, key column, sealed column.
const SEALED: [(&str, &str, &str); 3] = [
    (TABLE, "kid", "sealed_private_key"),
    (audit::keys::TABLE, "key_id", "sealed_private_key"),
    (installation_secrets::TABLE, "name", "sealed_secret"),
];

/// Seals everything of the installation anew whose data key is not wrapped by the root key that wraps now.
pub async fn rewrap(database: &Database, vault: &Vault) -> Result<(), StoreError> {
    let root = vault.roots().active();
    for (table, key, column) in SEALED {
        let mut tx = database.system("signing_keys.rewrap").await?;
        lock(&mut tx).await?;
        let select = format!("select {key}, {column} from platform.{table} for update");
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as(AssertSqlSafe(select)).fetch_all(tx.connection()).await?;
        for (name, stored) in rows {
            if split(&stored).is_some_and(|(wrapped, _)| root.wrapped(wrapped)) {
                continue;
            }
            let private = open(vault, table, &name, &stored).await?;
            let sealed = seal_private(vault, table, &name, private.expose())?;
            let update = format!("update platform.{table} set {column} = $2 where {key} = $1");
            sqlx::query(AssertSqlSafe(update)).bind(name).bind(sealed).execute(tx.connection()).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

pub(crate) async fn lock(tx: &mut SystemTx) -> Result<(), StoreError> {
    // Not an advisory lock: those may be taken by anybody.
    tx.connection().execute("lock table platform.token_signing_keys in share row exclusive mode").await?;
    Ok(())
}

async fn newest(database: &Database) -> Result<Option<Timestamp>, StoreError> {
    let newest = sqlx::query_scalar!(
        "select max(activates_at) from platform.token_signing_keys where purpose = 'tenant'"
    )
    .fetch_one(database.app())
    .await?;
    Ok(newest.map(SqlTimestamp::to_jiff))
}

pub(crate) fn generate(
    algorithm: Algorithm,
    vault: &Vault,
    clock: &dyn Clock,
) -> Result<SigningKey, StoreError> {
    // A hundred milliseconds for RSA, a handful of times in a year; not worth a thread of its own.
    stored(SigningKey::generate(algorithm, clock, vault.entropy()))
}

pub(crate) async fn insert(
    tx: &mut SystemTx,
    vault: &Vault,
    key: &SigningKey,
    purpose: &str,
) -> Result<(), StoreError> {
    let record = key.record();
    let kid = record.kid.to_string();
    let sealed = seal_private(vault, TABLE, &kid, record.private.expose())?;
    sqlx::query!(
        "insert into platform.token_signing_keys (kid, algorithm, sealed_private_key, created_at, activates_at, purpose)
         values ($1, $2, $3, $4, $5, $6)",
        kid,
        record.algorithm.as_str(),
        sealed,
        record.created_at.to_sqlx() as _,
        record.activates_at.to_sqlx() as _,
        purpose
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A data key of its own, wrapped under the root key, with its length in front (2 bytes, big-endian); then the private key
/// sealed under it.
pub(crate) fn seal_private(
    vault: &Vault,
    table: &'static str,
    kid: &str,
    private: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let installation = installation()?;
    let key = DataKey::generate(1, vault.entropy());
    let wrapped = vault.roots().active().wrap(&installation, &key, vault.entropy());
    let length = u16::try_from(wrapped.len()).map_err(|_| StoreError::Unsealable(table))?;
    let sealed = seal::seal(&key, &place(&installation, table, kid), private, vault.entropy());
    Ok([&length.to_be_bytes()[..], &wrapped, &sealed].concat())
}

pub(crate) async fn open(
    vault: &Vault,
    table: &'static str,
    kid: &str,
    stored: &[u8],
) -> Result<Secret<Vec<u8>>, StoreError> {
    let refused = || StoreError::Unsealable(table);
    let installation = installation()?;
    let (wrapped, sealed) = split(stored).ok_or_else(refused)?;
    let key = vault.roots().unwrap(&installation, 1, wrapped).await?;
    let private =
        seal::open(|_| Some(&key), &place(&installation, table, kid), sealed).map_err(|_| refused())?;
    Ok(Secret::new(private))
}

/// The wrapped data key and what is sealed under it.
fn split(stored: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = stored.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn installation() -> Result<TenantId, StoreError> {
    stored(INSTALLATION.parse())
}

fn place<'a>(installation: &'a TenantId, table: &'a str, kid: &'a str) -> Place<'a> {
    Place { tenant: installation, table, column: "sealed_private_key", row: kid }
}
