//! Channel accounts, who a contact is on them, and what waits to leave.

use futures_util::future::join_all;
use misy_domain::{Channel, ChannelAccountId, Clock, Content, Part, Permissions};
use misy_store::{
    StoreError, TenantTx,
    channels::{self, Account, AccountChange, AccountStatus, NewAccount, Passed, Sender},
    deliveries::{self, Deliveries},
    leases::{Cursor, LeaseTerms, Share, WorkerId},
    messages::Ingested,
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use misy_trust::access::{Handled, Reach};

async fn make(
    store: &TestStore,
    tenant: &TestTenant,
    channel: Channel,
    vendor: &str,
) -> Result<ChannelAccountId, StoreError> {
    let account_id = ChannelAccountId::new(&*store.clock, &*store.entropy);
    let given = Reach::of_operator().give(Permissions::anonymous_chat()).unwrap();
    let new = NewAccount {
        account_id,
        channel,
        vendor_account_id: vendor,
        name: "A",
        permissions: &given,
        callback_url: None,
        made_by: "usr_1",
    };
    let mut tx = store.database.tenant("test", &tenant.id).await?;
    channels::create(&mut tx, &tenant.keys, &new, store.clock.now(), &*store.entropy).await?;
    tx.commit().await?;
    Ok(account_id)
}

async fn handle(tx: &mut TenantTx, account: ChannelAccountId) -> Handled<Account> {
    let account = channels::lock(tx, account).await.unwrap().unwrap();
    Reach::of_operator().handle(account).unwrap()
}

async fn count(store: &TestStore, what: &str) -> i64 {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {what}")))
        .fetch_one(&mut admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_vendors_account_belongs_to_one_tenant_until_it_gives_it_up() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    make(&store, &andina, Channel::Whatsapp, "4915550100").await.unwrap();
    for thief in [&verde, &andina] {
        let again = make(&store, thief, Channel::Whatsapp, "4915550100").await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    }
    // Another channel may use the same name for something else.
    make(&store, &verde, Channel::Instagram, "4915550100").await.unwrap();

    let route = async |channel: &str| -> Option<String> {
        let mut app = store.connect_as("misy_app").await.unwrap();
        sqlx::query_scalar("select platform.tenant_of_channel_account($1, '4915550100')")
            .bind(channel)
            .fetch_one(&mut app)
            .await
            .unwrap()
    };
    assert_eq!(route("whatsapp").await.as_deref(), Some("andina"));
    assert_eq!(route("instagram").await.as_deref(), Some("verde"));
    // Nobody renames an account into another's place.
    let rename = "update misy.channel_accounts set vendor_account_id = 'other' where tenant_id = 'verde'";
    assert!(store.admin(rename).await.is_err());
    store.admin("delete from misy.tenants where tenant_id = 'andina'").await.unwrap();
    assert_eq!(route("whatsapp").await, None);
    make(&store, &verde, Channel::Whatsapp, "4915550100").await.unwrap();
    assert_eq!(route("whatsapp").await.as_deref(), Some("verde"));
}

#[tokio::test]
async fn twenty_first_messages_at_once_are_of_one_contact_in_one_conversation() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let account = store.account(&tenant, "https://crm.example/").await.unwrap();
    let ids: Vec<String> = (0..20).map(|at| format!("m{at}")).collect();
    let all = join_all(ids.iter().map(|id| store.pass_on(&tenant, account, "customer-1", id, "Hola"))).await;
    let mut sequences: Vec<i64> = all
        .into_iter()
        .map(|one| match one.unwrap() {
            Ingested::Stored(receipt) => receipt.sequence,
            other => panic!("{other:?}"),
        })
        .collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=20).collect::<Vec<_>>(), "in order, without gaps");
    for (what, number) in
        [("contacts", 1), ("contact_identities", 1), ("channel_threads", 1), ("conversations", 1)]
    {
        assert_eq!(count(&store, &format!("misy.{what}")).await, number, "{what}");
    }
    assert_eq!(
        count(&store, "misy.contact_identities where position('customer' in sealed_identity::text) > 0")
            .await,
        0
    );
}

