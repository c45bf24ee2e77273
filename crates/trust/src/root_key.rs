//! The root key: it seals the data keys of all tenants and nothing else.
//!
//! This module reads and once writes a file, which the rest of the crate would leave to others. It stays here because
//! what protects the key *is* how the file is treated (its mode, that it is no link, that it appears whole or not at all),
//! and that belongs where the key is understood and tested.

use crate::{DataKey, OpenError, Place, digest::derive_key, seal::key_version};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{Entropy, Secret, TenantId};
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::{Zeroize, Zeroizing};

/// The root key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file cannot be read or written.
    #[error("the root key file {path} cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A link, directory or device stands where the file should.
    #[error("the root key {path} must be a plain file, not a link")]
    NotAPlainFile {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner can get at it.
    #[error(
        "the root key file {path} has mode {mode:04o}, so others can get at it; set it to 0600 if nobody has, and rotate the key if somebody may have"
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The environment variable is missing.
    #[error("the environment variable {variable} with the root key is not set")]
    NotSet {
        /// Its name.
        variable: String,
    },
    /// What stands there is not 32 bytes in base64url, or several of them.
    #[error("the root key in {place} must be 32 bytes in base64url: 43 characters, without padding")]
    NotAKey {
        /// The file or variable.
        place: String,
    },
}

/// Where the root key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProvider {
    /// A file with mode 0600. It is made on first use; whoever loses it loses all sealed data.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
}

impl KeyProvider {
    /// The root key; a missing file is made.
    pub fn load(&self, entropy: &dyn Entropy) -> Result<RootKey, RootKeyError> {
        match self {
            Self::File(path) => load_file(path, entropy),
            Self::Environment(variable) => first(read_environment(variable)?, variable),
        }
    }

    /// The root keys, the one that wraps first; behind it, while a rotation goes on, those that only unwrap.
    pub fn load_all(&self) -> Result<Vec<RootKey>, RootKeyError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Environment(variable) => read_environment(variable),
        }
    }
}

/// The key above all data keys.
#[derive(Clone)]
pub struct RootKey(DataKey);

const TABLE: &str = "data_keys";
const COLUMN: &str = "wrapped";

impl RootKey {
    /// A root key of these bytes. Its version is a fingerprint, so that a data key tells which root key wrapped it.
    pub fn new(key: Secret<[u8; 32]>) -> Self {
        let fingerprint = derive_key(key.expose(), &[], &[b"misy-root-key-fingerprint"]);
        let [a, b, c, d, ..] = *fingerprint.expose();
        Self(DataKey::new(u32::from_be_bytes([a, b, c, d]), key))
    }

