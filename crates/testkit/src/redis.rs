//! A real Redis for one test: behind a Unix socket, without a file, to be paused, killed and started again.

use std::{
    io,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis server of a test; killed when dropped.
#[derive(Debug)]
pub struct TestRedis {
    dir: TempDir,
    child: Child,
}

impl TestRedis {
    /// A fresh server that answers.
    pub fn start() -> io::Result<Self> {
        // Short, because a Unix socket's path must be.
        let dir = tempfile::Builder::new().prefix("misy-r").tempdir_in("/tmp")?;
        let child = spawn(&dir)?;
        let mut redis = Self { dir, child };
        redis.until_it_listens()?;
        Ok(redis)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Stops it as a machine under too much load does: it takes connections and does not answer.
    pub fn pause(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on.
    pub fn resume(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    /// `kill -9`: it is gone with all that it knew.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        std::fs::remove_file(self.socket())
    }

    /// Starts it again after [`Self::kill`], at the same address.
    pub fn start_again(&mut self) -> io::Result<()> {
        self.child = spawn(&self.dir)?;
        self.until_it_listens()
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().map(drop)
    }

    fn until_it_listens(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            if began.elapsed() > PATIENCE || self.child.try_wait()?.is_some() {
                return Err(io::Error::other("redis-server does not start: is it installed?"));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(dir: &TempDir) -> io::Result<Child> {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket", "s", "--dir"])
        .arg(dir.path())
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
