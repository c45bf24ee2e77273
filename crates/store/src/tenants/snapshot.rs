//! What requests of a tenant are checked against, read in one round trip.

use crate::{Database, StoreError, readable::stored};
use jiff_sqlx::ToSqlx;
use misy_domain::{Action, Metered, Plan, TenantId, TenantStatus, TenantType, Timestamp};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::collections::BTreeMap;

/// Where a tenant's tokens stand; everything a request is checked against besides the token itself. Secrets are sealed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantSnapshot {
    /// Owner or standard.
    pub tenant_type: TenantType,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// Decides the limits that are not set.
    pub plan: Plan,
    /// Tokens of an older epoch are revoked.
    pub epoch: i64,
    /// How long a session lives.
    pub session_ttl_seconds: i64,
    /// Its sites.
    pub sites: Vec<SiteSnapshot>,
    /// Its secrets that are in force.
    pub secrets: Vec<SecretSnapshot>,
    /// Limits that differ from the plan's.
    pub limits: Vec<crate::limits::LimitRow>,
    /// Monthly quotas that differ from the plan's.
    #[serde(default)]
    pub quotas: BTreeMap<Metered, i64>,
    /// Identifiers of tokens and of families of tokens that were revoked in the last two minutes.
    pub revoked: Vec<misy_domain::TokenId>,
    /// Whether there were more than `revoked` holds.
    pub revoked_more: bool,
    /// Its bound client certificates that are in force.
    #[serde(default)]
    pub certificates: Vec<crate::certificates::CertificateSnapshot>,
    /// Its secrets that count only together with a client certificate.
    #[serde(default)]
    pub certificate_secrets: Vec<misy_domain::KeyId>,
    /// Its secrets that ended so lately that a token of theirs may be used or renewed.
    #[serde(default)]
    pub spent_secrets: Vec<SpentSecret>,
    /// Keys and secrets that were revoked with all tokens that were given for them.
    #[serde(default)]
    pub revoked_keys: Vec<misy_domain::KeyId>,
}

/// A site in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteSnapshot {
    /// Its slug.
    pub site_id: misy_domain::SiteId,
    /// What a token of it may hold at most.
    pub permissions: misy_domain::Permissions,
    /// Where it may be used from.
    pub origins: Vec<misy_domain::Origin>,
}

/// A tenant secret in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretSnapshot {
    /// Its id.
    pub key_id: misy_domain::KeyId,
    /// The sealed bytes, in hex.
    pub sealed: String,
    /// Set while a newer one takes over.
    pub expires_at: Option<Timestamp>,
    /// What it can give.
    pub permissions: misy_domain::Permissions,
    /// What `tenant:manage` means in its tokens.
    #[serde(deserialize_with = "known_actions")]
    pub actions: Vec<Action>,
    /// The one that takes over from it.
    #[serde(default)]
    pub successor: Option<misy_domain::KeyId>,
}

/// A tenant secret that was revoked or ran out, in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpentSecret {
    /// Its id.
    pub key_id: misy_domain::KeyId,
    /// What it could give last.
    pub permissions: misy_domain::Permissions,
    /// The one that took over from it.
    #[serde(default)]
    pub successor: Option<misy_domain::KeyId>,
}

/// An action that is no more opens nothing.
fn known_actions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Action>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

impl Database {
    /// The present state of a tenant with the messages it used this month, in one round trip; `None` if there is no such
    /// tenant.
    pub async fn tenant_snapshot(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Option<(TenantSnapshot, i64)>, StoreError> {
        let row = sqlx::query!(
            "select misy.tenant_snapshot($1, $2) || misy.snapshot_credentials($1, $2) as snapshot,
                    misy.quota_overrides($1) as quotas, misy.messages_used($1, $2) as used",
            tenant.as_str(),
            now.to_sqlx() as _
        )
        .fetch_one(self.app())
        .await?;
        let Some(snapshot) = row.snapshot else { return Ok(None) };
        let mut snapshot: TenantSnapshot = read_json(snapshot)?;
        snapshot.quotas = row.quotas.map(read_json).transpose()?.unwrap_or_default();
        Ok(Some((snapshot, row.used.unwrap_or_default())))
    }
}

fn read_json<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, StoreError> {
    stored(serde_json::from_value(value))
}
