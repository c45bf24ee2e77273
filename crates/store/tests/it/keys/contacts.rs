use super::{number, replica, say, texts};
use misy_store::{StoreError, messages::history, vault::Via};
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
    refused(&store, &tenant, &gone).await;
    assert_eq!(texts(&store, &replica(&store), &tenant, &stays).await, ["b"]);
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
async fn a_contact_from_before_gets_one_key_however_many_ask() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    store.admin("delete from misy.contact_keys").await.unwrap();
    let conversation = session.conversation_id.to_string();
    let mut asked = Vec::new();
    for _ in 0..8 {
        let (vault, database, id) = (replica(&store), store.database.clone(), tenant.id.clone());
        let (conversation, options) = (conversation.clone(), store.options("misy_worker"));
        asked.push(tokio::spawn(async move {
            let keys = vault.keys(&database, &id).await.unwrap().unwrap();
            let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
            let key = keys.contact(Via::Connection(&mut connection), &conversation).await.unwrap().unwrap();
            let place = misy_trust::Place { tenant: &id, table: "t", column: "c", row: "r" };
            (key.seal(&place, b"x", &misy_trust::SystemEntropy::new()), key, keys)
        }));
    }
    let mut sealed = Vec::new();
    for task in asked {
        sealed.push(task.await.unwrap());
    }
    assert_eq!(number(&store, "select count(*) from misy.contact_keys").await, 1);
    let place = misy_trust::Place { tenant: &tenant.id, table: "t", column: "c", row: "r" };
    let (_, first, keys) = &sealed[0];
    for (bytes, ..) in &sealed {
        assert_eq!(first.open(keys, &place, bytes).unwrap(), b"x");
    }
}

#[tokio::test]
async fn blind_indexes_outlive_the_data_key_and_differ_between_tenants() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    let index = |keys: &misy_store::TenantKeys| keys.blind_index("contacts", "phone").of(b"+57300");
    let before = index(&andina.keys);
    assert_ne!(before, index(&verde.keys));
    super::start(&store, &andina).await.unwrap();
    super::finish(&store, &misy_store::rotation::Rotator::new(store.database.clone(), store.vault.clone()))
        .await;
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
