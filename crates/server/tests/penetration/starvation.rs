//! A tenant that does all it may to keep the program busy: others are answered all the while.

use crate::{
    exhaustion::memory,
    instructions::answers,
    stage::{Stage, Tenant, Token},
    wire::{Answer, PATIENCE, Request, each},
};
use misy_testkit::client::BASE;
use serde_json::{Value, json};
use std::time::Instant;

/// A number in letters.
fn word(number: usize) -> String {
    [17_576, 676, 26, 1]
        .iter()
        .map(|place| char::from(b'a' + u8::try_from(number / place % 26).unwrap()))
        .collect()
}

/// A valid pack with ten thousand words that begin alike, as large as a pack may be.
fn hostile_pack(first: usize) -> Value {
    let words = (first..).map(|number| format!("conxyzuvwabcdef{}", word(number * 17)));
    with_questions(words, 14, 29)
}

/// A pack with so many answers, each asked for in 31 ways of so many words.
fn with_questions(mut words: impl Iterator<Item = String>, of_words: usize, answers: usize) -> Value {
    let mut text = || words.by_ref().take(of_words).collect::<Vec<_>>().join(" ");
    let faq: Vec<Value> = (0..answers)
        .map(|number| {
            let alternatives: Vec<String> = (0..30).map(|_| text()).collect();
            json!({ "id": format!("f{number}"), "question": text(), "alternatives": alternatives, "answer": "a" })
        })
        .collect();
    json!({
        "displayName": "Muro", "industry": "Shop", "locale": "es-CO", "timezone": "America/Bogota", "currency": "COP",
        "contact": { "email": "a@muro.example" }, "faq": faq,
    })
}

/// Words that are not in the pack and begin like those that are.
fn hostile_text() -> String {
    let words: Vec<String> =
        (0..200).map(|number| format!("conqponmlkjihgs{}", word(number * 13 + 7))).collect();
    words.join(" ").chars().take(4_000).collect()
}

async fn put_pack(stage: &Stage, tenant: &Tenant, pack: &Value) -> Answer {
    stage.manage(tenant, "PUT", &tenant.path("/context-pack"), Some(pack)).await
}

async fn asks(stage: &Stage, visitor: &Token, text: &str) -> String {
    let session = stage.session(visitor).await;
    stage.say(visitor, &session, text).await.expect(202);
    session
}

#[tokio::test]
async fn the_worst_pack_and_text_of_one_tenant_hold_up_nobody_else_and_are_told_of() {
    let stage = Stage::start().await;
    put_pack(&stage, &stage.andina, &hostile_pack(0)).await.expect(200);
    let hostile = stage.browser(&stage.andina).await;
    let mut asked = Vec::new();
    for _ in 0..8 {
        asked.push(asks(&stage, &hostile, &hostile_text()).await);
    }
    // While those are worked on, and the tenant has more packs made ready, another tenant is served as ever.
    let packs = async {
        for number in 1..3 {
            put_pack(&stage, &stage.andina, &hostile_pack(number * 10_000)).await.expect(200);
        }
    };
    let others = async {
        let visitor = stage.browser(&stage.verde).await;
        for _ in 0..3 {
            stage.is_well().await;
            let session = asks(&stage, &visitor, "Oi, tudo bem?").await;
            answers(&stage, &visitor, &session).await;
        }
    };
    tokio::join!(packs, others);

    let said = answers(&stage, &hostile, &asked[0]).await;
    let reply: Vec<Value> = serde_json::from_str(&said).unwrap();
    assert_eq!(reply[0]["agentName"], "handoff", "{said}");
    let path =
        stage.andina.path(&format!("/decisions?messageId={}", reply[0]["messageId"].as_str().unwrap()));
    let decision = stage.manage(&stage.andina, "GET", &path, None).await.expect(200).json();
    // By its steps, or on a machine that hardly runs by its time.
    assert!(decision.to_string().contains("\"budget: "), "{decision}");
    // The alert is raised once, right after the first such turn.
    let began = Instant::now();
    loop {
        let alerts =
            stage.manage(&stage.andina, "GET", &stage.andina.path("/alerts"), None).await.expect(200);
        if alerts.shown().contains("turn_budget") {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{}", alerts.shown());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn version_upon_version_of_a_pack_takes_the_memory_of_one() {
    let stage = Stage::start().await;
    let visitor = stage.browser(&stage.andina).await;
    let mut grown = Vec::new();
    for number in 0..5 {
        put_pack(&stage, &stage.andina, &hostile_pack(number * 10_000)).await.expect(200);
        let session = asks(&stage, &visitor, "hola").await;
        answers(&stage, &visitor, &session).await;
        grown.push(memory(&stage));
    }
    // The first ones warm up everything else too. Each further one took a hundred megabytes once.
    let grown = grown[4].saturating_sub(grown[1]);
    println!("three more versions: {grown} KiB");
    assert!(grown < 48 * 1024, "{grown} KiB");
}

#[tokio::test]
async fn a_pack_that_would_cost_too_much_is_refused_with_the_reason() {
    let stage = Stage::start().await;
    // As many different words as there is room for.
    let pack = with_questions((0..).map(|number| format!("con{}", word(number * 17))), 33, 29);
    let answer = put_pack(&stage, &stage.andina, &pack).await;
    answer.refused(422, "validation_failed");
    let mistake = &answer.json()["errors"][0];
    assert_eq!(mistake["code"], "too_costly", "{mistake}");
    assert_eq!(mistake["pointer"], "/faq", "{mistake}");
    assert!(mistake["message"].as_str().unwrap().contains("at most"), "{mistake}");
    stage.is_well().await;
}

#[tokio::test]
async fn a_pack_full_of_mistakes_is_not_answered_with_all_of_them() {
    let stage = Stage::start().await;
    let packs = [json!({ "faq": vec![1; 20_000] }), json!({ "services": vec![json!({ "x": 1 }); 8_000] })];
    each(&packs, 2, async |pack| {
        let answer = put_pack(&stage, &stage.andina, pack).await;
        answer.refused(422, "validation_failed");
        assert!(answer.body.len() < 32 * 1024, "{} bytes", answer.body.len());
    })
    .await;
    let visitor = stage.browser(&stage.verde).await;
    let path = format!("{BASE}/sessions/{}", stage.session(&visitor).await);
    stage.send(visitor.sign(Request::new("GET", path))).await.expect(200);
}
