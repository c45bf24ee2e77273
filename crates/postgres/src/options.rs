//! What a caller decides about the private server.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::{error::StartError, programs::Programs};

/// The role `initdb` makes: it may do everything, and serves set-up, migrations of roles and backups only.
pub const SUPERUSER: &str = "postgres";

/// The product's roles; our account may connect as any of them.
pub const ROLES: [&str; 6] =
    [SUPERUSER, "misy_owner", "misy_app", "misy_worker", "misy_system", "misy_sealer"];

/// Where the cluster goes when the server's account cannot reach the data directory.
const UNREACHABLE_BASE: &str = "/var/lib/misy/clusters";

/// Settings the caller cannot change: they keep the server private and in its place.
const SEALED: [&str; 13] = [
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "include",
    "include_dir",
    "include_if_exists",
    "listen_addresses",
    "port",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
];

/// How to run a private server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program's data directory. The cluster is in its folder `postgres`.
    pub data_dir: PathBuf,
    /// The PostgreSQL to run.
    pub programs: Programs,
    /// Settings of `postgresql.conf`, on top of [`Options::new`]'s.
    pub settings: BTreeMap<String, String>,
    /// Roles that our account may connect as.
    ///
    /// `pg_ident.conf` of PostgreSQL 15 has no word for "every role", so each one is named.
    pub roles: Vec<String>,
    /// How long a start may take, crash recovery included.
    pub start_timeout: Duration,
    /// A folder to keep the cluster in, such as one in memory for tests. A cluster that is there stays where it is.
    pub cluster_parent: Option<PathBuf>,
    /// Where the cluster goes when we are root and the server's account cannot reach the data directory.
    pub unreachable_base: PathBuf,
    /// Whether `initdb` waits until its files are on the disk.
    pub(crate) durable: bool,
}

impl Options {
    /// A durable server of modest size.
    pub fn new(data_dir: impl Into<PathBuf>, programs: Programs) -> Self {
        let settings = [
            ("shared_buffers", "128MB"),
            ("max_connections", "60"),
            ("jit", "off"),
            ("wal_compression", "on"),
            ("huge_pages", "try"),
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
        ];
        Self {
            data_dir: data_dir.into(),
            programs,
            settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            roles: ROLES.map(str::to_owned).to_vec(),
            start_timeout: Duration::from_mins(2),
            cluster_parent: None,
            unreachable_base: PathBuf::from(UNREACHABLE_BASE),
            durable: true,
        }
    }

    /// A server for tests: fast, with room for many at once, and damaged by a power cut.
    pub fn for_tests(data_dir: impl Into<PathBuf>, programs: Programs) -> Self {
        let mut options = Self::new(data_dir, programs)
            .with("fsync", "off")
            .with("full_page_writes", "off")
            .with("synchronous_commit", "off")
            .with("dynamic_shared_memory_type", "mmap")
            .with("wal_level", "minimal")
            .with("max_wal_senders", "0")
            .with("max_connections", "300")
            .with("min_wal_size", "32MB")
            .with("max_wal_size", "256MB");
        options.durable = false;
        options
    }

    /// Sets one setting of `postgresql.conf`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Refuses settings that would open the server, and names that would break the file.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let bad = |name: &&String| {
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
            name.is_empty() || !plain || SEALED.contains(&name.to_ascii_lowercase().as_str())
        };
        match self.settings.keys().find(bad) {
            Some(name) => Err(StartError::Setting(name.clone())),
            None => Ok(()),
        }
    }
}
