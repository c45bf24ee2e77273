//! Leases as the database keeps them: fair claims, fences, failures, dead letters.

use misy_domain::Language;
use misy_store::{
    StoreError,
    leases::{
        Backoff, Claimed, Cursor, Failed, KINDS, LeaseTerms, Share, Trouble, WorkerId, dead_work, revive,
    },
    sessions::Session,
    turns::{Conversations, TurnResult, TurnWork, load_turn},
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use std::{collections::BTreeMap, time::Duration};

type Lease = misy_store::leases::Lease<Conversations>;

const TERMS: LeaseTerms = LeaseTerms { length: Duration::from_mins(1), most_attempts: 8 };
/// Over before the next statement.
const NO_TIME: LeaseTerms = LeaseTerms { length: Duration::ZERO, most_attempts: 8 };

async fn claim(store: &TestStore, worker: &WorkerId, batch: u32, terms: &LeaseTerms) -> Vec<Lease> {
    store
        .database
        .claim::<Conversations>(worker, batch, terms, &Cursor::default(), Share::ALL)
        .await
        .unwrap()
        .leases
}

async fn waiting(store: &TestStore, slug: &str) -> (TestTenant, Session) {
    let tenant = store.tenant(slug).await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    store.say(&tenant, session.session_id, "1", "Hola").await.unwrap();
    (tenant, session)
}

async fn load(store: &TestStore, tenant: &TestTenant, lease: &Lease) -> Result<Option<TurnWork>, StoreError> {
    let mut tx = store.database.tenant_work("test", &tenant.id).await?;
    let work = load_turn(&mut tx, &tenant.keys, lease).await?;
    tx.commit().await?;
    Ok(work)
}

async fn commit(
    store: &TestStore,
    tenant: &TestTenant,
    lease: &Lease,
    work: &TurnWork,
) -> Result<bool, StoreError> {
    let result = TurnResult {
        work,
        replies: &[],
        agent: "none",
        language: Language::Es,
        unanswered_in_a_row: 0,
        handoff: None,
        decision: &serde_json::json!({}),
        wait: None,
        took: Duration::ZERO,
    };
    let (clock, entropy) = (&*store.clock, &*store.entropy);
    let done = store.database.commit_turn(lease, &result, &tenant.keys, &store.bell, clock, entropy).await?;
    Ok(done.has_more)
}

/// Tenants with conversations that are due, the longest waiting first, made without messages.
async fn backlog(store: &TestStore, tenants: &[(&str, u32)]) {
    for (tenant, conversations) in tenants {
        store
            .admin(format!(
                "insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry,
                                           locale, timezone)
                 values ('{tenant}', 'standard', 'A', 'a@example.com', 'https://a.example', 'clinic', 'es', 'UTC');
                 insert into misy.contacts values ('{tenant}', 'con_1');
                 insert into misy.conversations (tenant_id, conversation_id, contact_id, work_at)
                 select '{tenant}', 'cnv_' || lpad(n::text, 26, '0'), 'con_1', now() - interval '1 hour' + n * interval '1 ms'
                 from generate_series(1, {conversations}) n"
            ))
            .await
            .unwrap();
    }
}

