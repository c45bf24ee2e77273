//! Mail that waits to be sent. Written in the transaction of what it tells of, claimed with a lease, sent at least once.

use crate::{Database, StoreError, TenantKeys, TenantTx, tenants::stored};
use misy_domain::{Clock, Entropy, MailId, TenantId};
use misy_trust::Place;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long whoever claimed a mail has to send it.
pub const LEASE: Duration = Duration::from_mins(2);
/// Attempts before a mail is given up: about a day.
pub const MOST_ATTEMPTS: i32 = 12;

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

/// A mail that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedMail {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub mail_id: MailId,
    /// Counts while nobody else has claimed it.
    pub fence: i64,
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
        "insert into mails (tenant_id, mail_id, sealed_mail, due_at, created_at)
         values ($1, $2, $3, clock_timestamp(), clock_timestamp())",
        tenant.as_str(),
        row,
        sealed
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A claimed mail, if it is still the claimer's.
pub async fn open(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    claimed: &ClaimedMail,
) -> Result<Option<Mail>, StoreError> {
    let row = claimed.mail_id.to_string();
    let sealed = sqlx::query_scalar!(
        "select sealed_mail from mails where tenant_id = $1 and mail_id = $2 and fence = $3",
        claimed.tenant.as_str(),
        row,
        claimed.fence
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(sealed) = sealed else { return Ok(None) };
    let json = keys.open(&place(&claimed.tenant, &row), &sealed)?;
    serde_json::from_slice(&json).map(Some).map_err(|_| StoreError::Unsealable("mails"))
}

/// A mail was sent: it goes, with what is in it.
pub async fn sent(tx: &mut TenantTx, claimed: &ClaimedMail) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from mails where tenant_id = $1 and mail_id = $2 and fence = $3",
        claimed.tenant.as_str(),
        claimed.mail_id.to_string(),
        claimed.fence
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A mail could not be sent: it is due again later, each time twice as late, or given up. `hopeless`: it never will be.
pub async fn failed(
    tx: &mut TenantTx,
    claimed: &ClaimedMail,
    error: &str,
    hopeless: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update mails
         set last_error = $4,
             due_at = case when $5 or attempts >= $6 then null
                           else clock_timestamp() + least(interval '4 hours', interval '5 seconds' * power(2, attempts)) end,
             dead_at = case when $5 or attempts >= $6 then clock_timestamp() end
         where tenant_id = $1 and mail_id = $2 and fence = $3",
        claimed.tenant.as_str(),
        claimed.mail_id.to_string(),
        claimed.fence,
        error,
        hopeless,
        MOST_ATTEMPTS
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl Database {
    /// Claims mail that is due.
    pub async fn claim_mails(&self, batch: i32) -> Result<Vec<ClaimedMail>, StoreError> {
        let microseconds = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        let lease = sqlx::postgres::types::PgInterval { months: 0, days: 0, microseconds };
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant_id!", mail_id as "mail_id!", fence as "fence!" from misy.claim_mails($1, $2)"#,
            batch,
            lease
        )
        .fetch_all(self.worker())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ClaimedMail {
                    tenant: stored(row.tenant_id.parse())?,
                    mail_id: stored(row.mail_id.parse())?,
                    fence: row.fence,
                })
            })
            .collect()
    }
}
