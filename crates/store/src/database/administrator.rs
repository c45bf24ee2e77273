//! What the administrator of the server does before the program serves: roles, schema, passwords. None of its connections serves.

use super::{
    Connections, Database,
    login::{Login, Role, RolePasswords, for_session},
    turns::Share,
};
use crate::{StoreError, Vault, installation_secrets};
use misy_trust::scram;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!();
    // By a lock that the program's roles cannot take: see `prepare`.
    migrator.set_locking(false);
    migrator
});
const BOOTSTRAP: &str = include_str!("../../bootstrap.sql");

/// The secret of the installation that the passwords of its roles follow from.
const ROLE_PASSWORDS: &str = "role_passwords";

/// Connections of each role while the administrator stands in for them.
const CONNECTIONS: u32 = 2;

/// Whoever may create roles and schemas.
pub struct Administrator {
    options: PgConnectOptions,
}

impl Administrator {
    /// The administrator who connects like this.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options }
    }

    /// Creates the roles and schemas and brings them up to date. Several replicas may do this at the same time.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let mut holder = PgConnection::connect_with(&self.options).await?;
        repeatedly(&mut holder, BOOTSTRAP).await?;
        holder.execute("begin; set local lock_timeout = 0; lock table platform.schema_lock").await?;
        let mut connection = PgConnection::connect_with(&for_session(self.options.clone())).await?;
        connection.execute("set lock_timeout = 0; set role misy_owner").await?;
        MIGRATOR.run(&mut connection).await?;
        connection.close().await?;
        holder.close().await?;
        Ok(())
    }

    /// The roles log in with passwords, which are set where they do not already.
    pub async fn passwords(&self, vault: &Vault) -> Result<Login, StoreError> {
        let database = self.database();
        let secret = installation_secrets::load_or_create(&database, vault, ROLE_PASSWORDS).await;
        database.close().await;
        let passwords = Arc::new(RolePasswords::new(secret?));
        let login = Login::Passwords(passwords.clone());
        let mut connection = PgConnection::connect_with(&self.options).await?;
        for role in Role::ALL {
            if self.lets_in(&login, role).await? {
                continue;
            }
            claim(&mut connection, role).await?;
            // What stands in the statement, and perhaps in a log of the server, is not the password.
            let verifier = scram::verifier(&passwords.of(role), vault.entropy());
            repeatedly(&mut connection, &format!("alter role {} password '{verifier}'", role.name())).await?;
        }
        connection.close().await?;
        Ok(login)
    }

    async fn lets_in(&self, login: &Login, role: Role) -> Result<bool, StoreError> {
        match PgConnection::connect_with(&login.options(&self.options, role)).await {
            Ok(connection) => {
                connection.close().await?;
                Ok(true)
            }
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("28")) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The database as the administrator sees it who takes on the roles: for what must be read before they can log in. To be
    /// closed before anything is served.
    pub fn database(&self) -> Database {
        let pool = |role: Role| -> PgPool {
            PgPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(Duration::from_secs(5))
                .connect_lazy_with(for_session(self.options.clone()).options([("role", role.name())]))
        };
        let [app, worker, system, sealer] = Role::ALL.map(pool);
        let share = Share { alone: CONNECTIONS, beside: CONNECTIONS };
        let whole = |pool: PgPool| Connections::new(pool, share);
        Database {
            reports: whole(app.clone()),
            app: whole(app),
            worker: whole(worker),
            system,
            sealer: whole(sealer),
        }
    }
}

/// A text that changes whenever the schema does.
pub(super) fn schema_fingerprint() -> String {
    let checksums: Vec<_> = MIGRATOR.iter().map(|migration| &migration.checksum).collect();
    format!("{BOOTSTRAP}{checksums:?}")
}

/// Roles belong to the whole server: a second installation there would take the first one's passwords away. The role says
/// whose it is, as long as that database is there.
async fn claim(connection: &mut PgConnection, role: Role) -> Result<(), StoreError> {
    const CLAIM: &str = "misy: database ";
    let (database, other): (String, Option<String>) = sqlx::query_as(
        "select pg_catalog.current_database()::text,
                (select d.datname::text from pg_catalog.pg_roles r
                 join pg_catalog.pg_database d on pg_catalog.shobj_description(r.oid, 'pg_authid') = $1 || d.datname
                 where r.rolname = $2 and d.datname <> pg_catalog.current_database())",
    )
    .bind(CLAIM)
    .bind(role.name())
    .fetch_one(&mut *connection)
    .await?;
    if let Some(other) = other {
        let problem = format!(
            "belongs to another installation on this server, in the database {other}: give each installation a server of its \
             own, or arrange the logins yourself (MISY_DATABASE_ROLE_URL)"
        );
        return Err(StoreError::UnfitLogin { role: role.name(), problem });
    }
    let text = format!("{CLAIM}{database}").replace('\'', "''");
    repeatedly(connection, &format!("comment on role {} is '{text}'", role.name())).await
}

/// Runs statements about roles and schemas. Others may do the same at this moment; what then collides succeeds when tried
/// again.
async fn repeatedly(connection: &mut PgConnection, statements: &str) -> Result<(), StoreError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match connection.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await {
            Ok(_) => return Ok(()),
            Err(error) if attempts < 10 && collided(&error) => {
                tokio::time::sleep(Duration::from_millis(50 * attempts)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn collided(error: &sqlx::Error) -> bool {
    // Unique violation in a catalogue, duplicate table, schema or object, and "tuple concurrently updated", which has no code
    // of its own.
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| ["23505", "42P06", "42P07", "42710", "XX000", "40P01"].contains(&&*code))
}
