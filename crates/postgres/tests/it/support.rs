//! Folders, connections, and a second process that serves.

use std::{
    io::{BufRead, BufReader, Lines},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use misy_postgres::{Options, PrivateServer, Programs, State};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Set in a process that is to serve: the data directory.
const SERVE: &str = "MISY_TEST_SERVE";

pub(crate) fn programs() -> Programs {
    Programs::find(None).unwrap()
}

/// Options of a durable server, small enough to run several at once.
pub(crate) fn options(data_dir: &Path) -> Options {
    Options::new(data_dir, programs()).with("shared_buffers", "16MB")
}

/// A folder that every account can pass through.
pub(crate) fn open_dir() -> TempDir {
    let dir = tempfile::Builder::new().prefix("misy-pg-").tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    dir
}

pub(crate) fn we_are_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

pub(crate) async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub(crate) async fn value(url: &str, query: &'static str) -> String {
    let mut connection = connect(url).await;
    let value = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    value
}

pub(crate) async fn run(url: &str, statement: &'static str) {
    let mut connection = connect(url).await;
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) fn superuser(server: &PrivateServer) -> String {
    server.connection_url("postgres", "postgres")
}

/// Waits until the server is in a state.
pub(crate) async fn reaches(server: &PrivateServer, wanted: State) {
    let mut state = server.state();
    tokio::time::timeout(PATIENCE, state.wait_for(|state| *state == wanted)).await.unwrap().unwrap();
}

/// The server's process, as its lock file says.
pub(crate) fn postmaster(cluster: &Path) -> i32 {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

pub(crate) fn signal(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

pub(crate) fn is_alive(pid: i32) -> bool {
    // A zombie has no command line.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Another process of this program that serves a data directory.
pub(crate) struct Serving {
    process: Child,
    /// Kept open: the process still has something to say at its end.
    _output: Lines<BufReader<ChildStdout>>,
    pub(crate) url: String,
}

impl Serving {
    /// Starts it, as the given user and group when there is one, and waits until it is ready.
    pub(crate) fn start(data_dir: &Path, user: Option<(u32, u32)>) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        if let Some((uid, gid)) = user {
            command = Command::new(readable_copy(data_dir));
            command.uid(uid).gid(gid);
        }
        let mut process = command
            .args(["support::serve", "--exact", "--ignored", "--nocapture"])
            .env(SERVE, data_dir)
            .current_dir("/")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = |line: String| Some(line.split_once("ready at ")?.1.to_owned());
        let url =
            output.by_ref().map_while(Result::ok).find_map(ready).expect("the other process became ready");
        Self { process, _output: output, url }
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn terminate(mut self) {
        signal(i32::try_from(self.process.id()).unwrap(), "-TERM");
        assert!(self.process.wait().unwrap().success());
    }
}

/// Our own program where another account can read it.
fn readable_copy(data_dir: &Path) -> PathBuf {
    let copy = data_dir.parent().unwrap().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
    copy
}

/// An account that is not root, by name.
pub(crate) fn unprivileged() -> (u32, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("nobody:")).unwrap();
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    (fields.next().unwrap(), fields.next().unwrap())
}

/// A data directory in `parent` that belongs to an account.
pub(crate) fn data_dir_of(parent: &Path, (uid, gid): (u32, u32)) -> PathBuf {
    let dir = parent.join("data");
    std::fs::create_dir(&dir).unwrap();
    chown(&dir, Some(uid), Some(gid)).unwrap();
    dir
}

/// Not a test: what [`Serving`] runs.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by other tests in a process of its own"]
async fn serve() {
    let Some(data_dir) = std::env::var_os(SERVE) else { return };
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    let server = PrivateServer::start(options(Path::new(&data_dir))).await.unwrap();
    println!("ready at {}", superuser(&server));
    terminate.recv().await;
    server.stop().await;
}
