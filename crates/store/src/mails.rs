//! Mail that waits to be sent. Written in the transaction of what it tells of, claimed with a lease, sent at least once.

use crate::{
    StoreError, TenantKeys, TenantTx,
    leases::{Lease, Leased},
    vault::Via,
};
use misy_domain::{Clock, Entropy, MailId, TenantId};
use misy_trust::Place;
use serde::{Deserialize, Serialize};

/// Mails, as leased work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mails;

impl Leased for Mails {
    type Id = MailId;
    const TABLE: &'static str = "mails";
    const KIND: &'static str = "mail";
}

/// A mail.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mail {
    /// Whom it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "mails", column: "sealed_mail", row }
}

/// Queues a mail, due at once.
pub async fn queue(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    mail: &Mail,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let row = MailId::new(clock, entropy).to_string();
    let json = serde_json::to_vec(mail).map_err(|_| StoreError::Unsealable("mails"))?;
    let sealed = keys.seal(&place(&tenant, &row), &json, entropy)?;
    sqlx::query!(
        "insert into mails (tenant_id, mail_id, sealed_mail, work_at, created_at)
         values ($1, $2, $3, clock_timestamp(), clock_timestamp())",
        tenant.as_str(),
        row,
        sealed
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A mail, if it is still held.
pub async fn open(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    lease: &Lease<Mails>,
) -> Result<Option<Mail>, StoreError> {
    let row = lease.id.to_string();
    let sealed = sqlx::query_scalar!(
        "select sealed_mail from mails where tenant_id = $1 and mail_id = $2 and fence = $3 and lease_owner = $4",
        lease.tenant.as_str(),
        row,
        lease.fence,
        lease.worker.as_str(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(sealed) = sealed else { return Ok(None) };
    let via = Via::Connection(tx.connection());
    let json = keys.open_fresh(via, &place(&lease.tenant, &row), &sealed).await?;
    serde_json::from_slice(&json).map(Some).map_err(|_| StoreError::Unsealable("mails"))
}

/// A mail was sent: it goes, with what is in it. Nothing happens if it is somebody else's by now: they send it once more.
pub async fn sent(tx: &mut TenantTx, lease: &Lease<Mails>) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from mails where tenant_id = $1 and mail_id = $2 and fence = $3 and lease_owner = $4",
        lease.tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        lease.worker.as_str(),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
