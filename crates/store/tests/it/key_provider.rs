//! Key management services, played by servers that check what the real ones check and misbehave as the real ones do.

mod protocols;
mod simulators;

use misy_store::{StoreError, Vault, key_provider::KeyProviderError};
use misy_testkit::store::test_store;
use simulators::{Fault, Simulator, all};

#[tokio::test]
async fn each_service_wraps_and_unwraps_what_is_its_own_and_nothing_else() {
    let store = test_store().await.unwrap();
    for simulator in all(&store.clock).await {
        let kms = &simulator.kms;
        kms.check(&*store.entropy).await.unwrap();
        let (key, _) = misy_trust::RootKey::generate(&*store.entropy);
        let (other, _) = misy_trust::RootKey::generate(&*store.entropy);
        let wrapped = kms.wrap(&key).await.unwrap();
        assert_eq!(kms.unwrap(key.version(), &wrapped).await.unwrap().version(), key.version());
        // Stored beside another version, it is not believed.
        assert!(kms.unwrap(other.version(), &wrapped).await.is_err(), "{}", kms.name());
        let damaged = wrapped.replacen(|c: char| c.is_ascii_digit(), "x", 1);
        assert!(kms.unwrap(key.version(), &damaged).await.is_err() || damaged == wrapped, "{}", kms.name());
    }
}

#[tokio::test]
async fn a_program_starts_with_a_service_and_starts_again_with_the_same_key() {
    let store = test_store().await.unwrap();
    for simulator in all(&store.clock).await {
        let first = simulator.kms.load_or_create(&store.database, &[], &*store.entropy).await.unwrap();
        let again = simulator.kms.load_or_create(&store.database, &[], &*store.entropy).await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].version(), again[0].version());
    }
}

#[tokio::test]
async fn of_replicas_that_start_at_once_all_end_up_with_one_key() {
    let store = test_store().await.unwrap();
    let simulator = Simulator::vault().await;
    let starts = (0..3).map(|_| simulator.kms.load_or_create(&store.database, &[], &*store.entropy));
    let keys = futures_util::future::join_all(starts).await;
    let versions: std::collections::BTreeSet<_> =
        keys.into_iter().map(|keys| keys.unwrap()[0].version()).collect();
    assert_eq!(versions.len(), 1);
}

