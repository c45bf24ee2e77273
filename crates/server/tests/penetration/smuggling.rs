//! Requests whose length two readers could understand differently.

use crate::{
    stage::Stage,
    wire::{Answer, HOST, Wire, each},
};

/// What would be answered if it came through.
const POISON: &str = "GET /smuggled HTTP/1.1\r\nHost: api.misy.example\r\nConnection: close\r\n\r\n";
/// Tells that the connection was still good.
const LAST: &str = "GET /health/live HTTP/1.1\r\nHost: api.misy.example\r\nConnection: close\r\n\r\n";
const PATH: &str = "/api/meta-agent/tokens";

/// Lines that tell two lengths.
const TWO_LENGTHS: &[&str] = &[
    "Content-Length: 0\r\nContent-Length: 99\r\n",
    "Content-Length: 99\r\nContent-Length: 0\r\n",
    "Content-Length: 0, 99\r\n",
    "Content-Length: 0,0,99\r\n",
];
/// What is no length of a body.
const ODD_LENGTHS: &[&str] = &[
    "-1",
    "-0",
    "+0",
    "0x10",
    "1e2",
    "1_0",
    "１０",
    "99999999999999999999",
    "18446744073709551616",
    "18446744073709551615",
    "9223372036854775808",
    "4294967296000",
    "\"0\"",
    "NaN",
    "0;1",
    "0 0",
    ",",
    "",
];
/// What is not plainly `chunked`.
const ODD_CODINGS: &[&str] = &[
    "xchunked",
    "chunked, identity",
    "identity, chunked",
    "gzip, chunked",
    "chunked, gzip",
    "chunked;q=1",
    "identity",
    "\u{b}chunked",
    "chunked\u{b}",
    "x",
    "",
    "chunked, chunked",
    "chunk",
    "\"chunked\"",
    "chunked,",
];
/// Lines that some readers repair.
const ODD_LINES: &[&str] = &[
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding\t: chunked\r\n",
    " Transfer-Encoding: chunked\r\n",
    "Content-Length : 5\r\n",
    "X: y\r\n Transfer-Encoding: chunked\r\n",
    "X: y\r\n\tfolded\r\n",
    "Transfer-Encoding:\r\n chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\rX: y\r\n",
    "X: y\rTransfer-Encoding: chunked\r\n",
    "X: \0\r\n",
    "X\0: y\r\n",
    "no colon\r\n",
    ": no name\r\n",
    "X Y: z\r\n",
    "(X): y\r\n",
];
/// Chunks that are none.
const ODD_CHUNKS: &[&str] = &[
    "-1\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "5 \nhello\n0\n\n",
    "g\r\n\r\n",
    "\r\n\r\n",
    "5\r\nhelloX0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "ffffffffffffffff\r\nx",
    "fffffffffffffffff\r\nx",
    "10000000000000000\r\nx",
    "5\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
];

/// A POST with these header lines and this body.
fn post(lines: &str, body: &str) -> Vec<u8> {
    let head =
        format!("POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{lines}\r\n");
    format!("{head}{body}").into_bytes()
}

/// Whether the request itself was refused, and nothing after it was taken for another one: the connection ended.
fn is_one_refusal(answers: &[Answer]) -> bool {
    let refusals = [400, 401, 408, 411, 413, 431, 501];
    answers.len() <= 1 && answers.iter().all(|answer| refusals.contains(&answer.status))
}

async fn refuses_all(wire: Wire, attacks: Vec<(String, Vec<u8>)>) {
    each(&attacks, 16, async |(what, bytes)| {
        let answers = wire.converse(bytes).await;
        let shown: Vec<String> = answers.iter().map(Answer::shown).collect();
        assert!(is_one_refusal(&answers), "{what}: {shown:?}");
    })
    .await;
}

