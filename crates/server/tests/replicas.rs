//! Two programs over one PostgreSQL and one Redis hold what one holds, while either is killed in the middle of its turns.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use misy_testkit::{
    PATIENCE,
    client::{Site, Visitor},
    given::GivenServer,
    program::{Owner, Program, Start, pack_in, register_owner, register_tenant},
    redis::TestRedis,
    tally::{Tally, Wrongs},
};
use serde_json::json;
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinSet, time};

const CONVERSATIONS: usize = 12;
const MESSAGES: usize = 8;
/// Messages that a session may have while limits are tested.
const MOST: usize = 6;

/// Two programs of one installation, as an operator runs them.
struct Stage {
    starts: [Start; 2],
    programs: [Program; 2],
    owner: Owner,
    _server: GivenServer,
    _redis: TestRedis,
    _dir: TempDir,
}

impl Stage {
    async fn set() -> Self {
        let server = GivenServer::start().await.unwrap();
        let redis = TestRedis::start().unwrap();
        let dir = tempfile::Builder::new().prefix("misy-r").tempdir_in("/tmp").unwrap();
        let start = |name: &str| {
            Start::new(env!("CARGO_BIN_EXE_misy"), dir.path().join(name))
                .unwrap()
                .with("MISY_LOG", "warn")
                .with("MISY_DATABASE_URL", server.administrator_url("misy"))
                .with("MISY_REDIS_URL", redis.url())
        };
        let starts = [start("a"), start("b")];
        let first = run(&starts[0]).await;
        // The root key is the same on all replicas.
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::copy(dir.path().join("a/root-key"), dir.path().join("b/root-key")).unwrap();
        let programs = [first, run(&starts[1]).await];
        let owner = register_owner(&programs[0].url).await.unwrap();
        Self { starts, programs, owner, _server: server, _redis: redis, _dir: dir }
    }

    async fn tenant(&self, id: &str) -> Site {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/businesses/andina.json");
        register_tenant(&self.owner, id, &pack_in(&pack).unwrap()).await.unwrap().0
    }

    fn urls(&self) -> [String; 2] {
        [self.programs[0].url.clone(), self.programs[1].url.clone()]
    }

    async fn kill_and_restart(&mut self, place: usize) {
        self.programs[place].kill();
        self.programs[place] = run(&self.starts[place]).await;
    }
}

async fn run(start: &Start) -> Program {
    let mut program = start.spawn().unwrap();
    assert!(program.ready(PATIENCE).await, "see {}", start.log().display());
    program
}

