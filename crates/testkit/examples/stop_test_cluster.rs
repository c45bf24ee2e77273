//! Stops and removes the PostgreSQL that tests share: the last step of a test run.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), misy_testkit::postgres::TestkitError> {
    misy_testkit::postgres::TestCluster::stop().await
}
