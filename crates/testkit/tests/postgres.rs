//! The shared test cluster, used by several processes as a test run does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's support functions fail the test")]

use std::{
    io::{BufRead, BufReader, Lines, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use misy_testkit::{
    PATIENCE,
    postgres::{TestCluster, TestDatabase, TestkitError},
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

/// Set in a process that is to use the cluster of a folder.
const USE: &str = "MISY_TEST_USE";

/// A cluster of one test, stopped at its end.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("misy-kit-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    async fn database(&self, fingerprint: &str) -> Result<TestDatabase, TestkitError> {
        TestDatabase::create_in(TestCluster::at(self.path()).await?, fingerprint, fill).await
    }

    fn builds(&self) -> usize {
        std::fs::read_to_string(self.path().join("builds")).unwrap_or_default().lines().count()
    }

    fn cluster_dir(&self) -> PathBuf {
        let data_dir = self.path().join("cluster");
        let location = std::fs::read_to_string(data_dir.join("postgres.location"));
        location.map_or(data_dir, |base| PathBuf::from(base.trim())).join("postgres")
    }

    fn postmaster(&self) -> String {
        let text = std::fs::read_to_string(self.cluster_dir().join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().trim().to_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let home = self.path().to_path_buf();
        let stopping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(TestCluster::stop_at(&home)).unwrap();
        });
        stopping.join().unwrap();
    }
}

async fn fill(options: PgConnectOptions) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql("CREATE TABLE words (word text); INSERT INTO words VALUES ('template')")
        .execute(&mut connection)
        .await?;
    connection.close().await
}

async fn names(cluster: &TestCluster, pattern: &str) -> Vec<String> {
    let mut admin = PgConnection::connect_with(&cluster.admin_options()).await.unwrap();
    sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE $1")
        .bind(pattern)
        .fetch_all(&mut admin)
        .await
        .unwrap()
}

async fn words(database: &TestDatabase) -> Vec<String> {
    let mut connection = PgConnection::connect_with(&database.options("postgres")).await.unwrap();
    sqlx::query_scalar("SELECT word FROM words ORDER BY word").fetch_all(&mut connection).await.unwrap()
}

