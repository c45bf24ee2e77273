//! Leases: who works on which row, and for how long.
//!
//! Work is no row of its own: a conversation, a mail or a rotation says itself when it is due (`work_at`). A worker claims
//! due rows in batches and holds each under a lease, which it prolongs while it works. If it dies, `work_at` passes and the
//! row is due again. Each claim has a higher fence than the one before, and what a claim wants to write counts only while
//! the fence is its own; so a worker that was too slow, or paused, cannot write over its successor.
//!
//! Times are the database's own, so a worker whose clock is wrong does no harm.
//!
//! A table becomes leased work by one line of SQL, `call misy.lease(…)`, and one type here that is [`Leased`]. How to add
//! one, step by step: `docs/adding-work.md`.

mod dead;
mod trouble;

pub use dead::{Behind, DeadWork, KINDS, NoPlace, dead_work, drop_work, revive};
pub use trouble::Trouble;

use crate::{
    Database, StoreError,
    readable::{readable, stored},
};
use misy_domain::{Entropy, TenantId};
use sqlx::{AssertSqlSafe, postgres::types::PgInterval};
use std::{
    fmt::{self, Debug, Display},
    hash::Hash,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

/// A table whose rows are leased work: `misy.lease` was called for it.
pub trait Leased: Debug + Copy + Eq + Hash + Send + Sync + 'static {
    /// What names a row within its tenant.
    type Id: Debug + Display + FromStr + Copy + Eq + Hash + Send + Sync;
    /// The table.
    const TABLE: &'static str;
    /// What one row is called in the API, in alerts and in metrics, and its workers among the loops.
    const KIND: &'static str;
}

/// Who holds leases: one per running worker, never the same again after a restart.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WorkerId(Arc<str>);

impl WorkerId {
    /// A fresh id.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0u8; 16];
        entropy.fill(&mut bytes);
        Self(format!("wrk_{:032x}", u128::from_be_bytes(bytes)).into())
    }

    /// As it stands in the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease<K: Leased> {
    /// Whose row it is.
    pub tenant: TenantId,
    /// Which row.
    pub id: K::Id,
    /// Who holds it.
    pub worker: WorkerId,
    /// The number of the claim.
    pub fence: i64,
    /// How often it was claimed without an end, this time included.
    pub attempts: u32,
}

/// The terms of leases.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTerms {
    /// How long a lease holds without being prolonged: the time until a dead worker's rows are due again.
    pub length: Duration,
    /// After how many attempts a row is given up.
    pub most_attempts: u32,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { length: Duration::from_secs(3), most_attempts: 8 }
    }
}

/// How much of one tenant a worker takes on.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// The most of one tenant that a claim brings.
    pub most: u32,
    /// Tenants of which the worker holds enough; a claim brings none of theirs.
    pub full: &'a [TenantId],
}

impl Share<'_> {
    /// As much of each tenant as there is.
    pub const ALL: Self = Self { most: u32::MAX, full: &[] };
}

/// What a claim brought.
#[derive(Debug)]
pub struct Claimed<K: Leased> {
    /// The rows, now held by the worker.
    pub leases: Vec<Lease<K>>,
    /// Where the next claim goes on.
    pub next: Cursor,
    /// Whether every tenant that has work was looked at; if not, claim again at once.
    pub complete: bool,
}

/// The tenant after which a claim begins, so that each gets its turn. In the order in which claims go round.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(String);

impl Cursor {
    /// After this tenant.
    pub fn after(tenant: &TenantId) -> Self {
        Self(tenant.as_str().to_owned())
    }
}

/// What became of a claim that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It is tried again later.
    Retry,
    /// It was given up.
    Dead,
    /// Somebody else holds it by now.
    Lost,
}

/// How long to wait before the next attempt: doubling, with half of it random so that what failed together does not
/// come back together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// Never longer than this.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_mins(5) }
    }
}

impl Backoff {
    /// The wait after so many attempts.
    pub fn after(&self, attempts: u32, entropy: &dyn Entropy) -> Duration {
        let full = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(self.most);
        let mut bytes = [0u8; 4];
        entropy.fill(&mut bytes);
        let random = f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0);
        full.mul_f64(0.5 + random / 2.0)
    }
}

