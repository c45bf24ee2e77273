//! Mail that was queued arrives at a real server, once it takes it.

use misy_orchestrator::{Mailer, WorkerSettings};
use misy_store::{
    leases::{Cursor, Lease, LeaseTerms, Share, WorkerId},
    mails::{self, Mail, Mails},
};
use misy_testkit::{
    PATIENCE,
    smtp::MailServer,
    store::{TestStore, TestTenant, test_store},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn mailer(store: &TestStore, server: &MailServer) -> Mailer {
    let from = "Misy <no-reply@misy.example>";
    Mailer::new(store.database.clone(), store.vault.clone(), &server.url(), from).unwrap()
}

async fn queue(store: &TestStore, tenant: &TestTenant, to: &str) {
    let mut tx = store.database.tenant("test.mail", &tenant.id).await.unwrap();
    let mail =
        Mail { to: to.into(), subject: "Invitación a Andina".into(), text: "Hola Luz,\n\n¡ven!\n".into() };
    mails::queue(&mut tx, &tenant.keys, &mail, &*store.clock, &*store.entropy).await.unwrap();
    tx.commit().await.unwrap();
}

/// Each mail that is there: its attempts, the code of its last failure, and whether it was given up.
async fn waiting(store: &TestStore) -> Vec<(i32, Option<String>, bool)> {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_as("select attempts, last_error, dead_at is not null from misy.mails")
        .fetch_all(&mut admin)
        .await
        .unwrap()
}

async fn until(store: &TestStore, wanted: &[(i32, Option<&str>, bool)]) {
    let reached = async {
        loop {
            let waiting = waiting(store).await;
            if waiting
                .iter()
                .map(|(attempts, error, dead)| (*attempts, error.as_deref(), *dead))
                .eq(wanted.iter().copied())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, reached).await.is_ok();
    assert!(in_time, "expected {wanted:?}, there are {:?}", waiting(store).await);
}

/// A worker that sends, until the answer is cancelled.
fn start(store: &TestStore, server: &MailServer) -> (tokio::task::JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let settings = WorkerSettings { poll: Duration::from_millis(50), ..Mailer::settings() };
    let worker = mailer(store, server).worker(store.entropy.clone(), settings);
    (tokio::spawn(worker.run(stop.clone())), stop)
}

async fn claim(store: &TestStore) -> Vec<Lease<Mails>> {
    let worker = WorkerId::new(&*store.entropy);
    let terms = LeaseTerms { length: Duration::from_mins(1), most_attempts: 12 };
    store.database.claim(&worker, 4, &terms, &Cursor::default(), Share::ALL).await.unwrap().leases
}

#[tokio::test]
async fn mail_of_several_tenants_is_sent_and_forgotten() {
    let store = test_store().await.unwrap();
    let server = MailServer::start().await.unwrap();
    for slug in ["aa", "bb"] {
        let tenant = store.tenant(slug).await.unwrap();
        queue(&store, &tenant, "luz@business.example").await;
    }
    // Also of a tenant that is suspended: somebody may wait for their link.
    store.admin("update misy.tenants set suspended_at = now() where tenant_id = 'bb'").await.unwrap();
    let (running, stop) = start(&store, &server);
    let arrived = tokio::time::timeout(PATIENCE, server.wait_for(2)).await.unwrap();
    until(&store, &[]).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[0].from, "no-reply@misy.example");
    assert_eq!(arrived[0].to, ["luz@business.example"]);
    assert!(arrived[0].data.contains("Subject: =?utf-8?"), "{}", arrived[0].data);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_tried_again_later() {
    let store = test_store().await.unwrap();
    let server = MailServer::start().await.unwrap();
    let tenant = store.tenant("aa").await.unwrap();
    queue(&store, &tenant, "luz@business.example").await;
    server.refuse(1);
    let (running, stop) = start(&store, &server);
    until(&store, &[(1, Some("mail_refused_for_now"), false)]).await;
    assert_eq!(server.mails(), vec![]);
    // Not at once, but later.
    assert!(claim(&store).await.is_empty());
    store.admin("update misy.mails set work_at = now()").await.unwrap();
    until(&store, &[]).await;
    assert_eq!(server.mails().len(), 1);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_mail_that_can_never_arrive_is_given_up_and_raises_an_alert() {
    let store = test_store().await.unwrap();
    let server = MailServer::start().await.unwrap();
    let tenant = store.tenant("aa").await.unwrap();
    queue(&store, &tenant, "no address at all").await;
    queue(&store, &tenant, "nor this").await;
    let (running, stop) = start(&store, &server);
    let dead = (1, Some("mail_address_unusable"), true);
    until(&store, &[dead, dead]).await;
    stop.cancel();
    running.await.unwrap();
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let alerts = misy_store::alerts::list(&mut tx, true, None, 10).await.unwrap();
    // Two that are given up at the same moment may each be told of.
    assert!((1..=2).contains(&alerts.len()), "{alerts:?}");
    assert_eq!(alerts[0].rule, "work_dead");
    assert_eq!(alerts[0].detail, serde_json::json!({ "kind": "mail", "error": "mail_address_unusable" }));
}

#[tokio::test]
async fn while_one_sends_a_mail_another_leaves_it_alone() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("aa").await.unwrap();
    queue(&store, &tenant, "luz@business.example").await;
    let first = claim(&store).await;
    assert_eq!((first.len(), claim(&store).await.len()), (1, 0));
    // Its lease runs out, another claims it, and the first can do nothing to it any more.
    store.admin("update misy.mails set work_at = now()").await.unwrap();
    let second = claim(&store).await;
    let mut tx = store.database.tenant_work("test.sent", &tenant.id).await.unwrap();
    assert!(mails::open(&mut tx, &tenant.keys, &first[0]).await.unwrap().is_none());
    mails::sent(&mut tx, &first[0]).await.unwrap();
    assert!(mails::open(&mut tx, &tenant.keys, &second[0]).await.unwrap().is_some());
}
