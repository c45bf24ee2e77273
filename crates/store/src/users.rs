//! People of a tenant. What is personal is sealed with the tenant's key; an address is found by its keyed hash.

pub mod devices;
pub mod enrollments;
pub mod factors;
pub mod passkeys;
mod passwords;
pub mod sign_ins;
pub mod tickets;
pub mod tokens;

use crate::{StoreError, TenantKeys, TenantTx, Vault, readable::stored, roles, vault::Via};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Action, BuiltInRole, EmailAddress, SignInId, TenantId, Timestamp, UserId};
use misy_trust::{
    Place,
    access::{Given, Powers},
};
use passwords::end_older;
use std::ops::Deref;
use tickets::TicketPurpose;

pub use passwords::{rehash_password, set_password};

misy_domain::words! {
    /// Whether somebody may come in.
    pub enum UserStatus {
        /// Was asked to join and has not come in yet.
        Invited = "invited",
        /// May sign in.
        Active = "active",
        /// May neither sign in nor call.
        Disabled = "disabled",
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub user_id: UserId,
    /// Whether it may come in.
    pub status: UserStatus,
    /// Its address, unique within the tenant.
    pub email: EmailAddress,
    /// What it is called.
    pub name: String,
    /// Names of roles: built-in ones and the tenant's own.
    pub roles: Vec<String>,
    /// The language it prefers.
    pub locale: Option<String>,
    /// Its password as it is stored.
    pub password_hash: Option<String>,
    /// Since when it has a second factor, of whichever kind.
    pub second_factor_since: Option<Timestamp>,
    /// Whether one of its factors is an authenticator app.
    pub has_totp: bool,
    /// Grows with each change.
    pub version: i64,
    /// When it was invited or enrolled.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it signed in last.
    pub last_sign_in_at: Option<Timestamp>,
    /// What those of its roles allow that the tenant made itself.
    pub granted: Vec<Action>,
}

impl User {
    /// Whether it holds this role.
    pub fn has_role(&self, role: BuiltInRole) -> bool {
        self.roles.iter().any(|name| name == role.as_str())
    }

    /// Whether it ever came in, in whatever way.
    pub fn came_in(&self) -> bool {
        self.password_hash.is_some() || self.second_factor_since.is_some() || self.last_sign_in_at.is_some()
    }

    /// Whether it may do something that nobody may do without a second factor.
    pub fn needs_second_factor(&self) -> bool {
        roles_need_second_factor(&self.roles, &self.granted)
    }
}

/// Whether roles let somebody do what nobody may do without a second factor. What counts is what they allow, not what they
/// are called; `granted` is what those of them allow that the tenant made itself.
pub fn roles_need_second_factor(roles: &[String], granted: &[Action]) -> bool {
    Powers::of_roles(roles, granted).ask_for_second_factor()
}

/// A person whose row a transaction holds: nobody changes it until that ends. Only [`lock`] makes one, and what opens a way
/// in takes one: whoever was checked before, and changed while the check took its time, is not let in by it.
#[derive(Debug)]
pub struct LockedUser {
    user: User,
    held_by: u64,
}

impl LockedUser {
    /// The person, held no longer.
    pub fn into_inner(self) -> User {
        self.user
    }

    /// Refuses what was locked in another transaction.
    fn expect_held_by(&self, tx: &TenantTx) -> Result<(), StoreError> {
        if self.held_by == tx.number() { Ok(()) } else { Err(StoreError::NotLocked) }
    }
}

impl Deref for LockedUser {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

/// A person to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// Its id.
    pub user_id: UserId,
    /// Whether it may come in at once.
    pub status: UserStatus,
    /// Its address.
    pub email: &'a EmailAddress,
    /// What it is called.
    pub name: &'a str,
    /// Its roles.
    pub roles: &'a Given<Vec<String>>,
    /// The language it prefers.
    pub locale: Option<&'a str>,
    /// Its password, hashed.
    pub password_hash: Option<&'a str>,
}

/// What of a person is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What it is called.
    pub name: Option<String>,
    /// Its roles.
    pub roles: Option<Given<Vec<String>>>,
    /// The language it prefers.
    pub locale: Option<String>,
    /// Whether it may come in.
    pub status: Option<UserStatus>,
    /// Which of its sessions may go on when it gains a role: that of whoever gives it to themself.
    pub keep: Option<SignInId>,
}

/// Which people to list.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Those of this status.
    pub status: Option<UserStatus>,
    /// Those with this role.
    pub role: Option<String>,
    /// The one with this address.
    pub email: Option<EmailAddress>,
}

