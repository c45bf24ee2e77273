//! An authenticator in software, for tests: one P-256 key, attestation "none", and the lies that attackers would tell.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::Arc;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Nothing.
    None,
    /// Made on another site: another origin in the client's data.
    OtherOrigin,
    /// Made on a site below this one.
    OriginBelow,
    /// Made on another port of this site.
    OtherPort,
    /// Made on a page of this site within one of another.
    FramedElsewhere,
    /// Made for another relying party.
    OtherRelyingParty,
    /// An older challenge.
    OtherChallenge,
    /// A registration in the place of a proof and the other way round.
    OtherCeremony,
    /// Nobody touched it.
    NobodyPresent,
    /// Somebody touched it who proved nothing.
    NotVerified,
    /// Signed with another key.
    OtherKey,
}

impl Lie {
    /// All of them, without the truth.
    pub const ALL: [Self; 10] = [
        Self::OtherOrigin,
        Self::OriginBelow,
        Self::OtherPort,
        Self::FramedElsewhere,
        Self::OtherRelyingParty,
        Self::OtherChallenge,
        Self::OtherCeremony,
        Self::NobodyPresent,
        Self::NotVerified,
        Self::OtherKey,
    ];
}

/// An authenticator with one key in it.
#[derive(Clone)]
pub struct SoftAuthenticator {
    origin: String,
    key: Arc<EcdsaKeyPair>,
    credential_id: Vec<u8>,
    user_handle: Option<Vec<u8>>,
    /// How often it has signed; stays 0 in one that does not count.
    pub counter: u32,
    /// Whether it counts.
    pub counts: bool,
    /// Whether its key may be copied to other devices, and is.
    pub synchronised: bool,
}

impl SoftAuthenticator {
    /// A new one in a browser on a page of this origin.
    pub fn new(origin: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let credential_id = key.public_key().as_ref()[1..33].to_vec();
        Self {
            origin: origin.to_owned(),
            key: Arc::new(key),
            credential_id,
            user_handle: None,
            counter: 0,
            counts: true,
            synchronised: false,
        }
    }

    /// Answers `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value, lie: Lie) -> Value {
        self.user_handle = options["user"]["id"].as_str().and_then(|id| URL_SAFE_NO_PAD.decode(id).ok());
        let client_data = self.client_data("webauthn.create", "webauthn.get", options, lie);
        let mut data = self.authenticator_data(options["rp"]["id"].as_str(), ATTESTED, lie);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.credential_id.len()).expect("short").to_be_bytes());
        data.extend_from_slice(&self.credential_id);
        data.extend_from_slice(&self.cose_key(lie));
        let mut object = vec![0xa3];
        object.extend_from_slice(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).expect("less than 256 bytes"));
        object.extend_from_slice(&data);
        json!({
            "id": URL_SAFE_NO_PAD.encode(&self.credential_id), "rawId": URL_SAFE_NO_PAD.encode(&self.credential_id),
            "type": "public-key", "clientExtensionResults": {}, "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
                "attestationObject": URL_SAFE_NO_PAD.encode(object), "transports": ["internal"],
            },
        })
    }

    /// Answers `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value, lie: Lie) -> Value {
        self.counter += u32::from(self.counts);
        let client_data = self.client_data("webauthn.get", "webauthn.create", options, lie);
        let data = self.authenticator_data(options["rpId"].as_str(), 0, lie);
        let signed = [&data[..], &misy_trust::sha256(client_data.as_bytes())].concat();
        let other = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let key = if lie == Lie::OtherKey { &other } else { &*self.key };
        let signature = key.sign(&SystemRandom::new(), &signed).expect("a signature");
        json!({
            "id": URL_SAFE_NO_PAD.encode(&self.credential_id), "rawId": URL_SAFE_NO_PAD.encode(&self.credential_id),
            "type": "public-key", "clientExtensionResults": {}, "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
                "authenticatorData": URL_SAFE_NO_PAD.encode(data),
                "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
                "userHandle": self.user_handle.as_ref().map(|handle| URL_SAFE_NO_PAD.encode(handle)),
            },
        })
    }

    /// A key of one's own that claims to be the one of another device.
    #[must_use]
    pub fn claiming_to_be(mut self, other: &Self) -> Self {
        self.credential_id.clone_from(&other.credential_id);
        self
    }

    /// The same key under another person's handle.
    #[must_use]
    pub fn posing_as(mut self, handle: &[u8]) -> Self {
        self.user_handle = Some(handle.to_vec());
        self
    }

    fn client_data(&self, ceremony: &str, other: &str, options: &Value, lie: Lie) -> String {
        let challenge = match lie {
            Lie::OtherChallenge => json!(URL_SAFE_NO_PAD.encode([7; 32])),
            _ => options["challenge"].clone(),
        };
        let origin = match lie {
            Lie::OtherOrigin => "https://login.evil.example".to_owned(),
            Lie::OriginBelow => self.origin.replacen("://", "://evil.", 1),
            Lie::OtherPort => format!("{}:8443", self.origin),
            _ => self.origin.clone(),
        };
        let is_framed = lie == Lie::FramedElsewhere;
        let ceremony = if lie == Lie::OtherCeremony { other } else { ceremony };
        json!({ "type": ceremony, "challenge": challenge, "origin": origin, "crossOrigin": is_framed })
            .to_string()
    }

    fn authenticator_data(&self, relying_party: Option<&str>, flags: u8, lie: Lie) -> Vec<u8> {
        let relying_party = if lie == Lie::OtherRelyingParty { None } else { relying_party };
        let mut data = misy_trust::sha256(relying_party.unwrap_or("evil.example").as_bytes()).to_vec();
        let present = if lie == Lie::NobodyPresent { 0 } else { USER_PRESENT };
        let verified = if matches!(lie, Lie::NotVerified | Lie::NobodyPresent) { 0 } else { USER_VERIFIED };
        let copied = if self.synchronised { BACKUP_ELIGIBLE | BACKED_UP } else { 0 };
        data.push(flags | present | verified | copied);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// RFC 9052: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}.
    fn cose_key(&self, lie: Lie) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        key.extend_from_slice(&point[1..33]);
        key.extend_from_slice(&[0x22, 0x58, 0x20]);
        key.extend_from_slice(&point[33..65]);
        if lie == Lie::OtherKey {
            // A point that is not on the curve.
            let last = key.len() - 1;
            key[last] ^= 1;
        }
        key
    }
}
