//! Who runs the server, who may connect, and where it can be reached.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use misy_postgres::{PrivateServer, connection_url};
use sqlx::{Connection, PgConnection};

use crate::support::{
    Serving, data_dir_of, open_dir, options, postmaster, programs, run, superuser, unprivileged, value,
    we_are_root,
};

#[tokio::test]
async fn root_runs_the_server_as_somebody_else() {
    if !we_are_root() {
        println!("skipped: needs root");
        return;
    }
    let dir = open_dir();
    let server = PrivateServer::start(options(&dir.path().join("data"))).await.unwrap();
    let pid = postmaster(server.cluster_dir());
    let process = std::fs::metadata(format!("/proc/{pid}")).unwrap();
    assert_ne!(process.uid(), 0);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap().trim().to_owned();
    assert_eq!(groups, "", "root's supplementary groups are dropped");
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    assert!(!environment.contains("CARGO"), "our environment is not the server's");
    server.stop().await;
}

#[tokio::test]
async fn an_unprivileged_user_runs_the_server_itself() {
    if !we_are_root() {
        println!("skipped: every other test runs as an unprivileged user already");
        return;
    }
    let dir = open_dir();
    let user = unprivileged();
    let data_dir = data_dir_of(dir.path(), user);
    let serving = Serving::start(&data_dir, Some(user));
    let cluster = data_dir.join("postgres");
    assert_eq!(std::fs::metadata(format!("/proc/{}", postmaster(&cluster))).unwrap().uid(), user.0);
    assert_eq!(std::fs::metadata(&data_dir).unwrap().uid(), user.0);

    // Its peer check lets its own account in and nobody else, not even root.
    let refused = PgConnection::connect(&serving.url).await.unwrap_err().to_string();
    assert!(refused.contains("Peer authentication failed"), "{refused}");
    serving.terminate();

    // Root goes on with the same cluster, as the account that owns it.
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    assert_eq!(std::fs::metadata(format!("/proc/{}", postmaster(&cluster))).unwrap().uid(), user.0);
    assert_eq!(value(&superuser(&server), "SELECT 'root'").await, "root");
    server.stop().await;
}

