//! What a conversation has settled so far of a booking.
//!
//! Each turn leaves the form as it stands after it, under the number of the last message that it read, in the transaction that makes the
//! turn durable. The next turn goes on from the newest. A form ends with whoever else answers: a person who takes the conversation or gives
//! it back.

use crate::{StoreError, TenantKeys, TenantTx, vault::Via};
use misy_domain::{ConversationId, Entropy, TenantId};
use misy_trust::Place;
use serde_json::Value;

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "booking_forms", column: "sealed_form", row }
}

fn row(conversation: ConversationId, after: i64) -> String {
    format!("{conversation}/{after}")
}

/// A form that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptForm {
    /// As it stands.
    pub form: Value,
    /// Whether it was kept by the last turn, so that nothing else was answered since.
    pub is_newest: bool,
}

/// The form as the last turn left it that had to do with it, unless somebody else answered since.
pub async fn form(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
) -> Result<Option<KeptForm>, StoreError> {
    let tenant = tx.tenant().clone();
    let found = sqlx::query!(
        r#"select f.after_sequence, f.sealed_form, f.after_sequence = c.answered_sequence as "is_newest!"
         from booking_forms f
         join conversations c on c.tenant_id = f.tenant_id and c.conversation_id = f.conversation_id
         where f.tenant_id = $1 and f.conversation_id = $2 and f.after_sequence <= c.answered_sequence
             and f.handling = c.handling
         order by f.after_sequence desc limit 1"#,
        tenant.as_str(),
        conversation.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let broken = || StoreError::Unsealable("booking_forms");
    let key = keys.contact(Via::Connection(tx.connection()), &conversation.to_string()).await?;
    let key = key.ok_or_else(broken)?;
    keys.know(Via::Connection(tx.connection()), [&*found.sealed_form]).await?;
    let row = row(conversation, found.after_sequence);
    let json = key.open(keys, &place(&tenant, &row), &found.sealed_form)?;
    let form = serde_json::from_slice(&json).map_err(|_| broken())?;
    Ok(Some(KeptForm { form, is_newest: found.is_newest }))
}

/// Keeps the form as it stands after the message of this number, together with the turn that ends there. What was kept before the turn
/// before is gone.
pub async fn keep_form(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    after: i64,
    form: &Value,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let json = serde_json::to_vec(form).map_err(|_| StoreError::Unsealable("booking_forms"))?;
    let key = keys.contact(Via::Connection(tx.connection()), &conversation.to_string()).await?;
    let key = key.ok_or(StoreError::Unsealable("booking_forms"))?;
    let sealed = key.seal(&place(&tenant, &row(conversation, after)), &json, entropy);
    sqlx::query!(
        "insert into booking_forms (tenant_id, conversation_id, after_sequence, sealed_form, handling)
         select $1, $2, $3, $4, c.handling from conversations c where c.tenant_id = $1 and c.conversation_id = $2
         on conflict (tenant_id, conversation_id, after_sequence)
         do update set sealed_form = excluded.sealed_form, created_at = now(), handling = excluded.handling",
        tenant.as_str(),
        conversation.to_string(),
        after,
        sealed,
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "delete from booking_forms f
         where f.tenant_id = $1 and f.conversation_id = $2 and f.after_sequence < (
             select max(o.after_sequence) from booking_forms o
             join conversations c on c.tenant_id = o.tenant_id and c.conversation_id = o.conversation_id
             where o.tenant_id = $1 and o.conversation_id = $2 and o.after_sequence <= c.answered_sequence)",
        tenant.as_str(),
        conversation.to_string(),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