/// Writes through both in turn. As behind a load balancer, what one does not take the other is asked for, with the same id.
async fn converse(
    site: Site,
    urls: [String; 2],
    place: usize,
    sent: Arc<AtomicUsize>,
    told: Arc<Notify>,
) -> (Visitor, String) {
    let (visitor, session) = loop {
        if let Ok(visitor) = Visitor::arrive(&site).await
            && let Ok(session) = visitor.open_session().await
        {
            break (visitor, session);
        }
        time::sleep(Duration::from_millis(50)).await;
    };
    for message in 1..=MESSAGES {
        let text = format!("{place}/{message}: ¿cuál es el horario?");
        let mut at = place + message;
        while visitor.at(&urls[at % 2]).send(&session, &format!("m{message}"), &text).await.is_err() {
            at += 1;
            time::sleep(Duration::from_millis(20)).await;
        }
        sent.fetch_add(1, Ordering::Relaxed);
        told.notify_waiters();
        time::sleep(Duration::from_millis(150)).await;
    }
    (visitor, session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered_when_either_is_killed() {
    let mut stage = Stage::set().await;
    let site = stage.tenant("andina").await;
    let (sent, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut conversations = JoinSet::new();
    for place in 0..CONVERSATIONS {
        conversations.spawn(converse(site.clone(), stage.urls(), place, sent.clone(), told.clone()));
    }
    // Each is killed twice, with messages on their way and turns under way.
    for kill in 0..4 {
        let mark = (kill + 1) * CONVERSATIONS * MESSAGES / 6;
        let reached = async {
            while sent.load(Ordering::Relaxed) < mark {
                let _ = time::timeout(Duration::from_millis(50), told.notified()).await;
            }
        };
        time::timeout(PATIENCE, reached).await.expect("messages are taken");
        stage.kill_and_restart(kill % 2).await;
    }
    let sessions = time::timeout(PATIENCE, conversations.join_all()).await.expect("all messages are taken");

    let began = Instant::now();
    let mut wrongs = Wrongs::default();
    for (visitor, session) in &sessions {
        // Both tell the same history.
        let tallies = loop {
            assert!(began.elapsed() < PATIENCE, "replies do not come");
            let mut tallies = Vec::new();
            for url in stage.urls() {
                tallies
                    .extend(visitor.at(&url).history(session).await.ok().map(|history| Tally::of(&history)));
            }
            if tallies.len() == 2 && tallies.iter().all(Tally::is_answered) {
                break tallies;
            }
            time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(tallies[0].asked, tallies[1].asked);
        wrongs.add(&tallies[0], MESSAGES);
    }
    assert_eq!(wrongs, Wrongs::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_is_told_the_other_holds_to() {
    let stage = Stage::set().await;
    let site = stage.tenant("andina").await;
    let urls = stage.urls();

    // A token that gave itself up at one is worth nothing at the other, and stays so after both were told by nobody.
    let visitor = Visitor::arrive(&site).await.unwrap();
    let session = visitor.open_session().await.unwrap();
    for url in &urls {
        assert_eq!(visitor.at(url).history(&session).await.unwrap().len(), 0, "it is good at {url}");
    }
    assert_eq!(visitor.at(&urls[0]).post("/tokens/revoke", &json!({})).await.unwrap().status(), 204);
    for url in &urls {
        let began = Instant::now();
        loop {
            let answer = visitor.at(url).get(&format!("/sessions/{session}/messages")).await.unwrap();
            if answer.status() == 401 {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{url} still takes it: {}", answer.status());
            time::sleep(Duration::from_millis(50)).await;
        }
    }

    // Limits hold in sum: what is left at one is what was left at the other.
    let visitor = Visitor::arrive(&site).await.unwrap();
    let (session, probe) = (visitor.open_session().await.unwrap(), visitor.open_session().await.unwrap());
    let most = u32::try_from(MOST).unwrap();
    stage.owner.limit("andina", "session", most, 3600).await.unwrap();
    for url in &urls {
        let began = Instant::now();
        while !knows_the_limit(&visitor.at(url), &probe, began.elapsed().as_nanos()).await {
            assert!(began.elapsed() < PATIENCE, "{url} does not know the limit");
            time::sleep(Duration::from_millis(100)).await;
        }
    }
    let mut calls = JoinSet::new();
    for number in 0..3 * MOST {
        let (visitor, session) = (visitor.at(&urls[number % 2]), session.clone());
        calls.spawn(async move {
            let body = visitor.message(&session, &format!("m{number}"), "¿cuál es el horario?");
            visitor.post("/messages", &body).await.unwrap().status().as_u16()
        });
    }
    let mut answers = calls.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [[202; MOST].as_slice(), &[429; 2 * MOST]].concat());
}

/// Whether the answer to a message tells of the limit.
async fn knows_the_limit(visitor: &Visitor, session: &str, number: u128) -> bool {
    let body = visitor.message(session, &format!("p{number}"), "¿cuál es el horario?");
    let answer = visitor.post("/messages", &body).await.unwrap();
    let policy = answer.headers().get("ratelimit-policy").and_then(|policy| policy.to_str().ok());
    policy.is_some_and(|policy| policy.starts_with(&format!("\"session\";q={MOST};")))
}
