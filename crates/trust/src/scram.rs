//! What PostgreSQL keeps of a password (RFC 5802 and 7677), made here: so the password itself stands in no statement, in no log
//! of the server and in no dump of it.

use crate::digest::{hmac_sha256, sha256};
use aws_lc_rs::{hmac, pbkdf2};
use base64::{Engine, engine::general_purpose::STANDARD};
use misy_domain::{Entropy, Secret};
use std::num::NonZeroU32;

/// PostgreSQL's own number. The passwords of this program have 256 random bits: nothing is won by more.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

/// The verifier of a password, as `ALTER ROLE … PASSWORD` takes it. The password must be ASCII, which `SASLprep` leaves as it is.
pub fn verifier(password: &Secret<String>, entropy: &dyn Entropy) -> String {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    with_salt(password, &salt)
}

fn with_salt(password: &Secret<String>, salt: &[u8]) -> String {
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt, password.expose().as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = sha256(&hmac_sha256(&key, &[b"Client Key"]));
    let server = hmac_sha256(&key, &[b"Server Key"]);
    let [salt, stored, server] = [salt, &stored, &server].map(|bytes| STANDARD.encode(bytes));
    format!("SCRAM-SHA-256${ITERATIONS}:{salt}${stored}:{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3, whose proofs follow from these keys.
    #[test]
    fn the_verifier_proves_the_exchange_of_the_rfc() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = with_salt(&Secret::new("pencil".to_owned()), &salt);
        let keys = verifier.strip_prefix("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$").unwrap();
        let (stored, server) = keys.split_once(':').unwrap();
        let server = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(server).unwrap());
        let messages = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = STANDARD.encode(hmac_sha256(&server, &[messages]));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

        // The client's proof is its key, hidden by a signature with the stored key.
        let stored = STANDARD.decode(stored).unwrap();
        let hidden = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let mask = hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, &stored), &[messages]);
        let key: Vec<u8> = hidden.iter().zip(mask).map(|(hidden, mask)| hidden ^ mask).collect();
        assert_eq!(sha256(&key).as_slice(), stored);
    }
}
