//! Signatures of requests: HMAC-SHA256 over everything that matters of a request, so that a stolen token alone is
//! worthless and nothing can be changed or replayed on the way.
//!
//! ```text
//! canonical = "v1" ⏎ METHOD ⏎ host ⏎ path ⏎ query ⏎ hex(sha256(body)) ⏎ timestamp ⏎ nonce ⏎ hex(sha256(token))
//! ```
//!
//! No component may hold a line break, so none can slide into the next one.

use crate::digest::{derive_key, equal_in_constant_time, hmac_sha256};
use aws_lc_rs::hmac;
use misy_domain::{Secret, SiteId, TenantId, TokenId};
use std::{borrow::Cow, fmt};

/// How many seconds the clocks of both sides may differ.
pub const WINDOW: u64 = 300;
/// How many signatures one request may carry while keys rotate.
pub const MAX_SIGNATURES: usize = 4;

/// A request is not signed as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A component or the signature itself is not written as the contract says.
    #[error("the request signature is malformed")]
    Malformed,
    /// None of the signatures was made with any of the keys for this request.
    #[error("the request signature does not match")]
    Mismatch,
    /// The timestamp is more than the window away from now.
    #[error("the request was signed too long ago or too far ahead")]
    OutsideWindow,
}

/// A key that signs requests: 32 bytes, known to the caller and to Misy.
#[derive(Clone)]
pub struct RequestKey {
    bytes: Secret<[u8; 32]>,
    // Prepared once, since a warm request costs little more than this would.
    mac: hmac::Key,
}

impl RequestKey {
    /// A key of these bytes.
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, bytes.expose());
        Self { bytes, mac }
    }

    /// The bytes, to be handed to the caller once.
    pub fn expose(&self) -> &[u8; 32] {
        self.bytes.expose()
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestKey(…)")
    }
}

/// The key bound to one token. Any replica derives it from the tenant's signing root; nothing is stored.
pub fn bound_key(root: &Secret<[u8; 32]>, jti: TokenId, tenant: &TenantId, site: &SiteId) -> RequestKey {
    let salt = jti.to_string();
    let info: [&[u8]; 4] = [b"misy-req-v1|", tenant.as_str().as_bytes(), b"|", site.as_str().as_bytes()];
    RequestKey::new(derive_key(root.expose(), salt.as_bytes(), &info))
}

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// In upper case.
    pub method: &'a str,
    /// The `Host` header, with the port if it has one; letter case does not count.
    pub host: &'a str,
    /// As on the request line, percent-encoding untouched.
    pub path: &'a str,
    /// As on the request line without `?`; empty if there is none.
    pub query: &'a str,
    /// SHA-256 of the body as it came.
    pub body_sha256: [u8; 32],
    /// `X-Misy-Timestamp` as it came: see [`parse_timestamp`].
    pub timestamp: &'a str,
    /// `X-Misy-Nonce`: see [`parse_nonce`].
    pub nonce: &'a str,
    /// SHA-256 of the token; `None` for the request that asks for one.
    pub token_sha256: Option<[u8; 32]>,
}

impl SignedRequest<'_> {
    /// The bytes that are signed, for documentation and debugging; signing does not need them in one piece.
    pub fn canonical(&self) -> Result<Vec<u8>, SignatureError> {
        self.with_parts(|parts| parts.concat())
    }

    fn mac(&self, key: &RequestKey) -> Result<[u8; 32], SignatureError> {
        self.with_parts(|parts| hmac_sha256(&key.mac, parts))
    }

    fn with_parts<T>(&self, read: impl FnOnce(&[&[u8]]) -> T) -> Result<T, SignatureError> {
        self.check()?;
        let host = if self.host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(self.host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(self.host)
        };
        let body = hex(&self.body_sha256);
        let token = self.token_sha256.as_ref().map(hex);
        Ok(read(&[
            b"v1\n",
            self.method.as_bytes(),
            b"\n",
            host.as_bytes(),
            b"\n",
            self.path.as_bytes(),
            b"\n",
            self.query.as_bytes(),
            b"\n",
            &body,
            b"\n",
            self.timestamp.as_bytes(),
            b"\n",
            self.nonce.as_bytes(),
            b"\n",
            token.as_ref().map_or(&[], |token| token.as_slice()),
        ]))
    }

    fn check(&self) -> Result<(), SignatureError> {
        let method = !self.method.is_empty() && self.method.bytes().all(|b| b.is_ascii_uppercase());
        let host = !self.host.is_empty() && is_printable(self.host);
        let path = self.path.starts_with('/') && is_printable(self.path) && !self.path.contains('?');
        if !(method && host && path && is_printable(self.query)) {
            return Err(SignatureError::Malformed);
        }
        parse_timestamp(self.timestamp)?;
        parse_nonce(self.nonce)?;
        Ok(())
    }
}

/// Whether a text could stand on a request line: no blank, no control character, nothing outside ASCII.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The value of `X-Misy-Signature`.
pub fn sign(key: &RequestKey, request: &SignedRequest<'_>) -> Result<String, SignatureError> {
    let mac = request.mac(key)?;
    let mut value = String::with_capacity(3 + 64);
    value.push_str("v1=");
    for digit in hex(&mac) {
        value.push(char::from(digit));
    }
    Ok(value)
}

/// Whether at least one of the signatures in the header was made with one of the keys for this request.
///
/// The time it takes depends on how many keys and signatures there are, not on their values. The window and the replay of
/// the nonce are separate questions: see [`check_window`].
pub fn verify(
    keys: &[RequestKey],
    header_value: &str,
    request: &SignedRequest<'_>,
) -> Result<(), SignatureError> {
    let mut given = [[0; 32]; MAX_SIGNATURES];
    let mut count = 0;
    for value in header_value.split(' ') {
        *given.get_mut(count).ok_or(SignatureError::Malformed)? = parse_signature(value)?;
        count += 1;
    }
    let mut matched = false;
    for key in keys {
        let expected = request.mac(key)?;
        for signature in &given[..count] {
            matched |= equal_in_constant_time(&expected, signature);
        }
    }
    if matched { Ok(()) } else { Err(SignatureError::Mismatch) }
}

fn parse_signature(value: &str) -> Result<[u8; 32], SignatureError> {
    let digits = value.strip_prefix("v1=").ok_or(SignatureError::Malformed)?.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return Err(SignatureError::Malformed);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Result<u8, SignatureError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(SignatureError::Malformed),
    }
}

fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// Unix seconds: 1 to 12 decimal digits and nothing else.
pub fn parse_timestamp(text: &str) -> Result<i64, SignatureError> {
    let is_number = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    // One number has one spelling.
    if !is_number || (text.len() > 1 && text.starts_with('0')) {
        return Err(SignatureError::Malformed);
    }
    text.parse().map_err(|_| SignatureError::Malformed)
}

/// Whether a timestamp is at most `window` seconds before or after now.
pub fn check_window(now: i64, timestamp: i64, window: u64) -> Result<(), SignatureError> {
    if now.abs_diff(timestamp) <= window { Ok(()) } else { Err(SignatureError::OutsideWindow) }
}

/// A nonce: 10 to 64 characters of base64url.
pub fn parse_nonce(text: &str) -> Result<&str, SignatureError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (10..=64).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text)
    } else {
        Err(SignatureError::Malformed)
    }
}

#[cfg(test)]
mod tests;
