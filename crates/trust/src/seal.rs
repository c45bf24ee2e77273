//! Sealed data: XChaCha20-Poly1305 under a data key, bound to the one place it was sealed for.
//!
//! ```text
//! layout (1) · algorithm (1) · key version (4, big-endian) · nonce (24) · ciphertext · tag (16)
//! ```
//!
//! Layout 1 is sealed under a key of the tenant (or the root key), layout 2 under the key of a contact.
//!
//! The associated data are the first six bytes of it and the place: tenant, table, column and row, each with its length in
//! front (4 bytes, big-endian). So sealed bytes that somebody moves to another row, column, table or tenant do not open.
//! Nonces are random: with 24 bytes a key can seal any number of rows we will ever have.

use crate::digest::{derive_key, hmac_sha256};
use aws_lc_rs::hmac;
use chacha20poly1305::{AeadInPlace, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use misy_domain::{Entropy, Secret, TenantId};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

const XCHACHA20_POLY1305: u8 = 1;
const PREFIX: usize = 6;
const NONCE: usize = 24;
const TAG: usize = 16;
/// By how many bytes a sealed value is longer than the plaintext.
pub const OVERHEAD: usize = PREFIX + NONCE + TAG;

/// Sealed bytes cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not sealed bytes, or of a layout that this program does not know.
    #[error("these are not sealed bytes")]
    Malformed,
    /// Sealed with a key that is not there (any more).
    #[error("sealed with key version {version}, which is not there")]
    UnknownKey {
        /// The version that is needed.
        version: u32,
    },
    /// Changed, moved from another place, or sealed with another key.
    #[error("the sealed bytes do not belong here or were changed")]
    Refused,
}

/// Where a sealed value stands. Table and column are the names in the database and never change meaning.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The key of the row within the tenant.
    pub row: &'a str,
}

impl Place<'_> {
    fn associated_data(&self, prefix: [u8; PREFIX]) -> Vec<u8> {
        let parts = [self.tenant.as_str(), self.table, self.column, self.row];
        let length: usize = parts.iter().map(|part| 4 + part.len()).sum();
        let mut data = Vec::with_capacity(PREFIX + length);
        data.extend_from_slice(&prefix);
        for part in parts {
            // A name of 4 GiB or more cannot exist, and would fail to open rather than open elsewhere.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// Whose key it is. It decides the layout of what is sealed: the layout above with the associated data described there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Scope {
    /// A tenant's, or the root key.
    Tenant = 1,
    /// A contact's.
    Contact = 2,
}

/// A key that seals data of one tenant or one contact.
#[derive(Clone)]
pub struct DataKey {
    scope: Scope,
    version: u32,
    key: Secret<[u8; 32]>,
}

impl DataKey {
    /// A key of a tenant that was stored.
    pub fn new(version: u32, key: Secret<[u8; 32]>) -> Self {
        Self { scope: Scope::Tenant, version, key }
    }

    /// The same key as one of a contact.
    #[must_use]
    pub fn of_contact(self) -> Self {
        Self { scope: Scope::Contact, ..self }
    }

    /// A new key.
    pub fn generate(version: u32, entropy: &dyn Entropy) -> Self {
        let mut bytes = entropy.key();
        let key = Self::new(version, Secret::new(bytes));
        bytes.zeroize();
        key
    }

    /// Which of the tenant's keys it is; stands in what it seals.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The key by which a column can be searched for equal values.
    pub fn blind_index(&self, table: &str, column: &str) -> BlindIndex {
        let info: [&[u8]; 4] = [b"blind-index|", table.as_bytes(), b"|", column.as_bytes()];
        let key = derive_key(self.key.expose(), &[], &info);
        BlindIndex(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// Seals this key under another one, for one place.
    pub fn wrapped_by(&self, key: &Self, place: &Place<'_>, entropy: &dyn Entropy) -> Vec<u8> {
        seal(key, place, self.expose(), entropy)
    }

    /// A key from what [`DataKey::wrapped_by`] made.
    pub fn unwrapped_by(
        version: u32,
        key: &Self,
        place: &Place<'_>,
        wrapped: &[u8],
    ) -> Result<Self, OpenError> {
        let bytes = Zeroizing::new(open(|_| Some(key), place, wrapped)?);
        let mut key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| OpenError::Malformed)?;
        let unwrapped = Self::new(version, Secret::new(key));
        key.zeroize();
        Ok(unwrapped)
    }

    fn prefix(&self) -> [u8; PREFIX] {
        let [a, b, c, d] = self.version.to_be_bytes();
        [self.scope as u8, XCHACHA20_POLY1305, a, b, c, d]
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.key.expose()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({}, …)", self.version)
    }
}

/// Turns values of one column into what is stored beside the sealed value to find it again: equal values of one tenant
/// have equal indexes, and without the key nobody can tell which value it is.
#[derive(Clone)]
pub struct BlindIndex(hmac::Key);

impl BlindIndex {
    /// The index of a value, which the caller has brought into its one canonical form.
    pub fn of(&self, value: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, &[value])
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlindIndex(…)")
    }
}

/// Seals bytes for one place.
#[allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "the cipher refuses only messages above 256 GiB, which no memory holds"
)]
pub fn seal(key: &DataKey, place: &Place<'_>, plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let prefix = key.prefix();
    let mut nonce = [0; NONCE];
    entropy.fill(&mut nonce);

    let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
    sealed.extend_from_slice(&prefix);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag =
        encrypt(key.key.expose(), &nonce, &place.associated_data(prefix), &mut sealed[PREFIX + NONCE..])
            .expect("the message is short enough");
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens sealed bytes at the place they were sealed for; `key` finds the key of a version.
pub fn open<'k>(
    key: impl FnOnce(u32) -> Option<&'k DataKey>,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let (scope, version) = sealed_under(sealed)?;
    let fits = |key: &&DataKey| key.version == version && key.scope == scope;
    let key = key(version).filter(fits).ok_or(OpenError::UnknownKey { version })?;
    let (head, message) = sealed.split_at(PREFIX + NONCE);
    let (ciphertext, tag) = message.split_at(message.len() - TAG);
    let data = place.associated_data(key.prefix());
    decrypt(key.key.expose(), &head[PREFIX..], &data, ciphertext, tag).ok_or(OpenError::Refused)
}

