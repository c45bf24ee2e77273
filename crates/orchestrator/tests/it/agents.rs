//! Agents that wait for something outside, at every edge: slow, dear, failing, cancelled and killed.

mod waits;

use crate::turns::{asked, messages, said, turns, until};
use misy_domain::{Clock, Metered, Role, agent::WhenWritten};
use misy_orchestrator::{Agents, WorkerSettings};
use misy_store::{
    DatabaseOptions, decisions::decision, leases::LeaseTerms, sessions::Session, usage::counted,
};
use misy_testkit::{
    agent::{Step, TestAgent},
    store::{TestStore, TestTenant, test_store, test_store_with},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A question that goes to support.
const QUESTION: &str = "¿Dónde quedan ustedes?";

struct Works {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Works {
    fn start(store: &TestStore, agent: &Arc<TestAgent>, settings: WorkerSettings) -> Self {
        let shutdown = CancellationToken::new();
        let turns = turns(store).answered_by(Agents::built_in().with(agent.clone()));
        let task = tokio::spawn(turns.worker(settings).run(shutdown.clone()));
        Self { task, shutdown }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    /// As a crash would: nothing is given back.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Failures are tried again at once.
fn settings() -> WorkerSettings {
    let mut settings = WorkerSettings::default();
    settings.backoff.first = Duration::from_millis(20);
    settings.poll = Duration::from_millis(20);
    settings
}

async fn record(store: &TestStore, tenant: &TestTenant, message: misy_domain::MessageId) -> Value {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    decision(&mut tx, message).await.unwrap().expect("a decision")
}

async fn tokens(store: &TestStore, tenant: &TestTenant) -> i64 {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let counted = counted(&mut tx, store.clock.now()).await.unwrap();
    counted.get(&Metered::AiTokens).copied().unwrap_or_default()
}

/// Reason of the hand-over, rules of the alerts, and reservations that nobody settled.
async fn afterwards(store: &TestStore) -> (Option<String>, Vec<String>, i64) {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_as(
        "select (select max(handoff_reason) from misy.conversations),
                (select coalesce(array_agg(rule), '{}') from misy.alerts),
                (select count(*) from misy.usage_events where not settled)",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap()
}

async fn one(slug: &str) -> (Arc<TestStore>, TestTenant, Session) {
    let store = Arc::new(test_store().await.unwrap());
    let tenant = store.tenant(slug).await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    (store, tenant, session)
}

fn stages(record: &Value) -> Vec<&str> {
    record["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_record_shows_each_stage_with_its_time_and_which_agent_it_was() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |definition| definition.limits.tokens = 100,
        |_| vec![Step::Spend(30), Step::Spend(10), Step::Answer("Pues: ")],
    );
    let works = Works::start(&store, &agent, settings());
    let greeting = asked(&store, &tenant, &session, "Hola").await;
    until(&store, &tenant, &session, 2).await;
    let question = asked(&store, &tenant, &session, QUESTION).await;
    let messages = until(&store, &tenant, &session, 4).await;
    works.stop().await;
    assert_eq!(said(&messages)[3], (Role::Agent, format!("Pues: {QUESTION}")));
    assert_eq!(messages[3].agent_name.as_deref(), Some("support"));

    let built_in = record(&store, &tenant, greeting).await;
    assert_eq!(stages(&built_in), ["load", "understand", "route", "draft", "permit", "run", "commit"]);
    assert_eq!((&built_in["agentKind"], &built_in["agentVersion"]), (&"built_in".into(), &1.into()));
    assert_eq!(built_in.get("tokens"), None);
    let connected = record(&store, &tenant, question).await;
    let all = ["load", "understand", "route", "draft", "permit", "run", "settle", "commit"];
    assert_eq!(stages(&connected), all);
    assert_eq!((&connected["agentKind"], &connected["agentVersion"]), (&"connected".into(), &7.into()));
    assert_eq!(connected["tokens"], 40);
    assert_eq!((&built_in["outcome"], &connected["outcome"]), (&"answer".into(), &"answer".into()));
    for stage in connected["stages"].as_array().unwrap() {
        assert_eq!(stage["micros"].is_u64(), stage["stage"] != "commit", "{stage}");
    }
    assert_eq!(tokens(&store, &tenant).await, 40);
    assert_eq!(afterwards(&store).await, (None, vec![], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_turns_at_once_never_pass_the_budget() {
    const TURNS: usize = 200;
    const MOST: i64 = 5_000;
    let store = test_store_with(|options| DatabaseOptions { worker_connections: 16, ..options });
    let store = Arc::new(store.await.unwrap());
    let tenant = store.tenant("andina").await.unwrap();
    store.admin(format!("insert into misy.quotas values ('andina', 'ai_tokens', {MOST})")).await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..TURNS {
        let session = store.session(&tenant).await.unwrap();
        asked(&store, &tenant, &session, QUESTION).await;
        sessions.push(session);
    }
    // Each may cost 100, so 50 run; all of them are under way at the same time.
    let agent = TestAgent::new(
        |definition| definition.limits.tokens = 100,
        |_| vec![Step::Spend(100), Step::Gate, Step::Answer("")],
    );
    let wide = WorkerSettings { concurrency: 1_000, batch: 1_000, ..settings() };
    let works = Works::start(&store, &agent, wide);
    // Those that were not permitted are answered meanwhile by the built-in agents.
    let mut admin = store.connect_as("postgres").await.unwrap();
    loop {
        let count = "select count(*) from misy.messages where role = 'agent'";
        let answered: i64 = sqlx::query_scalar(count).fetch_one(&mut admin).await.unwrap();
        let reserved = tokens(&store, &tenant).await;
        assert!(reserved <= MOST, "{reserved}");
        if answered == 150 && agent.heard().len() == 50 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(tokens(&store, &tenant).await, MOST);
    agent.open_for(TURNS);
    for session in &sessions {
        until(&store, &tenant, session, 2).await;
    }
    works.stop().await;
    assert_eq!(tokens(&store, &tenant).await, MOST);
    let counts: (i64, i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from misy.messages where role = 'agent'),
                (select count(distinct message_id) from misy.decisions where record->>'tokens' = '100') / 2,
                (select count(*) from misy.decisions where record->'limits' @> '[\"the month''s AI tokens are used up\"]') / 2,
                (select sum(amount)::bigint from misy.usage_events where kind = 'ai_tokens' and settled)",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(counts, (200, 50, 150, MOST));
    assert_eq!(afterwards(&store).await.2, 0);
}

#[tokio::test]
async fn an_agent_that_fails_is_tried_again_and_then_a_person_is_asked_and_the_tenant_told() {
    for last in [Step::Fail, Step::Panic] {
        let (store, tenant, session) = one("andina").await;
        let fails = last.clone();
        let agent = TestAgent::new(
            |definition| definition.limits.tokens = 10,
            move |_| vec![Step::Spend(2), fails.clone()],
        );
        let works = Works::start(&store, &agent, settings());
        asked(&store, &tenant, &session, QUESTION).await;
        let messages = until(&store, &tenant, &session, 2).await;
        works.stop().await;
        assert!(said(&messages)[1].1.contains("persona del equipo"), "{messages:?}");
        assert_eq!(agent.heard().iter().map(|run| run.attempt).collect::<Vec<_>>(), [1, 2, 3], "{last:?}");
        // What failed did cost what it cost.
        assert_eq!(tokens(&store, &tenant).await, 6);
        let told = (Some("agent_failed".to_owned()), vec!["agent_failed".to_owned()], 0);
        assert_eq!(afterwards(&store).await, told);
        assert_eq!(record(&store, &tenant, messages[0].message_id).await["outcome"], "handoff");
    }
}

#[tokio::test]
async fn an_agent_that_fails_once_answers_the_second_time() {
    let (store, tenant, session) = one("andina").await;
    let agent =
        TestAgent::new(|_| {}, |run| vec![if run.attempt == 1 { Step::Fail } else { Step::Answer("") }]);
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    let messages = until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert_eq!(said(&messages)[1..], [(Role::Agent, QUESTION.to_owned())]);
    assert_eq!(afterwards(&store).await, (None, vec![], 0));
}

#[tokio::test]
async fn an_agent_that_does_not_end_in_time_is_cancelled_and_the_contact_hears_the_truth() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |definition| {
            definition.limits.tokens = 10;
            definition.limits.deadline = Duration::from_millis(50);
        },
        |_| vec![Step::Spend(3), Step::Hang],
    );
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    let messages = until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert!(said(&messages)[1].1.contains("persona del equipo"), "{messages:?}");
    assert!(agent.heard()[0].cancelled.is_cancelled());
    assert_eq!(agent.heard().len(), 1);
    assert_eq!(tokens(&store, &tenant).await, 3);
    let told = (Some("agent_deadline".to_owned()), vec!["agent_deadline".to_owned()], 0);
    assert_eq!(afterwards(&store).await, told);
}

#[tokio::test]
async fn a_contact_who_writes_again_is_answered_once_and_to_everything() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |definition| {
            definition.limits.tokens = 10;
            definition.when_written = WhenWritten::StartOver;
        },
        |run| if run.texts.len() == 1 { vec![Step::Spend(1), Step::Hang] } else { vec![Step::Answer("")] },
    );
    let works = Works::start(&store, &agent, settings());
    asked(&store, &tenant, &session, QUESTION).await;
    let first = agent.called(1).await.remove(0);
    asked(&store, &tenant, &session, "¿Y a qué hora abren?").await;
    let messages = until(&store, &tenant, &session, 3).await;
    works.stop().await;
    assert!(first.cancelled.is_cancelled());
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[2].in_reply_to, [messages[0].message_id, messages[1].message_id]);
    assert_eq!(tokens(&store, &tenant).await, 1);
    assert_eq!(afterwards(&store).await, (None, vec![], 0));
}

#[tokio::test]
async fn a_contact_who_never_stops_writing_is_answered_all_the_same() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |definition| definition.when_written = WhenWritten::StartOver,
        |_| vec![Step::Gate, Step::Answer("")],
    );
    let works = Works::start(&store, &agent, settings());
    for number in 0..5 {
        asked(&store, &tenant, &session, &format!("{QUESTION} {number}")).await;
        agent.called(number + 1).await;
    }
    // Five wait: this run goes on.
    asked(&store, &tenant, &session, &format!("{QUESTION} 5")).await;
    agent.open_for(1);
    let messages = until(&store, &tenant, &session, 7).await;
    assert_eq!(messages[6].in_reply_to.len(), 5);
    agent.open_for(1);
    let messages = until(&store, &tenant, &session, 8).await;
    works.stop().await;
    assert_eq!(messages[7].in_reply_to, [messages[5].message_id]);
    assert_eq!(agent.heard().len(), 6);
}

#[tokio::test]
async fn what_a_killed_worker_may_have_spent_counts_and_its_turn_is_answered_once() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |definition| definition.limits.tokens = 100,
        |run| {
            if run.attempt == 1 {
                vec![Step::Spend(1), Step::Hang]
            } else {
                vec![Step::Spend(5), Step::Answer("")]
            }
        },
    );
    let terms = LeaseTerms { length: Duration::from_millis(500), ..LeaseTerms::default() };
    let short = WorkerSettings { terms, heartbeat: Duration::from_millis(100), ..settings() };
    let killed = Works::start(&store, &agent, short.clone());
    asked(&store, &tenant, &session, QUESTION).await;
    let first = agent.called(1).await.remove(0);
    killed.kill().await;
    first.cancelled.cancelled().await;
    let works = Works::start(&store, &agent, short);
    until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert_eq!(messages(&store, &tenant, &session).await.len(), 2);
    // Of the first run nobody knows what it spent: all that was reserved.
    assert_eq!(tokens(&store, &tenant).await, 105);
    assert_eq!(afterwards(&store).await, (None, vec![], 0));
}

