//! How a tenant's people sign in with a provider of their own, and whom the tenant knows under which name of a provider.

use crate::{StoreError, TenantKeys, TenantTx, tenants::stored};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Entropy, Secret, TenantId, Timestamp, UserId};
use misy_trust::{Place, sha256};
use serde_json::Value;
use std::collections::BTreeMap;

/// A provider as a tenant has set it.
#[derive(Debug, Clone)]
pub struct SignInProvider {
    /// The issuer, exactly as it names itself.
    pub issuer: String,
    /// What Misy is called there.
    pub client_id: String,
    /// What Misy proves itself with there.
    pub client_secret: Option<Secret<String>>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that says whose the person is.
    pub tenant_claim: String,
    /// What it must say.
    pub tenant_claim_value: String,
    /// The claim that lists groups.
    pub role_claim: Option<String>,
    /// Which roles a group gives.
    pub role_mapping: BTreeMap<String, Vec<String>>,
    /// The roles of people whom no group gives one.
    pub default_roles: Vec<String>,
    /// Whose addresses are taken; empty: all.
    pub email_domains: Vec<String>,
    /// Whether an address counts as verified when the provider does not say whether it is.
    pub trust_email: bool,
    /// Whether people without an account get one.
    pub provisioning: bool,
    /// Whether this is the only way in.
    pub exclusive: bool,
    /// Who may come in another way all the same.
    pub break_glass_user: Option<UserId>,
    /// Values of `acr` that count as a second factor.
    pub trusted_acr: Vec<String>,
    /// Values of `amr` that count as a second factor.
    pub trusted_amr: Vec<String>,
    /// Grows with each change.
    pub version: i64,
    /// When it was set first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl SignInProvider {
    /// The rules of a tenant without a provider of its own, for people who come from that of the installation: an account
    /// must be there, roles are managed here, and nothing counts as a second factor.
    pub fn of_installation(issuer: &str, tenant_claim: &str, tenant: &TenantId) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: String::new(),
            client_secret: None,
            scopes: Vec::new(),
            tenant_claim: tenant_claim.to_owned(),
            tenant_claim_value: tenant.to_string(),
            role_claim: None,
            role_mapping: BTreeMap::new(),
            default_roles: Vec::new(),
            email_domains: Vec::new(),
            trust_email: false,
            provisioning: false,
            exclusive: false,
            break_glass_user: None,
            trusted_acr: Vec::new(),
            trusted_amr: Vec::new(),
            version: 0,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }
}

fn place(tenant: &TenantId) -> Place<'_> {
    Place { tenant, table: "sign_in_providers", column: "sealed_client_secret", row: "" }
}

/// The provider of the tenant.
pub async fn read(tx: &mut TenantTx, keys: &TenantKeys) -> Result<Option<SignInProvider>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select issuer, client_id, sealed_client_secret, scopes, tenant_claim, tenant_claim_value, role_claim, role_mapping,
                default_roles, email_domains, trust_email, provisioning, exclusive, break_glass_user_id, trusted_acr, trusted_amr,
                version, created_at, updated_at
         from sign_in_providers where tenant_id = $1",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let unsealable = || StoreError::Unsealable("sign_in_providers");
    let client_secret = row.sealed_client_secret.map(|sealed| {
        let bytes = keys.open(&place(&tenant), &sealed)?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| unsealable())
    });
    Ok(Some(SignInProvider {
        issuer: row.issuer,
        client_id: row.client_id,
        client_secret: client_secret.transpose()?,
        scopes: row.scopes,
        tenant_claim: row.tenant_claim,
        tenant_claim_value: row.tenant_claim_value,
        role_claim: row.role_claim,
        role_mapping: serde_json::from_value(row.role_mapping).map_err(|_| unsealable())?,
        default_roles: row.default_roles,
        email_domains: row.email_domains,
        trust_email: row.trust_email,
        provisioning: row.provisioning,
        exclusive: row.exclusive,
        break_glass_user: row.break_glass_user_id.map(|id| stored(id.parse())).transpose()?,
        trusted_acr: row.trusted_acr,
        trusted_amr: row.trusted_amr,
        version: row.version,
        created_at: SqlTimestamp::to_jiff(row.created_at),
        updated_at: SqlTimestamp::to_jiff(row.updated_at),
    }))
}

