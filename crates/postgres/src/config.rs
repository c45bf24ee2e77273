//! The server's configuration files, written anew at each start.
//!
//! The cluster's folder belongs to the server's account while we may be root, so nothing here follows a link: a file
//! is made under a new name and moved into place.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::{
    PORT,
    account::Account,
    error::{StartError, file},
    options::{Options, SUPERUSER},
};

/// Fixed settings: language and time of the log, and a log without personal data: no statements, no row values.
const FIXED: [(&str, &str); 18] = [
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("datestyle", "iso, ymd"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("default_text_search_config", "pg_catalog.simple"),
    ("password_encryption", "scram-sha-256"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_line_prefix", ""),
    ("log_checkpoints", "off"),
    ("log_error_verbosity", "terse"),
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_statement", "none"),
];

/// Settings that keep the server private. They are in the file, for a start by hand, and on the command line, where
/// no `ALTER SYSTEM` reaches them.
pub(crate) fn sealed(socket_dir: &Path) -> Vec<(&'static str, String)> {
    // A comma separates folders in this list unless the path is in double quotes.
    let directory = format!("\"{}\"", socket_dir.to_string_lossy().replace('"', "\"\""));
    vec![
        ("listen_addresses", String::new()),
        ("port", PORT.to_string()),
        ("unix_socket_directories", directory),
        ("unix_socket_permissions", "0700".to_owned()),
    ]
}

/// Writes `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf` into the cluster.
pub(crate) fn write(
    cluster: &Path,
    socket_dir: &Path,
    options: &Options,
    own: &Account,
    server: &Account,
) -> Result<(), StartError> {
    place(cluster, "postgresql.conf", &postgresql_conf(socket_dir, options))?;
    // `all` are all databases, and not the stream that a base backup is read from: that is for the superuser only.
    let hba = format!(
        "# Written by misy at each start.\nlocal all all peer map=misy\nlocal replication {SUPERUSER} peer map=misy\n"
    );
    place(cluster, "pg_hba.conf", &hba)?;
    place(cluster, "pg_ident.conf", &pg_ident_conf(&options.roles, own, server))
}

fn postgresql_conf(socket_dir: &Path, options: &Options) -> String {
    let fixed = FIXED.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let chosen = options.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let mut text = "# Written by misy at each start: change the program's settings instead.\n".to_owned();
    for (name, value) in fixed.chain(chosen).chain(sealed(socket_dir)) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = {}", quoted(&value));
    }
    text
}

/// A value in quotes; a line break in it would start another setting.
fn quoted(value: &str) -> String {
    let value = value.replace(['\n', '\r'], " ").replace('\\', "\\\\").replace('\'', "''");
    format!("'{value}'")
}

/// Which accounts may connect as which roles: ours, and the server's own unless unrelated services share it.
fn pg_ident_conf(roles: &[String], own: &Account, server: &Account) -> String {
    let mut accounts = vec![&own.name];
    if server.name != own.name && !server.is_shared() {
        accounts.push(&server.name);
    }
    let mut text = "# Written by misy at each start.\n".to_owned();
    for account in accounts {
        for role in roles {
            let role = role.replace('"', "");
            let _ = writeln!(text, "misy \"{account}\" \"{role}\"");
        }
    }
    text
}

/// Puts a file into a folder of the server's account, whole or not at all, and through no link.
fn place(dir: &Path, name: &str, content: &str) -> Result<(), StartError> {
    let temporary = dir.join(format!("{name}.misy-tmp"));
    let target = dir.join(name);
    let write = || {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary)?;
        file.write_all(content.as_bytes())?;
        // Whatever our umask is, the server's account must be able to read it; the folder keeps others out.
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.sync_all()?;
        fs::rename(&temporary, &target)
    };
    write().map_err(file("write", target.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Account {
        Account { name: name.to_owned(), uid: 1, gid: 1 }
    }

    #[test]
    fn a_value_cannot_end_its_quotes_or_its_line() {
        assert_eq!(quoted("it's\nlisten_addresses='*' \\"), r"'it''s listen_addresses=''*'' \\'");
    }

    #[test]
    fn a_shared_account_is_not_let_in() {
        let roles = ["postgres".to_owned()];
        let text = pg_ident_conf(&roles, &account("root"), &account("nobody"));
        assert!(text.contains("misy \"root\" \"postgres\"") && !text.contains("nobody"), "{text}");
        let text = pg_ident_conf(&roles, &account("root"), &account("postgres"));
        assert!(text.contains("misy \"postgres\" \"postgres\""), "{text}");
    }

    #[test]
    fn a_link_in_the_servers_folder_is_replaced_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        let cluster = dir.path().join("cluster");
        fs::write(&outside, "untouched").unwrap();
        fs::create_dir(&cluster).unwrap();
        for name in ["pg_hba.conf", "pg_hba.conf.misy-tmp"] {
            std::os::unix::fs::symlink(&outside, cluster.join(name)).unwrap();
        }
        place(&cluster, "pg_hba.conf", "ours").unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(cluster.join("pg_hba.conf")).unwrap(), "ours");
        assert!(!cluster.join("pg_hba.conf").is_symlink());
    }
}
