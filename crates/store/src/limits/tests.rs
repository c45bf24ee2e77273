use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn session(quota: u32) -> [Limit<'static>; 2] {
    [
        Limit { scope: Scope::Tenant, subject: "", quota: Quota::per_minute(1_000) },
        Limit { scope: Scope::Session, subject: "ses_1", quota: Quota::per_minute(quota) },
    ]
}

#[tokio::test]
async fn a_nonce_passes_once_per_tenant() {
    let limits = Limits::default();
    let nonce = Some(Nonce { value: "bm9uY2UtMDAwMQ", forget_at: 1_300 });
    let check = async |who: &str, now| {
        limits.check(&tenant(who), nonce, &[], at(now), Unreachable::Refuse).await.unwrap()
    };
    assert_eq!(check("andina", 1_000).await, Decision::Allowed(None));
    assert_eq!(check("andina", 1_300).await, Decision::Replayed);
    assert_eq!(
        check("verde-cafe", 1_000).await,
        Decision::Allowed(None),
        "another tenant's nonces are its own"
    );
    assert_eq!(check("andina", 1_301).await, Decision::Allowed(None), "its timestamp refuses it by now");
}

#[tokio::test]
async fn a_refused_request_counts_nowhere_and_keeps_its_nonce() {
    let limits = Limits::default();
    let andina = tenant("andina");
    let first = limits.check(&andina, None, &session(1), at(0), Unreachable::Refuse).await.unwrap();
    assert!(matches!(first, Decision::Allowed(Some(Standing { scope: Scope::Session, remaining: 0, .. }))));
    let nonce = Some(Nonce { value: "bm9uY2UtMDAwMQ", forget_at: 300 });
    for _ in 0..5_000 {
        let refused = limits.check(&andina, nonce, &session(1), at(0), Unreachable::Refuse).await.unwrap();
        assert!(matches!(refused, Decision::Limited { scope: Scope::Session, .. }), "{refused:?}");
    }
    let tenant_alone =
        limits.check(&andina, nonce, &session(1)[..1], at(0), Unreachable::Refuse).await.unwrap();
    assert!(
        matches!(tenant_alone, Decision::Allowed(Some(Standing { remaining: 998, .. }))),
        "{tenant_alone:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_the_burst_passes_when_many_come_at_once() {
    let limits = std::sync::Arc::new(Limits::default());
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let limits = limits.clone();
            tokio::spawn(async move {
                let mut passed = 0;
                for _ in 0..100 {
                    let decision = limits
                        .check(&tenant("andina"), None, &session(50), at(0), Unreachable::Refuse)
                        .await
                        .unwrap();
                    passed += u32::from(matches!(decision, Decision::Allowed(_)));
                }
                passed
            })
        })
        .collect();
    let mut passed = 0;
    for task in tasks {
        passed += task.await.unwrap();
    }
    assert_eq!(passed, 50);
}

#[tokio::test]
async fn what_says_nothing_any_more_is_forgotten() {
    let limits = Limits::default();
    let quota = Quota::per_minute(60);
    for number in 0..200_000_i64 {
        let subject = format!("ses_{number}");
        let nonce = format!("nonce-{number:06}");
        let nonce = Some(Nonce { value: &nonce, forget_at: number + 600 });
        let limit = Limit { scope: Scope::Session, subject: &subject, quota };
        let decision =
            limits.check(&tenant("andina"), nonce, &[limit], at(number), Unreachable::Refuse).await.unwrap();
        assert!(matches!(decision, Decision::Allowed(_)));
    }
    assert!(limits.len() < 4_000, "{} entries for 600 seconds at one request a second", limits.len());
}

#[tokio::test]
async fn a_busy_tenant_finds_room_for_its_nonces() {
    let limits = Limits::default();
    // Ten minutes at the pace of a tenant of the plan PRO.
    for number in 0..600_000_i64 {
        let nonce = format!("nonce-{number:06}");
        let nonce = Some(Nonce { value: &nonce, forget_at: number / 1_000 + 600 });
        let decision = limits
            .check(&tenant("andina"), nonce, &[], at(number / 1_000), Unreachable::Refuse)
            .await
            .unwrap();
        assert_eq!(decision, Decision::Allowed(None), "request {number}");
    }
}

#[test]
fn addresses_of_one_ipv6_network_count_together() {
    let limits = Limits::default();
    let quota = Quota::per_minute(1);
    let check = |text: &str| limits.check_address("test", text.parse().unwrap(), quota, at(0));
    assert_eq!(check("2001:db8::1"), Decision::Allowed(None));
    assert!(matches!(check("2001:db8::2"), Decision::Limited { .. }));
    assert_eq!(check("2001:db8:0:1::1"), Decision::Allowed(None));
    assert_eq!(check("192.0.2.1"), Decision::Allowed(None));
    assert!(matches!(check("::ffff:192.0.2.1"), Decision::Limited { .. }));
}

#[tokio::test]
async fn a_limit_that_is_raised_lets_through_at_once() {
    let limits = Limits::default();
    let check = async |quota| {
        let limit = Limit { scope: Scope::Key, subject: "k", quota };
        limits.check(&tenant("andina"), None, &[limit], at(0), Unreachable::Refuse).await.unwrap()
    };
    let hourly = Quota { requests: 1, period: jiff::SignedDuration::from_hours(1) };
    assert!(matches!(check(hourly).await, Decision::Allowed(_)));
    assert!(matches!(check(hourly).await, Decision::Limited { .. }));
    assert!(matches!(check(Quota::per_minute(60)).await, Decision::Allowed(_)));
}

