//! The public address with TLS, and certificates of tenants' servers.

use crate::support::{Caller, eventually, port_of, request, write, write_text};
use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hyper::{Method, Request};
use misy_domain::{Clock, Entropy, Secret, SystemClock};
use misy_testkit::{
    authority::{Authority, GOOD, Issued, NOT_BEGUN, OVER},
    client::BASE,
    program::{BOOTSTRAP_SECRET, Program, Start},
};
use misy_trust::{RequestKey, SignedRequest, SystemEntropy, request_signature, sha256};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) struct Stage {
    pub(crate) dir: TempDir,
    pub(crate) servers: Authority,
    pub(crate) clients: Authority,
    pub(crate) revoked: Issued,
    pub(crate) program: Program,
    pub(crate) port: u16,
}

/// A program that ends TLS and asks for client certificates.
pub(crate) async fn stage() -> Stage {
    let clients = Authority::new("clients").unwrap();
    let revoked = clients.issue("revoked", GOOD).unwrap();
    let list = clients.revoke(&[&revoked]).unwrap();
    stage_of(clients, revoked, &list).await
}

/// The same with the lists of one's own.
pub(crate) async fn stage_of(clients: Authority, revoked: Issued, lists: &str) -> Stage {
    // Short, because a Unix socket's path must be.
    let dir = tempfile::Builder::new().prefix("misy-t").tempdir_in("/tmp").unwrap();
    let servers = Authority::new("servers").unwrap();
    let (certificate, key) = write(dir.path(), "server", &servers.issue("first", GOOD).unwrap());
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), dir.path().join("a"))
        .unwrap()
        .with("MISY_LOG", "info")
        .with("MISY_TLS_CERTIFICATE", certificate)
        .with("MISY_TLS_KEY", key)
        .with("MISY_TLS_CLIENT_CA", write_text(dir.path(), "clients.pem", &clients.pem))
        .with("MISY_TLS_CLIENT_CRL", write_text(dir.path(), "clients.crl", lists));
    let program = start.spawn().unwrap();
    let port = port_of(&program);
    let caller = Caller::new(&servers, None);
    eventually("the program is ready", async || {
        caller.get(port, "/health/ready", None).await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
    Stage { dir, servers, clients, revoked, program, port }
}

pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) administrator: String,
    secret_id: String,
    secret: RequestKey,
    /// Another secret, of a server that manages and never needs a certificate.
    manager: Option<Box<Tenant>>,
}

fn key_of(text: &str) -> RequestKey {
    RequestKey::new(Secret::new(BASE64.decode(text).unwrap().try_into().unwrap()))
}

impl Stage {
    pub(crate) async fn manage(
        &self,
        method: Method,
        path: &str,
        bearer: &str,
        body: &Value,
    ) -> (u16, Value) {
        let caller = Caller::new(&self.servers, None);
        let path = format!("{BASE}{path}");
        let answer =
            caller.send(self.port, request(method, self.port, &path, Some(bearer), Some(body))).await;
        let answer = answer.unwrap();
        (answer.status.as_u16(), answer.json())
    }

    pub(crate) async fn register(&self, path: &str, bearer: &str, id: &str) -> Tenant {
        let body = json!({
            "tenantId": id, "tenantName": id, "contactEmail": "someone@shop.example",
            "websiteUrl": format!("https://{id}.example"), "businessIndustry": "Shop",
        });
        let (status, answer) = self.manage(Method::POST, path, bearer, &body).await;
        assert_eq!(status, 201, "{answer}");
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let tenant = Tenant {
            id: text("/tenantId"),
            administrator: text("/enrollment/token"),
            secret_id: text("/tenantSecret/keyId"),
            secret: key_of(&text("/tenantSecret/secret")),
            manager: None,
        };
        let body = json!({ "name": "management", "overlapSeconds": 2_592_000 });
        let path = format!("/tenants/{}/secrets", tenant.id);
        let (status, made) = self.by_server(&tenant, Method::POST, &path, &body).await;
        assert_eq!(status, 201, "{made}");
        let manager = Tenant {
            id: tenant.id.clone(),
            administrator: tenant.administrator.clone(),
            secret_id: made["keyId"].as_str().unwrap().to_owned(),
            secret: key_of(made["secret"].as_str().unwrap()),
            manager: None,
        };
        Tenant { manager: Some(Box::new(manager)), ..tenant }
    }

