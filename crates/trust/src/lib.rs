//! Proof: tenant access tokens, request signatures, keys and sealed data.
//!
//! Everything here is computation over bytes and domain types; time and randomness are passed in. The one exception is
//! [`root_key`], which reads the key everything else hangs from where the operator has put it.
//!
//! | module | what it proves or protects |
//! | --- | --- |
//! | [`token`] | that Misy itself gave a caller a tenant, a site, permissions and a time limit |
//! | [`request_signature`] | that a request comes, unchanged, from whoever holds the key |
//! | [`api_key`] | which tenant or administrator a long-lived key belongs to |
//! | [`seal`] | that stored bytes are unreadable outside, and unchanged at their own place |
//! | [`root_key`] | the key above all data keys |
//! | [`sigv4`] | to AWS, that a request is ours |

pub mod api_key;
mod digest;
pub mod entropy;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
pub mod request_signature;
pub mod root_key;
pub mod seal;
pub mod sigv4;
pub mod token;
#[cfg(test)]
mod vectors;

pub use api_key::{ApiKey, ApiKeyKind, BootstrapSecret};
pub use digest::sha256;
pub use entropy::SystemEntropy;
pub use request_signature::{RequestKey, SignatureError, SignedRequest, bound_key};
pub use root_key::{KeyProvider, RootKey, RootKeyError};
pub use seal::{BlindIndex, DataKey, OpenError, Place, Scope};
pub use token::{Algorithm, RequestKeyKind, SigningKey, TatClaims, TokenError, TokenKeys};
