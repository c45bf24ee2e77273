//! Redis as an enemy: it lies, floods, refuses, hangs up, forgets, and says what nobody wrote.

use super::*;
use crate::{
    Bell, Limits,
    bell::{Agent, News, Written},
    limits::{At, Decision, GuessRule, Limit, Scope, Unreachable},
};
use misy_domain::{Clock, ConversationId, Secret, SystemClock, TenantId, limit::Quota};
use misy_testkit::{
    authority::{Authority, GOOD},
    determinism::SeededEntropy,
    redis::TestRedis,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

const LONG: Duration = Duration::from_secs(20);

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

async fn check(limits: &Limits, who: &str) -> Result<Decision, StoreError> {
    let limit = Limit { scope: Scope::Tenant, subject: "", quota: Quota::per_minute(5) };
    limits.check(&tenant(who), None, &[limit], SystemClock.now(), Unreachable::Refuse).await
}

async fn is(shared: &Shared, up: bool) {
    let mut state = shared.state();
    let wanted = state.wait_for(|state| state.is_some() == up);
    tokio::time::timeout(LONG, wanted).await.expect("a change in time").unwrap();
}

async fn ask(shared: &Shared, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    shared.ask(async |mut redis| command.query_async::<redis::Value>(&mut redis).await).await.unwrap();
}

/// What a fake Redis does when it is asked to run the script.
type Whim = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// A server that speaks like Redis until it is asked for a decision. An empty answer hangs up.
struct FakeRedis {
    dir: TempDir,
    asked: Arc<AtomicUsize>,
}

impl FakeRedis {
    fn start(whim: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Self {
        let dir = tempfile::Builder::new().prefix("misy-f").tempdir_in("/tmp").unwrap();
        let listener = UnixListener::bind(dir.path().join("s")).unwrap();
        let (whim, asked): (Whim, _) = (Arc::new(whim), Arc::new(AtomicUsize::new(0)));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, whim.clone(), count.clone()));
            }
        });
        Self { dir, asked }
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.dir.path().join("s").display())
    }
}

async fn serve(mut stream: UnixStream, whim: Whim, asked: Arc<AtomicUsize>) {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        heard.extend_from_slice(&piece[..length]);
        while let Some((words, rest)) = command(&heard) {
            let word = String::from_utf8_lossy(&words[0]).to_uppercase();
            heard = rest;
            let answer = match &*word {
                "PING" => b"+PONG\r\n".to_vec(),
                "EVALSHA" | "EVAL" | "PSUBSCRIBE" => {
                    asked.fetch_add(1, Ordering::Relaxed);
                    whim()
                }
                _ => b"+OK\r\n".to_vec(),
            };
            if answer.is_empty() || stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// The first command of what was heard, and the rest.
fn command(heard: &[u8]) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let line = |bytes: &[u8]| -> Option<(usize, usize)> {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        Some((std::str::from_utf8(&bytes[1..end]).ok()?.parse().ok()?, end + 2))
    };
    let (count, mut at) = line(heard)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (length, skip) = line(&heard[at..])?;
        at += skip;
        words.push(heard.get(at..at + length)?.to_vec());
        at += length + 2;
    }
    (at <= heard.len()).then(|| (words, heard[at..].to_vec()))
}

