//! The keys that sign tokens: made once, sealed under the root key, rotated with overlap, shared by all replicas.

use crate::{Database, StoreError, SystemTx, Vault, audit, installation_secrets, readable::stored};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Clock, Secret, TenantId, Timestamp};
use misy_trust::{
    Algorithm, DataKey, Place, SigningKey, TokenKeys, seal,
    token::{KeyRecord, MAX_LIFETIME},
};
use sqlx::{Executor, PgExecutor};
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

/// The keys of a purpose that have not retired before a time.
pub(crate) async fn read(
    database: &Database,
    vault: &Vault,
    purpose: &str,
    since: Timestamp,
) -> Result<Vec<SigningKey>, StoreError> {
    let mut keys = ring(database, vault, purpose).await?;
    keys.retain(|key| key.record().retires_at.is_none_or(|retires_at| retires_at > since));
    Ok(keys)
}

/// All keys of a purpose, in the order in which they begin to sign.
async fn ring(database: &Database, vault: &Vault, purpose: &str) -> Result<Vec<SigningKey>, StoreError> {
    let rows = rows(database.app()).await?;
    let opened = believed(TABLE, open_all(vault, &rows).await?)?;
    Ok(opened.into_iter().filter(|(row, _)| row.purpose == purpose).map(|(_, key)| key).collect())
}

/// A row of the ring. All that it says is bound to what is sealed in it, so whoever may write to the table can neither make
/// a key nor make one sign longer, earlier or for something else.
struct Row {
    kid: String,
    algorithm: String,
    purpose: String,
    sealed_private_key: Vec<u8>,
    created_at: SqlTimestamp,
    activates_at: SqlTimestamp,
    retires_at: Option<SqlTimestamp>,
}

/// What of a key its private part is bound to.
fn bound(record: &KeyRecord, purpose: &str) -> String {
    bound_text(&[
        &record.kid.to_string(),
        purpose,
        record.algorithm.as_str(),
        &micros(Some(record.created_at)),
        &micros(Some(record.activates_at)),
        &micros(record.retires_at),
    ])
}

/// Parts of which none can pass for another.
pub(crate) fn bound_text(parts: &[&str]) -> String {
    parts.join("\n")
}

/// A time as the database keeps it.
pub(crate) fn micros(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.as_microsecond().to_string())
}

/// Not finer than the database keeps it.
pub(crate) fn kept(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

async fn rows(executor: impl PgExecutor<'_>) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select kid, algorithm, purpose, sealed_private_key, created_at, activates_at, retires_at
         from platform.token_signing_keys order by activates_at, kid"
    )
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

async fn open_row(vault: &Vault, row: &Row) -> Result<SigningKey, StoreError> {
    let mut record = KeyRecord {
        kid: stored(row.kid.parse())?,
        algorithm: stored(row.algorithm.parse())?,
        private: Secret::new(Vec::new()),
        created_at: row.created_at.to_jiff(),
        activates_at: row.activates_at.to_jiff(),
        retires_at: row.retires_at.map(SqlTimestamp::to_jiff),
    };
    record.private = open(vault, TABLE, &bound(&record, &row.purpose), &row.sealed_private_key).await?;
    stored(SigningKey::from_record(record))
}

async fn open_all<'a>(
    vault: &Vault,
    rows: &'a [Row],
) -> Result<Vec<Opened<&'a Row, SigningKey>>, StoreError> {
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        opened.push(Opened { name: row.kid.clone(), row, key: unless_forged(open_row(vault, row).await)? });
    }
    Ok(opened)
}

/// A row, and the key that it is, if it is one.
pub(crate) struct Opened<R, K> {
    pub(crate) name: String,
    pub(crate) row: R,
    pub(crate) key: Result<K, StoreError>,
}

/// Tells a row that is none of ours from a failure that passes.
pub(crate) fn unless_forged<K>(key: Result<K, StoreError>) -> Result<Result<K, StoreError>, StoreError> {
    match key {
        Err(error @ (StoreError::Unsealable(_) | StoreError::UnknownRootKey)) => Ok(Err(error)),
        Err(error) => Err(error),
        Ok(key) => Ok(Ok(key)),
    }
}