    pub(crate) async fn bind(&self, tenant: &Tenant, certificate: &Issued) -> String {
        let body = json!({ "name": "backend", "certificate": certificate.pem });
        let path = format!("/tenants/{}/certificates", tenant.id);
        let (status, answer) = self.by_server(tenant, Method::POST, &path, &body).await;
        assert_eq!(status, 201, "{answer}");
        answer["certificateId"].as_str().unwrap().to_owned()
    }

    /// The owner and one tenant whose secret needs a certificate.
    pub(crate) async fn tenants(&self) -> (Tenant, Tenant) {
        let owner = self.register("/tenants/register/owner", BOOTSTRAP_SECRET, "colombiatic").await;
        let andina = self.register("/tenants/register", &owner.administrator, "andina").await;
        let path = format!("/tenants/andina/secrets/{}", andina.secret_id);
        let needs = json!({ "needsCertificate": true });
        assert_eq!(self.by_server(&andina, Method::PATCH, &path, &needs).await.0, 204);
        (owner, andina)
    }

    /// A management call by a server of the tenant without a client certificate.
    pub(crate) async fn by_server(
        &self,
        tenant: &Tenant,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let tenant = tenant.manager.as_deref().unwrap_or(tenant);
        let caller = Caller::new(&self.servers, None);
        let minted = caller.send(self.port, self.signed(tenant, None)).await.unwrap().json();
        let token = minted["token"].as_str().unwrap();
        let request = self.signed_call(tenant, Some(token), method, path, Some(body));
        let answer = caller.send(self.port, request).await.unwrap();
        (answer.status.as_u16(), answer.json())
    }

    /// A request for a token, signed with the tenant secret, or a read with a token.
    pub(crate) fn signed(&self, tenant: &Tenant, token: Option<&str>) -> Request<Body> {
        let body = json!({ "siteId": "main", "permissions": ["tenant:manage", "chat:read", "chat:write"] });
        match token {
            None => self.signed_call(tenant, None, Method::POST, "/tokens", Some(&body)),
            Some(_) => self.signed_call(tenant, token, Method::GET, &format!("/tenants/{}", tenant.id), None),
        }
    }

