//! The server's main process: recognising a living one, starting one, stopping one.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::{Child, Command};

use crate::{
    PORT,
    account::Account,
    config,
    error::{StartError, file},
    log::LogTail,
    programs::Programs,
};

/// How long a leftover may take for each way of stopping it, gentlest first.
const LEFTOVER_STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(10)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(2)),
];

/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// What `postmaster.pid` says (`src/include/utils/pidfile.h`): line 1 the process, line 8 how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: Pid,
    pub(crate) ready: bool,
}

/// Reads a lock file of PostgreSQL; `None` when there is none, or it is not written whole yet.
pub(crate) fn pid_file(path: &Path) -> Option<PidFile> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let pid = Pid::from_raw(lines.next()?.trim().parse::<i32>().ok()?.checked_abs()?)?;
    let ready = lines.nth(6).is_some_and(|status| status.trim() == "ready");
    Some(PidFile { pid, ready })
}

/// The living server of this cluster, whoever started it.
pub(crate) fn living(cluster: &Path) -> Option<PidFile> {
    pid_file(&cluster.join("postmaster.pid")).filter(|file| serves(file.pid, cluster))
}

/// Whether this process is a server of this cluster: a number alone may long be someone else's.
fn serves(pid: Pid, cluster: &Path) -> bool {
    let pid = pid.as_raw_nonzero();
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        let mut words = line.split(|byte| *byte == 0);
        return words.any(|word| word == b"-D") && words.next() == Some(cluster.as_os_str().as_bytes());
    }
    if Path::new("/proc/self").exists() {
        return false;
    }
    let ps =
        std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output();
    ps.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).contains(&format!("-D {}", cluster.display()))
    })
}

/// Makes way for a new server: stops one that an earlier process of ours left, and removes lock files whose number
/// now belongs to another process, which PostgreSQL would take for a server.
///
/// Only for the holder of the folder's lock.
pub(crate) async fn clear_way(cluster: &Path, socket_dir: &Path) -> Result<(), StartError> {
    if let Some(found) = living(cluster) {
        stop_leftover(cluster, found.pid).await?;
    }
    let locks = [cluster.join("postmaster.pid"), socket_dir.join(format!(".s.PGSQL.{PORT}.lock"))];
    for lock in locks {
        let taken = pid_file(&lock).is_some_and(|file| {
            !matches!(test_kill_process(file.pid), Err(rustix::io::Errno::SRCH)) && !serves(file.pid, cluster)
        });
        if taken {
            tracing::info!(target: "postgres", "removing {}: its process is not PostgreSQL", lock.display());
            fs::remove_file(&lock).map_err(file("remove", lock))?;
        }
    }
    Ok(())
}

/// Stops a server that is not our child.
pub(crate) async fn stop_leftover(cluster: &Path, pid: Pid) -> Result<(), StartError> {
    tracing::warn!(target: "postgres", "stopping the PostgreSQL (pid {}) of an earlier process", pid.as_raw_nonzero());
    for (signal, patience) in LEFTOVER_STEPS {
        send(pid, signal);
        let since = Instant::now();
        while since.elapsed() < patience {
            if living(cluster).is_none_or(|found| found.pid != pid) && !serves(pid, cluster) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Err(StartError::Leftover { pid: pid.as_raw_nonzero().get(), cluster: cluster.to_path_buf() })
}

fn send(pid: Pid, signal: Signal) {
    if let Err(error) = kill_process(pid, signal) {
        tracing::debug!(target: "postgres", "signal to {}: {error}", pid.as_raw_nonzero());
    }
}

/// Where the server's words go.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// Into the program's log.
    Log,
    /// Into a file, for a server that outlives us.
    File(PathBuf),
}

/// A server that is our child. Dropped, it is told to stop.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    log: LogTail,
    readers: Vec<tokio::task::JoinHandle<()>>,
    output: Output,
    left: bool,
}

impl Running {
    /// Starts the server, in its own process group: Ctrl-C at a terminal is ours to handle, in order.
    pub(crate) fn start(
        programs: &Programs,
        account: &Account,
        cluster: &Path,
        socket_dir: &Path,
        output: &Output,
    ) -> Result<Self, StartError> {
        let mut command = Command::new(programs.postgres());
        account.dress(&mut command);
        command.arg("-D").arg(cluster).process_group(0).stdin(Stdio::null());
        for (name, value) in config::sealed(socket_dir) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        match output {
            Output::Log => {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
            }
            Output::File(path) => {
                let log = fs::File::create(path).map_err(file("make", path))?;
                let copy = log.try_clone().map_err(file("open", path))?;
                command.stdout(log).stderr(copy);
            }
        }
        let mut child = command.spawn().map_err(file("run", programs.postgres()))?;
        let log = LogTail::default();
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|pipe| log.follow(pipe)));
        readers.extend(child.stderr.take().map(|pipe| log.follow(pipe)));
        Ok(Self { child, log, readers, output: output.clone(), left: false })
    }

    /// The process id, until the process is gone and waited for.
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            send(pid, signal);
        }
    }

    /// The end of the log of a server that has stopped.
    pub(crate) async fn last_words(&mut self) -> String {
        if let Output::File(path) = &self.output {
            return fs::read_to_string(path).unwrap_or_default();
        }
        for reader in self.readers.drain(..) {
            // A child of the server may hold the pipe a little longer than the server itself.
            let _ = tokio::time::timeout(Duration::from_secs(1), reader).await;
        }
        self.log.text()
    }

    /// The end of the log of a server that may still run.
    pub(crate) fn words(&self) -> String {
        match &self.output {
            Output::Log => self.log.text(),
            Output::File(path) => fs::read_to_string(path).unwrap_or_default(),
        }
    }

    /// Lets the server outlive us.
    pub(crate) fn leave(mut self) {
        self.left = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.left {
            self.signal(Signal::INT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<PidFile> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("postmaster.pid");
        fs::write(&path, text).unwrap();
        pid_file(&path)
    }

    #[test]
    fn reads_a_lock_file_at_every_stage_of_its_writing() {
        let whole = "77\n/data\n1700000000\n5432\n/run\n\n  123 456\nready   \n";
        assert_eq!(written(whole), Some(PidFile { pid: Pid::from_raw(77).unwrap(), ready: true }));
        assert!(!written(&whole.replace("ready   ", "starting")).unwrap().ready);
        assert!(!written("77\n/data\n").unwrap().ready);
        assert_eq!(written(""), None);
        assert_eq!(written("0\n"), None);
    }

    #[test]
    fn our_own_process_is_no_server() {
        assert!(!serves(rustix::process::getpid(), Path::new("/data")));
    }
}
