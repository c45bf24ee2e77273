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

fn rule(at: At, subject: &str, requests: u32, period: jiff::SignedDuration) -> GuessRule<'_> {
    GuessRule { at, subject, quota: Quota { requests, period } }
}

/// As many other keys as the attack had that emptied the table, and many more.
#[tokio::test]
async fn whatever_else_is_tried_no_guess_is_forgotten() {
    let limits = Limits::default();
    let installation = tenant("colombiatic");
    let hour = jiff::SignedDuration::from_hours(1);
    let victim = rule(At::Account, "password/account/ana", 20, hour);
    for _ in 0..20 {
        assert_eq!(limits.guess(&installation, &[victim], at(0)).await, None);
    }
    let mut refused = 0_u32;
    for number in 0..1_000_000_u32 {
        let (account, from) = (format!("password/account/{number}"), format!("password/address/{number}"));
        let rules = [
            rule(At::Account, &account, 20, hour),
            rule(At::Address, &from, 100, jiff::SignedDuration::from_mins(10)),
        ];
        if let Some(wait) = limits.guess(&installation, &rules, at(0)).await {
            // Refused for want of room, and not for longer than until there is some.
            assert!(wait.is_positive() && wait <= jiff::SignedDuration::from_secs(6), "{wait:?}");
            refused += 1;
        }
        // Other floods have room of their own.
        let subject = format!("ses_{number}");
        let limit = Limit { scope: Scope::Session, subject: &subject, quota: Quota::per_minute(1) };
        limits.check(&installation, None, &[limit], at(0), Unreachable::Refuse).await.unwrap();
        let address = std::net::IpAddr::from(std::net::Ipv4Addr::from_bits(number));
        limits.check_address("sign-ins", address, Quota::per_minute(5), at(0));
        if number == 68_000 || number == 999_999 {
            let wait = limits.guess(&installation, &[victim], at(0)).await;
            assert_eq!(wait, Some(jiff::SignedDuration::from_mins(3)), "after {number} others");
        }
    }
    assert!(refused > 700_000, "{refused} are not remembered");
    assert!(limits.len() < 900_000, "{} states", limits.len());
    // When those are over there is room again; the victim's hour is not.
    let later = at(600);
    let other = rule(At::Account, "password/account/other", 20, hour);
    for _ in 0..20 {
        assert_eq!(limits.guess(&installation, &[other], later).await, None);
    }
    // Three came back meanwhile.
    let mut passed = 0;
    while limits.guess(&installation, &[victim], later).await.is_none() {
        passed += 1;
    }
    assert_eq!(passed, 3);
}

#[tokio::test]
async fn a_clock_that_is_put_back_locks_nobody_out() {
    let limits = Limits::default();
    let andina = tenant("andina");
    let check =
        async |now| limits.check(&andina, None, &session(2), at(now), Unreachable::Refuse).await.unwrap();
    assert!(matches!(check(100_000).await, Decision::Allowed(_)));
    assert!(matches!(check(100_000).await, Decision::Allowed(_)));
    // Each limit counts as full from when it is looked at, and is back a minute later at most.
    assert!(matches!(check(50_000).await, Decision::Limited { scope: Scope::Tenant, .. }));
    assert!(matches!(check(50_001).await, Decision::Limited { scope: Scope::Session, .. }));
    assert!(matches!(check(50_032).await, Decision::Allowed(_)));
}

#[test]
fn a_flood_of_addresses_does_not_free_the_one_that_is_spent() {
    let limits = Limits::default();
    let quota = Quota::per_minute(3);
    let check = |number: u32| {
        limits.check_address("wrong-keys", std::net::Ipv4Addr::from_bits(number).into(), quota, at(0))
    };
    while matches!(check(0), Decision::Allowed(_)) {}
    for number in 1..=1_000_000 {
        check(number);
    }
    assert!(matches!(check(0), Decision::Limited { .. }));
    assert!(limits.address_is_spent("wrong-keys", std::net::Ipv4Addr::from_bits(0).into(), quota, at(0)));
    assert!(limits.len() <= 64 << 12);
}

