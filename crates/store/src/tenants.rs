//! Tenants: their records, their life, and the snapshot that requests are checked against.

mod life;
mod snapshot;

pub use life::{LifeStep, TenantEvent, events, note_event, take_step};
pub use snapshot::{SecretSnapshot, SiteSnapshot, SpentSecret, TenantSnapshot};

use crate::{
    StoreError, SystemTx, TenantTx,
    readable::{readable_rows, stored},
};
use jiff_sqlx::Timestamp as SqlTimestamp;
use misy_domain::{Plan, TenantId, TenantStatus, TenantType, Timestamp};

/// A tenant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its slug.
    pub tenant_id: TenantId,
    /// Owner or standard.
    pub tenant_type: TenantType,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// The name of the business.
    pub name: String,
    /// Whom to write to.
    pub contact_email: String,
    /// Its main web page.
    pub website_url: String,
    /// What it does.
    pub business_industry: String,
    /// Its language tag.
    pub locale: String,
    /// Its IANA time zone.
    pub timezone: String,
    /// What it pays for.
    pub plan: Plan,
    /// Tokens of an older epoch are revoked.
    pub epoch: i32,
    /// How long a session lives.
    pub session_ttl_seconds: i32,
    /// Grows with each change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Since when the owner holds it.
    pub suspended_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Whether the owner closed it, or closed it once more.
    pub closed_by_owner: bool,
    /// When what is left of it goes, if it stays closed.
    pub purge_at: Option<Timestamp>,
    /// Since when there is no way back.
    pub purge_started_at: Option<Timestamp>,
}

struct Row {
    tenant_id: String,
    tenant_type: String,
    status: String,
    name: String,
    contact_email: String,
    website_url: String,
    business_industry: String,
    locale: String,
    timezone: String,
    plan: String,
    epoch: i32,
    session_ttl_seconds: i32,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
    suspended_at: Option<SqlTimestamp>,
    closed_at: Option<SqlTimestamp>,
    closed_by_owner: bool,
    purge_at: Option<SqlTimestamp>,
    purge_started_at: Option<SqlTimestamp>,
}

impl TryFrom<Row> for Tenant {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            tenant_id: stored(row.tenant_id.parse())?,
            tenant_type: stored(row.tenant_type.parse())?,
            status: stored(row.status.parse())?,
            name: row.name,
            contact_email: row.contact_email,
            website_url: row.website_url,
            business_industry: row.business_industry,
            locale: row.locale,
            timezone: row.timezone,
            plan: stored(row.plan.parse())?,
            epoch: row.epoch,
            session_ttl_seconds: row.session_ttl_seconds,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
            suspended_at: row.suspended_at.map(SqlTimestamp::to_jiff),
            closed_at: row.closed_at.map(SqlTimestamp::to_jiff),
            closed_by_owner: row.closed_by_owner,
            purge_at: row.purge_at.map(SqlTimestamp::to_jiff),
            purge_started_at: row.purge_started_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// What of a tenant can be changed; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// The name of the business.
    pub name: Option<String>,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// Its main web page.
    pub website_url: Option<String>,
    /// What it does.
    pub business_industry: Option<String>,
    /// Its language tag.
    pub locale: Option<String>,
    /// Its IANA time zone.
    pub timezone: Option<String>,
    /// What it pays for.
    pub plan: Option<Plan>,
    /// How long a session lives.
    pub session_ttl_seconds: Option<i32>,
}

/// Which tenants to list.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// In this state.
    pub status: Option<TenantStatus>,
    /// Of this type.
    pub tenant_type: Option<TenantType>,
    /// With this plan.
    pub plan: Option<Plan>,
    /// With this text in the id or the name, whatever the case.
    pub text: Option<String>,
    /// After this id.
    pub after: Option<TenantId>,
    /// At most so many.
    pub limit: i64,
}