/// The rows that open; the others are set aside and told of. If none opens, it is not the rows that are wrong but the root
/// key: then nothing goes on, least of all with a new key.
pub(crate) fn believed<R, K>(
    table: &'static str,
    opened: Vec<Opened<R, K>>,
) -> Result<Vec<(R, K)>, StoreError> {
    let (mut keys, mut failure) = (Vec::with_capacity(opened.len()), None);
    for Opened { name, row, key } in opened {
        match key {
            Ok(key) => keys.push((row, key)),
            Err(error) => {
                tracing::error!(table, row = name, %error, "a key is none of this installation's and is set aside");
                metrics::counter!("misy_keys_set_aside_total", "table" => table).increment(1);
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(failure) if keys.is_empty() => Err(failure),
        _ => Ok(keys),
    }
}

/// Rows among the keys of the installation that are none of its keys: somebody else put or changed them.
pub async fn set_aside(database: &Database, vault: &Vault) -> Result<Vec<String>, StoreError> {
    let rows = rows(database.app()).await?;
    let mut aside: Vec<String> = open_all(vault, &rows)
        .await?
        .into_iter()
        .filter(|opened| opened.key.is_err())
        .map(|opened| format!("{TABLE}/{}", opened.name))
        .collect();
    aside.extend(audit::keys::set_aside(database, vault).await?);
    Ok(aside)
}

/// Makes a successor when the newest key has signed for its lifetime, and says whether it did.
pub async fn rotate_if_due(
    database: &Database,
    vault: &Vault,
    algorithm: Algorithm,
    clock: &dyn Clock,
) -> Result<bool, StoreError> {
    let due = clock.now().checked_sub(LIFETIME).unwrap_or(Timestamp::MIN);
    if newest(database, vault).await?.is_none_or(|activated| activated > due) {
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
    let newest = newest(database, vault).await?;
    if due.is_some_and(|due| newest.is_some_and(|activated| activated > due)) {
        return Ok(false);
    }
    let activates_at = clock.now().checked_add(NOTICE).unwrap_or(Timestamp::MAX);
    retire(&mut tx, database, vault, "tenant", activates_at).await?;
    let key = generate(algorithm, vault, clock)?.activating_at(activates_at);
    insert(&mut tx, vault, &key, "tenant").await?;
    let verified_until = Duration::from_secs(MAX_LIFETIME.unsigned_abs() + 31 * 24 * 60 * 60);
    let gone = clock.now().checked_sub(verified_until).unwrap_or(Timestamp::MIN);
    for (row, key) in believed(TABLE, open_all(vault, &rows(tx.connection()).await?).await?)? {
        if key.record().retires_at.is_some_and(|retires_at| retires_at < gone) {
            sqlx::query!("delete from platform.token_signing_keys where kid = $1", row.kid)
                .execute(tx.connection())
                .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Lets all keys of a purpose sign until a time, unless they end before.
pub(crate) async fn retire(
    tx: &mut SystemTx,
    database: &Database,
    vault: &Vault,
    purpose: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let at = kept(at);
    for key in ring(database, vault, purpose).await? {
        if key.record().retires_at.is_some_and(|retires_at| retires_at <= at) {
            continue;
        }
        let key = key.retiring_at(at);
        let record = key.record();
        let sealed = seal_private(vault, TABLE, &bound(record, purpose), record.private.expose())?;
        sqlx::query!(
            "update platform.token_signing_keys set retires_at = $2, sealed_private_key = $3 where kid = $1",
            record.kid.to_string(),
            at.to_sqlx() as _,
            sealed
        )
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}

/// Seals everything of the installation anew whose data key is not wrapped by the root key that wraps now. What does not
/// open is none of ours and stays as it is.
pub async fn rewrap(database: &Database, vault: &Vault) -> Result<(), StoreError> {
    let root = vault.roots().active();
    let is_old = |sealed: &[u8]| !split(sealed).is_some_and(|(wrapped, _)| root.wrapped(wrapped));
    let mut tx = database.system("signing_keys.rewrap").await?;
    lock(&mut tx).await?;
    let rows = rows(tx.connection()).await?;
    for (row, key) in believed(TABLE, open_all(vault, &rows).await?)? {
        if is_old(&row.sealed_private_key) {
            let record = key.record();
            let sealed = seal_private(vault, TABLE, &bound(record, &row.purpose), record.private.expose())?;
            sqlx::query!(
                "update platform.token_signing_keys set sealed_private_key = $2 where kid = $1",
                row.kid,
                sealed
            )
            .execute(tx.connection())
            .await?;
        }
    }
    installation_secrets::rewrap(&mut tx, vault, is_old).await?;
    audit::keys::rewrap(&mut tx, vault).await?;
    tx.commit().await
}

pub(crate) async fn lock(tx: &mut SystemTx) -> Result<(), StoreError> {
    // Not an advisory lock: those may be taken by anybody.
    tx.connection().execute("lock table platform.token_signing_keys in share row exclusive mode").await?;
    Ok(())
}

async fn newest(database: &Database, vault: &Vault) -> Result<Option<Timestamp>, StoreError> {
    Ok(ring(database, vault, "tenant").await?.iter().map(|key| key.record().activates_at).max())
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
    let sealed = seal_private(vault, TABLE, &bound(record, purpose), record.private.expose())?;
    sqlx::query!(
        "insert into platform.token_signing_keys (kid, algorithm, sealed_private_key, created_at, activates_at, purpose)
         values ($1, $2, $3, $4, $5, $6)",
        kid,
        record.algorithm.as_str(),
        sealed,
        kept(record.created_at).to_sqlx() as _,
        kept(record.activates_at).to_sqlx() as _,
        purpose
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A data key of its own, wrapped under the root key, with its length in front (2 bytes, big-endian); then the private key
/// sealed under it, and bound to the row: to its name, and to whatever else is decided by what the row says.
pub(crate) fn seal_private(
    vault: &Vault,
    table: &'static str,
    row: &str,
    private: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let installation = installation()?;
    let key = DataKey::generate(1, vault.entropy());
    let wrapped = vault.roots().active().wrap(&installation, &key, vault.entropy());
    let length = u16::try_from(wrapped.len()).map_err(|_| StoreError::Unsealable(table))?;
    let sealed = seal::seal(&key, &place(&installation, table, row), private, vault.entropy());
    Ok([&length.to_be_bytes()[..], &wrapped, &sealed].concat())
}

pub(crate) async fn open(
    vault: &Vault,
    table: &'static str,
    row: &str,
    stored: &[u8],
) -> Result<Secret<Vec<u8>>, StoreError> {
    let refused = || StoreError::Unsealable(table);
    let installation = installation()?;
    let (wrapped, sealed) = split(stored).ok_or_else(refused)?;
    let key = vault.roots().unwrap(&installation, 1, wrapped).await?;
    let private =
        seal::open(|_| Some(&key), &place(&installation, table, row), sealed).map_err(|_| refused())?;
    Ok(Secret::new(private))
}

/// The wrapped data key and what is sealed under it.
pub(crate) fn split(stored: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = stored.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn installation() -> Result<TenantId, StoreError> {
    stored(INSTALLATION.parse())
}

fn place<'a>(installation: &'a TenantId, table: &'a str, row: &'a str) -> Place<'a> {
    Place { tenant: installation, table, column: "sealed_private_key", row }
}
