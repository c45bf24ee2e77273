//! Requests made ready beforehand, sent over a few connections that stay open: the load costs little next to the server.

use anyhow::{Context, bail};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One request as bytes on the wire.
pub(crate) fn bytes(request: reqwest::RequestBuilder) -> anyhow::Result<Vec<u8>> {
    let request = request.build()?;
    let url = request.url();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let port = url.port().unwrap_or(80);
    let mut head = format!("{} {}{query} HTTP/1.1\r\nhost: {host}:{port}\r\n", request.method(), url.path());
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str()?);
    }
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    Ok(bytes)
}

/// Sends all requests over so many connections, one after the other on each; every answer must have the status.
pub(crate) async fn send(
    address: &str,
    requests: Vec<Vec<u8>>,
    connections: usize,
    status: u16,
) -> anyhow::Result<Duration> {
    let requests = Arc::new(requests);
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for place in 0..connections {
        let requests = requests.clone();
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        tasks.spawn(async move {
            let mut buffer = Vec::with_capacity(16 * 1024);
            for request in requests.iter().skip(place).step_by(connections) {
                stream.write_all(request).await?;
                let got = answer(&mut stream, &mut buffer).await?;
                if got != status {
                    bail!("status {got} instead of {status}: {}", String::from_utf8_lossy(&buffer));
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(began.elapsed())
}

/// Reads one answer that says its length, and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<u16> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the connection was closed");
        }
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(Ok(0), |text| text.trim().parse())?;
        if buffer.len() >= end + 4 + length {
            return head.split(' ').nth(1).context("no status")?.parse().context("status");
        }
    }
}
