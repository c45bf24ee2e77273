//! The proof of the leases: many workers that fail, panic, dawdle and die, and nothing is lost, doubled or reordered.

use futures_util::{StreamExt, stream};
use misy_domain::{Language, MessageId, Part, Reply, Role};
use misy_orchestrator::{Handler, WorkError, Worker, WorkerSettings};
use misy_store::{
    StoreError,
    leases::{Backoff, LeaseTerms, Trouble},
    messages::history,
    sessions::Session,
    turns::{Conversations, TurnResult, load_turn},
};
use misy_testkit::{
    PATIENCE,
    determinism::SeededEntropy,
    store::{TestStore, TestTenant, test_store},
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

type Lease = misy_store::leases::Lease<Conversations>;

/// What a handler does before it commits.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Work,
    Fail,
    Panic,
    /// Sleeps for longer than the lease.
    Dawdle(Duration),
    /// Never ends.
    Hang,
}

type Moods = dyn Fn(&Lease) -> Mood + Send + Sync;

/// Answers what waits, in the mood that the test chooses.
#[derive(Clone)]
struct Moody {
    store: Arc<TestStore>,
    mood: Arc<Moods>,
    /// Commits that were refused because the lease was lost.
    refused: Arc<AtomicU64>,
    begun: Arc<AtomicU64>,
}

impl Moody {
    fn new(store: &Arc<TestStore>, mood: impl Fn(&Lease) -> Mood + Send + Sync + 'static) -> Self {
        let refused = Arc::default();
        Self { store: store.clone(), mood: Arc::new(mood), refused, begun: Arc::default() }
    }

    async fn answer(&self, lease: &Lease, mood: Mood) -> Result<(), WorkError> {
        let TestStore { database, vault, bell, clock, entropy, .. } = &*self.store;
        let keys = vault.keys(database, &lease.tenant).await?.ok_or(WorkError::Failed(Trouble::NoKeys))?;
        let mut tx = database.tenant_work("test", &lease.tenant).await?;
        let work = load_turn(&mut tx, &keys, lease).await?;
        tx.commit().await?;
        let Some(work) = work else { return Ok(()) };
        match mood {
            Mood::Work => {}
            Mood::Fail => return Err(WorkError::Failed(Trouble::Database)),
            // Without the hook, which would only fill the output.
            Mood::Panic => std::panic::resume_unwind(Box::new("in a mood")),
            Mood::Dawdle(time) => tokio::time::sleep(time).await,
            Mood::Hang => std::future::pending().await,
        }
        let reply = Reply {
            agent_name: "echo".to_owned(),
            parts: vec![Part::Text { text: "ok".to_owned() }],
            sources: Vec::new(),
        };
        let result = TurnResult {
            work: &work,
            replies: &[reply],
            agent: "echo",
            language: Language::Es,
            unanswered_in_a_row: 0,
            handoff: None,
            decision: &serde_json::json!({}),
            wait: None,
            took: Duration::ZERO,
        };
        database.commit_turn(lease, &result, &keys, bell, &**clock, &**entropy).await?;
        Ok(())
    }

    fn start(&self, settings: &WorkerSettings) -> (JoinHandle<()>, CancellationToken) {
        let store = &self.store;
        let worker =
            Worker::new(store.database.clone(), store.entropy.clone(), settings.clone(), self.clone());
        let shutdown = CancellationToken::new();
        (tokio::spawn(worker.run(shutdown.clone())), shutdown)
    }
}

impl Handler for Moody {
    type Kind = Conversations;

    async fn rung(&self) {
        self.store.bell.work().await;
    }

    async fn handle(&self, lease: &Lease) -> Result<(), WorkError> {
        self.begun.fetch_add(1, SeqCst);
        let result = self.answer(lease, (self.mood)(lease)).await;
        if matches!(result, Err(WorkError::Store(StoreError::LeaseLost))) {
            self.refused.fetch_add(1, SeqCst);
        }
        result
    }
}

fn quick() -> WorkerSettings {
    WorkerSettings {
        terms: LeaseTerms { length: Duration::from_millis(400), most_attempts: 1000 },
        backoff: Backoff { first: Duration::from_millis(10), most: Duration::from_millis(50) },
        poll: Duration::from_millis(50),
        concurrency: 8,
        batch: 8,
        ..WorkerSettings::default()
    }
}

