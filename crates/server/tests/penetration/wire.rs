//! HTTP/1.1 as an attacker writes it.

use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, pem::PemObject},
    },
};

pub(crate) use misy_testkit::PATIENCE;

/// What the program believes to be called.
pub(crate) const HOST: &str = "api.misy.example";

/// A request, exactly as it will be sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: impl Into<String>) -> Self {
        let headers = vec![("host".to_owned(), HOST.into())];
        Self { method: method.to_owned(), target: target.into(), headers, body: Vec::new() }
    }

    /// One header more, whatever is there already.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// A header in place of those of its name.
    pub(crate) fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).header(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(&found.1).into_owned())
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.set("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.set("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// What goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        let framed = self.value("content-length").or_else(|| self.value("transfer-encoding")).is_some();
        if !framed && !self.body.is_empty() {
            line("content-length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer that was read whole; of a live stream, its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status, self.code())
    }

    pub(crate) fn text(&self, pointer: &str) -> String {
        let json = self.json();
        let found = json.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no {pointer} in {}", self.shown())).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(&found.1).into_owned())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.shown());
        self
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, &*self.code()), (status, code), "{}", self.shown());
    }
}

/// Reads one answer off the front of what came; `None` while it is not whole.
fn first(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut lines =
        bytes[..end].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = std::str::from_utf8(lines.next()?).ok()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').expect("a header line has a colon");
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    let rest = &bytes[end + 4..];
    let streams = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
    if streams || matches!(status, 100..200 | 204 | 304) {
        return Some((answer, end + 4));
    }
    if answer.header("transfer-encoding").is_some() {
        let (body, used) = chunks(rest)?;
        answer.body = body;
        return Some((answer, end + 4 + used));
    }
    let length: usize = answer.header("content-length")?.parse().ok()?;
    answer.body = rest.get(..length)?.to_vec();
    Some((answer, end + 4 + length))
}

fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes[at..].windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).ok()?, 16).ok()?;
        at += line + 2;
        body.extend_from_slice(bytes.get(at..at + size)?);
        at += size + 2;
        if size == 0 {
            return (bytes.len() >= at).then_some((body, at));
        }
    }
}

/// A text as it stands in an address, with every byte encoded.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"))
}

/// Does something with each, so many at a time.
pub(crate) async fn each<T>(items: &[T], at_once: usize, work: impl AsyncFn(&T)) {
    let work = &work;
    stream::iter(items).for_each_concurrent(at_once, |item| work(item)).await;
}

/// Where the program listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
}

/// Addresses that callers seem to come from, so that what is counted per address does not hide what is tested.
static CALLERS: AtomicU32 = AtomicU32::new(1);

/// An address that nobody called from before, as the proxy in front tells it.
pub(crate) fn fresh_address() -> String {
    let number = CALLERS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("10.{}.{}.{}", number[1], number[2], number[3])
}

impl Wire {
    /// One request on a connection of its own, from an address of its own unless it names one.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let mut request = request.clone();
        if request.value("x-forwarded-for").is_none() {
            request = request.header("x-forwarded-for", fresh_address());
        }
        self.send_as_is(&request).await
    }

    pub(crate) async fn send_as_is(&self, request: &Request) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // Who is refused before the body was read may see the connection end while it still writes.
        let _ = stream.write_all(&request.bytes()).await;
        let mut bytes = Vec::new();
        let whole = async {
            loop {
                if let Some((answer, _)) = first(&bytes) {
                    return answer;
                }
                let more = stream.read_buf(&mut bytes).await;
                assert!(
                    more.as_ref().is_ok_and(|more| *more > 0),
                    "no whole answer to {request:?}: {more:?}"
                );
            }
        };
        timeout(PATIENCE, whole).await.unwrap_or_else(|_| panic!("no answer to {request:?}"))
    }

    /// Writes bytes and reads answers until the program ends the connection.
    pub(crate) async fn converse(&self, bytes: &[u8]) -> Vec<Answer> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let mut all = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut all)).await;
        assert!(read.is_ok(), "the connection stays open after {:?}", String::from_utf8_lossy(bytes));
        let (mut answers, mut at) = (Vec::new(), 0);
        while let Some((answer, used)) = first(&all[at..]) {
            answers.push(answer);
            at += used;
        }
        answers
    }
}

/// A connection whose caller has room for so many bytes that it does not read.
pub(crate) async fn connect(address: SocketAddr, room: Option<u32>) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(room) = room {
        socket.set_recv_buffer_size(room)?;
    }
    socket.connect(address).await
}

/// Where a program listens that ends TLS itself.
pub(crate) struct SecureWire {
    address: SocketAddr,
    connector: TlsConnector,
}

impl SecureWire {
    pub(crate) fn new(address: SocketAddr, authority: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, connector: TlsConnector::from(Arc::new(config)) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection after its handshake.
    pub(crate) async fn connect(&self, room: Option<u32>) -> io::Result<TlsStream<TcpStream>> {
        let name = self.address.ip().into();
        self.connector.connect(name, connect(self.address, room).await?).await
    }
}
