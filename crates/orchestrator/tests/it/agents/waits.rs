//! Turns that wait for a tool, a person or a timer, and go on: once, by whatever comes first, whoever dies meanwhile.

use super::{QUESTION, Works, afterwards, one, settings, tokens};
use crate::{
    counted::PATIENCE,
    turns::{asked, said, until},
};
use misy_domain::{
    Role,
    agent::{WaitsFor, WhenWritten},
};
use misy_store::{decisions::decision, sessions::Session, turns::wake};
use misy_testkit::{
    agent::{Step, TestAgent},
    store::{TestStore, TestTenant},
};
use serde_json::json;
use std::time::Duration;

const LONG: Duration = Duration::from_hours(3);

/// Waits until the conversation's turn waits and nobody holds it.
async fn waits(store: &TestStore) {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let question = "select waits_for is not null and lease_owner is null from misy.conversations";
    let waits = async {
        while !sqlx::query_scalar::<_, bool>(question).fetch_one(&mut admin).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("the turn waits");
}

async fn wake_up(store: &TestStore, tenant: &TestTenant, session: &Session) {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert!(wake(&mut tx, session.conversation_id).await.unwrap());
    tx.commit().await.unwrap();
    store.bell.ring_work();
}

#[tokio::test]
async fn a_turn_waits_for_a_tool_outlives_its_worker_and_is_answered_once_when_it_is_woken() {
    let (store, tenant, session) = one("andina").await;
    let script = |run: &misy_testkit::agent::Heard| match &run.resumed {
        None => vec![
            Step::Spend(4),
            Step::Wait(WaitsFor::Tool, LONG, json!({ "call": "Marta 42" }), "Un momento."),
        ],
        Some(_) => vec![Step::Spend(2), Step::Answer("")],
    };
    let agent = TestAgent::new(|definition| definition.limits.tokens = 10, script);
    let works = Works::start(&store, &agent, settings());
    let question = asked(&store, &tenant, &session, QUESTION).await;
    let messages = until(&store, &tenant, &session, 2).await;
    waits(&store).await;
    works.kill().await;
    // What is said meanwhile answers nothing yet, and there is no decision.
    assert_eq!(said(&messages)[1], (Role::Agent, "Un momento.".to_owned()));
    assert!(messages[1].in_reply_to.is_empty());
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert_eq!(decision(&mut tx, question).await.unwrap(), None);
    drop(tx);
    // What the agent keeps is sealed.
    let mut admin = store.connect_as("postgres").await.unwrap();
    let readable =
        "select count(*) from misy.conversations where position('Marta'::bytea in sealed_wait) > 0";
    assert_eq!(sqlx::query_scalar::<_, i64>(readable).fetch_one(&mut admin).await.unwrap(), 0);

    // Another worker, as after a restart: nothing is due until somebody wakes it.
    let works = Works::start(&store, &agent, settings());
    wake_up(&store, &tenant, &session).await;
    let messages = until(&store, &tenant, &session, 3).await;
    works.stop().await;
    assert_eq!(said(&messages)[2], (Role::Agent, QUESTION.to_owned()));
    assert_eq!(messages[2].in_reply_to, [question]);
    let runs: Vec<_> = agent.heard().into_iter().map(|run| run.resumed).collect();
    assert_eq!(runs, [None, Some((json!({ "call": "Marta 42" }), false))]);
    assert_eq!(tokens(&store, &tenant).await, 6);
    let rests = "select count(*) from misy.conversations
                 where work_at is null and waits_for is null and waits_until is null and sealed_wait is null
                     and wait is null and waits_since is null and waits_agent is null";
    assert_eq!(sqlx::query_scalar::<_, i64>(rests).fetch_one(&mut admin).await.unwrap(), 1);
    assert_eq!(afterwards(&store).await, (None, vec![], 0));
}

#[tokio::test]
async fn a_turn_goes_on_when_its_time_is_over() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |_| {},
        |run| match &run.resumed {
            None => vec![Step::Wait(WaitsFor::Timer, Duration::from_millis(100), json!(1), "")],
            Some(_) => vec![Step::Answer("")],
        },
    );
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    let messages = until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert_eq!(said(&messages)[1], (Role::Agent, QUESTION.to_owned()));
    assert_eq!(agent.heard()[1].resumed, Some((json!(1), true)));
}

#[tokio::test]
async fn what_the_contact_writes_while_a_turn_waits_is_heard_at_once() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |_| {},
        |run| {
            if run.texts.len() == 1 {
                vec![Step::Wait(WaitsFor::Person, LONG, json!(null), "")]
            } else {
                vec![Step::Answer("")]
            }
        },
    );
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    waits(&store).await;
    asked(&store, &tenant, &session, "¿Y a qué hora abren?").await;
    let messages = until(&store, &tenant, &session, 3).await;
    works.stop().await;
    assert_eq!(messages[2].in_reply_to, [messages[0].message_id, messages[1].message_id]);
    assert_eq!(agent.heard()[1].resumed, Some((json!(null), false)));
}

