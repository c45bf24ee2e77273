//! The life of a tenant: its steps, and what it tells of them.

use super::{Row, Tenant};
use crate::{StoreError, TenantTx};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::Timestamp;

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
