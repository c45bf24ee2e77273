//! Keys under keys, and their rotation while everybody goes on writing and reading.

mod contacts;
mod reading;
mod root;
mod rotation;

use misy_store::{
    StoreError, Vault,
    leases::{Cursor, Lease, LeaseTerms, Share, WorkerId},
    messages::{Ingested, history},
    rotation::{Rotation, Rotations, Rotator, Step},
    sessions::Session,
};
use misy_testkit::store::{TestStore, TestTenant};
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// Another replica on the same database: nothing of the first one's memory.
pub(crate) fn replica(store: &TestStore) -> Vault {
    Vault::over(misy_store::Roots::fixed(vec![store.vault.roots().active()]), store.entropy.clone())
}

async fn texts(store: &TestStore, vault: &Vault, tenant: &TestTenant, session: &Session) -> Vec<String> {
    let keys = vault.keys(&store.database, &tenant.id).await.unwrap().unwrap();
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let messages = history(&mut tx, &keys, session.conversation_id, 0, 10_000).await.unwrap();
    tx.commit().await.unwrap();
    messages.iter().map(|message| misy_domain::message::text_of(&message.parts)).collect()
}

async fn say(store: &TestStore, tenant: &TestTenant, session: &Session, text: &str) {
    let outcome = store.say(tenant, session.session_id, text, text).await.unwrap();
    assert!(matches!(outcome, Ingested::Stored(_)), "{outcome:?}");
}

async fn start(store: &TestStore, tenant: &TestTenant) -> Result<Rotation, StoreError> {
    let keys = store.vault.keys(&store.database, &tenant.id).await?.unwrap();
    let mut tx = store.database.tenant("test", &tenant.id).await?;
    let begun = misy_store::rotation::start(
        &mut tx,
        &keys,
        &misy_store::audit::Actor::outside("tester"),
        &*store.clock,
        &*store.entropy,
    )
    .await?;
    tx.commit().await?;
    // The rest that gives replicas time to hear of it is over at once.
    store
        .admin(
            "update misy.key_rotations set work_at = now() - interval '1 second' where finished_at is null",
        )
        .await
        .unwrap();
    Ok(begun)
}

/// Takes the lease of a rotation that is due.
async fn claim(store: &TestStore) -> Option<Lease<Rotations>> {
    let (worker, terms) =
        (WorkerId::new(&*store.entropy), LeaseTerms { length: Duration::from_mins(1), most_attempts: 8 });
    store.database.claim(&worker, 1, &terms, &Cursor::default(), Share::ALL).await.unwrap().leases.pop()
}

async fn finish(store: &TestStore, rotator: &Rotator) -> u64 {
    let lease = claim(store).await.expect("a rotation is due");
    let mut rows = 0;
    loop {
        match rotator.step(&lease).await.unwrap() {
            Step::Resealed(count) => rows += count,
            Step::Finished => return rows,
        }
    }
}

async fn number(store: &TestStore, sql: impl Into<String>) -> i64 {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(sql.into())).fetch_one(&mut admin).await.unwrap()
}
