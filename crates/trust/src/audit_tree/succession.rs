//! How the keys of checkpoints follow each other: each signs its successor. Whoever holds one key knows every key that came
//! after it, and takes none that somebody slipped in between.
//!
//! What is signed is `misy-audit-key/1`, the issuer, and the successor's 32 bytes in base64, each with a line feed. No
//! checkpoint begins like that: its first line has `/audit/` in it.

use super::checkpoint::CheckpointKey;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Who vouches for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// The public key before it.
    pub predecessor: Vec<u8>,
    /// The signature of that key.
    pub signature: Vec<u8>,
}

/// A public key, and who vouches for it: nobody for the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// 32 bytes.
    pub key: Vec<u8>,
    /// Who vouches for it.
    pub voucher: Option<Voucher>,
}

fn text(issuer: &str, successor: &[u8]) -> Vec<u8> {
    format!("misy-audit-key/1\n{issuer}\n{}\n", STANDARD.encode(successor)).into_bytes()
}

impl CheckpointKey {
    /// Vouches for the key that comes after this one.
    pub fn vouch(&self, issuer: &str, successor: &[u8]) -> Voucher {
        Voucher { predecessor: self.public_bytes(), signature: self.signature(&text(issuer, successor)) }
    }
}

impl Successor {
    /// Whether one of these keys vouches for it.
    fn is_vouched_for(&self, issuer: &str, trusted: &[Vec<u8>]) -> bool {
        self.voucher.as_ref().is_some_and(|voucher| {
            trusted.contains(&voucher.predecessor)
                && UnparsedPublicKey::new(&ED25519, &voucher.predecessor)
                    .verify(&text(issuer, &self.key), &voucher.signature)
                    .is_ok()
        })
    }
}

/// Follows the keys, which stand in the order in which they were made, from those that are trusted. Gives all that are
/// trusted then, and those of the others that nobody vouches for.
pub fn follow(issuer: &str, anchors: Vec<Vec<u8>>, keys: &[Successor]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut trusted, mut unknown) = (anchors, Vec::new());
    for key in keys {
        if trusted.contains(&key.key) {
            continue;
        }
        let is_known = key.is_vouched_for(issuer, &trusted);
        if is_known { trusted.push(key.key.clone()) } else { unknown.push(key.key.clone()) }
    }
    (trusted, unknown)
}

/// The same where nothing is known but the keys themselves: the first one is believed, and who follows it.
pub fn follow_first(issuer: &str, keys: &[Successor]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    follow(issuer, keys.first().map(|first| first.key.clone()).into_iter().collect(), keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_domain::Secret;

    #[test]
    fn a_key_is_known_by_the_one_before_it_and_by_no_other() {
        let made = |byte: u8| CheckpointKey::from_seed(&Secret::new(vec![byte; 32])).unwrap();
        let (one, two, three, forger) = (made(1), made(2), made(3), made(9));
        let follows = |key: &CheckpointKey, before: &CheckpointKey, issuer: &str| Successor {
            key: key.public_bytes(),
            voucher: Some(before.vouch(issuer, &key.public_bytes())),
        };
        let first = Successor { key: one.public_bytes(), voucher: None };
        let keys = [first.clone(), follows(&two, &one, "misy-a"), follows(&three, &two, "misy-a")];
        let all = vec![one.public_bytes(), two.public_bytes(), three.public_bytes()];
        assert_eq!(follow_first("misy-a", &keys), (all.clone(), vec![]));
        assert_eq!(follow("misy-a", vec![two.public_bytes()], &keys[1..]).0, all[1..]);
        assert_eq!(follow_first("misy-b", &keys), (vec![one.public_bytes()], all[1..].to_vec()), "issuer");

        let mut stolen = follows(&forger, &one, "misy-a");
        stolen.voucher = keys[1].voucher.clone();
        let alone = Successor { key: forger.public_bytes(), voucher: None };
        let by_itself = follows(&forger, &forger, "misy-a");
        for slipped_in in [stolen, alone, by_itself] {
            let keys = [first.clone(), slipped_in, keys[1].clone()];
            let (trusted, unknown) = follow_first("misy-a", &keys);
            assert_eq!((trusted, unknown), (all[..2].to_vec(), vec![forger.public_bytes()]));
        }
    }
}
