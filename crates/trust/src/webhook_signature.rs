//! Signatures of what we send to others, as Standard Webhooks has them (standardwebhooks.com): a receiver needs no library of
//! ours.

use crate::MacKey;
use base64::{Engine, engine::general_purpose::STANDARD};
use misy_domain::Secret;

/// What deliveries to one receiver are signed with.
#[derive(Clone)]
pub struct WebhookSecret(Secret<[u8; 32]>);

impl WebhookSecret {
    /// From its bytes.
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// As it is shown to whoever checks signatures with it: `whsec_` and base64.
    pub fn text(&self) -> Secret<String> {
        Secret::new(format!("whsec_{}", STANDARD.encode(self.0.expose())))
    }

    /// The signature of a message: `v1,` and base64.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let timestamp = timestamp.to_string();
        let tag = MacKey::new(&self.0).tag(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(tag))
    }
}

/// The header `webhook-signature`: one signature for each secret that counts at the moment.
pub fn webhook_signatures(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let all: Vec<_> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out with another implementation of Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`.
    #[test]
    fn a_signature_is_the_hmac_of_id_time_and_body() {
        let secret = WebhookSecret::new(Secret::new(std::array::from_fn(|at| u8::try_from(at).unwrap())));
        assert_eq!(secret.text().expose(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let (id, time) = ("msg_0000000000000000000000001", 1_700_000_000);
        let body = br#"{"type":"message.created","timestamp":"2023-11-14T22:13:20Z","data":{"id":"m_1"}}"#;
        let signature = secret.sign(id, time, body);
        assert_eq!(signature, "v1,G1DbTVy/imZwGhXCs7YsfZ+ImACAKhFGv8H/T6Pz/tA=");
        let other = WebhookSecret::new(Secret::new([7; 32]));
        let both = webhook_signatures(&[secret, other], id, time, body);
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.starts_with(&signature));
    }
}
