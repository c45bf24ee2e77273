//! Monthly quotas and metering: exact under concurrency, and equal to the unit.

use misy_domain::{Channel, Clock, Content, KeyId, Metered, SessionId, Timestamp};
use misy_store::{
    messages::{InboundOrigin, Ingested, NewInbound},
    usage::{self, CountedFor, GroupBy, Reserved, UsageFilter, counted, quota_events, reserve, settle},
};
use misy_testkit::store::{TestStore, TestTenant, test_store, test_store_with};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

async fn say(
    store: &TestStore,
    tenant: &TestTenant,
    session: SessionId,
    external_id: &str,
    (key, monthly): (Option<KeyId>, Option<i64>),
) -> Ingested {
    let inbound = NewInbound {
        tenant: &tenant.id,
        origin: InboundOrigin::Session {
            session,
            site: &tenant.site,
            family: tenant.family,
            channel: Channel::Web,
        },
        external_id,
        content: &Content::text("Hola"),
        sent_at: None,
        key,
        monthly,
    };
    store.database.ingest(&inbound, &tenant.keys, &store.bell, &*store.clock, &*store.entropy).await.unwrap()
}

/// Sum of the events, what the quota was checked against, and messages that are stored.
async fn three_sums(store: &TestStore) -> (i64, i64, i64) {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_as(
        "select (select coalesce(sum(amount), 0)::bigint from misy.usage_events where kind = 'messages'),
                (select coalesce(sum(used), 0)::bigint from misy.usage_slots where kind = 'messages'),
                (select count(*) from misy.messages where role = 'contact')",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap()
}

async fn reached(store: &TestStore, tenant: &TestTenant) -> Vec<(i16, i64)> {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let events = quota_events(&mut tx, store.clock.now()).await.unwrap();
    events.into_iter().map(|event| (event.percent, event.quota)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_the_quota_is_stored_however_many_come_at_once() {
    let store = Arc::new(
        test_store_with(|options| misy_store::DatabaseOptions { app_connections: 24, ..options })
            .await
            .unwrap(),
    );
    let tenant = store.tenant("andina").await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..10 {
        sessions.push(store.session(&tenant).await.unwrap().session_id);
    }
    let mut tasks = JoinSet::new();
    for number in 0..400 {
        let (store, tenant, session) = (store.clone(), tenant.clone(), sessions[number % 10]);
        // Each is sent twice at the same time.
        for _ in 0..2 {
            let (store, tenant) = (store.clone(), tenant.clone());
            tasks.spawn(async move {
                say(&store, &tenant, session, &number.to_string(), (None, Some(137))).await
            });
        }
    }
    let outcomes = tasks.join_all().await;
    let count = |wanted: fn(&Ingested) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, Ingested::Stored(_))), 137);
    assert_eq!(
        count(|outcome| matches!(outcome, Ingested::Duplicate(_) | Ingested::QuotaExceeded)),
        800 - 137,
    );
    assert_eq!(three_sums(&store).await, (137, 137, 137));
    assert_eq!(reached(&store, &tenant).await, [(80, 137), (100, 137)]);
}

