//! What an account has with its vendor: what proves us to the vendor, and the vendor to us.

use super::accounts::AccountStatus;
use crate::{Database, StoreError, TenantKeys, TenantTx, readable::stored, vault::Via};
use misy_domain::{Channel, ChannelAccountId, Entropy, Secret, TenantId, Timestamp};
use misy_trust::Place;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// What proves us to the vendor, and the vendor to us.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// What calls to the vendor carry.
    pub access_token: Secret<String>,
    /// What the vendor signs with.
    pub app_secret: Secret<String>,
    /// What it signed with before, and until when that counts.
    pub old_app_secret: Option<(Secret<String>, Timestamp)>,
    /// What the vendor says when it asks whether this is the address to call.
    pub verify_token: Secret<String>,
}

impl Credentials {
    /// What counts as the vendor's signature at this moment.
    pub fn app_secrets(&self, now: Timestamp) -> Vec<Secret<String>> {
        let old = self.old_app_secret.as_ref().filter(|(_, until)| *until > now);
        std::iter::once(&self.app_secret).chain(old.map(|(secret, _)| secret)).cloned().collect()
    }
}

/// The template that asks a contact to write again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Its name with the vendor.
    pub name: String,
    /// Its language there.
    pub language: String,
}

/// An account with a vendor.
#[derive(Debug, Clone)]
pub struct VendorAccount {
    /// Its id.
    pub account_id: ChannelAccountId,
    /// The id that the vendor has for it.
    pub vendor_account_id: String,
    /// Whether it takes and sends messages.
    pub status: AccountStatus,
    /// What proves both to each other.
    pub credentials: Credentials,
    /// What asks a contact to write again, if that is to be asked.
    pub reopening: Option<Reopening>,
    /// Whether the vendor has approved that people answer up to seven days later.
    pub human_agent: bool,
}

/// What an account is with its vendor, beside what proves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Business {
    /// The business, or the page, that it belongs to.
    pub business_account_id: String,
    /// What asks a contact to write again.
    pub reopening: Option<Reopening>,
    /// Whether the vendor has approved that people answer up to seven days later.
    pub human_agent: bool,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sealed {
    access_token: String,
    app_secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_app_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_app_secret_until: Option<Timestamp>,
    verify_token: String,
}

fn place<'a>(tenant: &'a TenantId, account: &'a str) -> Place<'a> {
    Place { tenant, table: "channel_accounts", column: "sealed_credentials", row: account }
}

impl Database {
    /// Whose account of a channel has this id.
    pub async fn tenant_of_account(
        &self,
        channel: Channel,
        account: ChannelAccountId,
    ) -> Result<Option<TenantId>, StoreError> {
        let tenant = sqlx::query_scalar!(
            "select platform.tenant_of_account($1, $2)",
            channel.as_str(),
            account.to_string()
        )
        .fetch_one(self.app())
        .await?;
        Ok(tenant.and_then(|text| text.parse().ok()))
    }

    /// Whose account the vendor knows by this id.
    pub async fn tenant_of_vendor_account(
        &self,
        channel: Channel,
        vendor_account_id: &str,
    ) -> Result<Option<TenantId>, StoreError> {
        let tenant = sqlx::query_scalar!(
            "select platform.tenant_of_channel_account($1, $2)",
            channel.as_str(),
            vendor_account_id
        )
        .fetch_one(self.app())
        .await?;
        Ok(tenant.and_then(|text| text.parse().ok()))
    }
}

/// Gives an account what it has with its vendor.
pub async fn set_credentials(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    credentials: &Credentials,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let id = account.to_string();
    let old = credentials.old_app_secret.as_ref();
    let mut json = serde_json::to_vec(&Sealed {
        access_token: credentials.access_token.expose().clone(),
        app_secret: credentials.app_secret.expose().clone(),
        old_app_secret: old.map(|(secret, _)| secret.expose().clone()),
        old_app_secret_until: old.map(|(_, until)| *until),
        verify_token: credentials.verify_token.expose().clone(),
    })
    .map_err(|_| StoreError::Unsealable("channel_accounts"))?;
    let sealed = keys.seal(&place(&tenant, &id), &json, entropy)?;
    json.zeroize();
    sqlx::query!(
        "update channel_accounts set sealed_credentials = $3 where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        id,
        sealed,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Says what an account is with its vendor.
pub async fn set_business(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    business: &Business,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let reopening = business.reopening.as_ref().map(serde_json::to_value).transpose();
    sqlx::query!(
        "update channel_accounts set business_account_id = $3, reopening = $4, human_agent = $5
         where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        account.to_string(),
        business.business_account_id,
        reopening.map_err(|_| StoreError::Unsealable("channel_accounts"))?,
        business.human_agent,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What an account has with its vendor; `None` if it is not there, or has none.
pub async fn vendor_account(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    channel: Channel,
    account: ChannelAccountId,
) -> Result<Option<VendorAccount>, StoreError> {
    let tenant = tx.tenant().clone();
    let id = account.to_string();
    let row = sqlx::query!(
        r#"select vendor_account_id, status, sealed_credentials as "sealed!", reopening, human_agent
           from channel_accounts
           where tenant_id = $1 and account_id = $2 and channel = $3 and sealed_credentials is not null"#,
        tenant.as_str(),
        id,
        channel.as_str(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut json =
        keys.open_fresh(Via::Connection(tx.connection()), &place(&tenant, &id), &row.sealed).await?;
    let opened = serde_json::from_slice::<Sealed>(&json);
    json.zeroize();
    let opened = opened.map_err(|_| StoreError::Unsealable("channel_accounts"))?;
    let old = opened.old_app_secret.zip(opened.old_app_secret_until);
    Ok(Some(VendorAccount {
        account_id: account,
        vendor_account_id: row.vendor_account_id,
        status: stored(row.status.parse())?,
        credentials: Credentials {
            access_token: Secret::new(opened.access_token),
            app_secret: Secret::new(opened.app_secret),
            old_app_secret: old.map(|(secret, until)| (Secret::new(secret), until)),
            verify_token: Secret::new(opened.verify_token),
        },
        reopening: row.reopening.and_then(|value| serde_json::from_value(value).ok()),
        human_agent: row.human_agent,
    }))
}

/// The account of the tenant that the vendor knows by this id.
pub async fn by_vendor_account(
    tx: &mut TenantTx,
    channel: Channel,
    vendor_account_id: &str,
) -> Result<Option<ChannelAccountId>, StoreError> {
    let tenant = tx.tenant().clone();
    let found = sqlx::query_scalar!(
        "select account_id from channel_accounts where tenant_id = $1 and channel = $2 and vendor_account_id = $3",
        tenant.as_str(),
        channel.as_str(),
        vendor_account_id,
    )
    .fetch_optional(tx.connection())
    .await?;
    found.map(|id| stored(id.parse())).transpose()
}

/// Pauses an account that the vendor lets send nothing: it takes messages, and what is to be delivered waits. Says whether it
/// does: not if it was active no more, or is another version than the one that the vendor answered.
pub async fn pause(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    version: Option<i64>,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    use jiff_sqlx::ToSqlx;
    let tenant = tx.tenant().clone();
    let paused = sqlx::query!(
        "update channel_accounts
         set status = 'paused', disabled_reason = $4, version = version + 1, updated_at = $3
         where tenant_id = $1 and account_id = $2 and ($5::bigint is null or version = $5) and status = 'active'",
        tenant.as_str(),
        account.to_string(),
        now.to_sqlx() as _,
        reason,
        version,
    )
    .execute(tx.connection())
    .await?;
    Ok(paused.rows_affected() == 1)
}
