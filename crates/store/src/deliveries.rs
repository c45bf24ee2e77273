//! Deliveries: what is said to a contact on a channel account and is to leave.

mod pieces;

pub use pieces::{
    Begun, PieceReference, Progress, REOPENING, begin_piece, heard, hold, message_of, note_reached,
    note_receipt, note_receipts, piece_refused, piece_taken, settle,
};

use crate::{
    StoreError, TenantKeys, TenantTx,
    channels::{self, VendorAccount},
    leases::{Lease, Leased},
    messages,
    readable::stored,
    vault::Via,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{
    Channel, ChannelAccountId, ConversationId, DeliveryId, Message, MessageId, Timestamp,
    tenant::TenantStatus,
};
use misy_trust::WebhookSecret;

/// Deliveries, as leased work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deliveries;

impl Leased for Deliveries {
    type Id = DeliveryId;
    const TABLE: &'static str = "deliveries";
    const KIND: &'static str = "delivery";
}

/// A delivery that is to be made now.
pub struct Delivery {
    /// Its id: the same with each attempt, so that the receiver knows what it has already.
    pub delivery_id: DeliveryId,
    /// The account that it leaves on.
    pub account_id: ChannelAccountId,
    /// The version of the account: what is answered says something of this one alone.
    pub account_version: i64,
    /// Its channel.
    pub channel: Channel,
    /// Where the account has its deliveries sent.
    pub callback_url: Option<String>,
    /// What it is signed with.
    pub secrets: Vec<WebhookSecret>,
    /// Who it is for, by the vendor's id.
    pub external_id: String,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What is said.
    pub message: Message,
    /// When the contact wrote last.
    pub heard_at: Option<Timestamp>,
    /// What the account has with its vendor, if it has one.
    pub vendor: Option<VendorAccount>,
}

/// Reads what is to be delivered. `None` if the account is disabled, or the tenant suspended or closed: then the delivery waits
/// until that is over, once the transaction is committed. [`StoreError::LeaseLost`] if it is somebody else's by now.
///
/// What is read is current: whoever disables the account or suspends the tenant after that comes too late for this delivery,
/// and for no other.
pub async fn load(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    lease: &Lease<Deliveries>,
    now: Timestamp,
) -> Result<Option<Delivery>, StoreError> {
    let tenant = tx.tenant().clone();
    // The lock of the account: who activates it again comes before or after, and never between.
    let row = sqlx::query!(
        r#"select d.account_id, a.version, d.conversation_id, d.sequence, a.channel, a.status, a.callback_url, i.identity_id,
                heard_from(d.tenant_id, d.account_id, d.conversation_id) as heard_at, i.sealed_identity, o.status as "tenant_status!"
         from deliveries d
         join tenants o on o.tenant_id = d.tenant_id
         join channel_accounts a on a.tenant_id = d.tenant_id and a.account_id = d.account_id
         join channel_threads t on t.tenant_id = d.tenant_id and t.account_id = d.account_id
             and t.conversation_id = d.conversation_id
         join contact_identities i on i.tenant_id = t.tenant_id and i.identity_id = t.identity_id
         where d.tenant_id = $1 and d.delivery_id = $2 and d.fence = $3 and d.lease_owner = $4
         for share of a"#,
        tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        lease.worker.as_str(),
    )
    .fetch_optional(tx.connection())
    .await?
    .ok_or(StoreError::LeaseLost)?;
    if row.tenant_status != TenantStatus::Active.as_str() {
        wait(tx, lease, true).await?;
        return Ok(None);
    }
    if row.status != channels::AccountStatus::Active.as_str() {
        wait(tx, lease, false).await?;
        return Ok(None);
    }
    let account_id = stored(row.account_id.parse())?;
    let secrets = channels::secrets(tx, keys, account_id, now).await?;
    let key = keys.contact(Via::Connection(tx.connection()), &row.conversation_id).await?;
    let key = key.ok_or(StoreError::LeaseLost)?;
    let place = channels::identity_place(&tenant, &row.identity_id);
    let external_id = key.open(keys, &place, &row.sealed_identity)?;
    let channel = stored(row.channel.parse())?;
    let vendor = channels::vendor_account(tx, keys, channel, account_id).await?;
    let message = messages::at(tx, keys, &row.conversation_id, row.sequence).await?;
    Ok(Some(Delivery {
        delivery_id: lease.id,
        account_id,
        account_version: row.version,
        channel,
        callback_url: row.callback_url,
        secrets,
        external_id: String::from_utf8(external_id)
            .map_err(|_| StoreError::Unsealable("contact_identities"))?,
        conversation_id: stored(row.conversation_id.parse())?,
        heard_at: row.heard_at.map(SqlTimestamp::to_jiff),
        vendor,
        message: message.ok_or(StoreError::LeaseLost)?,
    }))
}

/// Gives a delivery back as if it had not been claimed. While its tenant is suspended nobody claims it, however long it has
/// been due; while its account is disabled it is not due.
async fn wait(tx: &mut TenantTx, lease: &Lease<Deliveries>, is_due: bool) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update deliveries
         set work_at = case when $4 then clock_timestamp() end, lease_owner = null, attempts = greatest(attempts - 1, 0)
         where tenant_id = $1 and delivery_id = $2 and fence = $3",
        tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        is_due,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Notes that a delivery has left; the next one of its thread is due. [`StoreError::LeaseLost`] if it is somebody else's by now.
pub async fn sent(
    tx: &mut TenantTx,
    lease: &Lease<Deliveries>,
    vendor_message_id: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let noted = sqlx::query!(
        "update deliveries
         set status = 'sent', sent_at = $5, vendor_message_id = $6, work_at = null, lease_owner = null, last_error = null
         where tenant_id = $1 and delivery_id = $2 and fence = $3 and lease_owner = $4",
        tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        lease.worker.as_str(),
        now.to_sqlx() as _,
        vendor_message_id,
    )
    .execute(tx.connection())
    .await?;
    if noted.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Disables an account whose receiver says that it is no more. What waits there waits until somebody activates it again. Says
/// whether it did: an account that was changed meanwhile has another receiver.
pub async fn receiver_is_gone(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    version: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let gone = sqlx::query!(
        "update channel_accounts
         set status = 'disabled', disabled_reason = 'gone', version = version + 1, updated_at = $3
         where tenant_id = $1 and account_id = $2 and version = $4 and status = 'active'",
        tenant.as_str(),
        account.to_string(),
        now.to_sqlx() as _,
        version,
    )
    .execute(tx.connection())
    .await?;
    Ok(gone.rows_affected() == 1)
}

/// How a message fares on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfMessage {
    /// The message.
    pub message_id: MessageId,
    /// `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
    pub status: String,
    /// The code of the last failure.
    pub error: Option<String>,
}

/// How the messages of a conversation fare from a sequence on.
pub async fn of_conversation(
    tx: &mut TenantTx,
    conversation: ConversationId,
    from: i64,
) -> Result<Vec<OfMessage>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select message_id, case when dead_at is null then status else 'failed' end as "status!", last_error
           from deliveries where tenant_id = $1 and conversation_id = $2 and sequence >= $3 order by sequence"#,
        tenant.as_str(),
        conversation.to_string(),
        from,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let message_id = stored(row.message_id.parse())?;
            Ok(OfMessage { message_id, status: row.status, error: row.last_error })
        })
        .collect()
}

