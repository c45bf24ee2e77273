//! The same on a server that an operator gives, whose administrator is a superuser or only may create roles.

use super::{Stage, poison, statements, trail};
use misy_domain::Secret;
use misy_store::{
    Database, DatabaseOptions, StoreError, Vault,
    database::{Administrator, Login, Role},
};
use misy_testkit::{
    determinism::{SeededEntropy, TestClock, seed},
    given::GivenServer,
};
use misy_trust::RootKey;
use sqlx::{ConnectOptions, Executor, postgres::PgConnectOptions};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Replicas have the same root key, and each its own randomness.
fn vault() -> Vault {
    static STARTS: AtomicU64 = AtomicU64::new(0);
    let seed = seed().wrapping_add(STARTS.fetch_add(1, Ordering::Relaxed));
    Vault::new(RootKey::new(Secret::new([7; 32])), Arc::new(SeededEntropy::new(seed)))
}

/// As the program does at its start.
async fn start(url: &str) -> Result<DatabaseOptions, StoreError> {
    let options: PgConnectOptions = url.parse().unwrap();
    let administrator = Administrator::new(options.clone());
    administrator.prepare().await?;
    let login = administrator.passwords(&vault()).await?;
    login.check(&options).await?;
    Ok(DatabaseOptions::new(options, login))
}

async fn stage(server: &GivenServer, options: &DatabaseOptions) -> Stage {
    let (login, administrator) = (options.login.clone(), options.administrator.clone());
    let clock = Arc::new(TestClock::default());
    let entropy = Arc::new(SeededEntropy::new(seed()));
    let superuser = server.superuser_url("misy").parse().unwrap();
    let login = Box::new(move |role: Role| login.options(&administrator, role));
    Stage::new(Database::open(options), vault(), clock, entropy, login, superuser, None).await
}

#[tokio::test]
async fn a_given_server_under_attack() {
    let server = GivenServer::start().await.unwrap();
    let options = start(&server.superuser_url("misy")).await.unwrap();
    let stage = stage(&server, &options).await;
    statements::attack(&stage).await;
    poison::attack(&stage, || Database::open(&options)).await;
    trail::attack(&stage).await;
}

#[tokio::test]
async fn an_administrator_who_only_may_create_roles_is_enough() {
    let server = GivenServer::start().await.unwrap();
    let options = start(&server.administrator_url("misy")).await.unwrap();
    // Replicas start at the same moment, and again later.
    let url = server.administrator_url("misy");
    let (one, other) = tokio::join!(start(&url), start(&url));
    let (one, other) = (one.unwrap(), other.unwrap());
    for options in [&options, &one, &other] {
        let database = Database::open(options);
        database.ping().await.unwrap();
        database.close().await;
    }
    let stage = stage(&server, &options).await;
    trail::attack(&stage).await;
}

#[tokio::test]
async fn logins_are_examined_and_refusals_told_in_words() {
    let server = GivenServer::start().await.unwrap();
    the_password_is_needed_and_is_nowhere_on_the_server(&server).await;
    a_second_installation_on_the_same_server_is_refused(&server).await;
    a_role_that_could_do_more_does_not_serve(&server).await;
    a_schema_of_another_state_of_development_is_told_of_in_words(&server).await;
}

async fn the_password_is_needed_and_is_nowhere_on_the_server(server: &GivenServer) {
    let options = start(&server.superuser_url("misy")).await.unwrap();
    let right = options.login.options(&options.administrator, Role::App);
    right.connect().await.unwrap();
    assert!(right.clone().password("wrong").connect().await.is_err());
    // One role's password is not another's.
    assert!(right.username("misy_system").connect().await.is_err());
    let mut superuser = options.administrator.connect().await.unwrap();
    let kept: Vec<String> =
        sqlx::query_scalar("select rolpassword from pg_authid where rolname ~ '^misy_' and rolcanlogin")
            .fetch_all(&mut superuser)
            .await
            .unwrap();
    assert_eq!(kept.len(), 4);
    assert!(kept.iter().all(|kept| kept.starts_with("SCRAM-SHA-256$4096:")), "{kept:?}");

    // A role can change its own password, and lock the program out with it: until the next start.
    let mut session = options.login.options(&options.administrator, Role::App).connect().await.unwrap();
    session.execute("alter role misy_app password 'known'").await.unwrap();
    assert!(options.login.options(&options.administrator, Role::App).connect().await.is_err());
    let again = start(&server.superuser_url("misy")).await.unwrap();
    again.login.options(&again.administrator, Role::App).connect().await.unwrap();
}

async fn a_second_installation_on_the_same_server_is_refused(server: &GivenServer) {
    let first = start(&server.superuser_url("misy")).await.unwrap();
    let refusal = start(&server.superuser_url("postgres")).await.err().unwrap().to_string();
    assert!(
        refusal.contains("belongs to another installation on this server, in the database misy"),
        "{refusal}"
    );
    first.login.check(&first.administrator).await.unwrap();
}

async fn a_role_that_could_do_more_does_not_serve(server: &GivenServer) {
    let options = start(&server.superuser_url("misy")).await.unwrap();
    let mut superuser = options.administrator.connect().await.unwrap();
    for (too_much, undone, expected) in [
        ("alter role misy_app superuser", "alter role misy_app nosuperuser", "rights over the whole server"),
        (
            "alter role misy_worker bypassrls",
            "alter role misy_worker nobypassrls",
            "rights over the whole server",
        ),
        (
            "alter role misy_system createrole",
            "alter role misy_system nocreaterole",
            "rights over the whole server",
        ),
        ("grant misy_owner to misy_app", "revoke misy_owner from misy_app", "can become another role"),
        (
            "grant create on schema misy to misy_app",
            "revoke create on schema misy from misy_app",
            "create things in a schema",
        ),
        (
            "grant temporary on database misy to misy_sealer",
            "revoke temporary on database misy from misy_sealer",
            "create things in the database",
        ),
    ] {
        superuser.execute(too_much).await.unwrap();
        let refusal = options.login.check(&options.administrator).await.unwrap_err().to_string();
        assert!(refusal.contains(expected), "{too_much}: {refusal}");
        superuser.execute(undone).await.unwrap();
        options.login.check(&options.administrator).await.unwrap();
    }

    // Nor does anybody else in their place.
    let administrator = server.superuser_url("misy");
    let arranged = Login::arranged(&administrator).unwrap();
    let refusal = arranged.check(&options.administrator).await.unwrap_err().to_string();
    assert!(refusal.contains("logs in as postgres"), "{refusal}");
}

async fn a_schema_of_another_state_of_development_is_told_of_in_words(server: &GivenServer) {
    let options = start(&server.superuser_url("misy")).await.unwrap();
    let mut superuser = options.administrator.connect().await.unwrap();
    superuser.execute("update platform.migrations set checksum = 'x' where version = 2").await.unwrap();
    let refusal = start(&server.superuser_url("misy")).await.err().unwrap().to_string();
    assert!(
        refusal.contains("another development version") && refusal.contains("drop the schemas"),
        "{refusal}"
    );
}