struct Row {
    user_id: String,
    status: String,
    sealed_email: Vec<u8>,
    sealed_name: Vec<u8>,
    roles: Vec<String>,
    locale: Option<String>,
    password_hash: Option<String>,
    second_factor_since: Option<SqlTimestamp>,
    has_totp: Option<bool>,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
    last_sign_in_at: Option<SqlTimestamp>,
    granted: Option<Vec<String>>,
}

impl Row {
    fn open(self, tenant: &TenantId, keys: &TenantKeys) -> Result<User, StoreError> {
        let text = |column, sealed: &[u8]| {
            let bytes = keys.open(&place(tenant, column, &self.user_id), sealed)?;
            String::from_utf8(bytes).map_err(|_| StoreError::Unsealable("users"))
        };
        Ok(User {
            email: stored(text("sealed_email", &self.sealed_email)?.parse())?,
            name: text("sealed_name", &self.sealed_name)?,
            user_id: stored(self.user_id.parse())?,
            status: stored(self.status.parse())?,
            roles: self.roles,
            locale: self.locale,
            password_hash: self.password_hash,
            second_factor_since: self.second_factor_since.map(SqlTimestamp::to_jiff),
            has_totp: self.has_totp.unwrap_or_default(),
            version: self.version,
            created_at: self.created_at.to_jiff(),
            updated_at: self.updated_at.to_jiff(),
            last_sign_in_at: self.last_sign_in_at.map(SqlTimestamp::to_jiff),
            granted: roles::known(&self.granted.unwrap_or_default()),
        })
    }
}

/// Opens rows, also those that another replica has sealed under a key that is newer than ours.
async fn open(tx: &mut TenantTx, keys: &TenantKeys, rows: Vec<Row>) -> Result<Vec<User>, StoreError> {
    let tenant = tx.tenant().clone();
    let sealed: Vec<&[u8]> = rows.iter().flat_map(|row| [&*row.sealed_email, &*row.sealed_name]).collect();
    keys.know(Via::Connection(tx.connection()), sealed).await?;
    rows.into_iter().map(|row| row.open(&tenant, keys)).collect()
}

pub(crate) fn place<'a>(tenant: &'a TenantId, column: &'a str, row: &'a str) -> Place<'a> {
    Place { tenant, table: "users", column, row }
}

fn email_index(keys: &TenantKeys, email: &EmailAddress) -> [u8; 32] {
    keys.blind_index("users", "email_index").of(email.as_str().as_bytes())
}

/// Adds a person; a conflict if the address has an account in the tenant already.
pub async fn create(
    tx: &mut TenantTx,
    vault: &Vault,
    keys: &TenantKeys,
    new: &NewUser<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let row = new.user_id.to_string();
    let seal =
        |column, text: &str| keys.seal(&place(&tenant, column, &row), text.as_bytes(), vault.entropy());
    let inserted = sqlx::query!(
        "insert into users (tenant_id, user_id, status, sealed_email, email_index, email_route, sealed_name, roles, locale,
                            password_hash, password_changed_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11)
         on conflict (tenant_id, email_index) do nothing",
        tenant.as_str(),
        row,
        new.status.as_str(),
        seal("sealed_email", new.email.as_str())?,
        &email_index(keys, new.email)[..],
        &vault.email_route(new.email)?[..],
        seal("sealed_name", new.name)?,
        &new.roles[..],
        new.locale,
        new.password_hash,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if inserted.rows_affected() == 0 {
        return Err(StoreError::Conflict("a user with this e-mail address"));
    }
    Ok(())
}

/// A person.
pub async fn read(tx: &mut TenantTx, keys: &TenantKeys, user: UserId) -> Result<Option<User>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select user_id, status, sealed_email, sealed_name, roles, locale, password_hash, second_factor_since,
                sealed_totp is not null as has_totp, version, created_at, updated_at, last_sign_in_at,
                array(select unnest(r.actions) from roles r
                      where r.tenant_id = users.tenant_id and r.role_id = any (users.roles)) as granted
         from users where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(open(tx, keys, row.into_iter().collect()).await?.pop())
}

/// What people are called; those who are not there any more are left out.
pub async fn named(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    users: &[String],
) -> Result<Vec<(UserId, String)>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        "select user_id, sealed_name from users where tenant_id = $1 and user_id = any ($2)",
        tenant.as_str(),
        users,
    )
    .fetch_all(tx.connection())
    .await?;
    keys.know(Via::Connection(tx.connection()), rows.iter().map(|row| &*row.sealed_name)).await?;
    rows.into_iter()
        .map(|row| {
            let name = keys.open(&place(&tenant, "sealed_name", &row.user_id), &row.sealed_name)?;
            let name = String::from_utf8(name).map_err(|_| StoreError::Unsealable("users"))?;
            Ok((stored(row.user_id.parse())?, name))
        })
        .collect()
}

