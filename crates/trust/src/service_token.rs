//! Service tokens: with one a role of this program proves to another that it belongs to the same installation. It lives a
//! minute at most, is for one receiving role, and counts only on connections of the client certificate that it names.

use crate::{
    certificate::Fingerprint,
    token::{
        SigningKey,
        claims::{Confirmation, unix_seconds},
        jws::{Compact, object},
    },
};
use jsonwebtoken::Header;
use misy_domain::{KeyId, Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The `typ` of a service token, which keeps every other JWT out (RFC 8725, section 3.11).
pub const TYPE: &str = "svc+jwt";
/// The longest `exp - iat`, in seconds.
pub const MAX_LIFETIME: i64 = 60;
/// How much the clocks of two machines may differ, in seconds.
pub const CLOCK_TOLERANCE: i64 = 5;

/// What a process is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceRole {
    /// Takes requests.
    FrontDesk,
    /// Works on conversations.
    Worker,
    /// A person at a command line; nobody's receiver.
    Operator,
}

/// What a service token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceClaims {
    /// The role that calls.
    pub role: ServiceRole,
    /// The process that calls, for records.
    pub instance: String,
    /// The role that is called.
    pub audience: ServiceRole,
    /// Unique; who receives it refuses to see it again.
    pub jti: TokenId,
    /// When it was issued.
    pub iat: Timestamp,
    /// From when on it is refused.
    pub exp: Timestamp,
    /// The client certificate of each connection that it is used on.
    pub certificate: Fingerprint,
}

/// Why a service token is not accepted; the answer to the caller says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceTokenError {
    /// Not a token that this installation would have issued.
    #[error("is not a service token of this installation")]
    Invalid,
    /// Over, or not begun.
    #[error("is over or not begun")]
    Expired,
    /// For another role.
    #[error("is for another role")]
    Audience,
    /// Given for another client certificate.
    #[error("is bound to another certificate")]
    Certificate,
    /// It cannot be issued.
    #[error("cannot be issued")]
    Unissuable,
}

/// The keys that service tokens are signed with: a ring of their own, never published.
#[derive(Debug, Clone)]
pub struct ServiceKeys {
    issuer: String,
    keys: Vec<SigningKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    iss: String,
    aud: ServiceRole,
    sub: ServiceRole,
    instance: String,
    #[serde(with = "unix_seconds")]
    iat: Timestamp,
    #[serde(with = "unix_seconds")]
    exp: Timestamp,
    jti: TokenId,
    cnf: Confirmation,
}

impl ServiceKeys {
    /// The keys of the installation called `issuer`.
    pub fn new(issuer: impl Into<String>, keys: Vec<SigningKey>) -> Self {
        Self { issuer: issuer.into(), keys }
    }

    /// Its keys.
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// A token with these claims.
    pub fn issue(&self, claims: &ServiceClaims) -> Result<String, ServiceTokenError> {
        let refused = ServiceTokenError::Unissuable;
        let active = self.keys.iter().filter(|key| key.signs_at(claims.iat));
        let key = active.max_by_key(|key| key.record().activates_at).ok_or(refused)?;
        let mut header = Header::new(key.algorithm().backend());
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.kid().to_string());
        let wire = Wire {
            iss: self.issuer.clone(),
            aud: claims.audience,
            sub: claims.role,
            instance: claims.instance.clone(),
            iat: claims.iat,
            exp: claims.exp,
            jti: claims.jti,
            cnf: Confirmation { certificate: claims.certificate },
        };
        jsonwebtoken::encode(&header, &wire, key.encoding()).map_err(|_| refused)
    }

    /// What a token says, if it is genuine, alive, for one of these roles, and of the certificate of its connection. That
    /// it was not seen before is for the receiver to know.
    pub fn verify(
        &self,
        token: &str,
        roles: &[ServiceRole],
        certificate: Fingerprint,
        now: Timestamp,
    ) -> Result<ServiceClaims, ServiceTokenError> {
        let invalid = ServiceTokenError::Invalid;
        let compact = Compact::split(token).map_err(|_| invalid)?;
        let header = compact.header().map_err(|_| invalid)?;
        if header.typ != TYPE {
            return Err(invalid);
        }
        let kid: KeyId = header.kid.parse().map_err(|_| invalid)?;
        let key = self.keys.iter().find(|key| key.kid() == kid).ok_or(invalid)?;
        let payload = compact.open(&header, key.verifying()).ok_or(invalid)?;
        let wire: Wire = object(&payload).map_err(|_| invalid)?;
        let (iat, exp) = (wire.iat.as_second(), wire.exp.as_second());
        if wire.iss != self.issuer || !(1..=MAX_LIFETIME).contains(&(exp - iat)) {
            return Err(invalid);
        }
        if now.as_second() >= exp + CLOCK_TOLERANCE || iat > now.as_second() + CLOCK_TOLERANCE {
            return Err(ServiceTokenError::Expired);
        }
        if !roles.contains(&wire.aud) {
            return Err(ServiceTokenError::Audience);
        }
        if wire.cnf.certificate != certificate {
            return Err(ServiceTokenError::Certificate);
        }
        Ok(ServiceClaims {
            role: wire.sub,
            instance: wire.instance,
            audience: wire.aud,
            jti: wire.jti,
            iat: wire.iat,
            exp: wire.exp,
            certificate: wire.cnf.certificate,
        })
    }
}

