//! How a tenant's people sign in with a provider of their own, and whom the tenant knows under which name of a provider.

use crate::{StoreError, TenantKeys, TenantTx, readable::stored, vault::Via};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{DomainName, Entropy, Secret, TenantId, Timestamp, UserId};
use misy_trust::{Place, access::Powers, sha256};
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
    /// Whose addresses introduce people, if the tenant has proved them. `None`, of the installation's provider: any.
    pub email_domains: Option<Vec<DomainName>>,
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
    /// What whoever set it could do then. On its word alone nobody gets more, and nobody who has more comes in.
    pub stands_for: Powers,
    /// Grows with each change.
    pub version: i64,
    /// When it was set first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl SignInProvider {
    /// The rules of a tenant without a provider of its own, for people who come from that of the installation: an account
    /// must be there, roles are managed here, and nothing counts as a second factor. The operator, who set it, stands for
    /// the addresses.
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
            email_domains: None,
            trust_email: false,
            provisioning: false,
            exclusive: false,
            break_glass_user: None,
            trusted_acr: Vec::new(),
            trusted_amr: Vec::new(),
            stands_for: Powers::of_operator(),
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
                stands_for, version, created_at, updated_at
         from sign_in_providers where tenant_id = $1",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let unsealable = || StoreError::Unsealable("sign_in_providers");
    let client_secret = match row.sealed_client_secret {
        Some(sealed) => {
            let via = Via::Connection(tx.connection());
            let bytes = keys.open_fresh(via, &place(&tenant), &sealed).await?;
            Some(Secret::new(String::from_utf8(bytes).map_err(|_| unsealable())?))
        }
        None => None,
    };
    Ok(Some(SignInProvider {
        issuer: row.issuer,
        client_id: row.client_id,
        client_secret,
        scopes: row.scopes,
        tenant_claim: row.tenant_claim,
        tenant_claim_value: row.tenant_claim_value,
        role_claim: row.role_claim,
        role_mapping: serde_json::from_value(row.role_mapping).map_err(|_| unsealable())?,
        default_roles: row.default_roles,
        email_domains: Some(row.email_domains.iter().filter_map(|domain| domain.parse().ok()).collect()),
        trust_email: row.trust_email,
        provisioning: row.provisioning,
        exclusive: row.exclusive,
        break_glass_user: row.break_glass_user_id.map(|id| stored(id.parse())).transpose()?,
        trusted_acr: row.trusted_acr,
        trusted_amr: row.trusted_amr,
        stands_for: Powers::from_actions(row.stands_for.iter().filter_map(|action| action.parse().ok())),
        version: row.version,
        created_at: SqlTimestamp::to_jiff(row.created_at),
        updated_at: SqlTimestamp::to_jiff(row.updated_at),
    }))
}

/// As [`read`]; nobody changes it until the transaction ends.
pub async fn hold(tx: &mut TenantTx, keys: &TenantKeys) -> Result<Option<SignInProvider>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!("select 1 as one from sign_in_providers where tenant_id = $1 for share", tenant.as_str())
        .fetch_optional(tx.connection())
        .await?;
    read(tx, keys).await
}

/// Refuses what was made of another version than the one that is set; where none is set, there is no such version.
pub async fn expect(tx: &mut TenantTx, expected: Option<i64>) -> Result<(), StoreError> {
    let Some(expected) = expected else { return Ok(()) };
    let tenant = tx.tenant().clone();
    let version =
        sqlx::query_scalar!("select version from sign_in_providers where tenant_id = $1", tenant.as_str())
            .fetch_optional(tx.connection())
            .await?;
    if version == Some(expected) { Ok(()) } else { Err(StoreError::Stale("sign-in")) }
}

/// Sets the provider of the tenant; its version and times are given by this. Stale if the version is another than expected.
/// With another issuer or client, nobody is known by the old one any more.
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
    let before = sqlx::query!(
        "select issuer, client_id from sign_in_providers where tenant_id = $1 for update",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    if before.is_none() && expected.is_some() {
        return Err(StoreError::Stale("sign-in"));
    }
    let domains: Vec<String> = provider.email_domains.iter().flatten().map(ToString::to_string).collect();
    let stands_for: Vec<String> = provider.stands_for.iter().map(String::from).collect();
    let mapping: Value = serde_json::to_value(&provider.role_mapping).unwrap_or_default();
    let done = sqlx::query!(
        "insert into sign_in_providers as p (tenant_id, issuer, client_id, sealed_client_secret, scopes, tenant_claim,
             tenant_claim_value, role_claim, role_mapping, default_roles, email_domains, provisioning, exclusive,
             break_glass_user_id, trusted_acr, trusted_amr, created_at, updated_at, trust_email,
             stands_for)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $19, $20)
         on conflict (tenant_id) do update set
             issuer = $2, client_id = $3, sealed_client_secret = $4, scopes = $5, tenant_claim = $6, tenant_claim_value = $7,
             role_claim = $8, role_mapping = $9, default_roles = $10, email_domains = $11, provisioning = $12,
             exclusive = $13, break_glass_user_id = $14, trusted_acr = $15, trusted_amr = $16, version = p.version + 1,
             updated_at = $17, trust_email = $19, stands_for = $20
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
        &domains,
        provider.provisioning,
        provider.exclusive,
        provider.break_glass_user.map(|user| user.to_string()),
        &provider.trusted_acr,
        &provider.trusted_amr,
        now.to_sqlx() as _,
        expected,
        provider.trust_email,
        &stands_for
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Stale("sign-in"));
    }
    match before {
        Some(old) if old.issuer != provider.issuer || old.client_id != provider.client_id => {
            forget_people(tx, &old.issuer).await
        }
        _ => Ok(()),
    }
}

