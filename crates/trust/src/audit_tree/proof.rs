//! Proofs of inclusion and consistency (RFC 9162, sections 2.1.3 and 2.1.4): which hashes they consist of, and whether they
//! prove what they should.
//!
//! A proof is a list of hashes of ranges of leaves. Where the hashes come from is the caller's business: it gets the ranges,
//! finds the complete [`subtrees`] of each wherever it keeps them, and [`fold`]s them.

use super::{Hash, node_hash};
use std::ops::Range;

/// A subtree of `2^level` leaves, the `index`-th of its size from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subtree {
    /// How high it is; 0 is a leaf.
    pub level: u32,
    /// Its place among those of its height.
    pub index: u64,
}

/// A proof does not prove what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The sizes and the index do not fit each other or the length of the proof.
    #[error("the proof is not for these sizes")]
    Shape,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The complete subtrees that make up a range of leaves, from the left.
pub fn subtrees(range: Range<u64>) -> Vec<Subtree> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let level = at.trailing_zeros().min((range.end - at).ilog2());
        found.push(Subtree { level, index: at >> level });
        at += 1 << level;
    }
    found
}

/// The hash of a range from the hashes of its subtrees, in their order; `None` if there are none.
pub fn fold(subtrees: &[Hash]) -> Option<Hash> {
    let (last, rest) = subtrees.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// The ranges whose hashes prove that the leaf is in a tree of that size, from the leaf upwards.
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let (mut low, mut high) = (0, size);
    if index >= size {
        return ranges;
    }
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            ranges.push(middle..high);
            high = middle;
        } else {
            ranges.push(low..middle);
            low = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges whose hashes prove that a tree of `size` begins with the tree of `first` leaves.
pub fn consistency_ranges(first: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    if first == 0 || first >= size {
        return ranges;
    }
    let (mut low, mut high, mut begins_the_first) = (0, size, true);
    while first != high {
        let middle = low + split(high - low);
        if first <= middle {
            ranges.push(middle..high);
            high = middle;
        } else {
            ranges.push(low..middle);
            low = middle;
            begins_the_first = false;
        }
    }
    if !begins_the_first {
        ranges.push(low..high);
    }
    ranges.reverse();
    ranges
}

/// The largest power of two below a number above 1.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Whether the leaf stands at that place in the tree of that size and root.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Shape);
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Shape);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Shape),
    }
}

/// Whether the tree of `size` and `root` begins with the tree of `first` and `first_root`.
pub fn verify_consistency(
    first: u64,
    size: u64,
    first_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if first > size || (first == 0 || first == size) && !proof.is_empty() {
        return Err(ProofError::Shape);
    }
    if first == size {
        return if first_root == root { Ok(()) } else { Err(ProofError::Root) };
    }
    if first == 0 {
        return if *first_root == super::empty_root() { Ok(()) } else { Err(ProofError::Root) };
    }
    // A complete first tree is its own first node, and is not sent.
    let mut hashes = first.is_power_of_two().then_some(first_root).into_iter().chain(proof);
    let start = *hashes.next().ok_or(ProofError::Shape)?;
    let shift = (first - 1).trailing_ones();
    let (mut place, mut last) = ((first - 1) >> shift, (size - 1) >> shift);
    let (mut of_first, mut of_all) = (start, start);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Shape);
        }
        if place & 1 == 1 || place == last {
            of_first = node_hash(sibling, &of_first);
            of_all = node_hash(sibling, &of_all);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            of_all = node_hash(&of_all, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    match (last, of_first == *first_root && of_all == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Shape),
    }
}
