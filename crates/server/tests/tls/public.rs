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

struct Stage {
    dir: TempDir,
    servers: Authority,
    clients: Authority,
    revoked: Issued,
    program: Program,
    port: u16,
}

/// A program that ends TLS and asks for client certificates.
async fn stage() -> Stage {
    // Short, because a Unix socket's path must be.
    let dir = tempfile::Builder::new().prefix("misy-t").tempdir_in("/tmp").unwrap();
    let (servers, clients) = (Authority::new("servers").unwrap(), Authority::new("clients").unwrap());
    let revoked = clients.issue("revoked", GOOD).unwrap();
    let (certificate, key) = write(dir.path(), "server", &servers.issue("first", GOOD).unwrap());
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), dir.path().join("a"))
        .unwrap()
        .with("MISY_LOG", "info")
        .with("MISY_TLS_CERTIFICATE", certificate)
        .with("MISY_TLS_KEY", key)
        .with("MISY_TLS_CLIENT_CA", write_text(dir.path(), "clients.pem", &clients.pem))
        .with(
            "MISY_TLS_CLIENT_CRL",
            write_text(dir.path(), "clients.crl", &clients.revoke(&[&revoked]).unwrap()),
        );
    let program = start.spawn().unwrap();
    let port = port_of(&program);
    let caller = Caller::new(&servers, None);
    eventually("the program is ready", async || {
        caller.get(port, "/health/ready", None).await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
    Stage { dir, servers, clients, revoked, program, port }
}

struct Tenant {
    id: String,
    administrator: String,
    secret_id: String,
    secret: RequestKey,
}

impl Stage {
    async fn manage(&self, method: Method, path: &str, bearer: &str, body: &Value) -> (u16, Value) {
        let caller = Caller::new(&self.servers, None);
        let path = format!("{BASE}{path}");
        let answer =
            caller.send(self.port, request(method, self.port, &path, Some(bearer), Some(body))).await;
        let answer = answer.unwrap();
        (answer.status.as_u16(), answer.json())
    }

    async fn register(&self, path: &str, bearer: &str, id: &str) -> Tenant {
        let body = json!({
            "tenantId": id, "tenantName": id, "contactEmail": "someone@shop.example",
            "websiteUrl": format!("https://{id}.example"), "businessIndustry": "Shop",
        });
        let (status, answer) = self.manage(Method::POST, path, bearer, &body).await;
        assert_eq!(status, 201, "{answer}");
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let secret: [u8; 32] = BASE64.decode(text("/tenantSecret/secret")).unwrap().try_into().unwrap();
        Tenant {
            id: text("/tenantId"),
            administrator: text("/enrollment/token"),
            secret_id: text("/tenantSecret/keyId"),
            secret: RequestKey::new(Secret::new(secret)),
        }
    }

    async fn bind(&self, tenant: &Tenant, certificate: &Issued) -> String {
        let body = json!({ "name": "backend", "certificate": certificate.pem });
        let path = format!("/tenants/{}/certificates", tenant.id);
        let (status, answer) = self.by_server(tenant, Method::POST, &path, &body).await;
        assert_eq!(status, 201, "{answer}");
        answer["certificateId"].as_str().unwrap().to_owned()
    }

    /// A management call by a server of the tenant, without a client certificate.
    async fn by_server(&self, tenant: &Tenant, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let caller = Caller::new(&self.servers, None);
        let minted = caller.send(self.port, self.signed(tenant, None)).await.unwrap().json();
        let token = minted["token"].as_str().unwrap();
        let path = format!("{BASE}{path}");
        let request = self.signed_call(tenant, Some(token), method, &path, Some(body));
        let answer = caller.send(self.port, request).await.unwrap();
        (answer.status.as_u16(), answer.json())
    }

    /// A request for a token, signed with the tenant secret, or a read with a token.
    fn signed(&self, tenant: &Tenant, token: Option<&str>) -> Request<Body> {
        let (method, path) = match token {
            None => (Method::POST, format!("{BASE}/tokens")),
            Some(_) => (Method::GET, format!("{BASE}/tenants/{}", tenant.id)),
        };
        let body = json!({ "siteId": "main", "permissions": ["tenant:manage"] });
        self.signed_call(tenant, token, method, &path, token.is_none().then_some(&body))
    }

    fn signed_call(
        &self,
        tenant: &Tenant,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Request<Body> {
        let text = body.as_ref().map(ToString::to_string).unwrap_or_default();
        let timestamp = SystemClock.unix_seconds().to_string();
        let mut nonce = [0; 16];
        SystemEntropy::new().fill(&mut nonce);
        let nonce = BASE64.encode(nonce);
        let host = format!("127.0.0.1:{}", self.port);
        let signed = SignedRequest {
            method: method.as_str(),
            host: &host,
            path,
            query: "",
            body_sha256: sha256(text.as_bytes()),
            timestamp: &timestamp,
            nonce: &nonce,
            token_sha256: token.map(|token| sha256(token.as_bytes())),
        };
        let signature = request_signature::sign(&tenant.secret, &signed).unwrap();
        let mut request = request(method, self.port, path, token, body);
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

    let path = format!("{BASE}/tenants/andina/certificates/{bound}");
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