#[tokio::test]
async fn an_agent_that_takes_its_worker_down_is_not_asked_for_ever() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(|_| {}, |_| vec![Step::Hang]);
    let terms = LeaseTerms { length: Duration::from_millis(300), ..LeaseTerms::default() };
    let short = WorkerSettings { terms, heartbeat: Duration::from_millis(100), ..settings() };
    asked(&store, &tenant, &session, QUESTION).await;
    for attempt in 1..=3 {
        let killed = Works::start(&store, &agent, short.clone());
        agent.called(attempt).await;
        killed.kill().await;
    }
    let works = Works::start(&store, &agent, short);
    let messages = until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert!(said(&messages)[1].1.contains("persona del equipo"), "{messages:?}");
    assert_eq!(agent.heard().len(), 3);
    let told = (Some("agent_failed".to_owned()), vec!["agent_failed".to_owned()], 0);
    assert_eq!(afterwards(&store).await, told);
}

#[tokio::test]
async fn a_run_is_cancelled_when_its_lease_is_lost() {
    let (store, tenant, session) = one("andina").await;
    let agent =
        TestAgent::new(|_| {}, |run| vec![if run.attempt == 1 { Step::Hang } else { Step::Answer("") }]);
    let works =
        Works::start(&store, &agent, WorkerSettings { heartbeat: Duration::from_millis(50), ..settings() });
    asked(&store, &tenant, &session, QUESTION).await;
    let first = agent.called(1).await.remove(0);
    // As if it had run out and somebody else had claimed it and died.
    store
        .admin("update misy.conversations set fence = fence + 1, lease_owner = null, work_at = now()")
        .await
        .unwrap();
    first.cancelled.cancelled().await;
    let messages = until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert_eq!(said(&messages)[1..], [(Role::Agent, QUESTION.to_owned())]);
    assert_eq!(agent.heard().len(), 2);
}

