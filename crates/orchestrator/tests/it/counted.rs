//! Deliveries, counted as the database has them, and waited for with a bound.

use misy_testkit::store::TestStore;
use sqlx::AssertSqlSafe;
use std::time::Duration;

pub(crate) use misy_testkit::PATIENCE;

/// How many deliveries are so.
pub(crate) async fn deliveries(store: &TestStore, condition: &str) -> i64 {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let statement = format!("select count(*) from misy.deliveries where {condition}");
    sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut admin).await.unwrap()
}

/// Waits until so many deliveries are so.
pub(crate) async fn until_deliveries(store: &TestStore, condition: &str, number: i64) {
    let counted = async {
        while deliveries(store, condition).await != number {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, counted).await.is_ok();
    assert!(in_time, "{condition}: {} instead of {number}", deliveries(store, condition).await);
}
