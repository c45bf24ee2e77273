//! Deliveries to a real receiver that fails, is slow, is gone, and is delivered to by couriers that die.

use crate::counted::{self, PATIENCE};
use misy_domain::{ChannelAccountId, Clock, Part};
use misy_egress::{Egress, EgressSettings};
use misy_orchestrator::{Courier, WorkerSettings};
use misy_store::{
    TenantTx,
    channels::{self, Account, AccountChange, AccountStatus},
    leases::{Backoff, LeaseTerms},
};
use misy_testkit::{
    receiver::{Reaction, Received, Receiver},
    store::{TestStore, TestTenant, test_store},
};
use misy_trust::{
    WebhookSecret,
    access::{Handled, Reach},
};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Stage {
    store: TestStore,
    tenant: TestTenant,
    receiver: Receiver,
    account: ChannelAccountId,
}

/// Quick to try again, and to give a dead courier's work to another.
fn settings() -> WorkerSettings {
    WorkerSettings {
        terms: LeaseTerms { length: Duration::from_millis(400), most_attempts: 5 },
        heartbeat: Duration::from_millis(100),
        poll: Duration::from_millis(20),
        backoff: Backoff { first: Duration::from_millis(10), most: Duration::from_millis(50) },
        ..Courier::settings()
    }
}

impl Stage {
    async fn with(mood: impl Fn(usize, &Received) -> Reaction + Send + Sync + 'static) -> Self {
        let store = test_store().await.unwrap();
        let tenant = store.tenant("andina").await.unwrap();
        let receiver = Receiver::start(mood).await.unwrap();
        let account = store.account(&tenant, &receiver.url).await.unwrap();
        Self { store, tenant, receiver, account }
    }

    fn courier(&self) -> Courier {
        let egress =
            Egress::new(EgressSettings { allow_loopback: true, ..EgressSettings::default() }).unwrap();
        let TestStore { database, vault, bell, clock, .. } = &self.store;
        Courier::new(database.clone(), vault.clone(), bell.clone(), egress, clock.clone())
    }

    fn start(&self) -> (JoinHandle<()>, CancellationToken) {
        let stop = CancellationToken::new();
        let worker = self.courier().worker(self.store.entropy.clone(), settings());
        (tokio::spawn(worker.run(stop.clone())), stop)
    }

    /// A contact writes and is answered.
    async fn exchange(&self, contact: &str, id: &str, answer: &str) {
        self.store.pass_on(&self.tenant, self.account, contact, id, "Hola").await.unwrap();
        assert_eq!(self.store.answer(&[Part::text(answer)]).await.unwrap(), 1);
    }

    async fn count(&self, condition: &str) -> i64 {
        counted::deliveries(&self.store, condition).await
    }

    async fn until(&self, condition: &str, number: i64) {
        counted::until_deliveries(&self.store, condition, number).await;
    }

    async fn secrets(&self) -> Vec<WebhookSecret> {
        let mut tx = self.store.database.tenant("test", &self.tenant.id).await.unwrap();
        channels::secrets(&mut tx, &self.tenant.keys, self.account, self.store.clock.now()).await.unwrap()
    }

