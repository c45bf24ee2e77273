//! Personal API tokens: what a person gives to a program of its own.

use crate::{Database, StoreError, TenantTx, readable::stored, roles::known, users::UserStatus};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Action, KeyId, TenantId, Timestamp, UserId};
use misy_trust::access::Given;
use std::time::Duration;

/// The longest that one is good.
pub const LONGEST: Duration = Duration::from_hours(366 * 24);
/// How often it is noted that one is in use.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// A token to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewPersonalToken<'a> {
    /// Its id.
    pub key_id: KeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// Of the token.
    pub token_hash: &'a [u8; 32],
    /// Its first characters.
    pub prefix: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// What it may do, if its user may.
    pub scopes: &'a Given<Vec<Action>>,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// Its id.
    pub key_id: KeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// Its first characters.
    pub prefix: String,
    /// What people call it.
    pub name: String,
    /// What it may do, if its user may.
    pub scopes: Vec<Action>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

/// A token with what its user may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedToken {
    /// The token.
    pub token: PersonalToken,
    /// Whether the user may come in.
    pub status: UserStatus,
    /// The user's roles.
    pub roles: Vec<String>,
    /// What those of the user's roles allow that the tenant made itself.
    pub granted: Vec<Action>,
    /// Since when the user has a second factor.
    pub second_factor_since: Option<Timestamp>,
}

struct Row {
    key_id: String,
    user_id: String,
    prefix: String,
    name: String,
    scopes: Vec<String>,
    created_at: SqlTimestamp,
    expires_at: SqlTimestamp,
    last_used_at: Option<SqlTimestamp>,
    revoked_at: Option<SqlTimestamp>,
}

impl TryFrom<Row> for PersonalToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            key_id: stored(row.key_id.parse())?,
            user_id: stored(row.user_id.parse())?,
            prefix: row.prefix,
            name: row.name,
            // An action that is no more opens nothing.
            scopes: row.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            last_used_at: row.last_used_at.map(SqlTimestamp::to_jiff),
            revoked_at: row.revoked_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// Stores a token.
pub async fn create(tx: &mut TenantTx, new: &NewPersonalToken<'_>, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let scopes: Vec<String> = new.scopes.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into personal_tokens (tenant_id, key_id, user_id, token_hash, prefix, name, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant.as_str(),
        new.key_id.to_string(),
        new.user_id.to_string(),
        &new.token_hash[..],
        new.prefix,
        new.name,
        &scopes,
        now.to_sqlx() as _,
        new.expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A user's tokens from the newest, before one and at most so many.
pub async fn list(
    tx: &mut TenantTx,
    user: UserId,
    before: Option<KeyId>,
    limit: i64,
) -> Result<Vec<PersonalToken>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select key_id, user_id, prefix, name, scopes, created_at, expires_at, last_used_at, revoked_at
         from personal_tokens where tenant_id = $1 and user_id = $2 and ($3::text is null or key_id < $3)
         order by key_id desc limit $4",
        tenant.as_str(),
        user.to_string(),
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(PersonalToken::try_from).collect()
}

/// Revokes a token of a user. Says whether there was one.
pub async fn revoke(tx: &mut TenantTx, user: UserId, key: KeyId, now: Timestamp) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "update personal_tokens set revoked_at = coalesce(revoked_at, $4)
         where tenant_id = $1 and user_id = $2 and key_id = $3",
        tenant.as_str(),
        user.to_string(),
        key.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Revokes all tokens of a user.
pub async fn revoke_all(tx: &mut TenantTx, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update personal_tokens set revoked_at = $3 where tenant_id = $1 and user_id = $2 and revoked_at is null",
        tenant.as_str(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl Database {
    /// Whose personal token this is, in force or not, as it is now. Notes that it was used.
    pub async fn personal_token_by_hash(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<(TenantId, ProvedToken)>, StoreError> {
        let Some(tenant) = self.tenant_by_hash(hash).await? else { return Ok(None) };
        let mut tx = self.tenant("personal_tokens.prove", &tenant).await?;
        let Some(proved) = look(&mut tx, hash).await? else { return Ok(None) };
        let noted = proved.token.last_used_at.and_then(|at| at.checked_add(NOTED_EVERY).ok());
        if noted.is_none_or(|at| now >= at) {
            sqlx::query!(
                "update personal_tokens set last_used_at = $3 where tenant_id = $1 and token_hash = $2",
                tenant.as_str(),
                &hash[..],
                now.to_sqlx() as _
            )
            .execute(tx.connection())
            .await?;
        }
        tx.commit().await?;
        Ok(Some((tenant, proved)))
    }

    /// A personal token of this tenant as it is now, for what goes on after a call: nobody uses it by that.
    pub async fn personal_token_of(
        &self,
        tenant: &TenantId,
        hash: &[u8; 32],
    ) -> Result<Option<ProvedToken>, StoreError> {
        let mut tx = self.tenant("personal_tokens.look", tenant).await?;
        let proved = look(&mut tx, hash).await?;
        tx.commit().await?;
        Ok(proved)
    }
}

async fn look(tx: &mut TenantTx, hash: &[u8; 32]) -> Result<Option<ProvedToken>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select t.key_id, t.user_id, t.prefix, t.name, t.scopes, t.created_at, t.expires_at, t.last_used_at,
                    t.revoked_at, u.status, u.roles, u.second_factor_since,
                    array(select unnest(r.actions) from roles r
                          where r.tenant_id = u.tenant_id and r.role_id = any (u.roles)) as granted
             from personal_tokens t join users u on u.tenant_id = t.tenant_id and u.user_id = t.user_id
             where t.tenant_id = $1 and t.token_hash = $2",
        tenant.as_str(),
        &hash[..]
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ProvedToken {
        status: stored(row.status.parse())?,
        roles: row.roles,
        granted: known(&row.granted.unwrap_or_default()),
        second_factor_since: row.second_factor_since.map(SqlTimestamp::to_jiff),
        token: PersonalToken::try_from(Row {
            key_id: row.key_id,
            user_id: row.user_id,
            prefix: row.prefix,
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })?,
    }))
}
