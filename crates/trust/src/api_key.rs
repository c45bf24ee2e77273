//! Long-lived keys: those of sites, servers and administrators.
//!
//! Each is a prefix, which says at a glance (and to secret scanners) what it is, and 32 random bytes. With that much
//! randomness a plain SHA-256 is a safe thing to store: there is nothing to guess, so nothing to slow down.

use crate::{
    RequestKey,
    digest::{equal_in_constant_time, sha256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{Entropy, Secret};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiKeyKind {
    /// `pk_live_…`: stands in the pages of a site, where everybody can read it.
    PublishableLive,
    /// `pk_test_…`: the same for trying things out.
    PublishableTest,
    /// `sk_live_…`: a tenant secret; signs the requests of an affiliate's server and never leaves it.
    SecretLive,
    /// `adm_…`: the bearer token of an administrator.
    Administrator,
}

impl ApiKeyKind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::PublishableLive, Self::PublishableTest, Self::SecretLive, Self::Administrator];

    /// The characters it begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::PublishableLive => "pk_live_",
            Self::PublishableTest => "pk_test_",
            Self::SecretLive => "sk_live_",
            Self::Administrator => "adm_",
        }
    }
}

/// The text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a key of Misy")]
pub struct InvalidApiKey;

/// A long-lived key.
#[derive(Clone)]
pub struct ApiKey {
    kind: ApiKeyKind,
    bytes: Secret<[u8; 32]>,
}

/// How many of its characters may be shown.
const HINT_LENGTH: usize = 12;

impl ApiKey {
    /// A new key.
    pub fn generate(kind: ApiKeyKind, entropy: &dyn Entropy) -> Self {
        let mut bytes = entropy.key();
        let key = Self { kind, bytes: Secret::new(bytes) };
        bytes.zeroize();
        key
    }

    /// Reads a key. It has exactly one spelling: no blanks, no padding, no spare bits.
    pub fn parse(text: &str) -> Result<Self, InvalidApiKey> {
        let (kind, random) = ApiKeyKind::ALL
            .into_iter()
            .find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))
            .ok_or(InvalidApiKey)?;
        // 43 characters are 32 bytes.
        if random.len() != 43 {
            return Err(InvalidApiKey);
        }
        let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(random).map_err(|_| InvalidApiKey)?);
        let mut bytes: [u8; 32] = decoded.as_slice().try_into().map_err(|_| InvalidApiKey)?;
        let key = Self { kind, bytes: Secret::new(bytes) };
        bytes.zeroize();
        Ok(key)
    }

    /// What it is for.
    pub fn kind(&self) -> ApiKeyKind {
        self.kind
    }

    /// The key as text, to be shown once.
    pub fn text(&self) -> Secret<String> {
        let random = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.bytes.expose()));
        Secret::new([self.kind.prefix(), random.as_str()].concat())
    }

    /// Its first 12 characters, by which people tell their keys apart.
    pub fn hint(&self) -> String {
        let mut hint = self.text().expose().clone();
        hint.truncate(HINT_LENGTH);
        hint
    }

    /// The SHA-256 of its text, by which it is stored and found.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.text().expose().as_bytes())
    }

    /// The key that a tenant secret signs requests with; `None` for the other kinds.
    pub fn request_key(&self) -> Option<RequestKey> {
        (self.kind == ApiKeyKind::SecretLive).then(|| RequestKey::new(self.bytes.clone()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.kind.prefix())
    }
}

/// The secret that the operator sets to make the first administrator. Only its hash is kept.
#[derive(Clone)]
pub struct BootstrapSecret(Secret<[u8; 32]>);

impl BootstrapSecret {
    /// Remembers the secret.
    pub fn new(secret: &Secret<String>) -> Self {
        Self(Secret::new(sha256(secret.expose().as_bytes())))
    }

    /// Whether this is it. Both sides are hashed, so neither length nor content shows in the time it takes.
    pub fn matches(&self, candidate: &str) -> bool {
        equal_in_constant_time(self.0.expose(), &sha256(candidate.as_bytes()))
    }
}

impl fmt::Debug for BootstrapSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BootstrapSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_key_survives_being_written_and_read() {
        for kind in ApiKeyKind::ALL {
            let key = ApiKey::generate(kind, &SystemEntropy::new());
            let again = ApiKey::parse(key.text().expose()).unwrap();
            assert_eq!(again.kind(), kind);
            assert_eq!(again.hash(), key.hash());
            assert_eq!(key.hash(), sha256(key.text().expose().as_bytes()));
            assert_eq!(key.hint().len(), 12);
            assert!(key.text().expose().starts_with(&key.hint()));
        }
    }

    #[test]
    fn only_a_tenant_secret_signs_requests() {
        for kind in ApiKeyKind::ALL {
            let key = ApiKey::generate(kind, &SystemEntropy::new());
            assert_eq!(key.request_key().is_some(), kind == ApiKeyKind::SecretLive);
        }
    }

    #[test]
    fn no_key_has_a_second_spelling() {
        let good = ApiKey::generate(ApiKeyKind::SecretLive, &SystemEntropy::new()).text().expose().clone();
        let (body, last) = good.split_at(good.len() - 1);
        assert!("AEIMQUYcgkosw048".contains(last), "two spare bits are zero");
        for bad in [
            String::new(),
            "sk_live_".to_owned(),
            good.to_uppercase(),
            good.replace("sk_live_", "sk_test_"),
            good.replace("sk_live_", "SK_LIVE_"),
            format!(" {good}"),
            format!("{good} "),
            format!("{good}\n"),
            format!("{good}="),
            format!("{good}A"),
            format!("{body}B"),
            format!("{body}/"),
            body.to_owned(),
            format!("pk_live_{good}"),
            format!("{body}é"),
        ] {
            assert!(ApiKey::parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_output_shows_neither_key_nor_secret() {
        let key = ApiKey::generate(ApiKeyKind::Administrator, &SystemEntropy::new());
        assert_eq!(format!("{key:?}"), "ApiKey(adm_…)");
        let secret = BootstrapSecret::new(&Secret::new("hunter2".to_owned()));
        assert_eq!(format!("{secret:?}"), "BootstrapSecret(…)");
    }

    #[test]
    fn the_bootstrap_secret_matches_itself_only() {
        let secret = BootstrapSecret::new(&Secret::new("correct horse".to_owned()));
        assert!(secret.matches("correct horse"));
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!secret.matches(wrong), "{wrong:?}");
        }
    }
}