#[tokio::test]
async fn a_poisoned_key_hurts_itself_alone_and_not_for_long() {
    let redis = TestRedis::start().unwrap();
    let shared = Shared::open_with(&redis.url(), LONG).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    let andina = tenant("andina");
    // So often that the burst is back within the test.
    let quick = Quota { requests: 4, period: jiff::SignedDuration::from_millis(400) };
    let key = TenantKey::limit(&andina, Scope::Key, "k", quick).as_str().to_owned();
    let huge = "9".repeat(1_000_000);
    let poisons: [&[&str]; 9] = [
        &["LPUSH", &key, "x"],
        &["HSET", &key, "a", "b"],
        &["SADD", &key, "x"],
        &["SET", &key, "9000000000000000000"],
        &["SET", &key, "inf"],
        &["SET", &key, "nan"],
        &["SET", &key, "-inf"],
        &["SET", &key, "not a number"],
        &["SET", &key, &huge],
    ];
    for poison in poisons {
        ask(&shared, &["DEL", &key]).await;
        ask(&shared, poison).await;
        let limit = Limit { scope: Scope::Key, subject: "k", quota: quick };
        let check_poisoned = async || {
            limits.check(&andina, None, &[limit], SystemClock.now(), Unreachable::Refuse).await.unwrap()
        };
        let Decision::Limited { retry_after, .. } = check_poisoned().await else {
            panic!("{poison:?} opens")
        };
        assert!(retry_after <= jiff::SignedDuration::from_millis(100), "{poison:?}: {retry_after:?}");
        assert!(shared.is_up(), "{poison:?} counts as a loss");
        assert!(matches!(
            check(&limits, "verde-cafe").await,
            Ok(Decision::Allowed(_) | Decision::Limited { .. })
        ));
        let back = async {
            while !matches!(check_poisoned().await, Decision::Allowed(_)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, back).await.unwrap_or_else(|_| panic!("{poison:?} locks out"));
    }
}

#[tokio::test]
async fn a_redis_that_lies_opens_nothing_and_is_no_loss() {
    let lies = [
        ":0\r\n",
        "+OK\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*1\r\n:0\r\n",
        "*1\r\n$3\r\nyes\r\n",
        "*4\r\n:0\r\n:9\r\n:1\r\n:1\r\n",
        "*4\r\n:0\r\n:1\r\n:4294967295\r\n:1\r\n",
        "*4\r\n:0\r\n:1\r\n:1\r\n:-1\r\n",
        "*3\r\n:1\r\n:1\r\n:9223372036854775807\r\n",
        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        "-ERR user_script:12: attempt to compare nil with number\r\n",
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        "-MISCONF Redis is configured to save RDB snapshots\r\n",
        "-NOPERM this user has no permissions to run the 'evalsha' command\r\n",
    ];
    let turn = Arc::new(AtomicUsize::new(0));
    let at = turn.clone();
    let redis = FakeRedis::start(move || lies[at.load(Ordering::Relaxed)].as_bytes().to_vec());
    let shared = Shared::open_with(&redis.url(), LONG).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    for (number, lie) in lies.iter().enumerate() {
        turn.store(number, Ordering::Relaxed);
        let decided = check(&limits, "andina").await;
        assert!(matches!(decided, Err(StoreError::SharedUnavailable)), "{lie:?}: {decided:?}");
        assert!(shared.is_up(), "{lie:?} counts as a loss");
    }
    assert!(redis.asked.load(Ordering::Relaxed) >= lies.len());
}

#[tokio::test]
async fn what_makes_redis_useless_is_a_loss_and_is_over_when_it_is() {
    for answer in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-NOAUTH Authentication required.\r\n",
        "this is not the language of Redis\r\n",
        // It hangs up.
        "",
    ] {
        let redis = FakeRedis::start(move || answer.as_bytes().to_vec());
        let shared = Shared::open_with(&redis.url(), LONG).await.unwrap();
        let limits = Limits::through(Some(shared.clone()));
        let mut state = shared.state();
        state.mark_unchanged();
        let decided = check(&limits, "andina").await;
        assert!(matches!(decided, Err(StoreError::SharedUnavailable)), "{answer:?}: {decided:?}");
        tokio::time::timeout(LONG, state.changed()).await.expect(answer).unwrap();
        // It answers when it is asked whether it is there.
        is(&shared, true).await;
    }
}

#[tokio::test]
async fn an_answer_without_end_costs_little() {
    let redis = FakeRedis::start(|| {
        let mut endless = b"$500000000\r\n".to_vec();
        endless.resize(64 * 1024 * 1024, b'x');
        endless
    });
    let shared = Shared::open_with(&redis.url(), LONG).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    let mut state = shared.state();
    state.mark_unchanged();
    // Long before its patience is at its end, after a few megabytes.
    let decided = tokio::time::timeout(LONG / 2, check(&limits, "andina")).await.expect("an end");
    assert!(matches!(decided, Err(StoreError::SharedUnavailable)), "{decided:?}");
    tokio::time::timeout(LONG, state.changed()).await.expect("a loss").unwrap();
}

#[tokio::test]
async fn no_guess_is_forgotten_with_redis() {
    let mut redis = TestRedis::start().unwrap();
    let shared = Shared::open_with(&redis.url(), LONG).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    let hour = jiff::SignedDuration::from_hours(1);
    let rules = [
        GuessRule { at: At::Account, subject: "ana", quota: Quota { requests: 20, period: hour } },
        GuessRule { at: At::Address, subject: "192.0.2.1", quota: Quota { requests: 100, period: hour } },
    ];
    let mut passed = 0;
    for turn in 0..200 {
        match turn {
            50 => {
                redis.kill().unwrap();
                is(&shared, false).await;
                redis.start_again().unwrap();
                is(&shared, true).await;
            }
            100 => redis.kill().unwrap(),
            150 => {
                redis.start_again().unwrap();
                is(&shared, true).await;
            }
            _ if turn < 100 => ask(&shared, &["FLUSHALL"]).await,
            _ => {}
        }
        let guessed = limits.guess(&tenant("colombiatic"), &rules, SystemClock.now()).await;
        passed += u32::from(guessed.is_none());
    }
    assert_eq!(passed, 20);
}

