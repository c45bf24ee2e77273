//! The bytes of files, in an object store: a directory, or whatever else `object_store` speaks to.
//!
//! A file is sealed under the key of its contact in pieces of 64 KiB, each bound to the tenant, the file, its place and how many
//! there are. So a piece that was changed, moved, taken from elsewhere or cut off does not open, a large file is never in memory
//! twice, and any part of it can be read by itself.

use crate::{ContactKey, StoreError, TenantKeys};
use bytes::Bytes;
use misy_domain::{Entropy, FileId, TenantId};
use misy_trust::{Place, seal::OVERHEAD};
use object_store::{
    Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, path::Path,
};
use std::{
    ffi::OsStr,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    sync::Arc,
};

/// Bytes of a file that are sealed together.
pub const CHUNK: usize = 64 * 1024;
/// Pieces that are sent to the store together: 5 MiB, the least that stores of clouds take.
const CHUNKS_OF_A_PART: usize = 80;

/// Where the bytes of files lie. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    directory: Arc<std::path::Path>,
}

impl Files {
    /// In a directory, which is made if it is not there. What is written is on the disk when that returns.
    pub fn in_directory(directory: &std::path::Path) -> Result<Self, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| Error::Generic { store: "directory", source: Box::new(error) })?;
        let store = Arc::new(LocalFileSystem::new_with_prefix(directory)?.with_fsync(true));
        Ok(Self { store, directory: directory.into() })
    }

    /// Writes a file. It is there whole or not at all.
    pub async fn write(
        &self,
        tenant: &TenantId,
        file: FileId,
        key: &ContactKey,
        bytes: &Bytes,
        entropy: &dyn Entropy,
    ) -> Result<(), StoreError> {
        let mut upload = self.store.put_multipart(&name(tenant, file)).await?;
        let written = write_parts(&mut *upload, tenant, file, key, bytes, entropy).await;
        if written.is_err() {
            // What is left of it is nobody's: the row says that there is no such file.
            let _ = upload.abort().await;
        }
        written
    }

    /// Reads the piece at a place, from 0, of a file of that many bytes.
    pub async fn read(
        &self,
        keys: &TenantKeys,
        key: &ContactKey,
        file: FileId,
        size: u64,
        at: u64,
    ) -> Result<Bytes, StoreError> {
        let (chunk, overhead) = (CHUNK as u64, OVERHEAD as u64);
        let begin = at * (chunk + overhead);
        let length = size.saturating_sub(at * chunk).min(chunk) + overhead;
        let sealed = self.store.get_range(&name(keys.tenant(), file), begin..begin + length).await?;
        let row = row(file, at, chunks(size));
        let opened = key.open(keys, &place(keys.tenant(), &row), &sealed)?;
        Ok(opened.into())
    }

    /// Removes a file, if it is there, with what whoever was killed while writing it left beside it. Its row must be gone, so
    /// that nobody writes it any more.
    pub async fn remove(&self, tenant: &TenantId, file: FileId) -> Result<(), StoreError> {
        let name = name(tenant, file);
        match self.store.delete(&name).await {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let path = self.directory.join(name.as_ref());
        let tidied = tokio::task::spawn_blocking(move || remove_unfinished(&path)).await;
        let tidied = tidied.unwrap_or_else(|error| Err(io::Error::other(error)));
        tidied.map_err(|error| Error::Generic { store: "directory", source: Box::new(error) }.into())
    }
}

/// Removes unfinished pieces of a file: the store of a directory writes each beside its place, with `#` and a number after its
/// name. Folders that are empty by then go too, so that nothing tells of a tenant that is gone.
fn remove_unfinished(path: &std::path::Path) -> io::Result<()> {
    let (Some(folder), Some(file)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
        return Ok(());
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?.file_name();
        let is_piece = |name: &str| name.strip_prefix(file).is_some_and(|rest| rest.starts_with('#'));
        if entry.to_str().is_some_and(is_piece) {
            fs::remove_file(folder.join(entry))?;
        }
    }
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        if fs::remove_dir(folder).is_err() {
            // Something lies in it.
            break;
        }
    }
    Ok(())
}

async fn write_parts(
    upload: &mut dyn MultipartUpload,
    tenant: &TenantId,
    file: FileId,
    key: &ContactKey,
    bytes: &Bytes,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let of = chunks(bytes.len() as u64);
    let mut at = 0;
    for part in bytes.chunks(CHUNK * CHUNKS_OF_A_PART) {
        let mut sealed = Vec::with_capacity(CHUNKS_OF_A_PART);
        for chunk in part.chunks(CHUNK) {
            sealed.push(Bytes::from(key.seal(&place(tenant, &row(file, at, of)), chunk, entropy)));
            at += 1;
        }
        upload.put_part(PutPayload::from_iter(sealed)).await?;
    }
    upload.complete().await?;
    Ok(())
}

/// What a file is called in the store. There is no name without a tenant.
fn name(tenant: &TenantId, file: FileId) -> Path {
    let file = file.to_string();
    // The last characters are random, so no directory gets large.
    let (_, spread) = file.split_at(file.len() - 2);
    Path::from_iter([tenant.as_str(), spread, &file])
}

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "attachments", column: "bytes", row }
}

fn row(file: FileId, at: u64, of: u64) -> String {
    format!("{file}/{at}/{of}")
}

fn chunks(size: u64) -> u64 {
    size.div_ceil(CHUNK as u64)
}
