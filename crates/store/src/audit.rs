//! The audit trail. What changes something is recorded in the transaction of the change ([`record`]); that a call was made
//! is recorded a moment later, in batches ([`AuditLog`]). A moment after that every entry has its place in the tenant's Merkle
//! tree ([`Sealer`]), from which proofs are made ([`tree`]).

pub mod check;
pub mod entries;
pub mod keys;
mod log;
pub mod report;
mod sealer;
pub mod tree;

pub use log::{AuditLog, AuditPermit, CallEntry};
pub use sealer::{SealTerms, Sealer};

use crate::{StoreError, SystemTx, TenantTx, readable::stored};
use jiff_sqlx::ToSqlx;
use misy_domain::{AuditId, Clock, Entropy, TenantId, Timestamp};
use serde_json::Value;
use sqlx::PgConnection;

/// What an entry tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request and its outcome.
    Call,
    /// What was changed.
    Change,
    /// What an agent did.
    Turn,
    /// Cross-tenant work.
    System,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Call, Self::Change, Self::Turn, Self::System];

    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Change => "change",
            Self::Turn => "turn",
            Self::System => "system",
        }
    }
}

/// Who does something, as the trail of a tenant names them: whoever comes from another tenant is named with it. What is recorded
/// of a change takes nothing else, so nobody stands in a trail as if they belonged there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// Somebody of a tenant, in the trail of this one.
    pub fn of(home: &TenantId, id: &str, trail: &TenantId) -> Self {
        if home == trail { Self(id.to_owned()) } else { Self::from_elsewhere(home, id) }
    }

    /// Somebody of a tenant, in the trail of any other.
    pub fn from_elsewhere(home: &TenantId, id: &str) -> Self {
        Self(format!("{home}/{id}"))
    }

    /// What belongs to no tenant: the program itself, its operator.
    pub fn outside(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// As it stands in the trail.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An entry of a tenant's audit trail. Never holds a secret or the words of a contact.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its id; grows with time.
    pub audit_id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// What it tells of.
    pub kind: Kind,
    /// What was done: the id of an operation, such as `createSite`.
    pub action: String,
    /// Who did it: the id of a token or key, `bootstrap`, `anonymous` …
    pub actor: String,
    /// The site.
    pub site_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The agent.
    pub agent_name: Option<String>,
    /// Where the request came from.
    pub origin: Option<String>,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// HTTP status.
    pub status: Option<i32>,
    /// How long it took.
    pub duration_micros: Option<i64>,
    /// Which request.
    pub request_id: Option<String>,
    /// What it was done to.
    pub subject: Option<String>,
    /// Anything else worth knowing.
    pub detail: Option<Value>,
}

impl AuditEntry {
    /// An entry for now, with an outcome of `ok`.
    pub fn new(kind: Kind, action: &str, actor: &Actor, clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        Self {
            audit_id: AuditId::new(clock, entropy),
            at: clock.now(),
            kind,
            action: action.to_owned(),
            actor: actor.as_str().to_owned(),
            site_id: None,
            session_id: None,
            agent_name: None,
            origin: None,
            outcome: "ok".to_owned(),
            status: None,
            duration_micros: None,
            request_id: None,
            subject: None,
            detail: None,
        }
    }
}

/// Records what the transaction does.
pub async fn record(tx: &mut TenantTx, entry: &AuditEntry) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    write(tx.connection(), &tenant, entry).await
}

/// Records cross-tenant work in the trail of a tenant that it touches.
pub async fn record_system(
    tx: &mut SystemTx,
    tenant: &TenantId,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    write(tx.connection(), tenant, entry).await
}

/// Its id is new: if it stands there already, something is wrong, and the change does not happen.
async fn write(
    connection: &mut PgConnection,
    tenant: &TenantId,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"insert into audit_entries (tenant_id, audit_id, at, kind, action, actor, site_id, session_id, agent_name, origin,
                                      outcome, status, duration_micros, request_id, subject, detail)
           values ($1, $2, $3, $4, $5, left($6, 300), $7, $8, $9, left($10, 300), $11, $12, $13, $14, left($15, 300),
                   audit_detail($16))"#,
        tenant.as_str(),
        entry.audit_id.to_string(),
        entry.at.to_sqlx() as _,
        entry.kind.as_str(),
        entry.action,
        entry.actor,
        entry.site_id,
        entry.session_id,
        entry.agent_name,
        entry.origin,
        entry.outcome,
        entry.status,
        entry.duration_micros,
        entry.request_id,
        entry.subject,
        entry.detail
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Entries that are looked at for one page: a filter that fits few is answered in steps, each of which is short.
const LOOKED_AT: i64 = 10_000;
/// An entry tells of a call when it has ended, and its id is from when it began, with all that a clock may be put right by.
const LONGEST_CALL: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Entries that were found, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// They.
    pub entries: Vec<AuditEntry>,
    /// Older entries than this were not looked at. Fewer than asked for may have been found before.
    pub next: Option<AuditId>,
}

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With this action.
    pub action: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// Of this session.
    pub session_id: Option<String>,
    /// Of this site.
    pub site_id: Option<String>,
    /// Done to this.
    pub subject: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Older than this entry.
    pub before: Option<AuditId>,
    /// At most so many.
    pub limit: i64,
}

