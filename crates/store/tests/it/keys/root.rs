use super::{say, texts};
use misy_domain::Secret;
use misy_store::{Roots, Vault, rotation::root};
use misy_testkit::store::test_store;
use misy_trust::{Algorithm, RootKey};

fn root_key(byte: u8) -> RootKey {
    RootKey::new(Secret::new([byte; 32]))
}

#[tokio::test]
async fn a_rotation_of_the_root_key_wraps_every_data_key_anew_and_loses_nothing() {
    let store = test_store().await.unwrap();
    let mut said = Vec::new();
    for name in ["andina", "verde", "norte"] {
        let tenant = store.tenant(name).await.unwrap();
        let session = store.session(&tenant).await.unwrap();
        say(&store, &tenant, &session, "hola").await;
        said.push((tenant, session));
    }
    let database = &store.database;
    let clock = &*store.clock;
    let made =
        misy_store::signing_keys::load_or_create(database, &store.vault, "misy", Algorithm::EdDsa, clock)
            .await
            .unwrap();

    let (old, new) = (store.vault.roots().active(), root_key(9));
    let both = Vault::over(Roots::fixed(vec![new.clone(), old.clone()]), store.entropy.clone());
    // While both are known everything opens, and what is made is wrapped by the new one.
    for (tenant, session) in &said {
        assert_eq!(texts(&store, &both, tenant, session).await, ["hola"]);
    }
    assert_eq!(root::rewrap(database, &both, |_| ()).await.unwrap(), 3);
    // Once more changes nothing.
    assert_eq!(root::rewrap(database, &both, |_| ()).await.unwrap(), 0);
    let status = root::status(database, &both).await.unwrap();
    assert_eq!(status.iter().map(|row| (row.root, row.data_keys)).collect::<Vec<_>>(), [(new.version(), 3)]);

    let only_new = Vault::new(new, store.entropy.clone());
    for (tenant, session) in &said {
        assert_eq!(texts(&store, &only_new, tenant, session).await, ["hola"]);
    }
    let loaded = misy_store::signing_keys::load(database, &only_new, "misy", misy_domain::Clock::now(clock))
        .await
        .unwrap();
    assert_eq!(loaded.keys().len(), made.keys().len());
    let only_old = Vault::new(old, store.entropy.clone());
    assert!(only_old.keys(database, &said[0].0.id).await.is_err());
}