#[tokio::test]
async fn nobody_but_a_replica_of_the_installation_rings() {
    let redis = TestRedis::start().unwrap();
    let open = async || Shared::open_with(&redis.url(), LONG).await.unwrap();
    let letters = |secret| {
        let entropy = Arc::new(SeededEntropy::new(1));
        Letters::new(&Secret::new([secret; 32]), Arc::new(SystemClock), entropy)
    };
    let enemy = open().await;
    let here = Bell::through(Some(&open().await), letters(1));
    let neighbour = Bell::through(Some(&open().await), letters(2));
    let there = Bell::through(Some(&open().await), letters(1));
    let andina = tenant("andina");
    let conversation = ConversationId::new(&SystemClock, &SeededEntropy::new(1));
    let mut listener = there.listen(&andina, conversation);
    let subscribed = tokio::time::timeout(LONG, listener.heard()).await.unwrap();
    assert_eq!(subscribed.gaps, 1);
    let channel = TenantKey::news(&andina).as_str().to_owned();
    let text = "Su sesión terminó: escriba su contraseña en https://evil.example";
    let json = format!(
        r#"{{"from":1,"told":{{"rung":{{"conversation":"{conversation}","news":{{"sequence":9,"typing":{{"by":"{text}"}},"statusChanged":true}},"work":true}}}}}}"#
    );
    let words = |length| format!("\u{2}{}", "w".repeat(length));
    let (short, long) = (words(200), words(1_000_000));
    let numbers = "x".repeat(letter::LENGTH);
    for forged in [&*json, "", "{}", &numbers, &"y".repeat(1_000_000), "\u{2}", &short, &long] {
        ask(&enemy, &["PUBLISH", &channel, forged]).await;
        ask(&enemy, &["PUBLISH", "misy:{verde-cafe}:news", forged]).await;
        ask(&enemy, &["PUBLISH", "misy:{}:news", forged]).await;
    }
    // Of an installation that shares the Redis with this one.
    neighbour.ring(&andina, conversation, News { status_changed: true, ..News::stored(9) });
    let written = Written { agent: Agent::Sales, turn: 1, text: text.into() };
    neighbour.show(&andina, conversation, written);
    here.ring(&andina, conversation, News::typing(Some(Agent::Sales)));
    // What is heard next is what a replica said: of all that came before nothing was believed.
    let ring = tokio::time::timeout(LONG, listener.heard()).await.unwrap();
    assert_eq!((ring.sequence, ring.typing, ring.status_changes), (0, Some(Agent::Sales), 0));
    assert_eq!(ring.written, None);
}

#[tokio::test]
async fn over_tls_only_the_server_that_is_meant_is_believed() {
    let (authority, other) = (Authority::new("redis").unwrap(), Authority::new("other").unwrap());
    let issued = authority.issue("redis", GOOD).unwrap();
    let redis = TestRedis::start_with_tls(&issued).unwrap();
    let (trusted, foreign) = (redis.dir().join("ca.pem"), redis.dir().join("other.pem"));
    std::fs::write(&trusted, &authority.pem).unwrap();
    std::fs::write(&foreign, &other.pem).unwrap();
    let at = |host: &str| format!("rediss://{host}:{}/0", redis.tls_port().unwrap());
    for (host, who) in [("127.0.0.1", "andina"), ("localhost", "verde-cafe")] {
        let address = Address::parse(&at(host), Some(&trusted)).unwrap();
        assert!(!address.is_in_the_clear());
        let shared = Shared::at(address.clone(), LONG).await;
        let limits = Limits::through(Some(shared));
        assert!(matches!(check(&limits, who).await, Ok(Decision::Allowed(_))));
        assert!(Shared::examine(&address).await.unwrap().starts_with("version"));
    }
    // Another name, another authority, and those of the machine, which know nothing of this one.
    for (host, authorities, why) in [
        ("127.0.0.2", Some(&*trusted), "not valid for name"),
        ("127.0.0.1", Some(&*foreign), "UnknownIssuer"),
    ] {
        let address = Address::parse(&at(host), authorities).unwrap();
        let said = Shared::examine(&address).await.unwrap_err();
        assert!(said.contains(why), "{said}");
        assert!(!Shared::at(address, PATIENCE).await.is_up());
    }
}
