//! Callers that take what they are sent slowly or not at all, on plain connections and over TLS, and callers that take all
//! connections. Each ends by a cut, and is seen to: what was cut is reset, so nobody has to read to hear of it.

use crate::{
    stage::{Stage, Tenant, Token},
    wire::{HOST, PATIENCE, Request, SecureWire, Wire, connect, fresh_address},
};
use misy_testkit::client::BASE;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::client::TlsStream;

/// Room for what a caller does not read: less than any answer that is worth holding.
const ROOM: Option<u32> = Some(4 * 1024);
/// Far longer than a test: what ends is then ended by something else.
const NEVER: &str = "3600";

/// A plain connection or one over TLS.
trait Line: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Line for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Line for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Where attackers connect to.
enum Door {
    Plain(Wire),
    Secure(SecureWire),
}

impl Door {
    async fn open(&self) -> Box<dyn Line> {
        match self {
            Self::Plain(wire) => Box::new(connect(wire.address, ROOM).await.unwrap()),
            Self::Secure(wire) => Box::new(wire.connect(ROOM).await.unwrap()),
        }
    }
}

/// Waits until the program has reset the connection, without reading from it.
async fn until_cut(line: &dyn Line) {
    let cut = async {
        while line.socket().take_error().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, cut).await.expect("the connection is held");
}

fn get(method: &str, path: &str) -> Vec<u8> {
    Request::new(method, path).header("x-forwarded-for", fresh_address()).bytes()
}

async fn serves_others(stage: &Stage) {
    let visitor = stage.browser(&stage.andina).await;
    let session = stage.session(&visitor).await;
    stage.say(&visitor, &session, "hola").await.expect(202);
}

/// Runs an attack on a plain and on a secure listener of one installation.
async fn on_both(settings: &[(&str, &str)], attack: impl AsyncFn(&Stage, Door)) {
    let stage = Stage::start_with(settings).await;
    attack(&stage, Door::Plain(stage.wire)).await;
    let (_program, wire) = stage.another_over_tls(settings).await;
    attack(&stage, Door::Secure(wire)).await;
}

#[tokio::test]
async fn who_pipelines_and_never_reads_is_let_in_so_far_and_then_cut() {
    on_both(&[("MISY_WRITE_TIMEOUT_SECONDS", "2")], async |stage, door| {
        // Long answers, and answers that are nothing but a head.
        for (method, path) in [("GET", "/openapi.json"), ("HEAD", "/openapi.json"), ("OPTIONS", "/docs")] {
            let mut line = door.open().await;
            let many = get(method, path).repeat(100);
            let mut taken = 0;
            let attack = async {
                while let Ok(count) = line.write(&many).await {
                    taken += count;
                    // Buffers of the kernel on both sides hold some megabytes; memory of the program would hold no end.
                    assert!(taken < 64 * 1024 * 1024, "{method} {path}: all is read, nothing is taken");
                }
            };
            timeout(PATIENCE, attack)
                .await
                .unwrap_or_else(|_| panic!("{method} {path}: the connection is held"));
            println!("{method} {path}: {taken} bytes of requests were let in");
        }
        serves_others(stage).await;
    })
    .await;
}

