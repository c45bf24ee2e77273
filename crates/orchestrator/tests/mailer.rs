//! Mail that was queued arrives at a real server, once it takes it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it should be"
)]

use misy_orchestrator::Mailer;
use misy_store::mails::{self, Mail};
use misy_testkit::{
    smtp::MailServer,
    store::{TestStore, TestTenant, test_store},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);

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

async fn waiting(store: &TestStore) -> Vec<(i32, bool)> {
    let mut admin = store.connect_as("postgres").await.unwrap();
    sqlx::query_as("select attempts, dead_at is not null from misy.mails")
        .fetch_all(&mut admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn mail_of_several_tenants_is_sent_and_forgotten() {
    let store = test_store().await.unwrap();
    let server = MailServer::start().await.unwrap();
    for slug in ["aa", "bb"] {
        let tenant = store.tenant(slug).await.unwrap();
        queue(&store, &tenant, "luz@business.example").await;
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(mailer(&store, &server).run(stop.clone()));
    let arrived = tokio::time::timeout(PATIENCE, server.wait_for(2)).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[0].from, "no-reply@misy.example");
    assert_eq!(arrived[0].to, ["luz@business.example"]);
    assert!(arrived[0].data.contains("Subject: =?utf-8?"), "{}", arrived[0].data);
    assert_eq!(waiting(&store).await, []);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_tried_again_later() {
    let store = test_store().await.unwrap();
    let server = MailServer::start().await.unwrap();
    let tenant = store.tenant("aa").await.unwrap();
    queue(&store, &tenant, "luz@business.example").await;
    server.refuse(1);
    let mailer = mailer(&store, &server);
    assert_eq!(mailer.round().await.unwrap(), 1);
    assert_eq!((server.mails(), waiting(&store).await), (vec![], vec![(1, false)]));
    // Not at once, but later.
    assert_eq!(mailer.round().await.unwrap(), 0);
    store.admin("update misy.mails set due_at = now()").await.unwrap();
    assert_eq!(mailer.round().await.unwrap(), 1);
    assert_eq!((server.mails().len(), waiting(&store).await), (1, vec![]));
}

#[tokio::test]
async fn a_mail_that_can_never_arrive_is_given_up() {
    let store = test_store().await.unwrap();
    let server = MailServer::start().await.unwrap();
    let tenant = store.tenant("aa").await.unwrap();
    queue(&store, &tenant, "no address at all").await;
    assert_eq!(mailer(&store, &server).round().await.unwrap(), 1);
    assert_eq!(waiting(&store).await, [(1, true)]);
}

#[tokio::test]
async fn while_one_sends_a_mail_another_leaves_it_alone() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("aa").await.unwrap();
    queue(&store, &tenant, "luz@business.example").await;
    let first = store.database.claim_mails(4).await.unwrap();
    assert_eq!((first.len(), store.database.claim_mails(4).await.unwrap().len()), (1, 0));
    // Its lease runs out, another claims it, and the first can do nothing to it any more.
    store.admin("update misy.mails set due_at = now()").await.unwrap();
    let second = store.database.claim_mails(4).await.unwrap();
    let mut tx = store.database.tenant_work("test.sent", &tenant.id).await.unwrap();
    assert!(mails::open(&mut tx, &tenant.keys, &first[0]).await.unwrap().is_none());
    mails::sent(&mut tx, &first[0]).await.unwrap();
    assert!(mails::open(&mut tx, &tenant.keys, &second[0]).await.unwrap().is_some());
}
