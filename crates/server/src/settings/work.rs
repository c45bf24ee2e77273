//! Work on conversations.

use super::declare::{declare, switch};

declare! {
    "Work on conversations";
    open worker: String = "on".into(),
        "on or off: whether this process answers conversations, or only takes requests [on]";
    open pack_memory_mib: u32 = 256,
        "memory for context packs that are ready for answering, in MiB, at least 16; a demo business takes some 0.1 [256]";
}

/// Work on conversations.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// Whether this process works on conversations.
    pub(crate) worker: bool,
    /// Memory for context packs that are ready for answering, in bytes.
    pub(crate) pack_memory: u64,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Work> {
    anyhow::ensure!(written.pack_memory_mib >= 16, "pack_memory_mib must be at least 16");
    Ok(Work {
        worker: switch("worker", &written.worker)?,
        pack_memory: u64::from(written.pack_memory_mib) * 1024 * 1024,
    })
}
