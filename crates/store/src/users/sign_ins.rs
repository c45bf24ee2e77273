//! Where people are signed in. A row is a browser that may call; without the row it may not, from that moment on.

use crate::{
    Database, StoreError, TenantTx,
    readable::stored,
    roles::known,
    users::{LockedUser, UserStatus},
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Action, SignInId, TenantId, Timestamp, UserId};
use std::time::Duration;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Without a call.
    pub idle: Duration,
    /// At all.
    pub absolute: Duration,
}

impl Lifetime {
    /// Of tenants.
    pub const STANDARD: Self =
        Self { idle: Duration::from_hours(12), absolute: Duration::from_hours(7 * 24) };
    /// Of the tenant that runs the platform.
    pub const OWNER: Self = Self { idle: Duration::from_mins(30), absolute: Duration::from_hours(12) };
}

/// How often it is noted that a session is in use.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// A session to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewSignIn<'a> {
    /// Its id.
    pub sign_in_id: SignInId,
    /// Of the token in the cookie.
    pub token_hash: &'a [u8; 32],
    /// How the user proved itself.
    pub methods: &'a [String],
    /// When the second factor was proved.
    pub second_factor_at: Option<Timestamp>,
    /// What the browser says it is.
    pub user_agent: Option<&'a str>,
    /// Roughly where from.
    pub address_prefix: Option<&'a str>,
    /// How long it lasts.
    pub lifetime: Lifetime,
}

/// A session as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Its id.
    pub sign_in_id: SignInId,
    /// Who signed in.
    pub user_id: UserId,
    /// How the user proved itself.
    pub methods: Vec<String>,
    /// When the second factor was proved last.
    pub second_factor_at: Option<Timestamp>,
    /// What the browser says it is.
    pub user_agent: Option<String>,
    /// Roughly where from.
    pub address_prefix: Option<String>,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// How long it lasts without a call.
    pub idle_seconds: i32,
}

impl SignIn {
    /// Whether it is over at this time.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let idle = Duration::from_secs(u64::from(self.idle_seconds.unsigned_abs()));
        now >= self.expires_at || self.last_seen_at.checked_add(idle).is_ok_and(|end| now >= end)
    }
}

/// A session with what its user may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedSignIn {
    /// The session.
    pub sign_in: SignIn,
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
    sign_in_id: String,
    user_id: String,
    methods: Vec<String>,
    second_factor_at: Option<SqlTimestamp>,
    user_agent: Option<String>,
    address_prefix: Option<String>,
    created_at: SqlTimestamp,
    last_seen_at: SqlTimestamp,
    expires_at: SqlTimestamp,
    idle_seconds: i32,
}

impl TryFrom<Row> for SignIn {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            sign_in_id: stored(row.sign_in_id.parse())?,
            user_id: stored(row.user_id.parse())?,
            methods: row.methods,
            second_factor_at: row.second_factor_at.map(SqlTimestamp::to_jiff),
            user_agent: row.user_agent,
            address_prefix: row.address_prefix,
            created_at: row.created_at.to_jiff(),
            last_seen_at: row.last_seen_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            idle_seconds: row.idle_seconds,
        })
    }
}

