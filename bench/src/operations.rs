//! (h) A thousand operations on tenants at once: registrations, then reads of context packs, all by the owner and each tenant.

use crate::{report, stage::Empty};
use anyhow::{Context, ensure};
use misy_testkit::{
    client,
    program::{Owner, register_owner},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const AT_ONCE: usize = 1_000;
const READS: usize = 20_000;
const READERS: usize = 32;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let empty = Empty::start().await?;
    let owner = register_owner(&empty.program.url).await?;
    let http = client::http();
    let limits = json!({ "limits": [
        { "scope": "tenant", "requests": 1_000_000, "periodSeconds": 60 },
        { "scope": "key", "requests": 1_000_000, "periodSeconds": 60 },
    ] });
    call(
        &http,
        &owner,
        &owner.token,
        Method::PUT,
        &format!("/tenants/{}/limits", owner.tenant),
        Some(limits),
    )
    .await?;

    let single = registrations(&http, &owner, "one", 100, 1).await?;
    report(format!("operations   registration, one after the other: {}", spread(single.0)));
    let (storm, tokens) = registrations(&http, &owner, "all", AT_ONCE, AT_ONCE).await?;
    report(format!("operations   {AT_ONCE} registrations at once, none refused: {}", spread(storm)));
    for readers in [1, READERS] {
        let reads = packs(&http, &owner, tokens.clone(), readers).await?;
        let count = reads.len();
        report(format!(
            "operations   {count} context packs by {readers} readers, none refused: {}",
            spread(reads)
        ));
    }
    Ok(())
}

/// Registers so many tenants, so many at a time; how long each took, and who manages them.
async fn registrations(
    http: &reqwest::Client,
    owner: &Owner,
    prefix: &str,
    count: usize,
    at_once: usize,
) -> anyhow::Result<(Vec<Duration>, Vec<(String, String)>)> {
    let mut took = Vec::with_capacity(count);
    let mut tokens = Vec::with_capacity(count);
    let mut running = JoinSet::new();
    for place in 0..count {
        if running.len() >= at_once
            && let Some(done) = running.join_next().await
        {
            let (time, tenant, token) = done??;
            took.push(time);
            tokens.push((tenant, token));
        }
        let (http, owner, tenant) = (http.clone(), owner.clone(), format!("{prefix}-{place:04}"));
        running.spawn(async move {
            let body = json!({
                "tenantName": tenant, "tenantId": tenant, "contactEmail": "hola@business.example",
                "websiteUrl": format!("https://{tenant}.example"), "businessIndustry": "Dental clinic",
            });
            let began = Instant::now();
            let answer = call(&http, &owner, &owner.token, Method::POST, "/tenants", Some(body)).await?;
            let token = answer["enrollment"]["token"].as_str().context("token")?.to_owned();
            anyhow::Ok((began.elapsed(), tenant, token))
        });
    }
    while let Some(done) = running.join_next().await {
        let (time, tenant, token) = done??;
        took.push(time);
        tokens.push((tenant, token));
    }
    Ok((took, tokens))
}

/// Reads context packs of all tenants, each by its own administrator.
async fn packs(
    http: &reqwest::Client,
    owner: &Owner,
    tokens: Vec<(String, String)>,
    at_once: usize,
) -> anyhow::Result<Vec<Duration>> {
    let tokens = Arc::new(tokens);
    let mut readers = JoinSet::new();
    for reader in 0..at_once {
        let (http, owner, tokens) = (http.clone(), owner.clone(), tokens.clone());
        readers.spawn(async move {
            let mut took = Vec::with_capacity(READS / READERS);
            for turn in 0..READS / READERS {
                let (tenant, token) = &tokens[(turn * at_once + reader) % tokens.len()];
                let began = Instant::now();
                call(&http, &owner, token, Method::GET, &format!("/tenants/{tenant}/context-pack"), None)
                    .await?;
                took.push(began.elapsed());
            }
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::with_capacity(READS);
    while let Some(reader) = readers.join_next().await {
        took.extend(reader??);
    }
    Ok(took)
}

async fn call(
    http: &reqwest::Client,
    owner: &Owner,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let mut request = http
        .request(method, format!("{}/api/meta-agent{path}", owner.api))
        .bearer_auth(token)
        .timeout(Duration::from_mins(2));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(matches!(status, StatusCode::OK | StatusCode::CREATED), "{path}: {status} {text}");
    Ok(serde_json::from_str(&text)?)
}

fn spread(mut took: Vec<Duration>) -> String {
    took.sort();
    let at =
        |share: usize| took.get(took.len() * share / 1000).copied().unwrap_or_default().as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", at(500), at(950), at(990))
}