    async fn set(&self, status: AccountStatus) {
        let change = AccountChange { status: Some(status), ..AccountChange::default() };
        let mut tx = self.store.database.tenant("test", &self.tenant.id).await.unwrap();
        let account = handled(&mut tx, self.account).await;
        channels::change(&mut tx, &account, &change, None, self.store.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn handled(tx: &mut TenantTx, account: ChannelAccountId) -> Handled<Account> {
    let account = channels::lock(tx, account).await.unwrap().unwrap();
    Reach::of_operator().handle(account).unwrap()
}

fn words(received: &[Received]) -> Vec<String> {
    received
        .iter()
        .map(|one| one.json()["data"]["message"]["parts"][0]["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_said_arrives_signed() {
    let stage = Stage::with(|_, _| Reaction::Answer(200, r#"{"messageId":"crm-77"}"#.to_owned())).await;
    let _courier = stage.start();
    stage.exchange("customer-1", "m1", "Buenos días").await;
    let got = stage.receiver.until(1).await;
    stage.until("status = 'sent' and vendor_message_id = 'crm-77' and work_at is null", 1).await;
    let (one, event) = (&got[0], got[0].json());
    assert_eq!(event["type"], "message.created");
    assert_eq!(event["data"]["contactId"], "customer-1");
    assert_eq!(event["data"]["accountId"], stage.account.to_string());
    assert_eq!(event["data"]["deliveryId"], one.header("webhook-id"));
    assert_eq!(event["data"]["message"]["role"], "agent");
    assert_eq!(event["data"]["message"]["parts"][0]["text"], "Buenos días");
    let timestamp: i64 = one.header("webhook-timestamp").parse().unwrap();
    let expected = stage.secrets().await[0].sign(one.header("webhook-id"), timestamp, &one.body);
    assert_eq!(one.header("webhook-signature"), expected);
    assert_eq!(one.header("content-type"), "application/json");

    // While a secret takes over, both sign.
    let mut tx = stage.store.database.tenant("test", &stage.tenant.id).await.unwrap();
    let now = stage.store.clock.now();
    let until = now + Duration::from_hours(1);
    let keys = &stage.tenant.keys;
    let account = handled(&mut tx, stage.account).await;
    channels::rotate_secret(&mut tx, keys, &account, until, now, &*stage.store.entropy).await.unwrap();
    tx.commit().await.unwrap();
    stage.exchange("customer-1", "m2", "¿Algo más?").await;
    let got = stage.receiver.until(2).await;
    assert_eq!(got[1].header("webhook-signature").split(' ').count(), 2);
    assert!(got[1].header("webhook-signature").contains(&{
        let timestamp = got[1].header("webhook-timestamp").parse().unwrap();
        stage.secrets().await[1].sign(got[1].header("webhook-id"), timestamp, &got[1].body)
    }));
}

#[tokio::test]
async fn a_receiver_that_fails_gets_it_again_in_order() {
    let stage = Stage::with(|at, _| match at {
        0 => Reaction::Answer(500, String::new()),
        1 => Reaction::HangUp,
        2 => Reaction::Answer(302, String::new()),
        _ => Reaction::ok(),
    })
    .await;
    for (id, answer) in [("m1", "uno"), ("m2", "dos"), ("m3", "tres")] {
        stage.exchange("customer-1", id, answer).await;
    }
    let _courier = stage.start();
    let got = stage.receiver.until(6).await;
    stage.until("status = 'sent'", 3).await;
    assert_eq!(words(&got), ["uno", "uno", "uno", "uno", "dos", "tres"], "none overtakes the one before");
    let ids: Vec<_> = got[..4].iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the same delivery has the same id");
}

#[tokio::test]
async fn what_is_given_up_lets_the_next_go_and_can_be_revived() {
    let stage = Stage::with(|_, one| match &*words(std::slice::from_ref(one))[0] {
        "uno" => Reaction::Answer(500, String::new()),
        _ => Reaction::ok(),
    })
    .await;
    stage.exchange("customer-1", "m1", "uno").await;
    stage.exchange("customer-1", "m2", "dos").await;
    let _courier = stage.start();
    stage.until("dead_at is not null and last_error = 'callback_refused' and attempts = 5", 1).await;
    stage.until("status = 'sent'", 1).await;
    assert_eq!(words(&stage.receiver.got()), ["uno", "uno", "uno", "uno", "uno", "dos"]);
    let mut tx = stage.store.database.tenant("test", &stage.tenant.id).await.unwrap();
    let dead = misy_store::leases::dead_work(&mut tx, Some("delivery"), None, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(misy_store::leases::revive(&mut tx, "delivery", &dead[0].id).await.unwrap());
    tx.commit().await.unwrap();
    stage.receiver.until(7).await;
}

#[tokio::test]
async fn what_is_revived_takes_its_place_in_its_thread() {
    let stage = Stage::with(|at, _| match at {
        0 | 1 => Reaction::Answer(410, String::new()),
        _ => Reaction::ok(),
    })
    .await;
    for (id, answer) in [("m1", "uno"), ("m2", "dos"), ("m3", "tres")] {
        stage.exchange("customer-1", id, answer).await;
    }
    // Two are given up, each when its account was said to be gone; the third rests.
    let (courier, stop) = stage.start();
    stage.until("dead_at is not null", 1).await;
    stage.set(AccountStatus::Active).await;
    stage.until("dead_at is not null", 2).await;
    stage.until("status = 'queued' and dead_at is null and work_at is null", 1).await;
    stop.cancel();
    courier.await.unwrap();
    stage.set(AccountStatus::Active).await;
    stage.until("dead_at is null and work_at is not null", 1).await;
    // The later one first, each in a transaction of its own: still only the first of the thread is due.
    let mut admin = stage.store.connect_as("postgres").await.unwrap();
    let dead = "select delivery_id from misy.deliveries where dead_at is not null order by sequence desc";
    let dead: Vec<String> = sqlx::query_scalar(dead).fetch_all(&mut admin).await.unwrap();
    for one in &dead {
        let mut tx = stage.store.database.tenant("test", &stage.tenant.id).await.unwrap();
        assert!(misy_store::leases::revive(&mut tx, "delivery", one).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(stage.count("work_at is not null").await, 1);
        assert_eq!(stage.count(&format!("work_at is not null and delivery_id = '{one}'")).await, 1);
    }
    let _courier = stage.start();
    stage.until("status = 'sent'", 3).await;
    assert_eq!(words(&stage.receiver.got())[2..], ["uno", "dos", "tres"]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_once() {
    let stage =
        Stage::with(|at, _| if at == 0 { Reaction::Answer(410, String::new()) } else { Reaction::ok() })
            .await;
    stage.exchange("customer-1", "m1", "uno").await;
    stage.exchange("customer-2", "m2", "dos").await;
    stage.exchange("customer-1", "m3", "tres").await;
    // One after the other, so that the answer is known before the next is sent.
    let stop = CancellationToken::new();
    let one_by_one = WorkerSettings { concurrency: 1, batch: 1, ..settings() };
    let worker = stage.courier().worker(stage.store.entropy.clone(), one_by_one);
    let _courier = tokio::spawn(worker.run(stop.clone()));
    stage.until("dead_at is not null and last_error = 'callback_gone'", 1).await;
    stage.until("status = 'queued' and dead_at is null and work_at is null and attempts = 0", 2).await;
    assert_eq!(stage.receiver.got().len(), 1);
    let mut tx = stage.store.database.tenant("test", &stage.tenant.id).await.unwrap();
    let account = channels::read(&mut tx, stage.account).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!((account.status, account.disabled_reason.as_deref()), (AccountStatus::Disabled, Some("gone")));

    stage.set(AccountStatus::Active).await;
    stage.until("status = 'sent'", 2).await;
}

#[tokio::test]
async fn a_courier_that_dies_between_sending_and_noting_sends_the_same_again() {
    let stage = Stage::with(|at, _| if at == 0 { Reaction::Dawdle(PATIENCE) } else { Reaction::ok() }).await;
    stage.exchange("customer-1", "m1", "uno").await;
    let (courier, _) = stage.start();
    stage.receiver.until(1).await;
    // As a crash would: the receiver has it, and nobody has noted so.
    courier.abort();
    assert_eq!(stage.count("status = 'queued'").await, 1);
    let _another = stage.start();
    let got = stage.receiver.until(2).await;
    stage.until("status = 'sent'", 1).await;
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_couriers_deliver_each_once_and_in_order() {
    let stage = Stage::with(|_, _| Reaction::ok()).await;
    for round in 0..5 {
        for contact in 0..4 {
            let (contact, id) = (format!("customer-{contact}"), format!("m{round}-{contact}"));
            stage.exchange(&contact, &id, &round.to_string()).await;
        }
    }
    let _couriers = (stage.start(), stage.start());
    stage.until("status = 'sent'", 20).await;
    let got = stage.receiver.got();
    assert_eq!(got.len(), 20, "none twice");
    for contact in 0..4 {
        let of = |one: &&Received| one.json()["data"]["contactId"] == format!("customer-{contact}");
        let theirs: Vec<_> = got.iter().filter(of).cloned().collect();
        assert_eq!(words(&theirs), ["0", "1", "2", "3", "4"]);
    }
}

#[tokio::test]
async fn a_suspended_or_closed_tenant_and_a_disabled_account_deliver_nothing_until_they_are_back() {
    let stage = Stage::with(|_, _| Reaction::ok()).await;
    let other = stage.store.tenant("verde").await.unwrap();
    let theirs = stage.store.account(&other, &stage.receiver.url).await.unwrap();
    stage.exchange("customer-1", "m1", "uno").await;
    stage.set(AccountStatus::Disabled).await;
    let verde = |state: &str| format!("update misy.tenants set {state} where tenant_id = 'verde'");
    stage.store.pass_on(&other, theirs, "customer-9", "m1", "Hola").await.unwrap();
    assert_eq!(stage.store.answer(&[Part::text("suspendido")]).await.unwrap(), 1);
    stage.store.admin(verde("suspended_at = now()")).await.unwrap();
    let _courier = stage.start();
    // The disabled account's delivery was looked at and rests; the suspended tenant's is not even claimed.
    stage.until("tenant_id = 'andina' and work_at is null and fence > 0", 1).await;
    assert_eq!(stage.count("tenant_id = 'verde' and fence = 0").await, 1);
    assert!(stage.receiver.got().is_empty());
    stage.set(AccountStatus::Active).await;
    stage.until("tenant_id = 'andina' and status = 'sent'", 1).await;
    stage.store.admin(verde("closed_at = now(), purge_at = now() + interval '9 days'")).await.unwrap();
    // Whatever is done for others meanwhile, the closed tenant's waits.
    stage.exchange("customer-1", "m2", "dos").await;
    stage.until("tenant_id = 'andina' and status = 'sent'", 2).await;
    assert_eq!(stage.count("tenant_id = 'verde' and fence = 0").await, 1);
    stage.store.admin(verde("suspended_at = null, closed_at = null, purge_at = null")).await.unwrap();
    stage.until("status = 'sent'", 3).await;
}

#[tokio::test]
async fn a_receiver_that_dawdles_gets_it_again() {
    let stage = Stage::with(|at, _| if at == 0 { Reaction::Dawdle(PATIENCE) } else { Reaction::ok() }).await;
    stage.exchange("customer-1", "m1", "uno").await;
    let impatient = WorkerSettings { most_time: Duration::from_secs(1), ..settings() };
    let worker = stage.courier().worker(stage.store.entropy.clone(), impatient);
    let _courier = tokio::spawn(worker.run(CancellationToken::new()));
    let got = stage.receiver.until(2).await;
    stage.until("status = 'sent' and last_error is null", 1).await;
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
}

#[tokio::test]
async fn an_address_inside_is_never_called() {
    let stage = Stage::with(|_, _| Reaction::ok()).await;
    stage.exchange("customer-1", "m1", "uno").await;
    // As in production: this machine itself may not be called, whatever stands in the database.
    let egress = Egress::new(EgressSettings::default()).unwrap();
    let TestStore { database, vault, bell, clock, .. } = &stage.store;
    let courier = Courier::new(database.clone(), vault.clone(), bell.clone(), egress, clock.clone());
    let stop = CancellationToken::new();
    let worker = courier.worker(stage.store.entropy.clone(), settings());
    let _courier = tokio::spawn(worker.run(stop.clone()));
    stage.until("dead_at is not null and last_error = 'callback_unusable'", 1).await;
    assert!(stage.receiver.got().is_empty());
}
