//! (a) Token, origin, signature, replay, limits, permission: CPU per request against a bare echo in the same run.

use crate::{load, process, report, stage::Stage};
use anyhow::Context;
use reqwest::Method;
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

const REQUESTS: u32 = 30_000;
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 8;

struct Echo(Child, String);

impl Echo {
    fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?).arg("echo").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        Ok(Self(child, line.trim().to_owned()))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) async fn measure() -> anyhow::Result<()> {
    let stage = Stage::set(&[]).await?;
    let echo = Echo::start()?;
    let (visitor, sessions) = stage.visitor(1).await?;
    // It passes the whole pipeline and is then refused by the handler, before any database: text is missing.
    let mut body = visitor.message(&sessions[0], "bench", "");
    body["text"] = json!("");
    let body = body.to_string().into_bytes();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let requests = || {
            (0..REQUESTS)
                .map(|_| load::bytes(visitor.signed(Method::POST, "/messages", body.clone())))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let (signed, plain) = (requests()?, requests()?);
        ours.push(run(stage.program.pid(), stage.address(), signed, 422).await?);
        theirs.push(run(echo.0.id(), &echo.1, plain, 200).await?);
    }
    let middle = |runs: &mut Vec<(f64, f64)>| {
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        runs[runs.len() / 2]
    };
    let (ours, theirs) = (middle(&mut ours), middle(&mut theirs));
    report(format!(
        "pipeline     CPU per request {:.1} µs, bare echo {:.1} µs: {:.1} µs more (budget 7); \
         throughput {:.0}/s against {:.0}/s: {:.0} % (budget 70 %)",
        ours.0,
        theirs.0,
        ours.0 - theirs.0,
        ours.1,
        theirs.1,
        100.0 * ours.1 / theirs.1,
    ));
    Ok(())
}

/// CPU microseconds per request and requests per second.
async fn run(pid: u32, address: &str, requests: Vec<Vec<u8>>, status: u16) -> anyhow::Result<(f64, f64)> {
    let before = process::cpu(pid);
    let took: Duration = load::send(address, requests, CONNECTIONS, status).await?;
    let cpu = process::cpu(pid).saturating_sub(before);
    Ok((cpu.as_secs_f64() * 1e6 / f64::from(REQUESTS), f64::from(REQUESTS) / took.as_secs_f64()))
}
