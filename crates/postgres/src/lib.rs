//! The private PostgreSQL server: find the programs, `initdb` once, start, watch, stop.
//!
//! [`Programs::find`] looks for PostgreSQL on the machine, [`PrivateServer::start`] runs it on a data directory
//! over a Unix socket only, and keeps it running until [`PrivateServer::stop`]. When the program runs as root the
//! server runs as an unprivileged user. [`detached`] starts a server that outlives the process, for test runs.

mod account;
mod cluster;
mod config;
pub mod detached;
mod error;
mod initdb;
mod layout;
mod lock;
mod log;
mod options;
mod postmaster;
mod probe;
mod programs;
mod server;
mod version;

pub use account::{AccountError, we_are_root};
pub use error::StartError;
pub use options::{Options, ROLES, SUPERUSER};
pub use programs::{FindError, Programs, Refusal};
pub use server::{PrivateServer, State};
pub use version::Version;

/// The number in the socket's file name. It never meets a system PostgreSQL: the socket directory is ours alone.
pub const PORT: u16 = 5432;

/// The address of a role and database behind a socket directory, as a `postgres://` URL.
pub fn connection_url(socket_dir: &std::path::Path, role: &str, database: &str) -> String {
    let host = percent_encoded(&socket_dir.to_string_lossy());
    format!(
        "postgres://{}@localhost:{PORT}/{}?host={host}&sslmode=disable",
        percent_encoded(role),
        percent_encoded(database)
    )
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;

    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_directory_with_odd_characters_survives_in_the_url() {
        let url = connection_url(std::path::Path::new("/tmp/a b&c/é"), "misy_app", "misy");
        assert_eq!(
            url,
            "postgres://misy_app@localhost:5432/misy?host=%2Ftmp%2Fa%20b%26c%2F%C3%A9&sslmode=disable"
        );
    }
}