async fn tenants(store: &TestStore, count: usize) -> Vec<(TestTenant, Session)> {
    stream::iter(0..count)
        .map(|n| async move {
            let tenant = store.tenant(&format!("tenant-{n:04}")).await.unwrap();
            let session = store.session(&tenant).await.unwrap();
            (tenant, session)
        })
        .buffer_unordered(8)
        .collect()
        .await
}

/// The number of conversations with something to do.
async fn due(store: &TestStore) -> i64 {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar(
        "select count(*) from misy.conversations where work_at is not null or dead_at is not null",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap()
}

async fn until_done(store: &TestStore) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        if due(store).await == 0 {
            return;
        }
    }
}

/// Every message of the contact is answered once, in order, and no sequence is missing.
async fn assert_answered_once(store: &TestStore, tenant: &TestTenant, session: &Session, count: usize) {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let messages = history(&mut tx, &tenant.keys, session.conversation_id, 0, 10_000).await.unwrap();
    assert!(messages.iter().zip(1..).all(|(message, sequence)| message.sequence == sequence));
    let asked: Vec<MessageId> =
        messages.iter().filter(|m| m.role == Role::Contact).map(|m| m.message_id).collect();
    let answered: Vec<MessageId> =
        messages.iter().filter(|m| m.role == Role::Agent).flat_map(|m| m.in_reply_to.clone()).collect();
    assert_eq!(asked.len(), count, "{}", tenant.id);
    assert_eq!(asked, answered, "{}", tenant.id);
    let said: Vec<_> = messages
        .iter()
        .filter(|m| m.role == Role::Contact)
        .map(|m| m.client_message_id.clone().unwrap_or_default())
        .collect();
    assert_eq!(said, (0..count).map(|n| format!("m{n}")).collect::<Vec<_>>(), "{}", tenant.id);
}

