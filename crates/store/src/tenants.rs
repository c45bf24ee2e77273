//! Tenants: their records, their life, and the snapshot that requests are checked against.

use crate::{Database, StoreError, SystemTx, TenantTx, readable::readable_rows};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Action, Metered, Plan, TenantId, TenantStatus, TenantType, Timestamp};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::collections::BTreeMap;

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

/// What was stored by this program has the shape that this program gave it.
pub(crate) fn stored<T, E>(parsed: Result<T, E>) -> Result<T, StoreError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    parsed.map_err(|error| StoreError::Database(sqlx::Error::Decode(Box::new(error))))
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

/// A step in the life of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LifeStep {
    /// The owner holds it, whatever else is the matter with it.
    Suspend,
    /// The owner takes back everything that keeps it from being served.
    Activate,
    /// It is closed.
    Close {
        /// Whether the owner does it, who then alone takes it back.
        by_owner: bool,
        /// When its clean-up may begin, if somebody decides that.
        purge_at: Option<Timestamp>,
        /// When else; closing once more does not move it.
        usual_purge_at: Timestamp,
    },
    /// Somebody of the tenant takes back that somebody of the tenant closed it. The owner's hold stays.
    Reopen,
}

impl LifeStep {
    /// What it is called in the life of the tenant.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Suspend => "suspended",
            Self::Activate | Self::Reopen => "activated",
            Self::Close { .. } => "closed",
        }
    }
}

/// Takes a step in the life of the tenant of the transaction. From where it may be taken is decided under the lock of its row: what
/// somebody else decides at the same moment comes before or after, and is not lost. With `expected`, only if that is still its
/// version. Once its clean-up has begun, nothing is.
pub async fn take_step(
    tx: &mut TenantTx,
    step: &LifeStep,
    expected: Option<i64>,
    now: Timestamp,
) -> Result<Option<Tenant>, StoreError> {
    let tenant = tx.tenant().clone();
    let known = sqlx::query_as!(
        Row,
        "select tenant_id, tenant_type, status, name, contact_email, website_url, business_industry, locale, timezone,
                plan, epoch, session_ttl_seconds, version, created_at, updated_at, suspended_at, closed_at, closed_by_owner,
                purge_at, purge_started_at
         from tenants where tenant_id = $1 for update",
        tenant.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(known) = known.map(Tenant::try_from).transpose()? else { return Ok(None) };
    if expected.is_some_and(|version| version != known.version) {
        return Err(StoreError::Stale("tenant"));
    }
    let next = after(&known, step, now)?;
    let row = sqlx::query_as!(
        Row,
        "update tenants set
             suspended_at = $2, closed_at = $3, closed_by_owner = $4, purge_at = $5,
             version = version + 1, updated_at = now()
         where tenant_id = $1
         returning tenant_id, tenant_type, status, name, contact_email, website_url, business_industry, locale, timezone,
                plan, epoch, session_ttl_seconds, version, created_at, updated_at, suspended_at, closed_at, closed_by_owner,
                purge_at, purge_started_at",
        tenant.as_str(),
        next.suspended_at.map(ToSqlx::to_sqlx) as _,
        next.closed_at.map(ToSqlx::to_sqlx) as _,
        next.closed_by_owner,
        next.purge_at.map(ToSqlx::to_sqlx) as _
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Tenant::try_from).transpose()
}

/// What keeps a tenant from being served after a step, if it may be taken.
fn after(known: &Tenant, step: &LifeStep, now: Timestamp) -> Result<Tenant, StoreError> {
    if known.purge_started_at.is_some() {
        return Err(StoreError::Refused("The clean-up of the tenant has begun."));
    }
    let mut next = known.clone();
    match *step {
        LifeStep::Suspend => next.suspended_at = known.suspended_at.or(Some(now)),
        LifeStep::Close { by_owner, purge_at, usual_purge_at } => {
            next.closed_at = known.closed_at.or(Some(now));
            next.closed_by_owner |= by_owner;
            next.purge_at = purge_at.or(known.purge_at).or(Some(usual_purge_at));
        }
        LifeStep::Reopen if known.closed_at.is_none() => {
            return Err(StoreError::Refused("The tenant is not closed."));
        }
        LifeStep::Reopen if known.closed_by_owner => return Err(StoreError::NotTheirs),
        LifeStep::Reopen => (next.closed_at, next.purge_at) = (None, None),
        LifeStep::Activate => {
            (next.suspended_at, next.closed_at, next.purge_at) = (None, None, None);
            next.closed_by_owner = false;
        }
    }
    Ok(next)
}

/// Something that happened to a tenant in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantEvent {
    /// Its place in the life of the tenant, from 1.
    pub number: i64,
    /// `registered`, `suspended`, `activated`, `closed` or `tokens_revoked`.
    pub event: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Why, if somebody said so.
    pub reason: Option<String>,
    /// Of `closed`: when the clean-up may begin.
    pub purge_at: Option<Timestamp>,
}

