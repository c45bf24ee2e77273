//! A PostgreSQL server that the operator gives, instead of the private one.

use crate::{attached, settings::Settings};
use anyhow::Context;
use misy_domain::{Clock, Entropy, Secret};
use misy_store::{
    Database, DatabaseOptions,
    database::{Administrator, Login},
};
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;

const WHERE: &str = "the PostgreSQL server of MISY_DATABASE_URL";

/// Brings the schema up to date as the administrator, and opens the connections that serve, as the roles themselves.
pub(crate) async fn open(
    settings: &Settings,
    url: &Secret<String>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<Database> {
    Administrator::new(administrator(url)?).prepare().await.context(WHERE)?;
    Ok(Database::open(&options(settings, url, clock, entropy).await?))
}

/// How the roles log in to a server whose schema is up to date. They can, and can do nothing else, when this returns.
pub(crate) async fn options(
    settings: &Settings,
    url: &Secret<String>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<DatabaseOptions> {
    let options = administrator(url)?;
    let login = if let Some(url) = &settings.database.role_url {
        Login::arranged(url.expose()).context("database_role_url")?
    } else {
        let administrator = Administrator::new(options.clone());
        let database = administrator.database();
        // The root key may stand in the database, wrapped: so nobody else can read it yet.
        let vault = attached::vault(settings, &database, clock, entropy).await;
        database.close().await;
        administrator.passwords(&vault?).await.context(WHERE)?
    };
    login.check(&options).await.context(WHERE)?;
    Ok(DatabaseOptions::new(options, login))
}

fn administrator(url: &Secret<String>) -> anyhow::Result<PgConnectOptions> {
    url.expose().parse().context("database_url")
}