/// Whose key sealed these bytes, and which version of it, so that a rotation finds what is left to do.
pub fn sealed_under(sealed: &[u8]) -> Result<(Scope, u32), OpenError> {
    let (scope, version) = match sealed {
        [1, XCHACHA20_POLY1305, version @ ..] => (Scope::Tenant, version),
        [2, XCHACHA20_POLY1305, version @ ..] => (Scope::Contact, version),
        _ => return Err(OpenError::Malformed),
    };
    match version.first_chunk::<4>() {
        Some(version) if sealed.len() >= OVERHEAD => Ok((scope, u32::from_be_bytes(*version))),
        _ => Err(OpenError::Malformed),
    }
}

/// Which version of a key of the tenant, or which root key, sealed these bytes.
pub fn key_version(sealed: &[u8]) -> Result<u32, OpenError> {
    match sealed_under(sealed)? {
        (Scope::Tenant, version) => Ok(version),
        (Scope::Contact, _) => Err(OpenError::Malformed),
    }
}

/// Encrypts in place and returns the tag.
pub(crate) fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    associated_data: &[u8],
    message: &mut [u8],
) -> Option<[u8; TAG]> {
    let cipher = XChaCha20Poly1305::new(key.into());
    let tag = cipher.encrypt_in_place_detached(&XNonce::from(*nonce), associated_data, message).ok()?;
    Some(tag.into())
}

/// The plaintext, if the tag is right.
pub(crate) fn decrypt(
    key: &[u8; 32],
    nonce: &[u8],
    associated_data: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Vec<u8>> {
    let nonce: &[u8; NONCE] = nonce.try_into().ok()?;
    let tag: &[u8; TAG] = tag.try_into().ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let mut message = ciphertext.to_vec();
    cipher
        .decrypt_in_place_detached(&XNonce::from(*nonce), associated_data, &mut message, &Tag::from(*tag))
        .ok()?;
    Some(message)
}

#[cfg(test)]
mod tests;
