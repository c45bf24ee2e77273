//! Client certificates, as far as a caller is known by one: whoever ended the TLS handshake has verified the chain and that
//! the caller holds the private key. Here they are only named, by SHA-256.

use crate::sha256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};
use x509_parser::{
    certificate::X509Certificate,
    pem::Pem,
    prelude::{FromDer, Validity},
    time::ASN1Time,
};

/// The longest PEM that is looked at, in bytes.
const MAX_PEM: usize = 32 * 1024;

/// The SHA-256 of a certificate or of a public key. Shown in hex, in tokens base64url (RFC 8705, section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The text is no SHA-256 in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a SHA-256 in hex, with or without colons")]
pub struct InvalidFingerprint;

/// The bytes are not one X.509 certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one certificate in PEM, and nothing else")]
pub struct NotACertificate;

/// A certificate, with all that access depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Of the whole certificate, in DER.
    pub certificate: Fingerprint,
    /// Of its `SubjectPublicKeyInfo`, which a renewal with the same key keeps.
    pub key: Fingerprint,
    /// Whose it says it is. For people only: anybody can write anything there.
    pub subject: String,
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when it is good; `None` when it has no end.
    pub not_after: Option<Timestamp>,
}

/// Stands with a request in place of a [`ClientCertificate`] whose connection was opened with one that no longer counts:
/// revoked since, over, or of an authority that is no longer believed. Such a request is answered with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedCertificate {
    /// Why, for logs and metrics.
    pub reason: &'static str,
}

impl Fingerprint {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(bytes))
    }

    /// From its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        if digits.len() != 64 || text.len() > 64 + 31 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(InvalidFingerprint);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let [high, low] = [pair[0], pair[1]].map(digit);
            *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(InvalidFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom("is no SHA-256 in base64url"))
    }
}

impl ClientCertificate {
    /// From DER.
    pub fn from_der(der: &[u8]) -> Result<Self, NotACertificate> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
        if !rest.is_empty() {
            return Err(NotACertificate);
        }
        let Validity { not_before, not_after } = certificate.validity();
        let shown = |c: &char| !c.is_control();
        Ok(Self {
            certificate: Fingerprint::of(der),
            key: Fingerprint::of(certificate.public_key().raw),
            subject: certificate.subject().to_string().chars().filter(shown).take(300).collect(),
            not_before: time(*not_before).unwrap_or(Timestamp::MAX),
            not_after: time(*not_after),
        })
    }

    /// From PEM that holds one certificate and nothing else: a private key beside it should never have been sent.
    pub fn from_pem(text: &str) -> Result<Self, NotACertificate> {
        if text.len() > MAX_PEM || text.matches("-----BEGIN ").count() != 1 {
            return Err(NotACertificate);
        }
        let mut all = Pem::iter_from_buffer(text.as_bytes());
        match all.next() {
            Some(Ok(pem)) if pem.label == "CERTIFICATE" => Self::from_der(&pem.contents),
            _ => Err(NotACertificate),
        }
    }

    /// Whether it is good at this time: a connection may outlive its certificate.
    pub fn is_good_at(&self, time: Timestamp) -> bool {
        self.not_before <= time && self.not_after.is_none_or(|end| time <= end)
    }
}

/// The name of the authority that issued a certificate, in DER, which is how revocation lists name it too.
pub fn issuer_of(der: &[u8]) -> Result<Vec<u8>, NotACertificate> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
    Ok(certificate.issuer().as_raw().to_vec())
}

/// The name of an authority by its own certificate, in DER.
pub fn subject_of(der: &[u8]) -> Result<Vec<u8>, NotACertificate> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
    Ok(certificate.subject().as_raw().to_vec())
}

/// A time of X.509. The last day of the year 9999, which says that there is no end (RFC 5280, section 4.1.2.5), is beyond
/// all times that are reckoned with here.
pub(crate) fn time(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_writes_it() {
        let plain = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let pairs: Vec<_> = (0..32).map(|at| plain[2 * at..2 * at + 2].to_uppercase()).collect();
        let read: Fingerprint = pairs.join(":").parse().unwrap();
        assert_eq!(read.to_string(), plain);
        assert_eq!(plain.parse(), Ok(read));
        for bad in ["", "00", &plain[1..], &format!("{plain}0"), &format!("{}g", &plain[1..])] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(InvalidFingerprint), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, text in "\\PC{0,200}") {
            let _ = ClientCertificate::from_der(&bytes);
            let _ = ClientCertificate::from_pem(&text);
            let _ = text.parse::<Fingerprint>();
        }

        #[test]
        fn a_fingerprint_survives_being_written_and_read(bytes: [u8; 32]) {
            let one = Fingerprint::from_bytes(bytes);
            prop_assert_eq!(one.to_string().parse(), Ok(one));
            let json = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), one);
        }
    }
}
