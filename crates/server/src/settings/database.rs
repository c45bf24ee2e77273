//! PostgreSQL: given, or the private one.

use super::declare::{declare, hidden, set};
use misy_domain::Secret;
use std::path::PathBuf;

declare! {
    "PostgreSQL";
    secret database_url: String = String::new(),
        "a given PostgreSQL 15 or newer instead of the private one, as an administrator who may create roles: postgresql://user:password@host/database";
    secret database_role_url: String = String::new(),
        "how the program's own roles log in to it, {role} for their names, where they have certificates or are known by their account: postgresql://{role}@host/database?sslcert=/keys/{role}.crt [with passwords that the program makes]";
    open postgres_bin: String = String::new(),
        "folder of the PostgreSQL programs for the private server [found on the machine]";
}

/// PostgreSQL: given, or the private one.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// A given PostgreSQL, as its administrator.
    pub(crate) url: Option<Secret<String>>,
    /// How the program's own roles log in there, if not with passwords.
    pub(crate) role_url: Option<Secret<String>>,
    /// Where the PostgreSQL programs are.
    pub(crate) postgres_bin: Option<PathBuf>,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Database> {
    let (url, role_url) = (hidden(&written.database_url), hidden(&written.database_role_url));
    anyhow::ensure!(role_url.is_none() || url.is_some(), "database_role_url goes together with database_url");
    Ok(Database { url, role_url, postgres_bin: set(&written.postgres_bin).map(PathBuf::from) })
}
