//! Proof: tenant access tokens, request signatures, keys and sealed data.
//!
//! Everything here is computation over bytes and domain types; time and randomness are passed in. The one exception is
//! [`root_key`], which reads the key everything else hangs from where the operator has put it.
//!
//! | module | what it proves or protects |
//! | --- | --- |
//! | [`token`] | that Misy itself gave a caller a tenant, a site, permissions and a time limit |
//! | [`request_signature`] | that a request comes, unchanged, from whoever holds the key |
//! | [`access`] | who may do what, by policies that an auditor can read |
//! | [`api_key`] | which tenant or administrator a long-lived key belongs to |
//! | [`certificate`] | which client certificate stands behind a connection |
//! | [`revocation_list`] | whether a list of revoked certificates is of now |
//! | [`service_token`] | that a role of this program calls another one |
//! | [`passkey`] | that somebody holds a passkey of theirs and proved it on the device |
//! | [`ceremony`] | that who ends a sign-in is the browser that began it |
//! | [`password`], [`one_time_code`] | that a person is who it says |
//! | [`random_token`] | that a browser or program was let in before |
//! | [`scram`] | to PostgreSQL, that a role of this program logs in |
//! | [`file_link`] | that somebody was given a file to read, for a short time |
//! | [`webhook_signature`] | to a program of a tenant, that a delivery comes from Misy |
//! | [`seal`] | that stored bytes are unreadable outside, and unchanged at their own place |
//! | [`root_key`] | the key above all data keys |
//! | [`audit_tree`] | that an audit trail only ever grew |
//! | [`sigv4`] | to AWS, that a request is ours |

pub mod access;
pub mod api_key;
pub mod audit_tree;
pub mod ceremony;
pub mod certificate;
mod digest;
pub mod entropy;
pub mod file_link;
pub mod one_time_code;
pub mod passkey;
pub mod password;
pub mod random_token;
pub mod request_signature;
pub mod revocation_list;
pub mod root_key;
pub mod scram;
pub mod seal;
pub mod service_token;
pub mod sigv4;
pub mod token;
#[cfg(test)]
mod vectors;
pub mod webhook_signature;

pub use access::{AccessDecision, AccessOutcome, AccessPolicies, Moment, Principal, PrincipalKind};
pub use api_key::{ApiKey, ApiKeyKind, BootstrapSecret};
pub use ceremony::CeremonyHandle;
pub use certificate::{ClientCertificate, Fingerprint, RefusedCertificate};
pub use digest::{MacKey, derived, sha256};
pub use entropy::SystemEntropy;
pub use file_link::{FileLink, FileLinks};
pub use one_time_code::{TotpSecret, recovery_code, recovery_code_hash};
pub use passkey::{Passkey, PasskeyError, RelyingParty};
pub use password::{HashError, PasswordCheck, PasswordCost, Stretched, Stretching};
pub use random_token::{RandomToken, TokenUse};
pub use request_signature::{RequestKey, SignatureError, SignedRequest, bound_key};
pub use revocation_list::{Currency, RevocationList};
pub use root_key::{KeyProvider, RootKey, RootKeyError};
pub use seal::{BlindIndex, DataKey, OpenError, Place, Scope};
pub use service_token::{ServiceClaims, ServiceKeys, ServiceRole};
pub use token::{Algorithm, BoundCertificate, RequestKeyKind, SigningKey, TatClaims, TokenError, TokenKeys};
pub use webhook_signature::{WebhookSecret, webhook_signatures};
