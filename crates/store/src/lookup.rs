//! What may be asked before the tenant is known. Each question is one SECURITY DEFINER function that answers with a
//! tenant id, or a yes or no, and nothing else.

use crate::{Database, StoreError};
use misy_domain::{KeyId, Origin, TenantId};

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

    /// In which tenants somebody has come in to an account with this e-mail address, by its keyed hash: all of them.
    pub async fn tenants_of_email(&self, route: &[u8; 32]) -> Result<Vec<TenantId>, StoreError> {
        let tenants = sqlx::query_scalar!("select platform.tenants_of_email($1)", &route[..])
            .fetch_all(self.app())
            .await?;
        Ok(tenants.into_iter().flatten().filter_map(|text| text.parse().ok()).collect())
    }

    /// Whether any site of any tenant allows this origin.
    pub async fn origin_is_known(&self, origin: &Origin) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!("select platform.origin_is_known($1)", origin.as_str())
            .fetch_one(self.app())
            .await?;
        Ok(known.unwrap_or_default())
    }
}