/// Sets the provider of the tenant; its version and times are given by this. Stale if the version is another than expected.
pub async fn replace(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    provider: &SignInProvider,
    expected: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let sealed = provider
        .client_secret
        .as_ref()
        .map(|secret| keys.seal(&place(&tenant), secret.expose().as_bytes(), entropy))
        .transpose()?;
    let mapping: Value = serde_json::to_value(&provider.role_mapping).unwrap_or_default();
    let done = sqlx::query!(
        "insert into sign_in_providers as p (tenant_id, issuer, client_id, sealed_client_secret, scopes, tenant_claim,
             tenant_claim_value, role_claim, role_mapping, default_roles, email_domains, provisioning, exclusive,
             break_glass_user_id, trusted_acr, trusted_amr, created_at, updated_at, trust_email)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $19)
         on conflict (tenant_id) do update set
             issuer = $2, client_id = $3, sealed_client_secret = $4, scopes = $5, tenant_claim = $6, tenant_claim_value = $7,
             role_claim = $8, role_mapping = $9, default_roles = $10, email_domains = $11, provisioning = $12,
             exclusive = $13, break_glass_user_id = $14, trusted_acr = $15, trusted_amr = $16, version = p.version + 1,
             updated_at = $17, trust_email = $19
         where $18::bigint is null or p.version = $18",
        tenant.as_str(),
        provider.issuer,
        provider.client_id,
        sealed,
        &provider.scopes,
        provider.tenant_claim,
        provider.tenant_claim_value,
        provider.role_claim,
        mapping,
        &provider.default_roles,
        &provider.email_domains,
        provider.provisioning,
        provider.exclusive,
        provider.break_glass_user.map(|user| user.to_string()),
        &provider.trusted_acr,
        &provider.trusted_amr,
        now.to_sqlx() as _,
        expected,
        provider.trust_email
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::Stale("sign-in")) } else { Ok(()) }
}

/// Removes the provider: people sign in here again. Says whether there was one.
pub async fn remove(tx: &mut TenantTx) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!("delete from sign_in_providers where tenant_id = $1", tenant.as_str())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether somebody may sign in here, with a password or a passkey, and not only with the tenant's provider.
pub async fn may_sign_in_here(tx: &mut TenantTx, user: UserId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let closed = sqlx::query_scalar!(
        "select exclusive and break_glass_user_id is distinct from $2 from sign_in_providers where tenant_id = $1",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(!closed.flatten().unwrap_or_default())
}

fn subject_hash(issuer: &str, subject: &str) -> [u8; 32] {
    sha256(format!("{}|{issuer}|{subject}", issuer.len()).as_bytes())
}

/// Who a person of a provider is here; notes that it came.
pub async fn identified(
    tx: &mut TenantTx,
    issuer: &str,
    subject: &str,
    now: Timestamp,
) -> Result<Option<UserId>, StoreError> {
    let tenant = tx.tenant().clone();
    let user = sqlx::query_scalar!(
        "update federated_identities set last_used_at = $4
         where tenant_id = $1 and issuer = $2 and subject_hash = $3 returning user_id",
        tenant.as_str(),
        issuer,
        &subject_hash(issuer, subject)[..],
        now.to_sqlx() as _
    )
    .fetch_optional(tx.connection())
    .await?;
    user.map(|user| stored(user.parse())).transpose()
}

/// Whether somebody is known by another name of this issuer already: an address that changed hands at the provider must not
/// hand over the account.
pub async fn has_identity(tx: &mut TenantTx, issuer: &str, user: UserId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let known = sqlx::query_scalar!(
        "select exists (select from federated_identities where tenant_id = $1 and user_id = $2 and issuer = $3)",
        tenant.as_str(),
        user.to_string(),
        issuer
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(known.unwrap_or_default())
}

/// Notes who a person of a provider is here. A conflict if it is somebody already.
pub async fn identify(
    tx: &mut TenantTx,
    issuer: &str,
    subject: &str,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "insert into federated_identities values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
        tenant.as_str(),
        issuer,
        &subject_hash(issuer, subject)[..],
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::Conflict("this person of the provider")) } else { Ok(()) }
}
