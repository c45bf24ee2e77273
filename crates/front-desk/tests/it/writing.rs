//! What an agent writes while it runs reaches whoever follows the conversation, and nobody else.

use crate::{
    live::{Event, Events},
    replicas::{Replicas, replicas},
    support::{App, PATIENCE, Token},
};
use axum::Router;
use http::Method;
use misy_domain::{Clock, TenantId, agent::WhenWritten};
use misy_front_desk::FrontDesk;
use misy_orchestrator::{Agents, Turns, WorkerSettings};
use misy_testkit::agent::{Step, TestAgent};
use misy_workbench::Packs;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A question that goes to support.
const QUESTION: &str = "¿Dónde quedan ustedes?";

/// A worker in the process of a replica.
pub(crate) struct Works {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Works {
    pub(crate) fn start(app: &App, agent: &Arc<TestAgent>) -> Self {
        let (store, shutdown) = (&app.store, CancellationToken::new());
        let turns = Turns::new(
            store.database.clone(),
            store.vault.clone(),
            app.desk.bell.clone(),
            Packs::start(64 * 1024 * 1024).unwrap(),
            store.clock.clone() as Arc<dyn Clock>,
            store.entropy.clone(),
        );
        let turns = turns.answered_by(Agents::built_in().with(agent.clone()));
        let settings = WorkerSettings { poll: Duration::from_millis(20), ..WorkerSettings::default() };
        Self { task: tokio::spawn(turns.worker(settings).run(shutdown.clone())), shutdown }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

async fn follow(app: &App, router: &Router, token: &Token, session: &str) -> Events {
    let request = app.signed(token, Method::GET, &format!("/sessions/{session}/events"), None);
    let mut events = Events::of(router.clone().oneshot(request).await.unwrap());
    events.expect("status").await;
    events
}

/// Waits until one replica hears the other.
async fn until_heard(from: &FrontDesk, to: &FrontDesk, tenant: &TenantId) {
    let mut changes = to.bell.forget();
    let heard = async {
        loop {
            from.bell.tenant_changed(tenant);
            if timeout(Duration::from_millis(20), changes.recv()).await.is_ok() {
                return;
            }
        }
    };
    timeout(PATIENCE, heard).await.expect("one hears the other");
}

/// The next event of these names.
pub(crate) async fn next(events: &mut Events, names: &[&str]) -> Event {
    loop {
        let event = events.next().await.expect("no end yet");
        if names.contains(&&*event.name) {
            return event;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_seen_growing_on_every_replica_and_in_no_other_session() {
    let Replicas { redis: _redis, app, routers, desks } = replicas(2).await;
    let (owner, andina) = app.two().await;
    let other = app.register(&owner, "verde-cafe", "https://verde.example").await;
    until_heard(&desks[0], &desks[1], &andina.tenant_id()).await;
    let (token, neighbour, stranger) =
        (app.browser(&andina).await, app.browser(&andina).await, app.browser(&other).await);
    let session = app.session(&token).await;
    let mut near = follow(&app, &routers[0], &token, &session).await;
    let mut far = follow(&app, &routers[1], &token, &session).await;
    let mut others = Vec::new();
    for token in [&neighbour, &stranger] {
        let session = app.session(token).await;
        for router in &routers {
            others.push((follow(&app, router, token, &session).await, token, session.clone()));
        }
    }
    let agent = TestAgent::new(
        |_| {},
        |_| {
            let rest = [Step::Gate, Step::Write("está en Bogotá"), Step::Gate, Step::Answer("Sede: ")];
            [&[Step::Write("La sede ")], &rest[..]].concat()
        },
    );
    let works = Works::start(&app, &agent);
    app.say(&token, &session, QUESTION).await.expect(202);
    for events in [&mut near, &mut far] {
        let seen = next(events, &["message.delta"]).await;
        assert_eq!((seen.id, seen.data), (None, json!({ "agentName": "support", "text": "La sede " })));
    }
    agent.open_for(1);
    for events in [&mut near, &mut far] {
        let seen = next(events, &["message.delta"]).await;
        assert_eq!(seen.data, json!({ "agentName": "support", "delta": "está en Bogotá" }));
    }
    agent.open_for(1);
    for events in [&mut near, &mut far] {
        // What was written is there before it is taken away.
        let said = next(events, &["message", "typing", "message.delta"]).await;
        let said = if said.data["role"] == "contact" { next(events, &["message"]).await } else { said };
        assert_eq!(said.data["parts"][0]["text"], format!("Sede: {QUESTION}"), "{said:?}");
        assert_eq!(next(events, &["typing", "message.delta"]).await.data["active"], false);
    }
    works.stop().await;
    for (mut events, token, session) in others {
        app.say(token, &session, "¿Hola?").await.expect(202);
        let heard = next(&mut events, &["message", "message.delta", "typing"]).await;
        assert_eq!(heard.data["parts"][0]["text"], "¿Hola?", "{heard:?}");
    }
}

#[tokio::test]
async fn nothing_more_is_seen_of_a_run_that_was_cancelled() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let mut events = follow(&app, &app.router, &token, &session).await;
    let agent = TestAgent::new(
        |definition| definition.when_written = WhenWritten::StartOver,
        |run| match run.texts.len() {
            1 => vec![Step::Write("Primero"), Step::Hang],
            _ => vec![Step::Write("Segundo"), Step::Gate, Step::Answer("")],
        },
    );
    let works = Works::start(&app, &agent);
    app.say(&token, &session, QUESTION).await.expect(202);
    let seen = next(&mut events, &["message.delta"]).await;
    assert_eq!(seen.data["text"], "Primero");
    app.say(&token, &session, "¿Y a qué hora abren?").await.expect(202);
    // The client lets go of it, and what comes next begins anew.
    next(&mut events, &["typing"]).await;
    let seen = next(&mut events, &["message.delta"]).await;
    assert_eq!(seen.data, json!({ "agentName": "support", "text": "Segundo" }));
    // Whoever comes now sees what comes now: the message.
    agent.open_for(1);
    let answer = next(&mut events, &["message", "message.delta"]).await;
    assert_eq!(answer.data["role"], "agent", "{answer:?}");
    works.stop().await;
}
