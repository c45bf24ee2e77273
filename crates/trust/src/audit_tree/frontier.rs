//! The right edge of a tree: all that is needed to add leaves and to know the root.

use super::{Hash, Subtree, empty_root, fold, node_hash};

/// The roots of the complete subtrees that a tree of some size consists of, the largest first: one for each bit of the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of that size from the roots of its complete subtrees, see
    /// [`subtrees(0..size)`](super::subtrees); `None` if they are not as many as that size has.
    pub fn new(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        fold(&self.roots).unwrap_or_else(empty_root)
    }

    /// Adds a leaf, and names every subtree above it that is complete now.
    pub fn append(&mut self, leaf: Hash, completed: impl FnMut(Subtree, Hash)) {
        self.grow(0, leaf, completed);
    }

    /// Adds a complete subtree of `2^level` leaves; false, and nothing done, if it cannot stand at this place.
    #[must_use]
    pub fn append_subtree(&mut self, level: u32, root: Hash) -> bool {
        let fits = level < 63 && self.size.trailing_zeros() >= level && self.size < 1 << 62;
        if fits {
            self.grow(level, root, |_, _| {});
        }
        fits
    }

    fn grow(&mut self, level: u32, root: Hash, mut completed: impl FnMut(Subtree, Hash)) {
        let mut node = (level, root);
        // Each bit of the size from this level up that is set is a subtree of the same height to the left.
        let merges = (self.size >> level).trailing_ones();
        for _ in 0..merges {
            let Some(left) = self.roots.pop() else { break };
            node = (node.0 + 1, node_hash(&left, &node.1));
            completed(Subtree { level: node.0, index: self.size >> node.0 }, node.1);
        }
        self.roots.push(node.1);
        self.size += 1 << level;
    }
}
