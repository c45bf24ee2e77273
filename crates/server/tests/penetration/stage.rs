//! The program on a database of its own, with an owner, two tenants and callers of every kind.

use crate::wire::{Answer, Request, SecureWire, Wire};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use misy_domain::{Clock, Entropy, Secret, SystemClock, Timestamp};
use misy_testkit::{
    authority::{Authority, GOOD},
    client::BASE,
    person::app_of,
    program::{BOOTSTRAP_SECRET, Program, Start},
    store::{TestStore, test_store},
};
use misy_trust::{RequestKey, SignedRequest, SystemEntropy, TotpSecret, request_signature, sha256};
use serde_json::{Value, json};
use std::{collections::HashMap, net::SocketAddr, sync::Mutex, time::Duration};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "tres tristes tigres";
pub(crate) const PUBLIC_URL: &str = "https://api.misy.example";
pub(crate) const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
pub(crate) const SESSION_COOKIE: &str = "__Host-misy_session";

/// The running program.
pub(crate) struct Stage {
    pub(crate) wire: Wire,
    pub(crate) owner: Tenant,
    /// Whoever attacks has everything that this tenant gives.
    pub(crate) andina: Tenant,
    /// The victim.
    pub(crate) verde: Tenant,
    /// Who administers a tenant, once somebody enrolled there.
    people: Mutex<HashMap<String, Person>>,
    program: Program,
    pub(crate) store: TestStore,
    pub(crate) dir: TempDir,
}

/// A tenant with its credentials.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) origin: String,
    pub(crate) publishable_key: String,
    pub(crate) secret_id: String,
    pub(crate) secret: RequestKey,
    pub(crate) administrator: String,
}

/// A token with the key that signs its requests.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) key: RequestKey,
    pub(crate) origin: Option<String>,
}

/// Somebody in a browser, signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) user_id: String,
    pub(crate) session_id: String,
    pub(crate) totp: TotpSecret,
}

pub(crate) fn key_of(text: &str) -> RequestKey {
    RequestKey::new(Secret::new(BASE64.decode(text).unwrap().try_into().unwrap()))
}

pub(crate) fn nonce() -> String {
    let mut bytes = [0; 16];
    SystemEntropy::new().fill(&mut bytes);
    BASE64.encode(bytes)
}

pub(crate) fn registration(id: &str) -> Value {
    json!({
        "tenantId": id, "tenantName": id, "contactEmail": "someone@shop.example",
        "websiteUrl": format!("https://{id}.example"), "businessIndustry": "Shop",
    })
}

impl Tenant {
    fn of(answer: &Answer) -> Self {
        Self {
            id: answer.text("/tenantId"),
            origin: answer.text("/site/origins/0"),
            publishable_key: answer.text("/publishableKey/key"),
            secret_id: answer.text("/tenantSecret/keyId"),
            secret: key_of(&answer.text("/tenantSecret/secret")),
            administrator: answer.text("/enrollment/token"),
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{BASE}/tenants/{}{rest}", self.id)
    }
}

impl Token {
    /// Signs a request as it stands, now.
    pub(crate) fn sign(&self, request: Request) -> Request {
        let request = match &self.origin {
            Some(origin) => request.set("origin", origin),
            None => request,
        };
        let request = request.bearer(&self.text);
        signed(&self.key, Some(&self.text), request, SystemClock.unix_seconds())
    }
}

/// Signs a request at a time.
pub(crate) fn signed(key: &RequestKey, token: Option<&str>, request: Request, seconds: i64) -> Request {
    signed_at(key, token, request, &seconds.to_string(), &nonce())
}

/// Signs a request with whatever stands for a time and a nonce.
pub(crate) fn signed_at(
    key: &RequestKey,
    token: Option<&str>,
    request: Request,
    timestamp: &str,
    nonce: &str,
) -> Request {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let host = request.value("host").unwrap_or_default();
    let canonical = SignedRequest {
        method: &request.method,
        host: &host,
        path,
        query,
        body_sha256: sha256(&request.body),
        timestamp,
        nonce,
        token_sha256: token.map(|token| sha256(token.as_bytes())),
    };
    let signature =
        request_signature::sign(key, &canonical).unwrap_or_else(|_| format!("v1={}", "0".repeat(64)));
    request.set("x-misy-timestamp", timestamp).set("x-misy-nonce", nonce).set("x-misy-signature", signature)
}

impl Person {
    /// A request as a page of the installation makes it.
    pub(crate) fn sends(&self, request: Request) -> Request {
        request
            .set("cookie", format!("{SESSION_COOKIE}={}", self.cookie))
            .set("origin", PUBLIC_URL)
            .set("sec-fetch-site", "same-origin")
            .set("x-misy-csrf", &self.csrf)
    }
}

/// A page of the installation, without a session.
pub(crate) fn from_own_page(request: Request) -> Request {
    request.set("origin", PUBLIC_URL).set("sec-fetch-site", "same-origin")
}

/// The value that an answer gives a cookie.
pub(crate) fn cookie_of(answer: &Answer, name: &str) -> Option<String> {
    let texts = answer.headers.iter().filter(|(known, _)| known == "set-cookie");
    let mut texts = texts.map(|(_, text)| String::from_utf8_lossy(text).into_owned());
    texts.find_map(|text| {
        let (known, rest) = text.split_once('=')?;
        (known == name).then(|| rest.split(';').next().unwrap_or_default().to_owned())
    })
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The program with other settings than usual.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let store = test_store().await.unwrap();
        // Short, because a Unix socket's path must be.
        let dir = tempfile::Builder::new().prefix("misy-p").tempdir_in("/tmp").unwrap();
        let (program, wire) = replica(&store, &dir, "a", settings).await;
        let bare = |path: &str| Request::new("POST", format!("{BASE}{path}"));
        let owner =
            bare("/tenants/register/owner").bearer(BOOTSTRAP_SECRET).json(&registration("colombiatic"));
        let owner = Tenant::of(&wire.send(&owner).await.expect(201));
        let andina = registered(&store, &wire, &owner, "andina").await;
        let verde = registered(&store, &wire, &owner, "verde-cafe").await;
        Self { wire, owner, andina, verde, people: Mutex::default(), program, store, dir }
    }