#[test]
fn addresses_of_one_ipv6_network_count_together() {
    let limits = Limits::default();
    let quota = Quota::per_minute(1);
    let check = |text: &str| limits.check_address("test", text.parse().unwrap(), quota, at(0));
    assert_eq!(check("2001:db8::1"), Decision::Allowed(None));
    assert!(matches!(check("2001:db8::2"), Decision::Limited { .. }));
    assert_eq!(check("2001:db8:0:1::1"), Decision::Allowed(None));
    // The /56 of both has room for two, and what was refused took none of it.
    assert!(matches!(check("2001:db8:0:2::1"), Decision::Limited { .. }));
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
    use crate::{Shared, shared::TenantKey};
    use misy_domain::{Clock, SystemClock};
    use misy_testkit::redis::TestRedis;
    use proptest::{
        prelude::*,
        test_runner::{Config, TestRunner},
    };
    use std::time::Duration;

    const SUBJECTS: [&str; 3] = ["a", "b", "}:limit:{verde-cafe"];

    /// A request of the property test: microseconds since the one before, its nonce, which limits it counts against, and
    /// what somebody wrote over the first of these before.
    type Step = (i64, Option<u8>, Vec<(usize, usize, usize)>, Option<usize>);

    /// What a hostile hand may leave in Redis, and as what it is to count.
    const FORGED: [(&str, i64); 10] = [
        ("9000000000000000000", i64::MAX),
        ("inf", i64::MAX),
        ("nan", i64::MAX),
        ("0x7fffffff", i64::MAX),
        ("1e3", i64::MAX),
        ("99999999999999999999999999999999999999999999", i64::MAX),
        ("no number", i64::MAX),
        ("-5", -5),
        ("0", 0),
        ("12345678901234567890123456789012", i64::MAX),
    ];

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let limit = (0..Scope::ALL.len(), 0..SUBJECTS.len(), 0..4_usize);
        let pause =
            prop_oneof![3 => Just(0_i64), 3 => 0..2_000_i64, 3 => 0..3_000_000_i64, 1 => -90_000_000..0_i64];
        let limits = proptest::collection::vec(limit, 0..6);
        let forged = proptest::option::weighted(0.1, 0..=FORGED.len());
        let step = (pause, proptest::option::of(0..8_u8), limits, forged);
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
            for (pause, nonce, limits, forged) in steps {
                now += jiff::SignedDuration::from_micros(pause);
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
                if let (Some(forged), Some(limit)) = (forged, limits.first()) {
                    let key = TenantKey::limit(&tenant, limit.scope, limit.subject, limit.quota);
                    let (text, counts_as) = FORGED.get(forged).copied().unwrap_or(("", i64::MAX));
                    let wrong_type = forged == FORGED.len();
                    let write = shared.ask(async |mut redis| {
                        if wrong_type {
                            let _: () = redis::cmd("DEL").arg(&key).query_async(&mut redis).await?;
                            redis::cmd("LPUSH").arg(&key).arg("x").query_async::<()>(&mut redis).await
                        } else {
                            redis::cmd("SET").arg(&key).arg(text).query_async::<()>(&mut redis).await
                        }
                    });
                    runtime.block_on(write).unwrap();
                    local.forge(&tenant, limit, counts_as);
                }
                // Redis forgets by its own clock; here it is to forget when it is time by the one of the test.
                let tidy = redis::Script::new(
                    "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
                         local value = redis.pcall('GET', key)
                         local number = type(value) == 'string' and string.match(value, '^-?%d+$') and tonumber(value)
                         if number and number <= tonumber(ARGV[2]) then redis.call('DEL', key) end
                     end",
                );
                let mut tidy = tidy.prepare_invoke();
                tidy.arg(format!("misy:{{{tenant}}}:limit:*")).arg(now.as_microsecond());
                runtime
                    .block_on(shared.ask(async |mut redis| tidy.invoke_async::<redis::Value>(&mut redis).await))
                    .unwrap();
                let weight = 1 + u32::try_from(pause.unsigned_abs() % 3).unwrap();
                let here = local.check(&tenant, nonce, &limits, weight, now);
                let there = script::check(&shared, &tenant, nonce, &limits, weight, now, Some(now));
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
