//! The connections to PostgreSQL, one pool per role.

mod administrator;
mod login;

pub use administrator::Administrator;
pub use login::{Login, Role, RolePasswords};

use crate::{StoreError, SystemTx, TenantTx};
use misy_domain::TenantId;
use sqlx::{
    Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

/// How to reach PostgreSQL.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// Where the server is, as its administrator reaches it: who may create roles and schemas.
    pub administrator: PgConnectOptions,
    /// How the program's roles log in.
    pub login: Login,
    /// Connections that serve requests.
    pub app_connections: u32,
    /// Connections that work on conversations.
    pub worker_connections: u32,
}

/// The database: pools for the roles of the program. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    app: PgPool,
    worker: PgPool,
    system: PgPool,
    sealer: PgPool,
}

impl DatabaseOptions {
    /// Options with the usual numbers of connections.
    pub fn new(administrator: PgConnectOptions, login: Login) -> Self {
        Self { administrator, login, app_connections: 20, worker_connections: 12 }
    }

    fn pool(&self, role: Role, connections: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| Box::pin(login::examine(connection, role)))
            .connect_lazy_with(self.login.options(&self.administrator, role))
    }
}

impl Database {
    /// Brings the schema up to date and opens the pools. Several replicas may do this at the same time.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, StoreError> {
        Administrator::new(options.administrator.clone()).prepare().await?;
        options.login.check(&options.administrator).await?;
        Ok(Self::open(options))
    }

    /// A text that changes whenever the schema does: tests keep a database for each.
    pub fn schema_fingerprint() -> String {
        administrator::schema_fingerprint()
    }

    /// Opens the pools on a schema that is up to date.
    pub fn open(options: &DatabaseOptions) -> Self {
        Self {
            app: options.pool(Role::App, options.app_connections),
            worker: options.pool(Role::Worker, options.worker_connections),
            system: options.pool(Role::System, 4),
            sealer: options.pool(Role::Sealer, 2),
        }
    }

    /// A transaction that serves a request of the tenant. The name tells what it is for.
    pub async fn tenant(&self, name: &'static str, tenant: &TenantId) -> Result<TenantTx, StoreError> {
        TenantTx::begin(&self.app, name, tenant).await
    }

    /// A transaction that works for the tenant in the background.
    pub async fn tenant_work(&self, name: &'static str, tenant: &TenantId) -> Result<TenantTx, StoreError> {
        TenantTx::begin(&self.worker, name, tenant).await
    }

    /// A transaction that seals the tenant's audit trail.
    pub(crate) async fn tenant_seal(
        &self,
        name: &'static str,
        tenant: &TenantId,
    ) -> Result<TenantTx, StoreError> {
        TenantTx::begin(&self.sealer, name, tenant).await
    }

    /// A transaction across tenants. The reason stands in the audit trail of every tenant that it touches.
    pub async fn system(&self, reason: &'static str) -> Result<SystemTx, StoreError> {
        SystemTx::begin(&self.system, reason).await
    }

    /// Whether PostgreSQL answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.app.execute("select 1").await?;
        Ok(())
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.app.close().await;
        self.worker.close().await;
        self.system.close().await;
        self.sealer.close().await;
    }

    pub(crate) fn app(&self) -> &PgPool {
        &self.app
    }

    pub(crate) fn worker(&self) -> &PgPool {
        &self.worker
    }
}
