//! The real program as a child process, to be used over HTTP and killed.

use crate::client::{BASE, Site, expect, http};
use misy_domain::TenantId;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Registers the owner in every started program.
pub const BOOTSTRAP_SECRET: &str = "a bootstrap secret for tests only";

/// How to start the program, again and again with the same address and data.
#[derive(Debug, Clone)]
pub struct Start {
    binary: PathBuf,
    /// The data directory.
    pub data_dir: PathBuf,
    port: u16,
    variables: Vec<(String, String)>,
}

/// A program that runs; killed when dropped.
pub struct Program {
    child: Child,
    /// `http://127.0.0.1:port`
    pub url: String,
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Start {
    /// A program with a data directory of its own.
    pub fn new(binary: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(Self {
            binary: binary.into(),
            data_dir: data_dir.into(),
            port: free_port()?,
            variables: Vec::new(),
        })
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Starts it without waiting until it is ready.
    pub fn spawn(&self) -> io::Result<Program> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        let child = Command::new(&self.binary)
            .arg("serve")
            .env("MISY_DATA_DIR", &self.data_dir)
            .env("MISY_HTTP_ADDR", format!("127.0.0.1:{}", self.port))
            .env("MISY_BOOTSTRAP_SECRET", BOOTSTRAP_SECRET)
            .env("MISY_SELF_REGISTRATION", "open")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Program { child, url: format!("http://127.0.0.1:{}", self.port) })
    }

    /// Where its log goes.
    pub fn log(&self) -> PathBuf {
        self.data_dir.with_extension(format!("{}.log", self.port))
    }
}

impl Program {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says that it is ready; false if it ended or took longer than the limit.
    pub async fn ready(&mut self, limit: Duration) -> bool {
        let client = http();
        let began = Instant::now();
        while began.elapsed() < limit {
            if let Ok(answer) = client.get(format!("{}/health/ready", self.url)).send().await
                && answer.status() == StatusCode::OK
            {
                return true;
            }
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then waits for the end.
    pub fn stop(&mut self) -> io::Result<()> {
        Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) && self.stop().is_err() {
            self.kill();
        }
    }
}

/// Registers a tenant with a context pack on a started program, without limits that a test would meet.
pub async fn register(url: &str, id: &str, pack: &Path) -> anyhow::Result<Site> {
    let client = http();
    let mut pack: Value = serde_json::from_slice(&fs::read(pack)?)?;
    if let Some(members) = pack.as_object_mut() {
        members.remove("tenantId");
    }
    let origin = format!("https://{id}.example");
    let body = json!({
        "tenantId": id, "tenantName": id, "contactEmail": "someone@shop.example", "websiteUrl": origin,
        "businessIndustry": "Shop", "origins": [origin],
    });
    let answer = client.post(format!("{url}{BASE}/tenants/register")).json(&body).send().await?;
    let tenant = expect(StatusCode::CREATED, answer).await?;
    let text = |pointer: &str| tenant.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let token = text("/enrollment/token");
    let place = format!("{url}{BASE}/tenants/{id}");
    let answer = client.put(format!("{place}/context-pack")).bearer_auth(&token).json(&pack).send().await?;
    expect(StatusCode::OK, answer).await?;
    let limits: Vec<Value> = ["tenant", "site", "key", "session", "channel"]
        .iter()
        .map(|scope| json!({ "scope": scope, "subject": "", "requests": 1_000_000, "periodSeconds": 1 }))
        .collect();
    let answer = client
        .put(format!("{place}/limits"))
        .bearer_auth(&token)
        .json(&json!({ "items": limits }))
        .send()
        .await?;
    expect(StatusCode::OK, answer).await?;
    let tenant: TenantId = id.parse()?;
    Ok(Site { api: url.to_owned(), tenant, origin, publishable_key: text("/publishableKey/key") })
}