/// A process that uses the cluster, says when it has a database, and waits to be ended.
struct User {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl User {
    fn start(home: &Home) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["use_the_cluster", "--exact", "--ignored", "--nocapture"])
            .env(USE, home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, output }
    }

    fn database(&mut self) -> String {
        let has = |line: String| Some(line.split_once("has ")?.1.to_owned());
        self.output.by_ref().map_while(Result::ok).find_map(has).expect("the process got a database")
    }

    fn finish(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Not a test: what [`User`] runs.
#[tokio::test]
#[ignore = "run by other tests in a process of its own"]
async fn use_the_cluster() {
    let Some(home) = std::env::var_os(USE) else { return };
    let home = Path::new(&home);
    let cluster = TestCluster::at(home).await.unwrap();
    let database = TestDatabase::create_in(cluster, "shared", async |options| {
        let mut builds =
            std::fs::OpenOptions::new().append(true).create(true).open(home.join("builds")).unwrap();
        writeln!(builds, "{}", std::process::id()).unwrap();
        fill(options).await
    })
    .await
    .unwrap();
    println!("has {}", database.name());
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

#[tokio::test]
async fn processes_share_one_server_and_one_template_and_no_database() {
    let home = Home::new();
    let mut users: Vec<_> = (0..5).map(|_| User::start(&home)).collect();
    let mut databases: Vec<_> = users.iter_mut().map(User::database).collect();
    let server = home.postmaster();
    users.into_iter().for_each(User::finish);
    databases.sort();
    databases.dedup();
    assert_eq!(databases.len(), 5);
    assert_eq!(home.builds(), 1);

    // They are gone, the server is not, and their databases went with them.
    let cluster = TestCluster::at(home.path()).await.unwrap();
    assert_eq!(home.postmaster(), server);
    assert_eq!(names(&cluster, r"test\_%").await, Vec::<String>::new());
}

#[tokio::test]
async fn each_test_changes_its_own_copy() {
    let home = Home::new();
    let begun = Instant::now();
    let first = home.database("one").await.unwrap();
    println!("cluster, template and first database: {:?}", begun.elapsed());
    let begun = Instant::now();
    let second = home.database("one").await.unwrap();
    println!("second database: {:?}", begun.elapsed());
    let mut connection = PgConnection::connect_with(&first.options("postgres")).await.unwrap();
    sqlx::query("INSERT INTO words VALUES ('mine')").execute(&mut connection).await.unwrap();
    assert_eq!(words(&first).await, ["mine", "template"]);
    assert_eq!(words(&second).await, ["template"]);

    // Also with the connection still open.
    let begun = Instant::now();
    drop(first);
    println!("dropping a database: {:?}", begun.elapsed());
    assert_eq!(names(second.cluster(), r"test\_%").await, [second.name()]);
}

#[tokio::test]
async fn the_database_of_a_killed_test_is_cleared_away() {
    let home = Home::new();
    let mut user = User::start(&home);
    let left = user.database();
    user.kill();
    let cluster = TestCluster::at(home.path()).await.unwrap();
    assert_eq!(names(&cluster, r"test\_%").await, [left.as_str()]);
    let database = home.database("another").await.unwrap();
    assert_eq!(names(&cluster, r"test\_%").await, [database.name()]);
}

#[tokio::test]
async fn a_first_comer_killed_at_any_moment_does_not_stop_the_others() {
    let home = Home::new();
    for patience in [20, 150, 300, 500, 800] {
        let user = User::start(&home);
        tokio::time::sleep(Duration::from_millis(patience)).await;
        user.kill();
    }
    let mut user = User::start(&home);
    user.database();
    user.finish();
}

#[tokio::test]
async fn a_template_that_fails_is_built_again_by_the_next() {
    let home = Home::new();
    let cluster = TestCluster::at(home.path()).await.unwrap();
    let attempt = TestDatabase::create_in(cluster.clone(), "one", async |_| Err("no such migration")).await;
    let error = attempt.unwrap_err().to_string();
    assert!(error.contains("no such migration"), "{error}");
    assert_eq!(words(&home.database("one").await.unwrap()).await, ["template"]);
}

#[tokio::test]
async fn a_template_whose_connections_were_forgotten_is_copied_all_the_same() {
    let home = Home::new();
    let cluster = TestCluster::at(home.path()).await.unwrap();
    let mut forgotten = None;
    let database = TestDatabase::create_in(cluster, "one", async |options| {
        fill(options.clone()).await?;
        forgotten = Some(PgConnection::connect_with(&options).await?);
        Ok::<_, sqlx::Error>(())
    })
    .await
    .unwrap();
    assert_eq!(words(&database).await, ["template"]);
}

#[tokio::test]
async fn builds_never_run_together_so_that_roles_can_be_made() {
    let home = Home::new();
    let cluster = TestCluster::at(home.path()).await.unwrap();
    let building = AtomicU32::new(0);
    let one = async |number: u32| {
        TestDatabase::create_in(cluster.clone(), &number.to_string(), async |options| {
            assert_eq!(building.fetch_add(1, Ordering::SeqCst), 0);
            let mut connection = PgConnection::connect_with(&options).await?;
            sqlx::raw_sql("DROP ROLE IF EXISTS misy_app; CREATE ROLE misy_app LOGIN")
                .execute(&mut connection)
                .await?;
            connection.close().await?;
            building.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, sqlx::Error>(())
        })
        .await
        .unwrap()
    };
    let (first, second, third) = tokio::join!(one(1), one(2), one(3));
    for database in [first, second, third] {
        PgConnection::connect_with(&database.options("misy_app")).await.unwrap().close().await.unwrap();
    }
}

#[tokio::test]
async fn old_templates_are_forgotten() {
    let home = Home::new();
    for number in 0..10 {
        home.database(&number.to_string()).await.unwrap();
    }
    let cluster = TestCluster::at(home.path()).await.unwrap();
    assert_eq!(names(&cluster, r"template\_%").await.len(), 8);
    assert_eq!(words(&home.database("0").await.unwrap()).await, ["template"]);
}

#[tokio::test]
async fn a_cluster_from_before_the_machine_started_is_made_anew() {
    let home = Home::new();
    let cluster = TestCluster::at(home.path()).await.unwrap();
    drop(home.database("one").await.unwrap());
    assert_eq!(names(&cluster, r"template\_%").await.len(), 1);
    let note = home.path().join("server");
    let text = std::fs::read_to_string(&note).unwrap();
    let (socket_dir, _) = text.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(&note, format!("{socket_dir}\nanother-boot\n")).unwrap();
    let cluster = TestCluster::at(home.path()).await.unwrap();
    assert_eq!(names(&cluster, r"template\_%").await, Vec::<String>::new());
}

/// Kills the server and waits until its process is gone.
async fn kill_server(home: &Home) {
    let server = home.postmaster();
    assert!(Command::new("kill").args(["-KILL", &server]).status().unwrap().success());
    let line = format!("/proc/{server}/cmdline");
    let begun = Instant::now();
    // A zombie has no command line.
    while std::fs::read(&line).is_ok_and(|line| !line.is_empty()) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_killed_server_is_started_again() {
    let home = Home::new();
    drop(home.database("one").await.unwrap());
    kill_server(&home).await;
    let cluster = TestCluster::at(home.path()).await.unwrap();
    assert_eq!(names(&cluster, r"template\_%").await.len(), 1);
}

#[tokio::test]
async fn a_damaged_cluster_is_made_anew() {
    let home = Home::new();
    drop(home.database("one").await.unwrap());
    kill_server(&home).await;
    std::fs::remove_file(home.cluster_dir().join("global/pg_control")).unwrap();
    assert_eq!(words(&home.database("one").await.unwrap()).await, ["template"]);
}

#[tokio::test]
async fn a_cluster_in_memory_that_a_power_cut_took_is_made_anew() {
    let home = Home::new();
    drop(home.database("one").await.unwrap());
    kill_server(&home).await;
    let cluster = home.cluster_dir();
    std::fs::remove_dir_all(if cluster.starts_with(home.path()) {
        &cluster
    } else {
        cluster.parent().unwrap()
    })
    .unwrap();
    assert_eq!(words(&home.database("one").await.unwrap()).await, ["template"]);
}

#[tokio::test]
async fn stopping_leaves_nothing() {
    let home = Home::new();
    drop(home.database("one").await.unwrap());
    let (server, cluster) = (home.postmaster(), home.cluster_dir());
    TestCluster::stop_at(home.path()).await.unwrap();
    assert!(!cluster.exists());
    assert!(!std::fs::read(format!("/proc/{server}/cmdline")).is_ok_and(|line| !line.is_empty()));
    TestCluster::stop_at(home.path()).await.unwrap();
}

#[tokio::test]
async fn the_cluster_of_this_build_is_found() {
    let database = TestDatabase::create("misy-testkit: one table", fill).await.unwrap();
    assert_eq!(words(&database).await, ["template"]);
}
