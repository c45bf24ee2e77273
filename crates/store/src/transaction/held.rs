//! One connection at a time: who holds one in a transaction takes no other. When all connections are held by such, each waits
//! for the others until it gives up.

use std::future::Future;

tokio::task_local! {
    /// The transaction that this task is in.
    static HELD: &'static str;
}

/// Does something that holds a connection, in the transaction of this name.
pub(super) async fn within<F: Future>(transaction: &'static str, work: F) -> F::Output {
    HELD.scope(transaction, work).await
}

/// To be called by whoever takes a connection. Inside a transaction that is a mistake in the program: it stops a program that is
/// built for tests, and is counted and told of in one that serves.
pub(crate) fn expect_none() {
    let Ok(transaction) = HELD.try_with(|transaction| *transaction) else { return };
    metrics::counter!("misy_second_connections_total", "transaction" => transaction).increment(1);
    tracing::error!(transaction, "takes a second connection");
    debug_assert!(transaction.is_empty(), "the transaction {transaction} takes a second connection");
}