    /// A second process on the same database.
    pub(crate) async fn another_with(&self, settings: &[(&str, &str)]) -> (Program, Wire) {
        replica(&self.store, &self.dir, "b", settings).await
    }

    /// A second process on the same database that ends TLS itself, and where it listens.
    pub(crate) async fn another_over_tls(&self, settings: &[(&str, &str)]) -> (Program, SecureWire) {
        let authority = Authority::new("servers").unwrap();
        let issued = authority.issue("b", GOOD).unwrap();
        let (certificate, key) = (self.dir.path().join("b.pem"), self.dir.path().join("b.key"));
        std::fs::write(&key, &issued.key).unwrap();
        std::fs::write(&certificate, &issued.pem).unwrap();
        let mut start = start(&self.store, &self.dir, "b", settings)
            .with("MISY_TLS_CERTIFICATE", certificate.display().to_string())
            .with("MISY_TLS_KEY", key.display().to_string());
        start = start.with("MISY_WORKER", "off");
        let program = start.spawn().unwrap();
        let address = program.url.strip_prefix("http://").unwrap().parse().unwrap();
        let wire = SecureWire::new(address, &authority.pem);
        let ready = async {
            while wire.connect(None).await.is_err() {
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(2), ready).await.expect("the program is ready");
        (program, wire)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(crate) async fn send(&self, request: Request) -> Answer {
        self.wire.send(&request).await
    }

    /// A tenant without limits that a test would meet.
    pub(crate) async fn register(&self, id: &str) -> Tenant {
        let path = format!("{BASE}/tenants/register");
        let answer = self.manage(&self.owner, "POST", &path, Some(&registration(id))).await;
        let tenant = Tenant::of(&answer.expect(201));
        self.govern("PUT", &tenant.path("/limits"), &without_limits()).await.expect(200);
        tenant
    }

    /// What somebody of the owner does to a tenant, with a second factor of just now and a reason.
    pub(crate) async fn govern(&self, method: &str, path: &str, body: &Value) -> Answer {
        govern(&self.store, &self.wire, &self.owner, Request::new(method, path).json(body)).await
    }

    /// What is asked of a tenant's administrator: with the token of the registration and, where that is not enough or not good
    /// any more, by a person with a fresh second factor.
    pub(crate) async fn manage(
        &self,
        who: &Tenant,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let request = Request::new(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = self.send(request.clone().bearer(&who.administrator)).await;
        if answer.status != 401 {
            return answer;
        }
        let known = self.people.lock().unwrap().get(&who.id).cloned();
        let person = match known {
            Some(person) => person,
            None => self.person(who, &format!("somebody@{}.example", who.id)).await,
        };
        // Asked for where it is done to another tenant.
        let request = request.set("x-misy-reason", "to%20set%20a%20test%20up");
        self.send(person.sends(request)).await
    }

    /// A browser's token.
    pub(crate) async fn browser(&self, tenant: &Tenant) -> Token {
        let answer = self.send(mint_request(tenant)).await.expect(201);
        let (text, key) = (answer.text("/token"), key_of(&answer.text("/signingKey")));
        Token { text, key, origin: Some(tenant.origin.clone()) }
    }

    /// A server's token that allows something.
    pub(crate) async fn server(&self, tenant: &Tenant, permissions: &[&str]) -> Token {
        let body = json!({ "siteId": "main", "permissions": permissions });
        let request = Request::new("POST", format!("{BASE}/tokens")).header("x-misy-key", &tenant.secret_id);
        let request = signed(&tenant.secret, None, request.json(&body), SystemClock.unix_seconds());
        let answer = self.send(request).await.expect(201);
        Token { text: answer.text("/token"), key: tenant.secret.clone(), origin: None }
    }

    pub(crate) async fn session(&self, token: &Token) -> String {
        let request = Request::new("POST", format!("{BASE}/sessions")).json(&json!({ "channel": "web" }));
        self.send(token.sign(request)).await.expect(201).text("/sessionId")
    }

    pub(crate) async fn say(&self, token: &Token, session: &str, text: &str) -> Answer {
        let body = json!({ "sessionId": session, "channel": "web", "text": text });
        self.send(token.sign(Request::new("POST", format!("{BASE}/messages")).json(&body))).await
    }

    /// An administrator of a tenant, with an authenticator app, signed in with both factors: the first one enrols, others are
    /// invited by them.
    pub(crate) async fn person(&self, tenant: &Tenant, email: &str) -> Person {
        let first = self.people.lock().unwrap().get(&tenant.id).cloned();
        let request = if let Some(first) = &first {
            let roles = if tenant.id == self.owner.id { json!(["owner", "admin"]) } else { json!(["admin"]) };
            let body = json!({ "email": email, "name": "Ana Rojas", "roles": roles });
            let request = Request::new("POST", tenant.path("/users")).json(&body);
            let token = self.send(first.sends(request)).await.expect(201).text("/invitation/token");
            let body = json!({ "token": token, "password": PASSWORD });
            Request::new("POST", format!("{BASE}/auth/invitations/accept")).json(&body)
        } else {
            let body = json!({
                "token": tenant.administrator, "email": email, "name": "Ana Rojas", "password": PASSWORD
            });
            Request::new("POST", format!("{BASE}/auth/enroll")).json(&body)
        };
        let answer = self.send(from_own_page(request)).await.expect(200);
        let mut person = Person {
            cookie: cookie_of(&answer, SESSION_COOKIE).unwrap(),
            csrf: answer.text("/csrfToken"),
            user_id: answer.text("/user/userId"),
            session_id: answer.text("/sessionId"),
            totp: TotpSecret::new(&[0; 20]).unwrap(),
        };
        let proposal =
            self.send(person.sends(Request::new("POST", format!("{BASE}/auth/totp")))).await.expect(200);
        person.totp = app_of(&proposal.text("/secret")).unwrap();
        // A code counts once and a phone's clock may be half a minute off: so there are codes before and after this one.
        let body = json!({ "code": person.totp.code_at(seconds_from_now(-30)) });
        let request = Request::new("POST", format!("{BASE}/auth/totp/confirm")).json(&body);
        let confirmed = self.send(person.sends(request)).await.expect(200);
        person.take(&confirmed);
        if first.is_none() {
            self.people.lock().unwrap().insert(tenant.id.clone(), person.clone());
        }
        person
    }

    /// What the superuser of the database sees.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let mut admin = self.store.connect_as("postgres").await.unwrap();
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut admin).await.unwrap()
    }

    /// What is stored of a tenant, table by table, but for what the program counts and writes down by itself.
    pub(crate) async fn rows_of(&self, tenant: &Tenant) -> Vec<(String, String)> {
        let mut admin = self.store.connect_as("postgres").await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "select table_name::text from information_schema.columns
             where table_schema = 'misy' and column_name = 'tenant_id'
               and table_name !~ '^(audit|usage|quota|rate_limits|refusals)' order by 1",
        )
        .fetch_all(&mut admin)
        .await
        .unwrap();
        let mut rows = Vec::new();
        for table in tables {
            let sql = format!(
                "select coalesce(string_agg(t::text, E'\n' order by t::text), '') from misy.{table} t
                 where tenant_id = '{}'",
                tenant.id
            );
            let text: String =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut admin).await.unwrap();
            rows.push((table, text));
        }
        rows
    }

    /// Everything works as before.
    pub(crate) async fn is_well(&self) {
        self.send(Request::new("GET", "/health/ready")).await.expect(200);
        let verde = self.manage(&self.verde, "GET", &self.verde.path(""), None).await.expect(200);
        assert_eq!(verde.text("/tenantName"), "verde-cafe");
    }
}

