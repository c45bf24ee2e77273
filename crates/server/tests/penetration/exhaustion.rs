//! Everything that tries to keep the program busy: others are served all the while.

use crate::{
    stage::{Stage, mint_request},
    wire::{HOST, PATIENCE, Request, each},
};
use futures_util::{StreamExt, stream};
use misy_testkit::client::BASE;
use serde_json::json;
use std::{fs, io::Write, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How much memory the program has in use, in KiB.
pub(crate) fn memory(stage: &Stage) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", stage.pid())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}

async fn serves_others(stage: &Stage) {
    let visitor = stage.browser(&stage.andina).await;
    let session = stage.session(&visitor).await;
    stage.say(&visitor, &session, "hola").await.expect(202);
}

#[tokio::test]
async fn slow_and_idle_connections_are_ended_and_hinder_nobody() {
    let stage = Stage::start().await;
    let mut idle = Vec::new();
    let head = format!("POST {BASE}/tokens HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n");
    let beginnings = [
        String::new(),
        "P".to_owned(),
        head.clone(),
        format!("{head}X-A"),
        format!("{head}Content-Length: 20\r\n\r\n"),
        format!("{head}Content-Length: 20\r\n\r\n{{\"siteId\""),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{"),
        format!("{head}Expect: 100-continue\r\nContent-Length: 20\r\n\r\n"),
    ];
    for number in 0..400 {
        let mut stream = TcpStream::connect(stage.wire.address).await.unwrap();
        stream.write_all(beginnings[number % beginnings.len()].as_bytes()).await.unwrap();
        idle.push(stream);
    }
    for _ in 0..5 {
        serves_others(&stage).await;
    }
    // A byte now and then keeps none of them open: the whole head and the whole body have a time.
    let trickled = async |stream: &mut TcpStream| {
        let mut answer = Vec::new();
        loop {
            let _ = stream.write_all(b"a").await;
            let read = timeout(Duration::from_millis(500), stream.read_buf(&mut answer)).await;
            if let Ok(Ok(0) | Err(_)) = read {
                return answer;
            }
        }
    };
    let ended = stream::iter(idle.iter_mut().take(8)).for_each_concurrent(8, |stream| async {
        let answer = timeout(PATIENCE, trickled(stream)).await.expect("the connection stays open");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || !answer.contains(" 200 ") && !answer.contains(" 201 "), "{answer}");
    });
    ended.await;
    serves_others(&stage).await;
}

#[tokio::test]
async fn bombs_are_refused_before_they_are_unpacked() {
    let stage = Stage::start().await;
    let before = memory(&stage);
    // Ten thousand to one: stored blocks would not compress, so this is gzip of nothing but zeros, made by hand.
    let bomb = gzip_of_zeros();
    let post = |body: Vec<u8>| mint_request(&stage.andina).body(body);
    for coding in
        ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, gzip", "identity, gzip", "GZIP", "*"]
    {
        let answer = stage.send(post(bomb.clone()).header("content-encoding", coding)).await;
        answer.refused(415, "unsupported_media_type");
    }
    // Without saying so it is no JSON.
    stage.send(post(bomb)).await.refused(400, "malformed_json");
    let open = |kind: &str, depth: usize| format!("{{\"siteId\":{}", kind.repeat(depth)).into_bytes();
    for deep in [open("[", 100_000), open("{\"a\":", 40_000), open("[[[[", 60_000), open("[{\"a\":", 30_000)]
    {
        let answer = stage.send(post(deep)).await;
        assert_eq!(answer.status, 400, "{}", answer.shown());
    }
    // Keys that fall together in weak hash tables, very many keys, very long numbers and texts.
    let colliding: Vec<String> = (0..8_000).map(|n| format!("\"{}\":1", collide(n))).collect();
    let many: Vec<String> = (0..15_000).map(|n| format!("\"k{n}\":{n}")).collect();
    for body in [
        format!("{{{}}}", colliding.join(",")),
        format!("{{{}}}", many.join(",")),
        format!("{{\"siteId\":{}}}", "9".repeat(200_000)),
        format!("{{\"ttlSeconds\":1e{},\"siteId\":\"main\"}}", "9".repeat(5_000)),
        format!("{{\"siteId\":\"{}\"}}", "a".repeat(200_000)),
        format!("{{\"siteId\":\"{}\"}}", "\\u0061".repeat(30_000)),
        format!("{{\"permissions\":[{}\"x\"],\"siteId\":\"main\"}}", "\"x\",".repeat(50_000)),
    ] {
        let answer = stage.send(post(body.into_bytes())).await;
        assert!((400..500).contains(&answer.status), "{}", answer.shown());
    }
    // Large bodies, told before or not, many at once.
    let large = vec![b' '; 3_000_000];
    let requests: Vec<Request> = (0..60)
        .map(|number| {
            let request = post(large.clone());
            if number % 2 == 0 { request } else { chunked(request) }
        })
        .collect();
    each(&requests, 20, async |request| {
        let outcomes = stage.wire.converse(&request.clone().header("connection", "close").bytes()).await;
        // Who still writes may not get to read the answer.
        assert!(outcomes.iter().all(|answer| answer.status == 413), "{outcomes:?}");
    })
    .await;
    serves_others(&stage).await;
    let grown = memory(&stage).saturating_sub(before);
    println!("resident memory grew by {grown} KiB");
    assert!(grown < 256 * 1024, "{grown} KiB");
}

#[tokio::test]
async fn live_streams_are_counted_and_those_of_one_visitor_end() {
    let stage = Stage::start().await;
    let visitor = stage.browser(&stage.andina).await;
    let session = stage.session(&visitor).await;
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..40 {
        let request = visitor.sign(Request::new("GET", format!("{BASE}/sessions/{session}/events")));
        let mut stream = TcpStream::connect(stage.wire.address).await.unwrap();
        stream.write_all(&request.bytes()).await.unwrap();
        let mut head = vec![0; 12];
        stream.read_exact(&mut head).await.unwrap();
        match &head[9..12] {
            b"200" => open.push(stream),
            b"429" | b"409" | b"503" => refused += 1,
            other => panic!("{:?}", String::from_utf8_lossy(other)),
        }
    }
    assert!(open.len() <= 8 && refused >= 32, "{} open, {refused} refused", open.len());
    serves_others(&stage).await;
}

#[tokio::test]
async fn a_connection_is_no_way_to_more_than_its_share() {
    let stage = Stage::start().await;
    // A thousand requests at once on one connection, none of which is waited for.
    let one = format!("GET /health/live HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut all = one.repeat(999).into_bytes();
    write!(all, "GET /health/live HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n").unwrap();
    let mut stream = TcpStream::connect(stage.wire.address).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answers = Vec::new();
    let (_, read) = tokio::join!(write.write_all(&all), timeout(PATIENCE, read.read_to_end(&mut answers)));
    read.unwrap().unwrap();
    let good = String::from_utf8_lossy(&answers).matches("HTTP/1.1 200 OK").count();
    assert_eq!(good, 1_000);
    serves_others(&stage).await;
}

fn chunked(request: Request) -> Request {
    let body = [format!("{:x}\r\n", request.body.len()).as_bytes(), &request.body, b"\r\n0\r\n\r\n"].concat();
    request.header("transfer-encoding", "chunked").body(body)
}

/// Keys with the same sum, and the same value in hash tables that multiply by 31.
fn collide(number: usize) -> String {
    (0..13).map(|bit| if number >> bit & 1 == 1 { "Aa" } else { "BB" }).collect()
}

/// RFC 1951: one block with fixed codes, one zero and then copies of 258 bytes at a distance of one.
fn gzip_of_zeros() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    // Final, fixed codes, the literal zero (00110000), then copies: 11000101 for the length, 00000 for the distance.
    let mut bits = vec![true, true, false, false, false, true, true, false, false, false, false];
    for _ in 0..100_000 {
        bits.extend([true, true, false, false, false, true, false, true, false, false, false, false, false]);
    }
    bits.extend([false; 7]);
    for chunk in bits.chunks(8) {
        bytes.push(chunk.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at));
    }
    bytes.extend([0; 8]);
    bytes
}

#[tokio::test]
async fn a_body_may_be_as_deep_as_its_limit_and_no_deeper_in_every_free_form() {
    let stage = Stage::start().await;
    let visitor = stage.browser(&stage.andina).await;
    for depth in [2_usize, 30, 60, 200, 2_000] {
        let nested = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let body = format!("{{\"channel\":\"web\",\"metadata\":{nested}}}");
        let request =
            Request::new("POST", format!("{BASE}/sessions")).set("content-type", "application/json");
        let answer = stage.send(visitor.sign(request.body(body))).await;
        assert!([201, 400, 422].contains(&answer.status), "{depth}: {}", answer.shown());
        let pack =
            Request::new("PUT", stage.andina.path("/context-pack")).bearer(&stage.andina.administrator);
        let answer = stage.send(pack.set("content-type", "application/json").body(nested)).await;
        assert!([400, 422].contains(&answer.status), "{depth}: {}", answer.shown());
    }
    let body = json!({ "channel": "web", "metadata": { "a": "x".repeat(100_000) } });
    let answer = stage.send(visitor.sign(Request::new("POST", format!("{BASE}/sessions")).json(&body))).await;
    assert_eq!(answer.status, 422, "{}", answer.shown());
}
