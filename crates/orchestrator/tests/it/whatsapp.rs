//! Deliveries to a vendor that refuses, is slow, hangs up after it has taken something, and lets nobody be answered after a day.

use crate::counted;
use misy_domain::{Channel, ChannelAccountId, Clock, Part, message::Button};
use misy_egress::{Egress, EgressSettings};
use misy_orchestrator::{Courier, WorkerSettings};
use misy_store::{
    channels::{self, AccountStatus, Reopening},
    deliveries::{self, Progress},
    leases::{Backoff, LeaseTerms},
};
use misy_testkit::{
    copies::{forms_of, id_with_number},
    graph::{Fault, Graph, vendor_id},
    receiver::Reaction,
    store::{TestStore, TestTenant, test_store},
};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const CUSTOMER: &str = "15550002222";

/// A tenant with an account of a vendor's, and a courier.
pub(crate) struct Stage {
    pub(crate) store: TestStore,
    pub(crate) tenant: TestTenant,
    pub(crate) graph: Graph,
    pub(crate) account: ChannelAccountId,
}

impl Stage {
    async fn start() -> Self {
        Self::with(None).await
    }

    async fn with(reopening: Option<Reopening>) -> Self {
        let store = test_store().await.unwrap();
        let tenant = store.tenant("andina").await.unwrap();
        let graph = Graph::start().await.unwrap();
        let account = store.number(&tenant, &graph, reopening).await.unwrap();
        Self { store, tenant, graph, account }.served()
    }

    /// The same with a page, or its account of Instagram.
    pub(crate) async fn of_page(channel: Channel, human_agent: bool) -> Self {
        let store = test_store().await.unwrap();
        let tenant = store.tenant("andina").await.unwrap();
        let graph = Graph::start().await.unwrap();
        let account = store.page(&tenant, &graph, channel, human_agent).await.unwrap();
        Self { store, tenant, graph, account }.served()
    }

    fn served(self) -> Self {
        let egress =
            Egress::new(EgressSettings { allow_loopback: true, ..EgressSettings::default() }).unwrap();
        let TestStore { database, vault, bell, clock, .. } = &self.store;
        let courier = Courier::new(database.clone(), vault.clone(), bell.clone(), egress, clock.clone())
            .calling(self.graph.url.clone())
            .unsure_for(Duration::from_millis(300));
        let settings = WorkerSettings {
            terms: LeaseTerms { length: Duration::from_secs(2), most_attempts: 8 },
            heartbeat: Duration::from_millis(100),
            poll: Duration::from_millis(20),
            backoff: Backoff { first: Duration::from_millis(10), most: Duration::from_millis(50) },
            ..Courier::settings()
        };
        tokio::spawn(courier.worker(self.store.entropy.clone(), settings).run(CancellationToken::new()));
        self
    }

    async fn hears(&self, id: &str, hours_ago: u64) {
        let at = self.store.clock.now() - Duration::from_hours(hours_ago);
        self.store.hears(&self.tenant, self.account, CUSTOMER, id, at).await.unwrap();
    }

    pub(crate) async fn says(&self, parts: &[Part]) {
        assert_eq!(self.store.answer(parts).await.unwrap(), 1);
    }

    async fn exchange(&self, id: &str, answer: &str) {
        self.hears(id, 0).await;
        self.says(&[Part::text(answer)]).await;
    }

    pub(crate) async fn until(&self, condition: &str, number: i64) {
        counted::until_deliveries(&self.store, condition, number).await;
    }

    /// A receipt of something that was sent.
    pub(crate) async fn receipt(
        &self,
        sent: &Value,
        vendor_message_id: &str,
        status: &str,
        error: Option<&str>,
    ) -> bool {
        let reference = [&sent["biz_opaque_callback_data"], &sent["message"]["metadata"]];
        let piece = reference.iter().find_map(|text| text.as_str()).and_then(|text| text.parse().ok());
        let mut tx = self.store.database.tenant("test", &self.tenant.id).await.unwrap();
        let progress = Progress { piece, vendor_message_id, status, error };
        let known =
            deliveries::note_receipt(&mut tx, &self.tenant.keys, self.account, &progress).await.unwrap();
        tx.commit().await.unwrap();
        known
    }
}