/// How a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub delivery_id: DeliveryId,
    /// The conversation.
    pub conversation_id: String,
    /// The message.
    pub message_id: String,
    /// The place of the message in the conversation.
    pub sequence: i64,
    /// `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
    pub status: String,
    /// The id that the vendor gave it.
    pub vendor_message_id: Option<String>,
    /// How often it was tried without an end.
    pub attempts: i32,
    /// The code of the last failure.
    pub last_error: Option<String>,
    /// When it is tried again; nothing while another is to leave before it.
    pub next_attempt_at: Option<Timestamp>,
    /// When the message was said.
    pub created_at: Timestamp,
    /// When it left.
    pub sent_at: Option<Timestamp>,
}

/// Deliveries of an account from the newest, before one and at most so many.
pub async fn list(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Standing>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select delivery_id, conversation_id, message_id, sequence,
                  case when dead_at is null then status else 'failed' end as "status!",
                  vendor_message_id, attempts, last_error, work_at, created_at, sent_at
           from deliveries
           where tenant_id = $1 and account_id = $2 and ($3::text is null or delivery_id < $3)
           order by delivery_id desc limit $4"#,
        tenant.as_str(),
        account.to_string(),
        before.map(|id| id.to_string()),
        limit,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                delivery_id: stored(row.delivery_id.parse())?,
                conversation_id: row.conversation_id,
                message_id: row.message_id,
                sequence: row.sequence,
                status: row.status,
                vendor_message_id: row.vendor_message_id,
                attempts: row.attempts,
                last_error: row.last_error,
                next_attempt_at: row.work_at.map(SqlTimestamp::to_jiff),
                created_at: row.created_at.to_jiff(),
                sent_at: row.sent_at.map(SqlTimestamp::to_jiff),
            })
        })
        .collect()
}
