//! PostgreSQL's own load program.

use anyhow::{Context, ensure};
use misy_postgres::Programs;
use std::{path::Path, process::Command};

/// Runs SQL as a role.
pub(crate) fn psql(socket: &Path, role: &str, sql: &str) -> anyhow::Result<String> {
    let output = Command::new(Programs::find(None)?.bin_dir().join("psql"))
        .args(["--quiet", "--no-psqlrc", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--dbname", "postgres"])
        .arg("--host")
        .arg(socket)
        .args(["--username", role, "--command", sql])
        .output()?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Transactions per second of a script by 8 clients for some seconds.
pub(crate) fn rate(socket: &Path, role: &str, script: &str, seconds: u32) -> anyhow::Result<f64> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), script)?;
    let output = Command::new(Programs::find(None)?.bin_dir().join("pgbench"))
        .args(["--no-vacuum", "--client", "8", "--jobs", "2", "--protocol", "prepared"])
        .arg("--host")
        .arg(socket)
        .args(["--username", role, "--time", &seconds.to_string(), "--file"])
        .arg(file.path())
        .arg("postgres")
        .env("PGOPTIONS", "-c search_path=misy")
        .output()?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench says no rate")?;
    line.split(' ').next().unwrap_or_default().parse().context("tps")
}
