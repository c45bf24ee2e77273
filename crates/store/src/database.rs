//! The connections to PostgreSQL, one pool per role.

use crate::{StoreError, SystemTx, TenantTx};
use misy_domain::TenantId;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

static MIGRATOR: Migrator = sqlx::migrate!();
const BOOTSTRAP: &str = include_str!("../bootstrap.sql");

/// How to reach PostgreSQL.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// Where the server is, with a user that may create roles and schemas.
    pub administrator: PgConnectOptions,
    /// How the program's roles log in.
    pub login: Login,
    /// Connections that serve requests.
    pub app_connections: u32,
    /// Connections that work on conversations.
    pub worker_connections: u32,
}

/// How the program's roles log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Each as itself: the private server lets its own operating system users do so.
    AsRole,
    /// As the user of the database URL, which then takes on the role for the whole connection.
    TakeOn,
}

/// The database: pools for the roles of the program. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    app: PgPool,
    worker: PgPool,
    system: PgPool,
}

impl DatabaseOptions {
    /// Options with the usual numbers of connections.
    pub fn new(administrator: PgConnectOptions, login: Login) -> Self {
        Self { administrator, login, app_connections: 20, worker_connections: 12 }
    }

    fn as_role(&self, role: &str) -> PgConnectOptions {
        let options = self.administrator.clone().application_name(role).options([
            ("search_path", "misy"),
            ("timezone", "UTC"),
            ("lock_timeout", "10s"),
        ]);
        match self.login {
            Login::AsRole => options.username(role),
            Login::TakeOn => options.options([("role", role)]),
        }
    }

    fn pool(&self, role: &str, connections: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(self.as_role(role))
    }
}

impl Database {
    /// Brings the schema up to date and opens the pools. Several replicas may do this at the same time.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, StoreError> {
        bootstrap(&options.administrator).await?;
        migrate(options).await?;
        Ok(Self::open(options))
    }

    /// A text that changes whenever the schema does: tests keep a database for each.
    pub fn schema_fingerprint() -> String {
        let checksums: Vec<_> = MIGRATOR.iter().map(|migration| &migration.checksum).collect();
        format!("{BOOTSTRAP}{checksums:?}")
    }

    /// Opens the pools on a schema that is up to date.
    pub fn open(options: &DatabaseOptions) -> Self {
        Self {
            app: options.pool("misy_app", options.app_connections),
            worker: options.pool("misy_worker", options.worker_connections),
            system: options.pool("misy_system", 4),
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
    }

    pub(crate) fn app(&self) -> &PgPool {
        &self.app
    }

    pub(crate) fn worker(&self) -> &PgPool {
        &self.worker
    }
}

/// Creates the roles and schemas. Roles belong to the whole server, so others may be creating them at this moment; what
/// then collides succeeds when tried again.
async fn bootstrap(administrator: &PgConnectOptions) -> Result<(), StoreError> {
    let mut connection = PgConnection::connect_with(administrator).await?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        match connection.execute(sqlx::raw_sql(BOOTSTRAP)).await {
            Ok(_) => break,
            Err(error) if attempts < 10 && collided(&error) => {
                tokio::time::sleep(Duration::from_millis(50 * attempts)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    connection.close().await?;
    Ok(())
}

fn collided(error: &sqlx::Error) -> bool {
    // Unique violation in a catalogue, duplicate schema or object, and "tuple concurrently updated", which has no code of its own.
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| ["23505", "42P06", "42710", "XX000", "40P01"].contains(&&*code))
}

async fn migrate(options: &DatabaseOptions) -> Result<(), StoreError> {
    let mut connection = PgConnection::connect_with(&options.as_role("misy_migrator")).await?;
    connection.execute(AssertSqlSafe("set lock_timeout = 0; set role misy_owner")).await?;
    MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
