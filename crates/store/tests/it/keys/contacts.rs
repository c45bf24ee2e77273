use super::{number, replica, say, texts};
use misy_domain::Part;
use misy_store::{
    StoreError,
    messages::{Ingested, history},
    rotation::Rotator,
    vault::Via,
};
use misy_testkit::store::{TestStore, TestTenant, test_store};

async fn refused(store: &TestStore, tenant: &TestTenant, session: &misy_store::sessions::Session) {
    let keys = replica(store).keys(&store.database, &tenant.id).await.unwrap().unwrap();
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let opened = history(&mut tx, &keys, session.conversation_id, 0, 100).await;
    assert!(matches!(opened, Err(StoreError::Unsealable(_))), "{opened:?}");
}

#[tokio::test]
async fn messages_are_sealed_under_the_key_of_their_contact() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    say(&store, &tenant, &session, "hola").await;
    assert_eq!(number(&store, "select get_byte(sealed_body, 0)::bigint from misy.messages").await, 2);
    assert_eq!(number(&store, "select count(*) from misy.contact_keys").await, 1);
    assert_eq!(texts(&store, &replica(&store), &tenant, &session).await, ["hola"]);
}

#[tokio::test]
async fn without_its_contact_key_nothing_of_a_contact_can_be_read() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let (gone, stays) = (store.session(&tenant).await.unwrap(), store.session(&tenant).await.unwrap());
    say(&store, &tenant, &gone, "a").await;
    say(&store, &tenant, &stays, "b").await;
    let contact = gone.contact_id;
    store.admin(format!("delete from misy.contact_keys where contact_id = '{contact}'")).await.unwrap();
    // What is shown says so, whoever reads it.
    let keys = replica(&store).keys(&store.database, &tenant.id).await.unwrap().unwrap();
    let erased = [Part::Unsupported { kind: "erased".to_owned(), text: None }];
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let read = history(&mut tx, &keys, gone.conversation_id, 0, 100).await.unwrap();
    assert_eq!(read.iter().map(|one| &one.parts[..]).collect::<Vec<_>>(), [&erased[..]]);
    tx.commit().await.unwrap();
    let live = store.database.messages_since(&tenant.id, &keys, gone.conversation_id, 0, 100).await.unwrap();
    assert_eq!(live[0].parts, erased);
    assert_eq!(texts(&store, &replica(&store), &tenant, &stays).await, ["b"]);
    // Nothing waits for them, and nothing more is taken under a key that is still in memory.
    assert_eq!(store.answer(&[Part::text("c")]).await.unwrap(), 1);
    assert_eq!(texts(&store, &replica(&store), &tenant, &stays).await, ["b", "c"]);
    let late = store.say(&tenant, gone.session_id, "late", "a").await.unwrap();
    assert!(matches!(late, Ingested::Expired), "{late:?}");
}

#[tokio::test]
async fn a_rotation_takes_what_lies_beside_a_destroyed_key_out_of_reach() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    super::rotation::old_message(&store, &tenant, &session, 1).await;
    store.admin("delete from misy.contact_keys").await.unwrap();
    super::start(&store, &tenant).await.unwrap();
    super::finish(&store, &Rotator::new(store.database.clone(), replica(&store))).await;
    let under_data_key =
        "select count(*) from misy.messages where misy.data_key_version(sealed_body) is not null";
    assert_eq!(number(&store, under_data_key).await, 0);
    assert_eq!(texts(&store, &replica(&store), &tenant, &session).await, [""]);
}

