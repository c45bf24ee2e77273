//! Where the program keeps its files.

use super::declare::{declare, set};
use anyhow::Context;
use std::path::PathBuf;

declare! {
    "Files";
    open data_dir: String = String::new(),
        "where the private PostgreSQL, the root key and files live [/var/lib/misy as root, else ~/.local/share/misy]";
}

pub(super) fn check(written: &Written) -> anyhow::Result<PathBuf> {
    match set(&written.data_dir) {
        Some(dir) => std::path::absolute(dir).context("data_dir"),
        None => default_data_dir(),
    }
}

fn default_data_dir() -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    if misy_postgres::we_are_root() {
        return Ok("/var/lib/misy".into());
    }
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")))
        .context("set MISY_DATA_DIR: there is no home directory to put data into")?;
    Ok(base.join("misy"))
}
