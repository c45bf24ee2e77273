//! The connections to PostgreSQL, one pool per role.

mod administrator;
mod company;
mod login;
mod turns;

pub use administrator::Administrator;
pub use company::Company;
pub use login::{Login, Role, RolePasswords};
pub(crate) use turns::{Connections, Served};
pub use turns::{Turn, Turns};

use crate::{StoreError, SystemTx, TenantTx, transaction::held};
use misy_domain::TenantId;
use sqlx::{
    Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{num::NonZero, thread, time::Duration};
use turns::{PATIENCE, Share};

/// The longest a statement may take that somebody waits for.
const SERVING: Duration = Duration::from_secs(5);
/// The longest a statement of a report or an export may take.
const REPORTING: Duration = Duration::from_secs(15);
/// The longest a statement of the background may take.
const WORKING: Duration = Duration::from_mins(2);
/// Connections for reports, which read much: few, so that they leave the processors to what is served.
const REPORTS: u32 = 4;
/// What one tenant may hold of the connections that serve and that work: one of so many parts.
const PARTS: u32 = 4;
/// What one tenant may hold on the smallest machine while others are there; one for each core on others.
const FEWEST_BESIDE: u32 = 2;

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
    app: Connections,
    reports: Connections,
    worker: Connections,
    system: PgPool,
    sealer: Connections,
}

impl DatabaseOptions {
    /// Options with the usual numbers of connections.
    pub fn new(administrator: PgConnectOptions, login: Login) -> Self {
        Self { administrator, login, app_connections: 20, worker_connections: 12 }
    }

    fn pool(&self, role: Role, connections: u32, longest: Duration) -> PgPool {
        let longest = longest.as_millis().to_string();
        PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| Box::pin(login::examine(connection, role)))
            .connect_lazy_with(
                self.login.options(&self.administrator, role).options([("statement_timeout", longest)]),
            )
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
        let (app, worker) = (options.app_connections, options.worker_connections);
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let beside = u32::try_from(cores).unwrap_or(u32::MAX).max(FEWEST_BESIDE);
        let shared = |role, connections, longest, alone: u32| {
            let share = Share { alone, beside: beside.min(alone) };
            Connections::new(options.pool(role, connections, longest), share)
        };
        Self {
            app: shared(Role::App, app, SERVING, app / PARTS),
            reports: shared(Role::App, REPORTS, REPORTING, 1),
            worker: shared(Role::Worker, worker, WORKING, worker / PARTS),
            system: options.pool(Role::System, 4, WORKING),
            sealer: shared(Role::Sealer, 2, WORKING, 1),
        }
    }

    /// A transaction that serves a request of the tenant. The name tells what it is for.
    pub async fn tenant(&self, name: &'static str, tenant: &TenantId) -> Result<TenantTx, StoreError> {
        TenantTx::begin(&self.app, name, tenant).await
    }

    /// A transaction that reads much of a tenant: a report, an export. One at a time of each tenant, beside what is served.
    pub async fn tenant_report(&self, name: &'static str, tenant: &TenantId) -> Result<TenantTx, StoreError> {
        TenantTx::begin(&self.reports, name, tenant).await
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
        self.app.pool().execute("select 1").await?;
        Ok(())
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        for pool in
            [self.app.pool(), self.reports.pool(), self.worker.pool(), &self.system, self.sealer.pool()]
        {
            pool.close().await;
        }
    }

    /// The connections that serve, for what is asked before a tenant is known.
    pub(crate) fn app(&self) -> &PgPool {
        held::expect_none();
        self.app.pool()
    }

    /// A connection that serves the tenant, for a single statement.
    pub(crate) async fn served(&self, tenant: &TenantId) -> Result<Served, StoreError> {
        self.app.serve(tenant).await
    }

    /// The connections that work, for what is done for all tenants at once.
    pub(crate) fn worker(&self) -> &PgPool {
        held::expect_none();
        self.worker.pool()
    }
}
