//! The memory of the running program, as another process of its account sees it.

use misy_testkit::program::BOOTSTRAP_SECRET;
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_misy");

fn nobody() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("nobody:")).unwrap();
    let mut ids = line.split(':').skip(2).map(|field| field.parse().unwrap());
    (ids.next().unwrap(), ids.next().unwrap())
}

#[test]
fn nobody_of_the_same_account_reads_the_memory_of_the_program() {
    if !cfg!(target_os = "linux") || !rustix::process::geteuid().is_root() {
        println!("skipped: needs root on Linux, to look as somebody else");
        return;
    }
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    // The account may not reach where the program was built.
    let program = dir.path().join("misy");
    fs::copy(BINARY, &program).unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    let (uid, gid) = nobody();
    chown(&data, Some(uid), Some(gid)).unwrap();
    let log = dir.path().join("log");
    let child = Command::new(&program)
        .arg("serve")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("MISY_DATA_DIR", &data)
        .env("MISY_HTTP_ADDR", "127.0.0.1:0")
        .env("MISY_BOOTSTRAP_SECRET", BOOTSTRAP_SECRET)
        .uid(uid)
        .gid(gid)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(fs::File::create(&log).unwrap())
        .stderr(fs::File::options().append(true).open(&log).unwrap())
        .spawn()
        .unwrap();
    let mut child = Ended(child);
    // It works as before, its PostgreSQL included.
    let began = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains("ready") {
        assert!(child.0.try_wait().unwrap().is_none(), "{}", fs::read_to_string(&log).unwrap());
        assert!(began.elapsed() < Duration::from_mins(2), "{}", fs::read_to_string(&log).unwrap());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let process = Path::new("/proc").join(child.0.id().to_string());
    for file in ["environ", "mem", "maps", "auxv"] {
        // What belongs to root is not its account's to open.
        assert_eq!(fs::metadata(process.join(file)).unwrap().uid(), 0, "{file}");
        let tried = Command::new("/bin/cat").arg(process.join(file)).uid(uid).gid(gid).output().unwrap();
        assert!(!tried.status.success() && tried.stdout.is_empty(), "{file} was read");
    }
    let limits = fs::read_to_string(process.join("limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{cores}");
}
