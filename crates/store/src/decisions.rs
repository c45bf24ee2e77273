//! Why turns went as they did.

use crate::{StoreError, TenantTx};
use misy_domain::MessageId;
use serde_json::Value;

/// The decision of the turn that a message was asked or answered in.
pub async fn decision(tx: &mut TenantTx, message: MessageId) -> Result<Option<Value>, StoreError> {
    let tenant = tx.tenant().clone();
    let record = sqlx::query_scalar!(
        "select record from decisions where tenant_id = $1 and message_id = $2",
        tenant.as_str(),
        message.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(record)
}
