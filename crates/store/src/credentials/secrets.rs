//! Tenant secrets: sealed, since they verify HMAC signatures.

use crate::{
    Database, StoreError, TenantKeys, TenantTx,
    readable::stored,
    sites::{permission_names, permissions},
    vault::Via,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Action, Entropy, KeyId, Permission, Permissions, Secret, TenantId, Timestamp};
use misy_trust::{
    Place, RequestKey,
    access::{Given, Handled, Powers, Reach, StandsFor},
};

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
