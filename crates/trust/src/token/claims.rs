//! What a token says.

use crate::certificate::Fingerprint;
use misy_domain::{CertificateId, KeyId, Origin, Permissions, SiteId, TenantId, Timestamp, TokenId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// The only audience of a token.
pub const AUDIENCE: &str = "misy";
/// The longest `exp - iat`, in seconds.
pub const MAX_LIFETIME: i64 = 24 * 60 * 60;
/// How far in the future `iat` may be, in seconds: replicas do not share a clock.
pub const CLOCK_TOLERANCE: i64 = 300;

/// Which key signs the requests that a token comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestKeyKind {
    /// The key bound to this very token.
    Token,
    /// The tenant secret.
    Tenant,
}

/// The claims of a tenant access token. They never say anything about an end user.
///
/// `iss` and `aud` have no field: issuing writes the installation's own and verifying accepts no other. Times are whole
/// seconds on the wire; a fraction is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TatClaims {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The site of the tenant.
    pub site_id: SiteId,
    /// The one origin the token may be used from; `None` for a server's token.
    pub origin: Option<Origin>,
    /// What it may do.
    pub permissions: Permissions,
    /// When it was issued.
    pub iat: Timestamp,
    /// From when on it is refused.
    pub exp: Timestamp,
    /// Its identifier: the revocation handle and the salt of the bound key.
    pub jti: TokenId,
    /// The tenant's credential epoch; older epochs are revoked.
    pub epoch: i64,
    /// Which key signs requests.
    pub sig: RequestKeyKind,
    /// The `jti` of the first token of a chain of renewals; a first token's own.
    pub family: TokenId,
    /// The publishable key or tenant secret that it was given for; `None` in tokens of before this was noted.
    pub key: Option<KeyId>,
    /// The client certificate that must stand behind each connection it is used on (RFC 8705, section 3.1).
    pub certificate: Option<BoundCertificate>,
}

/// A client certificate that a token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundCertificate {
    /// The SHA-256 of the certificate.
    #[serde(rename = "x5t#S256")]
    pub certificate: Fingerprint,
    /// The tenant's binding by which it counted. Revoked, it never counts again, whatever is bound later.
    #[serde(rename = "binding")]
    pub binding: CertificateId,
}

/// The claims as JSON. Unknown members are refused: no later mistake can put a person's name into a token unnoticed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wire<'a> {
    #[serde(borrow)]
    pub(super) iss: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) aud: Cow<'a, str>,
    tenant_id: TenantId,
    site_id: SiteId,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    origin: Option<Origin>,
    permissions: Permissions,
    #[serde(with = "unix_seconds")]
    iat: Timestamp,
    #[serde(with = "unix_seconds")]
    exp: Timestamp,
    jti: TokenId,
    epoch: i64,
    sig: RequestKeyKind,
    family: TokenId,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    key: Option<KeyId>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    cnf: Option<BoundCertificate>,
}

/// What else the process that calls must prove (RFC 7800): here always a client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The SHA-256 of the certificate.
    #[serde(rename = "x5t#S256")]
    pub(crate) certificate: Fingerprint,
}

impl<'a> Wire<'a> {
    pub(super) fn new(claims: &TatClaims, issuer: &'a str) -> Self {
        Self {
            iss: Cow::Borrowed(issuer),
            aud: Cow::Borrowed(AUDIENCE),
            tenant_id: claims.tenant_id.clone(),
            site_id: claims.site_id.clone(),
            origin: claims.origin.clone(),
            permissions: claims.permissions.clone(),
            iat: claims.iat,
            exp: claims.exp,
            jti: claims.jti,
            epoch: claims.epoch,
            sig: claims.sig,
            family: claims.family,
            key: claims.key,
            cnf: claims.certificate,
        }
    }

    pub(super) fn into_claims(self) -> TatClaims {
        TatClaims {
            tenant_id: self.tenant_id,
            site_id: self.site_id,
            origin: self.origin,
            permissions: self.permissions,
            iat: self.iat,
            exp: self.exp,
            jti: self.jti,
            epoch: self.epoch,
            sig: self.sig,
            family: self.family,
            key: self.key,
            certificate: self.cnf,
        }
    }
}

impl TatClaims {
    /// Whether the times and the epoch can stand in a token at all.
    pub(super) fn are_sound(&self) -> bool {
        // Both are within jiff's years −9999 to 9999, far from overflow.
        let lifetime = self.exp.as_second() - self.iat.as_second();
        (1..=MAX_LIFETIME).contains(&lifetime) && self.iat.as_second() >= 0 && self.epoch >= 0
    }
}

/// A member that may be absent but not `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `NumericDate` as Misy writes it: a JSON integer, no string and no fraction.
pub(crate) mod unix_seconds {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.as_second())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        Timestamp::from_second(seconds).map_err(D::Error::custom)
    }
}
