//! Turns over a real database: what is asked together is answered together, and what comes later by the next turn.

use misy_agents::{Budget, Handoff, TurnInput, TurnOutcome, decide_turn, meaning::Embed};
use misy_domain::{
    Clock, Content, Message, Part, Reply, Role,
    message::{Pressed, text_of},
};
use misy_encoder::Embedding;
use misy_orchestrator::{Turns, WorkerSettings};
use misy_store::{
    decisions::decision,
    messages::{Ingested, history},
    sessions::{ConversationStatus, Session, session},
    turns::handoff_summary,
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use misy_workbench::Packs;
use serde_json::json;
use std::sync::{Arc, Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// Answers with what it was asked.
fn echo(input: &TurnInput<'_>, budget: &Budget<'_>) -> TurnOutcome {
    let text = input.messages.iter().map(|message| message.text).collect::<Vec<_>>().join(" + ");
    let mut outcome = decide_turn(input, budget);
    outcome.handoff = None;
    outcome.replies = vec![Reply {
        parts: vec![Part::Text { text }],
        sources: Vec::new(),
        agent_name: "support".to_owned(),
    }];
    outcome
}

pub(crate) fn turns(store: &TestStore) -> Turns {
    Turns::new(
        store.database.clone(),
        store.vault.clone(),
        store.bell.clone(),
        Packs::start(64 * 1024 * 1024).unwrap(),
        store.clock.clone() as Arc<dyn Clock>,
        store.entropy.clone(),
    )
}

pub(crate) async fn messages(store: &TestStore, tenant: &TestTenant, session: &Session) -> Vec<Message> {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    history(&mut tx, &tenant.keys, session.conversation_id, 0, 1000).await.unwrap()
}

/// Waits on the bell until the conversation has so many messages.
pub(crate) async fn until(
    store: &TestStore,
    tenant: &TestTenant,
    session: &Session,
    count: usize,
) -> Vec<Message> {
    let mut listener = store.bell.listen(&tenant.id, session.conversation_id);
    loop {
        let messages = messages(store, tenant, session).await;
        if messages.len() >= count {
            return messages;
        }
        listener.heard().await;
    }
}

pub(crate) fn said(messages: &[Message]) -> Vec<(Role, String)> {
    messages.iter().map(|message| (message.role, text_of(&message.parts))).collect()
}

pub(crate) async fn asked(
    store: &TestStore,
    tenant: &TestTenant,
    session: &Session,
    text: &str,
) -> misy_domain::MessageId {
    match store.say(tenant, session.session_id, text, text).await.unwrap() {
        Ingested::Stored(receipt) => receipt.message_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_quick_messages_are_answered_by_one_reply_that_names_both() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    let first = asked(&store, &tenant, &session, "Hola").await;
    let second = asked(&store, &tenant, &session, "¿Qué cuesta?").await;
    let shutdown = CancellationToken::new();
    let worker =
        tokio::spawn(turns(&store).deciding(echo).worker(WorkerSettings::default()).run(shutdown.clone()));
    let messages = until(&store, &tenant, &session, 3).await;
    shutdown.cancel();
    worker.await.unwrap();
    assert_eq!(said(&messages)[2..], [(Role::Agent, "Hola + ¿Qué cuesta?".to_owned())]);
    assert_eq!(messages[2].in_reply_to, [first, second]);
    assert_eq!(messages[2].sequence, 3);
    assert_eq!(messages[2].agent_name.as_deref(), Some("support"));

    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let mut records = Vec::new();
    for id in [first, second, messages[2].message_id] {
        records.push(decision(&mut tx, id).await.unwrap().expect("a decision"));
    }
    assert!(records.iter().all(|record| *record == records[0]));
    drop(tx);

    // The turn stands in the trail, in the tree, and nobody's words stand with it.
    let terms = misy_store::audit::SealTerms::default();
    let sealer = misy_store::audit::Sealer::new(
        store.database.clone(),
        store.vault.clone(),
        store.clock.clone(),
        terms,
    );
    sealer.await.unwrap().seal(&tenant.id).await.unwrap().expect("a checkpoint");
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let trail = misy_store::audit::entries::by_leaf(&mut tx, 0, 100, 100).await.unwrap();
    let turns: Vec<_> = trail.iter().filter(|entry| entry.text("kind") == Some("turn")).collect();
    assert_eq!(turns.len(), 1);
    let fields =
        ["tenantId", "sessionId", "agentName", "actor", "siteId", "outcome"].map(|f| turns[0].text(f));
    let session_id = session.session_id.to_string();
    let expected = ["andina", &session_id, "smalltalk", "agent:smalltalk", "main", "answered"];
    assert_eq!(fields, expected.map(Some));
    assert!(turns[0].number("durationMicros").is_some_and(|micros| micros > 0));
    assert!(!format!("{trail:?}").contains("Hola"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_arrives_during_a_turn_is_answered_by_the_next() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    let first = asked(&store, &tenant, &session, "uno").await;

    // The first turn stops in the middle until it is told to go on.
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let gate = Mutex::new(Some((begun, may_go)));
    let decide = move |input: &TurnInput<'_>, budget: &Budget<'_>| {
        if let Some((begun, may_go)) = gate.lock().unwrap().take() {
            begun.send(()).unwrap();
            may_go.recv().unwrap();
        }
        echo(input, budget)
    };
    let shutdown = CancellationToken::new();
    let worker =
        tokio::spawn(turns(&store).deciding(decide).worker(WorkerSettings::default()).run(shutdown.clone()));
    has_begun.await.unwrap();
    let second = asked(&store, &tenant, &session, "dos").await;
    let third = asked(&store, &tenant, &session, "tres").await;
    go.send(()).unwrap();

    let messages = until(&store, &tenant, &session, 5).await;
    shutdown.cancel();
    worker.await.unwrap();
    let texts: Vec<_> = said(&messages).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["uno", "dos", "tres", "uno", "dos + tres"]);
    assert_eq!(messages[3].in_reply_to, [first]);
    assert_eq!(messages[4].in_reply_to, [second, third]);
}

#[tokio::test]
async fn a_handoff_is_seen_in_the_session_and_its_summary_is_sealed() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session_of_test = store.session(&tenant).await.unwrap();
    let hand_over = |input: &TurnInput<'_>, budget: &Budget<'_>| {
        let mut outcome = echo(input, budget);
        assert!(!input.handed_off);
        outcome.handoff =
            Some(Handoff { reason: "asked".to_owned(), summary: "Quiere hablar con Marta".to_owned() });
        outcome
    };
    let mut listener = store.bell.listen(&tenant.id, session_of_test.conversation_id);
    asked(&store, &tenant, &session_of_test, "Marta, por favor").await;
    let shutdown = CancellationToken::new();
    let worker = turns(&store).deciding(hand_over).worker(WorkerSettings::default());
    let worker = tokio::spawn(worker.run(shutdown.clone()));
    while listener.heard().await.status_changes == 0 {}
    shutdown.cancel();
    worker.await.unwrap();

    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let state =
        session(&mut tx, session_of_test.session_id, tenant.family, &tenant.site).await.unwrap().unwrap();
    assert_eq!(state.status, ConversationStatus::Handoff);
    assert_eq!(state.last_sequence, 2);
    let summary = handoff_summary(&mut tx, &tenant.keys, session_of_test.conversation_id).await.unwrap();
    assert_eq!(summary.as_deref(), Some("Quiere hablar con Marta"));
    let mut admin = store.connect_as("postgres").await.unwrap();
    let readable: i64 = sqlx::query_scalar(
        "select count(*) from misy.conversations c join misy.messages m using (tenant_id, conversation_id)
         where position('Marta'::bytea in c.sealed_handoff || m.sealed_body) > 0",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(readable, 0);
}

#[tokio::test]
async fn while_a_person_holds_a_conversation_the_assistant_says_nothing_and_the_decision_says_why() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let held = store.session(&tenant).await.unwrap();
    let first = asked(&store, &tenant, &held, "Hola").await;
    store.admin("update misy.conversations set status = 'handoff', assignee = 'usr_1'").await.unwrap();
    let shutdown = CancellationToken::new();
    let worker =
        tokio::spawn(turns(&store).deciding(echo).worker(WorkerSettings::default()).run(shutdown.clone()));
    let mut listener = store.bell.listen(&tenant.id, held.conversation_id);
    let decided = loop {
        let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
        let decided = decision(&mut tx, first).await.unwrap();
        tx.commit().await.unwrap();
        match decided {
            Some(decided) => break decided,
            None => drop(listener.heard().await),
        }
    };
    assert_eq!((&decided["agent"], &decided["outcome"]), (&json!("none"), &json!("silent")));
    let rules = decided["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule.as_str().unwrap().contains("a person holds")), "{decided}");
    assert_eq!(messages(&store, &tenant, &held).await.len(), 1);
    // Given back, it answers what comes from now on.
    store.admin("update misy.conversations set status = 'active', assignee = null").await.unwrap();
    asked(&store, &tenant, &held, "¿Abren hoy?").await;
    let messages = until(&store, &tenant, &held, 3).await;
    shutdown.cancel();
    worker.await.unwrap();
    assert_eq!(said(&messages)[2], (Role::Agent, "¿Abren hoy?".to_owned()));
}

#[tokio::test]
async fn a_suspended_tenant_is_answered_when_it_is_active_again() {
    let store = test_store().await.unwrap();
    let (waits, goes) = (store.tenant("waits").await.unwrap(), store.tenant("works").await.unwrap());
    let (first, second) = (store.session(&waits).await.unwrap(), store.session(&goes).await.unwrap());
    store.admin("update misy.tenants set suspended_at = now() where tenant_id = 'waits'").await.unwrap();
    asked(&store, &waits, &first, "Hola").await;
    asked(&store, &goes, &second, "Hola").await;
    let shutdown = CancellationToken::new();
    let worker =
        tokio::spawn(turns(&store).deciding(echo).worker(WorkerSettings::default()).run(shutdown.clone()));
    until(&store, &goes, &second, 2).await;
    assert_eq!(messages(&store, &waits, &first).await.len(), 1);
    store.admin("update misy.tenants set suspended_at = null where tenant_id = 'waits'").await.unwrap();
    until(&store, &waits, &first, 2).await;
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn an_agent_that_reached_its_limit_answers_later_and_a_person_when_that_is_too_late() {
    let store = test_store().await.unwrap();
    let (soon, late) = (store.tenant("soon").await.unwrap(), store.tenant("late").await.unwrap());
    for (tenant, period) in [("soon", 2), ("late", 3_600)] {
        let insert = format!("insert into misy.rate_limits values ('{tenant}', 'agent', '', 1, {period})");
        store.admin(insert).await.unwrap();
    }
    let mut sessions = Vec::new();
    for tenant in [&soon, &soon, &late, &late] {
        let session = store.session(tenant).await.unwrap();
        asked(&store, tenant, &session, "Hola").await;
        sessions.push(session);
    }
    let shutdown = CancellationToken::new();
    let clock = store.clock.clone();
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            clock.advance(std::time::Duration::from_millis(50));
        }
    });
    let worker =
        tokio::spawn(turns(&store).deciding(echo).worker(WorkerSettings::default()).run(shutdown.clone()));
    for session in &sessions[..2] {
        let messages = until(&store, &soon, session, 2).await;
        assert_eq!(said(&messages)[1], (Role::Agent, "Hola".to_owned()));
    }
    let mut answers = Vec::new();
    for session in &sessions[2..] {
        answers.push(said(&until(&store, &late, session, 2).await)[1].1.clone());
    }
    shutdown.cancel();
    worker.await.unwrap();
    ticking.abort();
    answers.sort();
    assert_eq!(answers[1], "Hola");
    assert!(answers[0].contains("persona del equipo"), "{answers:?}");
    let mut admin = store.connect_as("postgres").await.unwrap();
    let (reasons, failures): (Vec<String>, i64) = sqlx::query_as(
        "select (select array_agg(handoff_reason) from misy.conversations where status = 'handoff'),
                (select count(*) from misy.conversations where attempts > 0 or last_error is not null)",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!((reasons, failures), (vec!["agent_limit".to_owned()], 0));
}

#[tokio::test]
async fn one_conversation_takes_no_agent_from_the_others() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    // Of 61 an hour one conversation gets 60.
    store.admin("insert into misy.rate_limits values ('andina', 'agent', '', 61, 3600)").await.unwrap();
    let (loud, other) = (store.session(&tenant).await.unwrap(), store.session(&tenant).await.unwrap());
    let shutdown = CancellationToken::new();
    let worker =
        tokio::spawn(turns(&store).deciding(echo).worker(WorkerSettings::default()).run(shutdown.clone()));
    for answered in 0..60 {
        let text = format!("Hola {answered}");
        asked(&store, &tenant, &loud, &text).await;
        let messages = until(&store, &tenant, &loud, 2 * (answered + 1)).await;
        assert_eq!(said(&messages).last().unwrap(), &(Role::Agent, text));
    }
    asked(&store, &tenant, &loud, "Hola").await;
    let messages = until(&store, &tenant, &loud, 122).await;
    assert!(said(&messages).last().unwrap().1.contains("persona del equipo"));
    asked(&store, &tenant, &other, "Hola").await;
    let messages = until(&store, &tenant, &other, 2).await;
    assert_eq!(said(&messages)[1], (Role::Agent, "Hola".to_owned()));
    shutdown.cancel();
    worker.await.unwrap();
}

/// An encoder for a test: it knows what a few words are about, and nothing else.
#[derive(Debug)]
struct Topics;

impl Topics {
    const WORDS: [(&str, &[f32]); 6] = [
        ("estacionar", &[1.0, 0.0]),
        ("buses", &[0.0, 1.0]),
        ("llegar", &[0.75, 0.75]),
        ("camioneta", &[0.75, 0.75]),
        ("devolver", &[0.0, 0.0, 1.0]),
        ("efectivo", &[0.0, 0.0, 0.0, 1.0]),
    ];
}

impl Embed for Topics {
    fn query(&self, text: &str) -> Embedding {
        self.passage(text)
    }

    fn passage(&self, text: &str) -> Embedding {
        // What every text has in common: an encoder puts no two texts at right angles.
        let mut numbers = vec![0.0; 384];
        numbers[8] = 0.8;
        for (word, about) in Self::WORDS {
            if text.to_lowercase().contains(word) {
                numbers.iter_mut().zip(about).for_each(|(sum, number)| *sum += number);
            }
        }
        Embedding::pointing(numbers)
    }
}

#[tokio::test]
async fn what_may_mean_two_things_is_asked_back_and_what_is_chosen_is_answered() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let faq = json!([
        { "id": "car-park", "question": "¿Dónde puedo estacionar?", "answer": "En el sótano." },
        { "id": "buses", "question": "¿Qué buses pasan cerca?", "answer": "El 12 y el 40." },
        { "id": "returns", "question": "¿Puedo devolver un producto?", "answer": "En diez días." },
        { "id": "cash", "question": "¿Reciben efectivo?", "answer": "Sí." },
    ]);
    let put = format!("update misy.context_packs set pack = jsonb_set(pack::jsonb, '{{faq}}', '{faq}')");
    store.admin(put).await.unwrap();
    let packs = Packs::start(64 * 1024 * 1024).unwrap().understood_by(Arc::new(Topics));
    let turns = || {
        Turns::new(
            store.database.clone(),
            store.vault.clone(),
            store.bell.clone(),
            packs.clone(),
            store.clock.clone() as Arc<dyn Clock>,
            store.entropy.clone(),
        )
    };
    let session = store.session(&tenant).await.unwrap();
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns().worker(WorkerSettings::default()).run(shutdown.clone()));
    // The first turn makes the pack ready, and its vectors follow.
    asked(&store, &tenant, &session, "hola").await;
    until(&store, &tenant, &session, 2).await;
    packs.settled().await;

    let unclear = asked(&store, &tenant, &session, "vamos en la camioneta de la tía").await;
    let messages = until(&store, &tenant, &session, 4).await;
    let offer = &messages[3];
    let [Part::Buttons { text, buttons }] = offer.parts.as_slice() else { panic!("{:?}", offer.parts) };
    let refs: Vec<_> = buttons.iter().map(|button| button.reference.clone().unwrap().id).collect();
    assert!(
        refs.len() == 2 && refs.contains(&"buses".to_owned()) && refs.contains(&"car-park".to_owned()),
        "{refs:?}"
    );
    // Whoever sees no buttons reads the choices too.
    assert!(text.contains("1. ") && text.contains("¿Dónde puedo estacionar?"), "{text}");
    assert!(offer.sources.is_empty());
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let record = decision(&mut tx, unclear).await.unwrap().expect("a decision");
    let rules = record["rules"].to_string();
    assert!(
        rules.contains("understood: by words and meaning") && rules.contains("asks which of 2"),
        "{rules}"
    );
    assert_eq!(record["outcome"], "ask");
    let candidates = record["candidates"].as_array().unwrap();
    let first: Vec<_> = candidates.iter().take(2).map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(first, refs, "best first, as they are offered");
    let probability = |one: &serde_json::Value| one["probability"].as_f64().unwrap();
    assert!(candidates.iter().all(|one| one["kind"] == "faq" && probability(one) > 0.0), "{record}");
    assert!(candidates.is_sorted_by(|one, other| probability(one) >= probability(other)), "{record}");
    drop(tx);

    // The button is pressed, as the widget or a program does it.
    let button = &buttons[refs.iter().position(|id| id == "buses").unwrap()];
    let content = Content {
        action: Some(Pressed::Button {
            id: button.id.clone(),
            title: button.title.clone(),
            message_id: offer.message_id,
            reference: button.reference.clone(),
        }),
        ..Content::text(button.title.as_str())
    };
    let said_so = store.send(&tenant, session.session_id, "pressed", &content).await.unwrap();
    let Ingested::Stored(pressed) = said_so else { panic!("{said_so:?}") };
    let messages = until(&store, &tenant, &session, 6).await;
    assert_eq!(said(&messages)[5], (Role::Agent, "El 12 y el 40.".to_owned()));
    assert_eq!(messages[5].sources[0].id, "buses");
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let record = decision(&mut tx, pressed.message_id).await.unwrap().expect("a decision");
    assert!(record["rules"].to_string().contains("choice: the contact chose"), "{record}");
    assert_eq!(record["outcome"], "answer");
    assert_eq!(record["candidates"], json!([{ "kind": "faq", "id": "buses", "probability": 1.0 }]));
    drop(tx);

    // The place in the list is as good.
    asked(&store, &tenant, &session, "¿por dónde es mejor llegar con la camioneta?").await;
    let messages = until(&store, &tenant, &session, 8).await;
    assert!(matches!(messages[7].parts[..], [Part::Buttons { .. }]), "{:?}", messages[7]);
    let first = misy_agents::offered(&messages[7].parts).remove(0).faq.unwrap();
    asked(&store, &tenant, &session, "la primera").await;
    let messages = until(&store, &tenant, &session, 10).await;
    shutdown.cancel();
    worker.await.unwrap();
    assert_eq!(messages[9].sources[0].id, first);
}
