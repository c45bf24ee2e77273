//! One process per data directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::error::{StartError, file};

/// The lock's file name.
const NAME: &str = "misy.lock";

/// A folder that is ours until this is dropped, or until the process dies in any way.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the folder, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, StartError> {
        let mut file = open(dir)?;
        match file.try_lock() {
            Ok(()) => Self::sign(file, dir),
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Whoever has it may be between taking the lock and writing its number.
                let _ = file.read_to_string(&mut pid);
                let pid = pid.trim();
                let pid = if pid.is_empty() { "?" } else { pid }.to_owned();
                Err(StartError::InUse { dir: dir.to_path_buf(), pid })
            }
            Err(TryLockError::Error(source)) => Err(file_error(dir)(source)),
        }
    }

    /// Takes the folder, after whoever has it. Blocks the thread.
    pub(crate) fn wait(dir: &Path) -> Result<Self, StartError> {
        let file = open(dir)?;
        file.lock().map_err(file_error(dir))?;
        Self::sign(file, dir)
    }

    fn sign(mut file: File, dir: &Path) -> Result<Self, StartError> {
        let mut write = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(file_error(dir))?;
        Ok(Self { _file: file })
    }
}

fn open(dir: &Path) -> Result<File, StartError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join(NAME))
        .map_err(file_error(dir))
}

fn file_error(dir: &Path) -> impl FnOnce(std::io::Error) -> StartError {
    file("lock", dir.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let held = DirLock::take(dir.path()).unwrap();
        let refused = DirLock::take(dir.path()).unwrap_err().to_string();
        assert!(
            refused.starts_with(&format!("another misy (pid {}) uses ", std::process::id())),
            "{refused}"
        );
        drop(held);
        DirLock::take(dir.path()).unwrap();
    }
}
