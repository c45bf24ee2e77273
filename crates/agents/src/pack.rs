//! A context pack with the index that answers are looked up in.

use misy_domain::ContextPack;
use std::sync::Arc;

/// A context pack made ready for answering: build it once per version of the pack and share it.
#[derive(Debug, Clone)]
pub struct CompiledPack {
    pack: Arc<ContextPack>,
}

impl CompiledPack {
    /// Indexes a pack.
    pub fn new(pack: Arc<ContextPack>) -> Self {
        Self { pack }
    }

    /// The pack itself.
    pub fn pack(&self) -> &ContextPack {
        &self.pack
    }
}