#[tokio::test]
async fn sealed_bytes_that_are_moved_do_not_open() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    let sessions = [
        store.session(&andina).await.unwrap(),
        store.session(&andina).await.unwrap(),
        store.session(&verde).await.unwrap(),
    ];
    for (tenant, session) in [(&andina, &sessions[0]), (&andina, &sessions[1]), (&verde, &sessions[2])] {
        say(&store, tenant, session, "one").await;
        say(&store, tenant, session, "two").await;
    }
    let swap = |target: &str, source: &str| {
        format!(
            "update misy.messages m set sealed_body = s.sealed_body from misy.messages s
             where m.conversation_id = '{target}' and m.sequence = 1 and s.conversation_id = '{source}' and s.sequence = 2"
        )
    };
    let name = |at: usize| sessions[at].conversation_id.to_string();
    // To another row of the same contact, from another contact, from another tenant.
    for (target, source, tenant) in [(0, 0, &andina), (1, 0, &andina), (2, 0, &verde)] {
        store.admin(swap(&name(target), &name(source))).await.unwrap();
        refused(&store, tenant, &sessions[target]).await;
    }
}

#[tokio::test]
async fn nobody_who_writes_to_the_table_puts_words_into_the_mouth_of_another() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    say(&store, &tenant, &session, "My card is lost").await;
    assert_eq!(texts(&store, &store.vault, &tenant, &session).await, ["My card is lost"]);
    store.admin("update misy.messages set role = 'agent'").await.unwrap();
    refused(&store, &tenant, &session).await;
}

#[tokio::test]
async fn a_contact_key_that_is_moved_does_not_open() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    let own = store.session(&andina).await.unwrap();
    let others =
        [(&andina, store.session(&andina).await.unwrap()), (&verde, store.session(&verde).await.unwrap())];
    for (_, other) in &others {
        let sql = format!(
            "update misy.contact_keys k set wrapped_key = s.wrapped_key from misy.contact_keys s
             where k.contact_id = '{}' and s.contact_id = '{}'",
            own.contact_id, other.contact_id
        );
        store.admin(sql).await.unwrap();
        let keys = replica(&store).keys(&store.database, &andina.id).await.unwrap().unwrap();
        let mut connection = store.connect_as("misy_app").await.unwrap();
        let opened = keys.contact(Via::Connection(&mut connection), &own.session_id.to_string()).await;
        assert!(matches!(opened, Err(StoreError::Unsealable("contact_keys"))));
    }
}

#[tokio::test]
async fn nobody_makes_a_new_key_for_a_contact_whose_key_was_destroyed() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    store.admin("delete from misy.contact_keys").await.unwrap();
    for subject in
        [session.conversation_id.to_string(), session.session_id.to_string(), session.contact_id.to_string()]
    {
        for role in ["misy_app", "misy_worker"] {
            let keys = replica(&store).keys(&store.database, &tenant.id).await.unwrap().unwrap();
            let mut connection = store.connect_as(role).await.unwrap();
            assert!(keys.contact(Via::Connection(&mut connection), &subject).await.unwrap().is_none());
        }
    }
    assert_eq!(number(&store, "select count(*) from misy.contact_keys").await, 0);
}

#[tokio::test]
async fn blind_indexes_outlive_the_data_key_and_differ_between_tenants() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    let index = |keys: &misy_store::TenantKeys| keys.blind_index("contacts", "phone").of(b"+57300");
    let before = index(&andina.keys);
    assert_ne!(before, index(&verde.keys));
    super::start(&store, &andina).await.unwrap();
    super::finish(&store, &Rotator::new(store.database.clone(), store.vault.clone())).await;
    let keys = replica(&store).keys(&store.database, &andina.id).await.unwrap().unwrap();
    assert_eq!(keys.version(), 2);
    assert_eq!(index(&keys), before);
}

#[tokio::test]
async fn a_tenant_from_before_gets_a_blind_index_key_that_stays() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    store.admin("delete from misy.data_keys where purpose = 'blind_index'").await.unwrap();
    let mut indexes = Vec::new();
    for _ in 0..3 {
        let keys = replica(&store).keys(&store.database, &tenant.id).await.unwrap().unwrap();
        indexes.push(keys.blind_index("contacts", "phone").of(b"x"));
    }
    assert!(indexes.windows(2).all(|pair| pair[0] == pair[1]));
}