/// Entries of the tenant, the newest first, among the next ten thousand. One that cannot be shown, for somebody changed the
/// table, hides no other: a time beyond all bounds is shown as the bound.
pub async fn list(tx: &mut TenantTx, filter: &AuditFilter) -> Result<AuditPage, StoreError> {
    let tenant = tx.tenant().clone();
    // Ids grow with time, so a time is found by them without an index of its own.
    let first = filter.from.and_then(|from| AuditId::first_of(from.checked_sub(LONGEST_CALL).ok()?));
    let until = filter.until.and_then(|until| AuditId::first_of(until.checked_add(LONGEST_CALL).ok()?));
    let first = first.map(|id| id.to_string());
    let before = filter.before.into_iter().chain(until).min().map(|id| id.to_string());
    let rows = sqlx::query!(
        r#"select audit_id, greatest(least(at, '3000-01-01 00:00Z'), '2000-01-01 00:00Z') as "at!", kind, action, actor,
                site_id, session_id, agent_name, origin, outcome, status, duration_micros, request_id, subject, detail
         from (select * from audit_entries
               where tenant_id = $1 and ($9::text is null or audit_id < $9) and ($13::text is null or audit_id >= $13)
               order by audit_id desc limit $14) as looked_at
         where ($2::text is null or kind = $2) and ($3::text is null or action = $3)
           and ($4::text is null or actor = $4) and ($5::text is null or outcome = $5)
           and ($6::text is null or session_id = $6) and ($7::timestamptz is null or at >= $7)
           and ($8::timestamptz is null or at < $8)
           and ($10::text is null or site_id = $10) and ($11::text is null or subject = $11)
         order by audit_id desc limit $12"#,
        tenant.as_str(),
        filter.kind.map(Kind::as_str),
        filter.action,
        filter.actor,
        filter.outcome,
        filter.session_id,
        filter.from.map(ToSqlx::to_sqlx) as _,
        filter.until.map(ToSqlx::to_sqlx) as _,
        before,
        filter.site_id,
        filter.subject,
        filter.limit,
        first,
        LOOKED_AT
    )
    .fetch_all(tx.connection())
    .await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= filter.limit;
    let next = if is_full {
        rows.iter().rev().find_map(|row| row.audit_id.parse().ok())
    } else {
        last_looked_at(tx, before, first).await?
    };
    let entries = rows
        .into_iter()
        // The database makes sure that each is an id; what somebody else put there is left out.
        .filter(|row| row.audit_id.parse::<AuditId>().is_ok())
        .map(|row| {
            let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
            Ok(AuditEntry {
                audit_id: stored(row.audit_id.parse())?,
                at: row.at.to_jiff(),
                kind: stored(kind.ok_or(misy_domain::tenant::UnknownValue))?,
                action: row.action,
                actor: row.actor,
                site_id: row.site_id,
                session_id: row.session_id,
                agent_name: row.agent_name,
                origin: row.origin,
                outcome: row.outcome,
                status: row.status,
                duration_micros: row.duration_micros,
                request_id: row.request_id,
                subject: row.subject,
                detail: row.detail,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(AuditPage { entries, next })
}

/// The last entry that was looked at for a page, if there are older ones.
async fn last_looked_at(
    tx: &mut TenantTx,
    before: Option<String>,
    first: Option<String>,
) -> Result<Option<AuditId>, StoreError> {
    let tenant = tx.tenant().clone();
    let last = sqlx::query_scalar!(
        "select audit_id from audit_entries
         where tenant_id = $1 and ($2::text is null or audit_id < $2) and ($3::text is null or audit_id >= $3)
         order by audit_id desc offset $4 limit 2",
        tenant.as_str(),
        before,
        first,
        LOOKED_AT - 1
    )
    .fetch_all(tx.connection())
    .await?;
    // A second one is there to go on with.
    Ok(if last.len() == 2 { last.first().and_then(|id| id.parse().ok()) } else { None })
}
