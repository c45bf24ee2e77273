use super::{claim, finish, number, replica, say, start, texts};
use misy_domain::{Channel, Clock, Content, EmailAddress, Part, Secret, SignInId, UserId};
use misy_store::{
    StoreError, Vault,
    credentials::{NewSecret, SecretGrant, create_secret, open_secret},
    messages::{InboundOrigin, Ingested, NewInbound},
    rotation::{LongestUse, Rotator, Step, key_versions, rotations, start_due},
    sign_in_providers,
    users::{self, factors},
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use misy_trust::{Place, RootKey, access::Reach};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::{Duration, Instant},
};

fn rotator(store: &TestStore) -> Rotator {
    Rotator::new(store.database.clone(), store.vault.clone())
}

/// Nothing is under a data key older than this.
async fn nothing_below(store: &TestStore, tenant: &TestTenant, version: i32) {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let keys = key_versions(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    for key in keys.iter().filter(|key| key.purpose == "data") {
        assert_eq!(key.retired_at.is_some(), key.version < version, "version {}", key.version);
        assert_eq!(key.rows.is_empty(), key.version < version, "version {}: {:?}", key.version, key.rows);
    }
}

/// Puts a message as they were before contacts had keys.
pub(crate) async fn old_message(
    store: &TestStore,
    tenant: &TestTenant,
    session: &misy_store::sessions::Session,
    at: i64,
) {
    let id = format!("msg_{at:026}");
    let place =
        Place { tenant: &tenant.id, table: "messages", column: "sealed_body", row: &format!("{id} agent") };
    let body = serde_json::json!({ "parts": [Part::Text { text: format!("old {at}") }] });
    let sealed = tenant.keys.seal(&place, body.to_string().as_bytes(), &*store.entropy).unwrap();
    let hex = sealed.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    store
        .admin(format!(
            "insert into misy.messages (tenant_id, conversation_id, sequence, message_id, session_id, role, sealed_body)
             values ('{}', '{}', {at}, '{id}', '{}', 'agent', '\\x{hex}')",
            tenant.id, session.conversation_id, session.session_id
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn after_a_rotation_nothing_is_left_under_the_old_key_and_everything_opens() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    for at in 1..=7 {
        old_message(&store, &tenant, &session, at).await;
    }
    let id = misy_domain::KeyId::new(&*store.clock, &*store.entropy);
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let grant = Reach::of_operator().give(SecretGrant::default()).unwrap();
    let new = NewSecret { key_id: id, name: "", grant: &grant, needs_certificate: false, made_by: "" };
    create_secret(&mut tx, &tenant.keys, &*store.entropy, &new).await.unwrap();
    tx.commit().await.unwrap();

    let begun = start(&store, &tenant).await.unwrap();
    // 7 messages, the contact's key, the secret, the signing root and the key of blind indexes.
    assert_eq!((begun.to_version, begun.rows_total), (2, 11));
    assert!(matches!(start(&store, &tenant).await, Err(StoreError::Conflict(_))));
    assert_eq!(finish(&store, &rotator(&store).with_batch(3)).await, 11);

    nothing_below(&store, &tenant, 2).await;
    let expected: Vec<String> = (1..=7).map(|at| format!("old {at}")).collect();
    for vault in [&store.vault, &replica(&store)] {
        assert_eq!(texts(&store, vault, &tenant, &session).await, expected);
        let keys = vault.keys(&store.database, &tenant.id).await.unwrap().unwrap();
        assert_eq!(keys.signing_root.expose(), tenant.keys.signing_root.expose());
        let mut admin = store.connect_as("postgres").await.unwrap();
        let sealed: Vec<u8> = sqlx::query_scalar("select sealed_secret from misy.tenant_secrets")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        open_secret(&store.database, &keys, &tenant.id, id, &sealed).await.unwrap();
    }
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let told = rotations(&mut tx).await.unwrap();
    assert_eq!((told.len(), told[0].rows_done, told[0].finished_at.is_some()), (1, 11, true));
}

/// A moment after a rotation began, one replica seals under the new key and the other has not heard of it: it reads the key
/// when it meets it. Each question is asked with memory of its own, as each reads the keys again.
#[tokio::test]
async fn a_replica_that_has_not_heard_of_the_new_key_opens_what_is_under_it() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let mut behind = Vec::new();
    for _ in 0..5 {
        let vault = replica(&store);
        behind.push(vault.keys(&store.database, &tenant.id).await.unwrap().unwrap());
    }
    start(&store, &tenant).await.unwrap();
    store.vault.look(&store.database).await.unwrap();
    let ahead = store.vault.keys(&store.database, &tenant.id).await.unwrap().unwrap();
    assert_eq!((ahead.version(), behind[0].version()), (2, 1));

    let user = UserId::new(&*store.clock, &*store.entropy);
    let row = user.to_string();
    let email: EmailAddress = "ana@andina.example".parse().unwrap();
    let index = ahead.blind_index("users", "email_index").of(email.as_str().as_bytes());
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let sealed = |table: &str, column: &str, row: &str, text: &[u8]| {
        let place = Place { tenant: &tenant.id, table, column, row };
        format!("'\\x{}'", hex(&ahead.seal(&place, text, &*store.entropy).unwrap()))
    };
    store
        .admin(format!(
            "insert into misy.users (tenant_id, user_id, sealed_email, email_index, email_route, sealed_name, roles,
                                     sealed_totp, sealed_totp_candidate, created_at, updated_at)
             values ('{}', '{row}', {}, '\\x{}', '\\x00', {}, '{{}}', {}, {}, now(), now())",
            tenant.id,
            sealed("users", "sealed_email", &row, email.as_str().as_bytes()),
            hex(&index),
            sealed("users", "sealed_name", &row, "Ana".as_bytes()),
            sealed("users", "sealed_totp", &row, &[1; 20]),
            sealed("users", "sealed_totp_candidate", &row, &[2; 20]),
        ))
        .await
        .unwrap();
    store
        .admin(format!(
            "insert into misy.sign_in_providers (tenant_id, issuer, client_id, sealed_client_secret, scopes, tenant_claim,
                 tenant_claim_value, role_mapping, default_roles, email_domains, trust_email, provisioning, exclusive,
                 trusted_acr, trusted_amr, stands_for, created_at, updated_at)
             values ('{}', 'https://login.example', 'misy', {}, '{{}}', 'tid', 'x', '{{}}', '{{}}', '{{}}', false, false,
                     false, '{{}}', '{{}}', '{{}}', now(), now())",
            tenant.id,
            sealed("sign_in_providers", "sealed_client_secret", "", b"hush"),
        ))
        .await
        .unwrap();

    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let now = store.clock.now();
    let read = users::read(&mut tx, &behind[0], user).await.unwrap().unwrap();
    assert_eq!((&read.email, &*read.name), (&email, "Ana"));
    assert!(users::by_email(&mut tx, &behind[1], &email).await.unwrap().is_some());
    let wrong = factors::take_totp(&mut tx, &behind[2], user, "000000", now).await;
    assert!(wrong.is_ok(), "{wrong:?}");
    let here = SignInId::new(&*store.clock, &*store.entropy);
    let wrong = factors::confirm_totp(&mut tx, &behind[3], &*store.entropy, user, "000000", here, now).await;
    assert!(matches!(wrong, Ok(Some(_))), "{wrong:?}");
    let provider = sign_in_providers::read(&mut tx, &behind[4]).await.unwrap().unwrap();
    assert_eq!(provider.client_secret.unwrap().expose(), "hush");
    tx.commit().await.unwrap();
    assert!(behind.iter().all(|keys| keys.version() == 2));
}

