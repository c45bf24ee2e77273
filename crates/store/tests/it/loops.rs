//! The table of loops says when each ran last and why it failed.

use misy_domain::{Clock, SystemClock};
use misy_store::{
    StoreError,
    database::Role,
    loops::{Loop, LoopState, run},
};
use misy_testkit::store::{TestStore, test_store};
use sqlx::Executor;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

struct Flaky(Arc<AtomicBool>);

impl Loop for Flaky {
    const NAME: &'static str = "flaky";
    const PERIOD: Duration = Duration::from_millis(10);
    const ROLE: Role = Role::App;

    async fn round(&mut self) -> Result<(), StoreError> {
        if self.0.load(SeqCst) { Err(StoreError::SharedUnavailable) } else { Ok(()) }
    }
}

async fn until(store: &TestStore, wanted: impl Fn(&LoopState) -> bool) -> LoopState {
    let reached = async {
        loop {
            if let Some(state) = store.database.loops().await.unwrap().into_iter().find(|state| wanted(state))
            {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), reached).await.expect("the loop is noted")
}

#[tokio::test]
async fn a_loop_is_noted_when_it_runs_when_it_fails_and_when_it_goes_on() {
    let store = test_store().await.unwrap();
    let fails = Arc::new(AtomicBool::new(false));
    let running = tokio::spawn(run(Flaky(fails.clone()), store.database.clone()));
    let well = until(&store, |state| state.failure.is_none()).await;
    assert_eq!((&*well.name, &*well.role, well.period), ("flaky", "misy_app", Flaky::PERIOD));
    assert_eq!(well.last_failure, None);

    fails.store(true, SeqCst);
    let ill = until(&store, |state| state.failure.is_some()).await;
    assert_eq!(ill.failure.as_deref(), Some("Redis is unavailable"));
    assert!(ill.last_run >= well.last_run && ill.last_failure == Some(ill.last_run));

    // It goes on, and one remembers when it failed.
    fails.store(false, SeqCst);
    let again = until(&store, |state| state.failure.is_none()).await;
    assert_eq!(again.last_failure, ill.last_failure);
    assert_eq!(store.database.loops().await.unwrap().len(), 1);
    running.abort();
}

#[tokio::test]
async fn what_has_been_over_for_an_hour_goes_and_what_was_over_just_now_stays() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let rows = |name: &str, ago: &str| {
        format!(
            "insert into misy.idempotency_keys
             select '{}', 's', '{name} ' || n, 'x', 200, 'x', now(), now() - interval '{ago}' from generate_series(1, 2500) n;
             insert into misy.revoked_tokens values ('{}', 'tat_{name}', now() - interval '{ago}');
             insert into misy.token_renewals values ('{}', 'tat_{name}', 'tat_x', now() - interval '{ago}');
             insert into misy.mails (tenant_id, mail_id, sealed_mail, created_at, dead_at)
             values ('{}', 'eml_{name}', 'x', now(), now() - interval '30 days' - interval '{ago}' + interval '1 hour'),
                    ('{}', 'eml_{name}_waits', 'x', now() - interval '1 year', null);",
            tenant.id, tenant.id, tenant.id, tenant.id, tenant.id
        )
    };
    store.admin(rows("old", "2 hours")).await.unwrap();
    store.admin(rows("fresh", "5 minutes")).await.unwrap();
    let now = SystemClock.now();
    let hours = |hours: i64| jiff::SignedDuration::from_hours(hours);
    // A clock that is behind keeps everything; one that is ahead removes no more than the database's own.
    assert_eq!(store.database.remove_expired(now - hours(2)).await.unwrap(), 0);
    assert_eq!(store.database.remove_expired(now + hours(1_000)).await.unwrap(), 2503);
    assert_eq!(store.database.remove_expired(now).await.unwrap(), 0);
    let mut admin = store.connect_as("postgres").await.unwrap();
    let left: Vec<i64> = sqlx::query_scalar(
        "select count(*) from misy.idempotency_keys union all select count(*) from misy.revoked_tokens
         union all select count(*) from misy.token_renewals union all select count(*) from misy.mails",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!(left, [2500, 1, 1, 3]);
}

/// However much there is: what is over is found by its end, and nobody reads all that is not.
#[tokio::test]
async fn what_is_over_is_found_without_reading_whole_tables() {
    let store = test_store().await.unwrap();
    store.tenant("andina").await.unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    // A planner that has an index takes it then, however few rows there are.
    admin
        .execute("begin; set local enable_seqscan = off; select platform.remove_expired(now(), 10)")
        .await
        .unwrap();
    let read: Vec<(String, i64, i64)> = sqlx::query_as(
        "select relname::text, seq_scan, idx_scan from pg_stat_xact_user_tables
         where schemaname = 'misy' and relname <> 'tenants' and seq_scan + coalesce(idx_scan, 0) > 0 order by 1",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let names: Vec<&str> = read.iter().map(|(name, ..)| &**name).collect();
    let swept = [
        "attachments",
        "booking_forms",
        "booking_shares",
        "bookings",
        "idempotency_keys",
        "mails",
        "revoked_tokens",
        "token_renewals",
        "user_devices",
    ];
    assert_eq!(names, swept);
    assert!(read.iter().all(|(_, whole, _)| *whole == 0), "{read:?}");
}
