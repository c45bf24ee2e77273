//! What the audit entry of a call costs: CPU of this process from handing it over until it is stored, of PostgreSQL, and of
//! giving it its leaf afterwards.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a measurement")]

use misy_domain::{Clock, RequestId, TenantId};
use misy_store::{
    AuditLog,
    audit::{CallEntry, SealTerms, Sealer},
};
use misy_testkit::store::{TestStore, test_store};
use misy_trust::SystemEntropy;
use sqlx::Connection;
use std::{fs, time::Instant};

const CALLS: usize = 100_000;
/// Handed over at this pace, so that none is displaced.
const AT_A_TIME: usize = 2_000;

/// CPU seconds of processes so far: user and system, in hundredths.
fn cpu(pids: &[String]) -> f64 {
    let of = |pid: &String| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
    };
    pids.iter().filter_map(of).sum::<f64>() / 100.0
}

async fn backends(store: &TestStore) -> Vec<String> {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let pids = sqlx::query_scalar::<_, String>(
        "select pid::text from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    admin.close().await.unwrap();
    pids
}

fn entry(store: &TestStore, entropy: &SystemEntropy) -> CallEntry {
    CallEntry {
        at: store.clock.now(),
        action: "writeMessage",
        actor: Some("tat_01k9z3v5d2m8q4x7c1b6n0f9gh".into()),
        site_id: Some("main".into()),
        session_id: Some("ses_01k9z3v5d2m8q4x7c1b6n0f9gh".into()),
        origin: Some("https://andina.example".into()),
        outcome: "ok",
        status: 202,
        duration_micros: 1_234,
        request_id: RequestId::new(&*store.clock, entropy),
        subject: None,
        detail: None,
    }
}

#[tokio::main]
async fn main() {
    let entropy = SystemEntropy::new();
    for tenants in [1, 100] {
        let store = test_store().await.unwrap();
        let names: Vec<TenantId> = (0..tenants).map(|n| format!("tenant-{n}").parse().unwrap()).collect();
        let log = AuditLog::start(store.database.clone());
        let me = [std::process::id().to_string()];
        let (before, began) = (cpu(&me), Instant::now());
        for round in 0..CALLS / AT_A_TIME {
            for number in 0..AT_A_TIME {
                log.record_call(names[(round + number) % tenants].clone(), entry(&store, &entropy));
            }
            while stored(&store).await < (round + 1) * AT_A_TIME {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        log.shutdown().await;
        let postgres = cpu(&backends(&store).await);
        let per_call = |seconds: f64| seconds * 1e6 / CALLS as f64;
        println!(
            "{tenants} tenants: {:.1} µs CPU per call here, {:.1} µs in PostgreSQL, {:.1} s in all, {} displaced",
            per_call(cpu(&me) - before),
            per_call(postgres),
            began.elapsed().as_secs_f64(),
            log.displaced()
        );
        let sealer = Sealer::new(
            store.database.clone(),
            store.vault.clone(),
            store.clock.clone(),
            SealTerms::default(),
        );
        let sealer = sealer.await.unwrap();
        let (before, began) = (cpu(&me), Instant::now());
        sealer.round().await.unwrap();
        println!(
            "   its leaf: {:.1} µs CPU per call here, {:.1} µs in PostgreSQL, {:.0} leaves a second",
            per_call(cpu(&me) - before),
            per_call(cpu(&backends(&store).await) - postgres),
            CALLS as f64 / began.elapsed().as_secs_f64()
        );
    }
}

async fn stored(store: &TestStore) -> usize {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let count: i64 =
        sqlx::query_scalar("select coalesce(sum(cardinality(audit_ids)), 0)::bigint from misy.audit_pending")
            .fetch_one(&mut admin)
            .await
            .unwrap();
    admin.close().await.unwrap();
    usize::try_from(count).unwrap()
}
