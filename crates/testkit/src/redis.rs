//! A real Redis for one test: behind a Unix socket, without a file, to be paused, killed and started again; and with TLS
//! where a test asks for it.

use crate::{PATIENCE, authority::Issued};
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A Redis server of a test; killed when dropped.
#[derive(Debug)]
pub struct TestRedis {
    dir: TempDir,
    child: Child,
    tls_port: Option<u16>,
}

impl TestRedis {
    /// A fresh server that answers.
    pub fn start() -> io::Result<Self> {
        Self::start_at(folder()?, None)
    }

    /// A fresh server that also speaks TLS with this certificate, on the addresses 127.0.0.1 and 127.0.0.2.
    pub fn start_with_tls(certificate: &Issued) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let dir = folder()?;
            std::fs::write(dir.path().join("cert.pem"), &certificate.pem)?;
            std::fs::write(dir.path().join("key.pem"), &certificate.key)?;
            // It cannot choose a free port itself, and another process may take this one meanwhile.
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            match Self::start_at(dir, Some(port)) {
                Err(_) if tries < 5 => tries += 1,
                started => return started,
            }
        }
    }

    fn start_at(dir: TempDir, tls_port: Option<u16>) -> io::Result<Self> {
        let child = spawn(&dir, tls_port)?;
        let mut redis = Self { dir, child, tls_port };
        redis.until_it_listens()?;
        Ok(redis)
    }

    /// Where it speaks TLS.
    pub fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// Its folder, in which a test may keep files.
    pub fn dir(&self) -> &Path {
        self.dir.path()
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
        self.child = spawn(&self.dir, self.tls_port)?;
        self.until_it_listens()
    }

    /// Throws away all that it knows.
    pub fn forget_all(&self) -> io::Result<()> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.write_all(b"FLUSHALL\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        if &answer == b"+OK\r\n" { Ok(()) } else { Err(io::Error::other("Redis does not forget")) }
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

fn folder() -> io::Result<TempDir> {
    // Short, because a Unix socket's path must be.
    tempfile::Builder::new().prefix("misy-r").tempdir_in("/tmp")
}

fn spawn(dir: &TempDir, tls_port: Option<u16>) -> io::Result<Child> {
    let mut command = Command::new("redis-server");
    command
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket", "s", "--dir"])
        .arg(dir.path());
    if let Some(port) = tls_port {
        command.args(["--bind", "127.0.0.1", "127.0.0.2", "--tls-port", &port.to_string()]).args([
            "--tls-cert-file",
            "cert.pem",
            "--tls-key-file",
            "key.pem",
            "--tls-ca-cert-file",
            "cert.pem",
            "--tls-auth-clients",
            "no",
        ]);
    }
    command.current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