#[tokio::test]
async fn a_vendor_that_names_people_once_finds_one_contact_on_all_its_accounts() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let wrote = async |channel, account, id| {
        let sender = Sender { account, channel, external_id: "+57 1 5550100", locale: None };
        let content = Content::text("Hola");
        let passed = Passed {
            sender,
            site: None,
            external_id: id,
            content: &content,
            sent_at: None,
            key: None,
            monthly: None,
        };
        let stored =
            store.database.pass_on(&tenant.keys, &passed, &store.bell, &*store.clock, &*store.entropy);
        Box::pin(stored).await.unwrap()
    };
    let thread = async |channel, account, id| match wrote(channel, account, id).await {
        Ingested::Stored(receipt) => receipt.conversation_id,
        other => panic!("{other:?}"),
    };
    let one = make(&store, &tenant, Channel::Whatsapp, "1").await.unwrap();
    let two = make(&store, &tenant, Channel::Whatsapp, "2").await.unwrap();
    let first = thread(Channel::Whatsapp, one, "m1").await;
    assert_ne!(first, thread(Channel::Whatsapp, two, "m1").await, "each account has a thread of its own");
    assert_eq!(first, thread(Channel::Whatsapp, one, "m2").await);
    assert_eq!(count(&store, "misy.contacts").await, 1, "of the same person");
    // Another vendor's ids are its own, and so are those of each of its accounts.
    let three = make(&store, &tenant, Channel::Instagram, "1").await.unwrap();
    let four = make(&store, &tenant, Channel::Instagram, "2").await.unwrap();
    thread(Channel::Instagram, three, "m1").await;
    thread(Channel::Instagram, four, "m1").await;
    assert_eq!(count(&store, "misy.contacts").await, 3);
    assert_eq!(
        wrote(Channel::Api, one, "m3").await,
        Ingested::NotFound,
        "not through the door of another channel"
    );
}

#[tokio::test]
async fn what_is_said_on_an_account_waits_to_be_delivered_there_and_nowhere_else() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let account = store.account(&tenant, "https://crm.example/").await.unwrap();
    store.pass_on(&tenant, account, "customer-1", "m1", "Hola").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    store.say(&tenant, session.session_id, "m1", "Hola").await.unwrap();
    assert_eq!(store.answer(&[Part::text("Buenos días")]).await.unwrap(), 2);
    let queued =
        format!("misy.deliveries where account_id = '{account}' and status = 'queued' and sequence = 2");
    assert_eq!((count(&store, "misy.deliveries").await, count(&store, &queued).await), (1, 1));
    assert_eq!(count(&store, "misy.messages where account_id is not null and session_id is null").await, 2);
    // All of it goes with the contact.
    store
        .admin(format!(
            "delete from misy.contacts where contact_id = (select contact_id from misy.contact_identities
                                                           where tenant_id = '{}')",
            tenant.id
        ))
        .await
        .unwrap();
    for what in ["contact_identities", "channel_threads", "deliveries"] {
        assert_eq!(count(&store, &format!("misy.{what}")).await, 0, "{what}");
    }
    assert_eq!(count(&store, "misy.channel_accounts").await, 1);
}

#[tokio::test]
async fn a_secret_is_followed_by_another_and_both_count_for_a_while() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let account = store.account(&tenant, "https://crm.example/").await.unwrap();
    let now = store.clock.now();
    let later = now + std::time::Duration::from_mins(1);
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let old = channels::secrets(&mut tx, &tenant.keys, account, now).await.unwrap();
    let handled = handle(&mut tx, account).await;
    let new =
        channels::rotate_secret(&mut tx, &tenant.keys, &handled, later, now, &*store.entropy).await.unwrap();
    let both = channels::secrets(&mut tx, &tenant.keys, account, now).await.unwrap();
    let one = channels::secrets(&mut tx, &tenant.keys, account, later).await.unwrap();
    assert_eq!((both[0].expose(), both[1].expose()), (new.expose(), old[0].expose()));
    assert_eq!((one.len(), one[0].expose()), (1, new.expose()));

    let change = AccountChange { status: Some(AccountStatus::Disabled), ..AccountChange::default() };
    let handled = handle(&mut tx, account).await;
    let stale = channels::change(&mut tx, &handled, &change, Some(1), now).await;
    assert!(matches!(stale, Err(StoreError::Stale(_))), "{stale:?}");
    let changed = channels::change(&mut tx, &handled, &change, Some(2), now).await.unwrap();
    assert_eq!((changed.status, changed.version), (AccountStatus::Disabled, 3));
    tx.commit().await.unwrap();
    let refused = store.pass_on(&tenant, account, "customer-1", "m1", "Hola").await.unwrap();
    assert_eq!(refused, Ingested::Expired);
}