    /// Any request that the tenant secret signs.
    pub(crate) fn signed_call(
        &self,
        tenant: &Tenant,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Request<Body> {
        let path = format!("{BASE}{path}");
        let text = body.map(ToString::to_string).unwrap_or_default();
        let timestamp = SystemClock.unix_seconds().to_string();
        let mut nonce = [0; 16];
        SystemEntropy::new().fill(&mut nonce);
        let nonce = BASE64.encode(nonce);
        let host = format!("127.0.0.1:{}", self.port);
        let signed = SignedRequest {
            method: method.as_str(),
            host: &host,
            path: &path,
            query: "",
            body_sha256: sha256(text.as_bytes()),
            timestamp: &timestamp,
            nonce: &nonce,
            token_sha256: token.map(|token| sha256(token.as_bytes())),
        };
        let signature = request_signature::sign(&tenant.secret, &signed).unwrap();
        let mut request = request(method, self.port, &path, token, body);
        for (name, value) in [
            ("x-misy-timestamp", timestamp),
            ("x-misy-nonce", nonce),
            ("x-misy-signature", signature),
            ("x-misy-key", tenant.secret_id.clone()),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_certificates_count_over_real_connections() {
    let mut stage = stage().await;
    let (servers, clients, port) = (&stage.servers, &stage.clients, stage.port);
    let owner = stage.register("/tenants/register/owner", BOOTSTRAP_SECRET, "colombiatic").await;
    let andina = stage.register("/tenants/register", &owner.administrator, "andina").await;
    let verde = stage.register("/tenants/register", &owner.administrator, "verde-cafe").await;
    let (own, theirs) = (clients.issue("own", GOOD).unwrap(), clients.issue("theirs", GOOD).unwrap());
    let bound = stage.bind(&andina, &own).await;
    stage.bind(&andina, &stage.revoked).await;
    stage.bind(&verde, &theirs).await;
    let path = format!("/tenants/andina/secrets/{}", andina.secret_id);
    let needs = json!({ "needsCertificate": true });
    assert_eq!(stage.by_server(&andina, Method::PATCH, &path, &needs).await.0, 204);

    let mint = async |caller: &Caller| caller.send(port, stage.signed(&andina, None)).await;
    let outcome = async |caller: &Caller| mint(caller).await.unwrap().outcome();
    let bare = Caller::new(servers, None);
    let caller = Caller::new(servers, Some(&own));
    assert_eq!(outcome(&bare).await, (401, "certificate_required".into()));
    assert_eq!(outcome(&Caller::new(servers, Some(&theirs))).await, (401, "certificate_invalid".into()));
    let unbound = clients.issue("unbound", GOOD).unwrap();
    assert_eq!(outcome(&Caller::new(servers, Some(&unbound))).await, (401, "certificate_invalid".into()));

    // What is not good for anything does not get through the handshake, not even to what is open to everybody.
    let elsewhere = Authority::new("clients").unwrap().issue("own", GOOD).unwrap();
    let over = clients.renew(&own, "own", OVER).unwrap();
    let not_begun = clients.renew(&own, "own", NOT_BEGUN).unwrap();
    for (what, bad) in [
        ("other authority", &elsewhere),
        ("over", &over),
        ("not begun", &not_begun),
        ("revoked", &stage.revoked),
    ] {
        let caller = Caller::new(servers, Some(bad));
        assert!(caller.get(port, "/health/live", None).await.is_err(), "{what} gets in");
    }

    let answer = mint(&caller).await.unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let read = async |caller: &Caller| {
        caller.send(port, stage.signed(&andina, Some(&token))).await.unwrap().outcome()
    };
    assert_eq!(read(&caller).await, (200, String::new()));
    assert_eq!(read(&bare).await, (401, "certificate_required".into()));
    assert_eq!(read(&Caller::new(servers, Some(&unbound))).await, (401, "certificate_invalid".into()));
    // Another certificate of the same key is another certificate to a token, and as good as the first for a new one.
    let renewed = Caller::new(servers, Some(&clients.renew(&own, "own", GOOD).unwrap()));
    assert_eq!(read(&renewed).await, (401, "certificate_invalid".into()));
    assert_eq!(mint(&renewed).await.unwrap().status, 201);
    // A header that some proxies write proves nothing.
    let mut told = stage.signed(&andina, None);
    told.headers_mut().insert("x-forwarded-client-cert", "Hash=00".parse().unwrap());
    assert_eq!(bare.send(port, told).await.unwrap().outcome(), (401, "certificate_required".into()));

    let path = format!("/tenants/andina/certificates/{bound}");
    let revoke = stage.signed_call(&andina, Some(&token), Method::DELETE, &path, None);
    assert_eq!(caller.send(port, revoke).await.unwrap().status, 204);
    assert_eq!(read(&caller).await, (401, "certificate_invalid".into()));
    assert_eq!(outcome(&caller).await, (401, "certificate_invalid".into()));
    stage.program.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_exchanged_while_the_program_runs_and_nobody_waits_for_a_handshake() {
    let mut stage = stage().await;
    let port = stage.port;
    let caller = Caller::new(&stage.servers, None);
    let first = caller.get(port, "/health/live", None).await.unwrap();
    assert_eq!(first.headers["strict-transport-security"], "max-age=31536000");

    // Connections that begin no handshake hold nobody up.
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap());
    }
    assert_eq!(caller.get(port, "/health/live", None).await.unwrap().status, 200);
    drop(silent);
    // Without TLS nothing is answered.
    let mut plain = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    plain.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP"), "{said:?}");

    let second = stage.servers.issue("second", GOOD).unwrap();
    write(stage.dir.path(), "server", &second);
    eventually("the new certificate is shown", async || {
        caller.get(port, "/health/live", None).await.unwrap().server == second.der
    })
    .await;
    assert_ne!(first.server, second.der);

    // A file that is none changes nothing, nor does a key of another certificate; SIGHUP asks for a look at once.
    write_text(stage.dir.path(), "server.pem", "-----BEGIN CERTIFICATE-----\nnothing\n");
    let pid = stage.program.pid().to_string();
    std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    let log = stage.dir.path().join(format!("a.{port}.log"));
    eventually("the log tells of it", async || {
        std::fs::read_to_string(&log).unwrap().contains("the old ones stay in force")
    })
    .await;
    assert_eq!(caller.get(port, "/health/live", None).await.unwrap().server, second.der);
    let third = stage.servers.issue("third", GOOD).unwrap();
    write(stage.dir.path(), "server", &third);
    std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    eventually("the third certificate is shown", async || {
        caller.get(port, "/health/live", None).await.unwrap().server == third.der
    })
    .await;
    stage.program.stop().unwrap();
}
