//! `/tenants/{tenantId}/channels/{accountId}/deliveries`: what was and is to be delivered.

use crate::{
    api::tenants::{Page, PageQuery},
    desk::FrontDesk,
    management::Managed,
    problem::Problem,
};
use axum::{Json, extract::State};
use misy_domain::{ChannelAccountId, DeliveryId, Timestamp, act};
use misy_store::{
    channels,
    deliveries::{self, Standing},
};
use serde::Serialize;
use utoipa::ToSchema;

/// How a delivery stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub struct DeliveryAnswer {
    /// Its id: the `webhook-id` of each attempt.
    #[schema(value_type = String, example = "dlv_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    delivery_id: DeliveryId,
    /// The conversation.
    conversation_id: String,
    /// The message.
    message_id: String,
    /// The place of the message in the conversation.
    sequence: i64,
    /// `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
    #[schema(example = "sent")]
    status: String,
    /// The id that the receiver gave it.
    vendor_message_id: Option<String>,
    /// How often it was tried without an end.
    attempts: i32,
    /// The code of the last failure.
    #[schema(example = "callback_refused")]
    last_error: Option<String>,
    /// When it is tried again; nothing while another is to leave before it.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// When the message was said.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it left.
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
}

impl From<Standing> for DeliveryAnswer {
    fn from(delivery: Standing) -> Self {
        Self {
            delivery_id: delivery.delivery_id,
            conversation_id: delivery.conversation_id,
            message_id: delivery.message_id,
            sequence: delivery.sequence,
            status: delivery.status,
            vendor_message_id: delivery.vendor_message_id,
            attempts: delivery.attempts,
            last_error: delivery.last_error,
            next_attempt_at: delivery.next_attempt_at,
            created_at: delivery.created_at,
            sent_at: delivery.sent_at,
        }
    }
}

/// List what was and is to be delivered
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}/deliveries", tag = "channels",
    operation_id = "listDeliveries",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("accountId" = String, Path, description = "The account"),
        PageQuery,
    ),
    responses((status = 200, description = "Deliveries from the newest", body = Page<DeliveryAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsRead>,
) -> Result<Json<Page<DeliveryAnswer>>, Problem> {
    let id: ChannelAccountId = call.received.param("accountId")?;
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("channels.deliveries", &call.tenant).await?;
    channels::read(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let deliveries = deliveries::list(&mut tx, id, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(deliveries, limit, |one| one.delivery_id.to_string()).map(DeliveryAnswer::from)))
}
