//! `misy audit …` beside the running program: an export is proved, an edit by the superuser is found, the key is renewed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use misy_testkit::{
    client::http,
    program::{BOOTSTRAP_SECRET, Start},
};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::{path::Path, process::Command, time::Duration};

/// Runs the program on the same data directory: whether it succeeded, and what it said.
fn misy(data_dir: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_misy"))
        .args(arguments)
        .env("MISY_DATA_DIR", data_dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}

async fn superuser(data_dir: &Path) -> PgConnection {
    let base = std::fs::read_to_string(data_dir.join("postgres.location"))
        .map_or_else(|_| data_dir.to_path_buf(), |text| text.trim().into());
    let options = PgConnectOptions::new_without_pgpass()
        .socket(base.join("run"))
        .username("postgres")
        .database("postgres");
    PgConnection::connect_with(&options).await.unwrap()
}

#[tokio::test]
async fn the_running_program_seals_and_its_commands_find_what_was_changed() {
    let dir = tempfile::Builder::new().prefix("misy-audit").tempdir_in("/tmp").unwrap();
    let data_dir = dir.path().join("data");
    let start = Start::new(env!("CARGO_BIN_EXE_misy"), &data_dir).unwrap();
    let mut program = start.spawn().unwrap();
    assert!(program.ready(Duration::from_mins(2)).await);
    let base = format!("{}/api/meta-agent", program.url);
    let body = json!({
        "tenantName": "ColombiaTIC", "contactEmail": "hola@colombiatic.example",
        "websiteUrl": "https://colombiatic.example", "businessIndustry": "Technology"
    });
    let request =
        http().post(format!("{base}/tenants/register/owner")).bearer_auth(BOOTSTRAP_SECRET).json(&body);
    let owner: Value = request.send().await.unwrap().json().await.unwrap();
    let administrator = owner["enrollment"]["token"].as_str().expect("a token").to_owned();
    let get = async |path: &str| {
        let request =
            http().get(format!("{base}/tenants/colombiatic/audit{path}")).bearer_auth(&administrator);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };

    let (export, keys, note) =
        (dir.path().join("export"), dir.path().join("keys"), dir.path().join("checkpoint"));
    std::fs::write(&note, get("/checkpoint").await).unwrap();
    std::fs::write(&export, get("/export").await).unwrap();
    let published =
        http().get(format!("{}/.well-known/misy-audit-keys.json", program.url)).send().await.unwrap();
    std::fs::write(&keys, published.text().await.unwrap()).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let verify = |export: &Path| {
        let arguments = ["audit", "verify", &path(export), "--keys", &path(&keys), "--since", &path(&note)];
        misy(&data_dir, &arguments)
    };
    let (fine, said) = verify(&export);
    assert!(fine && said.contains("ok: every entry"), "{said}");
    let forged = dir.path().join("forged");
    let text = std::fs::read_to_string(&export).unwrap().replacen("\"bootstrap\"", "\"somebody\"", 1);
    std::fs::write(&forged, text).unwrap();
    let (fine, said) = verify(&forged);
    assert!(!fine && said.contains("is not the one that was sealed"), "{said}");

    let (fine, said) = misy(&data_dir, &["audit", "rotate-key"]);
    assert!(fine, "{said}");
    std::fs::write(&export, get("/export").await).unwrap();
    let (fine, said) = verify(&export);
    assert!(fine, "who pinned the old key sees the new one vouched for: {said}");

    // The background seals what nobody asks for.
    let mut admin = superuser(&data_dir).await;
    let mut waiting = i64::MAX;
    for _ in 0..200 {
        let query = "select count(*) from misy.audit_pending";
        waiting = sqlx::query_scalar(query).fetch_one(&mut admin).await.unwrap();
        if waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(waiting, 0);
    let (fine, said) = misy(&data_dir, &["audit", "check"]);
    assert!(fine && said.contains("ok    colombiatic"), "{said}");
    admin
        .execute(
            "alter table misy.audit_entries disable trigger append_only; \
             update misy.audit_entries set actor = 'somebody' where actor = 'bootstrap'",
        )
        .await
        .unwrap();
    let (fine, said) = misy(&data_dir, &["audit", "check", "--tenant", "colombiatic"]);
    assert!(!fine && said.contains("was changed"), "{said}");
    admin.close().await.unwrap();
    program.stop().unwrap();

    // Also while nothing runs.
    let (fine, said) = misy(&data_dir, &["audit", "check"]);
    assert!(!fine && said.contains("was changed"), "{said}");
}
