//! Turns that wait are listed, and go on with what they waited for, once.

use crate::{
    live::follow,
    support::{App, PATIENCE},
    writing::{Works, next},
};
use http::Method;
use misy_domain::agent::WaitsFor;
use misy_testkit::agent::{Step, TestAgent};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

const LONG: Duration = Duration::from_hours(3);

#[tokio::test]
async fn a_turn_that_waits_for_a_person_is_listed_and_goes_on_with_their_decision_once() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let agent = TestAgent::new(
        |_| {},
        |run| match run.resumed {
            None => vec![Step::Wait(WaitsFor::Person, LONG, json!("Marta 42"), "Un momento.")],
            Some(_) => vec![Step::Answer("Listo: ")],
        },
    );
    let works = Works::start(&app, &agent);
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let mut events = follow(&app, &token, &session, None).await;
    app.say(&token, &session, "¿Dónde quedan ustedes?").await.expect(202);
    let list = andina.path("/turns");
    let listed = async |path: &str| {
        let answer = app.manage(&andina, Method::GET, path, None).await.expect(200);
        answer.body["items"].as_array().unwrap().clone()
    };
    let waits = async {
        loop {
            if let [turn] = &*listed(&list).await {
                return turn.clone();
            }
        }
    };
    let turn: Value = timeout(PATIENCE, waits).await.expect("the turn waits");
    assert_eq!((&turn["agentName"], &turn["waitsFor"]), (&json!("support"), &json!("person")));
    assert!(turn["waitsUntil"].as_str() > turn["waitsSince"].as_str(), "{turn}");

    let path = andina.path(&format!("/turns/{}/wake", turn["conversationId"].as_str().unwrap()));
    let body = json!({ "wait": turn["wait"], "outcome": { "approved": true, "by": "Luz" } });
    // Who may not, another tenant, another wait, too much.
    let mut analyst = app.somebody(&andina, &["analyst"]).await.0;
    analyst.get(&app, &list).await.refused(403, "permission_denied");
    analyst.post(&app, &path, &body).await.refused(403, "permission_denied");
    app.manage(&verde, Method::POST, &path, Some(&body)).await.expect(404);
    let elsewhere = path.replace("andina", "verde-cafe");
    app.manage(&verde, Method::POST, &elsewhere, Some(&body)).await.expect(404);
    for wait in [turn["wait"].as_i64().unwrap() + 1, 0, -1, i64::MAX] {
        let other = json!({ "wait": wait, "outcome": 1 });
        app.manage(&andina, Method::POST, &path, Some(&other)).await.refused(409, "conflict");
    }
    let long = json!({ "wait": turn["wait"], "outcome": "x".repeat(16 * 1024) });
    app.manage(&andina, Method::POST, &path, Some(&long)).await.expect(422);
    assert_eq!(agent.heard().len(), 1, "it waits still");

    // A person who answers contacts may; twice at once is once.
    let mut person = app.somebody(&andina, &["agent"]).await.0;
    person.post(&app, &path, &body).await.expect(204);
    app.manage(&andina, Method::POST, &path, Some(&body)).await.expect(204);
    let answer = loop {
        let message = next(&mut events, &["message"]).await;
        if message.data["inReplyTo"].as_array().is_some_and(|asked| !asked.is_empty()) {
            break message;
        }
    };
    assert!(answer.data["parts"][0]["text"].as_str().unwrap().starts_with("Listo"), "{answer:?}");
    let other = json!({ "wait": turn["wait"], "outcome": { "approved": false } });
    app.manage(&andina, Method::POST, &path, Some(&other)).await.expect(204);
    works.stop().await;
    let heard = agent.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[1].resumed, Some((json!("Marta 42"), false)));
    assert_eq!(heard[1].outcome, Some(body["outcome"].clone()));
    assert!(listed(&list).await.is_empty());
    // It stands in the trail once, without what was decided.
    let trail = app.manage(&andina, Method::GET, &andina.path("/audit?kind=change"), None).await.expect(200);
    let entries = trail.body["items"].as_array().unwrap();
    let woken: Vec<_> = entries.iter().filter(|entry| entry["action"] == "wakeTurn").collect();
    assert_eq!(woken.len(), 1);
    assert_eq!(woken[0]["subject"], turn["conversationId"]);
    assert!(!woken[0].to_string().contains("Luz"));
}

#[tokio::test]
async fn turns_that_wait_are_listed_in_pages() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let agent =
        TestAgent::new(|_| {}, |_| vec![Step::Wait(WaitsFor::Tool, LONG, json!({ "quote": "secret" }), "")]);
    let works = Works::start(&app, &agent);
    let token = app.browser(&andina).await;
    for _ in 0..3 {
        let session = app.session(&token).await;
        app.say(&token, &session, "¿Dónde quedan ustedes?").await.expect(202);
    }
    let all = async {
        loop {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = andina.path(&format!("/turns?limit=1{cursor}"));
                let page = app.manage(&andina, Method::GET, &path, None).await.expect(200);
                seen.extend(page.body["items"].as_array().unwrap().clone());
                let Some(next) = page.body["nextCursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            if seen.len() == 3 {
                return seen;
            }
        }
    };
    let seen = timeout(PATIENCE, all).await.expect("three wait");
    works.stop().await;
    let ids: std::collections::BTreeSet<_> =
        seen.iter().map(|turn| turn["conversationId"].to_string()).collect();
    assert_eq!(ids.len(), 3);
    assert!(seen.is_sorted_by_key(|turn| turn["waitsSince"].as_str().unwrap().to_owned()));
    assert!(!json!(seen).to_string().contains("secret"));
    for query in ["cursor=x", "cursor=1.cnv_x", "cursor=99999999999999999999.x", "limit=0", "other=1"] {
        let refused = app.manage(&andina, Method::GET, &andina.path(&format!("/turns?{query}")), None).await;
        assert!([400, 422].contains(&refused.status.as_u16()), "{query}: {}", refused.body);
    }
}