#[tokio::test]
async fn a_delivery_that_is_claimed_when_its_tenant_is_suspended_is_held_back() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let account = store.account(&tenant, "https://crm.example/").await.unwrap();
    store.pass_on(&tenant, account, "customer-1", "m1", "Hola").await.unwrap();
    store.answer(&[Part::text("Buenos días")]).await.unwrap();
    let (worker, terms) = (WorkerId::new(&*store.entropy), LeaseTerms::default());
    let claim = async || {
        let first = Cursor::default();
        let claimed = store.database.claim::<Deliveries>(&worker, 1, &terms, &first, Share::ALL);
        claimed.await.unwrap().leases.pop()
    };
    let lease = claim().await.expect("it is due");
    store.admin("update misy.tenants set suspended_at = now()").await.unwrap();
    let now = store.clock.now();
    let mut tx = store.database.tenant_work("test", &tenant.id).await.unwrap();
    assert!(deliveries::load(&mut tx, &tenant.keys, &lease, now).await.unwrap().is_none());
    tx.commit().await.unwrap();
    let waits = "misy.deliveries where status = 'queued' and work_at <= now() and lease_owner is null and attempts = 0";
    assert_eq!(count(&store, waits).await, 1, "as if nobody had claimed it");
    assert!(claim().await.is_none(), "nobody claims it meanwhile");
    store.admin("update misy.tenants set suspended_at = null").await.unwrap();
    let lease = claim().await.expect("it is due again");
    let mut tx = store.database.tenant_work("test", &tenant.id).await.unwrap();
    assert!(deliveries::load(&mut tx, &tenant.keys, &lease, now).await.unwrap().is_some());
}

#[tokio::test]
async fn what_waited_on_an_account_is_made_due_some_threads_at_a_time() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let account = store.account(&tenant, "https://crm.andina.example/").await.unwrap();
    for contact in ["a", "b", "c", "d", "e"] {
        store.pass_on(&tenant, account, contact, &format!("m-{contact}"), "Hola").await.unwrap();
    }
    assert_eq!(store.answer(&[Part::text("Buenas")]).await.unwrap(), 5);
    let mut admin = store.connect_as("postgres").await.unwrap();
    let rests = "update misy.deliveries set work_at = null";
    sqlx::query(rests).execute(&mut admin).await.unwrap();
    let set = async |status: &'static str| {
        let mut admin = store.connect_as("postgres").await.unwrap();
        let set = "update misy.channel_accounts set status = $1, wakes_after = ''";
        sqlx::query(set).bind(status).execute(&mut admin).await.unwrap();
    };
    set("active").await;
    let due = async || count(&store, "misy.deliveries where work_at is not null").await;
    for (woken, in_all) in [(2, 2), (2, 4), (1, 5), (0, 5)] {
        assert_eq!((store.database.wake_some(2).await.unwrap(), due().await), (woken, in_all));
    }
    assert_eq!(count(&store, "misy.channel_accounts where wakes_after is not null").await, 0);
    // Paused again meanwhile: nothing of it is due.
    sqlx::query(rests).execute(&mut admin).await.unwrap();
    set("paused").await;
    assert_eq!((store.database.wake_some(2).await.unwrap(), due().await), (0, 0));
}

#[tokio::test]
async fn what_was_answered_to_an_account_says_nothing_of_the_account_as_it_was_changed_since() {
    let store = test_store().await.unwrap();
    let andina = store.tenant("andina").await.unwrap();
    let account = make(&store, &andina, Channel::Api, "crm").await.unwrap();
    let mut tx = store.database.tenant_work("test", &andina.id).await.unwrap();
    let now = store.clock.now();
    assert!(!deliveries::receiver_is_gone(&mut tx, account, 7, now).await.unwrap());
    assert!(!channels::pause(&mut tx, account, Some(7), "credentials_refused", now).await.unwrap());
    let before = channels::lock(&mut tx, account).await.unwrap().unwrap();
    assert_eq!(before.status, AccountStatus::Active);
    assert!(deliveries::receiver_is_gone(&mut tx, account, before.version, now).await.unwrap());
    let after = channels::lock(&mut tx, account).await.unwrap().unwrap();
    assert_eq!((after.status, after.version), (AccountStatus::Disabled, before.version + 1));
}