/// Stores a session of whoever is locked, notes that they signed in, and forgets their sessions that are over.
pub async fn open(
    tx: &mut TenantTx,
    user: &LockedUser,
    new: &NewSignIn<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    user.expect_held_by(tx)?;
    let tenant = tx.tenant().clone();
    let user = user.user_id.to_string();
    sqlx::query!(
        "delete from user_sessions
         where tenant_id = $1 and user_id = $2
             and (expires_at <= $3 or last_seen_at + make_interval(secs => idle_seconds) <= $3)",
        tenant.as_str(),
        user,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let expires_at = now.checked_add(new.lifetime.absolute).unwrap_or(Timestamp::MAX);
    sqlx::query!(
        "insert into user_sessions (tenant_id, sign_in_id, user_id, token_hash, methods, second_factor_at, user_agent,
                                    address_prefix, created_at, last_seen_at, expires_at, idle_seconds)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)",
        tenant.as_str(),
        new.sign_in_id.to_string(),
        user,
        &new.token_hash[..],
        new.methods,
        new.second_factor_at.map(ToSqlx::to_sqlx) as _,
        new.user_agent,
        new.address_prefix,
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _,
        i32::try_from(new.lifetime.idle.as_secs()).unwrap_or(i32::MAX)
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "update users set last_sign_in_at = $3 where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Gives a session a new token, so that whoever saw the old one has nothing. Says whether it was still there.
pub async fn rotate(
    tx: &mut TenantTx,
    sign_in: SignInId,
    token_hash: &[u8; 32],
    method: Option<&str>,
    second_factor_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "update user_sessions
         set token_hash = $3, second_factor_at = coalesce($4, second_factor_at),
             methods = case when $5::text is null or $5 = any (methods) then methods else methods || $5::text end
         where tenant_id = $1 and sign_in_id = $2",
        tenant.as_str(),
        sign_in.to_string(),
        &token_hash[..],
        second_factor_at.map(ToSqlx::to_sqlx) as _,
        method
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The sessions of a user that are not over, from the newest.
pub async fn list(tx: &mut TenantTx, user: UserId, now: Timestamp) -> Result<Vec<SignIn>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select sign_in_id, user_id, methods, second_factor_at, user_agent, address_prefix, created_at, last_seen_at,
                expires_at, idle_seconds
         from user_sessions where tenant_id = $1 and user_id = $2 order by sign_in_id desc",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_all(tx.connection())
    .await?;
    let all = rows.into_iter().map(SignIn::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().filter(|sign_in| !sign_in.is_over(now)).collect())
}

/// Whether a session is still there.
pub async fn is_there(tx: &mut TenantTx, user: UserId, sign_in: SignInId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let there = sqlx::query_scalar!(
        "select exists (select from user_sessions where tenant_id = $1 and user_id = $2 and sign_in_id = $3)",
        tenant.as_str(),
        user.to_string(),
        sign_in.to_string()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(there.unwrap_or_default())
}

/// Ends one session of a user. Says whether there was one.
pub async fn end(tx: &mut TenantTx, user: UserId, sign_in: SignInId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "delete from user_sessions where tenant_id = $1 and user_id = $2 and sign_in_id = $3",
        tenant.as_str(),
        user.to_string(),
        sign_in.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the sessions that rest on a provider's word alone, of everybody who has a role: it may allow more now than the
/// provider stands for.
pub(crate) async fn end_unproved_of_role(tx: &mut TenantTx, role: &str) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from user_sessions s using users u
         where s.tenant_id = $1 and s.methods = '{oidc}' and u.tenant_id = s.tenant_id and u.user_id = s.user_id
             and $2 = any (u.roles)
             and not exists (select from federated_identities f where f.tenant_id = s.tenant_id
                             and f.user_id = s.user_id and f.proved_at is not null)",
        tenant.as_str(),
        role
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// As [`end_unproved_of_role`], of one person.
pub(crate) async fn end_unproved(tx: &mut TenantTx, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from user_sessions s
         where s.tenant_id = $1 and s.user_id = $2 and s.methods = '{oidc}'
             and not exists (select from federated_identities f where f.tenant_id = s.tenant_id
                             and f.user_id = s.user_id and f.proved_at is not null)",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends the session with this token, whoever's it is.
pub async fn end_by_hash(tx: &mut TenantTx, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from user_sessions where tenant_id = $1 and token_hash = $2",
        tenant.as_str(),
        &token_hash[..]
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends all sessions of a user, but perhaps one. Says how many.
pub async fn end_all(tx: &mut TenantTx, user: UserId, except: Option<SignInId>) -> Result<u64, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "delete from user_sessions where tenant_id = $1 and user_id = $2 and ($3::text is null or sign_in_id <> $3)",
        tenant.as_str(),
        user.to_string(),
        except.map(|id| id.to_string())
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected())
}

impl Database {
    /// Whose session this is, over or not, as it is now: nothing of it is kept between calls. Notes that it was used.
    pub async fn sign_in_by_hash(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<(TenantId, ProvedSignIn)>, StoreError> {
        let Some(tenant) = self.tenant_by_hash(hash).await? else { return Ok(None) };
        let mut tx = self.tenant("sign_ins.prove", &tenant).await?;
        let Some(proved) = look(&mut tx, hash).await? else { return Ok(None) };
        let due = proved.sign_in.last_seen_at.checked_add(NOTED_EVERY).is_ok_and(|at| now >= at);
        if due && !proved.sign_in.is_over(now) {
            sqlx::query!(
                "update user_sessions set last_seen_at = greatest(last_seen_at, $3)
                 where tenant_id = $1 and token_hash = $2",
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

    /// A session of this tenant as it is now, for what goes on after a call: nobody uses it by that.
    pub async fn sign_in_of(
        &self,
        tenant: &TenantId,
        hash: &[u8; 32],
    ) -> Result<Option<ProvedSignIn>, StoreError> {
        let mut tx = self.tenant("sign_ins.look", tenant).await?;
        let proved = look(&mut tx, hash).await?;
        tx.commit().await?;
        Ok(proved)
    }
}

async fn look(tx: &mut TenantTx, hash: &[u8; 32]) -> Result<Option<ProvedSignIn>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
            "select s.sign_in_id, s.user_id, s.methods, s.second_factor_at, s.user_agent, s.address_prefix, s.created_at,
                    s.last_seen_at, s.expires_at, s.idle_seconds, u.status, u.roles, u.second_factor_since,
                    array(select unnest(r.actions) from roles r
                          where r.tenant_id = u.tenant_id and r.role_id = any (u.roles)) as granted
             from user_sessions s join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
             where s.tenant_id = $1 and s.token_hash = $2",
            tenant.as_str(),
            &hash[..]
        )
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ProvedSignIn {
        sign_in: SignIn {
            sign_in_id: stored(row.sign_in_id.parse())?,
            user_id: stored(row.user_id.parse())?,
            methods: row.methods,
            second_factor_at: row.second_factor_at.map(SqlTimestamp::to_jiff),
            user_agent: row.user_agent,
            address_prefix: row.address_prefix,
            created_at: row.created_at.to_jiff(),
            last_seen_at: row.last_seen_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            idle_seconds: row.idle_seconds,
        },
        status: stored(row.status.parse())?,
        roles: row.roles,
        granted: known(&row.granted.unwrap_or_default()),
        second_factor_since: row.second_factor_since.map(SqlTimestamp::to_jiff),
    }))
}
