//! What happens to requests when Redis is slow, restarted or gone; and whose keys are whose.

use super::*;
use crate::{
    Bell, Limits,
    bell::{Agent, News, Written},
    limits::{Decision, Limit, Nonce, Scope, Unreachable},
};
use futures_util::FutureExt;
use misy_domain::{Clock, ConversationId, Secret, SystemClock, TenantId, limit::Quota};
use misy_testkit::{
    determinism::{SeededEntropy, TestClock},
    redis::TestRedis,
};

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

async fn is(shared: &Shared, up: bool) {
    let mut state = shared.state();
    let wanted = state.wait_for(|state| state.is_some() == up);
    tokio::time::timeout(Duration::from_secs(10), wanted).await.expect("a change in time").unwrap();
}

async fn check(limits: &Limits, unreachable: Unreachable) -> Result<Decision, StoreError> {
    let limit = Limit { scope: Scope::Tenant, subject: "", quota: Quota::per_minute(5) };
    limits.check(&tenant("andina"), None, &[limit], SystemClock.now(), unreachable).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_redis_holds_no_request_for_long_and_what_changes_something_is_refused() {
    let redis = TestRedis::start().unwrap();
    let shared = Shared::open(&redis.url()).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    assert!(matches!(check(&limits, Unreachable::Refuse).await, Ok(Decision::Allowed(_))));
    redis.pause().unwrap();
    let began = Instant::now();
    let refused = check(&limits, Unreachable::Refuse).await;
    assert!(matches!(refused, Err(StoreError::SharedUnavailable)), "{refused:?}");
    // The wait itself is 200 ms, and Redis stays paused.
    assert!(began.elapsed() >= PATIENCE, "{:?}", began.elapsed());
    is(&shared, false).await;
    for _ in 0..1_000 {
        let refused = check(&limits, Unreachable::Refuse).now_or_never();
        assert!(matches!(refused, Some(Err(StoreError::SharedUnavailable))), "nobody else waits");
    }
    // Reads go on, limited by what this replica sees.
    for _ in 0..5 {
        assert!(matches!(check(&limits, Unreachable::DecideHere).await, Ok(Decision::Allowed(_))));
    }
    assert!(matches!(check(&limits, Unreachable::DecideHere).await, Ok(Decision::Limited { .. })));
    redis.resume().unwrap();
    is(&shared, true).await;
    assert!(matches!(check(&limits, Unreachable::Refuse).await, Ok(Decision::Allowed(_))));
}

#[tokio::test]
async fn a_redis_that_was_killed_is_found_again_with_nothing_in_it() {
    let mut redis = TestRedis::start().unwrap();
    let shared = Shared::open(&redis.url()).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    assert!(check(&limits, Unreachable::Refuse).await.is_ok());
    redis.kill().unwrap();
    assert!(check(&limits, Unreachable::Refuse).await.is_err());
    is(&shared, false).await;
    redis.start_again().unwrap();
    is(&shared, true).await;
    // Its scripts are gone too.
    for _ in 0..5 {
        assert!(matches!(check(&limits, Unreachable::Refuse).await, Ok(Decision::Allowed(_))));
    }
    assert!(matches!(check(&limits, Unreachable::Refuse).await, Ok(Decision::Limited { .. })));
}

#[tokio::test]
async fn a_replica_may_start_before_its_redis() {
    let mut redis = TestRedis::start().unwrap();
    redis.kill().unwrap();
    let shared = Shared::open(&redis.url()).await.unwrap();
    assert!(!shared.is_up());
    redis.start_again().unwrap();
    is(&shared, true).await;
    assert!(Shared::open("https://redis.example").await.is_err());
}

#[tokio::test]
async fn no_text_of_a_caller_reaches_the_keys_of_another_tenant() {
    let redis = TestRedis::start().unwrap();
    let shared = Shared::open(&redis.url()).await.unwrap();
    let limits = Limits::through(Some(shared.clone()));
    let now = SystemClock.now();
    let victim = tenant("verde-cafe");
    let nonce = Nonce { value: "bm9uY2UtMDAwMQ", forget_at: now.as_second() + 300 };
    let once = Quota { requests: 1, period: jiff::SignedDuration::from_hours(1) };
    let target = TenantKey::limit(&victim, Scope::Session, "ses_1", once);
    for (at, hostile) in [
        target.as_str(),
        "}:limit:{verde-cafe}",
        "misy:{verde-cafe}:nonce:bm9uY2UtMDAwMQ",
        "*",
        "ses_1\0",
        "../{verde-cafe}",
    ]
    .into_iter()
    .enumerate()
    {
        for who in ["andina", "verde-cafe-2", "verde"] {
            let limit = Limit { scope: Scope::Session, subject: hostile, quota: once };
            let nonce = Nonce { value: hostile, ..nonce };
            let decided = limits.check(&tenant(who), Some(nonce), &[limit], now, Unreachable::Refuse).await;
            assert!(matches!(decided, Ok(Decision::Allowed(_))), "{who} {at}: {decided:?}");
        }
    }
    let names: Vec<String> = shared
        .ask(async |mut redis| redis::cmd("KEYS").arg("*").query_async(&mut redis).await)
        .await
        .unwrap();
    assert_eq!(names.len(), 36);
    for name in names {
        let (tag, rest) = name.strip_prefix("misy:{").unwrap().split_once('}').unwrap();
        assert!(["andina", "verde-cafe-2", "verde"].contains(&tag) && !rest.contains(['{', '}']), "{name}");
    }
    let limit = Limit { scope: Scope::Session, subject: "ses_1", quota: once };
    let own = limits.check(&victim, Some(nonce), &[limit], now, Unreachable::Refuse).await.unwrap();
    assert!(matches!(own, Decision::Allowed(_)), "nothing of it was used up: {own:?}");
}

#[tokio::test]
async fn news_reach_the_other_replicas_and_a_gap_is_told() {
    let mut redis = TestRedis::start().unwrap();
    let open = async || Shared::open(&redis.url()).await.unwrap();
    let entropy = std::sync::Arc::new(SeededEntropy::new(1));
    let letters = Letters::new(&Secret::new([1; 32]), std::sync::Arc::new(SystemClock), entropy);
    let here = Bell::through(Some(&open().await), letters.clone());
    let there = Bell::through(Some(&open().await), letters);
    let conversation = ConversationId::new(&TestClock::default(), &SeededEntropy::new(1));
    let andina = tenant("andina");
    let mut listener = there.listen(&andina, conversation);
    let mut stranger = there.listen(&tenant("verde-cafe"), conversation);
    // It subscribed.
    assert_eq!(listener.heard().await.gaps, 1);
    assert_eq!(stranger.heard().await.gaps, 1);
    let mut changes = there.forget();
    let mut own_changes = here.forget();
    here.ring(&andina, conversation, News::stored(7));
    assert_eq!(listener.heard().await.sequence, 7);
    here.ring(&andina, conversation, News::typing(Some(Agent::Sales)));
    let ring = listener.heard().await;
    assert_eq!((ring.sequence, ring.typing), (7, Some(Agent::Sales)));
    let written = |turn, text: &str| Written { agent: Agent::Sales, turn, text: text.into() };
    here.show(&andina, conversation, written(3, "Cuesta"));
    assert_eq!(listener.heard().await.written, Some(written(3, "Cuesta")));
    // What is too long is not told at all, and what is older than what was shown is not shown.
    here.show(&andina, conversation, written(3, &"a".repeat(crate::bell::MOST_WRITTEN + 1)));
    here.show(&andina, conversation, written(2, "Antes se decía otra cosa"));
    here.show(&andina, conversation, written(3, "Cue"));
    here.show(&andina, conversation, written(3, "Cuesta 5"));
    assert_eq!(listener.heard().await.written, Some(written(3, "Cuesta 5")));
    here.ring(&andina, conversation, News { status_changed: true, ..News::typing(None) });
    let ring = listener.heard().await;
    assert_eq!((ring.typing, ring.status_changes, ring.written), (None, 1, None));
    // A turn that is over writes no more, whoever says so.
    here.show(&andina, conversation, written(3, "Cuesta 5 y algo más"));
    here.show(&andina, conversation, written(4, "Otra"));
    assert_eq!(listener.heard().await.written, Some(written(4, "Otra")));
    there.work().await;
    here.tenant_changed(&andina);
    assert_eq!(changes.recv().await.unwrap(), andina);
    assert!(own_changes.try_recv().is_err(), "a replica does not listen to itself");
    redis.kill().unwrap();
    redis.start_again().unwrap();
    let ring = loop {
        let ring = listener.heard().await;
        if ring.gaps >= 3 {
            break ring;
        }
    };
    assert_eq!(ring.sequence, 7);
    let heard = tokio::time::timeout(Duration::from_millis(10), async {
        loop {
            if stranger.heard().await.sequence > 0 {
                break;
            }
        }
    });
    assert!(heard.await.is_err(), "another tenant's news are its own");
}
