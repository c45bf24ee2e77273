//! Deliveries to Messenger and Instagram, which know no receipt with our reference but the echo, and let people answer longer.

use crate::whatsapp::Stage;
use misy_domain::{Channel, Clock, Part, Timestamp};
use misy_store::deliveries;
use misy_testkit::graph::Fault;
use serde_json::json;
use std::time::Duration;

const THEY: &str = "1000000000000001";

impl Stage {
    async fn they_write(&self, channel: Channel, id: &str, hours_ago: u64) {
        let at = self.store.clock.now() - Duration::from_hours(hours_ago);
        self.store.hears_on(&self.tenant, self.account, channel, THEY, id, at).await.unwrap();
    }

    /// Everything that was sent until an instant came so far.
    async fn reached(&self, status: &str, until: Timestamp) {
        let mut admin = self.store.connect_as("postgres").await.unwrap();
        let conversation: String = sqlx::query_scalar("select conversation_id from misy.channel_threads")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        let mut tx = self.store.database.tenant("test", &self.tenant.id).await.unwrap();
        let conversation = conversation.parse().unwrap();
        deliveries::note_reached(&mut tx, self.account, conversation, status, until).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The time by the clock that pieces are noted by.
    async fn present(&self) -> Timestamp {
        let mut admin = self.store.connect_as("postgres").await.unwrap();
        let seconds = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
        let micros = sqlx::query_scalar::<_, i64>(seconds).fetch_one(&mut admin).await.unwrap();
        Timestamp::from_microsecond(micros).unwrap()
    }
}

#[tokio::test]
async fn what_was_taken_without_an_answer_is_known_by_its_echo() {
    let stage = Stage::of_page(Channel::Messenger, false).await;
    stage.they_write(Channel::Messenger, "m_IN1", 0).await;
    stage.graph.next([Fault::TakeAndHangUp]);
    stage.says(&[Part::text("**Buenos días**")]).await;
    let sent = stage.graph.until(1).await;
    assert_eq!(
        (&sent[0]["recipient"]["id"], &sent[0]["message"]["text"]),
        (&json!(THEY), &json!("Buenos días"))
    );
    assert!(stage.receipt(&sent[0], "m_TAKEN", "sent", None).await);
    stage.until("status = 'sent'", 1).await;
    assert_eq!(stage.graph.sent().len(), 1, "once");

    // Receipts name an instant: what was sent until then has arrived, and what came later has not.
    let until = stage.present().await;
    stage.they_write(Channel::Messenger, "m_IN2", 0).await;
    stage.says(&[Part::text("dos")]).await;
    stage.until("status = 'sent'", 2).await;
    stage.reached("delivered", until).await;
    stage.until("status = 'delivered'", 1).await;
    stage.reached("read", stage.present().await).await;
    stage.until("status = 'read' and read_at is not null and delivered_at is not null", 2).await;
    stage.reached("delivered", stage.present().await).await;
    stage.until("status = 'read'", 2).await;
}

#[tokio::test]
async fn after_a_day_agents_wait_until_they_write() {
    for human_agent in [true, false] {
        let stage = Stage::of_page(Channel::Instagram, human_agent).await;
        stage.they_write(Channel::Instagram, "m_IN1", 25).await;
        stage.says(&[Part::text("uno")]).await;
        stage.until("status = 'queued' and work_at is null and last_error = 'window_closed'", 1).await;
        assert!(stage.graph.sent().is_empty(), "no machine speaks under the tag of people");
        // They write: everything may be said.
        stage.they_write(Channel::Instagram, "m_IN2", 0).await;
        assert_eq!(stage.graph.until(1).await[0]["messaging_type"], "RESPONSE");
    }
}

#[tokio::test]
async fn the_vendors_codes_decide() {
    let stage = Stage::of_page(Channel::Messenger, false).await;
    let say = async |id: &str| {
        stage.they_write(Channel::Messenger, id, 0).await;
        stage.says(&[Part::text("Hola")]).await;
    };
    stage.graph.next([Fault::Refuse(400, 613), Fault::Refuse(500, 2)]);
    say("m_IN1").await;
    stage.until("status = 'sent'", 1).await;
    assert_eq!(stage.graph.sent().len(), 3, "too fast, and not well: again");
    stage.graph.next([Fault::Refuse(400, 551)]);
    say("m_IN2").await;
    stage.until("dead_at is not null and last_error = 'contact_unreachable'", 1).await;
    stage.graph.next([Fault::RefuseAs(400, 10, 2_018_278)]);
    say("m_IN3").await;
    stage.until("work_at is null and last_error = 'window_closed'", 1).await;
    // The vendor does not know whether it was taken: it is sent again when no echo came.
    stage.graph.next([Fault::RefuseAs(500, 1, 99)]);
    stage.they_write(Channel::Messenger, "m_IN4", 0).await;
    stage.until("status = 'sent'", 2).await;
    let sent = stage.graph.sent();
    let pieces: Vec<_> = sent
        .iter()
        .rev()
        .take(2)
        .map(|one| one["message"]["metadata"].as_str().unwrap().rsplit_once('/').unwrap().0)
        .collect();
    assert_eq!(pieces[0], pieces[1]);
    stage.graph.next([Fault::Refuse(401, 190)]);
    say("m_IN5").await;
    stage.until("status = 'queued' and dead_at is null and work_at is null", 1).await;
}
