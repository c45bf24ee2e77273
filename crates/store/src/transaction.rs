//! The two doors to the data.

pub(crate) mod held;
pub(crate) mod whole;

pub use whole::{Collides, Whole};

use crate::{
    StoreError,
    database::{Connections, Turn},
};
use misy_domain::TenantId;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr, Transaction};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tracing::{debug, warn};

/// Transactions that hold their connection for longer than this are told of in the log.
const SLOW: Duration = Duration::from_secs(1);

/// A transaction in which PostgreSQL shows the rows of one tenant and no other. Rolled back when dropped.
pub struct TenantTx {
    /// There until it is committed.
    transaction: Option<Transaction<'static, Postgres>>,
    tenant: TenantId,
    name: &'static str,
    began: Instant,
    /// Tells it from all others of this program.
    number: u64,
    /// What the connection is held by; the owner's work needs none.
    turn: Option<Turn>,
}

/// A transaction across tenants, for the owner's work and the program's own; what it does to a tenant is audited there.
pub struct SystemTx {
    transaction: Transaction<'static, Postgres>,
    reason: &'static str,
}

/// Begins in a task of its own, so that it ends even when nobody waits any more (a client went away, a worker was stopped).
/// Were it dropped half-way, the connection would go back to the pool with BEGIN under way and no rollback behind it: the
/// next to use it would stand in a transaction that nobody commits, for a tenant that may be another.
async fn begin_whole<T: Send + 'static>(
    pool: &PgPool,
    turn: T,
    statement: SqlStr,
) -> Result<(Transaction<'static, Postgres>, T), StoreError> {
    let pool = pool.clone();
    let task = tokio::spawn(async move { Ok::<_, sqlx::Error>((pool.begin_with(statement).await?, turn)) });
    // It fails to end only when the runtime is shutting down.
    Ok(task.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
}

fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl TenantTx {
    /// In the tenant's turn, which lasts as long as the transaction has its connection.
    pub(crate) async fn begin(
        connections: &Connections,
        name: &'static str,
        tenant: &TenantId,
    ) -> Result<Self, StoreError> {
        held::expect_none();
        let turn = connections.turn(tenant).await?;
        // Begin and the tenant travel in one round trip. A tenant id has no character that could end the literal.
        let begin = format!("begin; set local app.tenant_id = '{tenant}'");
        let begin = AssertSqlSafe(begin).into_sql_str();
        let (transaction, turn) = begin_whole(connections.pool(), turn, begin).await?;
        Ok(Self::of(transaction, name, tenant, Some(turn)))
    }

    fn of(
        transaction: Transaction<'static, Postgres>,
        name: &'static str,
        tenant: &TenantId,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            transaction: Some(transaction),
            tenant: tenant.clone(),
            name,
            began: Instant::now(),
            number: next_number(),
            turn,
        }
    }

    /// Tells it from all others of this program: what was locked in it is held no longer than it lasts.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The tenant whose rows it sees.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Makes everything durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if let Some(transaction) = self.transaction.take() {
            transaction.commit().await?;
        }
        let took = self.began.elapsed();
        if took > SLOW {
            warn!(tenantId = %self.tenant, transaction = self.name, millis = took.as_millis(), "slow transaction");
        }
        Ok(())
    }

    /// Undoes everything, and waits until that is done.
    pub async fn roll_back(mut self) {
        if let Some(transaction) = self.transaction.take()
            && let Err(error) = transaction.rollback().await
        {
            debug!(%error, "a transaction could not be rolled back");
        }
    }

    #[allow(clippy::expect_used, reason = "only an end takes it, and then nobody has this any more")]
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.transaction.as_mut().expect("a transaction is there until it is committed")
    }
}

impl Drop for TenantTx {
    /// Rolls back what was not committed. The server may be in the middle of something that nobody waits for any more.
    fn drop(&mut self) {
        if let (Some(transaction), Some(turn)) = (self.transaction.take(), self.turn.take()) {
            turn.end_after(async move {
                if let Err(error) = transaction.rollback().await {
                    debug!(%error, "a transaction could not be rolled back");
                }
            });
        }
    }
}

impl SystemTx {
    pub(crate) async fn begin(pool: &PgPool, reason: &'static str) -> Result<Self, StoreError> {
        held::expect_none();
        let (transaction, ()) = begin_whole(pool, (), "begin".into_sql_str()).await?;
        Ok(Self { transaction, reason })
    }

    /// Why it was opened.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Goes on with the same transaction as one of a tenant, so that what is done to the tenant and what is written down
    /// about it elsewhere become durable together. From here on PostgreSQL shows it the rows of that tenant and no other.
    pub async fn on_behalf_of(mut self, tenant: &TenantId) -> Result<TenantTx, StoreError> {
        sqlx::query("select set_config('app.on_behalf_of', $1, true)")
            .bind(tenant.as_str())
            .execute(self.connection())
            .await?;
        Ok(TenantTx::of(self.transaction, self.reason, tenant, None))
    }

    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        Ok(())
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}