    /// Reads 32 bytes in base64url, in their one spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let mut key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        let root = Self::new(Secret::new(key));
        key.zeroize();
        Some(root)
    }

    /// Reads one or several keys, each on a line of its own or with a comma between them.
    pub fn parse_all(text: &str) -> Option<Vec<Self>> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.split(['\n', ',']).map(Self::parse).collect()
    }

    /// A new one, with the text that [`RootKey::parse`] reads.
    pub fn generate(entropy: &dyn Entropy) -> (Self, Secret<String>) {
        let mut key = entropy.key();
        let text = Secret::new(URL_SAFE_NO_PAD.encode(key));
        let root = Self::new(Secret::new(key));
        key.zeroize();
        (root, text)
    }

    /// Its bytes, to be wrapped by a key management service.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Its fingerprint.
    pub fn version(&self) -> u32 {
        self.0.version()
    }

    /// A data key of a tenant, sealed, to be stored.
    pub fn wrap(&self, tenant: &TenantId, key: &DataKey, entropy: &dyn Entropy) -> Vec<u8> {
        let row = key.version().to_string();
        key.wrapped_by(&self.0, &Place { tenant, table: TABLE, column: COLUMN, row: &row }, entropy)
    }

    /// The tenant's data key of this version from what [`RootKey::wrap`] made.
    pub fn unwrap(&self, tenant: &TenantId, version: u32, wrapped: &[u8]) -> Result<DataKey, OpenError> {
        let row = version.to_string();
        let place = Place { tenant, table: TABLE, column: COLUMN, row: &row };
        DataKey::unwrapped_by(version, &self.0, &place, wrapped)
    }

    /// Finds equal values among what belongs to no tenant.
    pub fn blind_index(&self, table: &str, column: &str) -> crate::BlindIndex {
        self.0.blind_index(table, column)
    }

    /// Whether this root key wrapped these bytes; after a rotation of the root key those of the old one are wrapped anew.
    pub fn wrapped(&self, wrapped: &[u8]) -> bool {
        key_version(wrapped) == Ok(self.version())
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

fn load_file(path: &Path, entropy: &dyn Entropy) -> Result<RootKey, RootKeyError> {
    let failed = |source| RootKeyError::File { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_file(path, entropy).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
        Ok(_) => {}
    }
    first(read_file(path)?, &path.display().to_string())
}

fn first(keys: Vec<RootKey>, place: &str) -> Result<RootKey, RootKeyError> {
    keys.into_iter().next().ok_or_else(|| RootKeyError::NotAKey { place: place.to_owned() })
}

fn read_file(path: &Path) -> Result<Vec<RootKey>, RootKeyError> {
    let text = read_private_file(path)?;
    RootKey::parse_all(&text).ok_or_else(|| RootKeyError::NotAKey { place: path.display().to_string() })
}

fn read_environment(variable: &str) -> Result<Vec<RootKey>, RootKeyError> {
    let not_set = || RootKeyError::NotSet { variable: variable.to_owned() };
    let text = Zeroizing::new(std::env::var(variable).map_err(|_| not_set())?);
    RootKey::parse_all(&text).ok_or_else(|| RootKeyError::NotAKey { place: variable.to_owned() })
}

/// Puts a new key first into the file; those that are there stay behind it, to unwrap what they wrapped. The file is
/// replaced as a whole.
pub fn add_to_file(path: &Path, entropy: &dyn Entropy) -> Result<Vec<RootKey>, RootKeyError> {
    let before = read_file(path)?;
    let old = read_private_file(path)?;
    let (key, text) = RootKey::generate(entropy);
    replace_file(path, &Zeroizing::new(format!("{}\n{}", text.expose(), old.trim())), entropy)?;
    Ok([vec![key], before].concat())
}

/// Leaves only the first key in the file: nothing is wrapped by the others any more.
pub fn keep_first_in_file(path: &Path, entropy: &dyn Entropy) -> Result<(), RootKeyError> {
    let text = read_private_file(path)?;
    let first = text.split_whitespace().next().unwrap_or_default();
    RootKey::parse(first).ok_or_else(|| RootKeyError::NotAKey { place: path.display().to_string() })?;
    replace_file(path, first, entropy)
}

fn replace_file(path: &Path, text: &str, entropy: &dyn Entropy) -> Result<(), RootKeyError> {
    let failed = |source| RootKeyError::File { path: path.to_owned(), source };
    let replace = || -> io::Result<()> {
        let draft = draft_of(path, entropy)?;
        let written = write_draft(&draft, text.as_bytes()).and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written?;
        sync_directory(path)
    };
    replace().map_err(failed)
}

/// Reads a file that is no link and that nobody but its owner can get at.
fn read_private_file(path: &Path) -> Result<Zeroizing<String>, RootKeyError> {
    let failed = |source| RootKeyError::File { path: path.to_owned(), source };
    let named = fs::symlink_metadata(path).map_err(failed)?;
    if !named.is_file() {
        return Err(RootKeyError::NotAPlainFile { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    // Somebody could have put a link there between the two calls; then the opened file is another one.
    if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
        return Err(RootKeyError::NotAPlainFile { path: path.to_owned() });
    }
    let mode = opened.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(RootKeyError::TooOpen { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(64));
    Read::by_ref(&mut file).take(1024).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Makes the file: written and synced under another name first, then linked, which fails if the name is taken. So the key
/// appears whole or not at all, and of two processes that start at once both end up with the same one.
fn create_file(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let key = Zeroizing::new(entropy.key());
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(key.as_ref()));
    let draft = draft_of(path, entropy)?;

    let linked = write_draft(&draft, text.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    removed?;
    sync_directory(path)
}

/// A name beside the file that nobody else takes.
fn draft_of(path: &Path, entropy: &dyn Entropy) -> io::Result<PathBuf> {
    let mut suffix = [0; 8];
    entropy.fill(&mut suffix);
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(suffix)));
    Ok(path.with_file_name(name))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn write_draft(draft: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