#[tokio::test]
async fn a_body_has_one_length_or_none_is_believed() {
    let stage = Stage::start().await;
    let poison = POISON.len();
    let mut attacks: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |what: &str, lines: &str, body: &str| {
        attacks.push((format!("{what}: {lines:?}"), post(lines, &format!("{body}{LAST}"))));
    };
    let chunk = format!("0\r\n\r\n{POISON}");
    add("CL.TE", &format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunk.len()), &chunk);
    add(
        "TE.CL",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        &format!("{poison:x}\r\n{POISON}\r\n0\r\n\r\n"),
    );
    for lengths in TWO_LENGTHS {
        add("two lengths", lengths, POISON);
    }
    for length in ODD_LENGTHS {
        add("odd length", &format!("Content-Length: {length}\r\n"), POISON);
    }
    for coding in ODD_CODINGS {
        add("odd coding", &format!("Transfer-Encoding: {coding}\r\n"), &chunk);
        add(
            "odd coding and length",
            &format!("Content-Length: {}\r\nTransfer-Encoding: {coding}\r\n", chunk.len()),
            &chunk,
        );
    }
    for lines in ODD_LINES {
        add("odd line", lines, &chunk);
    }
    for body in ODD_CHUNKS {
        add("odd chunk", "Transfer-Encoding: chunked\r\n", body);
    }
    add(
        "long extension",
        "Transfer-Encoding: chunked\r\n",
        &format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(40_000)),
    );
    let many = format!("0\r\n{}\r\n", "T: v\r\n".repeat(5_000));
    add("many trailers", "Transfer-Encoding: chunked\r\n", &many);
    assert!(attacks.len() > 80);
    refuses_all(stage.wire, attacks).await;
    stage.is_well().await;
}

