//! Delivers what is said on accounts. With the API channel that is a signed `POST` to the tenant's program, as Standard Webhooks
//! has it: each is sent at least once, under the same id each time, as a courier that dies between sending and noting it sends
//! again. What goes to a vendor is in [`vendors`].

mod signs;
mod vendors;

pub use signs::Signs;

use crate::{
    Worker, WorkerSettings,
    worker::{Handler, WorkError},
};
use http::{HeaderName, HeaderValue, StatusCode};
use misy_channels::vendor;
use misy_domain::{ChannelAccountId, Clock, ConversationId, DeliveryId, Entropy, Message, Timestamp};
use misy_egress::{Egress, EgressError, Reach, Request, Response};
use misy_store::{
    Bell, Database, Vault,
    credentials::keys_of,
    deliveries::{self, Deliveries, Delivery},
    leases::{Backoff, Lease, LeaseTerms, Trouble},
};
use misy_telemetry::{Field, Span as TraceSpan, Traced};
use misy_trust::webhook_signatures;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tracing::{debug, warn};
use vendors::Vendors;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The longest that a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest id that a receiver may give a message.
const LONGEST_VENDOR_ID: usize = 256;

/// Makes deliveries.
#[derive(Clone)]
pub struct Courier {
    database: Database,
    vault: Vault,
    bell: Bell,
    egress: Egress,
    clock: Arc<dyn Clock>,
    vendors: Vendors,
}

/// What is sent.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    delivery_id: DeliveryId,
    account_id: ChannelAccountId,
    contact_id: &'a str,
    conversation_id: ConversationId,
    message: &'a Message,
}

/// What the receiver may answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    message_id: Option<String>,
}

impl Courier {
    /// A courier that goes this way out.
    pub fn new(database: Database, vault: Vault, bell: Bell, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self { database, vault, bell, egress, clock, vendors: Vendors::default() }
    }

    /// Has it call the vendors of channels here.
    #[must_use]
    pub fn calling(mut self, graph_url: String) -> Self {
        self.vendors.graph_url = graph_url;
        self
    }

    /// How long it waits for a receipt of what a vendor may have taken or not, before it sends that again.
    #[must_use]
    pub fn unsure_for(mut self, time: Duration) -> Self {
        self.vendors.unsure_for = time;
        self
    }

    /// Tells contacts that they are read, as this courier calls their vendors.
    pub fn signs(&self) -> Signs {
        Signs::of(self.clone())
    }

    /// A worker that delivers with this courier.
    pub fn worker(self, entropy: Arc<dyn Entropy>, settings: WorkerSettings) -> Worker<Self> {
        Worker::new(self.database.clone(), entropy, settings, self)
    }

    /// How deliveries are made: many at a time, as receivers are slow, and each tried for about a day.
    pub fn settings() -> WorkerSettings {
        WorkerSettings {
            concurrency: 64,
            beside_others: None,
            batch: 32,
            terms: LeaseTerms { length: Duration::from_secs(30), most_attempts: 17 },
            heartbeat: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            backoff: Backoff { first: Duration::from_secs(5), most: Duration::from_hours(6) },
            most_time: Duration::from_secs(25),
            grace: Duration::from_secs(20),
            ..WorkerSettings::default()
        }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Response, WorkError> {
        let unusable = || WorkError::Hopeless(Trouble::CallbackUnusable);
        let url = delivery.callback_url.as_deref().ok_or_else(unusable)?;
        let event = Event {
            kind: "message.created",
            timestamp: delivery.message.created_at,
            data: Data {
                delivery_id: delivery.delivery_id,
                account_id: delivery.account_id,
                contact_id: &delivery.external_id,
                conversation_id: delivery.conversation_id,
                message: &delivery.message,
            },
        };
        let body = serde_json::to_vec(&event).map_err(|_| unusable())?;
        let (id, timestamp) = (delivery.delivery_id.to_string(), self.clock.now().as_second());
        let signatures = webhook_signatures(&delivery.secrets, &id, timestamp, &body);
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| unusable());
        let mut request = Request::post(url, "application/json", body)
            .map_err(|_| unusable())?
            .header(ID, header(&id)?)
            .header(TIMESTAMP, HeaderValue::from(timestamp))
            .header(SIGNATURE, header(&signatures)?);
        request.timeout = Some(PATIENCE);
        self.egress.send(Reach::Internet, request).await.map_err(|error| {
            // What stands in the answer or the address is the tenant's own affair.
            warn!(%error, "a receiver could not be reached");
            match error {
                EgressError::NotAnAddress | EgressError::NotEncrypted => unusable(),
                EgressError::Forbidden(_) => WorkError::Failed(Trouble::CallbackUnusable),
                _ => WorkError::Failed(Trouble::CallbackUnreachable),
            }
        })
    }