fn per_tenant(leases: &[Lease]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for lease in leases {
        *counts.entry(lease.tenant.to_string()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_tenant_with_ten_thousand_waiting_takes_its_turn_like_the_others() {
    let store = test_store().await.unwrap();
    backlog(&store, &[("aa", 3), ("big", 10_000), ("cc", 3), ("dd", 1)]).await;
    let worker = WorkerId::new(&*store.entropy);
    let mut cursor = Cursor::default();
    let mut order = Vec::new();
    for _ in 0..4 {
        let claimed =
            store.database.claim::<Conversations>(&worker, 2, &TERMS, &cursor, Share::ALL).await.unwrap();
        cursor = claimed.next;
        order.extend(claimed.leases.iter().map(|lease| lease.tenant.to_string()));
    }
    assert_eq!(order, ["aa", "big", "cc", "dd", "aa", "big", "cc", "aa"]);
    // Only when the others have nothing more does one tenant fill the batch.
    let claimed =
        store.database.claim::<Conversations>(&worker, 50, &TERMS, &cursor, Share::ALL).await.unwrap();
    let counts = per_tenant(&claimed.leases);
    assert_eq!(counts, [("big".to_owned(), 49), ("cc".to_owned(), 1)].into());
    assert!(claimed.complete);
}

#[tokio::test]
async fn a_claim_looks_at_a_bounded_number_of_tenants_and_goes_on_where_it_stopped() {
    let store = test_store().await.unwrap();
    let names: Vec<_> = (0..200).map(|n| format!("tenant-{n:03}")).collect();
    backlog(&store, &names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>()).await;
    // All but the last are waiting to be tried again.
    store
        .admin("update misy.conversations set work_at = now() + interval '1 hour' where tenant_id < 'tenant-199'")
        .await
        .unwrap();
    let worker = WorkerId::new(&*store.entropy);
    let mut cursor = Cursor::default();
    let mut claims = 0;
    loop {
        claims += 1;
        let Claimed { leases, next, complete } =
            store.database.claim::<Conversations>(&worker, 1, &TERMS, &cursor, Share::ALL).await.unwrap();
        cursor = next;
        if !leases.is_empty() {
            assert_eq!(leases[0].tenant.as_str(), "tenant-199");
            break;
        }
        assert!(!complete);
    }
    assert_eq!(claims, 3);
    let rest = store.database.claim::<Conversations>(&worker, 50, &TERMS, &cursor, Share::ALL).await.unwrap();
    assert!(rest.leases.is_empty() && rest.complete);
}

#[tokio::test]
async fn the_work_of_a_suspended_tenant_waits_until_it_is_active_again() {
    let store = test_store().await.unwrap();
    backlog(&store, &[("aa", 1), ("bb", 1)]).await;
    store.admin("update misy.tenants set suspended_at = now() where tenant_id = 'aa'").await.unwrap();
    let worker = WorkerId::new(&*store.entropy);
    let claimed = claim(&store, &worker, 10, &TERMS).await;
    assert_eq!(per_tenant(&claimed), [("bb".to_owned(), 1)].into());
    store.admin("update misy.tenants set suspended_at = null where tenant_id = 'aa'").await.unwrap();
    let claimed = claim(&store, &worker, 10, &TERMS).await;
    assert_eq!(per_tenant(&claimed), [("aa".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_claim_brings_no_more_of_a_tenant_than_its_share() {
    let store = test_store().await.unwrap();
    let mut tenants = Vec::new();
    for slug in ["busy", "calm", "full"] {
        let (tenant, _) = waiting(&store, slug).await;
        for number in 0..9 {
            let session = store.session(&tenant).await.unwrap();
            store.say(&tenant, session.session_id, &format!("{number}"), "Hola").await.unwrap();
        }
        tenants.push(tenant.id);
    }
    let worker = WorkerId::new(&*store.entropy);
    let share = Share { most: 4, full: &tenants[2..] };
    let claimed =
        store.database.claim::<Conversations>(&worker, 50, &TERMS, &Cursor::default(), share).await.unwrap();
    let mut of = BTreeMap::new();
    for lease in &claimed.leases {
        *of.entry(lease.tenant.as_str()).or_insert(0) += 1;
    }
    assert_eq!(of, BTreeMap::from([("busy", 4), ("calm", 4)]));
    assert!(claimed.complete);
}

#[tokio::test]
async fn whoever_outlives_its_lease_writes_nothing() {
    let store = test_store().await.unwrap();
    let (tenant, session) = waiting(&store, "andina").await;
    let (slow, quick) = (WorkerId::new(&*store.entropy), WorkerId::new(&*store.entropy));
    let late = claim(&store, &slow, 1, &NO_TIME).await.remove(0);
    let work = load(&store, &tenant, &late).await.unwrap().unwrap();
    let held = claim(&store, &quick, 1, &TERMS).await.remove(0);
    assert_eq!((late.fence, held.fence), (1, 2));
    assert_eq!((late.id, held.id), (session.conversation_id, session.conversation_id));

    assert!(matches!(commit(&store, &tenant, &late, &work).await, Err(StoreError::LeaseLost)));
    assert!(matches!(load(&store, &tenant, &late).await, Err(StoreError::LeaseLost)));
    assert!(!store.database.postpone(&late, Duration::ZERO).await.unwrap());
    let failed = store.database.fail(&late, Trouble::Panic, Duration::ZERO, 8).await.unwrap();
    assert_eq!(failed, Failed::Lost);
    let lost = store.database.extend(&slow, std::slice::from_ref(&late), &TERMS).await.unwrap();
    assert_eq!(lost, std::slice::from_ref(&late));
    let lost = store.database.extend(&quick, std::slice::from_ref(&held), &TERMS).await.unwrap();
    assert_eq!(lost, []);
    // The holder asks for a claim of its own that is over, together with the one that lives.
    let over = Lease { fence: late.fence, ..held.clone() };
    let lost = store.database.extend(&quick, &[over.clone(), held.clone()], &TERMS).await.unwrap();
    assert_eq!(lost, [over]);

    let work = load(&store, &tenant, &held).await.unwrap().unwrap();
    assert!(!commit(&store, &tenant, &held, &work).await.unwrap());
    // What it ended itself it has not lost.
    assert_eq!(store.database.extend(&quick, std::slice::from_ref(&held), &TERMS).await.unwrap(), []);
    // Nor does the winner write twice.
    assert!(matches!(commit(&store, &tenant, &held, &work).await, Err(StoreError::LeaseLost)));
    assert!(claim(&store, &quick, 1, &TERMS).await.is_empty());
}

#[tokio::test]
async fn what_is_given_back_is_due_at_once_and_counts_no_attempt() {
    let store = test_store().await.unwrap();
    let _ = waiting(&store, "andina").await;
    let worker = WorkerId::new(&*store.entropy);
    for fence in 1..=3 {
        let lease = claim(&store, &worker, 1, &TERMS).await.remove(0);
        assert_eq!((lease.fence, lease.attempts), (fence, 1));
        assert!(store.database.postpone(&lease, Duration::ZERO).await.unwrap());
    }
}

#[tokio::test]
async fn after_eight_failures_a_conversation_is_given_up_and_an_operator_or_a_message_revives_it() {
    let store = test_store().await.unwrap();
    let (tenant, session) = waiting(&store, "andina").await;
    let worker = WorkerId::new(&*store.entropy);
    let fail_all = async || {
        for attempt in 1..=8 {
            let lease = claim(&store, &worker, 1, &TERMS).await.remove(0);
            assert_eq!(lease.attempts, attempt);
            let failed = store.database.fail(&lease, Trouble::Panic, Duration::ZERO, 8).await.unwrap();
            assert_eq!(failed, if attempt < 8 { Failed::Retry } else { Failed::Dead });
        }
        assert!(claim(&store, &worker, 1, &TERMS).await.is_empty());
    };
    fail_all().await;
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let dead = dead_work(&mut tx, None, None, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((&*dead[0].kind, dead[0].last_error.as_deref()), ("conversation", Some("panic")));
    let id = session.conversation_id.to_string();
    assert!(!revive(&mut tx, "mail", &id).await.unwrap());
    assert!(revive(&mut tx, "conversation", &id).await.unwrap());
    assert!(!revive(&mut tx, "conversation", &id).await.unwrap());
    tx.commit().await.unwrap();
    fail_all().await;
    store.say(&tenant, session.session_id, "2", "¿Hola?").await.unwrap();
    fail_all().await;
}

#[tokio::test]
async fn what_takes_its_worker_down_each_time_is_given_up_without_anybody_telling() {
    let store = test_store().await.unwrap();
    let (tenant, _) = waiting(&store, "andina").await;
    let worker = WorkerId::new(&*store.entropy);
    for _ in 1..=8 {
        assert_eq!(claim(&store, &worker, 1, &NO_TIME).await.len(), 1);
    }
    assert!(claim(&store, &worker, 1, &NO_TIME).await.is_empty());
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert_eq!(
        dead_work(&mut tx, Some("conversation"), None, 10).await.unwrap()[0].last_error.as_deref(),
        Some("worker_lost")
    );
}

#[tokio::test]
async fn a_conversation_in_which_nothing_waits_rests() {
    let store = test_store().await.unwrap();
    let (tenant, _) = waiting(&store, "andina").await;
    store.admin("delete from misy.messages").await.unwrap();
    let worker = WorkerId::new(&*store.entropy);
    let lease = claim(&store, &worker, 1, &TERMS).await.remove(0);
    assert!(load(&store, &tenant, &lease).await.unwrap().is_none());
    assert!(claim(&store, &worker, 1, &TERMS).await.is_empty());
}

#[test]
fn the_wait_doubles_up_to_five_minutes_and_half_of_it_is_random() {
    let entropy = misy_testkit::determinism::SeededEntropy::new(7);
    let backoff = Backoff::default();
    for (attempts, full) in [(1, 1), (2, 2), (4, 8), (9, 256), (10, 300), (64, 300)] {
        for _ in 0..50 {
            let wait = backoff.after(attempts, &entropy).as_secs_f64();
            assert!(wait >= f64::from(full) / 2.0 && wait <= f64::from(full), "{attempts}: {wait}");
        }
    }
}

#[tokio::test]
async fn the_kinds_of_work_are_the_leased_tables() {
    let store = test_store().await.unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    let kinds: Vec<String> = sqlx::query_scalar("select kind from platform.leased_tables order by kind")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    let mut known = KINDS.to_vec();
    known.sort_unstable();
    assert_eq!(kinds, known);
}
