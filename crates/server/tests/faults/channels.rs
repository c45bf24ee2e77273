//! The API channel through the running program: a server passes on what somebody writes, the program answers and delivers, signed,
//! and goes on where it was when it is killed.

use anyhow::{Context, anyhow};
use axum::http::{Method, StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use misy_domain::{Clock, Entropy, Secret, SystemClock};
use misy_testkit::{
    PATIENCE,
    client::{BASE, expect, http},
    person::Person,
    program::{Start, pack_in, register_owner},
    receiver::{Reaction, Receiver},
};
use misy_trust::{RequestKey, SignedRequest, SystemEntropy, WebhookSecret, request_signature, sha256};
use serde_json::{Value, json};
use std::path::Path;

/// A server of the tenant, as one is written with the documentation at hand.
struct Server {
    api: String,
    secret_id: String,
    key: RequestKey,
    token: Option<String>,
}

impl Server {
    async fn post(&self, target: &str, body: &Value) -> anyhow::Result<Value> {
        let path = format!("{BASE}{target}");
        let body = body.to_string().into_bytes();
        let mut nonce = [0; 16];
        SystemEntropy::new().fill(&mut nonce);
        let (timestamp, nonce) = (SystemClock.unix_seconds().to_string(), BASE64.encode(nonce));
        let signature = request_signature::sign(
            &self.key,
            &SignedRequest {
                method: "POST",
                host: self.api.split_once("://").map_or("", |(_, host)| host),
                path: &path,
                query: "",
                body_sha256: sha256(&body),
                timestamp: &timestamp,
                nonce: &nonce,
                token_sha256: self.token.as_ref().map(|token| sha256(token.as_bytes())),
            },
        )?;
        let mut request = http()
            .post(format!("{}{path}", self.api))
            .header("content-type", "application/json")
            .header("x-misy-timestamp", timestamp)
            .header("x-misy-nonce", nonce)
            .header("x-misy-signature", signature)
            .body(body);
        request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request.header("x-misy-key", &self.secret_id),
        };
        let answer = request.send().await?;
        let status = answer.status();
        let value: Value = answer.json().await?;
        if status.is_success() { Ok(value) } else { Err(anyhow!("{status}: {value}")) }
    }
}

pub(crate) fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("{pointer} in {value}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_a_tenant_passes_on_and_is_answered_also_over_a_kill() -> anyhow::Result<()> {
    // Short, because a Unix socket's path must be.
    let directory = tempfile::Builder::new().prefix("misy-c").tempdir_in("/tmp")?;
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), directory.path().join("data"))?
        .with("MISY_EGRESS_ALLOW_LOOPBACK", "on");
    let mut program = start.spawn()?;
    assert!(program.ready(PATIENCE).await);
    register_owner(&program.url).await?;
    let registration = json!({
        "tenantName": "Andina", "tenantId": "andina", "contactEmail": "hola@andina.example",
        "websiteUrl": "https://andina.example", "businessIndustry": "Dental clinic",
    });
    let answer =
        http().post(format!("{}{BASE}/tenants/register", program.url)).json(&registration).send().await?;
    let tenant = expect(StatusCode::CREATED, answer).await?;
    let administrator = text(&tenant, "/enrollment/token")?;
    let pack = pack_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/businesses/andina.json"))?;
    let put = http().put(format!("{}{BASE}/tenants/andina/context-pack", program.url));
    expect(StatusCode::OK, put.bearer_auth(&administrator).json(&pack).send().await?).await?;

    let receiver = Receiver::start(|_, _| Reaction::ok()).await?;
    let account = json!({ "channel": "api", "name": "CRM", "callbackUrl": receiver.url });
    let mut person = Person::enrolled(&program.url, &administrator).await?;
    let account = person.call(Method::POST, "/tenants/andina/channels", &account).await?;
    let path = format!("/channels/api/{}/messages", text(&account, "/accountId")?);

    let bytes: [u8; 32] = BASE64
        .decode(text(&tenant, "/tenantSecret/secret")?)?
        .try_into()
        .map_err(|_| anyhow!("no secret"))?;
    let mut server = Server {
        api: program.url.clone(),
        secret_id: text(&tenant, "/tenantSecret/keyId")?,
        key: RequestKey::new(Secret::new(bytes)),
        token: None,
    };
    let token = server
        .post("/tokens", &json!({ "siteId": "main", "permissions": ["chat:read", "chat:write"] }))
        .await?;
    server.token = Some(text(&token, "/token")?);
    let wrote =
        |id: &str| json!({ "contactId": "customer-1", "messageId": id, "text": "¿Cuál es el horario?" });
    server.post(&path, &wrote("m1")).await?;
    let got = tokio::time::timeout(PATIENCE, receiver.until(1)).await?;
    let event = got[0].json();
    assert_eq!(event["data"]["contactId"], "customer-1");
    assert_eq!(event["data"]["message"]["role"], "agent");
    assert_eq!(event["data"]["message"]["sequence"], 2);
    let secret = text(&account, "/secret")?;
    let secret = base64::engine::general_purpose::STANDARD.decode(secret.trim_start_matches("whsec_"))?;
    let secret = WebhookSecret::new(Secret::new(secret.try_into().map_err(|_| anyhow!("no secret"))?));
    let timestamp: i64 = got[0].header("webhook-timestamp").parse()?;
    let expected = secret.sign(got[0].header("webhook-id"), timestamp, &got[0].body);
    assert_eq!(got[0].header("webhook-signature"), expected);

    // What was durable when the program was killed is answered by the next one, on the same account.
    server.post(&path, &wrote("m2")).await?;
    program.kill();
    let mut program = start.spawn()?;
    assert!(program.ready(PATIENCE).await);
    let again = server.post(&path, &wrote("m2")).await?;
    assert_eq!(again["sequence"], 3, "known, and stored once");
    let answered = async {
        let mut number = 2;
        loop {
            let got = receiver.until(number).await;
            let last = &got[number - 1].json()["data"]["message"];
            if last["inReplyTo"] == json!([again["messageId"]]) {
                return got;
            }
            number += 1;
        }
    };
    let got = tokio::time::timeout(PATIENCE, answered).await?;
    let ids: std::collections::HashSet<_> =
        got.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 2, "two answers, each perhaps delivered again under its own id");
    program.stop()?;
    Ok(())
}
