//! What the server must remember between the two halves of a sign-in, for minutes and once.
//!
//! Before somebody has signed in there is no tenant whose key could seal it. So the browser holds a random handle, the
//! server stores the state sealed with a key derived from it, and finds it again by a value derived from it as well:
//! whoever reads the table learns nothing, and whoever does not hold the handle cannot go on.

use crate::{
    digest::derive_key,
    seal::{decrypt, encrypt},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{Entropy, Secret};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

const NONCE: usize = 24;
const TAG: usize = 16;

/// What a browser holds while it signs in or adds a passkey.
#[derive(Clone)]
pub struct CeremonyHandle(Secret<[u8; 32]>);

/// The text is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no handle of a ceremony")]
pub struct InvalidHandle;

impl CeremonyHandle {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = entropy.key();
        let handle = Self(Secret::new(bytes));
        bytes.zeroize();
        handle
    }

    /// Reads one. It has exactly one spelling.
    pub fn parse(text: &str) -> Result<Self, InvalidHandle> {
        // 43 characters are 32 bytes.
        if text.len() != 43 {
            return Err(InvalidHandle);
        }
        let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidHandle)?);
        let mut bytes: [u8; 32] = decoded.as_slice().try_into().map_err(|_| InvalidHandle)?;
        let handle = Self(Secret::new(bytes));
        bytes.zeroize();
        Ok(handle)
    }

    /// As the browser gets it.
    pub fn text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.expose()))
    }

    /// By what the state is found.
    pub fn lookup(&self) -> [u8; 32] {
        *derive_key(self.0.expose(), &[], &[b"misy-ceremony-lookup|"]).expose()
    }

    /// Seals the state of a ceremony of one kind.
    #[allow(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the cipher refuses only messages above 256 GiB, which no memory holds"
    )]
    pub fn seal(&self, kind: &str, state: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(NONCE + state.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(state);
        let tag = encrypt(self.key().expose(), &nonce, kind.as_bytes(), &mut sealed[NONCE..])
            .expect("the message is short enough");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens a state that was sealed for the same kind of ceremony.
    pub fn open(&self, kind: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        decrypt(self.key().expose(), nonce, kind.as_bytes(), ciphertext, tag).map(Zeroizing::new)
    }

    fn key(&self) -> Secret<[u8; 32]> {
        derive_key(self.0.expose(), &[], &[b"misy-ceremony-seal|"])
    }
}

impl fmt::Debug for CeremonyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CeremonyHandle(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_state_opens_with_its_own_handle_for_its_own_kind_unchanged() {
        let entropy = SystemEntropy::new();
        let (mine, other) = (CeremonyHandle::generate(&entropy), CeremonyHandle::generate(&entropy));
        let sealed = mine.seal("oidc", b"state", &entropy);
        let again = CeremonyHandle::parse(mine.text().expose()).unwrap();
        assert_eq!(again.open("oidc", &sealed).unwrap().as_slice(), b"state");
        assert_eq!(again.lookup(), mine.lookup());
        assert_ne!(other.lookup(), mine.lookup());
        assert!(again.open("passkey", &sealed).is_none());
        assert!(other.open("oidc", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(again.open("oidc", &changed).is_none(), "byte {at}");
            assert!(again.open("oidc", &sealed[..at]).is_none(), "{at} bytes");
        }
    }

    #[test]
    fn a_handle_has_one_spelling() {
        let text = CeremonyHandle::generate(&SystemEntropy::new()).text().expose().clone();
        for wrong in [
            "",
            &text[1..],
            &format!("{text}="),
            &format!(" {}", &text[1..]),
            &text.replace(&text[42..], "/"),
        ] {
            assert!(CeremonyHandle::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
