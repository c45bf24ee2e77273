//! The program on a server that an operator gives: it serves as roles that can do nothing else, and as nobody else.

use misy_testkit::{
    given::GivenServer,
    program::{Start, register_owner},
};
use sqlx::{Connection, Executor, PgConnection};
use std::{process::Command, time::Duration};

const BINARY: &str = env!("CARGO_BIN_EXE_misy");

async fn texts(connection: &mut PgConnection, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(connection).await.unwrap()
}

/// Not those of PostgreSQL itself, nor the one that asks.
const SESSIONS: &str = "select distinct usename::text from pg_stat_activity
                        where datname = 'misy' and pid <> pg_backend_pid() order by 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_given_server_is_served_from_by_roles_that_can_do_nothing_else() {
    let server = GivenServer::start().await.unwrap();
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let url = server.superuser_url("misy");
    let start = |name: &str| {
        let data = dir.path().join(name);
        std::fs::create_dir_all(&data).unwrap();
        Start::new(BINARY, data).unwrap().with("MISY_DATABASE_URL", url.clone()).with("MISY_LOG", "info")
    };
    let first = start("a");
    let mut program = first.spawn().unwrap();
    assert!(program.ready(Duration::from_mins(1)).await, "see {}", first.log().display());
    register_owner(&program.url).await.unwrap();
    let mut watch = PgConnection::connect(&url).await.unwrap();
    let sessions = texts(&mut watch, SESSIONS).await;
    assert!(sessions.contains(&"misy_app".to_owned()), "{sessions:?}");
    assert!(sessions.iter().all(|user| user.starts_with("misy_")), "the administrator is gone: {sessions:?}");

    // Another replica, with the same root key, has the same passwords.
    let second = start("b");
    std::fs::copy(dir.path().join("a/root-key"), dir.path().join("b/root-key")).unwrap();
    let mut replica = second.spawn().unwrap();
    assert!(replica.ready(Duration::from_mins(1)).await, "see {}", second.log().display());

    // So it has when the root key was rotated meanwhile, and after a start with the new one.
    let misy = |name: &str, arguments: &[&str]| {
        Command::new(BINARY)
            .args(arguments)
            .env("MISY_DATA_DIR", dir.path().join(name))
            .env("MISY_DATABASE_URL", &url)
            .env("MISY_HTTP_ADDR", "127.0.0.1:0")
            .output()
            .unwrap()
    };
    let rotated = misy("a", &["keys", "rotate-root"]);
    assert!(rotated.status.success(), "{rotated:?}");
    std::fs::copy(dir.path().join("a/root-key"), dir.path().join("b/root-key")).unwrap();
    replica.kill();
    let mut replica = second.spawn().unwrap();
    assert!(replica.ready(Duration::from_mins(1)).await, "see {}", second.log().display());

    let told = misy("a", &["doctor"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success(), "{text}");
    assert!(text.contains("ok    roles there: each logs in as itself"), "{text}");
    for (weaker, undone, expected) in [
        ("grant misy_owner to misy_app", "revoke misy_owner from misy_app", "misy_app can become misy_owner"),
        (
            "alter role misy_worker createdb",
            "alter role misy_worker nocreatedb",
            "misy_worker has rights over the whole",
        ),
        (
            "alter function platform.owner_tenant() set search_path = ''",
            "alter function platform.owner_tenant() set search_path = pg_catalog, pg_temp",
            "does not look up names in pg_catalog first",
        ),
    ] {
        watch.execute(weaker).await.unwrap();
        let told = misy("a", &["doctor"]);
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(!told.status.success() && text.contains(expected), "{weaker}: {text}");
        watch.execute(undone).await.unwrap();
    }

    // And a program does not start where its role could become another.
    replica.kill();
    watch.execute("grant misy_owner to misy_app").await.unwrap();
    let mut replica = second.spawn().unwrap();
    assert!(!replica.ready(Duration::from_mins(1)).await);
    let log = std::fs::read_to_string(second.log()).unwrap();
    assert!(log.contains("misy_app of PostgreSQL can become another role"), "{log}");
    watch.execute("revoke misy_owner from misy_app").await.unwrap();

    // Nor where the root key is gone that wraps what is there: a new one would open nothing.
    replica.kill();
    std::fs::rename(dir.path().join("b/root-key"), dir.path().join("b/root-key.lost")).unwrap();
    let mut replica = second.spawn().unwrap();
    assert!(!replica.ready(Duration::from_mins(1)).await);
    let log = std::fs::read_to_string(second.log()).unwrap();
    assert!(log.contains("no new one is made"), "{log}");
    assert!(!dir.path().join("b/root-key").exists());
}