#[tokio::test]
async fn throttling_and_short_failures_are_waited_out() {
    let store = test_store().await.unwrap();
    for simulator in all(&store.clock).await {
        for fault in [Fault::Status(429), Fault::Status(503), Fault::Status(500)] {
            simulator.fail(2, fault);
            simulator.kms.check(&*store.entropy).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_service_that_stays_down_is_a_clear_error_and_leaves_nothing_behind() {
    let store = test_store().await.unwrap();
    for simulator in all(&store.clock).await {
        for fault in [Fault::Status(503), Fault::Status(403), Fault::Status(404), Fault::Late, Fault::Garbage]
        {
            simulator.fail(u32::MAX, fault);
            let error = simulator.kms.load_or_create(&store.database, &[], &*store.entropy).await.err();
            let Some(StoreError::KeyProvider(error)) = error else { panic!("{fault:?}: {error:?}") };
            let fits = match fault {
                Fault::Status(503) => matches!(error, KeyProviderError::Unavailable { .. }),
                Fault::Status(403) => matches!(error, KeyProviderError::Denied { .. }),
                Fault::Late => matches!(error, KeyProviderError::Unreachable { .. }),
                Fault::Garbage => matches!(error, KeyProviderError::WrongAnswer { .. }),
                _ => matches!(error, KeyProviderError::Refused { .. }),
            };
            assert!(fits, "{} with {fault:?}: {error:?}", simulator.kms.name());
            assert!(!format!("{error:?} {error}").contains("s3cret"));
        }
        simulator.fail(0, Fault::Late);
        assert!(simulator.kms.root_keys(&store.database, &[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_answer_for_another_key_is_not_believed() {
    let store = test_store().await.unwrap();
    for simulator in all(&store.clock).await {
        let key = simulator.kms.load_or_create(&store.database, &[], &*store.entropy).await.unwrap();
        simulator.fail(u32::MAX, Fault::OtherKey);
        let error = simulator.kms.root_keys(&store.database, &[]).await.err();
        assert!(
            matches!(error, Some(StoreError::KeyProvider(KeyProviderError::WrongAnswer { .. }))),
            "{}: {error:?}",
            simulator.kms.name()
        );
        // A key of its own making is not stored either, since the service could not give it back.
        let mut tx = store.database.system("test").await.unwrap();
        assert!(simulator.kms.add(&mut tx, &key, &*store.entropy).await.is_err());
        drop(tx);
        simulator.fail(0, Fault::OtherKey);
        let stored = simulator.kms.root_keys(&store.database, &[]).await.unwrap();
        assert_eq!((stored.len(), stored[0].version()), (1, key[0].version()));
    }
}

#[tokio::test]
async fn a_running_program_goes_on_without_its_service_and_rotates_when_it_is_back() {
    use misy_store::{Roots, rotation::root, vault::KeySource};
    let store = test_store().await.unwrap();
    let simulator = Simulator::vault().await;
    let kms = simulator.kms.clone();
    // From the file to the service: what the file's key wrapped is wrapped anew.
    let tenant = store.tenant("andina").await.unwrap();
    let before = vec![store.vault.roots().active()];
    let nothing = kms.load_or_create(&store.database, &[], &*store.entropy).await.err();
    assert!(matches!(nothing, Some(StoreError::RootKeyGone)), "made out of nothing, it would open nothing");
    let keys = kms.load_or_create(&store.database, &before, &*store.entropy).await.unwrap();
    let source = KeySource::Remote(Box::new(kms.clone()), store.database.clone(), before.clone());
    let vault = Vault::over(Roots::new([keys, before].concat(), source), store.entropy.clone());
    assert_eq!(root::rewrap(&store.database, &vault, |_| ()).await.unwrap(), 1);

    simulator.fail(u32::MAX, Fault::Status(503));
    vault.forget(&tenant.id);
    assert!(vault.keys(&store.database, &tenant.id).await.unwrap().is_some());
    let mut tx = store.database.system("test").await.unwrap();
    assert!(kms.add(&mut tx, &vault.roots().all(), &*store.entropy).await.is_err());
    drop(tx);
    assert_eq!(kms.newest_version(&store.database).await.unwrap(), Some(vault.roots().active().version()));

    simulator.fail(0, Fault::Late);
    let mut tx = store.database.system("test").await.unwrap();
    let new = kms.add(&mut tx, &vault.roots().all(), &*store.entropy).await.unwrap();
    tx.commit().await.unwrap();
    vault.roots().look().await.unwrap();
    assert_eq!(vault.roots().active().version(), new.version());
    assert_eq!(root::rewrap(&store.database, &vault, |_| ()).await.unwrap(), 1);
    let mut tx = store.database.system("test").await.unwrap();
    assert_eq!(kms.keep_only(&mut tx, &vault.roots().all(), new.version()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let keys = kms.root_keys(&store.database, &[]).await.unwrap();
    let fresh = Vault::over(Roots::fixed(keys), store.entropy.clone());
    assert!(fresh.keys(&store.database, &tenant.id).await.unwrap().is_some());
}

/// What somebody may do who gets to run SQL as the role that adds root keys, and may wrap as anybody may with the public half
/// of a key.
#[tokio::test]
async fn a_root_key_that_somebody_plants_or_puts_back_is_set_aside_and_none_is_taken_away() {
    use misy_trust::RootKey;
    use sqlx::Executor;
    let store = test_store().await.unwrap();
    for simulator in all(&store.clock).await {
        let kms = &simulator.kms;
        let mut keys = kms.load_or_create(&store.database, &[], &*store.entropy).await.unwrap();
        let mut system = store.connect_as("misy_system").await.unwrap();
        let first: (i64, String, Vec<u8>, Vec<Vec<u8>>, Vec<u8>) = sqlx::query_as(
            "select version, wrapped_key, seal, links, release from platform.root_keys where provider = $1",
        )
        .bind(kms.name())
        .fetch_one(&mut system)
        .await
        .unwrap();
        for statement in [
            "delete from platform.root_keys",
            "update platform.root_keys set wrapped_key = 'x'",
            "truncate platform.root_keys",
            "insert into platform.root_keys values ('azure', 9, 1, 'x', sha256('x'), '{}', sha256('x'))",
        ] {
            system.execute(statement).await.expect_err(statement);
        }
        let taken: bool = sqlx::query_scalar("select platform.drop_root_key($1, 1, $2)")
            .bind(kms.name())
            .bind(&first.4)
            .fetch_one(&mut system)
            .await
            .unwrap();
        assert!(!taken, "nobody takes away what they have no key of");

        let add = "select platform.add_root_key($1, $2, $3, $4, $5, $6, $7)";
        let (planted, _) = RootKey::generate(&*store.entropy);
        let wrapped = kms.wrap(&planted).await.unwrap();
        let seal = planted.blind_index("root_keys", "seal");
        let mut next = 2_i64;
        // Before the first, and in its place.
        for generation in [0_i64, 1] {
            let added = sqlx::query_scalar::<_, bool>(add)
                .bind(kms.name())
                .bind(generation)
                .bind(i64::from(planted.version()))
                .bind(&wrapped)
                .bind(&seal.of(format!("{}\n{generation}", kms.name()).as_bytes())[..])
                .bind(&first.3)
                .bind(&first.4)
                .fetch_one(&mut system)
                .await;
            assert!(!added.unwrap(), "{generation}");
        }
        for turn in 0..2 {
            // A key of one's own, with nobody, itself or copied links to vouch for it; then the first one again.
            let own_seal =
                |generation: i64| seal.of(format!("{}\n{generation}", kms.name()).as_bytes()).to_vec();
            let own_link = |generation: i64| {
                let text =
                    [format!("{}\n{generation}\n", kms.name()).as_bytes(), &own_seal(generation)].concat();
                vec![planted.blind_index("root_keys", "links").of(&text).to_vec()]
            };
            let version = i64::from(planted.version());
            for (version, wrapped, seal, links) in [
                (version, wrapped.clone(), own_seal(next), vec![]),
                (version, wrapped.clone(), own_seal(next + 1), own_link(next + 1)),
                (version, wrapped.clone(), own_seal(next + 2), first.3.clone()),
                (first.0, first.1.clone(), first.2.clone(), first.3.clone()),
                (7, "rubbish".to_owned(), first.2.clone(), vec![]),
            ] {
                let added = sqlx::query_scalar::<_, bool>(add)
                    .bind(kms.name())
                    .bind(next)
                    .bind(version)
                    .bind(wrapped)
                    .bind(seal)
                    .bind(links)
                    .bind(&first.4)
                    .fetch_one(&mut system)
                    .await;
                assert!(added.unwrap());
                next += 1;
                let known = kms.root_keys(&store.database, &[]).await.unwrap();
                let versions = |keys: &[RootKey]| keys.iter().map(RootKey::version).collect::<Vec<_>>();
                assert_eq!(versions(&known), versions(&keys), "{} {turn} {next}", kms.name());
            }
            if turn == 0 {
                // A genuine one comes after them, and the first one goes.
                let mut tx = store.database.system("test").await.unwrap();
                let new = kms.add(&mut tx, &keys, &*store.entropy).await.unwrap();
                assert_eq!(kms.keep_only(&mut tx, &keys, new.version()).await.unwrap(), 1);
                tx.commit().await.unwrap();
                let clean = format!(
                    "delete from platform.root_keys where provider = '{}' and generation < {next}",
                    kms.name()
                );
                store.admin(clean).await.unwrap();
                keys = vec![new];
                next += 1;
            }
        }
        // Rows that stand before the move to the service are not taken over.
        let (file, _) = RootKey::generate(&*store.entropy);
        let error = kms.root_keys(&store.database, &[file]).await.err();
        assert!(matches!(error, Some(StoreError::ForeignRootKey)), "{error:?}");
    }
}
