//! The program's memory holds keys: it is nobody else's to read.

/// Keeps other processes of the same account out of this one's memory and environment (`ptrace`, `/proc/<pid>/mem`, `environ`),
/// and what was in memory out of files. Programs that this one starts, such as PostgreSQL, decide for themselves about the former.
pub(crate) fn hide() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}
