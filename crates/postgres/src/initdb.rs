//! Making the cluster, once and whole.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::{
    account::Account,
    error::{StartError, file},
    layout::{Layout, private_dir, sync_dir},
    options::{Options, SUPERUSER},
    programs::Programs,
};

/// Where `initdb` works before the result is moved into place.
const UNFINISHED: &str = "postgres.tmp-";

/// Makes the cluster unless it is there. A crash at any moment leaves no half-made cluster.
pub(crate) async fn ensure(
    layout: &Layout,
    options: &Options,
    programs: &Programs,
    account: &Account,
) -> Result<(), StartError> {
    discard_unfinished(&layout.base)?;
    if layout.cluster.exists() {
        return Ok(());
    }
    let unfinished = layout.base.join(format!("{UNFINISHED}{}", std::process::id()));
    private_dir(&unfinished, account).map_err(file("make", unfinished.clone()))?;
    if let Err(output) = run(programs, account, &unfinished, options.durable, true).await? {
        if !output.contains("invalid locale") {
            return Err(StartError::Initdb { dir: unfinished, output });
        }
        tracing::warn!(target: "postgres", "no C.UTF-8 locale here: text is compared and folded as ASCII");
        discard_unfinished(&layout.base)?;
        private_dir(&unfinished, account).map_err(file("make", unfinished.clone()))?;
        if let Err(output) = run(programs, account, &unfinished, options.durable, false).await? {
            return Err(StartError::Initdb { dir: unfinished, output });
        }
    }
    fs::rename(&unfinished, &layout.cluster).map_err(file("move into place", unfinished))?;
    sync_dir(&layout.base).map_err(file("sync", layout.base.clone()))
}

/// Runs `initdb`; its words when it fails.
async fn run(
    programs: &Programs,
    account: &Account,
    dir: &Path,
    durable: bool,
    unicode: bool,
) -> Result<Result<(), String>, StartError> {
    let mut command = Command::new(programs.initdb());
    account.dress(&mut command);
    command
        .arg("-D")
        .arg(dir)
        .args(["--username", SUPERUSER, "--encoding", "UTF8", "--data-checksums"])
        .args(["--auth-local", "peer", "--auth-host", "reject"])
        .args(locale(programs, unicode))
        .args((!durable).then_some("--no-sync"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(file("run", programs.initdb()))?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let words =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok(Err(words))
}

/// Code point order, and upper and lower case of all of Unicode: the same answers on every machine.
fn locale(programs: &Programs, unicode: bool) -> &'static [&'static str] {
    match (unicode, programs.version().major) {
        (true, 17..) => &["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"],
        (true, _) => &["--locale", "C.UTF-8"],
        (false, _) => &["--no-locale"],
    }
}

/// Removes what an `initdb` left that did not finish. Nobody else is at it: we hold the folder's lock.
fn discard_unfinished(base: &Path) -> Result<(), StartError> {
    for dir in unfinished(base).map_err(file("list", base))? {
        tracing::info!(target: "postgres", "removing {}: initdb did not finish there", dir.display());
        fs::remove_dir_all(&dir).map_err(file("remove", dir))?;
    }
    Ok(())
}

fn unfinished(base: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(base)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
