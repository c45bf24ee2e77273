//! Tokens of people: sessions, devices, links, personal API tokens. A prefix that says what it is, and 32 random bytes; what
//! is stored is the SHA-256.

use crate::digest::sha256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{Entropy, Secret};
use std::fmt;
use zeroize::Zeroizing;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenUse {
    /// `bss_…`: a signed-in browser's, in a cookie.
    Session,
    /// `dev_…`: a browser from which somebody signed in before, in a cookie.
    Device,
    /// `pat_…`: of a person, for programs.
    Personal,
    /// `chl_…`: between the password and the second factor.
    SecondFactor,
    /// `inv_…`: in the link of an invitation.
    Invitation,
    /// `rst_…`: in the link that sets a password.
    PasswordReset,
}

impl TokenUse {
    /// The characters it begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Session => "bss_",
            Self::Device => "dev_",
            Self::Personal => "pat_",
            Self::SecondFactor => "chl_",
            Self::Invitation => "inv_",
            Self::PasswordReset => "rst_",
        }
    }
}

/// A token.
#[derive(Clone)]
pub struct RandomToken {
    kind: TokenUse,
    text: Secret<String>,
}

/// 32 bytes in base64url.
const RANDOM_CHARACTERS: usize = 43;

impl RandomToken {
    /// A new token.
    pub fn generate(kind: TokenUse, entropy: &dyn Entropy) -> Self {
        let bytes = Zeroizing::new(entropy.key());
        let random = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        Self { kind, text: Secret::new([kind.prefix(), random.as_str()].concat()) }
    }

    /// Reads a token of this kind.
    pub fn parse(kind: TokenUse, text: &str) -> Option<Self> {
        let random = text.strip_prefix(kind.prefix()).filter(|random| random.len() == RANDOM_CHARACTERS)?;
        // The decoder takes no spare bits, so there is one spelling.
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(random).ok()?);
        (bytes.len() == 32).then(|| Self { kind, text: Secret::new(text.to_owned()) })
    }

    /// The token, to be given away once.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.text.expose().as_bytes())
    }

    /// Its first 12 characters, by which people tell their tokens apart.
    pub fn hint(&self) -> String {
        self.text().chars().take(12).collect()
    }

    /// What a page sends back in a header to prove that it is ours: made of the token, which no page can read.
    pub fn csrf_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(["misy-csrf|", self.text()].concat().as_bytes()))
    }

    /// Whether this is the token's CSRF token.
    pub fn is_csrf_token(&self, candidate: &str) -> bool {
        let (a, b) = (sha256(self.csrf_token().as_bytes()), sha256(candidate.as_bytes()));
        crate::digest::equal_in_constant_time(&a, &b)
    }
}

impl fmt::Debug for RandomToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RandomToken({}…)", self.kind.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_token_is_known_again_and_no_other_kind_of_it() {
        let token = RandomToken::generate(TokenUse::Session, &SystemEntropy::new());
        let read = RandomToken::parse(TokenUse::Session, token.text()).unwrap();
        assert_eq!(read.hash(), token.hash());
        assert!(RandomToken::parse(TokenUse::Personal, token.text()).is_none());
        assert!(RandomToken::parse(TokenUse::Session, &format!("{} ", token.text())).is_none());
        assert!(RandomToken::parse(TokenUse::Session, "bss_").is_none());
        assert!(!format!("{token:?}").contains(&token.text()[4..]));
    }

    #[test]
    fn the_csrf_token_belongs_to_its_session() {
        let entropy = SystemEntropy::new();
        let [a, b] = [(); 2].map(|()| RandomToken::generate(TokenUse::Session, &entropy));
        assert!(a.is_csrf_token(&a.csrf_token()));
        assert!(!a.is_csrf_token(&b.csrf_token()));
        assert!(!a.is_csrf_token(""));
        assert!(!a.is_csrf_token(a.text()));
    }
}
