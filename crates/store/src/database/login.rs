//! How the program's roles log in, and what a connection must be before it serves.
//!
//! Each role logs in as itself. A connection that could become somebody else, or that may do more than the tables say, is
//! refused: so what a statement is talked into is never more than its role may.

use crate::StoreError;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::Secret;
use misy_trust::derived;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::sync::Arc;
use tracing::warn;

/// The roles that the program serves as. PostgreSQL gives each what its work needs and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Serves requests of one tenant at a time.
    App,
    /// Claims due work, and works for one tenant at a time.
    Worker,
    /// The owner's audited work across tenants.
    System,
    /// Gives audit entries their places in the tree, and nothing else.
    Sealer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::App, Self::Worker, Self::System, Self::Sealer];

    /// Its name in PostgreSQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::App => "misy_app",
            Self::Worker => "misy_worker",
            Self::System => "misy_system",
            Self::Sealer => "misy_sealer",
        }
    }
}

/// How the program's roles log in.
#[derive(Clone)]
pub enum Login {
    /// By their names alone: the server knows them by the account of the operating system, as the private one does.
    ByName,
    /// With a password each, where the administrator connects to.
    Passwords(Arc<RolePasswords>),
    /// As the operator has arranged it, with certificates for instance.
    Arranged(Arc<[PgConnectOptions; Role::ALL.len()]>),
}

/// The passwords of the roles: derived from a secret of the installation, so that all replicas have the same and none is stored.
pub struct RolePasswords(Secret<[u8; 32]>);

impl RolePasswords {
    /// The passwords that follow from this secret.
    pub(super) fn new(secret: Secret<[u8; 32]>) -> Self {
        Self(secret)
    }

    pub(super) fn of(&self, role: Role) -> Secret<String> {
        let key = derived(&self.0, &format!("the password of {} in PostgreSQL", role.name()));
        Secret::new(URL_SAFE_NO_PAD.encode(key.expose()))
    }
}

impl Login {
    /// As a URL says in which `{role}` stands for the role.
    pub fn arranged(url: &str) -> Result<Self, sqlx::Error> {
        let of = |role: Role| url.replace("{role}", role.name()).parse::<PgConnectOptions>();
        let [app, worker, system, sealer] = Role::ALL;
        Ok(Self::Arranged(Arc::new([of(app)?, of(worker)?, of(system)?, of(sealer)?])))
    }

    /// How a role connects.
    pub fn options(&self, administrator: &PgConnectOptions, role: Role) -> PgConnectOptions {
        let options = match self {
            Self::ByName => administrator.clone().username(role.name()),
            Self::Passwords(passwords) => {
                administrator.clone().username(role.name()).password(passwords.of(role).expose())
            }
            Self::Arranged(options) => options[role as usize].clone(),
        };
        for_session(options).application_name(role.name())
    }

    /// Refuses to go on when a role cannot log in, or could do more than it should.
    pub async fn check(&self, administrator: &PgConnectOptions) -> Result<(), StoreError> {
        for role in Role::ALL {
            let unfit = |problem: String| StoreError::UnfitLogin { role: role.name(), problem };
            let mut connection = match PgConnection::connect_with(&self.options(administrator, role)).await {
                Ok(connection) => connection,
                Err(sqlx::Error::Database(error))
                    if error.code().is_some_and(|code| code.starts_with("28")) =>
                {
                    return Err(unfit(format!("cannot log in: {}", error.message())));
                }
                Err(error) => return Err(error.into()),
            };
            let faults = faults(&mut connection, role).await?;
            connection.close().await?;
            if !faults.is_empty() {
                return Err(unfit(faults.join(", ")));
            }
        }
        Ok(())
    }
}

/// What holds for each session.
pub(super) fn for_session(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        // Named, pg_temp is searched last; otherwise it would be first.
        ("search_path", "misy,pg_temp"),
        ("timezone", "UTC"),
        ("lock_timeout", "10s"),
        // With these two a role could otherwise keep its later sessions from being put right: see `examine`.
        ("statement_timeout", "0"),
        ("default_transaction_read_only", "off"),
    ])
}

/// What is wrong with the connection of a role: in words, nothing if all is well.
const FAULTS: &str = "
    select f.fault from pg_catalog.pg_roles r, pg_catalog.current_database() d,
    lateral (values
        (session_user <> $1 or current_user <> $1, 'logs in as ' || session_user),
        (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication,
         'has rights over the whole server'),
        (exists (select from pg_catalog.pg_auth_members m where m.member = r.oid), 'can become another role'),
        (pg_catalog.has_database_privilege(r.oid, d, 'create, temporary'), 'may create things in the database'),
        (exists (select from pg_catalog.pg_namespace n where pg_catalog.has_schema_privilege(r.oid, n.oid, 'create')),
         'may create things in a schema')
    ) as f (is_there, fault)
    where r.rolname = session_user and f.is_there";

pub(super) async fn faults(connection: &mut PgConnection, role: Role) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(FAULTS).bind(role.name()).fetch_all(connection).await
}

/// Looks at each new connection of a pool; the pool gives up one that this refuses and opens another.
pub(super) async fn examine(connection: &mut PgConnection, role: Role) -> sqlx::Result<()> {
    let refuse = |problem: String| sqlx::Error::Configuration(format!("{}: {problem}", role.name()).into());
    let faults = faults(connection, role).await?;
    if !faults.is_empty() {
        return Err(refuse(faults.join(", ")));
    }
    // PostgreSQL lets every role choose defaults for its own later sessions: which tenant they begin with, for instance.
    let databases: Vec<String> = sqlx::query_scalar(
        "select coalesce(pg_catalog.quote_ident(d.datname), '') from pg_catalog.pg_db_role_setting s
         join pg_catalog.pg_roles r on r.oid = s.setrole
         left join pg_catalog.pg_database d on d.oid = s.setdatabase
         where r.rolname = session_user",
    )
    .fetch_all(&mut *connection)
    .await?;
    if databases.is_empty() {
        return Ok(());
    }
    warn!(role = role.name(), "somebody gave the role settings of its own: they are taken away");
    for database in databases {
        let place = if database.is_empty() { String::new() } else { format!(" in database {database}") };
        let reset = format!("alter role {}{place} reset all", role.name());
        connection.execute(AssertSqlSafe(reset)).await?;
    }
    Err(refuse("began with settings that somebody gave it".to_owned()))
}
