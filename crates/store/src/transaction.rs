//! The two doors to the data.

use crate::StoreError;
use misy_domain::TenantId;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};
use std::time::{Duration, Instant};
use tracing::warn;

/// Transactions that hold their connection for longer than this are told of in the log.
const SLOW: Duration = Duration::from_secs(1);

/// A transaction in which PostgreSQL shows the rows of one tenant and no other. Rolled back when dropped.
pub struct TenantTx {
    transaction: Transaction<'static, Postgres>,
    tenant: TenantId,
    name: &'static str,
    began: Instant,
}

/// A transaction across tenants, for the owner's work and the program's own; what it does to a tenant is audited there.
pub struct SystemTx {
    transaction: Transaction<'static, Postgres>,
    reason: &'static str,
}

impl TenantTx {
    pub(crate) async fn begin(
        pool: &PgPool,
        name: &'static str,
        tenant: &TenantId,
    ) -> Result<Self, StoreError> {
        // Begin and the tenant travel in one round trip. A tenant id has no character that could end the literal.
        let begin = format!("begin; set local app.tenant_id = '{tenant}'");
        let transaction = pool.begin_with(AssertSqlSafe(begin)).await?;
        Ok(Self { transaction, tenant: tenant.clone(), name, began: Instant::now() })
    }

    /// The tenant whose rows it sees.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        let took = self.began.elapsed();
        if took > SLOW {
            warn!(tenantId = %self.tenant, transaction = self.name, millis = took.as_millis(), "slow transaction");
        }
        Ok(())
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

impl SystemTx {
    pub(crate) async fn begin(pool: &PgPool, reason: &'static str) -> Result<Self, StoreError> {
        Ok(Self { transaction: pool.begin().await?, reason })
    }

    /// Why it was opened.
    pub fn reason(&self) -> &'static str {
        self.reason
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
