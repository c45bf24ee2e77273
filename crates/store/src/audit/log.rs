//! Entries of calls on their way to the database.

use super::{AuditEntry, write};
use crate::{Database, StoreError};
use misy_domain::TenantId;
use std::{
    collections::HashMap,
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
const BATCH: usize = 1_000;
/// The longest an entry waits for others.
const FLUSH_AFTER: Duration = Duration::from_millis(200);
/// How long a mutation waits for room before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause before a batch that the database did not take is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

type Item = (TenantId, AuditEntry);

/// Writes entries of calls in batches, one transaction per tenant. Cheap to clone.
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
    pub fn record(self, tenant: TenantId, entry: AuditEntry) {
        self.0.send((tenant, entry));
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
    pub fn record(&self, tenant: TenantId, entry: AuditEntry) {
        let refused = match self.sender() {
            Some(sender) => sender.try_send((tenant, entry)).err().map(|error| match error {
                TrySendError::Full(item) | TrySendError::Closed(item) => item,
            }),
            None => Some((tenant, entry)),
        };
        if let Some((tenant, entry)) = refused {
            self.inner.displaced.fetch_add(1, Ordering::Relaxed);
            warn!(tenantId = %tenant, entry = ?entry, "no room in the audit log");
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
        flush(&database, &mut batch, receiver.is_closed()).await;
    }
}

/// Writes a batch, tenant by tenant; what the database does not take now is tried again until it does. When the program
/// is ending, what it will not take goes to the program's log.
async fn flush(database: &Database, batch: &mut Vec<Item>, ending: bool) {
    let mut tenants: HashMap<TenantId, Vec<AuditEntry>> = HashMap::new();
    for (tenant, entry) in batch.drain(..) {
        tenants.entry(tenant).or_default().push(entry);
    }
    let mut tries = 0;
    for (tenant, entries) in tenants {
        while let Err(failure) = flush_tenant(database, &tenant, &entries).await {
            tries += 1;
            let hopeless = !failure.is_transient() || (ending && tries > 5);
            if hopeless {
                error!(tenantId = %tenant, error = ?failure, entries = ?entries, "audit entries cannot be stored");
                break;
            }
            warn!(tenantId = %tenant, error = %failure, entries = entries.len(), "audit entries wait");
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

async fn flush_tenant(
    database: &Database,
    tenant: &TenantId,
    entries: &[AuditEntry],
) -> Result<(), StoreError> {
    let mut tx = database.tenant_work("audit.flush", tenant).await?;
    write(tx.connection(), tenant, entries).await?;
    tx.commit().await
}