const TENANTS: usize = 1000;
const MESSAGES: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_crashes_failures_and_lost_leases_each_message_is_answered_once_and_in_order() {
    let store = Arc::new(test_store().await.unwrap());
    let chance = SeededEntropy::new(store.entropy.number());
    let moody = Moody::new(&store, move |_| match chance.below(100) {
        0..5 => Mood::Fail,
        5..8 => Mood::Panic,
        8..10 => Mood::Dawdle(Duration::from_millis(600)),
        _ => Mood::Work,
    });
    // No heartbeat: whoever dawdles loses its lease.
    let settings = WorkerSettings { heartbeat: Duration::from_hours(1), ..quick() };
    let visitors = Arc::new(tenants(&store, TENANTS).await);

    let writing = {
        let (store, visitors) = (store.clone(), visitors.clone());
        tokio::spawn(async move {
            for n in 0..MESSAGES {
                let send = |at: usize| {
                    let (store, visitors) = (store.clone(), visitors.clone());
                    async move {
                        let (tenant, session) = &visitors[at];
                        let id = format!("m{n}");
                        // A vendor that sends everything twice.
                        store.say(tenant, session.session_id, &id, "Hola").await.unwrap();
                        store.say(tenant, session.session_id, &id, "Hola").await.unwrap();
                    }
                };
                stream::iter(0..visitors.len()).for_each_concurrent(4, send).await;
            }
        })
    };
    let mut workers: Vec<_> = (0..4).map(|_| moody.start(&settings)).collect();
    // Each worker dies again and again in the middle of its work: after so much was begun, the next is killed.
    let mut crashes = 0;
    while !writing.is_finished() || crashes < 12 {
        let before = moody.begun.load(SeqCst);
        let deadline = Instant::now() + Duration::from_secs(2);
        while moody.begun.load(SeqCst) < before + 100 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let at = usize::try_from(store.entropy.below(4)).unwrap();
        workers[at].0.abort();
        workers[at] = moody.start(&settings);
        crashes += 1;
    }
    writing.await.unwrap();
    tokio::time::timeout(Duration::from_mins(2), until_done(&store)).await.expect("everything is answered");
    for (worker, shutdown) in workers {
        shutdown.cancel();
        worker.await.unwrap();
    }
    println!(
        "{crashes} crashes, {} turns begun, {} refused",
        moody.begun.load(SeqCst),
        moody.refused.load(SeqCst)
    );
    assert!(moody.refused.load(SeqCst) > 0, "no lease was lost: the test proves less than it should");
    stream::iter(visitors.iter())
        .for_each_concurrent(8, |(tenant, session)| assert_answered_once(&store, tenant, session, MESSAGES))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_held_is_taken_up_within_five_seconds() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 3).await;
    let hanging = Moody::new(&store, |_| Mood::Hang);
    let settings = WorkerSettings::default();
    // By the settings, not by the clock of a machine that is busy with something else.
    assert!(settings.terms.length + settings.poll < Duration::from_secs(5), "{settings:?}");
    let (doomed, _shutdown) = hanging.start(&settings);
    for (tenant, session) in &visitors {
        store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
    }
    while hanging.begun.load(SeqCst) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A lease that was just prolonged is the longest to wait for.
    doomed.abort();
    let died = Instant::now();
    let (worker, shutdown) = Moody::new(&store, |_| Mood::Work).start(&settings);
    until_done(&store).await;
    println!("taken up and answered {:?} after the death", died.elapsed());
    shutdown.cancel();
    worker.await.unwrap();
    for (tenant, session) in &visitors {
        assert_answered_once(&store, tenant, session, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_turn_keeps_its_lease_by_the_heartbeat() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 1).await;
    let slow = Moody::new(&store, |_| Mood::Dawdle(Duration::from_millis(1500)));
    let settings = WorkerSettings { heartbeat: Duration::from_millis(100), ..quick() };
    let workers = [slow.start(&settings), slow.start(&settings)];
    let (tenant, session) = &visitors[0];
    store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
    until_done(&store).await;
    assert_eq!(slow.begun.load(SeqCst), 1);
    assert_answered_once(&store, tenant, session, 1).await;
    for (worker, shutdown) in workers {
        shutdown.cancel();
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hears_that_its_lease_is_lost_stops_working() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 1).await;
    let turn = AtomicU64::new(0);
    let moody =
        Moody::new(&store, move |_| if turn.fetch_add(1, SeqCst) == 0 { Mood::Hang } else { Mood::Work });
    // With room for one, the second claim is worked on only when the first has stopped.
    let settings = WorkerSettings { concurrency: 1, heartbeat: Duration::from_millis(50), ..quick() };
    let (worker, shutdown) = moody.start(&settings);
    let (tenant, session) = &visitors[0];
    store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
    while moody.begun.load(SeqCst) < 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    store
        .admin("update misy.conversations set fence = fence + 1, lease_owner = null, work_at = now()")
        .await
        .unwrap();
    until_done(&store).await;
    assert_eq!(moody.begun.load(SeqCst), 2);
    assert_answered_once(&store, tenant, session, 1).await;
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisonous_conversation_goes_to_the_dead_letters_and_the_others_go_on() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 20).await;
    let poison = visitors[7].1.conversation_id;
    let moody = Moody::new(&store, move |lease| if lease.id == poison { Mood::Panic } else { Mood::Work });
    let mut settings = quick();
    settings.terms.most_attempts = 8;
    let (worker, shutdown) = moody.start(&settings);
    for (tenant, session) in &visitors {
        store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
    }
    let mut admin = store.connect_as("postgres").await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let dead: (i32, Option<String>) = loop {
        ticks.tick().await;
        let dead =
            sqlx::query_as("select attempts, last_error from misy.conversations where dead_at is not null")
                .fetch_optional(&mut admin)
                .await
                .unwrap();
        if let Some(dead) = dead {
            break dead;
        }
    };
    assert_eq!(dead, (8, Some("panic".to_owned())));
    for (tenant, session) in visitors.iter().filter(|(_, session)| session.conversation_id != poison) {
        while store
            .database
            .messages_since(&tenant.id, &tenant.keys, session.conversation_id, 1, 1)
            .await
            .unwrap()
            .is_empty()
        {
            ticks.tick().await;
        }
        assert_answered_once(&store, tenant, session, 1).await;
    }
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_with_ten_thousand_waiting_does_not_delay_the_others() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 21).await;
    let big = &visitors[0].0.id;
    store
        .admin(format!(
            "insert into misy.conversations (tenant_id, conversation_id, contact_id, work_at)
             select '{big}', 'cnv_' || lpad(n::text, 26, '0'), (select contact_id from misy.contacts where tenant_id = '{big}'),
                    now() - interval '1 hour'
             from generate_series(1, 10000) n"
        ))
        .await
        .unwrap();
    let order: Arc<std::sync::Mutex<HashMap<_, u64>>> = Arc::default();
    let position = AtomicU64::new(0);
    let noted = order.clone();
    let moody = Moody::new(&store, move |lease| {
        let position = position.fetch_add(1, SeqCst);
        noted.lock().unwrap().entry(lease.tenant.clone()).or_insert(position);
        Mood::Work
    });
    let (worker, shutdown) = moody.start(&quick());
    while moody.begun.load(SeqCst) < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // In the middle of that, twenty others write one after the other.
    for (tenant, session) in &visitors[1..] {
        let before = moody.begun.load(SeqCst);
        store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
        while store
            .database
            .messages_since(&tenant.id, &tenant.keys, session.conversation_id, 1, 1)
            .await
            .unwrap()
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let at = order.lock().unwrap()[&tenant.id];
        // What was running, one batch that was claimed at that moment, and what began while the message was stored.
        assert!(at < before + 100, "{}: {before} had begun, its turn was number {at}", tenant.id);
    }
    assert!(moody.begun.load(SeqCst) < 9000, "the backlog was gone before the others wrote");
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_tenants_whose_work_never_ends_leave_places_to_others() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 8).await;
    let slow: Vec<_> = visitors[..4].iter().map(|(tenant, _)| tenant.id.clone()).collect();
    for (tenant, first) in &visitors[..4] {
        let mut sessions = vec![first.session_id];
        for _ in 0..3 {
            sessions.push(store.session(tenant).await.unwrap().session_id);
        }
        for session in sessions {
            store.say(tenant, session, "m0", "Hola").await.unwrap();
        }
    }
    let hang = slow.clone();
    let moody =
        Moody::new(&store, move |lease| if hang.contains(&lease.tenant) { Mood::Hang } else { Mood::Work });
    // Half of the eight places are anybody's, and they have those.
    let (worker, shutdown) = moody.start(&quick());
    while moody.begun.load(SeqCst) < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for (tenant, session) in &visitors[4..] {
        store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
        let answered = async {
            while store
                .database
                .messages_since(&tenant.id, &tenant.keys, session.conversation_id, 1, 1)
                .await
                .unwrap()
                .is_empty()
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), answered).await.expect("a place is kept for it");
    }
    shutdown.cancel();
    drop(worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutting_down_ends_what_is_quick_and_gives_back_what_is_not() {
    let store = Arc::new(test_store().await.unwrap());
    let visitors = tenants(&store, 2).await;
    let stuck = visitors[0].0.id.clone();
    let moody = Moody::new(&store, move |lease| {
        if lease.tenant == stuck { Mood::Hang } else { Mood::Dawdle(Duration::from_millis(100)) }
    });
    let settings = WorkerSettings {
        grace: Duration::from_millis(500),
        terms: LeaseTerms { length: Duration::from_mins(10), most_attempts: 8 },
        ..quick()
    };
    let (worker, shutdown) = moody.start(&settings);
    for (tenant, session) in &visitors {
        store.say(tenant, session.session_id, "m0", "Hola").await.unwrap();
    }
    while moody.begun.load(SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shutdown.cancel();
    worker.await.unwrap();
    assert_answered_once(&store, &visitors[1].0, &visitors[1].1, 1).await;
    assert_eq!(due(&store).await, 1);
    // The next worker need not wait for the lease of ten minutes.
    let (worker, shutdown) = Moody::new(&store, |_| Mood::Work).start(&settings);
    until_done(&store).await;
    assert_answered_once(&store, &visitors[0].0, &visitors[0].1, 1).await;
    shutdown.cancel();
    worker.await.unwrap();
}

/// Takes its time after it has written its result.
struct Thorough {
    moody: Moody,
    went_on: Arc<tokio::sync::Notify>,
}

impl Handler for Thorough {
    type Kind = Conversations;

    async fn handle(&self, lease: &Lease) -> Result<(), WorkError> {
        self.moody.answer(lease, Mood::Work).await?;
        // Far more than one heartbeat, each of which would tell that the lease is held no more.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.went_on.notify_one();
        Ok(())
    }
}

#[tokio::test]
async fn what_is_done_after_the_result_is_written_is_not_cut_off() {
    let store = Arc::new(test_store().await.unwrap());
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    store.say(&tenant, session.session_id, "uno", "Hola").await.unwrap();
    let went_on = Arc::new(tokio::sync::Notify::new());
    let thorough = Thorough { moody: Moody::new(&store, |_| Mood::Work), went_on: went_on.clone() };
    let settings = WorkerSettings { heartbeat: Duration::from_millis(20), ..quick() };
    let worker = Worker::new(store.database.clone(), store.entropy.clone(), settings, thorough);
    let shutdown = CancellationToken::new();
    let works = tokio::spawn(worker.run(shutdown.clone()));
    tokio::time::timeout(PATIENCE, went_on.notified()).await.expect("it is not cut off");
    shutdown.cancel();
    works.await.unwrap();
}
