//! Under which names ids of the outside are found again.

use crate::TenantKeys;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::ChannelAccountId;

/// The name of a message that has this id on an account: a keyed hash. Ids of vendors tell who wrote. WhatsApp's hold their
/// telephone number.
pub(crate) fn name_of(keys: &TenantKeys, account: ChannelAccountId, id: &str) -> String {
    let index = keys.blind_index("messages", "external_id");
    URL_SAFE_NO_PAD.encode(index.of(format!("{account}\n{id}").as_bytes()))
}