impl ServiceRole {
    /// As it stands in tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FrontDesk => "front-desk",
            Self::Worker => "worker",
            Self::Operator => "operator",
        }
    }
}

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be front-desk, worker or operator")]
pub struct UnknownServiceRole;

impl FromStr for ServiceRole {
    type Err = UnknownServiceRole;

    fn from_str(text: &str) -> Result<Self, UnknownServiceRole> {
        let all = [Self::FrontDesk, Self::Worker, Self::Operator];
        all.into_iter().find(|role| role.as_str() == text).ok_or(UnknownServiceRole)
    }
}

impl fmt::Display for ServiceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, SystemEntropy, TokenKeys};
    use misy_domain::Clock;
    use std::time::Duration;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(1_790_000_000).unwrap()
        }
    }

    fn ring() -> ServiceKeys {
        let key = SigningKey::generate(Algorithm::EdDsa, &Noon, &SystemEntropy::new()).unwrap();
        ServiceKeys::new("here", vec![key])
    }

    fn claims() -> ServiceClaims {
        ServiceClaims {
            role: ServiceRole::Worker,
            instance: "w1".into(),
            audience: ServiceRole::FrontDesk,
            jti: TokenId::new(&Noon, &SystemEntropy::new()),
            iat: Noon.now(),
            exp: Noon.now() + Duration::from_mins(1),
            certificate: Fingerprint::of(b"mine"),
        }
    }

    #[test]
    fn a_service_token_is_for_one_role_one_certificate_and_one_minute() {
        use ServiceTokenError as E;
        let ring = ring();
        let (mine, front) = (Fingerprint::of(b"mine"), [ServiceRole::FrontDesk]);
        let token = ring.issue(&claims()).unwrap();
        let at = |seconds: i64| Timestamp::from_second(Noon.now().as_second() + seconds).unwrap();
        assert_eq!(ring.verify(&token, &front, mine, at(0)).unwrap().instance, "w1");
        assert_eq!(ring.verify(&token, &[ServiceRole::Worker], mine, at(0)), Err(E::Audience));
        assert_eq!(ring.verify(&token, &front, Fingerprint::of(b"other"), at(0)), Err(E::Certificate));
        assert_eq!(ring.verify(&token, &front, mine, at(65)), Err(E::Expired));
        assert_eq!(ring.verify(&token, &front, mine, at(-6)), Err(E::Expired));
        let long = ServiceClaims { exp: at(61), ..claims() };
        let long = ring.issue(&long).unwrap();
        assert_eq!(ring.verify(&long, &front, mine, at(0)), Err(E::Invalid));
        let elsewhere = ServiceKeys { issuer: "there".into(), ..ring.clone() };
        assert_eq!(elsewhere.verify(&token, &front, mine, at(0)), Err(E::Invalid));
        let other_ring = self::ring();
        assert_eq!(other_ring.verify(&token, &front, mine, at(0)), Err(E::Invalid));
        let mut damaged = token.clone().into_bytes();
        let last = damaged.len() - 10;
        damaged[last] = if damaged[last] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        assert_eq!(ring.verify(&damaged, &front, mine, at(0)), Err(E::Invalid));
    }

    #[test]
    fn no_token_of_one_kind_passes_for_the_other_even_under_the_same_key() {
        let ring = ring();
        let tenant_keys = TokenKeys::new("here", ring.keys().to_vec()).unwrap();
        let token = ring.issue(&claims()).unwrap();
        assert!(tenant_keys.verify(&token, Noon.now()).is_err());
    }
}
