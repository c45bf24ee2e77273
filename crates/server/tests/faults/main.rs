//! Twenty conversations write while everything around them is killed: the serving process, a second worker, PostgreSQL.

mod channels;
mod whatsapp;

use misy_testkit::{
    PATIENCE,
    client::{Site, Visitor},
    program::{Start, register},
    tally::{Tally, Wrongs},
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const CONVERSATIONS: usize = 20;
const MESSAGES: usize = 12;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A small generator, so that a seed repeats a run's choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The postmaster of the private server in this data directory.
fn postmaster(data_dir: &Path) -> Option<String> {
    let cluster = std::fs::read_to_string(data_dir.join("postgres.location"))
        .map_or_else(|_| data_dir.join("postgres"), |text| PathBuf::from(text.trim()));
    let file = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    file.lines().next().map(str::to_owned)
}

async fn converse(site: Site, place: usize, sent: Arc<AtomicUsize>) -> (Visitor, String) {
    let (visitor, session) = loop {
        if let Ok(visitor) = Visitor::arrive(&site).await
            && let Ok(session) = visitor.open_session().await
        {
            break (visitor, session);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for message in 1..=MESSAGES {
        let text = format!("{place}/{message}: ¿cuál es el horario?");
        // As the SDK does: the same id until the server says that it is stored.
        while visitor.send(&session, &format!("m{message}"), &text).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sent.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    (visitor, session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered_while_processes_are_killed() {
    let seed = number("MISY_FAULT_SEED", u64::from(std::process::id()));
    let kills_wanted = number("MISY_FAULT_KILLS", 9);
    let mut dice = Dice(seed);
    // Short, because a Unix socket's path must be.
    let dir = tempfile::Builder::new().prefix("misy-f").tempdir_in("/tmp").unwrap();
    let data_dir = dir.path().join("a");
    let binary = env!("CARGO_BIN_EXE_misy");
    let start = Start::new(binary, &data_dir).unwrap().with("MISY_LOG", "warn");
    let mut server = start.spawn().unwrap();
    assert!(server.ready(PATIENCE).await, "see {}", start.log().display());
    let pack = workspace().join("seeds/businesses/andina.json");
    let site = register(&server.url, "andina", &pack).await.unwrap();

    // A second process works on the same database, and shares the root key as replicas do.
    let socket = std::fs::canonicalize(data_dir.join("run")).unwrap();
    let second_dir = dir.path().join("b");
    std::fs::create_dir(&second_dir).unwrap();
    std::fs::copy(data_dir.join("root-key"), second_dir.join("root-key")).unwrap();
    let second = Start::new(binary, &second_dir)
        .unwrap()
        .with("MISY_LOG", "warn")
        .with("MISY_DATABASE_URL", format!("postgresql:///postgres?host={}&user=postgres", socket.display()));
    let mut worker = second.spawn().unwrap();
    assert!(worker.ready(PATIENCE).await, "see {}", second.log().display());

    let sent = Arc::new(AtomicUsize::new(0));
    let mut conversations = JoinSet::new();
    for place in 0..CONVERSATIONS {
        conversations.spawn(converse(site.clone(), place, sent.clone()));
    }
    let kills = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
    let total = || kills.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>();
    while total() < kills_wanted {
        tokio::time::sleep(Duration::from_millis(300 + dice.roll(1200))).await;
        // Each kind comes up, in an order that the seed decides.
        let victim = if total() < 3 { total() } else { dice.roll(3) };
        match victim {
            0 => {
                server.kill();
                server = start.spawn().unwrap();
                assert!(server.ready(PATIENCE).await, "see {}", start.log().display());
            }
            1 => {
                worker.kill();
                // A worker that finds no database ends; whoever supervises it starts it again.
                for _ in 0..20 {
                    worker = second.spawn().unwrap();
                    if worker.ready(PATIENCE).await {
                        break;
                    }
                }
            }
            _ => {
                let Some(pid) = postmaster(&data_dir) else { continue };
                std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
            }
        }
        kills[usize::try_from(victim).unwrap()].fetch_add(1, Ordering::Relaxed);
    }
    let sessions =
        tokio::time::timeout(PATIENCE, conversations.join_all()).await.expect("all messages are taken");

    let began = Instant::now();
    let mut wrongs = Wrongs::default();
    let mut texts_seen = HashSet::new();
    for (visitor, session) in &sessions {
        let tally = loop {
            assert!(began.elapsed() < PATIENCE, "replies do not come: see {}", start.log().display());
            if let Ok(history) = visitor.history(session).await {
                let tally = Tally::of(&history);
                if tally.is_answered() {
                    break tally;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        wrongs.add(&tally, MESSAGES);
        texts_seen.extend(tally.texts);
    }
    println!(
        "seed {seed}: {} kills ({} of the server, {} of the second worker, {} of PostgreSQL), {} messages in \
         {CONVERSATIONS} conversations: {wrongs:?}",
        total(),
        kills[0].load(Ordering::Relaxed),
        kills[1].load(Ordering::Relaxed),
        kills[2].load(Ordering::Relaxed),
        sent.load(Ordering::Relaxed),
    );
    assert_eq!(wrongs, Wrongs::default());
    assert_eq!(texts_seen.len(), CONVERSATIONS * MESSAGES);
    worker.stop().unwrap();
    server.stop().unwrap();
}
