//! Whoever waits may go away at any moment: a client hangs up, a worker is stopped. No connection may go back to the pool
//! within a transaction then.

use misy_testkit::store::test_store;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_nobody_waits_for_any_more_leaves_nothing_open() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    for microseconds in (0..600).map(|round| round % 150 * 4) {
        // Some give up before BEGIN is sent, some while it is under way, some after it.
        let begun = store.database.tenant("test", &tenant.id);
        let _ = tokio::time::timeout(Duration::from_micros(microseconds), begun).await;
    }
    let mut admin = store.connect_as("postgres").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(3);
    loop {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
        )
        .fetch_one(&mut admin)
        .await
        .unwrap();
        if open == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{open} connections stand in a transaction that nobody will end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
