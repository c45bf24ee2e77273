//! A database for one test, copied from a template.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::Read,
};

use rustix::process::{Pid, test_kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

use super::{TestCluster, TestkitError};

/// The advisory lock on templates ("misytmpl"): shared to copy one, exclusive to build one and its roles.
const TEMPLATES: i64 = 0x6d69_7379_746d_706c;

/// Templates that are kept: several branches may share one target folder.
const KEPT_TEMPLATES: i64 = 8;

/// How many databases of dead tests one test clears away.
const CLEARED_AT_ONCE: usize = 4;

/// A database that one test has to itself, removed when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    cluster: TestCluster,
    name: String,
}

impl TestDatabase {
    /// Makes a database as `build` fills it.
    ///
    /// `build` runs once per `fingerprint` (a hash of all migrations) and cluster: it gets the superuser's options
    /// for an empty database and fills it, and the result is copied for every test. A copy has the template's
    /// content and owner; grants on the database itself and its settings are not copied (PostgreSQL documentation,
    /// `CREATE DATABASE`).
    pub async fn create<E>(
        fingerprint: &str,
        build: impl AsyncFnOnce(PgConnectOptions) -> Result<(), E>,
    ) -> Result<Self, TestkitError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::create_in(TestCluster::get().await?, fingerprint, build).await
    }

    /// As [`TestDatabase::create`], in a given cluster.
    pub async fn create_in<E>(
        cluster: TestCluster,
        fingerprint: &str,
        build: impl AsyncFnOnce(PgConnectOptions) -> Result<(), E>,
    ) -> Result<Self, TestkitError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut admin = PgConnection::connect_with(&cluster.admin_options()).await?;
        clear_dead(&mut admin).await?;
        let mut hasher = DefaultHasher::new();
        fingerprint.hash(&mut hasher);
        let template = format!("template_{:016x}", hasher.finish());
        let name = format!("test_{}_{:016x}", std::process::id(), random()?);

        // The connection's end frees the locks on every way out of here.
        lock(&mut admin, "pg_advisory_lock_shared").await?;
        if !exists(&mut admin, &template).await? {
            lock(&mut admin, "pg_advisory_unlock_shared").await?;
            lock(&mut admin, "pg_advisory_lock").await?;
            if !exists(&mut admin, &template).await? {
                build_template(&mut admin, &cluster, &template, build).await?;
                forget_old_templates(&mut admin).await?;
            }
        }
        let owner: String =
            sqlx::query_scalar("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1")
                .bind(&template)
                .fetch_one(&mut admin)
                .await?;
        // Copying files costs a third of logging their content, where nothing waits for the disk.
        let copied =
            format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}" STRATEGY file_copy"#);
        run(&mut admin, copied).await?;
        // As said above, this is not copied: no role of the program may create anything, not even for the moment.
        run(&mut admin, format!(r#"REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC"#)).await?;
        admin.close().await?;
        Ok(Self { cluster, name })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a role connects to it.
    pub fn options(&self, role: &str) -> PgConnectOptions {
        self.cluster.options(role, &self.name)
    }

    /// The cluster it is in.
    pub fn cluster(&self) -> &TestCluster {
        &self.cluster
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let options = self.cluster.admin_options();
        let statement = drop_statement(&self.name);
        // A thread of its own, since a runtime that is ending cannot be waited on from inside. When this fails, a
        // later test clears the database away.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect_with(&options).await?;
                run(&mut admin, statement).await?;
                admin.close().await
            })
        });
        match dropped.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("the test database {} stays: {error}", self.name),
            Err(_) => tracing::warn!("the test database {} stays", self.name),
        }
    }
}

/// Builds a template under another name, so that one under its own name is always whole.
async fn build_template<E>(
    admin: &mut PgConnection,
    cluster: &TestCluster,
    template: &str,
    build: impl AsyncFnOnce(PgConnectOptions) -> Result<(), E>,
) -> Result<(), TestkitError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let unfinished = format!("unfinished_{template}");
    run(admin, drop_statement(&unfinished)).await?;
    run(admin, format!(r#"CREATE DATABASE "{unfinished}""#)).await?;
    if let Err(error) = build(cluster.options(misy_postgres::SUPERUSER, &unfinished)).await {
        run(admin, drop_statement(&unfinished)).await?;
        return Err(TestkitError::Build(error.into()));
    }
    // A database with connections can be neither renamed nor copied.
    run(admin, format!(r#"ALTER DATABASE "{unfinished}" ALLOW_CONNECTIONS false"#)).await?;
    sqlx::query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1")
        .bind(&unfinished)
        .execute(&mut *admin)
        .await?;
    run(admin, format!(r#"ALTER DATABASE "{unfinished}" RENAME TO "{template}""#)).await?;
    Ok(())
}

/// Removes the oldest templates. Only for the holder of the exclusive lock: nobody is copying one.
async fn forget_old_templates(admin: &mut PgConnection) -> sqlx::Result<()> {
    let old: Vec<String> = sqlx::query_scalar(
        r"SELECT datname::text FROM pg_database WHERE datname LIKE 'template\_%' ORDER BY oid DESC OFFSET $1",
    )
    .bind(KEPT_TEMPLATES)
    .fetch_all(&mut *admin)
    .await?;
    for name in old {
        run(admin, drop_statement(&name)).await?;
    }
    Ok(())
}

/// Removes databases whose test was killed, a few at a time.
async fn clear_dead(admin: &mut PgConnection) -> sqlx::Result<()> {
    let names: Vec<String> =
        sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE 'test\_%'")
            .fetch_all(&mut *admin)
            .await?;
    for name in names.into_iter().filter(|name| is_of_the_dead(name)).take(CLEARED_AT_ONCE) {
        if let Err(error) = run(admin, drop_statement(&name)).await {
            // Two tests may be at it at once.
            tracing::debug!("{name} stays: {error}");
        }
    }
    Ok(())
}

/// Whether the process that a test database names is gone.
fn is_of_the_dead(name: &str) -> bool {
    let pid = name.split('_').nth(1).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    pid.is_some_and(|pid| matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

async fn exists(admin: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(admin)
        .await
}

async fn lock(admin: &mut PgConnection, function: &str) -> sqlx::Result<()> {
    run(admin, format!("SELECT {function}({TEMPLATES})")).await
}

fn drop_statement(name: &str) -> String {
    format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#)
}

/// Runs a statement made of our own words and the names made here.
async fn run(admin: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await.map(|_| ())
}

fn random() -> Result<u64, TestkitError> {
    const SOURCE: &str = "/dev/urandom";
    let mut bytes = [0; 8];
    std::fs::File::open(SOURCE)
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(super::in_file(std::path::Path::new(SOURCE)))?;
    Ok(u64::from_ne_bytes(bytes))
}
