//! Prints how fast a backlog of 100,000 conversations of 1,000 tenants is claimed and worked off, and what a claim costs.
//!
//! ```text
//! cargo run --release -p misy-orchestrator --example backlog
//! ```
//!
//! Nothing here is a limit: wall time says as much about the machine as about the program.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a person at a terminal")]

use misy_orchestrator::{Turns, WorkerSettings};
use misy_store::{
    leases::{Cursor, LeaseTerms, Share, WorkerId},
    turns::Conversations,
};
use misy_testkit::store::{TestStore, test_store};
use misy_workbench::Packs;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const TENANTS: u32 = 1_000;
const CONVERSATIONS: u32 = 100;
const CLAIMS: u32 = 500;

#[tokio::main]
async fn main() {
    for conversations in [1, CONVERSATIONS] {
        let store = Arc::new(test_store().await.unwrap());
        fill(&store, conversations).await;
        claims(&store, conversations).await;
    }
    let store = Arc::new(test_store().await.unwrap());
    messages(&store).await;
}

/// Conversations that are due, without messages.
async fn fill(store: &TestStore, conversations: u32) {
    store
        .admin(format!(
            "insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry, locale,
                                       timezone)
             select 'tenant-' || t, 'standard', 'A', 'a@example.com', 'https://a.example', 'clinic', 'es', 'UTC'
             from generate_series(1, {TENANTS}) t;
             insert into misy.contacts select tenant_id, 'con_1' from misy.tenants;
             insert into misy.conversations (tenant_id, conversation_id, contact_id, work_at)
             select 'tenant-' || t, 'cnv_' || lpad(n::text, 26, '0'), 'con_1', now() - interval '1 hour'
             from generate_series(1, {conversations}) n, generate_series(1, {TENANTS}) t"
        ))
        .await
        .unwrap();
}

async fn claims(store: &TestStore, conversations: u32) {
    let worker = WorkerId::new(&*store.entropy);
    let terms = LeaseTerms { length: Duration::from_hours(1), most_attempts: 8 };
    for batch in [1, 32] {
        let mut cursor = Cursor::default();
        let mut times = Vec::new();
        let mut claimed = 0;
        for _ in 0..CLAIMS {
            let began = Instant::now();
            let got = store
                .database
                .claim::<Conversations>(&worker, batch, &terms, &cursor, Share::ALL)
                .await
                .unwrap();
            if got.leases.is_empty() {
                break;
            }
            times.push(began.elapsed());
            claimed += got.leases.len();
            cursor = got.next;
        }
        times.sort_unstable();
        if times.is_empty() {
            continue;
        }
        println!(
            "{:>6} waiting, batches of {batch:>2}: {claimed:>5} claimed, p50 {:?}, p99 {:?}",
            TENANTS * conversations,
            times[times.len() / 2],
            times[times.len() * 99 / 100],
        );
    }
}

/// Real messages through the built-in agents: from stored to answered.
async fn messages(store: &Arc<TestStore>) {
    const MANY: usize = 5_000;
    let tenant = store.tenant("andina").await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..MANY {
        sessions.push(store.session(&tenant).await.unwrap());
    }
    let began = Instant::now();
    for session in &sessions {
        store.say(&tenant, session.session_id, "1", "¿A qué hora abren mañana?").await.unwrap();
    }
    let took = began.elapsed();
    println!("{MANY} messages stored one after the other: {:.0}/s", rate(MANY, took));

    let turns = Turns::new(
        store.database.clone(),
        store.vault.clone(),
        store.bell.clone(),
        Packs::start(64 * 1024 * 1024).unwrap(),
        store.clock.clone(),
        store.entropy.clone(),
    );
    let shutdown = CancellationToken::new();
    let began = Instant::now();
    let worker = tokio::spawn(turns.worker(WorkerSettings::default()).run(shutdown.clone()));
    let mut admin = store.connect_as("postgres").await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let waiting: bool =
            sqlx::query_scalar("select exists (select from misy.conversations where work_at is not null)")
                .fetch_one(&mut admin)
                .await
                .unwrap();
        if !waiting {
            break;
        }
    }
    println!("{MANY} turns of one worker: {:.0}/s", rate(MANY, began.elapsed()));
    shutdown.cancel();
    worker.await.unwrap();
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
