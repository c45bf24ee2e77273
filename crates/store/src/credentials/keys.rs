//! Keys and administrator tokens: only their hash is kept.

use crate::{
    Database, StoreError, TenantTx,
    readable::stored,
    sites::{permission_names, permissions},
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{KeyId, Origin, Permissions, SiteId, TenantId, Timestamp};
use misy_trust::{
    ApiKey, ApiKeyKind,
    access::{Given, Handled, Powers, Reach, StandsFor, WeighedRoles, first_administrator},
};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Stands in a web page and opens anonymous chats.
    Publishable,
    /// Stays on a server of the tenant.
    Secret,
    /// An administrator's bearer token.
    Administrator,
}

impl KeyKind {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Secret => "secret",
            Self::Administrator => "administrator",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Publishable, Self::Secret, Self::Administrator].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A key as it is stored; the key itself is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id.
    pub key_id: KeyId,
    /// What it is for.
    pub kind: KeyKind,
    /// Whether it is for trying out.
    pub is_test: bool,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// What people call it.
    pub name: String,
    /// The one site it is for; `None`: all of them.
    pub site_id: Option<SiteId>,
    /// What it can give at most.
    pub permissions: Permissions,
    /// Narrows the origins of the site.
    pub origins: Option<Vec<Origin>>,
    /// Its own limit.
    pub requests_per_minute: Option<u32>,
    /// Who made it.
    pub made_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

