//! What may be asked before the tenant is known. Each question is one SECURITY DEFINER function that answers with tenant ids,
//! with which of the hashes that were asked for is known, or a yes or no, and nothing else.

use crate::{Database, StoreError};
use misy_domain::{KeyId, Origin, TenantId};

/// An account that an e-mail address has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOfEmail {
    /// In which tenant.
    pub tenant: TenantId,
    /// The browser that is known for it.
    pub device: Option<[u8; 32]>,
}

impl Database {
    /// The owner of the platform, if it is registered.
    pub async fn owner_tenant(&self) -> Result<Option<TenantId>, StoreError> {
        let tenant = sqlx::query_scalar!("select platform.owner_tenant()").fetch_one(self.app()).await?;
        Ok(tenant.and_then(|text| text.parse().ok()))
    }

    /// Whose publishable key, secret key or administrator token has this SHA-256.
    pub async fn tenant_of_credential(&self, hash: &[u8; 32]) -> Result<Option<TenantId>, StoreError> {
        self.tenant_by_hash(hash).await
    }

    pub(crate) async fn tenant_by_hash(&self, hash: &[u8; 32]) -> Result<Option<TenantId>, StoreError> {
        let tenant = sqlx::query_scalar!("select platform.tenant_of_credential($1)", &hash[..])
            .fetch_one(self.app())
            .await?;
        Ok(tenant.and_then(|text| text.parse().ok()))
    }

    /// Whose tenant secret this is.
    pub async fn tenant_of_secret(&self, id: KeyId) -> Result<Option<TenantId>, StoreError> {
        let tenant = sqlx::query_scalar!("select platform.tenant_of_secret($1)", id.to_string())
            .fetch_one(self.app())
            .await?;
        Ok(tenant.and_then(|text| text.parse().ok()))
    }

    /// In which tenants somebody has come in to an account with this e-mail address, by its keyed hash, and which of these browsers
    /// is known for it: a hundred at most, the known ones first, then the oldest. Only of one tenant, if that is named.
    pub async fn accounts_of_email(
        &self,
        route: &[u8; 32],
        devices: &[[u8; 32]],
        wanted: Option<&TenantId>,
    ) -> Result<Vec<AccountOfEmail>, StoreError> {
        let devices: Vec<Vec<u8>> = devices.iter().map(|hash| hash.to_vec()).collect();
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant!", device from platform.accounts_of_email($1, $2, $3)"#,
            &route[..],
            &devices,
            wanted.map(TenantId::as_str),
        )
        .fetch_all(self.app())
        .await?;
        let account = |tenant: String, device: Option<Vec<u8>>| {
            let device = device.and_then(|hash| hash.try_into().ok());
            tenant.parse().ok().map(|tenant| AccountOfEmail { tenant, device })
        };
        Ok(rows.into_iter().filter_map(|row| account(row.tenant, row.device)).collect())
    }

    /// Whether any site of any tenant allows this origin.
    pub async fn origin_is_known(&self, origin: &Origin) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!("select platform.origin_is_known($1)", origin.as_str())
            .fetch_one(self.app())
            .await?;
        Ok(known.unwrap_or_default())
    }
}
