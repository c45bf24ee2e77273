//! Entries of calls on their way to the database.

use super::{AuditEntry, Kind};
use crate::{Database, StoreError, Turn, Turns};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{RequestId, TenantId, Timestamp};
use serde_json::Value;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc::{self, OwnedPermit, error::TrySendError},
    task::JoinHandle,
    time::timeout,
};
use tracing::{error, warn};

/// Entries that may wait; each is some hundred bytes.
const WAITING: usize = 16_384;
/// Entries of one tenant that may wait: who floods its own trail leaves room for the others.
const SHARE: usize = WAITING / 4;
/// Entries of one batch.
const BATCH: usize = 4_096;
/// The longest an entry waits for others.
const FLUSH_AFTER: Duration = Duration::from_millis(200);
/// How long a mutation waits for room before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause before a batch that the database did not take is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// That a call was made. What is known when the call ends is moved here and becomes a row off the call's way; the id of the
/// entry is that of the request under another prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEntry {
    /// When it ended.
    pub at: Timestamp,
    /// The id of the operation.
    pub action: &'static str,
    /// Who did it; `anonymous` if that is not known.
    pub actor: Option<String>,
    /// The site.
    pub site_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// Where the request came from.
    pub origin: Option<String>,
    /// `ok`, or the code of the refusal.
    pub outcome: &'static str,
    /// HTTP status.
    pub status: u16,
    /// How long it took.
    pub duration_micros: i64,
    /// Which request.
    pub request_id: RequestId,
    /// What it was done to.
    pub subject: Option<String>,
    /// Anything else worth knowing; few calls have it.
    pub detail: Option<Value>,
}

impl CallEntry {
    /// The id of its entry.
    fn audit_id(&self) -> String {
        self.request_id.to_string().replacen("req_", "aud_", 1)
    }
}

/// What waits to be written.
#[derive(Debug)]
enum Item {
    Call(TenantId, CallEntry),
    /// Few: what was tried outside of any transaction.
    Other(TenantId, AuditEntry),
}

impl Item {
    fn tenant(&self) -> &TenantId {
        match self {
            Self::Call(tenant, _) | Self::Other(tenant, _) => tenant,
        }
    }
}

/// It, and the place of its tenant that it takes.
type Waiting = (Item, Turn);

/// Writes entries of calls in batches, those of all tenants in one statement. Cheap to clone.
///
/// When more come than the database takes, mutations wait for room, and of reads that find none the entry goes to the
/// program's log and is counted: nothing is lost in silence.
#[derive(Clone)]
pub struct AuditLog {
    inner: Arc<Inner>,
}

struct Inner {
    sender: Mutex<Option<mpsc::Sender<Waiting>>>,
    turns: Turns,
    writer: Mutex<Option<JoinHandle<()>>>,
    displaced: AtomicU64,
}

/// Room for one entry.
pub struct AuditPermit(OwnedPermit<Waiting>, Turn);

impl AuditPermit {
    /// Hands the entry over.
    pub fn record(self, tenant: TenantId, entry: CallEntry) {
        self.0.send((Item::Call(tenant, entry), self.1));
    }
}

