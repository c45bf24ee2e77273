//! What callers prove themselves with: keys and administrator tokens (only their hash is kept), tenant secrets (sealed,
//! since they verify HMAC signatures), and the identifiers of revoked tokens.

use crate::{
    Database, StoreError, TenantKeys, TenantTx, Vault,
    sites::{permission_names, permissions},
    tenants::stored,
    vault::Via,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{
    Action, Entropy, KeyId, Origin, Permission, Permissions, Secret, SiteId, TenantId, Timestamp, TokenId,
};
use misy_trust::{
    ApiKey, ApiKeyKind, Place, RequestKey,
    access::{Given, Handled, Powers, Reach, StandsFor, WeighedRoles, first_administrator},
};

misy_domain::words! {
    /// What a key is for.
    pub enum KeyKind {
        /// Stands in a web page and opens anonymous chats.
        Publishable = "publishable",
        /// Stays on a server of the tenant.
        Secret = "secret",
        /// An administrator's bearer token.
        Administrator = "administrator",
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
            kind: stored(row.kind.parse())?,
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

/// A tenant secret as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// Its id, as it stands in `X-Misy-Key`.
    pub key_id: KeyId,
    /// What people call it.
    pub name: String,
    /// What it can give.
    pub grant: SecretGrant,
    /// Whether it counts only together with a client certificate.
    pub needs_certificate: bool,
    /// Who made it.
    pub made_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

/// What a tenant secret can give to tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretGrant {
    /// What they may hold; `tenant:manage` only together with some action.
    pub permissions: Permissions,
    /// What `tenant:manage` means in them.
    pub actions: Vec<Action>,
}

impl SecretGrant {
    /// `tenant:manage` stands there if there is some action, and else not.
    pub fn new(permissions: &Permissions, mut actions: Vec<Action>) -> Self {
        actions.sort_unstable();
        actions.dedup();
        let chat = permissions.iter().filter(|permission| *permission != Permission::TenantManage);
        let manages = (!actions.is_empty()).then_some(Permission::TenantManage);
        Self { permissions: chat.chain(manages).collect(), actions }
    }

    pub(crate) fn action_names(&self) -> Vec<String> {
        self.actions.iter().map(ToString::to_string).collect()
    }
}

impl StandsFor for SecretGrant {
    fn reach(&self) -> Reach {
        let powers = Powers::from_actions(self.actions.iter().copied());
        Reach { powers, permissions: self.permissions.clone() }
    }
}

impl StandsFor for SecretRecord {
    fn reach(&self) -> Reach {
        self.grant.reach()
    }
}

/// A tenant secret to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewSecret<'a> {
    /// Its id.
    pub key_id: KeyId,
    /// What people call it.
    pub name: &'a str,
    /// What it can give.
    pub grant: &'a Given<SecretGrant>,
    /// Whether it counts only together with a client certificate.
    pub needs_certificate: bool,
    /// Who makes it.
    pub made_by: &'a str,
}

struct SecretRow {
    key_id: String,
    name: String,
    permissions: Vec<String>,
    actions: Vec<String>,
    needs_certificate: bool,
    made_by: String,
    created_at: SqlTimestamp,
    expires_at: Option<SqlTimestamp>,
    revoked_at: Option<SqlTimestamp>,
}

impl TryFrom<SecretRow> for SecretRecord {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, StoreError> {
        // An action that is no more opens nothing.
        let actions = row.actions.iter().filter_map(|action| action.parse().ok()).collect();
        Ok(Self {
            key_id: stored(row.key_id.parse())?,
            name: row.name,
            grant: SecretGrant { permissions: permissions(&row.permissions)?, actions },
            needs_certificate: row.needs_certificate,
            made_by: row.made_by,
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.map(SqlTimestamp::to_jiff),
            revoked_at: row.revoked_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// Makes and stores a tenant secret.
pub async fn create_secret(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    new: &NewSecret<'_>,
) -> Result<RequestKey, StoreError> {
    let tenant = tx.tenant().clone();
    let secret = RequestKey::new(Secret::new(entropy.key()));
    let row = new.key_id.to_string();
    let sealed = keys.seal(&secret_place(&tenant, &row), secret.expose(), entropy)?;
    sqlx::query!(
        "insert into tenant_secrets (tenant_id, key_id, sealed_secret, name, permissions, actions, needs_certificate, made_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant.as_str(),
        row,
        sealed,
        new.name,
        &permission_names(&new.grant.permissions),
        &new.grant.action_names(),
        new.needs_certificate,
        new.made_by
    )
    .execute(tx.connection())
    .await?;
    Ok(secret)
}

/// Lets a newer secret take over from others: they run out at a time, unless they do so earlier, and until then and after it signs
/// for their tokens as far as it carries what they do.
pub async fn replace_secrets(
    tx: &mut TenantTx,
    older: &[Handled<SecretRecord>],
    by: KeyId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let older: Vec<String> = older.iter().map(|secret| secret.key_id.to_string()).collect();
    // Where the one that was to take over was revoked since, this one does.
    sqlx::query!(
        "update tenant_secrets t set
             expires_at = least(t.expires_at, $4),
             successor = case when exists (
                 select from tenant_secrets s
                 where s.tenant_id = $1 and s.key_id = t.successor and s.revoked_at is null)
                 then t.successor else $3 end
         where t.tenant_id = $1 and t.key_id = any ($2) and t.revoked_at is null",
        tenant.as_str(),
        &older,
        by.to_string(),
        at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Secrets from the newest, before one and at most so many.
pub async fn list_secrets(
    tx: &mut TenantTx,
    before: Option<KeyId>,
    limit: i64,
) -> Result<Vec<SecretRecord>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        SecretRow,
        "select key_id, name, permissions, actions, needs_certificate, made_by, created_at, expires_at, revoked_at
         from tenant_secrets
         where tenant_id = $1 and ($2::text is null or key_id < $2) order by key_id desc limit $3",
        tenant.as_str(),
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(SecretRecord::try_from).collect()
}

/// The secrets that are in force, which nobody else changes until the transaction ends: first the one that the next takes over
/// from.
pub async fn lock_secrets(tx: &mut TenantTx, now: Timestamp) -> Result<Vec<SecretRecord>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        SecretRow,
        "select key_id, name, permissions, actions, needs_certificate, made_by, created_at, expires_at, revoked_at
         from tenant_secrets
         where tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
         order by expires_at is null desc, key_id desc for update",
        tenant.as_str(),
        now.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(SecretRecord::try_from).collect()
}

/// A secret that nobody else changes until the transaction ends.
pub async fn lock_secret(tx: &mut TenantTx, key: KeyId) -> Result<Option<SecretRecord>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        SecretRow,
        "select key_id, name, permissions, actions, needs_certificate, made_by, created_at, expires_at, revoked_at
         from tenant_secrets where tenant_id = $1 and key_id = $2 for update",
        tenant.as_str(),
        key.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(SecretRecord::try_from).transpose()
}

/// Says what a secret can give, and whether it counts only together with a client certificate.
pub async fn change_secret(
    tx: &mut TenantTx,
    secret: &Handled<SecretRecord>,
    grant: &Given<SecretGrant>,
    needs_certificate: bool,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update tenant_secrets set permissions = $3, actions = $4, needs_certificate = $5
         where tenant_id = $1 and key_id = $2",
        tenant.as_str(),
        secret.key_id.to_string(),
        &permission_names(&grant.permissions),
        &grant.action_names(),
        needs_certificate
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Revokes a secret, and if wanted all tokens that were given for it.
pub async fn revoke_secret(
    tx: &mut TenantTx,
    secret: &Handled<SecretRecord>,
    with_tokens: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    end_secret(tx, secret.key_id, with_tokens, now).await
}

/// The same, where it is handled together with other things.
pub(crate) async fn end_secret(
    tx: &mut TenantTx,
    secret: KeyId,
    with_tokens: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update tenant_secrets set revoked_at = coalesce(revoked_at, $3),
                                   tokens_revoked_at = coalesce(tokens_revoked_at, case when $4 then $3 end)
         where tenant_id = $1 and key_id = $2",
        tenant.as_str(),
        secret.to_string(),
        now.to_sqlx() as _,
        with_tokens
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A tenant secret from its sealed bytes, for the check of a signature.
pub async fn open_secret(
    database: &Database,
    keys: &TenantKeys,
    tenant: &TenantId,
    key: KeyId,
    sealed: &[u8],
) -> Result<RequestKey, StoreError> {
    let row = key.to_string();
    let bytes = keys.open_fresh(Via::Pool(database.app()), &secret_place(tenant, &row), sealed).await?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| StoreError::Unsealable("tenant_secrets"))?;
    Ok(RequestKey::new(Secret::new(bytes)))
}

fn secret_place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "tenant_secrets", column: "sealed_secret", row }
}

/// Remembers to which chain a renewed token belongs.
pub async fn note_renewal(
    tx: &mut TenantTx,
    token: TokenId,
    family: TokenId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    // A few that are over go with each that comes, so that there are never more than count.
    sqlx::query!(
        "delete from token_renewals where tenant_id = $1 and token_id in (
             select token_id from token_renewals where tenant_id = $1 and expires_at < $2
             order by expires_at limit 4 for update skip locked)",
        tenant.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "insert into token_renewals (tenant_id, token_id, family, expires_at) values ($1, $2, $3, $4)",
        tenant.as_str(),
        token.to_string(),
        family.to_string(),
        expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Revokes tokens, each by its identifier with the whole chain of renewals that it is part of.
pub async fn revoke_tokens(
    tx: &mut TenantTx,
    tokens: &[TokenId],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from revoked_tokens where tenant_id = $1 and expires_at < $2",
        tenant.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let ids: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into revoked_tokens (tenant_id, token_id, expires_at)
         select $1, id, $3::timestamptz from (
             select id from unnest($2::text[]) id
             union
             select family from token_renewals where tenant_id = $1 and token_id = any ($2)) ids
         on conflict (tenant_id, token_id) do update
         set expires_at = greatest(revoked_tokens.expires_at, excluded.expires_at), revoked_at = excluded.revoked_at",
        tenant.as_str(),
        &ids,
        expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes the sessions of a chain of tokens away from it: whoever renews it later finds nothing.
pub async fn detach_sessions(tx: &mut TenantTx, family: TokenId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update sessions set token_family = 'revoked' where tenant_id = $1 and token_family = $2",
        tenant.as_str(),
        family.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl Database {
    /// Whether a token was revoked at any time, by itself or by its chain.
    pub async fn token_is_revoked(
        &self,
        tenant: &TenantId,
        token: TokenId,
        family: TokenId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.tenant("tokens.look_up", tenant).await?;
        let revoked = sqlx::query_scalar!(
            r#"select exists (
                   select from revoked_tokens
                   where tenant_id = $1 and token_id in ($2, $3) and expires_at > $4) as "revoked!""#,
            tenant.as_str(),
            token.to_string(),
            family.to_string(),
            now.to_sqlx() as _
        )
        .fetch_one(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(revoked)
    }
}

/// The keys of the tenant of a transaction.
pub async fn keys_of(
    vault: &Vault,
    database: &Database,
    tenant: &TenantId,
) -> Result<std::sync::Arc<TenantKeys>, StoreError> {
    vault.keys(database, tenant).await?.ok_or(StoreError::Unsealable("data_keys"))
}
