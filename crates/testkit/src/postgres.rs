//! One PostgreSQL for all tests, and a database of its own for each.
//!
//! Every test is its own process, so the server cannot live in one of them: the first that needs it starts it, it
//! keeps running for the others and for the next run, and [`TestCluster::stop`] ends it (`cargo run -p misy-testkit
//! --example stop_test_cluster`; do so before `cargo clean`, which forgets where the cluster is). It has no safety
//! against power cuts, and after one it is made anew.
//!
//! Roles belong to the whole cluster. Create them in the template's `build`: no two of those run at the same time.

mod database;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use misy_postgres::{FindError, Options, PORT, Programs, SUPERUSER, StartError, detached};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

pub use database::TestDatabase;

/// Decides where the test cluster is, when the build's target folder should not have it.
const HOME_VARIABLE: &str = "MISY_TESTKIT_DIR";

/// A file system in memory: copying a database there takes a tenth of the time or less.
const MEMORY: &str = "/dev/shm";

/// Much more than the cluster takes: containers often have 64 MiB there, and the server has its own use for it.
const MEMORY_NEEDED: u64 = 4 << 30;

/// No database to test with.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// No PostgreSQL on this machine.
    #[error(transparent)]
    Find(#[from] FindError),
    /// It does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file of the test cluster could not be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// The server answered with an error.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// The template was not built.
    #[error("the template database was not built: {0}")]
    Build(Box<dyn std::error::Error + Send + Sync>),
}

/// The PostgreSQL cluster that tests share.
#[derive(Debug, Clone)]
pub struct TestCluster {
    socket_dir: PathBuf,
}

impl TestCluster {
    /// The running cluster of this build's target folder; starts it when it does not run.
    pub async fn get() -> Result<Self, TestkitError> {
        Self::at(&home()).await
    }

    /// The running cluster of a folder; starts it when it does not run.
    pub async fn at(home: &Path) -> Result<Self, TestkitError> {
        if let Some(running) = Self::running(home).await {
            return Ok(running);
        }
        let _turn = take_turn(home).await?;
        if let Some(running) = Self::running(home).await {
            return Ok(running);
        }
        let options = options(home)?;
        if note(home).is_some_and(|(_, terms)| terms != terms_of_now()) {
            tracing::info!("the machine was started anew, or the roles are others: so is the test cluster");
            detached::discard(options.clone()).await?;
        }
        let socket_dir = match detached::ensure(options.clone()).await {
            Ok(socket_dir) => socket_dir,
            Err(error) => {
                // Another version of PostgreSQL, a full disk that damaged it: nothing in it is worth keeping.
                tracing::warn!("the test cluster is made anew: {error}");
                detached::discard(options.clone()).await?;
                detached::ensure(options).await?
            }
        };
        let note = home.join("server");
        fs::write(&note, format!("{}\n{}\n", socket_dir.display(), terms_of_now()))
            .map_err(in_file(&note))?;
        Ok(Self { socket_dir })
    }

    /// Stops and removes the cluster of this build's target folder.
    pub async fn stop() -> Result<(), TestkitError> {
        Self::stop_at(&home()).await
    }

    /// Stops and removes the cluster of a folder.
    pub async fn stop_at(home: &Path) -> Result<(), TestkitError> {
        if !home.join("cluster").exists() {
            return Ok(());
        }
        let _turn = take_turn(home).await?;
        Ok(detached::discard(options(home)?).await?)
    }

    /// How the superuser connects: it sees through every policy, so it sets up and proves nothing.
    pub fn admin_options(&self) -> PgConnectOptions {
        self.options(SUPERUSER, "postgres")
    }

    /// How a role connects to a database.
    pub fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(PORT)
            .username(role)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    async fn running(home: &Path) -> Option<Self> {
        let (socket_dir, terms) = note(home)?;
        (terms == terms_of_now() && detached::answers(&socket_dir).await).then_some(Self { socket_dir })
    }
}

fn options(home: &Path) -> Result<Options, TestkitError> {
    let configured = std::env::var_os("MISY_POSTGRES_BIN").map(PathBuf::from);
    let mut options = Options::for_tests(home.join("cluster"), Programs::find(configured.as_deref())?);
    options.unreachable_base = std::env::temp_dir();
    let free =
        rustix::fs::statvfs(MEMORY).map_or(0, |volume| volume.f_bavail.saturating_mul(volume.f_frsize));
    if free >= MEMORY_NEEDED {
        options.cluster_parent = Some(PathBuf::from(MEMORY));
    }
    Ok(options)
}

/// The socket folder of the last start, and on what terms it was made.
fn note(home: &Path) -> Option<(PathBuf, String)> {
    let text = fs::read_to_string(home.join("server")).ok()?;
    let (socket_dir, terms) = text.trim_end().rsplit_once('\n')?;
    Some((PathBuf::from(socket_dir), terms.to_owned()))
}

/// What a cluster must have been made on to be of use: this start of the machine, these roles.
fn terms_of_now() -> String {
    format!("{} {}", this_boot(), misy_postgres::ROLES.join(","))
}

/// Changes whenever the machine starts; without such a thing, a constant.
fn this_boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot = boot.trim();
    if boot.is_empty() { "unknown".to_owned() } else { boot.to_owned() }
}

/// One process at a time decides about the cluster. The file is the lock: closed, also by death, it is free.
async fn take_turn(home: &Path) -> Result<File, TestkitError> {
    let path = home.join("turn.lock");
    fs::create_dir_all(home).map_err(in_file(home))?;
    let file = File::create(&path).map_err(in_file(&path))?;
    let turn = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    turn.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(in_file(&path))
}

fn in_file(path: &Path) -> impl FnOnce(std::io::Error) -> TestkitError {
    let path = path.to_path_buf();
    move |source| TestkitError::File { path, source }
}

/// The target folder this program was built in (cargo marks it with `CACHEDIR.TAG`), one folder per user.
fn home() -> PathBuf {
    if let Some(home) = std::env::var_os(HOME_VARIABLE) {
        return PathBuf::from(home);
    }
    let built_in = std::env::current_exe().ok().and_then(|program| {
        program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists()).map(Path::to_path_buf)
    });
    let target = built_in.or_else(|| std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from));
    let user = rustix::process::geteuid().as_raw();
    target.unwrap_or_else(std::env::temp_dir).join(format!("misy-testkit/{user}"))
}
