//! Guesses at accounts, counted in the database.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use misy_domain::{Clock, SystemClock, Timestamp, limit::Quota};
use misy_store::Database;
use misy_testkit::store::{TestStore, test_store};
use std::time::Duration;

const HOURLY: Quota = Quota { requests: 20, period: jiff::SignedDuration::from_hours(1) };

async fn store() -> TestStore {
    let store = test_store().await.unwrap();
    store.vault.open_installation(&store.database).await.unwrap();
    store
}

async fn rows(store: &TestStore) -> i64 {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar("select count(*) from platform.guesses").fetch_one(&mut admin).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_burst_passes_when_many_come_at_once_and_one_more_with_each_interval() {
    let store = store().await;
    let now = SystemClock.now();
    let bucket = store.vault.guess_bucket("password/account/ana").unwrap();
    let count = |database: Database, now: Timestamp| async move {
        database.count_guess(bucket, HOURLY, now).await.unwrap()
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..60 {
        tasks.spawn(count(store.database.clone(), now));
    }
    let waits = tasks.join_all().await;
    assert_eq!(waits.iter().filter(|wait| wait.is_none()).count(), 20);
    assert!(waits.iter().flatten().all(|wait| *wait == jiff::SignedDuration::from_mins(3)), "{waits:?}");
    let later = now + Duration::from_mins(3);
    assert_eq!(count(store.database.clone(), later).await, None);
    assert!(count(store.database.clone(), later).await.is_some());
    let other = store.vault.guess_bucket("password/account/eva").unwrap();
    assert_eq!(store.database.count_guess(other, HOURLY, now).await.unwrap(), None);
}

#[tokio::test]
async fn neither_a_clock_that_is_behind_nor_a_forged_state_opens_or_locks_out() {
    let store = store().await;
    let now = SystemClock.now();
    let bucket = store.vault.guess_bucket("x").unwrap();
    let count = async |now| store.database.count_guess(bucket, HOURLY, now).await.unwrap();
    for _ in 0..20 {
        assert_eq!(count(now).await, None);
    }
    // A replica whose clock is five minutes behind takes nothing away from what the other counted.
    for _ in 0..10 {
        assert!(count(now - Duration::from_mins(5)).await.is_some());
        assert!(count(now).await.is_some());
    }
    for forged in ["'2300-01-01'", "'294000-01-01'"] {
        store.admin(format!("update platform.guesses set arrival = {forged}")).await.unwrap();
        let wait = count(now).await.unwrap();
        assert!(wait <= jiff::SignedDuration::from_mins(13), "{wait:?}");
        assert_eq!(count(now + wait.unsigned_abs()).await, None);
    }
    assert!(store.admin("update platform.guesses set arrival = 'infinity'").await.is_err());
}

#[tokio::test]
async fn whatever_is_guessed_at_there_are_never_more_rows_than_buckets_and_old_ones_go() {
    let store = store().await;
    let now = SystemClock.now();
    for number in 0..200 {
        let bucket = store.vault.guess_bucket(&format!("password/account/{number}")).unwrap();
        store.database.count_guess(bucket, HOURLY, now).await.unwrap();
    }
    assert!((190..=200).contains(&rows(&store).await));
    let later = now + Duration::from_hours(2);
    for number in 0..15 {
        let bucket = store.vault.guess_bucket(&format!("later/{number}")).unwrap();
        store.database.count_guess(bucket, HOURLY, later).await.unwrap();
    }
    assert!(rows(&store).await <= 15, "{}", rows(&store).await);
    let outside = "insert into platform.guesses values (4194304, now())";
    assert!(store.admin(outside).await.is_err());
    let mut app = store.connect_as("misy_app").await.unwrap();
    for sql in [
        "delete from platform.guesses",
        "update platform.guesses set arrival = now()",
        "table platform.guesses",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut app).await.expect_err(sql);
    }
}