fn words(sent: &[Value]) -> Vec<&str> {
    sent.iter().map(|one| one["text"]["body"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn what_is_said_is_sent_once_and_receipts_say_how_far_it_came() {
    let stage = Stage::start().await;
    stage.exchange("wamid.IN1", "**Buenos días**").await;
    let sent = stage.graph.until(1).await;
    stage.until("status = 'sent' and work_at is null", 1).await;
    assert_eq!((&sent[0]["to"], words(&sent)[0]), (&Value::from("+15550002222"), "*Buenos días*"));
    // The read one overtakes the delivered one, and everything comes twice.
    for status in ["read", "delivered", "sent", "read", "failed"] {
        let error = (status == "failed").then_some("vendor_refused");
        assert!(stage.receipt(&sent[0], &vendor_id(0), status, error).await);
        stage.until("status = 'read' and read_at is not null and delivered_at is not null", 1).await;
    }
    let none = Value::Null;
    assert!(!stage.receipt(&none, "wamid.UNKNOWN", "read", None).await);
    assert!(stage.receipt(&none, &vendor_id(0), "read", None).await, "also by the vendor's id alone");
    assert_eq!(stage.graph.sent().len(), 1);
}

#[tokio::test]
async fn a_long_answer_goes_in_pieces_and_goes_on_where_it_was() {
    let stage = Stage::start().await;
    let long = format!("{} {}", "uno ".repeat(1_000).trim_end(), "dos ".repeat(1_000).trim_end());
    stage.graph.next([
        Fault::React(ok_with("wamid.FIRST")),
        Fault::Refuse(503, 2),
        Fault::Refuse(400, 131_056),
    ]);
    stage.exchange("wamid.IN1", &long).await;
    let sent = stage.graph.until(4).await;
    stage.until("status = 'sent'", 1).await;
    let texts = words(&sent);
    assert_ne!(texts[0], texts[1]);
    assert_eq!((texts[1], texts[1]), (texts[2], texts[3]), "the first is not sent again");
    assert_eq!(stage.graph.sent().len(), 4);
    // It is as far as its last piece.
    stage.receipt(&sent[0], "wamid.FIRST", "read", None).await;
    stage.until("status = 'sent'", 1).await;
    stage.receipt(&sent[3], &vendor_id(3), "delivered", None).await;
    stage.until("status = 'delivered'", 1).await;
}

fn ok_with(id: &str) -> Reaction {
    Reaction::Answer(200, format!(r#"{{"messages":[{{"id":"{id}"}}]}}"#))
}

#[tokio::test]
async fn a_copy_of_the_database_tells_no_number_of_whom_something_was_sent_to() {
    let stage = Stage::start().await;
    let ids = [1, 2].map(|own| id_with_number(CUSTOMER, own));
    stage.graph.next([Fault::React(ok_with(&ids[0])), Fault::TakeAndHangUp]);
    stage.exchange(&id_with_number(CUSTOMER, 3), "uno").await;
    stage.until("status = 'sent'", 1).await;
    stage.exchange(&id_with_number(CUSTOMER, 4), "dos").await;
    let sent = stage.graph.until(2).await;
    assert!(stage.receipt(&Value::Null, &ids[0], "read", None).await, "found by the vendor's id alone");
    assert!(stage.receipt(&sent[1], &ids[1], "delivered", None).await, "by our reference");
    assert!(stage.receipt(&Value::Null, &ids[1], "read", None).await, "by the id of the receipt before");
    stage.until("status = 'read'", 2).await;
    let found = stage.store.tables_with(&forms_of(CUSTOMER)).await.unwrap();
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn what_the_vendor_may_have_taken_is_not_sent_again_once_a_receipt_says_so() {
    let stage = Stage::start().await;
    stage.graph.next([Fault::TakeAndHangUp]);
    stage.exchange("wamid.IN1", "uno").await;
    let sent = stage.graph.until(1).await;
    assert!(stage.receipt(&sent[0], "wamid.TAKEN", "delivered", None).await);
    stage.until("status = 'delivered'", 1).await;
    assert_eq!(stage.graph.sent().len(), 1, "once");

    // Without a receipt nobody knows: it is sent again, and later. A gateway says no more than nobody.
    stage.graph.next([Fault::React(Reaction::Answer(504, "<html>".into())), Fault::TakeAndHangUp]);
    stage.exchange("wamid.IN2", "dos").await;
    let sent = stage.graph.until(3).await;
    let of = |at: usize| sent[at]["biz_opaque_callback_data"].as_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!((of(1).0, of(1).1, of(2).1), (of(2).0, "1", "2"), "the same piece, tried twice");
    // That the first failed says nothing of the second.
    assert!(stage.receipt(&sent[1], "wamid.FIRST", "failed", Some("vendor_refused")).await);
    stage.until("dead_at is null", 2).await;
    assert!(stage.receipt(&sent[2], "wamid.SECOND", "delivered", None).await);
    stage.until("status = 'delivered'", 2).await;
    assert_eq!(stage.graph.sent().len(), 3);

    stage.graph.next([Fault::React(Reaction::Answer(502, "<html>".into()))]);
    stage.exchange("wamid.IN3", "tres").await;
    let sent = stage.graph.until(4).await;
    assert!(stage.receipt(&sent[3], "wamid.THIRD", "sent", None).await);
    stage.until("status in ('sent', 'delivered')", 3).await;
    assert_eq!(stage.graph.sent().len(), 4, "the gateway had passed it on");
}

#[tokio::test]
async fn who_writes_while_an_answer_is_being_held_is_answered() {
    let stage = Stage::start().await;
    stage.graph.next([Fault::Refuse(400, 131_047)]);
    stage.exchange("wamid.IN1", "uno").await;
    stage.until("work_at is null and last_error = 'window_closed'", 1).await;
    // What holds it has not ended when they write: as long as that has the thread, nobody looks.
    let mut holding = stage.store.connect_as("postgres").await.unwrap();
    let mut held = sqlx::Connection::begin(&mut holding).await.unwrap();
    sqlx::query("select from misy.channel_threads for no key update").execute(&mut *held).await.unwrap();
    let waits =
        "update misy.deliveries set work_at = clock_timestamp() + interval '1 hour', last_error = null";
    sqlx::query(waits).execute(&mut stage.store.connect_as("postgres").await.unwrap()).await.unwrap();
    let rests = "update misy.deliveries set work_at = null, last_error = 'window_closed'";
    sqlx::query(rests).execute(&mut *held).await.unwrap();
    let blocked = async {
        let mut admin = stage.store.connect_as("postgres").await.unwrap();
        let waiting = "select exists (select from pg_locks where not granted)";
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut admin).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        held.commit().await.unwrap();
    };
    tokio::join!(stage.hears("wamid.IN2", 0), blocked);
    stage.graph.until(2).await;
    stage.until("status = 'sent'", 1).await;

    // The vendor says afterwards that it was too late, and they have written meanwhile.
    let sent = stage.graph.sent();
    stage.hears("wamid.IN3", 0).await;
    stage.receipt(&sent[1], &vendor_id(1), "failed", Some("window_closed")).await;
    stage.graph.until(3).await;
    stage.until("status = 'sent'", 1).await;
}

#[tokio::test]
async fn a_message_that_is_refused_is_given_up_and_an_account_that_is_blocked_is_paused() {
    let stage = Stage::start().await;
    stage.graph.next([Fault::Refuse(400, 131_026)]);
    stage.exchange("wamid.IN1", "uno").await;
    stage.until("dead_at is not null and last_error = 'contact_unreachable' and attempts = 1", 1).await;
    stage.graph.next([Fault::Refuse(401, 190)]);
    stage.exchange("wamid.IN2", "dos").await;
    stage.until("status = 'queued' and dead_at is null and work_at is null", 1).await;
    let mut tx = stage.store.database.tenant("test", &stage.tenant.id).await.unwrap();
    let account = channels::read(&mut tx, stage.account).await.unwrap().unwrap();
    let alerts = misy_store::alerts::list(&mut tx, false, None, 10).await.unwrap();
    tx.commit().await.unwrap();
    let told = alerts.iter().find(|alert| alert.rule == "channel_paused").unwrap();
    assert_eq!(told.subject, Some(stage.account.to_string()));
    assert_eq!(told.detail["reason"], "vendor_unauthorised");
    let expected = (AccountStatus::Paused, Some("vendor_unauthorised"));
    assert_eq!((account.status, account.disabled_reason.as_deref()), expected);
    // It takes messages all the same.
    stage.hears("wamid.IN3", 0).await;
    assert_eq!(stage.graph.sent().len(), 2);
}

#[tokio::test]
async fn after_a_day_the_template_goes_and_the_answer_waits_until_they_write() {
    let reopening = Reopening { name: "we_have_an_answer".into(), language: "es_CO".into() };
    let stage = Stage::with(Some(reopening)).await;
    stage.hears("wamid.IN1", 25).await;
    stage.says(&[Part::text("uno")]).await;
    stage
        .until("status = 'queued' and work_at is null and last_error = 'window_closed' and attempts = 0", 1)
        .await;
    let sent = stage.graph.sent();
    assert_eq!((sent.len(), &sent[0]["template"]["name"]), (1, &Value::from("we_have_an_answer")));

    stage.hears("wamid.IN2", 0).await;
    let sent = stage.graph.until(2).await;
    stage.until("status = 'sent'", 1).await;
    assert_eq!(words(&sent), ["", "uno"], "the template once, and the answer when they wrote");
}

#[tokio::test]
async fn the_vendor_may_close_the_window_before_we_do() {
    let stage = Stage::start().await;
    // When it is sent, and after it was taken.
    stage.graph.next([Fault::Refuse(400, 131_047)]);
    stage.exchange("wamid.IN1", "uno").await;
    stage.until("work_at is null and last_error = 'window_closed'", 1).await;
    stage.hears("wamid.IN2", 0).await;
    let sent = stage.graph.until(2).await;
    stage.until("status = 'sent'", 1).await;
    stage.receipt(&sent[1], &vendor_id(1), "failed", Some("window_closed")).await;
    stage
        .until(
            "status = 'queued' and work_at is null and dead_at is null and last_error = 'window_closed'",
            1,
        )
        .await;
    stage.hears("wamid.IN3", 0).await;
    stage.graph.until(3).await;
    stage.until("status = 'sent'", 1).await;
}

#[tokio::test]
async fn what_fails_after_it_was_taken_is_given_up_and_can_be_revived() {
    let stage = Stage::start().await;
    stage.exchange("wamid.IN1", "uno").await;
    let sent = stage.graph.until(1).await;
    stage.until("status = 'sent'", 1).await;
    stage.receipt(&sent[0], &vendor_id(0), "failed", Some("contact_unreachable")).await;
    stage.until("dead_at is not null and last_error = 'contact_unreachable'", 1).await;
    let mut tx = stage.store.database.tenant("test", &stage.tenant.id).await.unwrap();
    let dead = misy_store::leases::dead_work(&mut tx, Some("delivery"), None, 10).await.unwrap();
    assert!(misy_store::leases::revive(&mut tx, "delivery", &dead[0].id).await.unwrap());
    tx.commit().await.unwrap();
    stage.graph.until(2).await;
    stage.until("status = 'sent'", 1).await;
}

#[tokio::test]
async fn buttons_bring_back_their_message() {
    let stage = Stage::start().await;
    stage.hears("wamid.IN1", 0).await;
    let button = |id: &str| Button { id: id.into(), title: id.into(), reference: None, url: None };
    stage.says(&[Part::Buttons { text: "¿Cuál?".into(), buttons: vec![button("a"), button("b")] }]).await;
    let sent = stage.graph.until(1).await;
    let id = sent[0]["interactive"]["action"]["buttons"][1]["reply"]["id"].as_str().unwrap().to_owned();
    let (message, pressed) = misy_channels::pressed(&id).unwrap();
    assert_eq!(pressed, "b");
    stage.until(&format!("message_id = '{message}'"), 1).await;
}