impl Person {
    /// Takes what an answer sets.
    pub(crate) fn take(&mut self, answer: &Answer) {
        if let Some(cookie) = cookie_of(answer, SESSION_COOKIE) {
            self.cookie = cookie;
        }
        if let Some(csrf) = answer.json()["csrfToken"].as_str() {
            csrf.clone_into(&mut self.csrf);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.program.kill();
    }
}

pub(crate) fn seconds_from_now(seconds: i64) -> Timestamp {
    Timestamp::from_second(SystemClock.unix_seconds() + seconds).unwrap()
}

pub(crate) fn mint_request(tenant: &Tenant) -> Request {
    Request::new("POST", format!("{BASE}/tokens"))
        .header("x-api-key", &tenant.publishable_key)
        .header("origin", &tenant.origin)
        .json(&json!({ "siteId": "main" }))
}

async fn govern(store: &TestStore, wire: &Wire, owner: &Tenant, request: Request) -> Answer {
    let token = store.session_of_owner(&owner.id.parse().unwrap()).await.unwrap();
    let request = request
        .set("cookie", format!("{SESSION_COOKIE}={}", token.text()))
        .set("origin", PUBLIC_URL)
        .set("sec-fetch-site", "same-origin")
        .set("x-misy-csrf", token.csrf_token())
        .set("x-misy-reason", "to%20set%20a%20test%20up");
    wire.send(&request).await
}

async fn registered(store: &TestStore, wire: &Wire, owner: &Tenant, id: &str) -> Tenant {
    let request = Request::new("POST", format!("{BASE}/tenants/register")).bearer(&owner.administrator);
    let tenant = Tenant::of(&wire.send(&request.json(&registration(id))).await.expect(201));
    let request = Request::new("PUT", tenant.path("/limits")).json(&without_limits());
    govern(store, wire, owner, request).await.expect(200);
    tenant
}

fn without_limits() -> Value {
    let limits: Vec<Value> = ["tenant", "site", "key", "session", "channel"]
        .iter()
        .map(|scope| json!({ "scope": scope, "requests": 1_000_000, "periodSeconds": 1 }))
        .collect();
    let quotas = json!([{ "kind": "messages", "monthly": 1_000_000_000 }]);
    json!({ "limits": limits, "quotas": quotas })
}

async fn replica(store: &TestStore, dir: &TempDir, name: &str, settings: &[(&str, &str)]) -> (Program, Wire) {
    let start = start(store, dir, name, settings);
    let mut program = start.spawn().unwrap();
    assert!(program.ready(Duration::from_mins(2)).await, "see {}", start.log().display());
    let address: SocketAddr = program.url.strip_prefix("http://").unwrap().parse().unwrap();
    (program, Wire { address })
}

fn start(store: &TestStore, dir: &TempDir, name: &str, settings: &[(&str, &str)]) -> Start {
    let options = store.options("postgres");
    let (socket, database) = (options.get_socket().unwrap(), options.get_database().unwrap());
    let (socket, port) = (socket.display(), options.get_port());
    let url = format!("postgresql:///{database}?host={socket}&port={port}&user=postgres");
    let data = dir.path().join(name);
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), &data)
        .unwrap()
        .with("MISY_LOG", "warn")
        .with("MISY_DATABASE_URL", url)
        .with("MISY_PUBLIC_URL", PUBLIC_URL)
        .with("MISY_ROOT_KEY", ROOT_KEY)
        .with("MISY_TRUSTED_PROXIES", "1")
        // Made and used in no time, which RSA keys are not in a build without optimisation.
        .with("MISY_TOKEN_ALGORITHM", "EdDSA");
    settings.iter().fold(start, |start, (name, value)| start.with(name, *value))
}
