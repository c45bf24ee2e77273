//! (e) Resident memory of the program with 10,000 live connections on which nothing happens.

use crate::{load, process, report, stage::Stage};
use anyhow::ensure;
use reqwest::Method;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CONNECTIONS: usize = 10_000;
const PER_SESSION: usize = 8;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    ensure!(limit > CONNECTIONS as u64 + 500, "only {limit} open files are allowed: raise it with ulimit -n");
    let stage = Stage::set(&[
        ("MISY_STREAMS_PER_VISITOR", "100000"),
        ("MISY_STREAMS_PER_ADDRESS", "100000"),
        ("MISY_CONNECTIONS_PER_ADDRESS", "100000"),
    ])
    .await?;
    let (visitor, sessions) = stage.visitor(CONNECTIONS.div_ceil(PER_SESSION)).await?;
    let pid = stage.program.pid();
    let before = process::resident(pid);
    let mut open = Vec::with_capacity(CONNECTIONS);
    for place in 0..CONNECTIONS {
        let target = format!("/sessions/{}/events", sessions[place / PER_SESSION]);
        let request = load::bytes(visitor.signed(Method::GET, &target, Vec::new()))?;
        let mut stream = TcpStream::connect(stage.address()).await?;
        stream.write_all(&request).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        ensure!(&head[9..] == b"200", "connection {place}: {}", String::from_utf8_lossy(&head));
        open.push(stream);
    }
    // One keep-alive later: what grows with the first bytes written has grown.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let after = process::resident(pid);
    #[allow(clippy::cast_precision_loss, reason = "memory in KiB fits a double")]
    let each = (after.saturating_sub(before)) as f64 / CONNECTIONS as f64;
    report(format!(
        "connections  {CONNECTIONS} idle live connections: {before} KiB before, {after} KiB with them: {each:.1} KiB each (budget 6)"
    ));
    drop(open);
    Ok(())
}