#[tokio::test]
async fn a_rotation_that_is_interrupted_twice_is_finished_by_the_third() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    for at in 1..=30 {
        old_message(&store, &tenant, &session, at).await;
    }
    start(&store, &tenant).await.unwrap();
    for _ in 0..2 {
        let worker = rotator(&store).with_batch(5);
        let lease = claim(&store).await.unwrap();
        assert_eq!(worker.step(&lease).await.unwrap(), Step::Resealed(5));
        // Stopped in the midst of a batch: the transaction is dropped with the future.
        {
            let mut step = std::pin::pin!(worker.step(&lease));
            for _ in 0..3 {
                assert!(step.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
        }
        drop(worker);
        // While the lease holds nobody else works on it; then it has run out.
        assert!(claim(&store).await.is_none());
        store.admin("update misy.key_rotations set work_at = now() where finished_at is null").await.unwrap();
        let taken = claim(&store).await.unwrap();
        assert!(matches!(rotator(&store).step(&lease).await, Err(StoreError::LeaseLost)));
        drop(taken);
        store.admin("update misy.key_rotations set work_at = now() where finished_at is null").await.unwrap();
    }
    finish(&store, &rotator(&store)).await;
    nothing_below(&store, &tenant, 2).await;
    let expected: Vec<String> = (1..=30).map(|at| format!("old {at}")).collect();
    assert_eq!(texts(&store, &replica(&store), &tenant, &session).await, expected);
}

#[tokio::test]
async fn rotations_under_load_lose_nothing_on_two_replicas() {
    const WRITERS: usize = 4;
    let store = Arc::new(test_store().await.unwrap());
    let tenant = store.tenant("andina").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicUsize::new(0));
    let replicas = [store.vault.clone(), replica(&store)];
    let followers: Vec<_> = replicas
        .iter()
        .map(|vault| {
            let (vault, database) = (vault.clone(), store.database.clone());
            tokio::spawn(async move {
                let mut follower = vault.follower();
                loop {
                    follower.round(&database).await.unwrap();
                    tokio::time::sleep(misy_store::vault::LOOK).await;
                }
            })
        })
        .collect();
    let mut writers = Vec::new();
    for at in 0..WRITERS {
        let (store, tenant, stop) = (store.clone(), tenant.clone(), stop.clone());
        let (written, vault) = (written.clone(), replicas[at % 2].clone());
        writers.push(tokio::spawn(
            async move { write_until(&store, &tenant, &vault, &stop, &written, at).await },
        ));
    }
    for version in 2..=3 {
        let until = written.load(Ordering::SeqCst) + 60;
        wait_until(|| written.load(Ordering::SeqCst) >= until).await;
        start(&store, &tenant).await.unwrap();
        finish(&store, &rotator(&store).with_batch(20)).await;
        nothing_below(&store, &tenant, version).await;
    }
    stop.store(true, Ordering::SeqCst);
    let fresh = replica(&store);
    for writer in writers {
        for (session, expected) in writer.await.unwrap() {
            for vault in [&replicas[0], &replicas[1], &fresh] {
                assert_eq!(texts(&store, vault, &tenant, &session).await, expected);
            }
        }
    }
    for follower in followers {
        follower.abort();
    }
    // What was written during the last rotation may be wrapped only by the newest key.
    assert_eq!(
        number(&store, "select max(misy.data_key_version(wrapped_key)) from misy.contact_keys").await,
        3
    );
}

