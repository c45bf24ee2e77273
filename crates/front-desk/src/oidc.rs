//! Sign-in with a provider of OpenID Connect: authorization code with PKCE, and what is made of the ID token.
//!
//! The protocol and its checks are here; whose account it is, is decided by [`account`]. Nothing but an ID token that came
//! straight from the token endpoint in exchange for a code of our own flow is ever looked at: tokens of a provider that
//! somebody sends to the API prove nothing there.

pub(crate) mod account;
mod claims;
pub(crate) mod provider;

pub(crate) use claims::{Flow, Proved};
pub(crate) use provider::Providers;

use misy_domain::Secret;

/// A provider, as it is configured.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The issuer, exactly as it names itself.
    pub issuer: String,
    /// What Misy is called there.
    pub client_id: String,
    /// What Misy proves itself with there; none for a public client.
    pub client_secret: Option<Secret<String>>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The provider, or what it says of itself, cannot be used now.
    #[error("the provider cannot be used: {0}")]
    Provider(String),
    /// The provider refused, or the person did.
    #[error("the provider answered {0}")]
    Denied(String),
    /// An answer that does not belong to this flow, or a token that is not what it must be.
    #[error("refused: {0}")]
    Refused(&'static str),
}
