//! Passkeys of people. The public key is sealed: which devices somebody has is nobody's business.

use crate::{StoreError, TenantKeys, TenantTx, readable::stored, users::end_older, vault::Via};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Entropy, PasskeyId, SignInId, TenantId, Timestamp, UserId};
use misy_trust::{Passkey, Place, passkey::Usage};

/// How many passkeys somebody may have.
pub const MOST_PASSKEYS: usize = 10;

/// A passkey that is stored.
#[derive(Debug, Clone)]
pub struct StoredPasskey {
    /// Its id.
    pub passkey_id: PasskeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its holder calls it.
    pub name: String,
    /// What proves it.
    pub passkey: Passkey,
    /// Whether it may be on several devices.
    pub backup_eligible: bool,
    /// Whether it is.
    pub backed_up: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
}

struct Row {
    passkey_id: String,
    user_id: String,
    name: String,
    sealed_passkey: Vec<u8>,
    backup_eligible: bool,
    backed_up: bool,
    created_at: SqlTimestamp,
    last_used_at: Option<SqlTimestamp>,
}

impl Row {
    fn open(self, tenant: &TenantId, keys: &TenantKeys) -> Result<StoredPasskey, StoreError> {
        let bytes = keys.open(&place(tenant, &self.passkey_id), &self.sealed_passkey)?;
        Ok(StoredPasskey {
            passkey: serde_json::from_slice(&bytes).map_err(|_| StoreError::Unsealable("passkeys"))?,
            passkey_id: stored(self.passkey_id.parse())?,
            user_id: stored(self.user_id.parse())?,
            name: self.name,
            backup_eligible: self.backup_eligible,
            backed_up: self.backed_up,
            created_at: self.created_at.to_jiff(),
            last_used_at: self.last_used_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// Opens rows, also those that another replica has sealed under a key that is newer than ours.
async fn open(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    rows: Vec<Row>,
) -> Result<Vec<StoredPasskey>, StoreError> {
    let tenant = tx.tenant().clone();
    let sealed: Vec<&[u8]> = rows.iter().map(|row| &*row.sealed_passkey).collect();
    keys.know(Via::Connection(tx.connection()), sealed).await?;
    rows.into_iter().map(|row| row.open(&tenant, keys)).collect()
}

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "passkeys", column: "sealed_passkey", row }
}

fn sealed(
    tenant: &TenantId,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    row: &str,
    passkey: &Passkey,
) -> Result<Vec<u8>, StoreError> {
    let bytes = serde_json::to_vec(passkey).map_err(|_| StoreError::Unsealable("passkeys"))?;
    keys.seal(&place(tenant, row), &bytes, entropy)
}

/// A passkey to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewPasskey<'a> {
    /// Its id.
    pub passkey_id: PasskeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its holder calls it.
    pub name: &'a str,
    /// What proves it.
    pub passkey: &'a Passkey,
    /// What was seen of it.
    pub usage: Usage,
}

/// Adds a passkey, which is a second factor from now on, and ends all sessions but that which did it. A conflict if anybody has
/// it already.
pub async fn add(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    new: &NewPasskey<'_>,
    keep: SignInId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let row = new.passkey_id.to_string();
    let user = new.user_id.to_string();
    let added = sqlx::query!(
        "insert into passkeys (tenant_id, passkey_id, user_id, credential_hash, sealed_passkey, name, counter,
                               backup_eligible, backed_up, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant.as_str(),
        row,
        user,
        &new.passkey.id_hash()[..],
        sealed(&tenant, keys, entropy, &row, new.passkey)?,
        new.name,
        i64::from(new.usage.counter),
        new.usage.backup_eligible,
        new.usage.backed_up,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await;
    match added {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            return Err(StoreError::Conflict("this passkey"));
        }
        other => other?,
    };
    sqlx::query!(
        "update users set second_factor_since = coalesce(second_factor_since, $3), updated_at = $3, version = version + 1
         where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    end_older(tx, new.user_id, Some(keep)).await
}

/// The passkeys of a user, from the oldest.
pub async fn list(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: UserId,
) -> Result<Vec<StoredPasskey>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select passkey_id, user_id, name, sealed_passkey, backup_eligible, backed_up, created_at, last_used_at
         from passkeys where tenant_id = $1 and user_id = $2 order by passkey_id",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_all(tx.connection())
    .await?;
    open(tx, keys, rows).await
}

/// Whether a user has a passkey.
pub async fn has_any(tx: &mut TenantTx, user: UserId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let has = sqlx::query_scalar!(
        "select exists (select from passkeys where tenant_id = $1 and user_id = $2)",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(has.unwrap_or_default())
}

/// The passkey with this credential, held until the transaction ends: its counter goes up one proof at a time.
pub async fn hold(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id_hash: &[u8; 32],
) -> Result<Option<StoredPasskey>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select passkey_id, user_id, name, sealed_passkey, backup_eligible, backed_up, created_at, last_used_at
         from passkeys where tenant_id = $1 and credential_hash = $2 for update",
        tenant.as_str(),
        &id_hash[..]
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(open(tx, keys, row.into_iter().collect()).await?.pop())
}

/// Notes that a passkey was used, with what the proof said of it.
pub async fn note_use(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    stored: &StoredPasskey,
    usage: Usage,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let row = stored.passkey_id.to_string();
    sqlx::query!(
        "update passkeys set sealed_passkey = $3, counter = $4, backup_eligible = $5, backed_up = $6, last_used_at = $7
         where tenant_id = $1 and passkey_id = $2",
        tenant.as_str(),
        row,
        sealed(&tenant, keys, entropy, &row, &stored.passkey)?,
        i64::from(usage.counter),
        usage.backup_eligible,
        usage.backed_up,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Gives a passkey another name. Says whether there was one.
pub async fn rename(
    tx: &mut TenantTx,
    user: UserId,
    passkey: PasskeyId,
    name: &str,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "update passkeys set name = $4 where tenant_id = $1 and user_id = $2 and passkey_id = $3",
        tenant.as_str(),
        user.to_string(),
        passkey.to_string(),
        name
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes a passkey, and ends all sessions but that which did it: it may have opened them. With the last of all factors the
/// user has none any more. Says whether there was one.
pub async fn remove(
    tx: &mut TenantTx,
    user: UserId,
    passkey: PasskeyId,
    keep: SignInId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "delete from passkeys where tenant_id = $1 and user_id = $2 and passkey_id = $3",
        tenant.as_str(),
        user.to_string(),
        passkey.to_string()
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "update users u set updated_at = $3, version = version + 1,
             second_factor_since = case when sealed_totp is null and not exists (
                 select from passkeys p where p.tenant_id = u.tenant_id and p.user_id = u.user_id)
             then null else second_factor_since end
         where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    end_older(tx, user, Some(keep)).await?;
    Ok(true)
}

/// Removes all passkeys of a user.
pub async fn remove_all(tx: &mut TenantTx, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from passkeys where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
