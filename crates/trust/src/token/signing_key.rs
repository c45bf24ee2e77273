//! Keys that sign tokens.

use super::{
    Algorithm,
    claims::{CLOCK_TOLERANCE, MAX_LIFETIME},
    jws::VerifyingKey,
};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    DecodingKey, EncodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use misy_domain::{Clock, Entropy, KeyId, Secret, Timestamp};
use std::{fmt, time::Duration};
use zeroize::Zeroizing;

/// A signing key cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key pair could not be generated.
    #[error("the key pair could not be generated")]
    Generation,
    /// The stored bytes are no private key for this algorithm.
    #[error("the stored bytes are no private key for this algorithm")]
    NotAKey,
    /// An HS256 key of fewer than 32 bytes (RFC 7518, section 3.2).
    #[error("an HS256 key needs at least 32 bytes")]
    TooShort,
}

/// A signing key as it is stored; whoever stores it seals `private` first.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// Its name in the header of tokens and in the published set.
    pub kid: KeyId,
    /// The one algorithm it is for.
    pub algorithm: Algorithm,
    /// PKCS#8 in DER; for HS256 the bare bytes.
    pub private: Secret<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs. It is published at once, so that verifiers know it by then.
    pub activates_at: Timestamp,
    /// From when on it signs no more; `None` while no successor is known.
    pub retires_at: Option<Timestamp>,
}

/// A key that signs tokens, ready for use.
#[derive(Clone)]
pub struct SigningKey {
    record: KeyRecord,
    encoding: EncodingKey,
    verifying: VerifyingKey,
    public: Option<Jwk>,
}

impl SigningKey {
    /// A new key that signs at once: from [`CLOCK_TOLERANCE`] ago on, since the replica that uses it first may have a clock
    /// that is behind, or count in whole seconds.
    ///
    /// RSA keys have 2048 bits. RSA and P-256 keys draw their randomness from AWS-LC itself, not from `entropy`.
    pub fn generate(
        algorithm: Algorithm,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        let now = clock.now();
        let tolerance = Duration::from_secs(CLOCK_TOLERANCE.unsigned_abs());
        Self::from_record(KeyRecord {
            kid: KeyId::new(clock, entropy),
            algorithm,
            private: generate_private(algorithm, entropy)?,
            created_at: now,
            activates_at: now.checked_sub(tolerance).unwrap_or(now),
            retires_at: None,
        })
    }

    /// The same key, signing only from this time on.
    #[must_use]
    pub fn activating_at(mut self, time: Timestamp) -> Self {
        self.record.activates_at = time;
        self
    }

    /// The same key, signing only until this time.
    #[must_use]
    pub fn retiring_at(mut self, time: Timestamp) -> Self {
        self.record.retires_at = Some(time);
        self
    }

    /// A key that was stored.
    pub fn from_record(record: KeyRecord) -> Result<Self, KeyError> {
        let private = record.private.expose();
        let encoding = match record.algorithm {
            Algorithm::Rs256 => rsa_encoding_key(private)?,
            Algorithm::Es256 => EncodingKey::from_ec_der(private),
            Algorithm::EdDsa => EncodingKey::from_ed_der(private),
            Algorithm::Hs256 if private.len() < 32 => return Err(KeyError::TooShort),
            Algorithm::Hs256 => EncodingKey::from_secret(private),
        };
        let public = public_jwk(&record, &encoding)?;
        let decoding = match &public {
            Some(jwk) => DecodingKey::from_jwk(jwk).map_err(|_| KeyError::NotAKey)?,
            None => DecodingKey::from_secret(private),
        };
        let verifying = VerifyingKey { algorithm: record.algorithm, decoding };
        Ok(Self { record, encoding, verifying, public })
    }

    /// What to store.
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Its name.
    pub fn kid(&self) -> KeyId {
        self.record.kid
    }

    /// The one algorithm it is for.
    pub fn algorithm(&self) -> Algorithm {
        self.record.algorithm
    }

    /// The public half as a JSON Web Key (RFC 7517); `None` for HS256, which has none.
    pub fn public_jwk(&self) -> Option<&Jwk> {
        self.public.as_ref()
    }

    /// Whether it signs at this time.
    pub fn signs_at(&self, time: Timestamp) -> bool {
        self.record.activates_at <= time && self.record.retires_at.is_none_or(|retires| time < retires)
    }

    /// When the last token it can have signed expires; `None` while it has no end.
    pub fn verifies_until(&self) -> Option<Timestamp> {
        let overlap = Duration::from_secs(MAX_LIFETIME.unsigned_abs());
        self.record.retires_at.map(|retires| retires.checked_add(overlap).unwrap_or(Timestamp::MAX))
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(crate) fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    pub(super) fn retire_no_later_than(&mut self, time: Timestamp) {
        let end = self.record.retires_at.map_or(time, |retires| retires.min(time));
        self.record.retires_at = Some(end);
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {}, …)", self.record.kid, self.record.algorithm)
    }
}

fn generate_private(algorithm: Algorithm, entropy: &dyn Entropy) -> Result<Secret<Vec<u8>>, KeyError> {
    let bytes = match algorithm {
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generation)?;
            der.as_ref().to_vec()
        }
        Algorithm::Es256 => {
            let pair =
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyError::Generation)?;
            pair.to_pkcs8v1().map_err(|_| KeyError::Generation)?.as_ref().to_vec()
        }
        Algorithm::EdDsa => {
            let seed = Zeroizing::new(entropy.key());
            let pair =
                Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| KeyError::Generation)?;
            pair.to_pkcs8v1().map_err(|_| KeyError::Generation)?.as_ref().to_vec()
        }
        Algorithm::Hs256 => Zeroizing::new(entropy.key()).to_vec(),
    };
    Ok(Secret::new(bytes))
}

/// `jsonwebtoken` takes RSA keys as PKCS#1 or as PEM of either form; PEM saves us taking PKCS#8 apart.
fn rsa_encoding_key(pkcs8: &[u8]) -> Result<EncodingKey, KeyError> {
    let body = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut pem = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 64));
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| KeyError::NotAKey)
}

fn public_jwk(record: &KeyRecord, encoding: &EncodingKey) -> Result<Option<Jwk>, KeyError> {
    if record.algorithm == Algorithm::Hs256 {
        return Ok(None);
    }
    let mut jwk =
        Jwk::from_encoding_key(encoding, record.algorithm.backend()).map_err(|_| KeyError::NotAKey)?;
    jwk.common.key_id = Some(record.kid.to_string());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(Some(jwk))
}