#[tokio::test]
async fn a_request_line_is_written_in_one_way() {
    let stage = Stage::start().await;
    let host = format!("Host: {HOST}\r\n\r\n");
    let mut attacks = Vec::new();
    for line in [
        "GET  /health/live HTTP/1.1\r\n",
        "GET /health/live  HTTP/1.1\r\n",
        "GET\t/health/live HTTP/1.1\r\n",
        "GET /health/live\r\n",
        "GET /health/live HTTP/1.2\r\n",
        "GET /health/live HTTP/2.0\r\n",
        "GET /health/live HTTP/9\r\n",
        "GET /health/live http/1.1\r\n",
        "GET /health/live HTTP/1.1 x\r\n",
        "/health/live\r\n",
        "\0\r\n",
        "GET /health/\0live HTTP/1.1\r\n",
        "GET /health/live\rX HTTP/1.1\r\n",
        "G@T /health/live HTTP/1.1\r\n",
        "GET /health live HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n",
        "GET health/live HTTP/1.1\r\n",
    ] {
        attacks.push((format!("{line:?}"), format!("{line}{host}{LAST}").into_bytes()));
    }
    for hosts in [
        "\r\n",
        "Host: a\r\nHost: b\r\n\r\n",
        "Host: \r\n\r\n",
        "Host: api.misy.example\r\nHost: api.misy.example\r\n\r\n",
    ] {
        let bytes = format!("POST {PATH} HTTP/1.1\r\nConnection: close\r\n{hosts}").into_bytes();
        attacks.push((format!("{hosts:?}"), bytes));
    }
    attacks.push((
        "a long line".into(),
        format!("GET /{} HTTP/1.1\r\n{host}", "a".repeat(100_000)).into_bytes(),
    ));
    attacks.push((
        "a long header".into(),
        format!("GET / HTTP/1.1\r\nX: {}\r\n{host}", "a".repeat(100_000)).into_bytes(),
    ));
    attacks.push((
        "many headers".into(),
        format!("GET / HTTP/1.1\r\n{}{host}", "X: y\r\n".repeat(1_000)).into_bytes(),
    ));
    attacks.push(("TLS".into(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()));
    for (what, bytes) in attacks {
        let answers = stage.wire.converse(&bytes).await;
        let shown: Vec<String> = answers.iter().map(Answer::shown).collect();
        let refused =
            answers.iter().all(|answer| (400..=505).contains(&answer.status) && answer.status != 500);
        assert!(refused && answers.len() <= 1, "{what}: {shown:?}");
    }
}

#[tokio::test]
async fn what_stands_in_a_body_is_never_a_request() {
    let stage = Stage::start().await;
    let statuses = async |bytes: Vec<u8>| -> Vec<u16> {
        stage.wire.converse(&bytes).await.iter().map(|answer| answer.status).collect()
    };
    // A whole request as a body: read by its length, then comes the next one.
    let lines = format!("Content-Length: {}\r\n", POISON.len());
    let seen = statuses([post(&lines, POISON), LAST.into()].concat()).await;
    assert_eq!(seen, [401, 200]);
    // In chunks, with an extension and a trailer.
    let chunked = format!("{:x};a=b\r\n{POISON}\r\n0\r\nX-Api-Key: x\r\n\r\n", POISON.len());
    let seen = statuses([post("Transfer-Encoding: chunked\r\n", &chunked), LAST.into()].concat()).await;
    assert_eq!(seen, [401, 200]);
    // On calls that read no body, and by a method that has none.
    for method in ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "CONNECT"] {
        let lines = format!("Content-Length: {}\r\nConnection: keep-alive\r\n", POISON.len());
        let head = format!("{method} /health/live HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n{POISON}");
        let answers = stage.wire.converse(&[head.as_bytes(), LAST.as_bytes()].concat()).await;
        assert!(answers.iter().all(|answer| answer.status != 404), "{method}");
    }
    // Nobody speaks another protocol on the connection afterwards.
    for upgrade in ["h2c", "websocket", "TLS/1.0", "HTTP/2.0", "x"] {
        let head = format!(
            "GET /health/live HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: {upgrade}\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n{LAST}"
        );
        let seen = statuses(head.into_bytes()).await;
        assert!(!seen.contains(&101), "{upgrade}: {seen:?}");
    }
    // The first of two requests on a connection leaves nothing of its headers to the second.
    let first = format!(
        "GET /api/meta-agent/tenants HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {}\r\n\r\n",
        stage.owner.administrator
    );
    let second = format!("GET /api/meta-agent/tenants HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    assert_eq!(statuses(format!("{first}{second}").into_bytes()).await, [200, 401]);
    let hidden = "Connection: close, authorization, x-misy-signature\r\n";
    let hop = format!(
        "GET /api/meta-agent/tenants HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {}\r\n{hidden}\r\n",
        stage.owner.administrator
    );
    assert_eq!(statuses(hop.into_bytes()).await, [200]);
}

#[tokio::test]
async fn an_address_names_its_host_once() {
    let stage = Stage::start().await;
    for target in [
        "http://evil.example",
        "https://evil.example:443",
        "http://api.misy.example.evil.example",
        "http://api.misy.example@evil.example",
    ] {
        let bytes = format!(
            "POST {target}{PATH} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        let answers = stage.wire.converse(bytes.as_bytes()).await;
        assert_eq!(answers.len(), 1, "{target}");
        assert_eq!(answers[0].status, 400, "{target}: {}", answers[0].shown());
    }
    for path in [
        "/../tokens",
        "/..%2ftokens",
        "/%2e%2e/tenants",
        "/tenants/..;/tenants",
        "//tenants",
        "/tenants//",
        "/tenants%00",
        "/tenants/%2e%2e/tenants",
        "/TENANTS",
        "/tenants;x=y",
        "/tenants\\",
    ] {
        let bytes = format!(
            "GET /api/meta-agent{path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            stage.owner.administrator
        );
        let answers = stage.wire.converse(bytes.as_bytes()).await;
        assert!(answers.iter().all(|answer| [400, 404, 405].contains(&answer.status)), "{path}");
    }
    for path in [
        "/docs/../../Cargo.toml",
        "/docs/%2e%2e%2fCargo.toml",
        "/sdk/../../etc/passwd",
        "/sdk/..%2f..%2fetc%2fpasswd",
        "/sdk//etc/passwd",
        "/sdk/%2fetc%2fpasswd",
        "/enroll/..%5c..%5cx",
        "/sdk/....//x",
        "/.git/config",
        "/.env",
        "/root-key",
        "/misy.toml",
    ] {
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        let answers = stage.wire.converse(bytes.as_bytes()).await;
        assert!(answers.iter().all(|answer| [400, 404].contains(&answer.status)), "{path}");
    }
}
