//! Connections of every kind to programs that end TLS themselves.

use anyhow::Context;
use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use misy_testkit::{
    authority::{Authority, Issued},
    program::Program,
};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

pub(crate) use misy_testkit::PATIENCE;

/// An answer, and the certificate of who gave it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) server: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// A caller that trusts one authority and may have a certificate.
pub(crate) struct Caller {
    config: Arc<ClientConfig>,
}

impl Caller {
    pub(crate) fn new(trusted: &Authority, own: Option<&Issued>) -> Self {
        Self { config: Arc::new(Self::config(trusted, own, rustls::ALL_VERSIONS)) }
    }

    pub(crate) fn config(
        trusted: &Authority,
        own: Option<&Issued>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(trusted.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                let chain = std::iter::once(&own.der).chain(&own.chain);
                let chain = chain.map(|der| CertificateDer::from(der.clone())).collect();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        }
    }

    /// A connection for many requests.
    pub(crate) async fn connect(&self, port: u16) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let name = ServerName::try_from("127.0.0.1")?;
        let stream = TlsConnector::from(self.config.clone()).connect(name, stream).await?;
        let connection = stream.get_ref().1;
        let server = connection.peer_certificates().context("no certificate")?[0].to_vec();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender, server })
    }

    /// One request on a connection of its own; an error when there is no TLS with the server.
    pub(crate) async fn send(&self, port: u16, request: Request<Body>) -> anyhow::Result<Answer> {
        self.connect(port).await?.send(request).await
    }

    pub(crate) async fn get(&self, port: u16, path: &str, bearer: Option<&str>) -> anyhow::Result<Answer> {
        self.send(port, request(Method::GET, port, path, bearer, None)).await
    }
}

/// A connection on which one request follows the other.
pub(crate) struct Connection {
    sender: http1::SendRequest<Body>,
    server: Vec<u8>,
}

impl Connection {
    pub(crate) async fn send(&mut self, request: Request<Body>) -> anyhow::Result<Answer> {
        let (parts, body) = self.open(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body, server: self.server.clone() })
    }

    /// The head of the answer, with a body that is yet to come.
    pub(crate) async fn open(&mut self, request: Request<Body>) -> anyhow::Result<Response<Incoming>> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}

pub(crate) fn request(
    method: Method,
    port: u16,
    path: &str,
    bearer: Option<&str>,
    body: Option<&Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", format!("127.0.0.1:{port}"));
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let body = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    request.body(body).unwrap()
}

/// The port of a program.
pub(crate) fn port_of(program: &Program) -> u16 {
    program.url.rsplit(':').next().unwrap().parse().unwrap()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !so().await {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Writes a certificate and its key where the program reads them; gives the paths.
pub(crate) fn write(dir: &Path, name: &str, issued: &Issued) -> (String, String) {
    let (certificate, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    std::fs::write(&key, &issued.key).unwrap();
    std::fs::write(&certificate, &issued.pem).unwrap();
    (certificate.display().to_string(), key.display().to_string())
}

pub(crate) fn write_text(dir: &Path, name: &str, text: &str) -> String {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}
