//! Tenant access tokens: `POST /tokens`, `POST /tokens/revoke`, `POST /tenants/{tenantId}/tokens/revoke-all`.

pub mod mint;
pub mod revoke;
pub mod revoke_all;
