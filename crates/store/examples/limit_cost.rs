//! What the limits and the nonce of a request cost: in memory, and through Redis one after the other and many at once. Run
//! with `--release`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for developers")]

use misy_domain::{Clock, SystemClock, limit::Quota};
use misy_store::{
    Limits, Shared,
    limits::{Decision, Limit, Nonce, Scope, Unreachable},
};
use misy_testkit::redis::TestRedis;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

static NEXT: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let redis = TestRedis::start().unwrap();
    let local = Arc::new(Limits::default());
    let shared = Arc::new(Limits::through(Some(Shared::open(&redis.url()).await.unwrap())));
    for (name, limits, at_once, requests) in [
        ("memory", &local, 1, 200_000),
        ("Redis, one after the other", &shared, 1, 20_000),
        ("Redis, 64 at once", &shared, 64, 1_000),
    ] {
        run(limits, at_once, requests / 10).await;
        let (began, cpu) = (Instant::now(), cpu());
        run(limits, at_once, requests).await;
        let count = f64::from(at_once * requests);
        let (took, cpu) = (began.elapsed().as_secs_f64(), (self::cpu() - cpu) / count);
        println!(
            "{name}: {:.1} µs a request, {:.0} requests a second, {cpu:.1} µs of CPU in this process",
            took * 1e6 / f64::from(requests),
            count / took
        );
    }
}

async fn run(limits: &Arc<Limits>, at_once: u32, requests: u32) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let limits = limits.clone();
        tasks.spawn(async move {
            for _ in 0..requests {
                check(&limits).await;
            }
        });
    }
    tasks.join_all().await;
}

/// A message: five limits and a nonce.
async fn check(limits: &Limits) {
    let now = SystemClock.now();
    let nonce = format!("nonce-{:010}", NEXT.fetch_add(1, Ordering::Relaxed));
    let nonce = Nonce { value: &nonce, forget_at: now.as_second() + 300 };
    let of = |scope, subject| Limit { scope, subject, quota: Quota::per_minute(1_000_000_000) };
    let limits_of_message = [
        of(Scope::Tenant, ""),
        of(Scope::Site, "main"),
        of(Scope::Key, "tat_01k9z3v5d2m8q4x7c1b6n0f9gh"),
        of(Scope::Session, "ses_01k9z3v5d2m8q4x7c1b6n0f9gh"),
        of(Scope::Channel, "web"),
    ];
    let tenant = "andina".parse().unwrap();
    let decided = limits.check(&tenant, Some(nonce), &limits_of_message, now, Unreachable::Refuse).await;
    assert!(matches!(decided, Ok(Decision::Allowed(_))), "{decided:?}");
}

/// CPU time of this process in microseconds.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let times = text.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<f64>().unwrap() * 10_000.0).sum()
}