impl KeyRecord {
    /// Whether it counts at this time.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// A key to be stored.
pub struct NewKey<'a> {
    /// Its id.
    pub key_id: KeyId,
    /// The key.
    pub key: &'a ApiKey,
    /// What people call it.
    pub name: &'a str,
    /// The one site it is for.
    pub site_id: Option<&'a SiteId>,
    /// What it can give at most.
    pub permissions: &'a Given<Permissions>,
    /// Narrows the origins of the site.
    pub origins: Option<&'a [Origin]>,
    /// Its own limit.
    pub requests_per_minute: Option<u32>,
    /// Who makes it.
    pub made_by: &'a str,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

struct Row {
    key_id: String,
    kind: String,
    mode: String,
    prefix: String,
    name: String,
    site_id: Option<String>,
    permissions: Vec<String>,
    origins: Option<Vec<String>>,
    requests_per_minute: Option<i32>,
    made_by: String,
    created_at: SqlTimestamp,
    expires_at: Option<SqlTimestamp>,
    revoked_at: Option<SqlTimestamp>,
}

impl TryFrom<Row> for KeyRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let origins = |list: Vec<String>| list.iter().map(|origin| stored(origin.parse())).collect();
        Ok(Self {
            key_id: stored(row.key_id.parse())?,
            kind: stored(KeyKind::parse(&row.kind).ok_or(misy_domain::tenant::UnknownValue))?,
            is_test: row.mode == "test",
            prefix: row.prefix,
            name: row.name,
            site_id: row.site_id.map(|site| stored(site.parse())).transpose()?,
            permissions: permissions(&row.permissions)?,
            origins: row.origins.map(origins).transpose()?,
            requests_per_minute: row.requests_per_minute.and_then(|number| u32::try_from(number).ok()),
            made_by: row.made_by,
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.map(SqlTimestamp::to_jiff),
            revoked_at: row.revoked_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// Stores a key.
pub async fn create_key(tx: &mut TenantTx, new: &NewKey<'_>) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let (kind, mode) = match new.key.kind() {
        ApiKeyKind::PublishableLive => (KeyKind::Publishable, "live"),
        ApiKeyKind::PublishableTest => (KeyKind::Publishable, "test"),
        ApiKeyKind::SecretLive => (KeyKind::Secret, "live"),
        ApiKeyKind::Administrator => (KeyKind::Administrator, "live"),
    };
    let origins: Option<Vec<String>> =
        new.origins.map(|origins| origins.iter().map(ToString::to_string).collect());
    sqlx::query!(
        "insert into api_keys (tenant_id, key_id, kind, mode, key_hash, prefix, name, site_id, permissions, origins,
                               requests_per_minute, expires_at, made_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        tenant.as_str(),
        new.key_id.to_string(),
        kind.as_str(),
        mode,
        &new.key.hash()[..],
        new.key.hint(),
        new.name,
        new.site_id.map(SiteId::as_str),
        &permission_names(new.permissions),
        origins.as_deref(),
        new.requests_per_minute.map(|number| i32::try_from(number).unwrap_or(i32::MAX)),
        new.expires_at.map(ToSqlx::to_sqlx) as _,
        new.made_by
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Keys from the newest, before one and at most so many.
pub async fn list_keys(
    tx: &mut TenantTx,
    before: Option<KeyId>,
    limit: i64,
) -> Result<Vec<KeyRecord>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select key_id, kind, mode, prefix, name, site_id, permissions, origins, requests_per_minute, made_by,
                created_at, expires_at, revoked_at
         from api_keys where tenant_id = $1 and ($2::text is null or key_id < $2) order by key_id desc limit $3",
        tenant.as_str(),
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(KeyRecord::try_from).collect()
}

/// Revokes a key, and if wanted all tokens that were given for it.
pub async fn revoke_key(
    tx: &mut TenantTx,
    key: &Handled<LockedKey>,
    with_tokens: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    end_key(tx, key.record.key_id, with_tokens, now).await
}

/// The same where no caller is to be asked: a key that is used up.
pub(crate) async fn end_key(
    tx: &mut TenantTx,
    key: KeyId,
    with_tokens: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update api_keys set revoked_at = coalesce(revoked_at, $3),
                             tokens_revoked_at = coalesce(tokens_revoked_at, case when $4 then $3 end)
         where tenant_id = $1 and key_id = $2",
        tenant.as_str(),
        key.to_string(),
        now.to_sqlx() as _,
        with_tokens
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A key that nobody else changes until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedKey {
    /// The key.
    pub record: KeyRecord,
    tenant_is_owner: bool,
}

impl StandsFor for LockedKey {
    fn reach(&self) -> Reach {
        let permissions = self.record.permissions.clone();
        if self.record.kind == KeyKind::Administrator {
            // Whoever has it enrols as the first administrator.
            let roles = first_administrator(self.tenant_is_owner).into_inner();
            let powers = WeighedRoles::new(self.tenant_is_owner, roles, &[]).powers().clone();
            return Reach { powers, permissions: Permissions::all() };
        }
        Reach { powers: Powers::default(), permissions }
    }
}

/// Keys to be handled: one, or those of a site that are in force. Nobody else changes them until the transaction ends.
async fn lock_keys(
    tx: &mut TenantTx,
    tenant_is_owner: bool,
    key: Option<KeyId>,
    site: Option<&SiteId>,
) -> Result<Vec<LockedKey>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select key_id, kind, mode, prefix, name, site_id, permissions, origins, requests_per_minute, made_by,
                created_at, expires_at, revoked_at
         from api_keys where tenant_id = $1 and (key_id = $2 or (site_id = $3 and revoked_at is null))
         order by key_id for update",
        tenant.as_str(),
        key.map(|key| key.to_string()),
        site.map(SiteId::as_str)
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(|row| Ok(LockedKey { record: row.try_into()?, tenant_is_owner })).collect()
}

/// A key, if there is such a key, to be handled.
pub async fn lock_key(
    tx: &mut TenantTx,
    tenant_is_owner: bool,
    key: KeyId,
) -> Result<Option<LockedKey>, StoreError> {
    Ok(lock_keys(tx, tenant_is_owner, Some(key), None).await?.pop())
}

/// The keys of a site that were not revoked, to be handled.
pub async fn lock_keys_of(
    tx: &mut TenantTx,
    tenant_is_owner: bool,
    site: &SiteId,
) -> Result<Vec<LockedKey>, StoreError> {
    lock_keys(tx, tenant_is_owner, None, Some(site)).await
}

impl Database {
    /// Whose key this is and what it may do, whether in force or not.
    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<(TenantId, KeyRecord)>, StoreError> {
        let Some(tenant) = self.tenant_by_hash(hash).await? else { return Ok(None) };
        let mut tx = self.tenant("credentials.key", &tenant).await?;
        let row = sqlx::query_as!(
            Row,
            "select key_id, kind, mode, prefix, name, site_id, permissions, origins, requests_per_minute, made_by,
                    created_at, expires_at, revoked_at
             from api_keys where tenant_id = $1 and key_hash = $2",
            tenant.as_str(),
            &hash[..]
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(row.map(KeyRecord::try_from).transpose()?.map(|key| (tenant, key)))
    }
}