async fn wait_until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_mins(1), "waited too long");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Opens sessions and writes and reads in them, until told to stop; what was refused by the database is tried again, as a
/// client would.
async fn write_until(
    store: &TestStore,
    tenant: &TestTenant,
    vault: &Vault,
    stop: &AtomicBool,
    written: &AtomicUsize,
    writer: usize,
) -> Vec<(misy_store::sessions::Session, Vec<String>)> {
    let mut all = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let keys = vault.keys(&store.database, &tenant.id).await.unwrap().unwrap();
        let own = TestTenant { keys: keys.clone(), ..tenant.clone() };
        let session = match store.session(&own).await {
            Ok(session) => session,
            Err(error) if error.is_transient() => continue,
            Err(error) => panic!("{error}"),
        };
        let mut said = Vec::new();
        for at in 0..5 {
            let text = format!("{writer} {at}");
            let inbound = NewInbound {
                tenant: &tenant.id,
                origin: InboundOrigin::Session {
                    session: session.session_id,
                    site: &tenant.site,
                    family: tenant.family,
                    channel: Channel::Web,
                },
                external_id: &text,
                content: &Content::text(&text),
                sent_at: None,
                key: None,
                monthly: None,
            };
            let stored =
                store.database.ingest(&inbound, &keys, &store.bell, &*store.clock, &*store.entropy).await;
            assert!(matches!(stored, Ok(Ingested::Stored(_))), "{stored:?}");
            said.push(text);
            written.fetch_add(1, Ordering::SeqCst);
        }
        assert_eq!(texts(store, vault, tenant, &session).await, said);
        all.push((session, said));
    }
    all
}

#[tokio::test]
async fn a_replica_seals_under_a_new_key_within_a_second_and_reads_it_at_once() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let other = replica(&store);
    let keys = other.keys(&store.database, &tenant.id).await.unwrap().unwrap();
    start(&store, &tenant).await.unwrap();
    finish(&store, &rotator(&store)).await;
    let fresh = replica(&store).keys(&store.database, &tenant.id).await.unwrap().unwrap();
    let place = Place { tenant: &tenant.id, table: "t", column: "c", row: "r" };
    let sealed = fresh.seal(&place, b"new", &*store.entropy).unwrap();

    assert_eq!(keys.version(), 1);
    other.look(&store.database).await.unwrap();
    assert_eq!(keys.version(), 2);
    assert_eq!(keys.open(&place, &sealed).unwrap(), b"new");
}

