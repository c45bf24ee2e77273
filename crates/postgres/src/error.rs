//! Why a private server did not start, and what to do about it.

use std::{io, path::PathBuf, time::Duration};

use crate::{account::AccountError, version::Version};

/// A private server that did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process of ours holds the data directory.
    #[error(
        "another misy (pid {pid}) uses {}: stop it first, or give this one its own data directory",
        dir.display()
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The process that has it, `?` when it has not said.
        pid: String,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// No account to run the server with.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The cluster belongs to someone else.
    #[error(
        "the database in {} belongs to the user id {owner}, and this program runs as {user}: run it as the owner, \
         or hand the folder over with chown",
        cluster.display()
    )]
    WrongOwner {
        /// The cluster.
        cluster: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        user: String,
    },
    /// The folder has something that is no cluster.
    #[error(
        "{} is not a PostgreSQL cluster (it has no readable PG_VERSION): restore it from a backup, or move it away \
         to start with an empty database",
        .0.display()
    )]
    NotACluster(PathBuf),
    /// The cluster was made by another major version than the one installed.
    #[error(
        "the database in {} was made by PostgreSQL {made_by}, and the PostgreSQL found here is {found}: install \
         PostgreSQL {made_by} beside it, or move the data with pg_upgrade or pg_dumpall",
        cluster.display()
    )]
    OtherMajor {
        /// The cluster.
        cluster: PathBuf,
        /// The major version that made it.
        made_by: u32,
        /// The newest that was found.
        found: Version,
    },
    /// The location file names a folder that is gone.
    #[error(
        "{} says that the database is in {}, which is gone: restore that folder from a backup, or delete the file \
         to start with an empty database",
        location.display(), base.display()
    )]
    Lost {
        /// The file that names the folder.
        location: PathBuf,
        /// The folder.
        base: PathBuf,
    },
    /// No folder is short and private enough for the socket.
    #[error(
        "no folder for the server's socket: {} is longer than a socket path may be, and no private folder could be \
         made in the temporary directory ({reason}); use a shorter data directory",
        dir.display()
    )]
    NoSocketDir {
        /// The folder that would have been used.
        dir: PathBuf,
        /// What was wrong with the others.
        reason: String,
    },
    /// `initdb` failed.
    #[error("initdb could not make the database in {}:\n{output}", dir.display())]
    Initdb {
        /// Where.
        dir: PathBuf,
        /// What it said.
        output: String,
    },
    /// The server stopped before it was ready.
    #[error("PostgreSQL stopped while it was starting ({status}); {}its last words:\n{log}", advice(log))]
    Exited {
        /// How it ended.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// The server runs, and does not accept connections in time.
    #[error(
        "PostgreSQL was not ready after {after:?}: it may still be recovering, start again; its last words:\n{log}"
    )]
    NotReady {
        /// How long we waited.
        after: Duration,
        /// The end of its log.
        log: String,
    },
    /// The server is ready and turns us away.
    #[error("PostgreSQL is ready and refuses this program: {0}")]
    Refused(String),
    /// A server of an earlier process does not stop.
    #[error("an earlier PostgreSQL (pid {pid}) still runs on {} and does not stop: stop it by hand", cluster.display())]
    Leftover {
        /// Its process id.
        pid: i32,
        /// The cluster.
        cluster: PathBuf,
    },
    /// A setting that cannot be given.
    #[error(
        "the PostgreSQL setting `{0}` cannot be set here: it is not a setting's name, or this program decides it"
    )]
    Setting(String),
}

/// Turns an I/O error into one that says what was tried, and where.
pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StartError {
    let path = path.into();
    move |source| StartError::File { action, path, source }
}

/// What to do about the usual reasons.
fn advice(log: &str) -> &'static str {
    const KNOWN: [(&str, &str); 6] = [
        ("No space left on device", "the disk is full: make room and start again; "),
        ("Disk quota exceeded", "the disk quota is used up: make room and start again; "),
        ("Read-only file system", "the disk is read-only; "),
        ("Permission denied", "a file is not readable for the server's user: check owner and mode; "),
        ("could not locate a valid checkpoint", "the database is damaged: restore it from a backup; "),
        ("Cannot allocate memory", "there is not enough memory: set a smaller shared_buffers; "),
    ];
    KNOWN.into_iter().find(|(sign, _)| log.contains(sign)).map_or("", |(_, advice)| advice)
}
