//! The tree over an audit trail: who holds a checkpoint can be shown that an entry is in the trail, and that a later trail
//! is the earlier one with entries added and none changed.
//!
//! Hashing is that of RFC 9162 (section 2.1): a leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖ right), so that
//! a node can never pass for an entry. What an entry's bytes are says [`entry`]; what is signed says [`checkpoint`].

pub mod bundle;
pub mod checkpoint;
pub mod entry;
mod frontier;
mod proof;
pub mod succession;
#[cfg(test)]
mod tests;

pub use frontier::Frontier;
pub use proof::{
    ProofError, Subtree, consistency_ranges, fold, inclusion_ranges, subtrees, verify_consistency,
    verify_inclusion,
};

use crate::digest::{sha256, sha256_of};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of an entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256_of(&[&[0], entry])
}

/// The hash of two subtrees.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_of(&[&[1], left, right])
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    sha256(&[])
}