    /// The receiver is no more: the account is disabled, so that the rest is not sent in vain.
    async fn gone(&self, lease: &Lease<Deliveries>, delivery: &Delivery) -> Result<(), WorkError> {
        let mut tx = self.database.tenant_work("deliveries.gone", &lease.tenant).await?;
        let (account, version) = (delivery.account_id, delivery.account_version);
        let gone = deliveries::receiver_is_gone(&mut tx, account, version, self.clock.now()).await?;
        tx.commit().await?;
        // Of an account that was changed meanwhile, the receiver that it has now is tried.
        Err(if gone { WorkError::Hopeless } else { WorkError::Failed }(Trouble::CallbackGone))
    }
}

impl Handler for Courier {
    type Kind = Deliveries;

    async fn rung(&self) {
        self.bell.deliveries().await;
    }

    async fn handle(&self, lease: &Lease<Deliveries>) -> Result<(), WorkError> {
        let keys = keys_of(&self.vault, &self.database, &lease.tenant).await?;
        let mut tx = self.database.tenant_work("deliveries.load", &lease.tenant).await?;
        let delivery = deliveries::load(&mut tx, &keys, lease, self.clock.now()).await?;
        tx.commit().await?;
        let Some(delivery) = delivery else { return Ok(()) };
        let span = TraceSpan::after("deliver", delivery.message.trace);
        span.id(Field::Tenant, &lease.tenant)
            .id(Field::Conversation, &delivery.conversation_id)
            .id(Field::Message, &delivery.message.message_id)
            .set(Field::Attempts, i64::from(lease.attempts));
        let delivered = self.deliver(lease, &delivery).in_span(&span).await;
        if let Err(error) = &delivered {
            span.fail(error.trouble().code());
        }
        delivered
    }
}

impl Courier {
    /// Sends a delivery and notes that it has left.
    async fn deliver(&self, lease: &Lease<Deliveries>, delivery: &Delivery) -> Result<(), WorkError> {
        if let Some((vendor, account)) = vendor(delivery.channel).zip(delivery.vendor.as_ref()) {
            return self.deliver_to_vendor(lease, delivery, vendor, account).await;
        }
        let answer = self.send(delivery).await?;
        match answer.status {
            status if status.is_success() => {}
            StatusCode::GONE => return self.gone(lease, delivery).await,
            status => {
                warn!(%status, "a receiver did not take a delivery");
                return Err(WorkError::Failed(Trouble::CallbackRefused));
            }
        }
        debug!("delivered");
        let vendor_id = answer.json::<Answer>().ok().and_then(|answer| answer.message_id);
        let vendor_id = vendor_id.filter(|id| id.chars().count() <= LONGEST_VENDOR_ID && !id.contains('\0'));
        let mut tx = self.database.tenant_work("deliveries.sent", &lease.tenant).await?;
        deliveries::sent(&mut tx, lease, vendor_id.as_deref(), self.clock.now()).await?;
        tx.commit().await?;
        // The next of the thread.
        self.bell.ring_deliveries();
        Ok(())
    }
}
