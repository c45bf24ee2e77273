//! What callers prove themselves with: keys and administrator tokens, tenant secrets, and which tokens count no more.

mod keys;
mod secrets;
mod tokens;

pub(crate) use keys::end_key;
pub use keys::{
    KeyKind, KeyRecord, LockedKey, NewKey, create_key, list_keys, lock_key, lock_keys_of, revoke_key,
};
pub(crate) use secrets::end_secret;
pub use secrets::{
    NewSecret, SecretGrant, SecretRecord, change_secret, create_secret, list_secrets, lock_secret,
    lock_secrets, open_secret, replace_secrets, revoke_secret,
};
pub use tokens::{detach_sessions, note_renewal, revoke_tokens};

use crate::{Database, StoreError, TenantKeys, Vault};
use misy_domain::TenantId;

/// The keys of the tenant of a transaction.
pub async fn keys_of(
    vault: &Vault,
    database: &Database,
    tenant: &TenantId,
) -> Result<std::sync::Arc<TenantKeys>, StoreError> {
    vault.keys(database, tenant).await?.ok_or(StoreError::Unsealable("data_keys"))
}
