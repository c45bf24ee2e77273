//! A PostgreSQL server as an operator gives one: whoever connects proves itself with a password (SCRAM), over a socket.

use crate::postgres::TestkitError;
use misy_postgres::{Options, PORT, Programs, SUPERUSER, detached};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The password of both administrators.
const PASSWORD: &str = "only-in-tests";

/// A server of one test; stopped and removed when dropped.
pub struct GivenServer {
    home: TempDir,
    socket_dir: PathBuf,
}

impl GivenServer {
    /// Starts it, with a database `misy` that belongs to an administrator who is no superuser: it may create roles.
    pub async fn start() -> Result<Self, TestkitError> {
        let failed = |source| TestkitError::File { path: std::env::temp_dir(), source };
        let home = tempfile::Builder::new().prefix("misy-given-").tempdir().map_err(failed)?;
        fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).map_err(failed)?;
        let socket_dir = detached::ensure(options(home.path())?).await?;
        let given = Self { home, socket_dir };
        let by_account = PgConnectOptions::new_without_pgpass()
            .socket(&given.socket_dir)
            .port(PORT)
            .username(SUPERUSER)
            .database("postgres");
        let mut superuser = PgConnection::connect_with(&by_account).await?;
        for statement in [
            format!("alter role {SUPERUSER} password '{PASSWORD}'"),
            format!("create role administrator login createrole password '{PASSWORD}'"),
            "create database misy owner administrator".to_owned(),
        ] {
            superuser.execute(AssertSqlSafe(statement)).await?;
        }
        let rules: String = sqlx::query_scalar("show hba_file").fetch_one(&mut superuser).await?;
        let in_rules = |source| TestkitError::File { path: PathBuf::from(&rules), source };
        fs::write(&rules, "local all all scram-sha-256\n").map_err(in_rules)?;
        superuser.execute("select pg_reload_conf()").await?;
        superuser.close().await?;
        given.wait_for_rules(&by_account).await?;
        Ok(given)
    }

    /// The server reads its rules a moment after it was told to.
    async fn wait_for_rules(&self, by_account: &PgConnectOptions) -> Result<(), TestkitError> {
        let began = Instant::now();
        while PgConnection::connect_with(&by_account.clone().password("wrong")).await.is_ok() {
            if began.elapsed() > Duration::from_mins(1) {
                return Err(TestkitError::Build("the server does not ask for passwords".into()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// The address for an administrator who is a superuser.
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(SUPERUSER, database)
    }

    /// The address for an administrator who may create roles and owns the database `misy`.
    pub fn administrator_url(&self, database: &str) -> String {
        self.url("administrator", database)
    }

    fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgresql://{user}:{PASSWORD}@localhost:{PORT}/{database}?host={}",
            self.socket_dir.display()
        )
    }
}

impl Drop for GivenServer {
    fn drop(&mut self) {
        let Ok(options) = options(self.home.path()) else { return };
        // A thread of its own: a runtime that is ending cannot be waited on from inside.
        let stopped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(detached::discard(options)).is_ok())
        });
        let _ = stopped.join();
    }
}

fn options(home: &Path) -> Result<Options, TestkitError> {
    let configured = std::env::var_os("MISY_POSTGRES_BIN").map(PathBuf::from);
    let mut options = Options::for_tests(home.join("cluster"), Programs::find(configured.as_deref())?);
    options.unreachable_base = std::env::temp_dir();
    Ok(options)
}
