//! What a person writes to a contact.

use super::Assignee;
use crate::{
    Bell, StoreError, TenantKeys, TenantTx,
    bell::News,
    messages::{self, Receipt},
    readable::stored,
    vault::Via,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Clock, Content, ConversationId, Entropy, MessageId, Role, TenantId};

/// A message of a person, on its way to a contact.
#[derive(Debug, Clone, Copy)]
pub struct NewAnswer<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who writes. Their name goes with the message.
    pub author: &'a Assignee,
    /// Their client's own id of the message: sent again, it is the same message.
    pub client_id: &'a str,
    /// What it says.
    pub content: &'a Content,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is durable once the transaction is committed, and on its way.
    Stored(Receipt),
    /// It was durable before; this is the answer of that time.
    Duplicate(Receipt),
    /// They do not hold the conversation.
    NotHeld,
    /// The contact has written nothing, so there is nowhere to answer.
    Unheard,
    /// There is no such conversation.
    NotFound,
}

impl Written {
    /// Lets whoever waits hear of it, once it is durable.
    pub fn tell(&self, bell: &Bell, tenant: &TenantId) {
        if let Self::Stored(receipt) = self {
            let news = News { sequence: Some(receipt.sequence), ..News::typing(None) };
            bell.ring(tenant, receipt.conversation_id, news);
            bell.ring_deliveries();
        }
    }
}

/// Stores what a person writes where the contact wrote last: in a session, or on a channel account, from where it is delivered.
pub async fn answer(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    new: &NewAnswer<'_>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Written, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = new.conversation.to_string();
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &conversation).await? else {
        return Ok(Written::NotFound);
    };
    let id = MessageId::new(clock, entropy);
    let content = Content { author_name: Some(new.author.name.clone()), ..new.content.clone() };
    let sealed = messages::seal(&content, &key, &tenant, id, Role::Human, entropy)?;
    let row = sqlx::query!(
        r#"select outcome, message_id, sequence, created_at as "created_at: SqlTimestamp"
           from write_as_person($1, $2, $3, $4, $5, $6, $7)"#,
        tenant.as_str(),
        conversation,
        new.author.user_id.to_string(),
        new.client_id,
        id.to_string(),
        sealed,
        clock.now().to_sqlx() as _,
    )
    .fetch_one(tx.connection())
    .await?;
    let receipt = || -> Result<Receipt, StoreError> {
        let broken = || StoreError::Unsealable("messages");
        Ok(Receipt {
            message_id: stored(row.message_id.as_deref().ok_or_else(broken)?.parse())?,
            conversation_id: new.conversation,
            sequence: row.sequence.ok_or_else(broken)?,
            created_at: row.created_at.ok_or_else(broken)?.to_jiff(),
        })
    };
    Ok(match row.outcome.as_deref() {
        Some("stored") => Written::Stored(receipt()?),
        Some("duplicate") => Written::Duplicate(receipt()?),
        Some("not_held") => Written::NotHeld,
        Some("unheard") => Written::Unheard,
        _ => Written::NotFound,
    })
}
