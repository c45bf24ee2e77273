//! Messages on their way in: once each, in order, only by whom the session belongs to.

use futures_util::future::join_all;
use misy_domain::{Channel, Content, Permissions, TokenId, message::text_of};
use misy_store::{
    messages::{InboundOrigin, Ingested, NewInbound, Receipt, history},
    sessions::{NewSession, end_session, open_session, resume_session, session},
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use std::{collections::BTreeSet, time::Duration};

fn stored(ingested: Ingested) -> Receipt {
    match ingested {
        Ingested::Stored(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

async fn texts(
    store: &TestStore,
    tenant: &TestTenant,
    session: &misy_store::sessions::Session,
) -> Vec<String> {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let messages = history(&mut tx, &tenant.keys, session.conversation_id, 0, 1000).await.unwrap();
    assert!(messages.iter().zip(1..).all(|(message, sequence)| message.sequence == sequence));
    messages.iter().map(|message| text_of(&message.parts)).collect()
}

#[tokio::test]
async fn the_same_message_sent_many_times_at_once_is_stored_once() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    let sent = (0..20).map(|_| store.say(&tenant, session.session_id, "same", "Hola"));
    let answers: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
    let first = answers.iter().filter(|answer| matches!(answer, Ingested::Stored(_))).count();
    assert_eq!(first, 1);
    let ids: BTreeSet<_> = answers
        .iter()
        .map(|answer| match answer {
            Ingested::Stored(receipt) | Ingested::Duplicate(receipt) => receipt.message_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(texts(&store, &tenant, &session).await, ["Hola"]);
}

#[tokio::test]
async fn many_messages_at_once_get_numbers_without_gaps() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    // Each is sent twice, so that duplicates fall between.
    let ids: Vec<_> = (0..100).map(|n| format!("m{}", n / 2)).collect();
    let sent = ids.iter().map(|id| store.say(&tenant, session.session_id, id, id));
    let answers: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
    let sequences: BTreeSet<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ingested::Stored(receipt) => Some(receipt.sequence),
            _ => None,
        })
        .collect();
    assert_eq!(sequences, (1..=50).collect());
    assert_eq!(texts(&store, &tenant, &session).await.len(), 50);
}

#[tokio::test]
async fn messages_sent_one_after_the_other_keep_their_order_and_are_read_by_sequence() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    for text in ["uno", "dos", "tres"] {
        stored(store.say(&tenant, session.session_id, text, text).await.unwrap());
    }
    assert_eq!(texts(&store, &tenant, &session).await, ["uno", "dos", "tres"]);
    let since =
        store.database.messages_since(&tenant.id, &tenant.keys, session.conversation_id, 1, 1).await.unwrap();
    assert_eq!(since.len(), 1);
    assert_eq!(since[0].sequence, 2);
    assert_eq!(since[0].client_message_id.as_deref(), Some("dos"));
}

#[tokio::test]
async fn the_same_outside_id_in_two_conversations_of_one_account_is_one_message() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let account = store.account(&tenant, "https://crm.example/").await.unwrap();
    let (a, b) = futures_util::future::join(
        store.pass_on(&tenant, account, "one", "wamid.1", "Hola"),
        store.pass_on(&tenant, account, "two", "wamid.1", "Hola"),
    )
    .await;
    let both = [a.unwrap(), b.unwrap()];
    assert_eq!(both.iter().filter(|answer| matches!(answer, Ingested::Stored(_))).count(), 1, "{both:?}");
    assert_eq!(both.iter().filter(|answer| matches!(answer, Ingested::Another)).count(), 1, "{both:?}");
    // Whoever came second left nothing.
    let mut admin = store.connect_as("postgres").await.unwrap();
    let contacts: i64 =
        sqlx::query_scalar("select count(*) from misy.contacts").fetch_one(&mut admin).await.unwrap();
    assert_eq!(contacts, 1);
}

async fn store_ingest(store: &TestStore, tenant: &TestTenant, inbound: &NewInbound<'_>) -> Ingested {
    store.database.ingest(inbound, &tenant.keys, &store.bell, &*store.clock, &*store.entropy).await.unwrap()
}

