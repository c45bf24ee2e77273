//! SHA-256 and what is built on it.

use aws_lc_rs::{digest, hkdf, hmac};
use misy_domain::Secret;
use zeroize::Zeroizing;

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The SHA-256 of bytes given in parts.
pub(crate) fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    array(context.finish().as_ref())
}

/// HMAC-SHA256 of a message given in parts, so that nobody has to glue them together first.
pub(crate) fn hmac_sha256(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    array(context.sign().as_ref())
}

/// A key by which those who hold it know each other's messages.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The key of a secret, which is for nothing else.
    pub fn new(secret: &Secret<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
    }

    /// The tag of a message given in parts.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&self.0, parts)
    }

    /// Whether this is the message's tag.
    pub fn is_tag(&self, parts: &[&[u8]], tag: &[u8; 32]) -> bool {
        equal_in_constant_time(&self.tag(parts), tag)
    }
}

/// A 32-byte key by HKDF-SHA256 (RFC 5869); `info` is the concatenation of its parts.
#[allow(clippy::expect_used, reason = "HKDF fails only above 255 blocks of output, and this asks for one")]
pub(crate) fn derive_key(ikm: &[u8], salt: &[u8], info: &[&[u8]]) -> Secret<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    expand(ikm, salt, info, key.as_mut()).expect("one block");
    Secret::new(*key)
}

/// A key of its own for one purpose, from a key that has several.
pub fn derived(key: &Secret<[u8; 32]>, purpose: &str) -> Secret<[u8; 32]> {
    derive_key(key.expose(), &[], &[purpose.as_bytes()])
}

/// Fills `okm` by HKDF-SHA256; `None` if it is longer than 255 × 32 bytes.
pub(crate) fn expand(ikm: &[u8], salt: &[u8], info: &[&[u8]], okm: &mut [u8]) -> Option<()> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm);
    prk.expand(info, Length(okm.len())).and_then(|key| key.fill(okm)).ok()
}

/// Whether two values are equal, in a time that does not depend on where they differ.
pub(crate) fn equal_in_constant_time(a: &[u8; 32], b: &[u8; 32]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

fn array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(bytes);
    array
}
