//! What is refused, and in which words.

use std::{os::unix::fs::PermissionsExt, path::Path};

use misy_postgres::{FindError, PrivateServer, Programs};

use crate::support::{open_dir, options, superuser, value};

/// A folder with programs that answer a version and can do nothing else.
fn pretend(dir: &Path, version: &str) {
    std::fs::create_dir_all(dir).unwrap();
    for program in ["postgres", "initdb"] {
        let path = dir.join(program);
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{program} (PostgreSQL) {version}'\n\
             else echo no share folder >&2; fi\n"
        );
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[test]
fn finds_a_postgresql_that_works() {
    let found = Programs::find(None).unwrap();
    assert!(found.version().is_accepted());
    assert!(found.bin_dir().join("initdb").is_file());
}

#[test]
fn a_link_to_the_programs_is_as_good_as_the_programs() {
    let real = Programs::find(None).unwrap();
    let dir = open_dir();
    for program in ["postgres", "initdb"] {
        std::os::unix::fs::symlink(real.bin_dir().join(program), dir.path().join(program)).unwrap();
    }
    assert_eq!(Programs::find(Some(dir.path())).unwrap().bin_dir(), real.bin_dir());
}

#[test]
fn old_servers_are_refused_with_the_reason() {
    let dir = open_dir();
    for (version, reason) in [
        ("14.19", "15 or newer is needed"),
        ("15.13", "15.14 is the first of its line that fixes CVE-2025-8713"),
        ("16.9", "16.10 is the first"),
        ("17.5", "17.6 is the first"),
        ("18beta1", "names no released version"),
    ] {
        let bin_dir = dir.path().join(version);
        pretend(&bin_dir, version);
        let error = Programs::find(Some(&bin_dir)).unwrap_err();
        assert!(matches!(error, FindError::Configured(_)), "{error}");
        let words = error.to_string();
        assert!(
            words.contains(reason) && words.contains(version) && words.contains("MISY_POSTGRES_BIN"),
            "{words}"
        );
    }
}

#[test]
fn programs_that_answer_and_do_not_work_are_refused() {
    let dir = open_dir();
    pretend(dir.path(), "17.6");
    let words = Programs::find(Some(dir.path())).unwrap_err().to_string();
    assert!(words.contains("`initdb` does not work: no share folder"), "{words}");

    let share = dir.path().join("share");
    let copied = format!("#!/bin/sh\necho share_path={}\n", share.display());
    std::fs::write(dir.path().join("initdb"), copied).unwrap();
    let words = Programs::find(Some(dir.path())).unwrap_err().to_string();
    assert!(words.contains("share is not complete"), "{words}");
}

#[test]
fn an_empty_folder_is_refused() {
    let dir = open_dir();
    let words = Programs::find(Some(dir.path())).unwrap_err().to_string();
    assert!(words.contains("has no `postgres`"), "{words}");
}

#[tokio::test]
async fn a_second_instance_is_refused_and_the_first_goes_on() {
    let dir = open_dir();
    let first = PrivateServer::start(options(dir.path())).await.unwrap();
    let words = PrivateServer::start(options(dir.path())).await.unwrap_err().to_string();
    let expected = format!("another misy (pid {}) uses {}", std::process::id(), dir.path().display());
    assert!(words.starts_with(&expected), "{words}");
    assert_eq!(value(&superuser(&first), "SELECT 'first'").await, "first");
    first.stop().await;
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_left_alone() {
    let dir = open_dir();
    PrivateServer::start(options(dir.path())).await.unwrap().stop().await;
    let version = dir.path().join("postgres/PG_VERSION");
    let made_by = std::fs::read_to_string(&version).unwrap();
    std::fs::write(&version, "11\n").unwrap();
    let words = PrivateServer::start(options(dir.path())).await.unwrap_err().to_string();
    assert!(words.contains("made by PostgreSQL 11") && words.contains("pg_upgrade"), "{words}");

    std::fs::remove_file(&version).unwrap();
    let words = PrivateServer::start(options(dir.path())).await.unwrap_err().to_string();
    assert!(words.contains("is not a PostgreSQL cluster"), "{words}");

    std::fs::write(&version, made_by).unwrap();
    PrivateServer::start(options(dir.path())).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let dir = open_dir();
    PrivateServer::start(options(dir.path())).await.unwrap().stop().await;
    std::fs::remove_file(dir.path().join("postgres/global/pg_control")).unwrap();
    let words = PrivateServer::start(options(dir.path())).await.unwrap_err().to_string();
    assert!(words.contains("pg_control"), "{words}");
}

#[tokio::test]
async fn settings_that_would_open_the_server_are_refused() {
    let dir = open_dir();
    for name in ["listen_addresses", "Port", "hba_file", "work_mem = 1\nport", ""] {
        let words = PrivateServer::start(options(dir.path()).with(name, "x")).await.unwrap_err().to_string();
        assert!(words.contains("cannot be set here"), "{words}");
    }
    assert!(!dir.path().join("postgres").exists());
}
