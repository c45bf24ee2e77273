//! A tenant proves that a domain is its own, with a file that the domain serves.

use crate::{
    people::Browser,
    support::{Answer, App, Tenant},
};
use http::Method;
use misy_egress::{Egress, EgressSettings, Lookup, Names};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, pem::PemObject},
    },
};

const NAMES: [&str; 4] = ["business.example", "www.business.example", "evil.example", "inside.example"];

/// Web servers of several names on one port, each with one answer to everything.
struct Web {
    egress: Egress,
    answers: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

struct TestNames {
    port: u16,
}

impl Names for TestNames {
    fn addresses(&self, name: &str) -> Lookup {
        let found = NAMES.contains(&name).then(|| {
            let inside = name == "inside.example";
            vec![IpAddr::V4(if inside { Ipv4Addr::new(10, 0, 0, 1) } else { Ipv4Addr::LOCALHOST })]
        });
        Box::pin(async move { found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)) })
    }

    fn port(&self, _: &str) -> u16 {
        self.port
    }
}

impl Web {
    async fn start() -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let root = ca.self_signed(&ca_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let names = TestNames { port: listener.local_addr().unwrap().port() };
        let (answers, asked) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(Mutex::new(Vec::new())));
        let shared = (answers.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, (answers, asked)) = (acceptor.clone(), shared.clone());
                tokio::spawn(async move { serve(&acceptor, stream, &answers, &asked).await });
            }
        });
        let settings = EgressSettings {
            allow_loopback: true,
            extra_roots: Some(root.into_bytes()),
            ..EgressSettings::default()
        };
        Self { egress: Egress::with_names(settings, names).unwrap(), answers, asked }
    }

    /// From now on a name answers with this.
    fn says(&self, name: &str, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        );
        self.answers.lock().unwrap().insert(name.to_owned(), text);
    }
}

async fn serve(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    answers: &Mutex<BTreeMap<String, String>>,
    asked: &Mutex<Vec<String>>,
) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let mut lines = BufReader::new(stream).lines();
    let (mut path, mut host) = (String::new(), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
        if path.is_empty() {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
        } else if let Some(name) = line.to_ascii_lowercase().strip_prefix("host: ") {
            name.clone_into(&mut host);
        }
    }
    asked.lock().unwrap().push(format!("{host}{path}"));
    let nothing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned();
    let answer = answers.lock().unwrap().get(&host).cloned().unwrap_or(nothing);
    let mut stream = lines.into_inner().into_inner();
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn name(app: &App, by: &mut Browser, tenant: &Tenant, domain: &str) -> Answer {
    by.step_up(app).await;
    by.post(app, &tenant.path("/domains"), &json!({ "domain": domain })).await
}

async fn verify(app: &App, by: &mut Browser, tenant: &Tenant, domain: &str) -> Answer {
    by.order(app, Method::POST, &tenant.path(&format!("/domains/{domain}/verify"))).await
}

#[tokio::test]
async fn a_domain_is_proved_by_its_own_file_and_is_one_tenants() {
    let web = Web::start().await;
    let app = App::with_egress(web.egress.clone()).await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let mut ana = app.administrator(&andina, "ana@business.example").await;
    let mut vera = app.administrator(&verde, "vera@verde.example").await;
    let named = name(&app, &mut ana, &andina, "Business.Example").await.expect(201);
    assert_eq!((named.text("domain"), named.text("status")), ("business.example".into(), "pending".into()));
    assert_eq!(named.text("file"), "https://business.example/.well-known/misy-domain-verification.txt");
    let line = named.text("line");
    name(&app, &mut ana, &andina, "business.example").await.refused(409, "conflict");
    let refused = async |by: &mut Browser, tenant: &Tenant| {
        verify(&app, by, tenant, "business.example").await.refused(409, "domain_not_proved")
    };
    // Nothing there, another line, half of it, an answer that is no file, somebody else's server.
    refused(&mut ana, &andina).await;
    for body in ["", "misy-domain-verification=other", &line[..line.len() - 1], &format!("x{line}")] {
        web.says("business.example", "200 OK", "", body);
        refused(&mut ana, &andina).await;
    }
    web.says("business.example", "404 Not Found", "", &line);
    refused(&mut ana, &andina).await;
    let file = |host: &str| format!("https://{host}/.well-known/misy-domain-verification.txt");
    for name in ["evil.example", "www.business.example"] {
        web.says(name, "200 OK", "", &line);
    }
    for elsewhere in [file("evil.example"), "https://www.business.example/".into(), file("inside.example")] {
        web.says("business.example", "302 Found", &format!("location: {elsewhere}\r\n"), "");
        refused(&mut ana, &andina).await;
    }
    assert!(!web.asked.lock().unwrap().iter().any(|asked| asked.starts_with("evil")));
    // The same file under `www.` is the domain's own.
    let location = format!("location: {}\r\n", file("www.business.example"));
    web.says("business.example", "301 Moved Permanently", &location, "");
    let proved = verify(&app, &mut ana, &andina, "business.example").await.expect(200);
    assert_eq!(proved.text("status"), "proved");
    // Whoever comes second does not get it, whatever the file says.
    let other = name(&app, &mut vera, &verde, "business.example").await.expect(201).text("line");
    assert_ne!(other, line);
    web.says("business.example", "200 OK", "", &format!("{line}\r\n{other}\r\n"));
    verify(&app, &mut vera, &verde, "business.example").await.refused(409, "conflict");
    verify(&app, &mut ana, &andina, "business.example").await.expect(200);
    // Until the first one lets it go.
    ana.order(&app, Method::DELETE, &andina.path("/domains/business.example")).await.expect(204);
    verify(&app, &mut vera, &verde, "business.example").await.expect(200);
    let listed = vera.get(&app, &verde.path("/domains")).await.expect(200);
    assert_eq!(listed.body["items"][0]["status"], "proved");
    verify(&app, &mut ana, &andina, "business.example").await.refused(404, "not_found");
}

#[tokio::test]
async fn what_is_no_domain_is_not_named_and_nothing_inside_is_asked() {
    let web = Web::start().await;
    let app = App::with_egress(web.egress.clone()).await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, "ana@business.example").await;
    for domain in
        ["", "localhost", "127.0.0.1", "10.0.0.1:443", "a.example/x", "*.example", "[::1]", "x@a.example"]
    {
        name(&app, &mut ana, &andina, domain).await.refused(422, "validation_failed");
    }
    for domain in ["inside.example", "nowhere.example"] {
        name(&app, &mut ana, &andina, domain).await.expect(201);
        let refused = verify(&app, &mut ana, &andina, domain).await.refused(409, "domain_not_proved");
        // The answer does not tell which of them is a name inside.
        assert_eq!(refused.text("detail"), "The domain is not proved: the file cannot be read.");
    }
    assert!(web.asked.lock().unwrap().is_empty());
    // There is an end to it.
    for number in 2..50 {
        app.store
            .admin(format!(
                "insert into misy.email_domains values ('andina', 'd{number}.example', 'x', now())"
            ))
            .await
            .unwrap();
    }
    name(&app, &mut ana, &andina, "one-more.example").await.refused(409, "conflict");
}