impl Database {
    /// Claims up to `batch` due rows, fairly between tenants. A row with an odd id is passed over, and given up in the end.
    pub async fn claim<K: Leased>(
        &self,
        worker: &WorkerId,
        batch: u32,
        terms: &LeaseTerms,
        cursor: &Cursor,
        share: Share<'_>,
    ) -> Result<Claimed<K>, StoreError> {
        let full: Vec<_> = share.full.iter().map(TenantId::to_string).collect();
        let claim = of_table::<K>(
            "select tenant_id, id, fence, attempts from misy.claim_{table}($1, $2, $3, $4, $5, $6, $7)",
        );
        let rows: Vec<ClaimedRow> = sqlx::query_as(claim)
            .bind(worker.as_str())
            .bind(count(batch))
            .bind(interval(terms.length))
            .bind(&cursor.0)
            .bind(count(terms.most_attempts))
            .bind(count(share.most))
            .bind(&full)
            .fetch_all(self.worker())
            .await?;
        // The last row has no id and says where the next claim goes on.
        let (last, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.id.is_none());
        let next = last.into_iter().find_map(|row| row.tenant_id);
        Ok(Claimed {
            leases: readable(K::TABLE, rows, |row| row.lease(worker)),
            complete: next.is_none(),
            next: next.map_or_else(|| cursor.clone(), Cursor),
        })
    }

    /// Prolongs leases of one worker; answers with those of them that it lost: the row is gone, or was claimed since. The worker
    /// may hold the same row again by now, under a higher fence: that lease is another one and is not meant. Nor is a lease that
    /// its work has ended.
    pub async fn extend<K: Leased>(
        &self,
        worker: &WorkerId,
        leases: &[Lease<K>],
        terms: &LeaseTerms,
    ) -> Result<Vec<Lease<K>>, StoreError> {
        let tenants: Vec<_> = leases.iter().map(|lease| lease.tenant.to_string()).collect();
        let ids: Vec<_> = leases.iter().map(|lease| lease.id.to_string()).collect();
        let fences: Vec<_> = leases.iter().map(|lease| lease.fence).collect();
        let extend =
            of_table::<K>("select tenant_id, id, fence from misy.extend_{table}($1, $2, $3, $4, $5)");
        let lost: Vec<(String, String, i64)> = sqlx::query_as(extend)
            .bind(worker.as_str())
            .bind(&tenants)
            .bind(&ids)
            .bind(&fences)
            .bind(interval(terms.length))
            .fetch_all(self.worker())
            .await?;
        let is_lost = |lease: &&Lease<K>| {
            lost.iter().any(|(tenant, id, fence)| {
                *fence == lease.fence && tenant == lease.tenant.as_str() && *id == lease.id.to_string()
            })
        };
        Ok(leases.iter().filter(is_lost).cloned().collect())
    }

    /// Gives back a row whose work was not done and did not fail: due again after the delay, without counting as an attempt.
    /// Whether it was still held.
    pub async fn postpone<K: Leased>(&self, lease: &Lease<K>, delay: Duration) -> Result<bool, StoreError> {
        let postpone = of_table::<K>("select misy.postpone_{table}($1, $2, $3, $4, $5)");
        let held: Option<bool> = sqlx::query_scalar(postpone)
            .bind(lease.tenant.as_str())
            .bind(lease.id.to_string())
            .bind(lease.worker.as_str())
            .bind(lease.fence)
            .bind(interval(delay))
            .fetch_one(self.worker())
            .await?;
        Ok(held.unwrap_or_default())
    }

    /// Ends a claim that failed: the row is due again after the delay, or given up if this was the last attempt.
    pub async fn fail<K: Leased>(
        &self,
        lease: &Lease<K>,
        trouble: Trouble,
        delay: Duration,
        most_attempts: u32,
    ) -> Result<Failed, StoreError> {
        let fail = of_table::<K>("select misy.fail_{table}($1, $2, $3, $4, $5, $6, $7)");
        let outcome: Option<String> = sqlx::query_scalar(fail)
            .bind(lease.tenant.as_str())
            .bind(lease.id.to_string())
            .bind(lease.worker.as_str())
            .bind(lease.fence)
            .bind(trouble.code())
            .bind(interval(delay))
            .bind(count(most_attempts))
            .fetch_one(self.worker())
            .await?;
        Ok(match outcome.as_deref() {
            Some("retry") => Failed::Retry,
            Some("dead") => Failed::Dead,
            _ => Failed::Lost,
        })
    }
}

/// A row of a claim.
#[derive(sqlx::FromRow)]
struct ClaimedRow {
    tenant_id: Option<String>,
    id: Option<String>,
    fence: Option<i64>,
    attempts: Option<i32>,
}

impl ClaimedRow {
    fn lease<K: Leased>(self, worker: &WorkerId) -> Result<Lease<K>, StoreError> {
        let odd = || StoreError::Unsealable(K::TABLE);
        Ok(Lease {
            tenant: stored(self.tenant_id.unwrap_or_default().parse())?,
            id: self.id.unwrap_or_default().parse().map_err(|_| odd())?,
            worker: worker.clone(),
            fence: self.fence.ok_or_else(odd)?,
            attempts: self.attempts.and_then(|attempts| u32::try_from(attempts).ok()).ok_or_else(odd)?,
        })
    }
}

/// The statement for the kind's table, whose name is a constant of the program.
fn of_table<K: Leased>(statement: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement.replace("{table}", K::TABLE))
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
