//! JWS compact serialisation (RFC 7515), only as much of it as a token of ours needs.

use super::Algorithm;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use std::borrow::Cow;

/// The longest token that is looked at, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// The `typ` of a token, which keeps every other JWT out (RFC 8725, section 3.11).
pub const TYPE: &str = "tat+jwt";

/// The text is not a JWS as we write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJws;

/// The protected header: these members and no other. Whatever would let a token bring its own key or change how it is
/// read (`jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `zip`, …) is an unknown member, and so is any duplicate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header<'a> {
    #[serde(borrow)]
    pub(crate) alg: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) kid: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) typ: Cow<'a, str>,
}

/// A token taken apart, nothing of it believed yet.
pub(crate) struct Compact<'a> {
    header: Vec<u8>,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    pub(crate) fn split(token: &'a str) -> Result<Self, NotJws> {
        if token.len() > MAX_LENGTH {
            return Err(NotJws);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(NotJws)?;
        let (header, payload) = signed.split_once('.').ok_or(NotJws)?;
        if payload.contains('.') {
            return Err(NotJws);
        }
        Ok(Self { header: decode(header)?, signed, payload, signature })
    }

    pub(crate) fn header(&self) -> Result<Header<'_>, NotJws> {
        object(&self.header)
    }

    /// The payload, if the key signed it. The header's `alg` must be the key's, letter by letter.
    pub(crate) fn open(&self, header: &Header<'_>, key: &VerifyingKey) -> Option<Vec<u8>> {
        if header.alg != key.algorithm.as_str() {
            return None;
        }
        let backend = key.algorithm.backend();
        let good =
            jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), &key.decoding, backend);
        if matches!(good, Ok(true)) { decode(self.payload).ok() } else { None }
    }
}

/// What verifies signatures of one key, with the one algorithm it is for.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

/// Base64url without padding; what is left over in the last character must be zero, so that a token has one spelling.
fn decode(text: &str) -> Result<Vec<u8>, NotJws> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotJws)
}

/// A JSON object; the derived readers would take an array of the members' values as well.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, NotJws> {
    if json.first() != Some(&b'{') {
        return Err(NotJws);
    }
    serde_json::from_slice(json).map_err(|_| NotJws)
}
