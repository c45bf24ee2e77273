//! WhatsApp, Messenger and Instagram through the running program: a tenant connects a number and a page, customers write, the program
//! answers through the vendor, and the vendor's receipts arrive; also over a kill.

use crate::channels::text;
use anyhow::ensure;
use axum::http::{Method, StatusCode};
use misy_domain::{Channel, Clock, SystemClock};
use misy_testkit::{
    PATIENCE,
    client::{BASE, expect, http},
    graph::{Graph, status, wrote},
    person::Person,
    program::{Start, pack_in, register_owner},
};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

const CUSTOMER: &str = "15550002222";

/// The vendor tells something.
async fn tell(webhook: &str, graph: &Graph, event: &Value) -> anyhow::Result<()> {
    let (name, signature, body) = graph.told(event);
    let request = http().post(webhook).header("content-type", "application/json").header(name, signature);
    let answer = request.body(body).send().await?;
    ensure!(answer.status() == StatusCode::OK, "{}", answer.text().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_connected_and_its_customers_are_answered_also_over_a_kill() -> anyhow::Result<()> {
    let graph = Graph::start().await?;
    // Short, because a Unix socket's path must be.
    let directory = tempfile::Builder::new().prefix("misy-w").tempdir_in("/tmp")?;
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), directory.path().join("data"))?
        .with("MISY_EGRESS_ALLOW_LOOPBACK", "on")
        .with("MISY_GRAPH_URL", &graph.url);
    let mut program = start.spawn()?;
    assert!(program.ready(PATIENCE).await);
    register_owner(&program.url).await?;
    let registration = json!({
        "tenantName": "Andina", "tenantId": "andina", "contactEmail": "hola@andina.example",
        "websiteUrl": "https://andina.example", "businessIndustry": "Dental clinic",
    });
    let answer =
        http().post(format!("{}{BASE}/tenants/register", program.url)).json(&registration).send().await?;
    let administrator = text(&expect(StatusCode::CREATED, answer).await?, "/enrollment/token")?;
    let pack = pack_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/businesses/andina.json"))?;
    let put = http().put(format!("{}{BASE}/tenants/andina/context-pack", program.url));
    expect(StatusCode::OK, put.bearer_auth(&administrator).json(&pack).send().await?).await?;

    let number = graph.number();
    let mut person = Person::enrolled(&program.url, &administrator).await?;
    let account = json!({ "channel": "whatsapp", "name": "Reception", "whatsapp": {
        "phoneNumberId": number.id, "businessAccountId": number.business, "accessToken": number.token,
        "appSecret": number.app_secret } });
    let account = person.call(Method::POST, "/tenants/andina/channels", &account).await?;
    let webhook = text(&account, "/whatsapp/webhookUrl")?;
    let token = text(&account, "/whatsapp/verifyToken")?;
    let asked = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
    let answer = http().get(format!("{webhook}?{asked}")).send().await?;
    assert_eq!((answer.status(), answer.text().await?.as_str()), (StatusCode::OK, "1158201444"));

    let now = SystemClock.now();
    let first = graph.event("messages", &[wrote(CUSTOMER, "wamid.1", "¿Cuál es el horario?", now)]);
    tell(&webhook, &graph, &first).await?;
    let sent = tokio::time::timeout(PATIENCE, graph.until(1)).await?;
    assert_eq!(sent[0]["to"], "+15550002222");
    let reading = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1",
                          "typing_indicator": { "type": "text" } });
    shown(&graph, |sign| *sign == reading).await?;

    // What was durable when the program was killed is answered by the next one; what the vendor tells again is known.
    tell(&webhook, &graph, &graph.event("messages", &[wrote(CUSTOMER, "wamid.2", "¿Y el sábado?", now)]))
        .await?;
    program.kill();
    let mut program = start.spawn()?;
    assert!(program.ready(PATIENCE).await);
    tell(&webhook, &graph, &first).await?;
    let answered = |sent: &[Value]| {
        let mut ids: Vec<String> =
            sent.iter().map(|one| one["biz_opaque_callback_data"].to_string()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    };
    let both = async {
        let mut number = 1;
        while answered(&graph.sent()) < 2 {
            number += 1;
            graph.until(number).await;
        }
    };
    tokio::time::timeout(PATIENCE, both).await?;
    // Late, twice and in another order: what was read stays read.
    for (id, one) in graph.outgoing() {
        for kind in ["read", "delivered", "sent", "read"] {
            tell(&webhook, &graph, &graph.event("statuses", &[status(&one, &id, kind, None)])).await?;
        }
    }
    let path = format!("/tenants/andina/channels/{}/deliveries", text(&account, "/accountId")?);
    let deliveries = person.call(Method::GET, &path, &Value::Null).await?;
    let standing: Vec<_> =
        deliveries["items"].as_array().into_iter().flatten().map(|one| &one["status"]).collect();
    assert_eq!(standing, [&json!("read"), &json!("read")]);
    for channel in [Channel::Messenger, Channel::Instagram] {
        a_page_is_connected_and_answers(&mut person, &graph, channel).await?;
    }
    Ok(())
}

/// Waits until the vendor was told to show something.
async fn shown(graph: &Graph, is_it: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    let until = async {
        while !graph.signs().iter().any(&is_it) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    Ok(tokio::time::timeout(PATIENCE, until).await?)
}

/// A page, or its account of Instagram, is connected, written to, and answers; what was sent comes back and is no message.
async fn a_page_is_connected_and_answers(
    person: &mut Person,
    graph: &Graph,
    channel: Channel,
) -> anyhow::Result<()> {
    let (page, they, now) = (graph.page(), "1000000000000001", SystemClock.now());
    let mut account = json!({ "channel": channel, "name": "Page" });
    account[channel.as_str()] =
        json!({ "id": page.account(channel), "accessToken": page.token, "appSecret": page.app_secret });
    let account = person.call(Method::POST, "/tenants/andina/channels", &account).await?;
    let webhook = text(&account, &format!("/{channel}/webhookUrl"))?;
    let before = graph.sent().len();
    let hello = json!({ "mid": "m_1", "text": "¿Cuál es el horario?" });
    let event = graph.page_event(channel, &[graph.did(channel, they, now, "message", &hello)]);
    tell(&webhook, graph, &event).await?;
    tokio::time::timeout(PATIENCE, graph.until(before + 1)).await?;
    for action in ["mark_seen", "typing_on"] {
        shown(graph, |sign| sign["recipient"]["id"] == they && sign["sender_action"] == action).await?;
    }
    let path = format!("/tenants/andina/channels/{}/deliveries", text(&account, "/accountId")?);
    let until = async |person: &mut Person, status: &str| -> anyhow::Result<()> {
        loop {
            let deliveries = person.call(Method::GET, &path, &Value::Null).await?;
            if deliveries["items"].as_array().is_some_and(|all| all.len() == 1 && all[0]["status"] == status)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, until(person, "sent")).await??;
    let mut told = Vec::new();
    for (id, one) in graph.outgoing().into_iter().skip(before) {
        ensure!(one["recipient"]["id"] == they && one["messaging_type"] == "RESPONSE", "{one}");
        told.push(graph.echo(channel, &one, &id, now));
        let read = if channel == Channel::Instagram {
            json!({ "mid": id })
        } else {
            json!({ "watermark": SystemClock.now().as_millisecond() + 60_000 })
        };
        told.push(graph.did(channel, they, now, "read", &read));
    }
    tell(&webhook, graph, &graph.page_event(channel, &told)).await?;
    tokio::time::timeout(PATIENCE, until(person, "read")).await??;
    Ok(())
}
