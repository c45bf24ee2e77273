//! Leases: who works on which conversation, and for how long.
//!
//! Work is no row of its own: the conversation says when it is due (`work_at`). A worker claims due conversations in
//! batches and holds each under a lease, which it prolongs while it works. If it dies, `work_at` passes and the
//! conversation is due again. Each claim has a higher fence than the one before, and what a claim wants to write counts
//! only while the fence is its own; so a worker that was too slow, or paused, cannot write over its successor.
//!
//! Times are the database's own, so a worker whose clock is wrong does no harm.
//!
//! **The next leased table** (deliveries, webhook attempts, workflow runs, schedules) joins like this: give it the columns
//! `work_at`, `lease_owner`, `fence`, `attempts`, `last_error`, `dead_at` and the index `(tenant_id, work_at) where work_at
//! is not null`; write its functions after the pattern of `0011_leases.sql`; commit its results only under the fence,
//! as `commit_turn` does; and give it the calls of this file with its own id type. [`Lease`]'s rules and [`Backoff`] stay.

use crate::{Database, StoreError, TenantTx};
use misy_domain::{ConversationId, Entropy, TenantId};
use sqlx::postgres::types::PgInterval;
use std::{fmt, sync::Arc, time::Duration};

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

/// A conversation that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Whose conversation it is.
    pub tenant: TenantId,
    /// The conversation.
    pub conversation: ConversationId,
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
    /// How long a lease holds without being prolonged: the time until a dead worker's conversations are due again.
    pub length: Duration,
    /// After how many attempts a conversation is given up.
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
pub struct Claimed {
    /// The conversations, now held by the worker.
    pub leases: Vec<Lease>,
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

/// A conversation that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadConversation {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The code of the last failure.
    pub last_error: Option<String>,
    /// When.
    pub dead_at: misy_domain::Timestamp,
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
    /// Claims up to `batch` due conversations of active tenants, fairly between tenants.
    pub async fn claim_conversations(
        &self,
        worker: &WorkerId,
        batch: u32,
        terms: &LeaseTerms,
        cursor: &Cursor,
        share: Share<'_>,
    ) -> Result<Claimed, StoreError> {
        let full: Vec<_> = share.full.iter().map(TenantId::to_string).collect();
        let rows = sqlx::query!(
            "select tenant_id, conversation_id, fence, attempts from claim_conversations($1, $2, $3, $4, $5, $6, $7)",
            worker.as_str(),
            count(batch),
            interval(terms.length),
            cursor.0,
            count(terms.most_attempts),
            count(share.most),
            &full,
        )
        .fetch_all(self.worker())
        .await?;
        let mut claimed =
            Claimed { leases: Vec::with_capacity(rows.len()), next: cursor.clone(), complete: true };
        for row in rows {
            let (Some(conversation), Some(fence), Some(attempts)) =
                (row.conversation_id, row.fence, row.attempts)
            else {
                if let Some(tenant) = row.tenant_id {
                    claimed.next = Cursor(tenant);
                    claimed.complete = false;
                }
                continue;
            };
            let broken = || StoreError::Unsealable("conversations");
            claimed.leases.push(Lease {
                tenant: row.tenant_id.ok_or_else(broken)?.parse().map_err(|_| broken())?,
                conversation: conversation.parse().map_err(|_| broken())?,
                worker: worker.clone(),
                fence,
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            });
        }
        Ok(claimed)
    }

    /// Prolongs leases of one worker; answers with those of them that do not hold any more. The worker may hold the same
    /// conversation again by now, under a higher fence: that lease is another one and is not meant.
    pub async fn extend_leases(
        &self,
        worker: &WorkerId,
        leases: &[Lease],
        terms: &LeaseTerms,
    ) -> Result<Vec<Lease>, StoreError> {
        let tenants: Vec<_> = leases.iter().map(|lease| lease.tenant.to_string()).collect();
        let conversations: Vec<_> = leases.iter().map(|lease| lease.conversation.to_string()).collect();
        let fences: Vec<_> = leases.iter().map(|lease| lease.fence).collect();
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant_id!", conversation_id as "conversation_id!", fence as "fence!"
               from extend_leases($1, $2, $3, $4, $5)"#,
            worker.as_str(),
            &tenants,
            &conversations,
            &fences,
            interval(terms.length),
        )
        .fetch_all(self.worker())
        .await?;
        let is_lost = |lease: &&Lease| {
            rows.iter().any(|row| {
                row.fence == lease.fence
                    && row.tenant_id == lease.tenant.as_str()
                    && row.conversation_id == lease.conversation.to_string()
            })
        };
        Ok(leases.iter().filter(is_lost).cloned().collect())
    }

    /// Gives back a conversation that was not begun; whether it was still held.
    pub async fn release_conversation(&self, lease: &Lease) -> Result<bool, StoreError> {
        let held = sqlx::query_scalar!(
            "select release_conversation($1, $2, $3, $4)",
            lease.tenant.as_str(),
            lease.conversation.to_string(),
            lease.worker.as_str(),
            lease.fence,
        )
        .fetch_one(self.worker())
        .await?;
        Ok(held.unwrap_or_default())
    }

    /// Gives back a conversation that may not be answered for a moment: due again after the delay, without counting as an
    /// attempt. Whether it was still held.
    pub async fn postpone_conversation(&self, lease: &Lease, delay: Duration) -> Result<bool, StoreError> {
        let held = sqlx::query_scalar!(
            "select postpone_conversation($1, $2, $3, $4, $5)",
            lease.tenant.as_str(),
            lease.conversation.to_string(),
            lease.worker.as_str(),
            lease.fence,
            interval(delay),
        )
        .fetch_one(self.worker())
        .await?;
        Ok(held.unwrap_or_default())
    }

    /// Ends a claim that failed. `error` is a code that tells operators what happened, never a contact's words.
    pub async fn fail_conversation(
        &self,
        lease: &Lease,
        error: &str,
        delay: Duration,
        terms: &LeaseTerms,
    ) -> Result<Failed, StoreError> {
        let outcome = sqlx::query_scalar!(
            "select fail_conversation($1, $2, $3, $4, $5, $6, $7)",
            lease.tenant.as_str(),
            lease.conversation.to_string(),
            lease.worker.as_str(),
            lease.fence,
            error,
            interval(delay),
            count(terms.most_attempts),
        )
        .fetch_one(self.worker())
        .await?;
        Ok(match outcome.as_deref() {
            Some("retry") => Failed::Retry,
            Some("dead") => Failed::Dead,
            _ => Failed::Lost,
        })
    }
}

/// Gives a conversation that was given up another chance; whether there was one.
pub async fn revive_conversation(
    tx: &mut TenantTx,
    conversation: ConversationId,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let revived =
        sqlx::query_scalar!("select revive_conversation($1, $2)", tenant.as_str(), conversation.to_string())
            .fetch_one(tx.connection())
            .await?;
    Ok(revived.unwrap_or_default())
}

/// The conversations of the tenant that were given up, the oldest first.
pub async fn dead_conversations(tx: &mut TenantTx, limit: u32) -> Result<Vec<DeadConversation>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select conversation_id, last_error, dead_at as "dead_at!" from conversations
           where tenant_id = $1 and dead_at is not null order by dead_at limit $2"#,
        tenant.as_str(),
        i64::from(limit),
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DeadConversation {
                conversation_id: row
                    .conversation_id
                    .parse()
                    .map_err(|_| StoreError::Unsealable("conversations"))?,
                last_error: row.last_error,
                dead_at: row.dead_at.to_jiff(),
            })
        })
        .collect()
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
