//! Checkpoints: the size and root of a tree, signed. In the formats of C2SP `tlog-checkpoint` and `signed-note`, which other
//! transparency logs and their tools use too.
//!
//! ```text
//! misy-01k9…/audit/andina            the origin: which trail
//! 4711                               how many entries
//! 9XzT…=                             the root, base64
//!
//! — misy-01k9…/audit/andina Az3g…==  base64 of the key's id (4 bytes) and its Ed25519 signature of the lines above
//! ```
//!
//! A key's name is the origin, so the same key has another id in every trail and a checkpoint of one trail is none of another.

use super::Hash;
use crate::digest::sha256;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use misy_domain::{Entropy, Secret};
use std::{fmt, str::FromStr};

const ED25519_TYPE: u8 = 1;
/// Longer than any note of ours; what is longer is not read.
const LONGEST_NOTE: usize = 64 * 1024;

/// A note is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note, or its text no checkpoint.
    #[error("is not a signed checkpoint")]
    Malformed,
    /// A checkpoint of another trail.
    #[error("is a checkpoint of another trail")]
    OtherOrigin,
    /// None of the known keys signed it.
    #[error("is signed by no known key")]
    UnknownKey,
    /// A known key is named, and its signature is wrong.
    #[error("bears a wrong signature")]
    Forged,
    /// The text is no key.
    #[error("is not a verification key")]
    NotAKey,
}

/// The origin of a tenant's trail.
pub fn origin(issuer: &str, tenant: &str) -> String {
    format!("{issuer}/audit/{tenant}")
}

/// How far a trail went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which trail.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The checkpoint as a note, signed by all of these keys.
    pub fn sign(&self, keys: &[&CheckpointKey]) -> String {
        let text = self.text();
        let mut note = format!("{text}\n");
        for key in keys {
            let public = key.public(&self.origin);
            let mut signature = public.id.to_vec();
            signature.extend_from_slice(key.pair.sign(text.as_bytes()).as_ref());
            note.push_str(&format!("— {} {}\n", self.origin, STANDARD.encode(signature)));
        }
        note
    }

    /// What a note says, without asking who signed it.
    pub fn read(note: &str) -> Result<Self, NoteError> {
        let (text, _) = split(note)?;
        let mut lines = text.lines();
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Malformed);
        let (origin, size, root) = (line()?, line()?, line()?);
        let plain = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size = size.parse().ok().filter(|_| plain).ok_or(NoteError::Malformed)?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        Ok(Self { origin: origin.to_owned(), size, root: root.ok_or(NoteError::Malformed)? })
    }

    /// What a note says, if it is of that trail and one of the keys signed it. Signatures of keys that are not known are
    /// passed over; one that is known and wrong refuses the note.
    pub fn verify(note: &str, origin: &str, keys: &[PublicKey]) -> Result<Self, NoteError> {
        let checkpoint = Self::read(note)?;
        if checkpoint.origin != origin {
            return Err(NoteError::OtherOrigin);
        }
        verify_note(note, keys)?;
        Ok(checkpoint)
    }
}

/// Whether one of the keys signed a note, and none that is known signed it wrongly.
pub fn verify_note(note: &str, keys: &[PublicKey]) -> Result<(), NoteError> {
    let (text, signatures) = split(note)?;
    let mut signed = false;
    for line in signatures.lines() {
        let (name, signature) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Malformed)?;
        let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Malformed)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
        if let Some(key) = keys.iter().find(|key| key.name == name && key.id == *id) {
            UnparsedPublicKey::new(&ED25519, &key.key)
                .verify(text.as_bytes(), signature)
                .map_err(|_| NoteError::Forged)?;
            signed = true;
        }
    }
    if signed { Ok(()) } else { Err(NoteError::UnknownKey) }
}

/// The signed text, with its last line feed, and the lines of signatures.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > LONGEST_NOTE || !note.ends_with('\n') {
        return Err(NoteError::Malformed);
    }
    let gap = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    Ok((&note[..=gap], &note[gap + 2..]))
}

/// A key that signs checkpoints.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
}

impl CheckpointKey {
    /// A new key: its seed is what is stored, sealed.
    pub fn generate(entropy: &dyn Entropy) -> Secret<Vec<u8>> {
        Secret::new(entropy.key().to_vec())
    }

    /// The key of a stored seed; `None` if it has not 32 bytes.
    pub fn from_seed(seed: &Secret<Vec<u8>>) -> Option<Self> {
        Some(Self { pair: Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()? })
    }

    /// The public half, 32 bytes.
    pub fn public_bytes(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// Its signature of any bytes.
    pub(super) fn signature(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// The public half under the name of a trail.
    pub fn public(&self, origin: &str) -> PublicKey {
        PublicKey::new(origin, &self.public_bytes())
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckpointKey(…)")
    }
}

/// A key that verifies checkpoints of one trail. Written as in C2SP `signed-note`: `name+id in hex+base64 of type and key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: [u8; 4],
    key: Vec<u8>,
}

impl PublicKey {
    /// The key under a name.
    pub fn new(name: &str, key: &[u8]) -> Self {
        let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519_TYPE], key].concat());
        Self { name: name.to_owned(), id: [hash[0], hash[1], hash[2], hash[3]], key: key.to_vec() }
    }

    /// The trail that it is for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 32 bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id);
        let key = STANDARD.encode([&[ED25519_TYPE], self.key.as_slice()].concat());
        write!(f, "{}+{id:08x}+{key}", self.name)
    }
}

impl FromStr for PublicKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::NotAKey);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::NotAKey)?;
        let key = bytes.strip_prefix(&[ED25519_TYPE]).filter(|key| key.len() == 32);
        let parsed = Self::new(name, key.ok_or(NoteError::NotAKey)?);
        let fits = !name.is_empty() && u32::from_str_radix(id, 16) == Ok(u32::from_be_bytes(parsed.id));
        fits.then_some(parsed).ok_or(NoteError::NotAKey)
    }
}
