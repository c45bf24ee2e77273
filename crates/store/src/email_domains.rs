//! Domains of e-mail addresses, and whether the tenant has proved that they are its own.

use crate::{StoreError, TenantTx, readable::stored};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{DomainName, Timestamp};

/// The most domains that a tenant can have.
pub const MOST: usize = 50;

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailDomain {
    /// Its name.
    pub domain: DomainName,
    /// The line that the domain's file must have.
    pub challenge: String,
    /// When it was named.
    pub created_at: Timestamp,
    /// When it was proved.
    pub proved_at: Option<Timestamp>,
}

struct Row {
    domain: String,
    challenge: String,
    created_at: SqlTimestamp,
    proved_at: Option<SqlTimestamp>,
}

impl TryFrom<Row> for EmailDomain {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            domain: stored(row.domain.parse())?,
            challenge: row.challenge,
            created_at: row.created_at.to_jiff(),
            proved_at: row.proved_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// All domains of the tenant, by name.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<EmailDomain>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select domain, challenge, created_at, proved_at from email_domains where tenant_id = $1 order by domain",
        tenant.as_str()
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(EmailDomain::try_from).collect()
}

/// One domain, which nobody else changes until the transaction ends.
pub async fn lock(tx: &mut TenantTx, domain: &DomainName) -> Result<Option<EmailDomain>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select domain, challenge, created_at, proved_at from email_domains
         where tenant_id = $1 and domain = $2 for no key update",
        tenant.as_str(),
        domain.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(EmailDomain::try_from).transpose()
}

/// Whether the tenant has proved this domain.
pub async fn is_proved(tx: &mut TenantTx, domain: &DomainName) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let proved = sqlx::query_scalar!(
        "select exists (select from email_domains where tenant_id = $1 and domain = $2 and proved_at is not null)",
        tenant.as_str(),
        domain.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(proved.unwrap_or_default())
}

/// Names a domain that is to be proved. A conflict if the tenant has it already; refused if it has [`MOST`].
pub async fn create(
    tx: &mut TenantTx,
    domain: &DomainName,
    challenge: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    // One at a time, so that they are counted right.
    sqlx::query!("select 1 as one from tenants where tenant_id = $1 for no key update", tenant.as_str())
        .fetch_optional(tx.connection())
        .await?;
    let done = sqlx::query!(
        "insert into email_domains (tenant_id, domain, challenge, created_at)
         select $1, $2, $3, $4 where (select count(*) from email_domains where tenant_id = $1) < $5
         on conflict do nothing",
        tenant.as_str(),
        domain.as_str(),
        challenge,
        now.to_sqlx() as _,
        i64::try_from(MOST).unwrap_or(i64::MAX)
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() > 0 {
        return Ok(());
    }
    if lock(tx, domain).await?.is_some() {
        return Err(StoreError::Conflict("this domain"));
    }
    Err(StoreError::Refused("A tenant has at most 50 domains."))
}

/// Notes that a domain is proved. A conflict if another tenant has proved it.
pub async fn prove(tx: &mut TenantTx, domain: &DomainName, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let proved = sqlx::query!(
        "update email_domains set proved_at = $3 where tenant_id = $1 and domain = $2",
        tenant.as_str(),
        domain.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await;
    match proved {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(StoreError::Conflict("another tenant with this domain"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes a domain. Says whether there was one.
pub async fn remove(tx: &mut TenantTx, domain: &DomainName) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "delete from email_domains where tenant_id = $1 and domain = $2",
        tenant.as_str(),
        domain.as_str()
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}