/// A person, whose row nobody else changes until the transaction ends.
pub async fn lock(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: UserId,
) -> Result<Option<LockedUser>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "select 1 as one from users where tenant_id = $1 and user_id = $2 for no key update",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    let held_by = tx.number();
    Ok(read(tx, keys, user).await?.map(|user| LockedUser { user, held_by }))
}

/// The person with this address.
pub async fn by_email(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    email: &EmailAddress,
) -> Result<Option<User>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select user_id, status, sealed_email, sealed_name, roles, locale, password_hash, second_factor_since,
                sealed_totp is not null as has_totp, version, created_at, updated_at, last_sign_in_at,
                array(select unnest(r.actions) from roles r
                      where r.tenant_id = users.tenant_id and r.role_id = any (users.roles)) as granted
         from users where tenant_id = $1 and email_index = $2",
        tenant.as_str(),
        &email_index(keys, email)[..]
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(open(tx, keys, row.into_iter().collect()).await?.pop())
}

/// People from the newest, before one and at most so many.
pub async fn list(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    filter: &UserFilter,
    before: Option<UserId>,
    limit: i64,
) -> Result<Vec<User>, StoreError> {
    let tenant = tx.tenant().clone();
    let index = filter.email.as_ref().map(|email| email_index(keys, email));
    let rows = sqlx::query_as!(
        Row,
        "select user_id, status, sealed_email, sealed_name, roles, locale, password_hash, second_factor_since,
                sealed_totp is not null as has_totp, version, created_at, updated_at, last_sign_in_at,
                array(select unnest(r.actions) from roles r
                      where r.tenant_id = users.tenant_id and r.role_id = any (users.roles)) as granted
         from users
         where tenant_id = $1 and ($2::text is null or user_id < $2) and ($3::text is null or status = $3)
             and ($4::text is null or $4 = any (roles)) and ($5::bytea is null or email_index = $5)
         order by user_id desc limit $6",
        tenant.as_str(),
        before.map(|id| id.to_string()),
        filter.status.map(UserStatus::as_str),
        filter.role,
        index.as_ref().map(|index| &index[..]),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    open(tx, keys, rows).await
}

/// Changes a person whose row is locked. Stale if the version is another than expected. Whoever gains a role comes in anew:
/// what was opened before was opened for less. Other roles end the sessions that rest on a provider's word alone: how far that
/// reaches is judged at the next sign-in.
pub async fn change(
    tx: &mut TenantTx,
    vault: &Vault,
    keys: &TenantKeys,
    user: &LockedUser,
    change: &UserChange,
    expected: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if expected.is_some_and(|version| version != user.version) {
        return Err(StoreError::Stale("user"));
    }
    let tenant = tx.tenant().clone();
    let row = user.user_id.to_string();
    let name = change.name.as_deref();
    let sealed_name = name
        .map(|name| keys.seal(&place(&tenant, "sealed_name", &row), name.as_bytes(), vault.entropy()))
        .transpose()?;
    sqlx::query!(
        "update users set sealed_name = coalesce($3, sealed_name), roles = coalesce($4, roles),
                          locale = coalesce($5, locale), status = coalesce($6, status),
                          version = version + 1, updated_at = $7
         where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        row,
        sealed_name,
        change.roles.as_ref().map(|roles| &roles[..]),
        change.locale,
        change.status.map(UserStatus::as_str),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if change.status == Some(UserStatus::Disabled) {
        end_older(tx, user.user_id, None).await?;
    }
    let Some(roles) = &change.roles else { return Ok(()) };
    if roles.iter().any(|role| !user.roles.contains(role)) {
        sign_ins::end_all(tx, user.user_id, change.keep).await?;
        // A link by which somebody joins or sets a password stays good: it opens no session by itself.
        tickets::void(tx, user.user_id, Some(TicketPurpose::SecondFactor)).await?;
    }
    sign_ins::end_unproved(tx, user.user_id).await
}

/// Removes a person with everything that hangs from it. Says whether there was one.
pub async fn remove(tx: &mut TenantTx, user: UserId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "delete from users where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Lets one transaction at a time decide who administers the tenant, until it ends: whoever does so holds its row.
pub async fn lock_administrators(tx: &mut TenantTx) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!("select from tenants where tenant_id = $1 for no key update", tenant.as_str())
        .fetch_optional(tx.connection())
        .await?;
    Ok(())
}

/// How many active people other than this one hold a role.
pub async fn others_with_role(
    tx: &mut TenantTx,
    role: BuiltInRole,
    except: UserId,
) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    let count = sqlx::query_scalar!(
        "select count(*) from users
         where tenant_id = $1 and user_id <> $2 and status = 'active' and $3 = any (roles)",
        tenant.as_str(),
        except.to_string(),
        role.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(count.unwrap_or_default())
}
