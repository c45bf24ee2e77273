//! Contacts that somebody of the tenant makes, for people who wrote nowhere.

use crate::{StoreError, TenantKeys, TenantTx};
use jiff_sqlx::ToSqlx;
use misy_domain::{Clock, ContactId, Entropy};

/// A new contact, with the key that what is known of them is sealed under.
pub async fn add(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<ContactId, StoreError> {
    let tenant = tx.tenant().clone();
    let contact = ContactId::new(clock, entropy);
    let (_, wrapped_key) = keys.new_contact(contact)?;
    sqlx::query!(
        "with contact as (
             insert into contacts (tenant_id, contact_id, created_at) values ($1, $2, $3)
         )
         insert into contact_keys (tenant_id, contact_id, wrapped_key) values ($1, $2, $4)",
        tenant.as_str(),
        contact.to_string(),
        clock.now().to_sqlx() as _,
        wrapped_key,
    )
    .execute(tx.connection())
    .await?;
    Ok(contact)
}