/// The tenant of the transaction.
pub async fn read(tx: &mut TenantTx) -> Result<Option<Tenant>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select tenant_id, tenant_type, status, name, contact_email, website_url, business_industry, locale, timezone,
                plan, epoch, session_ttl_seconds, version, created_at, updated_at, suspended_at, closed_at, closed_by_owner,
                purge_at, purge_started_at
         from tenants where tenant_id = $1",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Tenant::try_from).transpose()
}

/// Changes the tenant of the transaction. With `expected`, only if that is still its version.
pub async fn change(
    tx: &mut TenantTx,
    change: &TenantChange,
    expected: Option<i64>,
) -> Result<Option<Tenant>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "update tenants set
             name = coalesce($2, name), contact_email = coalesce($3, contact_email),
             website_url = coalesce($4, website_url), business_industry = coalesce($5, business_industry),
             locale = coalesce($6, locale), timezone = coalesce($7, timezone), plan = coalesce($8, plan),
             session_ttl_seconds = coalesce($9, session_ttl_seconds),
             version = version + 1, updated_at = now()
         where tenant_id = $1 and ($10::bigint is null or version = $10)
         returning tenant_id, tenant_type, status, name, contact_email, website_url, business_industry, locale, timezone,
                   plan, epoch, session_ttl_seconds, version, created_at, updated_at, suspended_at, closed_at, closed_by_owner,
                purge_at, purge_started_at",
        tenant.as_str(),
        change.name,
        change.contact_email,
        change.website_url,
        change.business_industry,
        change.locale,
        change.timezone,
        change.plan.map(Plan::as_str),
        change.session_ttl_seconds,
        expected
    )
    .fetch_optional(tx.connection())
    .await?;
    changed(tx, row).await
}

/// Raises the credential epoch of the tenant of the transaction: every token that it gave until now is refused. Answers
/// with the new epoch.
pub async fn raise_epoch(tx: &mut TenantTx) -> Result<Option<i32>, StoreError> {
    let tenant = tx.tenant().clone();
    let epoch = sqlx::query_scalar!(
        "update tenants set epoch = epoch + 1, version = version + 1, updated_at = now()
         where tenant_id = $1 returning epoch",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(epoch)
}

/// No row means either that there is no tenant or that its version is another one.
async fn changed(tx: &mut TenantTx, row: Option<Row>) -> Result<Option<Tenant>, StoreError> {
    match row {
        Some(row) => Tenant::try_from(row).map(Some),
        None if read(tx).await?.is_some() => Err(StoreError::Stale("tenant")),
        None => Ok(None),
    }
}

/// The time zone of a tenant.
pub async fn timezone(tx: &mut SystemTx, tenant: &TenantId) -> Result<Option<String>, StoreError> {
    let zone = sqlx::query_scalar!("select timezone from tenants where tenant_id = $1", tenant.as_str())
        .fetch_optional(tx.connection())
        .await?;
    Ok(zone)
}

/// Tenants by id, for the owner.
pub async fn list(tx: &mut SystemTx, filter: &TenantFilter) -> Result<Vec<Tenant>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select tenant_id, tenant_type, status, name, contact_email, website_url, business_industry, locale, timezone,
                plan, epoch, session_ttl_seconds, version, created_at, updated_at, suspended_at, closed_at, closed_by_owner,
                purge_at, purge_started_at
         from tenants
         where ($1::text is null or status = $1) and ($2::text is null or tenant_type = $2)
           and ($3::text is null or plan = $3)
           and ($4::text is null or position(lower($4) in lower(name)) > 0 or position(lower($4) in tenant_id) > 0)
           and ($5::text is null or tenant_id > $5)
         order by tenant_id limit $6",
        filter.status.map(TenantStatus::as_str),
        filter.tenant_type.map(TenantType::as_str),
        filter.plan.map(Plan::as_str),
        filter.text,
        filter.after.as_ref().map(TenantId::as_str),
        filter.limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(readable_rows("tenant", rows))
}