/// Removes the provider: people sign in here again, and nobody is known by it any more. Says whether there was one.
pub async fn remove(tx: &mut TenantTx) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let old = sqlx::query_scalar!(
        "delete from sign_in_providers where tenant_id = $1 returning issuer",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(issuer) = old else { return Ok(false) };
    forget_people(tx, &issuer).await?;
    Ok(true)
}

/// Forgets whom an issuer knows, and ends what rests on its word: sign-ins that wait for a second factor, and sessions.
async fn forget_people(tx: &mut TenantTx, issuer: &str) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    // First the tickets: whoever ends a sign-in holds one until the person is known, so nobody slips through.
    sqlx::query!("delete from user_tickets where tenant_id = $1 and first_method = 'oidc'", tenant.as_str())
        .execute(tx.connection())
        .await?;
    sqlx::query!("delete from user_sessions where tenant_id = $1 and methods = '{oidc}'", tenant.as_str())
        .execute(tx.connection())
        .await?;
    sqlx::query!(
        "delete from federated_identities where tenant_id = $1 and issuer = $2",
        tenant.as_str(),
        issuer
    )
    .execute(tx.connection())
    .await?;
    Ok(())
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

/// A person of a provider: issuer and subject, never an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPerson {
    /// The issuer.
    pub issuer: String,
    /// Of issuer and subject.
    pub subject_hash: [u8; 32],
}

impl ProviderPerson {
    /// The person with this subject.
    pub fn new(issuer: &str, subject: &str) -> Self {
        let subject_hash = sha256(format!("{}|{issuer}|{subject}", issuer.len()).as_bytes());
        Self { issuer: issuer.to_owned(), subject_hash }
    }
}

/// Who a person of a provider is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The user.
    pub user_id: UserId,
    /// Whether the user proved a second factor of their own for it. Otherwise the provider's word is all there is.
    pub proved: bool,
}

/// Who a person of a provider is here; notes that they came.
pub async fn identified(
    tx: &mut TenantTx,
    person: &ProviderPerson,
    now: Timestamp,
) -> Result<Option<Link>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "update federated_identities set last_used_at = $4
         where tenant_id = $1 and issuer = $2 and subject_hash = $3 returning user_id, proved_at is not null as proved",
        tenant.as_str(),
        person.issuer,
        &person.subject_hash[..],
        now.to_sqlx() as _
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| Ok(Link { user_id: stored(row.user_id.parse())?, proved: row.proved.unwrap_or_default() }))
        .transpose()
}

/// Whether somebody is known by another name of this issuer already: an address that changed hands at the provider must not
/// hand over the account.
pub async fn is_somebody_else(
    tx: &mut TenantTx,
    person: &ProviderPerson,
    user: UserId,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let known = sqlx::query_scalar!(
        "select exists (select from federated_identities
                        where tenant_id = $1 and user_id = $2 and issuer = $3 and subject_hash <> $4)",
        tenant.as_str(),
        user.to_string(),
        person.issuer,
        &person.subject_hash[..]
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(known.unwrap_or_default())
}

/// Notes who a person of a provider is here, on the provider's word. A conflict if they are somebody already.
pub async fn identify(
    tx: &mut TenantTx,
    person: &ProviderPerson,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "insert into federated_identities (tenant_id, issuer, subject_hash, user_id, created_at, last_used_at)
         values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
        tenant.as_str(),
        person.issuer,
        &person.subject_hash[..],
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::Conflict("this person of the provider")) } else { Ok(()) }
}

/// Notes who a person of a provider is here, now that the user proved a second factor of their own for it. A conflict if they
/// are somebody else.
pub async fn prove(
    tx: &mut TenantTx,
    person: &ProviderPerson,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let conflict = || StoreError::Conflict("this person of the provider");
    if is_somebody_else(tx, person, user).await? {
        return Err(conflict());
    }
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "insert into federated_identities as f
             (tenant_id, issuer, subject_hash, user_id, created_at, last_used_at, proved_at)
         values ($1, $2, $3, $4, $5, $5, $5)
         on conflict (tenant_id, issuer, subject_hash) do update set proved_at = $5 where f.user_id = $4",
        tenant.as_str(),
        person.issuer,
        &person.subject_hash[..],
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() == 0 { Err(conflict()) } else { Ok(()) }
}

/// Forgets that a user proved a second factor for their links, as when the factor is taken away.
pub(crate) async fn unprove(tx: &mut TenantTx, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update federated_identities set proved_at = null where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