/// Notes what happens to the tenant of the transaction. Whoever changes the tenant holds the lock of its row, so numbers
/// do not collide.
pub async fn note_event(tx: &mut TenantTx, event: &TenantEvent) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "insert into tenant_events (tenant_id, number, event, at, actor, reason, purge_at)
         select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6 from tenant_events where tenant_id = $1",
        tenant.as_str(),
        event.event,
        event.at.to_sqlx() as _,
        event.actor,
        event.reason,
        event.purge_at.map(ToSqlx::to_sqlx) as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What happened to the tenant of the transaction, from the newest, before one and at most so much.
pub async fn events(
    tx: &mut TenantTx,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<TenantEvent>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        "select number, event, at, actor, reason, purge_at from tenant_events
         where tenant_id = $1 and ($2::bigint is null or number < $2) order by number desc limit $3",
        tenant.as_str(),
        before,
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    let events = rows.into_iter().map(|row| TenantEvent {
        number: row.number,
        event: row.event,
        at: row.at.to_jiff(),
        actor: row.actor,
        reason: row.reason,
        purge_at: row.purge_at.map(SqlTimestamp::to_jiff),
    });
    Ok(events.collect())
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

/// Where a tenant's tokens stand; everything a request is checked against besides the token itself. Secrets are sealed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantSnapshot {
    /// Owner or standard.
    pub tenant_type: TenantType,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// Decides the limits that are not set.
    pub plan: Plan,
    /// Tokens of an older epoch are revoked.
    pub epoch: i64,
    /// How long a session lives.
    pub session_ttl_seconds: i64,
    /// Its sites.
    pub sites: Vec<SiteSnapshot>,
    /// Its secrets that are in force.
    pub secrets: Vec<SecretSnapshot>,
    /// Limits that differ from the plan's.
    pub limits: Vec<crate::limits::LimitRow>,
    /// Monthly quotas that differ from the plan's.
    #[serde(default)]
    pub quotas: BTreeMap<Metered, i64>,
    /// Identifiers of tokens and of families of tokens that were revoked in the last two minutes.
    pub revoked: Vec<misy_domain::TokenId>,
    /// Whether there were more than `revoked` holds.
    pub revoked_more: bool,
    /// Its bound client certificates that are in force.
    #[serde(default)]
    pub certificates: Vec<crate::certificates::CertificateSnapshot>,
    /// Its secrets that count only together with a client certificate.
    #[serde(default)]
    pub certificate_secrets: Vec<misy_domain::KeyId>,
    /// Its secrets that ended so lately that a token of theirs may be used or renewed.
    #[serde(default)]
    pub spent_secrets: Vec<SpentSecret>,
    /// Keys and secrets that were revoked with all tokens that were given for them.
    #[serde(default)]
    pub revoked_keys: Vec<misy_domain::KeyId>,
}

/// A site in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteSnapshot {
    /// Its slug.
    pub site_id: misy_domain::SiteId,
    /// What a token of it may hold at most.
    pub permissions: misy_domain::Permissions,
    /// Where it may be used from.
    pub origins: Vec<misy_domain::Origin>,
}

/// A tenant secret in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretSnapshot {
    /// Its id.
    pub key_id: misy_domain::KeyId,
    /// The sealed bytes, in hex.
    pub sealed: String,
    /// Set while a newer one takes over.
    pub expires_at: Option<Timestamp>,
    /// What it can give.
    pub permissions: misy_domain::Permissions,
    /// What `tenant:manage` means in its tokens.
    #[serde(deserialize_with = "known_actions")]
    pub actions: Vec<Action>,
    /// The one that takes over from it.
    #[serde(default)]
    pub successor: Option<misy_domain::KeyId>,
}

/// A tenant secret that was revoked or ran out, in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpentSecret {
    /// Its id.
    pub key_id: misy_domain::KeyId,
    /// What it could give last.
    pub permissions: misy_domain::Permissions,
    /// The one that took over from it.
    #[serde(default)]
    pub successor: Option<misy_domain::KeyId>,
}

/// An action that is no more opens nothing.
fn known_actions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Action>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

impl Database {
    /// The present state of a tenant with the messages it used this month, in one round trip; `None` if there is no such
    /// tenant.
    pub async fn tenant_snapshot(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Option<(TenantSnapshot, i64)>, StoreError> {
        let row = sqlx::query!(
            "select misy.tenant_snapshot($1, $2) || misy.snapshot_credentials($1, $2) as snapshot,
                    misy.quota_overrides($1) as quotas, misy.messages_used($1, $2) as used",
            tenant.as_str(),
            now.to_sqlx() as _
        )
        .fetch_one(self.app())
        .await?;
        let Some(snapshot) = row.snapshot else { return Ok(None) };
        let mut snapshot: TenantSnapshot = read_json(snapshot)?;
        snapshot.quotas = row.quotas.map(read_json).transpose()?.unwrap_or_default();
        Ok(Some((snapshot, row.used.unwrap_or_default())))
    }
}

fn read_json<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, StoreError> {
    stored(serde_json::from_value(value))
}