#[tokio::test]
async fn what_was_stored_is_answered_again_beyond_the_quota_and_a_raise_counts_at_once() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap().session_id;
    let send = async |id: &str, monthly| say(&store, &tenant, session, id, (None, monthly)).await;
    for number in 0..4 {
        assert!(matches!(send(&number.to_string(), Some(5)).await, Ingested::Stored(_)));
        let warned = if number == 3 { vec![(80, 5)] } else { vec![] };
        assert_eq!(reached(&store, &tenant).await, warned, "after {number}");
    }
    let Ingested::Stored(last) = send("4", Some(5)).await else { panic!() };
    assert_eq!(reached(&store, &tenant).await, [(80, 5), (100, 5)]);
    assert_eq!(send("5", Some(5)).await, Ingested::QuotaExceeded);
    assert_eq!(send("4", Some(5)).await, Ingested::Duplicate(last));
    assert!(matches!(send("5", Some(6)).await, Ingested::Stored(_)), "raised");
    assert_eq!(send("6", Some(3)).await, Ingested::QuotaExceeded, "lowered below what was used");
    assert_eq!(send("6", Some(0)).await, Ingested::QuotaExceeded);
    assert!(matches!(send("6", None).await, Ingested::Stored(_)), "without a limit");
    // What is refused for another reason counts nowhere.
    let stranger: SessionId = "ses_00000000000000000000000000".parse().unwrap();
    assert_eq!(say(&store, &tenant, stranger, "7", (None, None)).await, Ingested::NotFound);
    assert_eq!(three_sums(&store).await, (7, 7, 7));
    store.clock.advance(Duration::from_hours(24 * 31));
    let session = store.session(&tenant).await.unwrap().session_id;
    assert!(
        matches!(say(&store, &tenant, session, "8", (None, Some(1))).await, Ingested::Stored(_)),
        "a new month"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_counts_and_messages_agree_after_a_storm_with_duplicates_refusals_and_killed_connections() {
    let store = Arc::new(test_store().await.unwrap());
    let tenant = store.tenant("andina").await.unwrap();
    let keys: Vec<KeyId> = (0..3).map(|_| KeyId::new(&*store.clock, &*store.entropy)).collect();
    let session = store.session(&tenant).await.unwrap().session_id;
    let mut tasks = JoinSet::new();
    for task in 0..8_usize {
        let (store, tenant, key) = (store.clone(), tenant.clone(), keys[task % 3]);
        tasks.spawn(async move {
            for number in 0..60 {
                // Tasks share ids by twos; whoever is cut off tries again.
                let id = format!("{}-{number}", task / 2);
                let inbound = NewInbound {
                    tenant: &tenant.id,
                    origin: InboundOrigin::Session {
                        session,
                        site: &tenant.site,
                        family: tenant.family,
                        channel: Channel::Web,
                    },
                    external_id: &id,
                    content: &Content::default(),
                    sent_at: None,
                    key: Some(key),
                    monthly: Some(200),
                };
                for _ in 0..50 {
                    let outcome = store
                        .database
                        .ingest(&inbound, &tenant.keys, &store.bell, &*store.clock, &*store.entropy)
                        .await;
                    if outcome.is_ok() {
                        break;
                    }
                }
            }
        });
    }
    let mut kills = 0;
    while !tasks.is_empty() {
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity \
                    where usename = 'misy_app' and datname = current_database() order by random() limit 1";
        store.admin(kill).await.unwrap();
        kills += 1;
        let _ = tokio::time::timeout(Duration::from_millis(20), tasks.join_next()).await;
    }
    assert!(kills > 3);
    assert_eq!(three_sums(&store).await, (200, 200, 200));

    // The last ones to be cut off may still be in the pool.
    let mut tx = loop {
        match store.database.tenant("test", &tenant.id).await {
            Ok(tx) => break tx,
            Err(failure) => assert!(failure.is_transient(), "{failure}"),
        }
    };
    let now = store.clock.now();
    let filter = |by| UsageFilter {
        from: now - jiff::SignedDuration::from_hours(1),
        to: now + jiff::SignedDuration::from_hours(1),
        by,
        after: None,
        limit: 100,
    };
    for by in [GroupBy::Day, GroupBy::Key, GroupBy::Site, GroupBy::Channel] {
        let rows = usage::usage(&mut tx, &filter(by)).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.amount).sum::<i64>(), 200, "{by:?}: {rows:?}");
        assert_eq!(rows.len(), if by == GroupBy::Key { 3 } else { 1 }, "{rows:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reservations_take_exactly_the_quota_and_are_settled_to_what_was_used() {
    let store = Arc::new(test_store().await.unwrap());
    let tenant = store.tenant("andina").await.unwrap();
    let now = store.clock.now();
    let mut tasks = JoinSet::new();
    for number in 0..60 {
        let (store, tenant) = (store.clone(), tenant.clone());
        tasks.spawn(async move {
            let subject = format!("call-{number}");
            let mut tx = store.database.tenant_work("test", &tenant.id).await.unwrap();
            let by = CountedFor { site: Some(&tenant.site), ..CountedFor::default() };
            let outcome =
                reserve(&mut tx, Metered::AiTokens, &subject, 100, Some(1_950), by, now).await.unwrap();
            tx.commit().await.unwrap();
            (outcome, subject)
        });
    }
    let outcomes = tasks.join_all().await;
    let taken: Vec<_> = outcomes
        .iter()
        .filter(|(outcome, _)| *outcome == Reserved::Taken)
        .map(|(_, subject)| subject)
        .collect();
    assert_eq!(taken.len(), 19, "19 × 100 fit into 1,950");
    let mut tx = store.database.tenant_work("test", &tenant.id).await.unwrap();
    let again = reserve(&mut tx, Metered::AiTokens, taken[0], 100, Some(1_950), CountedFor::default(), now);
    assert_eq!(again.await.unwrap(), Reserved::Known);
    // One used little, one nothing, one more than was reserved.
    for (subject, amount) in [(taken[0], 10), (taken[1], 0), (taken[2], 130)] {
        assert!(settle(&mut tx, Metered::AiTokens, subject, amount, now).await.unwrap());
        assert!(!settle(&mut tx, Metered::AiTokens, subject, amount, now).await.unwrap(), "once");
    }
    assert!(!settle(&mut tx, Metered::AiTokens, "nobody", 1, now).await.unwrap());
    assert_eq!(counted(&mut tx, now).await.unwrap()[&Metered::AiTokens], 1_740);
    let mut one_more = async |amount| {
        let subject = format!("late-{amount}");
        reserve(&mut tx, Metered::AiTokens, &subject, amount, Some(1_950), CountedFor::default(), now)
            .await
            .unwrap()
    };
    assert_eq!(one_more(211).await, Reserved::QuotaExceeded);
    assert_eq!(one_more(210).await, Reserved::Taken);
    assert_eq!(one_more(1).await, Reserved::QuotaExceeded);
    tx.commit().await.unwrap();
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let booking = reserve(&mut tx, Metered::Bookings, "bkg_1", 1, Some(1), CountedFor::default(), now);
    assert_eq!(booking.await.unwrap(), Reserved::Taken, "each thing has its own quota");
    let booking = reserve(&mut tx, Metered::Bookings, "bkg_2", 1, Some(1), CountedFor::default(), now);
    assert_eq!(booking.await.unwrap(), Reserved::QuotaExceeded);
}

#[test]
fn a_month_ends_where_the_next_begins_in_utc() {
    let of = |text: &str| usage::next_month(text.parse().unwrap());
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(of("2026-11-22T05:00:00Z"), at("2026-12-01T00:00:00Z"));
    assert_eq!(of("2026-12-31T23:59:59.999999Z"), at("2027-01-01T00:00:00Z"));
    assert_eq!(of("2028-02-01T00:00:00Z"), at("2028-03-01T00:00:00Z"));
}

#[tokio::test]
async fn a_deleted_tenant_leaves_no_usage() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap().session_id;
    say(&store, &tenant, session, "1", (None, Some(1))).await;
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    usage::add_refusals(&mut tx, &[("rate_limited", 2), ("not_found", 1)], store.clock.now()).await.unwrap();
    usage::add_refusals(&mut tx, &[("rate_limited", 3)], store.clock.now()).await.unwrap();
    let now = store.clock.now();
    let refusals = usage::refusals(&mut tx, now, now, 10).await.unwrap();
    let counts: Vec<_> = refusals.iter().map(|row| (row.reason.as_str(), row.count)).collect();
    assert_eq!(counts, [("not_found", 1), ("rate_limited", 5)]);
    let later = now.checked_add(Duration::from_hours(48)).unwrap();
    let close =
        misy_store::tenants::LifeStep::Close { by_owner: true, purge_at: Some(later), usual_purge_at: later };
    misy_store::tenants::take_step(&mut tx, &close, None, now).await.unwrap();
    tx.commit().await.unwrap();
    store.admin("update misy.tenants set purge_at = '-infinity', purge_not_before = null").await.unwrap();
    let (clock, entropy) = (&*store.clock, &*store.entropy);
    let purged = misy_store::closing::purge_batch(&store.database, &tenant.id, 1_000, clock, entropy).await;
    assert_eq!(purged.unwrap(), misy_store::closing::Purged::Done);
    let mut admin = store.connect_as("postgres").await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from misy.usage_events) + (select count(*) from misy.usage_slots)
              + (select count(*) from misy.quota_events) + (select count(*) from misy.refusals)",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(left, 0);
}
