//! Transactions that are done as a whole: again when they collide, and on one connection.

use crate::keys::replica;
use misy_domain::Clock;
use misy_store::{
    Collides, StoreError,
    idempotency::{self, Answer, Call, Claim},
    roles, tenant_tx,
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};
use tokio::sync::Barrier;

async fn with_roles() -> (TestStore, TestTenant) {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    store
        .admin(
            "insert into misy.roles (tenant_id, role_id, name, actions)
             values ('andina', 'left', '', '{}'), ('andina', 'right', '', '{}')",
        )
        .await
        .unwrap();
    (store, tenant)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_lock_the_same_in_another_order_are_both_done() {
    let (store, tenant) = with_roles().await;
    let (both_hold_one, tried) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let run = |first: &'static str, second: &'static str| {
        let (database, tenant) = (store.database.clone(), tenant.id.clone());
        let (both_hold_one, tried) = (both_hold_one.clone(), tried.clone());
        tokio::spawn(async move {
            let is_first_time = AtomicU32::new(0);
            tenant_tx!(database, "test.collide", &tenant, async |tx| {
                tried.fetch_add(1, SeqCst);
                roles::lock(tx, first).await?;
                if is_first_time.fetch_add(1, SeqCst) == 0 {
                    both_hold_one.wait().await;
                }
                roles::lock(tx, second).await
            })
            .await
        })
    };
    let (one, other) = (run("left", "right"), run("right", "left"));
    assert!(one.await.unwrap().unwrap().is_some());
    assert!(other.await.unwrap().unwrap().is_some());
    assert_eq!(tried.load(SeqCst), 3, "one of them is done again");
}

#[derive(Debug)]
struct Collision;

impl From<StoreError> for Collision {
    fn from(_: StoreError) -> Self {
        Self
    }
}

impl Collides for Collision {
    fn is_collision(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_collides_again_and_again_is_told_and_nothing_of_it_stays() {
    let (store, tenant) = with_roles().await;
    let tried = AtomicU32::new(0);
    tenant_tx!(store.database, "test.always", &tenant.id, async |tx| {
        tried.fetch_add(1, SeqCst);
        assert!(roles::delete(tx, "left").await.unwrap(), "each time it is there");
        Err::<(), _>(Collision)
    })
    .await
    .unwrap_err();
    assert_eq!(tried.load(SeqCst), 4);
    let still = tenant_tx!(store.database, "test.read", &tenant.id, async |tx| roles::read(tx, "left").await);
    assert!(still.await.unwrap().is_some());
}

#[tokio::test]
async fn a_program_that_has_no_keys_of_the_tenant_yet_reads_an_answer_over_the_one_connection() {
    let (store, tenant) = with_roles().await;
    let call = Call { scope: "test", key: "1", request: [1; 32] };
    let given = Answer { status: 201, body: b"{}".to_vec() };
    let now = store.clock.now();
    tenant_tx!(store.database, "test.first", &tenant.id, async |tx| {
        assert_eq!(idempotency::claim(tx, &store.vault, &call, now).await?, Claim::Fresh);
        idempotency::complete(tx, &tenant.keys, &*store.entropy, &call, &given).await
    })
    .await
    .unwrap();
    let newly_started = replica(&store);
    let again = tenant_tx!(store.database, "test.again", &tenant.id, async |tx| {
        idempotency::claim(tx, &newly_started, &call, now).await
    });
    assert_eq!(again.await.unwrap(), Claim::Answered(given));
}

/// Does something inside a transaction, in a task of its own, and says whether that was refused.
async fn refused<F>(
    store: &TestStore,
    tenant: &TestTenant,
    work: impl Fn(misy_store::Database) -> F + Send + Sync + 'static,
) -> bool
where
    F: Future<Output = ()> + Send,
{
    let (database, tenant) = (store.database.clone(), tenant.id.clone());
    let task = tokio::spawn(async move {
        tenant_tx!(database, "test.second", &tenant, async |_tx| {
            work(database.clone()).await;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    });
    task.await.is_err_and(|error| error.is_panic())
}

#[tokio::test]
async fn inside_of_a_transaction_nobody_takes_a_second_connection() {
    let (store, tenant) = with_roles().await;
    let of = tenant.id.clone();
    let transaction = move |database: misy_store::Database| {
        let of = of.clone();
        async move { drop(database.tenant("test.inner", &of).await) }
    };
    assert!(refused(&store, &tenant, transaction).await);
    let system = |database: misy_store::Database| async move { drop(database.system("test.inner").await) };
    assert!(refused(&store, &tenant, system).await);
    let statement = |database: misy_store::Database| async move { drop(database.owner_tenant().await) };
    assert!(refused(&store, &tenant, statement).await);
    assert!(!refused(&store, &tenant, |_| async {}).await);
}