#[tokio::test]
async fn a_session_is_not_there_for_another_family_site_channel_or_tenant() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let other = store.tenant("bikes").await.unwrap();
    let victim = store.session(&tenant).await.unwrap();
    let content = Content::text("Hola");
    let at =
        |site, family, channel| InboundOrigin::Session { session: victim.session_id, site, family, channel };
    let honest = NewInbound {
        tenant: &tenant.id,
        origin: at(&tenant.site, tenant.family, Channel::Web),
        external_id: "1",
        content: &content,
        sent_at: None,
        key: None,
        monthly: None,
    };
    let stranger = TokenId::new(&*store.clock, &*store.entropy);
    let elsewhere = "second".parse().unwrap();
    for hijack in [
        NewInbound { origin: at(&tenant.site, stranger, Channel::Web), ..honest },
        NewInbound { origin: at(&elsewhere, tenant.family, Channel::Web), ..honest },
        NewInbound { origin: at(&tenant.site, tenant.family, Channel::Whatsapp), ..honest },
        NewInbound { tenant: &other.id, origin: at(&tenant.site, other.family, Channel::Web), ..honest },
        NewInbound { tenant: &other.id, ..honest },
    ] {
        assert_eq!(store_ingest(&store, &tenant, &hijack).await, Ingested::NotFound);
    }
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert!(session(&mut tx, victim.session_id, stranger, &tenant.site).await.unwrap().is_none());
    assert!(session(&mut tx, victim.session_id, tenant.family, &elsewhere).await.unwrap().is_none());
    assert!(session(&mut tx, victim.session_id, tenant.family, &tenant.site).await.unwrap().is_some());
    let mut tx = store.database.tenant("test", &other.id).await.unwrap();
    assert!(session(&mut tx, victim.session_id, tenant.family, &tenant.site).await.unwrap().is_none());
    stored(store_ingest(&store, &tenant, &honest).await);
}

#[tokio::test]
async fn a_session_that_is_over_takes_no_message_and_one_that_is_resumed_does() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let permissions = Permissions::anonymous_chat();
    let metadata = serde_json::json!({"page": "/precios"});
    let new = NewSession {
        site: &tenant.site,
        channel: Channel::Web,
        locale: None,
        family: tenant.family,
        permissions: &permissions,
        metadata: Some(&metadata),
        counts_as: &[],
        ttl: Duration::from_mins(1),
    };
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let opened = open_session(&mut tx, &tenant.keys, &new, &*store.clock, &*store.entropy).await.unwrap();
    tx.commit().await.unwrap();
    let id = opened.session_id;

    store.clock.advance(Duration::from_secs(59));
    let now = misy_domain::Clock::now(&*store.clock);
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let resumed = resume_session(&mut tx, id, &new, now).await.unwrap().unwrap();
    assert_eq!(resumed.metadata(&mut tx, &tenant.keys).await.unwrap(), Some(metadata.clone()));
    tx.commit().await.unwrap();
    assert_eq!(resumed.permissions, permissions);

    store.clock.advance(Duration::from_secs(59));
    stored(store.say(&tenant, id, "1", "Hola").await.unwrap());
    store.clock.advance(Duration::from_secs(1));
    assert_eq!(store.say(&tenant, id, "2", "Hola").await.unwrap(), Ingested::Expired);
    let again = store.say(&tenant, id, "1", "Hola").await.unwrap();
    assert!(
        matches!(again, Ingested::Duplicate(receipt) if receipt.sequence == 1),
        "what it has it knows for good"
    );
    let now = misy_domain::Clock::now(&*store.clock);
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert!(resume_session(&mut tx, id, &new, now).await.unwrap().is_none());

    let open = store.session(&tenant).await.unwrap();
    end_session(&mut tx, open.session_id, now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.say(&tenant, open.session_id, "3", "Hola").await.unwrap(), Ingested::Expired);
}

#[tokio::test]
async fn a_clock_that_was_ahead_silences_a_conversation_for_minutes_at_most() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    stored(store.say(&tenant, session.session_id, "1", "Hola").await.unwrap());
    let mut admin = store.connect_as("postgres").await.unwrap();
    // What a lease or a back-off leaves behind while the clock of the server is a day ahead.
    let ahead = "update misy.conversations set work_at = clock_timestamp() + interval '1 day'";
    sqlx::query(ahead).execute(&mut admin).await.unwrap();
    stored(store.say(&tenant, session.session_id, "2", "¿Hola?").await.unwrap());
    let soon: bool = sqlx::query_scalar(
        "select bool_and(work_at <= clock_timestamp() + interval '5 minutes') from misy.conversations",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert!(soon);
}