impl AuditLog {
    /// Starts the writer as a task of the present runtime.
    pub fn start(database: Database) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let writer = tokio::spawn(run(database, receiver));
        let inner = Inner {
            sender: Mutex::new(Some(sender)),
            turns: Turns::of(SHARE),
            writer: Mutex::new(Some(writer)),
            displaced: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    fn sender(&self) -> Option<mpsc::Sender<Waiting>> {
        self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Room for the entry of a mutation, to be had before it is carried out; `None` if there is none within seconds.
    pub async fn reserve(&self, tenant: &TenantId) -> Option<AuditPermit> {
        let turn = self.inner.turns.wait(tenant).await.ok()?;
        let permit = match self.sender()?.try_reserve_owned() {
            Ok(permit) => permit,
            Err(TrySendError::Full(sender)) => timeout(PATIENCE, sender.reserve_owned()).await.ok()?.ok()?,
            Err(TrySendError::Closed(_)) => return None,
        };
        Some(AuditPermit(permit, turn))
    }

    /// Hands over the entry of a read or of a refusal.
    pub fn record_call(&self, tenant: TenantId, entry: CallEntry) {
        self.hand_over(Item::Call(tenant, entry));
    }

    /// Hands over an entry of something that was tried and left no transaction to be recorded in.
    pub fn record(&self, tenant: TenantId, entry: AuditEntry) {
        self.hand_over(Item::Other(tenant, entry));
    }

    fn hand_over(&self, item: Item) {
        let refused = match (self.sender(), self.inner.turns.take(item.tenant())) {
            (Some(sender), Some(turn)) => sender.try_send((item, turn)).err().map(|error| match error {
                TrySendError::Full((item, _)) | TrySendError::Closed((item, _)) => item,
            }),
            _ => Some(item),
        };
        if let Some(item) = refused {
            self.inner.displaced.fetch_add(1, Ordering::Relaxed);
            warn!(entry = ?item, "no room in the audit log");
        }
    }

    /// How many entries went to the program's log for want of room.
    pub fn displaced(&self) -> u64 {
        self.inner.displaced.load(Ordering::Relaxed)
    }

    /// Takes no more entries and waits until those that wait are written.
    pub async fn shutdown(&self) {
        drop(self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(failure) = writer.await
        {
            error!(error = %failure, "the audit writer ended badly");
        }
    }
}

async fn run(database: Database, mut receiver: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(64);
    loop {
        if receiver.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let deadline = tokio::time::sleep(FLUSH_AFTER);
        tokio::pin!(deadline);
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                more = receiver.recv_many(&mut batch, room) => if more == 0 { break },
                () = &mut deadline => break,
            }
        }
        flush(&database, &batch, receiver.is_closed()).await;
        batch.clear();
    }
}

/// Writes a batch. What the database does not take now is tried again until it does; of a batch that it refuses, all but
/// what it refuses. When the program is ending, what it will not take goes to the program's log.
async fn flush(database: &Database, batch: &[Waiting], ending: bool) {
    let mut parts = vec![batch];
    let mut tries = 0;
    while let Some(part) = parts.pop() {
        let Err(failure) = write(database, part).await else { continue };
        tries += 1;
        if failure.is_transient() && !(ending && tries > 5) {
            warn!(error = %failure, entries = part.len(), "audit entries wait");
            parts.push(part);
            tokio::time::sleep(RETRY_AFTER).await;
        } else if part.len() > 1 && !failure.is_transient() {
            let (first, second) = part.split_at(part.len() / 2);
            parts.extend([second, first]);
        } else {
            let entries: Vec<_> = part.iter().map(|(item, _)| item).collect();
            error!(error = ?failure, ?entries, "audit entries cannot be stored");
        }
    }
}

async fn write(database: &Database, batch: &[Waiting]) -> Result<(), StoreError> {
    let mut columns = Columns::default();
    for (item, _) in batch {
        match item {
            Item::Call(tenant, call) => columns.call(tenant, call),
            Item::Other(tenant, entry) => columns.entry(tenant, entry),
        }
    }
    columns.write(database).await
}

/// A batch as the database takes it.
#[derive(Default)]
struct Columns<'a> {
    tenants: Vec<&'a str>,
    ids: Vec<String>,
    at: Vec<SqlTimestamp>,
    kinds: Vec<&'a str>,
    actions: Vec<&'a str>,
    actors: Vec<&'a str>,
    sites: Vec<Option<&'a str>>,
    sessions: Vec<Option<&'a str>>,
    agents: Vec<Option<&'a str>>,
    origins: Vec<Option<&'a str>>,
    outcomes: Vec<&'a str>,
    statuses: Vec<Option<i32>>,
    durations: Vec<Option<i64>>,
    requests: Vec<Option<String>>,
    subjects: Vec<Option<&'a str>>,
    details: Vec<Option<Value>>,
}

impl<'a> Columns<'a> {
    fn call(&mut self, tenant: &'a TenantId, call: &'a CallEntry) {
        self.tenants.push(tenant.as_str());
        self.ids.push(call.audit_id());
        self.at.push(call.at.to_sqlx());
        self.kinds.push(Kind::Call.as_str());
        self.actions.push(call.action);
        self.actors.push(call.actor.as_deref().unwrap_or("anonymous"));
        self.sites.push(call.site_id.as_deref());
        self.sessions.push(call.session_id.as_deref());
        self.agents.push(None);
        self.origins.push(call.origin.as_deref());
        self.outcomes.push(call.outcome);
        self.statuses.push(Some(i32::from(call.status)));
        self.durations.push(Some(call.duration_micros));
        self.requests.push(Some(call.request_id.to_string()));
        self.subjects.push(call.subject.as_deref());
        self.details.push(call.detail.clone());
    }

    fn entry(&mut self, tenant: &'a TenantId, entry: &'a AuditEntry) {
        self.tenants.push(tenant.as_str());
        self.ids.push(entry.audit_id.to_string());
        self.at.push(entry.at.to_sqlx());
        self.kinds.push(entry.kind.as_str());
        self.actions.push(&entry.action);
        self.actors.push(&entry.actor);
        self.sites.push(entry.site_id.as_deref());
        self.sessions.push(entry.session_id.as_deref());
        self.agents.push(entry.agent_name.as_deref());
        self.origins.push(entry.origin.as_deref());
        self.outcomes.push(&entry.outcome);
        self.statuses.push(entry.status);
        self.durations.push(entry.duration_micros);
        self.requests.push(entry.request_id.clone());
        self.subjects.push(entry.subject.as_deref());
        self.details.push(entry.detail.clone());
    }

    async fn write(&self, database: &Database) -> Result<(), StoreError> {
        let taken = sqlx::query_scalar!(
            r#"select record_calls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) as "id!""#,
            &self.tenants as &[&str],
            &self.ids,
            &self.at as &[SqlTimestamp],
            &self.kinds as &[&str],
            &self.actions as &[&str],
            &self.actors as &[&str],
            &self.sites as &[Option<&str>],
            &self.sessions as &[Option<&str>],
            &self.agents as &[Option<&str>],
            &self.origins as &[Option<&str>],
            &self.outcomes as &[&str],
            &self.statuses as &[Option<i32>],
            &self.durations as &[Option<i64>],
            &self.requests as &[Option<String>],
            &self.subjects as &[Option<&str>],
            &self.details as &[Option<Value>],
        )
        .fetch_all(database.worker())
        .await?;
        if !taken.is_empty() {
            // The database has written them under other ids and alerted their tenants.
            error!(entries = ?taken, "somebody put other audit entries under the ids of these");
            metrics::counter!("misy_audit_entries_taken_total").increment(taken.len() as u64);
        }
        Ok(())
    }
}