#[tokio::test]
async fn without_the_permission_the_built_in_agents_answer_and_nothing_is_spent() {
    let (store, tenant, session) = one("andina").await;
    let agent = TestAgent::new(
        |definition| {
            definition.limits.tokens = 10;
            definition.permission = Some(misy_domain::Permission::AgentsMarketing);
        },
        |_| vec![Step::Answer("")],
    );
    let works = Works::start(&store, &agent, settings());
    let question = asked(&store, &tenant, &session, QUESTION).await;
    until(&store, &tenant, &session, 2).await;
    works.stop().await;
    assert!(agent.heard().is_empty());
    assert_eq!(tokens(&store, &tenant).await, 0);
    let limits = record(&store, &tenant, question).await["limits"].to_string();
    assert!(limits.contains("permission agents:marketing is missing"), "{limits}");
}

#[tokio::test]
async fn runs_that_wait_for_the_network_take_no_places_and_are_bounded_for_each_tenant() {
    let (store, tenant, _) = one("andina").await;
    let other = store.tenant("verde-cafe").await.unwrap();
    let agent = TestAgent::new(|_| {}, |_| vec![Step::Gate, Step::Answer("")]);
    let narrow =
        WorkerSettings { concurrency: 2, batch: 2, most_aside: 9, most_aside_of_tenant: 6, ..settings() };
    let mut sessions = Vec::new();
    for _ in 0..12 {
        let session = store.session(&tenant).await.unwrap();
        asked(&store, &tenant, &session, QUESTION).await;
        sessions.push(session);
    }
    let works = Works::start(&store, &agent, narrow);
    // Three times as many wait as there are places.
    agent.called(6).await;
    // Another tenant is answered meanwhile, and may have runs that wait as well.
    let session = store.session(&other).await.unwrap();
    asked(&store, &other, &session, "Hola").await;
    until(&store, &other, &session, 2).await;
    asked(&store, &other, &session, QUESTION).await;
    agent.called(7).await;
    assert_eq!(agent.heard().len(), 7, "six of one tenant, and one of another");
    agent.open_for(13);
    for session in &sessions {
        until(&store, &tenant, session, 2).await;
    }
    until(&store, &other, &session, 4).await;
    works.stop().await;
    assert_eq!(agent.heard().len(), 13);
}
