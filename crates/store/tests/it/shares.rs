//! No tenant keeps others from the database, however much it asks for at a time and whoever waits for the answers.

use misy_domain::{RequestId, TenantId};
use misy_store::{
    AuditLog, TenantTx,
    audit::{self, AuditFilter, CallEntry},
    limits,
};
use misy_testkit::store::{TestStore, test_store};
use sqlx::Executor;
use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

/// What one tenant holds at least of the connections that serve, when it asks for many.
const LEAST: usize = 2;
/// What it holds at most: a quarter. How much it is in between depends on the cores and on who else is there.
const MOST: usize = 5;

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

async fn waiting(admin: &mut sqlx::PgConnection) -> usize {
    let count: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and usename = 'misy_app' and wait_event_type = 'Lock'",
    )
    .fetch_one(admin)
    .await
    .unwrap();
    count.try_into().unwrap()
}

async fn until(admin: &mut sqlx::PgConnection, counts: RangeInclusive<usize>) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !counts.contains(&waiting(admin).await) {
        assert!(Instant::now() < deadline, "{} wait and not {counts:?}", waiting(admin).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_whose_statements_take_long_leaves_most_connections_to_others() {
    let store = test_store().await.unwrap();
    let (busy, other) = (store.tenant("andina").await.unwrap(), store.tenant("verde-cafe").await.unwrap());
    let mut admin = store.connect_as("postgres").await.unwrap();
    let mut holder = store.connect_as("postgres").await.unwrap();
    holder.execute("begin; lock table misy.rate_limits in access exclusive mode").await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..60 {
        let (database, id) = (store.database.clone(), busy.id.clone());
        calls.push(tokio::spawn(async move {
            let mut tx = database.tenant("test", &id).await?;
            limits::list(&mut tx).await
        }));
    }
    until(&mut admin, LEAST..=MOST).await;
    let served = async || {
        let mut tx: TenantTx = store.database.tenant("test", &other.id).await.unwrap();
        assert!(audit::list(&mut tx, &AuditFilter { limit: 1, ..Default::default() }).await.is_ok());
        tx.commit().await.unwrap();
    };
    served().await;
    // Those who asked go away. The server goes on for them, so they keep their turns: more of the same take no more.
    for call in &calls {
        call.abort();
    }
    for _ in 0..60 {
        let (database, id) = (store.database.clone(), busy.id.clone());
        let call = tokio::spawn(async move {
            let mut tx = database.tenant("test", &id).await?;
            limits::list(&mut tx).await
        });
        tokio::time::sleep(Duration::from_millis(2)).await;
        call.abort();
    }
    assert!(waiting(&mut admin).await <= MOST);
    served().await;
    // No statement of a call takes longer than seconds, and then the tenant is served again.
    until(&mut admin, 0..=0).await;
    holder.execute("rollback").await.unwrap();
    let mut tx = store.database.tenant("test", &busy.id).await.unwrap();
    assert!(limits::list(&mut tx).await.unwrap().is_empty());
}

#[tokio::test]
async fn reports_of_one_tenant_go_one_after_another_beside_what_is_served() {
    let store = test_store().await.unwrap();
    let (busy, other) = (store.tenant("andina").await.unwrap(), store.tenant("verde-cafe").await.unwrap());
    let first = store.database.tenant_report("test", &busy.id).await.unwrap();
    let second = store.database.tenant_report("test", &busy.id);
    assert!(tokio::time::timeout(Duration::from_millis(200), second).await.is_err());
    store.database.tenant_report("test", &other.id).await.unwrap().commit().await.unwrap();
    store.database.tenant("test", &busy.id).await.unwrap().commit().await.unwrap();
    first.commit().await.unwrap();
    store.database.tenant_report("test", &busy.id).await.unwrap().commit().await.unwrap();
}

fn call(store: &TestStore) -> CallEntry {
    use misy_domain::Clock;
    CallEntry {
        at: store.clock.now(),
        action: "inviteUser",
        actor: Some("key_1".to_owned()),
        site_id: None,
        session_id: None,
        origin: None,
        outcome: "permission_denied",
        status: 403,
        duration_micros: 900,
        request_id: RequestId::new(&*store.clock, &*store.entropy),
        subject: None,
        detail: Some(serde_json::json!({ "action": "users:write", "decision": "deny", "policies": [] })),
    }
}

#[tokio::test]
async fn a_flood_of_entries_with_details_takes_a_share_of_the_queue_and_is_written_in_batches() {
    let store = test_store().await.unwrap();
    for name in ["andina", "verde-cafe"] {
        store.tenant(name).await.unwrap();
    }
    let log = AuditLog::start(store.database.clone());
    // Nothing is written before somebody waits.
    for _ in 0..20_000 {
        log.record_call(tenant("andina"), call(&store));
    }
    assert_eq!(log.displaced(), 20_000 - 4_096);
    log.record_call(tenant("verde-cafe"), call(&store));
    assert_eq!(log.displaced(), 20_000 - 4_096, "another tenant finds no room");
    let permit = log.reserve(&tenant("verde-cafe")).await.expect("another tenant finds no room");
    permit.record(tenant("verde-cafe"), call(&store));
    log.shutdown().await;
    let mut admin = store.connect_as("postgres").await.unwrap();
    let written: Vec<(String, i64, i64)> = sqlx::query_as(
        "select tenant_id, count(*), count(distinct xmin::text) from misy.audit_entries
         where action = 'inviteUser' and detail is not null group by 1 order by 1",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!((written[0].1, written[1].1), (4_096, 2), "{written:?}");
    assert!(written[0].2 <= 3, "{} transactions", written[0].2);
}