#[tokio::test]
async fn a_turn_that_is_woken_before_it_waits_does_not_wait() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |_| {},
        |run| match &run.resumed {
            None => vec![Step::Gate, Step::Wait(WaitsFor::Tool, LONG, json!(7), "")],
            Some(_) => vec![Step::Answer("")],
        },
    );
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    agent.called(1).await;
    wake_up(&store, &tenant, &session).await;
    agent.open_for(1);
    let messages = until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert_eq!(said(&messages)[1], (Role::Agent, QUESTION.to_owned()));
    assert_eq!(agent.heard()[1].resumed, Some((json!(7), false)));
}

#[tokio::test]
async fn a_wait_that_ends_badly_is_not_lost() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |_| {},
        |run| match (&run.resumed, run.attempt) {
            (None, _) => vec![Step::Wait(WaitsFor::Timer, Duration::from_millis(50), json!("here"), "")],
            (Some(_), 1) => vec![Step::Fail],
            (Some(_), _) => vec![Step::Answer("")],
        },
    );
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    until(&store, &tenant, &session, 2).await;
    works.stop().await;
    let runs: Vec<_> = agent.heard().into_iter().map(|run| (run.attempt, run.resumed)).collect();
    let here = Some((json!("here"), true));
    assert_eq!(runs, [(1, None), (1, here.clone()), (2, here)]);
}

#[tokio::test]
async fn a_turn_that_waits_while_more_stands_there_than_it_sees_waits_all_the_same() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |_| {},
        |run| match &run.resumed {
            None if run.texts.len() == 50 => vec![Step::Wait(WaitsFor::Tool, LONG, json!(1), "")],
            _ => vec![Step::Answer("")],
        },
    );
    for number in 0..60 {
        asked(&store, &tenant, &session, &format!("{QUESTION} {number}")).await;
    }
    let works = Works::start(&store, &agent, settings());
    waits(&store).await;
    let mut admin = store.connect_as("postgres").await.unwrap();
    let rests =
        "select work_at = waits_until and waits_until > now() + interval '1 hour' from misy.conversations";
    assert!(sqlx::query_scalar::<_, bool>(rests).fetch_one(&mut admin).await.unwrap());
    wake_up(&store, &tenant, &session).await;
    let messages = until(&store, &tenant, &session, 62).await;
    works.stop().await;
    assert_eq!(messages[60].in_reply_to.len(), 50);
    assert_eq!(messages[61].in_reply_to.len(), 10);
    assert_eq!(agent.heard().len(), 3, "one that waits, one that goes on, and one for the rest");
}

#[tokio::test]
async fn a_turn_counts_once_against_its_agent_however_often_it_is_claimed() {
    let (store, tenant, session) = one("andina").await;
    let rate = "insert into misy.rate_limits (tenant_id, scope, subject, requests, period_seconds)
                values ('andina', 'agent', 'support', 2, 86400)";
    store.admin(rate).await.unwrap();
    let agent = TestAgent::new(
        |definition| {
            definition.when_written = WhenWritten::StartOver;
            definition.limits.attempts = 20;
        },
        |run| match (&run.resumed, run.texts.len(), run.attempt) {
            (_, 1, _) => vec![Step::Hang],
            (None, _, 1..4) | (Some(_), _, 1) => vec![Step::Fail],
            (None, ..) => vec![Step::Wait(WaitsFor::Timer, Duration::from_millis(50), json!(1), "")],
            (Some(_), ..) => vec![Step::Answer("")],
        },
    );
    let works = Works::start(&store, &agent, settings());
    // Two turns a day, and each is run seven times.
    for number in 0..2 {
        asked(&store, &tenant, &session, &format!("{QUESTION} {number}")).await;
        agent.called(number * 7 + 1).await;
        asked(&store, &tenant, &session, &format!("¿Y a qué hora abren? {number}")).await;
        until(&store, &tenant, &session, 3 * (number + 1)).await;
    }
    works.stop().await;
    assert_eq!(agent.heard().len(), 14);
    assert_eq!(afterwards(&store).await.0, None, "no limit was met");
}

#[tokio::test]
async fn messages_that_wake_a_turn_count_against_its_agent() {
    let (store, tenant, session) = one("andina").await;
    let rate = "insert into misy.rate_limits (tenant_id, scope, subject, requests, period_seconds)
                values ('andina', 'agent', 'support', 2, 86400)";
    store.admin(rate).await.unwrap();
    let agent = TestAgent::new(|_| {}, |_| vec![Step::Wait(WaitsFor::Tool, LONG, json!(1), "Un momento.")]);
    let works = Works::start(&store, &agent, settings());
    for number in 1..=3 {
        asked(&store, &tenant, &session, &format!("{QUESTION} {number}")).await;
        until(&store, &tenant, &session, 2 * number).await;
    }
    works.stop().await;
    assert_eq!(agent.heard().len(), 2);
    assert_eq!(afterwards(&store).await.0.as_deref(), Some("agent_limit"));
}
