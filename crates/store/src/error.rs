//! What can go wrong in the store; knows nothing of HTTP.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something with the same key exists already.
    #[error("{0} exists already")]
    Conflict(&'static str),
    /// The thing was changed by somebody else since it was read.
    #[error("{0} was changed meanwhile")]
    Stale(&'static str),
    /// The state of the thing forbids it; says why.
    #[error("{0}")]
    Refused(&'static str),
    /// The owner of the platform decided it, and alone takes it back.
    #[error("the owner of the platform decided it")]
    NotTheirs,
    /// There are as many of the thing as there may be; says how many, in a sentence.
    #[error("{0}")]
    Full(String),
    /// Somebody was to be let in who was read in another transaction, and may be another by now.
    #[error("a person is let in who is not locked")]
    NotLocked,
    /// The lease ran out and the work belongs to somebody else now.
    #[error("the lease is lost")]
    LeaseLost,
    /// Sealed data could not be opened: wrong key, swapped row or damaged bytes.
    #[error("sealed data of {0} cannot be opened")]
    Unsealable(&'static str),
    /// A data key is wrapped by a root key that is not there.
    #[error("a data key was wrapped by a root key that this program does not have")]
    UnknownRootKey,
    /// Data keys are there, and no root key of those that wrapped them: a new one would open nothing.
    #[error(
        "data keys are there, and the root key that wraps them is not: put it back from the backup (the file root-key in the \
         data directory, or the rows of platform.root_keys), or name the provider that has it; no new one is made"
    )]
    RootKeyGone,
    /// The root keys that are stored are not vouched for by those that are known.
    #[error(
        "the oldest root key in platform.root_keys was not made by whoever holds the key in the file root-key: if this \
         installation left that file long ago, take the file away; if not, somebody put the row there: remove it"
    )]
    ForeignRootKey,
    /// The key management service could not be used.
    #[error("the root key cannot be had")]
    KeyProvider(#[from] crate::key_provider::KeyProviderError),
    /// The server could not be reached or does not accept connections now.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// Redis, which the replicas share limits through, does not answer now.
    #[error("Redis is unavailable")]
    SharedUnavailable,
    /// Where the bytes of files lie cannot be reached, or does not have them.
    #[error("the bytes of a file cannot be had")]
    Files(#[from] object_store::Error),
    /// Anything else that the database says.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
    /// A role of the program cannot log in, or could do more than it should.
    #[error("the role {role} of PostgreSQL {problem}")]
    UnfitLogin {
        /// Which role.
        role: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The schema is that of another state of development, which nothing leads on from.
    #[error(
        "the database was made by another development version of this program (migration {0} differs) and cannot be brought up \
         to date: use an empty database or another data directory; to give up what is in this one, drop the schemas misy and \
         platform, or remove the data directory's folder postgres"
    )]
    OtherSchema(i64),
    /// The schema is that of a newer program.
    #[error("the database was made by a newer version of this program (migration {0}): use that version")]
    NewerSchema(i64),
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::SharedUnavailable => true,
            Self::KeyProvider(error) => error.is_transient(),
            _ => false,
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as E;
        match error {
            E::VersionMismatch(version) | E::Dirty(version) => Self::OtherSchema(version),
            E::VersionMissing(version) => Self::NewerSchema(version),
            error => Self::Migration(error),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        // As the triggers of the caps say it.
        if let E::Database(db) = &error
            && db.code().as_deref() == Some("MC001")
        {
            return Self::Full(db.message().to_owned());
        }
        let unavailable = match &error {
            E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) | E::Tls(_) => {
                true
            }
            // Class 57: shutting down or starting up, or a statement that took too long; class 53: out of connections; 08:
            // connection lost; 40: try again; 55P03: somebody holds a lock for too long.
            E::Database(db) => db.code().is_some_and(|code| {
                ["57", "53", "08", "40", "55P03"].iter().any(|class| code.starts_with(class))
            }),
            _ => false,
        };
        if unavailable { Self::Unavailable(error) } else { Self::Database(error) }
    }
}
