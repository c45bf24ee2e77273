//! Starting, stopping, dying and coming back.

use std::time::{Duration, Instant};

use misy_postgres::{PrivateServer, State};
use sqlx::Connection;

use crate::support::{
    Serving, connect, is_alive, open_dir, options, postmaster, reaches, run, signal, superuser, until, value,
};

const FILL: &str = "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('committed')";
const READ: &str = "SELECT word FROM kept";

#[tokio::test]
async fn data_is_there_after_a_stop_and_a_start() {
    let dir = open_dir();
    let data_dir = dir.path().join("data");
    let begun = Instant::now();
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    println!("initdb and first start: {:?}", begun.elapsed());
    run(&superuser(&server), FILL).await;
    let pid = postmaster(server.cluster_dir());
    let begun = Instant::now();
    server.stop().await;
    println!("stop: {:?}", begun.elapsed());
    assert!(!is_alive(pid));

    let begun = Instant::now();
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    println!("start of an existing cluster: {:?}", begun.elapsed());
    assert_eq!(value(&superuser(&server), READ).await, "committed");
    server.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_connections() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let mut connection = connect(&superuser(&server)).await;
    tokio::time::timeout(crate::support::PATIENCE, server.stop()).await.expect("a stop in time");
    assert!(connection.ping().await.is_err());
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_was_committed() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    run(&superuser(&server), FILL).await;
    let pid = postmaster(server.cluster_dir());
    let begun = Instant::now();
    signal(pid, "-KILL");
    reaches(&server, State::Restarting).await;
    reaches(&server, State::Ready).await;
    println!("recovery after kill -9 of the server: {:?}", begun.elapsed());
    assert_ne!(postmaster(server.cluster_dir()), pid);
    assert_eq!(server.restarts(), 1);
    assert_eq!(value(&superuser(&server), READ).await, "committed");
    server.stop().await;
}

#[tokio::test]
async fn a_killed_backend_ends_connections_and_not_the_server() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    run(&superuser(&server), FILL).await;
    let mut victim = connect(&superuser(&server)).await;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut victim).await.unwrap();
    signal(pid, "-KILL");
    until("the connection is gone", || !is_alive(pid)).await;
    let begun = Instant::now();
    let word = loop {
        if let Ok(mut connection) = sqlx::PgConnection::connect(&superuser(&server)).await
            && let Ok(word) = sqlx::query_scalar::<_, String>(READ).fetch_one(&mut connection).await
        {
            break word;
        }
        assert!(begun.elapsed() < crate::support::PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    println!("recovery after kill -9 of a connection's process: {:?}", begun.elapsed());
    assert_eq!(word, "committed");
    assert_eq!(server.restarts(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_server_left_by_a_killed_program_is_replaced() {
    let dir = open_dir();
    let data_dir = dir.path().join("data");
    let serving = Serving::start(&data_dir, None);
    run(&serving.url, FILL).await;
    let left = postmaster(&data_dir.join("postgres"));
    serving.kill();
    assert!(is_alive(left), "the server outlives a killed program");

    let begun = Instant::now();
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    println!("start after kill -9 of the program: {:?}", begun.elapsed());
    assert!(!is_alive(left));
    assert_eq!(value(&superuser(&server), READ).await, "committed");
    server.stop().await;
}

#[tokio::test]
async fn program_and_server_killed_together_recover() {
    let dir = open_dir();
    let data_dir = dir.path().join("data");
    let serving = Serving::start(&data_dir, None);
    run(&serving.url, FILL).await;
    let server = postmaster(&data_dir.join("postgres"));
    serving.kill();
    signal(server, "-KILL");

    // At once: the killed server's processes may still be ending.
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    assert_eq!(value(&superuser(&server), READ).await, "committed");
    server.stop().await;
}

#[tokio::test]
async fn a_program_told_to_end_leaves_no_server() {
    let dir = open_dir();
    let data_dir = dir.path().join("data");
    let serving = Serving::start(&data_dir, None);
    let server = postmaster(&data_dir.join("postgres"));
    serving.terminate();
    assert!(!is_alive(server));
    assert!(!data_dir.join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_dropped_server_stops_in_the_background() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let pid = postmaster(server.cluster_dir());
    drop(server);
    until("the server is gone", || !is_alive(pid)).await;
}

#[test]
fn a_runtime_that_ends_takes_its_server_with_it() {
    let dir = open_dir();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(PrivateServer::start(options(dir.path()))).unwrap();
    let pid = postmaster(server.cluster_dir());
    drop(runtime);
    let waiting = tokio::runtime::Runtime::new().unwrap();
    waiting.block_on(until("the server is gone", || !is_alive(pid)));
}

#[tokio::test]
async fn an_initdb_that_did_not_finish_is_done_again() {
    let dir = open_dir();
    let unfinished = dir.path().join("postgres.tmp-4242");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    assert!(!unfinished.exists());
    assert_eq!(value(&superuser(&server), "SELECT 'works'").await, "works");
    server.stop().await;
}

#[tokio::test]
async fn a_start_given_up_in_the_middle_leaves_a_directory_that_starts() {
    let dir = open_dir();
    for patience in [30, 120, 300, 600, 900] {
        let start = PrivateServer::start(options(dir.path()));
        let _ = tokio::time::timeout(Duration::from_millis(patience), start).await;
    }
    let begun = Instant::now();
    let server = loop {
        // A server that was just ready when it was given up is still stopping, and holds the directory.
        match PrivateServer::start(options(dir.path())).await {
            Ok(server) => break server,
            Err(error) => assert!(begun.elapsed() < crate::support::PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(value(&superuser(&server), "SELECT 'works'").await, "works");
    server.stop().await;
}

#[tokio::test]
async fn a_lock_file_whose_number_is_now_another_process_is_no_obstacle() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let cluster = server.cluster_dir().to_path_buf();
    let socket = server.socket_dir().to_path_buf();
    let lock = std::fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
    let pid = postmaster(&cluster);
    server.stop().await;

    let mut stranger = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let stale = lock.replacen(&pid.to_string(), &stranger.id().to_string(), 1);
    std::fs::write(cluster.join("postmaster.pid"), &stale).unwrap();
    std::fs::write(socket.join(".s.PGSQL.5432.lock"), &stale).unwrap();
    let server = PrivateServer::start(options(dir.path())).await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    server.unwrap().stop().await;
}