#[tokio::test]
async fn a_closed_parent_folder_sends_the_cluster_elsewhere_and_it_is_found_again() {
    if !we_are_root() {
        println!("skipped: only root has a folder that the server's account cannot reach");
        return;
    }
    let (closed, elsewhere) = (open_dir(), open_dir());
    std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let data_dir = closed.path().join("data");
    let mut chosen = options(&data_dir);
    chosen.unreachable_base = elsewhere.path().join("clusters");

    let server = PrivateServer::start(chosen.clone()).await.unwrap();
    run(&superuser(&server), "CREATE TABLE kept AS SELECT 'here' AS word").await;
    let cluster = server.cluster_dir().to_path_buf();
    assert!(cluster.starts_with(elsewhere.path()), "{}", cluster.display());
    server.stop().await;

    let server = PrivateServer::start(chosen.clone()).await.unwrap();
    assert_eq!(server.cluster_dir(), cluster);
    assert_eq!(value(&superuser(&server), "SELECT word FROM kept").await, "here");

    // A copy of the data directory names the same cluster, and cannot have it at the same time.
    let copy = open_dir();
    std::fs::copy(data_dir.join("postgres.location"), copy.path().join("postgres.location")).unwrap();
    let refused = PrivateServer::start(options(copy.path())).await.unwrap_err().to_string();
    assert!(refused.contains("another misy"), "{refused}");
    server.stop().await;

    // A new data directory is a new cluster.
    std::fs::remove_dir_all(&data_dir).unwrap();
    let server = PrivateServer::start(chosen).await.unwrap();
    assert_ne!(server.cluster_dir(), cluster);
    server.stop().await;
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_private_one() {
    let dir = open_dir();
    let data_dir = dir.path().join("d".repeat(120));
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    let socket_dir = server.socket_dir().to_path_buf();
    assert!(!socket_dir.starts_with(dir.path()));
    assert_eq!(std::fs::metadata(&socket_dir).unwrap().mode() & 0o777, 0o700);
    assert_eq!(value(&superuser(&server), "SELECT 'short'").await, "short");
    server.stop().await;
    std::fs::remove_dir(socket_dir).unwrap();
}

#[tokio::test]
async fn an_odd_path_is_no_obstacle() {
    let dir = open_dir();
    let data_dir = dir.path().join("it's a, \"dir\" é");
    let server = PrivateServer::start(options(&data_dir)).await.unwrap();
    assert_eq!(value(&superuser(&server), "SELECT 'odd'").await, "odd");
    server.stop().await;
}

#[tokio::test]
async fn nothing_listens_on_tcp_and_a_taken_port_does_not_matter() {
    // A system PostgreSQL would be here. When one is, the port is taken already.
    let _taken = std::net::TcpListener::bind("127.0.0.1:5432").ok();
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let url = superuser(&server);
    assert_eq!(value(&url, "SELECT current_setting('listen_addresses')").await, "");
    let pid = postmaster(server.cluster_dir());
    assert_eq!(listening_sockets(pid), 0);

    // Not even a superuser opens it.
    run(&url, "ALTER SYSTEM SET listen_addresses = '127.0.0.1'").await;
    server.stop().await;
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    assert_eq!(value(&superuser(&server), "SELECT current_setting('listen_addresses')").await, "");
    server.stop().await;
}

/// How many listening TCP sockets a process has.
fn listening_sockets(pid: i32) -> usize {
    const LISTEN: &str = "0A";
    let own: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| Some(std::fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect();
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| {
            let table = std::fs::read_to_string(table).unwrap_or_default();
            table.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields[3] == LISTEN && own.contains(&format!("socket:[{}]", fields[9]))
        })
        .count()
}

#[tokio::test]
async fn the_socket_is_closed_to_other_accounts_and_roles_not_named() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    for path in [server.socket_dir().to_path_buf(), server.socket_dir().join(".s.PGSQL.5432")] {
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o077, 0, "{}", path.display());
    }
    run(&superuser(&server), "CREATE ROLE misy_app LOGIN; CREATE ROLE stranger LOGIN").await;
    let app = server.connection_url("misy_app", "postgres");
    assert_eq!(value(&app, "SELECT current_user::text").await, "misy_app");
    let stranger = connection_url(server.socket_dir(), "stranger", "postgres");
    assert!(PgConnection::connect(&stranger).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn the_cluster_is_durable_checked_and_unicode() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let url = superuser(&server);
    for (setting, expected) in [
        ("SELECT current_setting('fsync')", "on"),
        ("SELECT current_setting('synchronous_commit')", "on"),
        ("SELECT current_setting('data_checksums')", "on"),
        ("SELECT current_setting('server_encoding')", "UTF8"),
        ("SELECT current_setting('jit')", "off"),
        ("SELECT lower('ÀÉΣЖ')", "àéσж"),
    ] {
        assert_eq!(value(&url, setting).await, expected, "{setting}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_base_backup_is_taken_by_the_superuser_and_nobody_else() {
    let dir = open_dir();
    let server = PrivateServer::start(options(&dir.path().join("data"))).await.unwrap();
    run(&superuser(&server), "CREATE ROLE misy_app LOGIN REPLICATION").await;
    let backup = |role: &str| {
        let to = dir.path().join(format!("backup-of-{role}"));
        let output = std::process::Command::new(programs().bin_dir().join("pg_basebackup"))
            .args(["--wal-method=stream", "--checkpoint=fast", "--username", role, "--pgdata"])
            .arg(&to)
            .arg("--host")
            .arg(server.socket_dir())
            .args(["--port", &server.port().to_string()])
            .output()
            .unwrap();
        (to, output)
    };
    let (to, output) = backup("postgres");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(to.join("PG_VERSION").is_file() && to.join("backup_manifest").is_file());
    let (_, output) = backup("misy_app");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("no pg_hba.conf entry"), "{said}");
    server.stop().await;
}
