//! Guesses at accounts, counted in the database.

use misy_store::{
    Database,
    guesses::GuessesAt,
    mails::{self, Cause},
};
use misy_testkit::store::{TestStore, TestTenant, test_store};

async fn store() -> TestStore {
    let store = test_store().await.unwrap();
    store.vault.open_installation(&store.database).await.unwrap();
    store
}

async fn rows(store: &TestStore) -> i64 {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar("select count(*) from platform.guesses").fetch_one(&mut admin).await.unwrap()
}

/// As if it were so much later.
async fn later(store: &TestStore, minutes: u32) {
    let moved = format!("update platform.guesses set arrival = arrival - interval '{minutes} minutes'");
    store.admin(moved).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_burst_passes_when_many_come_at_once_and_one_more_with_each_interval() {
    for (rule, burst, interval) in [(GuessesAt::Account, 20, 3), (GuessesAt::Device, 10, 1)] {
        let store = store().await;
        let bucket = store.vault.guess_bucket("password/account/ana").unwrap();
        let count = |database: Database| async move { database.count_guess(bucket, rule).await.unwrap() };
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..60 {
            tasks.spawn(count(store.database.clone()));
        }
        let waits = tasks.join_all().await;
        // More only if this machine takes as long as an interval for sixty statements.
        assert_eq!(waits.iter().filter(|wait| wait.is_none()).count(), burst);
        let most = jiff::SignedDuration::from_mins(interval);
        assert!(waits.iter().flatten().all(|wait| *wait <= most), "{waits:?}");
        later(&store, u32::try_from(interval).unwrap()).await;
        assert_eq!(count(store.database.clone()).await, None);
        assert!(count(store.database.clone()).await.is_some());
        assert_eq!(rule.quota().burst(), i64::try_from(burst).unwrap() * rule.quota().interval());
        assert_eq!(rule.quota().interval(), interval * 60_000_000, "the program and the schema say the same");
        let other = store.vault.guess_bucket("password/account/eva").unwrap();
        assert_eq!(store.database.count_guess(other, rule).await.unwrap(), None);
    }
}

#[tokio::test]
async fn neither_a_caller_nor_a_forged_state_opens_or_locks_out() {
    let store = store().await;
    let bucket = store.vault.guess_bucket("x").unwrap();
    let count = async |rule| store.database.count_guess(bucket, rule).await.unwrap();
    for _ in 0..20 {
        assert_eq!(count(GuessesAt::Account).await, None);
    }
    assert!(count(GuessesAt::Account).await.is_some());
    // Whoever calls it otherwise takes nothing away from what was counted: there is no clock and no rule to choose.
    let mut app = store.connect_as("misy_app").await.unwrap();
    for call in [
        "select platform.count_guess(1, 1, 1, '2999-01-01')",
        "select platform.count_guess(1, 'none')",
        "select platform.count_guess(1, null)",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(call)).execute(&mut app).await.expect_err(call);
    }
    for _ in 0..12 {
        count(GuessesAt::Device).await;
    }
    assert!(count(GuessesAt::Account).await.is_some());
    for forged in ["'2300-01-01'", "'294000-01-01'"] {
        store.admin(format!("update platform.guesses set arrival = {forged}")).await.unwrap();
        let wait = count(GuessesAt::Account).await.unwrap();
        assert!(wait <= jiff::SignedDuration::from_mins(3), "{wait:?}");
        later(&store, 3).await;
        assert_eq!(count(GuessesAt::Account).await, None);
    }
    assert!(store.admin("update platform.guesses set arrival = 'infinity'").await.is_err());
}

#[tokio::test]
async fn whatever_is_guessed_at_there_are_never_more_rows_than_buckets_and_old_ones_go() {
    let store = store().await;
    for number in 0..200 {
        let bucket = store.vault.guess_bucket(&format!("password/account/{number}")).unwrap();
        store.database.count_guess(bucket, GuessesAt::Account).await.unwrap();
    }
    assert!((190..=200).contains(&rows(&store).await));
    later(&store, 120).await;
    for number in 0..15 {
        let bucket = store.vault.guess_bucket(&format!("later/{number}")).unwrap();
        store.database.count_guess(bucket, GuessesAt::Account).await.unwrap();
    }
    assert!(rows(&store).await <= 15, "{}", rows(&store).await);
    let outside = "insert into platform.guesses values (4194304, 'account', now())";
    assert!(store.admin(outside).await.is_err());
    let mut app = store.connect_as("misy_app").await.unwrap();
    for sql in [
        "delete from platform.guesses",
        "update platform.guesses set arrival = now()",
        "table platform.guesses",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut app).await.expect_err(sql);
    }
}

/// Whether one more mail to this address passes.
async fn passes(store: &TestStore, tenant: &TestTenant, to: &str, cause: Cause) -> bool {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let wait = mails::count(&mut tx, &store.vault, to, cause).await.unwrap();
    if wait.is_none() {
        tx.commit().await.unwrap();
    }
    wait.is_none()
}

#[tokio::test]
async fn mails_of_a_tenant_to_a_person_and_to_an_address_have_each_their_number_in_an_hour() {
    let store = store().await;
    let (andina, luna) = (store.tenant("andina").await.unwrap(), store.tenant("luna").await.unwrap());
    let mut tx = store.database.tenant("test", &andina.id).await.unwrap();
    for number in 0..200 {
        let to = format!("{number}@business.example");
        assert_eq!(mails::count(&mut tx, &store.vault, &to, Cause::Asked).await.unwrap(), None, "{number}");
    }
    let wait = mails::count(&mut tx, &store.vault, "one@more.example", Cause::Asked).await.unwrap();
    assert!(wait.is_some_and(|wait| wait <= jiff::SignedDuration::from_secs(18)), "{wait:?}");
    // Who asks for links in the names of so many keeps none of the others from theirs.
    for number in 0..=200 {
        let to = format!("{number}@business.example");
        assert_eq!(
            mails::count(&mut tx, &store.vault, &to, Cause::Stranger).await.unwrap(),
            None,
            "{number}"
        );
    }
    let again = mails::count(&mut tx, &store.vault, "7@business.example", Cause::Stranger).await.unwrap();
    assert!(again.is_some(), "a second one counts as of the tenant");
    // What is rolled back was not counted.
    drop(tx);
    let luz = "luz@business.example";
    for number in 0..6 {
        assert!(passes(&store, &andina, luz, Cause::Asked).await, "{number}");
    }
    assert!(!passes(&store, &andina, luz, Cause::Asked).await);
    // Others are not kept from theirs: neither another tenant, nor who forgot a password, nor who is to be told something.
    assert!(passes(&store, &luna, luz, Cause::Asked).await);
    assert!(passes(&store, &andina, luz, Cause::Stranger).await);
    for number in 0..60 {
        assert!(passes(&store, &andina, luz, Cause::Notice).await, "{number}");
    }
    assert!(!passes(&store, &andina, luz, Cause::Notice).await);
    // Many tenants together fill no mailbox, and keep none from its first mail.
    let mut sent = 7;
    for number in 0..5 {
        let tenant = store.tenant(&format!("tenant-{number}")).await.unwrap();
        while passes(&store, &tenant, luz, Cause::Asked).await {
            sent += 1;
        }
    }
    assert_eq!(sent, 30 + 1, "the last of them wrote once");
}