#[tokio::test]
async fn a_replica_that_slept_through_a_rotation_cannot_seal_under_the_retired_key() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let asleep = replica(&store).keys(&store.database, &tenant.id).await.unwrap().unwrap();
    start(&store, &tenant).await.unwrap();
    finish(&store, &rotator(&store)).await;
    let late = TestTenant { keys: asleep, ..tenant.clone() };
    let refused = store.session(&late).await.err().expect("it is sealed under a retired key");
    assert!(refused.is_transient(), "{refused:?}");
    nothing_below(&store, &tenant, 2).await;
}

#[tokio::test]
async fn what_does_not_open_keeps_the_old_key_from_being_retired() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    old_message(&store, &tenant, &session, 1).await;
    store
        .admin(
            "update misy.messages set sealed_body = set_byte(sealed_body, 40, get_byte(sealed_body, 40) # 1)",
        )
        .await
        .unwrap();
    start(&store, &tenant).await.unwrap();
    let worker = rotator(&store);
    let lease = claim(&store).await.unwrap();
    assert_eq!(worker.step(&lease).await.unwrap(), Step::Resealed(3));
    assert!(matches!(worker.step(&lease).await, Err(StoreError::Unsealable(_))));
    let retired = "select count(*) from misy.data_keys where retired_at is not null";
    assert_eq!(number(&store, retired).await, 0);
}

#[tokio::test]
async fn a_rotation_of_one_tenant_touches_no_other() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    let session = store.session(&verde).await.unwrap();
    say(&store, &verde, &session, "hola").await;
    start(&store, &andina).await.unwrap();
    finish(&store, &rotator(&store)).await;
    nothing_below(&store, &andina, 2).await;
    nothing_below(&store, &verde, 1).await;
    assert_eq!(texts(&store, &replica(&store), &verde, &session).await, ["hola"]);
    // The wrong root key opens nothing at all.
    let stranger = Vault::new(RootKey::new(Secret::new([8; 32])), store.entropy.clone());
    let keys = stranger.keys(&store.database, &verde.id).await;
    assert!(matches!(keys, Err(StoreError::UnknownRootKey)));
}

#[tokio::test]
async fn a_data_key_that_is_too_old_is_rotated_once_by_itself() {
    let store = test_store().await.unwrap();
    let (andina, verde) = (store.tenant("andina").await.unwrap(), store.tenant("verde").await.unwrap());
    store
        .admin("update misy.data_keys set created_at = '2000-01-01' where tenant_id = 'andina'")
        .await
        .unwrap();
    store
        .admin("update misy.data_keys set created_at = '2100-01-01' where tenant_id = 'verde'")
        .await
        .unwrap();
    let longest = LongestUse { tenant: Duration::from_hours(365 * 24), owner: Duration::from_hours(90 * 24) };
    let (clock, entropy) = (&*store.clock, &*store.entropy);
    let both = tokio::join!(
        start_due(&store.database, &store.vault, longest, clock, entropy),
        start_due(&store.database, &store.vault, longest, clock, entropy),
    );
    let mut begun = both.0.unwrap();
    begun.extend(both.1.unwrap());
    assert_eq!(begun, std::slice::from_ref(&andina.id));
    let again = start_due(&store.database, &store.vault, longest, clock, entropy).await.unwrap();
    assert!(again.is_empty());
    store.admin("update misy.key_rotations set work_at = now()").await.unwrap();
    finish(&store, &rotator(&store)).await;
    nothing_below(&store, &andina, 2).await;
    nothing_below(&store, &verde, 1).await;
}

#[tokio::test]
async fn a_tenant_whose_rotation_cannot_begin_keeps_nobody_else_from_theirs() {
    let store = test_store().await.unwrap();
    let mut fine = Vec::new();
    for name in ["a-broken", "b-fine", "c-broken", "d-fine"] {
        let tenant = store.tenant(name).await.unwrap();
        fine.extend(name.ends_with("fine").then_some(tenant.id));
    }
    store.admin("update misy.data_keys set created_at = '2000-01-01'").await.unwrap();
    let broken = "update misy.data_keys set wrapped_key = '\\x00' where tenant_id like '%-broken'";
    store.admin(broken).await.unwrap();
    let longest = LongestUse { tenant: Duration::from_hours(365 * 24), owner: Duration::from_hours(90 * 24) };
    let (vault, clock, entropy) = (replica(&store), &*store.clock, &*store.entropy);
    assert_eq!(start_due(&store.database, &vault, longest, clock, entropy).await.unwrap(), fine);
}
