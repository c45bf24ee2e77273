//! What a command beside the running program needs of it: its database and its keys.

use crate::{given, lifecycle::open_database, root_keys, settings::Settings};
use misy_domain::{Clock, Entropy, SystemClock};
use misy_postgres::PrivateServer;
use misy_store::{Database, DatabaseOptions, Vault, database::Login};
use misy_trust::SystemEntropy;
use sqlx::postgres::PgConnectOptions;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A database for a command beside the running program, or without one.
pub(crate) struct Attached {
    /// The database.
    pub(crate) database: Database,
    private: Option<PrivateServer>,
}

impl Attached {
    /// Closes the connections, and stops what was started for the command.
    pub(crate) async fn detach(self) {
        self.database.close().await;
        if let Some(server) = self.private {
            server.stop().await;
        }
    }
}

/// Reaches the database of a program that runs, or starts it for the command.
pub(crate) async fn attach(settings: &Settings) -> anyhow::Result<Attached> {
    let socket_dir = socket_dir(settings);
    if settings.database.url.is_none() && misy_postgres::detached::answers(&socket_dir).await {
        let options = DatabaseOptions::new(private(&socket_dir), Login::ByName);
        return Ok(Attached { database: Database::connect(&options).await?, private: None });
    }
    let (clock, entropy) = ours();
    let (private, database) = open_database(settings, &clock, &entropy).await?;
    Ok(Attached { database, private })
}

/// The database of an installation that runs, without bringing its schema up to date.
pub(crate) async fn reach_database(settings: &Settings) -> anyhow::Result<Database> {
    let (clock, entropy) = ours();
    let options = match &settings.database.url {
        Some(url) => given::options(settings, url, &clock, &entropy).await?,
        None => DatabaseOptions::new(private(&socket_dir(settings)), Login::ByName),
    };
    Ok(Database::open(&options))
}

fn ours() -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
    (Arc::new(SystemClock), Arc::new(SystemEntropy::new()))
}

/// What opens the keys of tenants.
pub(crate) async fn vault(
    settings: &Settings,
    database: &Database,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<Vault> {
    let roots = root_keys::load(settings, database, clock, &**entropy).await?;
    Ok(Vault::over(roots, entropy.clone()))
}

/// Where the private server listens. Its account cannot always reach the data directory; then a file there says where the
/// cluster is.
fn socket_dir(settings: &Settings) -> PathBuf {
    fs::read_to_string(settings.data_dir.join("postgres.location"))
        .map_or_else(|_| settings.data_dir.clone(), |text| PathBuf::from(text.trim()))
        .join("run")
}

fn private(socket_dir: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(misy_postgres::PORT)
        .username("postgres")
        .database("postgres")
}
