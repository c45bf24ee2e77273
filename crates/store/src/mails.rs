//! Mail that waits to be sent. Written in the transaction of what it tells of, claimed with a lease, sent at least once.

use crate::{
    StoreError, TenantKeys, TenantTx, Vault,
    leases::{Lease, Leased},
    vault::Via,
};
use jiff::SignedDuration;
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

/// Whose doing a mail is. Each has limits of its own: what strangers ask for keeps nobody of the tenant from asking, and neither
/// keeps somebody from being told what was done to their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody of the tenant asked for it: an invitation.
    Asked,
    /// Anybody may have asked for it: a link to set a password.
    Stranger,
    /// It tells what was done. Sixty in an hour have told the person already.
    Notice,
}

impl Cause {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Stranger => "stranger",
            Self::Notice => "notice",
        }
    }
}

/// Counts a mail of this cause to an address, before it is queued and in the same transaction: what is rolled back was not
/// counted. `Some` is how long to wait if there were too many. The numbers stand in the database, as those of guesses do.
pub async fn count(
    tx: &mut TenantTx,
    vault: &Vault,
    to: &str,
    cause: Cause,
) -> Result<Option<SignedDuration>, StoreError> {
    let tenant = tx.tenant().to_string();
    let of_person = format!("{tenant}\n{to}");
    if cause == Cause::Notice {
        return count_by(tx, vault, "notices", cause, &of_person).await;
    }
    // Always in this order, so that nobody waits for each other.
    if let Some(wait) = count_by(tx, vault, "mails_to_person", cause, &of_person).await? {
        return Ok(Some(wait));
    }
    let first = count_by(tx, vault, "first_mail_to_person", cause, &of_person).await?.is_none();
    let of_tenant = count_by(tx, vault, "mails_of_tenant", cause, &tenant).await?;
    let to_address = count_by(tx, vault, "mails_to_address", cause, to).await?;
    Ok(match cause {
        // There are no more of them than people who came in, whoever asks.
        Cause::Stranger if first => None,
        // All tenants together fill no mailbox, but each writes once: else a few could keep the others from it.
        _ if first => of_tenant,
        _ => of_tenant.or(to_address),
    })
}

/// Counts by one rule; how long to wait if there were too many.
async fn count_by(
    tx: &mut TenantTx,
    vault: &Vault,
    rule: &str,
    cause: Cause,
    of: &str,
) -> Result<Option<SignedDuration>, StoreError> {
    let bucket = vault.guess_bucket(&format!("{rule}\n{}\n{of}", cause.as_str()))?;
    let wait = sqlx::query_scalar!(r#"select platform.count_guess($1, $2) as "wait!""#, bucket.0, rule)
        .fetch_one(tx.connection())
        .await?;
    Ok((wait > 0).then(|| SignedDuration::from_micros(wait)))
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
