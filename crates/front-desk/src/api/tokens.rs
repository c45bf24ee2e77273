//! Tenant access tokens: `POST /tokens`, `POST /tokens/revoke`.

pub mod mint;
pub mod revoke;