#[tokio::test]
async fn who_reads_too_slowly_is_cut_and_who_reads_slowly_is_served() {
    on_both(&[("MISY_WRITE_TIMEOUT_SECONDS", "1")], async |stage, door| {
        let mut line = door.open().await;
        // More than all buffers on the way.
        line.write_all(&get("GET", "/openapi.json").repeat(60)).await.unwrap();
        let drip = async {
            let mut byte = [0];
            // What was cut may still be read from the buffer of this side for a long while.
            while line.socket().take_error().unwrap().is_none() && line.read_exact(&mut byte).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, drip).await.expect("a byte now and then keeps the connection");

        let mut line = door.open().await;
        let asked =
            [get("GET", "/openapi.json"), Request::new("GET", "/docs").header("connection", "close").bytes()];
        line.write_all(&asked.concat()).await.unwrap();
        let mut answer = Vec::new();
        let read = async {
            let mut piece = vec![0; 16 * 1024];
            loop {
                match line.read(&mut piece).await.unwrap() {
                    0 => break,
                    count => answer.extend_from_slice(&piece[..count]),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, read).await.expect("the answer comes whole");
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2);
        assert!(answer.trim_end().ends_with("</html>"));
        serves_others(stage).await;
    })
    .await;
}

#[tokio::test]
async fn slow_heads_bodies_and_handshakes_end_in_their_time() {
    let settings = [
        ("MISY_HEAD_TIMEOUT_SECONDS", "1"),
        ("MISY_BODY_TIMEOUT_SECONDS", "1"),
        ("MISY_HANDSHAKE_TIMEOUT_SECONDS", "1"),
        ("MISY_WRITE_TIMEOUT_SECONDS", NEVER),
    ];
    let head = format!("POST {BASE}/tokens HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n");
    let beginnings = [
        String::new(),
        "P".to_owned(),
        format!("{head}X-A"),
        format!("{head}Content-Length: 2000\r\n\r\n{{"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{{"),
    ];
    on_both(&settings, async |stage, door| {
        let trickle = async |mut line: Box<dyn Line>, beginning: &str| {
            line.write_all(beginning.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            loop {
                // A byte now and then, which no single wait would find too slow.
                let _ = line.write_all(if beginning.is_empty() { b"" } else { b"a" }).await;
                let read = timeout(Duration::from_millis(100), line.read_buf(&mut answer)).await;
                if let Ok(Ok(0) | Err(_)) = read {
                    break;
                }
            }
        };
        let all = beginnings.iter().map(async |beginning| {
            let line = door.open().await;
            timeout(PATIENCE, trickle(line, beginning))
                .await
                .unwrap_or_else(|_| panic!("held: {beginning:?}"));
        });
        futures_util::future::join_all(all).await;
        if let Door::Secure(wire) = &door {
            let line = connect(wire.address(), None).await.unwrap();
            timeout(PATIENCE, trickle(Box::new(line), "\u{16}\u{3}\u{1}"))
                .await
                .expect("a handshake is held");
        }
        serves_others(stage).await;
    })
    .await;
}

/// A session with so many long messages.
async fn long_session(stage: &Stage, tenant: &Tenant, messages: u32) -> (Token, String) {
    let visitor = stage.browser(tenant).await;
    let session = stage.session(&visitor).await;
    let long = "\u{1f33f}".repeat(4_000);
    let numbers: Vec<u32> = (0..messages).collect();
    crate::wire::each(&numbers, 16, async |_| {
        stage.say(&visitor, &session, &long).await.expect(202);
    })
    .await;
    (visitor, session)
}

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded_and_keep_nobody_else_from_theirs() {
    on_both(&[("MISY_WRITE_TIMEOUT_SECONDS", NEVER)], async |stage, door| {
        let (visitor, session) = long_session(stage, &stage.andina, 100).await;
        let path = format!("{BASE}/sessions/{session}/messages?limit=100");
        let ask = |address: &str| visitor.sign(Request::new("GET", &path).header("x-forwarded-for", address));
        let is_cut = |line: &dyn Line| !matches!(line.socket().take_error(), Ok(None));
        let mut lines: Vec<Box<dyn Line>> = Vec::new();
        // Each answer is more than a megabyte and a half, of which one address may hold ten. Once they had their time, the slow ones
        // give room to whoever comes next from there.
        let attack = async {
            while !lines.iter().any(|line| is_cut(&**line)) {
                let mut line = door.open().await;
                line.write_all(&ask("198.51.100.7").bytes()).await.unwrap();
                lines.push(line);
                if lines.len() == 12 {
                    // Others are answered whole meanwhile, of the same tenant too.
                    stage.send(ask("203.0.113.7")).await.expect(200);
                }
                if lines.len() >= 12 {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        };
        timeout(PATIENCE, attack).await.expect("all of them are held");
        assert!(lines.len() > 10 && !is_cut(&**lines.last().unwrap()), "the slowest goes");
        serves_others(stage).await;
    })
    .await;
}

/// Streams of a session on every door that nobody reads.
async fn stalled(doors: &[Door], visitor: &Token, session: &str) -> Vec<Box<dyn Line>> {
    let mut lines = Vec::new();
    let open = async {
        while lines.len() < 4 * doors.len() {
            let request = Request::new("GET", format!("{BASE}/sessions/{session}/events"));
            let request = visitor.sign(request.header("x-forwarded-for", fresh_address()));
            let mut line = doors[lines.len() % doors.len()].open().await;
            line.write_all(&request.bytes()).await.unwrap();
            let mut head = [0; 15];
            line.read_exact(&mut head).await.unwrap();
            // A replica may take a moment to hear that the tenant is served again.
            match &head {
                b"HTTP/1.1 200 OK" => lines.push(line),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(PATIENCE, open).await.expect("streams are opened");
    lines
}

#[tokio::test]
async fn a_stalled_stream_is_cut_when_its_token_or_tenant_is_no_longer_served() {
    // Nothing ends these connections but what the test does.
    let settings = [("MISY_WRITE_TIMEOUT_SECONDS", NEVER)];
    let stage = Stage::start_with(&settings).await;
    let (_program, wire) = stage.another_over_tls(&settings).await;
    let doors = [Door::Plain(stage.wire), Door::Secure(wire)];
    let all_cut = async |lines: Vec<Box<dyn Line>>, cause: &str| {
        let began = Instant::now();
        for line in &lines {
            until_cut(&**line).await;
        }
        println!("{cause}: {} stalled streams were cut after {:?}", lines.len(), began.elapsed());
    };
    // More than all buffers on the way hold.
    let (visitor, session) = long_session(&stage, &stage.verde, 300).await;
    let lines = stalled(&doors, &visitor, &session).await;
    stage.manage(&stage.owner, "POST", &stage.verde.path("/suspend"), None).await.expect(200);
    all_cut(lines, "suspension of the tenant").await;
    stage.manage(&stage.owner, "POST", &stage.verde.path("/activate"), None).await.expect(200);
    let lines = stalled(&doors, &visitor, &session).await;
    stage.send(visitor.sign(Request::new("POST", format!("{BASE}/tokens/revoke")))).await.expect(204);
    all_cut(lines, "revocation of the token").await;
    serves_others(&stage).await;
}

#[tokio::test]
async fn an_address_has_its_share_of_the_connections_and_no_more() {
    let settings = [("MISY_TRUSTED_PROXIES", "0"), ("MISY_CONNECTIONS_PER_ADDRESS", "20")];
    let stage = Stage::start_with(&settings).await;
    let wire = stage.wire;
    let mut lines = Vec::new();
    let (mut open, mut refused) = (0, 0);
    // Calls of the preparation may take a moment to be gone.
    for _ in 0..60 {
        match greeted(connect(wire.address, None).await).await {
            Ok(line) => {
                lines.push(line);
                open += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!((1..=20).contains(&open) && refused >= 40, "{open} open, {refused} refused");
    // Others are served all the while, and so is the same one when it lets go.
    let elsewhere = async || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0))).unwrap();
        greeted(socket.connect(wire.address).await).await
    };
    elsewhere().await.unwrap();
    drop(lines);
    serves_eventually(wire).await;
}

#[tokio::test]
async fn when_all_places_are_taken_idle_ones_are_given_up_soon() {
    let settings = [("MISY_CONNECTIONS", "40"), ("MISY_HEAD_TIMEOUT_SECONDS", "4")];
    let stage = Stage::start_with(&settings).await;
    let mut lines = Vec::new();
    // One too many is refused at once, and not left waiting behind the others.
    let refused = async {
        let mut refused = 0;
        while refused < 100 {
            match connect(stage.wire.address, None).await {
                Ok(line) => match timeout(Duration::from_millis(20), line.readable()).await {
                    Ok(_) => refused += 1,
                    Err(_) => lines.push(line),
                },
                Err(_) => refused += 1,
            }
        }
    };
    timeout(PATIENCE, refused).await.expect("connections wait in a queue");
    serves_eventually(stage.wire).await;
    drop(lines);
}

async fn serves_eventually(wire: Wire) {
    let served = async {
        while greeted(connect(wire.address, None).await).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, served).await.expect("nobody is served any more");
}

/// A connection on which one request was answered.
async fn greeted(line: io::Result<TcpStream>) -> io::Result<TcpStream> {
    let mut line = line?;
    line.write_all(&get("GET", "/health/live")).await?;
    let mut head = [0; 15];
    line.read_exact(&mut head).await?;
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    Ok(line)
}
