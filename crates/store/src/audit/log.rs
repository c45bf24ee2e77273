//! Entries of calls on their way to the database.

use super::{AuditEntry, Kind};
use crate::{Database, StoreError, tenants::stored};
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

    /// The same as a whole entry.
    fn whole(&self) -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            audit_id: stored(self.audit_id().parse())?,
            at: self.at,
            kind: Kind::Call,
            action: self.action.to_owned(),
            actor: self.actor.clone().unwrap_or_else(|| "anonymous".to_owned()),
            site_id: self.site_id.clone(),
            session_id: self.session_id.clone(),
            agent_name: None,
            origin: self.origin.clone(),
            outcome: self.outcome.to_owned(),
            status: Some(i32::from(self.status)),
            duration_micros: Some(self.duration_micros),
            request_id: Some(self.request_id.to_string()),
            subject: self.subject.clone(),
            detail: self.detail.clone(),
        })
    }
}

/// What waits to be written.
#[derive(Debug)]
enum Item {
    Call(TenantId, CallEntry),
    /// Few: what was tried outside of any transaction.
    Other(TenantId, AuditEntry),
}

/// Writes entries of calls in batches, those of all tenants in one statement. Cheap to clone.
///
/// When more come than the database takes, mutations wait for room, and of reads that find none the entry goes to the
/// program's log and is counted: nothing is lost in silence.
#[derive(Clone)]
pub struct AuditLog {
    inner: Arc<Inner>,
}

struct Inner {
    sender: Mutex<Option<mpsc::Sender<Item>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    displaced: AtomicU64,
}

/// Room for one entry.
pub struct AuditPermit(OwnedPermit<Item>);

impl AuditPermit {
    /// Hands the entry over.
    pub fn record(self, tenant: TenantId, entry: CallEntry) {
        self.0.send(Item::Call(tenant, entry));
    }
}

impl AuditLog {
    /// Starts the writer as a task of the present runtime.
    pub fn start(database: Database) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let writer = tokio::spawn(run(database, receiver));
        let inner = Inner {
            sender: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
            displaced: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    fn sender(&self) -> Option<mpsc::Sender<Item>> {
        self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Room for the entry of a mutation, to be had before it is carried out; `None` if there is none within seconds.
    pub async fn reserve(&self) -> Option<AuditPermit> {
        let permit = match self.sender()?.try_reserve_owned() {
            Ok(permit) => permit,
            Err(TrySendError::Full(sender)) => timeout(PATIENCE, sender.reserve_owned()).await.ok()?.ok()?,
            Err(TrySendError::Closed(_)) => return None,
        };
        Some(AuditPermit(permit))
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
        let refused = match self.sender() {
            Some(sender) => sender.try_send(item).err().map(|error| match error {
                TrySendError::Full(item) | TrySendError::Closed(item) => item,
            }),
            None => Some(item),
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

async fn run(database: Database, mut receiver: mpsc::Receiver<Item>) {
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
async fn flush(database: &Database, batch: &[Item], ending: bool) {
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
            error!(error = ?failure, entries = ?part, "audit entries cannot be stored");
        }
    }
}

async fn write(database: &Database, batch: &[Item]) -> Result<(), StoreError> {
    for item in batch {
        match item {
            Item::Other(tenant, entry) => write_one(database, tenant, entry).await?,
            Item::Call(tenant, call) if call.detail.is_some() => {
                write_one(database, tenant, &call.whole()?).await?;
            }
            Item::Call(..) => {}
        }
    }
    let calls: Vec<(&TenantId, &CallEntry)> = batch
        .iter()
        .filter_map(|item| match item {
            Item::Call(tenant, entry) if entry.detail.is_none() => Some((tenant, entry)),
            Item::Call(..) | Item::Other(..) => None,
        })
        .collect();
    write_calls(database, &calls).await
}

async fn write_one(database: &Database, tenant: &TenantId, entry: &AuditEntry) -> Result<(), StoreError> {
    let mut tx = database.tenant_work("audit.flush", tenant).await?;
    super::write(tx.connection(), tenant, std::slice::from_ref(entry)).await?;
    tx.commit().await
}

async fn write_calls(database: &Database, calls: &[(&TenantId, &CallEntry)]) -> Result<(), StoreError> {
    macro_rules! column {
        ($each:expr) => {
            calls.iter().map($each).collect::<Vec<_>>()
        };
    }
    let requests = column!(|(_, e)| e.request_id.to_string());
    let ids = column!(|(_, e)| e.audit_id());
    sqlx::query!(
        "select record_calls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &column!(|(tenant, _)| tenant.as_str()) as &[&str],
        &ids,
        &column!(|(_, e)| e.at.to_sqlx()) as &[SqlTimestamp],
        &column!(|(_, e)| e.action) as &[&str],
        &column!(|(_, e)| e.actor.as_deref().unwrap_or("anonymous")) as &[&str],
        &column!(|(_, e)| e.site_id.as_deref()) as &[Option<&str>],
        &column!(|(_, e)| e.session_id.as_deref()) as &[Option<&str>],
        &column!(|(_, e)| e.origin.as_deref()) as &[Option<&str>],
        &column!(|(_, e)| e.outcome) as &[&str],
        &column!(|(_, e)| i32::from(e.status)),
        &column!(|(_, e)| e.duration_micros),
        &requests,
        &column!(|(_, e)| e.subject.as_deref()) as &[Option<&str>],
    )
    .execute(database.worker())
    .await?;
    Ok(())
}
