//! The real program as a child process, to be used over HTTP and killed.

use crate::{
    client::{BASE, Site, expect, http},
    person::Person,
};
use misy_domain::TenantId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

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

/// The owner of a program.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Where its API is.
    pub api: String,
    /// Its id.
    pub tenant: TenantId,
    /// The token of its registration, until somebody enrolled with it.
    pub token: String,
    /// Who enrolled with it, once a person is needed.
    person: Arc<Mutex<Option<Person>>>,
}

/// Registers the owner of a fresh program.
pub async fn register_owner(url: &str) -> anyhow::Result<Owner> {
    let body = registration("colombiatic");
    let owner = call(Method::POST, url, "/tenants/register/owner", BOOTSTRAP_SECRET, &body).await?;
    let token = owner.pointer("/enrollment/token").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Owner { api: url.to_owned(), tenant: "colombiatic".parse()?, token, person: Arc::default() })
}

/// Registers the owner of a fresh program and one tenant with a context pack, without limits that a test would meet.
pub async fn register(url: &str, id: &str, pack: &Path) -> anyhow::Result<Site> {
    let owner = register_owner(url).await?;
    Ok(register_tenant(&owner, id, &pack_in(pack)?).await?.0)
}

/// The context pack in a file.
pub fn pack_in(file: &Path) -> anyhow::Result<Value> {
    let mut pack: Value = serde_json::from_slice(&fs::read(file)?)?;
    if let Some(members) = pack.as_object_mut() {
        members.remove("tenantId");
    }
    Ok(pack)
}

/// Registers a tenant with a context pack, without limits that a test would meet; also gives its administrator's token.
pub async fn register_tenant(owner: &Owner, id: &str, pack: &Value) -> anyhow::Result<(Site, String)> {
    let url = owner.api.as_str();
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    // What is done to another tenant, a person does.
    let mut person = owner.person.lock().await;
    let enrolled = match person.take() {
        Some(enrolled) => enrolled,
        None => Person::enrolled(url, &owner.token).await?,
    };
    let person = person.insert(enrolled);
    let tenant = person.call(Method::POST, "/tenants", &registration(id)).await?;
    let administrator = text(&tenant, "/enrollment/token");
    call(Method::PUT, url, &format!("/tenants/{id}/context-pack"), &administrator, pack).await?;
    person.call(Method::PUT, &format!("/tenants/{id}/limits"), &limits(|_| GENEROUS)).await?;
    let publishable_key = text(&tenant, "/publishableKey/key");
    let site = Site { api: url.to_owned(), tenant: id.parse()?, origin: origin(id), publishable_key };
    Ok((site, administrator))
}

impl Owner {
    /// Limits one scope of a tenant to so many requests in so many seconds, and no other so that a test would meet it. Once
    /// a tenant was registered, as only then there is a person.
    pub async fn limit(&self, id: &str, scope: &str, requests: u32, seconds: u32) -> anyhow::Result<()> {
        let mut person = self.person.lock().await;
        let person = person.as_mut().ok_or_else(|| anyhow::anyhow!("nobody of the owner is enrolled"))?;
        let limits = limits(|other| if other == scope { (requests, seconds) } else { GENEROUS });
        person.call(Method::PUT, &format!("/tenants/{id}/limits"), &limits).await?;
        Ok(())
    }
}

/// No test meets this.
const GENEROUS: (u32, u32) = (1_000_000, 1);

fn limits(of: impl Fn(&str) -> (u32, u32)) -> Value {
    let limit = |scope: &&str| {
        let (requests, seconds) = of(scope);
        json!({ "scope": scope, "requests": requests, "periodSeconds": seconds })
    };
    let limits: Vec<Value> =
        ["tenant", "site", "key", "session", "channel", "agent"].iter().map(limit).collect();
    json!({ "limits": limits, "quotas": [{ "kind": "messages", "monthly": 1_000_000_000 }] })
}

fn origin(id: &str) -> String {
    format!("https://{id}.example")
}

fn registration(id: &str) -> Value {
    json!({
        "tenantId": id, "tenantName": id, "contactEmail": "someone@shop.example", "websiteUrl": origin(id),
        "businessIndustry": "Shop", "origins": [origin(id)],
    })
}

async fn call(method: Method, url: &str, path: &str, bearer: &str, body: &Value) -> anyhow::Result<Value> {
    let status = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
    let request = http().request(method, format!("{url}{BASE}{path}")).bearer_auth(bearer).json(body);
    Ok(expect(status, request.send().await?).await?)
}