mod shared {
    use super::*;
    use crate::Shared;
    use misy_domain::{Clock, SystemClock};
    use misy_testkit::redis::TestRedis;
    use proptest::{
        prelude::*,
        test_runner::{Config, TestRunner},
    };
    use std::time::Duration;

    const SUBJECTS: [&str; 3] = ["a", "b", "}:limit:{verde-cafe"];

    /// A request of the property test: microseconds since the one before, its nonce, and which limits it counts against.
    type Step = (i64, Option<u8>, Vec<(usize, usize, usize)>);

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let limit = (0..Scope::ALL.len(), 0..SUBJECTS.len(), 0..4_usize);
        let pause = prop_oneof![Just(0_i64), 0..2_000_i64, 0..3_000_000_i64];
        let step = (pause, proptest::option::of(0..8_u8), proptest::collection::vec(limit, 0..6));
        proptest::collection::vec(step, 1..60)
    }

    #[test]
    fn redis_and_memory_decide_alike() {
        let quotas = [
            Quota::per_minute(3),
            Quota::per_minute(600),
            Quota { requests: 7, period: jiff::SignedDuration::from_secs(1) },
            Quota { requests: 2_000_000, period: jiff::SignedDuration::from_secs(1) },
        ];
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let redis = TestRedis::start().unwrap();
        let shared = runtime.block_on(Shared::open_with(&redis.url(), Duration::from_secs(20))).unwrap();
        let case = std::cell::Cell::new(0);
        let mut runner =
            TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&steps(), |steps| {
            case.set(case.get() + 1);
            let tenant = tenant(&format!("case-{}", case.get()));
            let local = Local::default();
            // Ahead of Redis's own clock, which lets states go when they say nothing any more.
            let mut now = SystemClock.now() + Duration::from_hours(1);
            for (pause, nonce, limits) in steps {
                now += Duration::from_micros(u64::try_from(pause).unwrap());
                let nonce = nonce.map(|nonce| format!("nonce-number-{nonce}"));
                let nonce = nonce.as_deref().map(|value| Nonce { value, forget_at: now.as_second() + 600 });
                // A request names each limit once.
                let mut limits: Vec<_> = limits
                    .iter()
                    .map(|&(scope, subject, quota)| Limit {
                        scope: Scope::ALL[scope],
                        subject: SUBJECTS[subject],
                        quota: quotas[quota],
                    })
                    .collect();
                limits.sort_by_key(|limit| (limit.scope.as_str(), limit.subject));
                limits.dedup_by_key(|limit| (limit.scope.as_str(), limit.subject));
                let here = local.check(&tenant, nonce, &limits, now);
                let there = script::check(&shared, &tenant, nonce, &limits, now, Some(now));
                let there = runtime.block_on(there).unwrap();
                prop_assert_eq!(here, there);
            }
            Ok(())
        });
        outcome.unwrap();
        runtime.block_on(async { drop(shared) });
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn exactly_the_burst_passes_on_three_replicas_whose_clocks_are_minutes_apart() {
        let redis = TestRedis::start().unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for replica in 0..3_i64 {
            let shared = Shared::open_with(&redis.url(), Duration::from_secs(20)).await.unwrap();
            let limits = std::sync::Arc::new(Limits::through(Some(shared)));
            for task in 0..100 {
                let limits = limits.clone();
                tasks.spawn(async move {
                    let now = SystemClock.now() + jiff::SignedDuration::from_mins(replica * 3 - 3);
                    let nonce = format!("nonce-{replica}-{task}");
                    let nonce = Some(Nonce { value: &nonce, forget_at: now.as_second() + 300 });
                    let hourly = Quota { requests: 50, period: jiff::SignedDuration::from_hours(10) };
                    let limit = Limit { scope: Scope::Site, subject: "main", quota: hourly };
                    limits.check(&tenant("andina"), nonce, &[limit], now, Unreachable::Refuse).await.unwrap()
                });
            }
        }
        let decisions = tasks.join_all().await;
        let passed = decisions.iter().filter(|decision| matches!(decision, Decision::Allowed(_))).count();
        assert_eq!(passed, 50);
    }

    #[tokio::test]
    async fn a_nonce_passes_once_whichever_replica_sees_it() {
        let redis = TestRedis::start().unwrap();
        let replica = async || Limits::through(Some(Shared::open(&redis.url()).await.unwrap()));
        let (first, second) = (replica().await, replica().await);
        let now = SystemClock.now();
        let nonce = Some(Nonce { value: "bm9uY2UtMDAwMQ", forget_at: now.as_second() + 300 });
        let check = async |limits: &Limits, who: &str| {
            limits.check(&tenant(who), nonce, &[], now, Unreachable::Refuse).await.unwrap()
        };
        assert_eq!(check(&first, "andina").await, Decision::Allowed(None));
        assert_eq!(check(&second, "andina").await, Decision::Replayed);
        assert_eq!(check(&second, "verde-cafe").await, Decision::Allowed(None), "its nonces are its own");
    }
}
