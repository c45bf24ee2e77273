//! Tenant access tokens (TAT): JWTs that only Misy makes and only Misy reads.
//!
//! Since both ends are ours, nothing is tolerated that we would not write ourselves. The key that `kid` names decides the
//! algorithm; the header merely has to agree with it (RFC 8725, sections 3.1 and 3.2). Header and claims are read by our
//! own strict parsers; the signature mathematics is `jsonwebtoken`'s on AWS-LC.

mod algorithm;
pub(crate) mod claims;
pub(crate) mod jws;
mod keys;
mod signing_key;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use claims::{AUDIENCE, BoundCertificate, CLOCK_TOLERANCE, MAX_LIFETIME, RequestKeyKind, TatClaims};
pub use jws::{MAX_LENGTH, TYPE};
pub use keys::{IssueError, KeyRingError, TokenError, TokenKeys};
pub use signing_key::{KeyError, KeyRecord, SigningKey};

#[cfg(test)]
pub(crate) use jws::{Compact, VerifyingKey};
#[cfg(test)]
mod tests;
