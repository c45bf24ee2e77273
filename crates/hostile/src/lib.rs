//! Tokens that attackers send, for tests of everything that takes tokens; and an authenticator that can lie.
//!
//! [`forged`] needs what any attacker has: a genuine token and the published keys. [`missigned`] needs a genuine private
//! key and shows that a signature alone is not enough.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "material for tests: what cannot be built should stop the test"
)]

mod authenticator;
mod forged;
mod missigned;

pub use authenticator::{Lie, SoftAuthenticator};
pub use forged::forged;
pub use missigned::missigned;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A token that must be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostileToken {
    /// What is wrong with it.
    pub name: String,
    /// The token.
    pub token: String,
}

impl HostileToken {
    fn new(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self { name: name.into(), token: token.into() }
    }

    /// Whether it can be sent in an HTTP header at all, and as one credential: visible ASCII without blanks.
    pub fn fits_a_header(&self) -> bool {
        !self.token.is_empty() && self.token.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// JSON with one member more in front, which may be there already.
fn with_member(object: &str, member: &str) -> String {
    format!("{{{member},{}", object.trim_start_matches('{'))
}
