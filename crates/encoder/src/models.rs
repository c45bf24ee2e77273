//! The weights that the program knows, and the folder in which they are kept.
//!
//! A checksum is pinned for each: what has another is not installed and not used. The function that reckons it is given, so that
//! there is one in the whole program.

use crate::{Encoder, MOST_BYTES, WeightsError};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Where the weights lie within the data directory.
const FOLDER: &str = "models";

/// Reckons the SHA-256 of some bytes.
pub type Digest = fn(&[u8]) -> [u8; 32];

/// Weights that the program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What it is called.
    pub name: String,
    /// The name of its file.
    pub file: String,
    /// How long the file is.
    pub bytes: usize,
    /// The checksum of the file, in hexadecimal.
    pub sha256: String,
    /// The licence of the weights.
    pub licence: String,
    /// The package that holds the file, with its version.
    pub package: String,
}

/// What was not done, and why.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such model is known.
    #[error("there is no model {name}; known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of all.
        known: String,
    },
    /// The bytes are not those that are pinned.
    #[error("{found} of {name} is not the pinned one, {expected}")]
    Differs {
        /// The model.
        name: String,
        /// What was found: a length or a checksum.
        found: String,
        /// What is pinned.
        expected: String,
    },
    /// It is not there.
    #[error("{0} is not installed")]
    Missing(String),
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The weights are refused.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Model {
    /// All models that the program knows.
    pub fn known() -> Vec<Self> {
        include_str!("../data/models.txt").lines().filter_map(Self::read).collect()
    }

    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, file, bytes, sha256, licence, package, ..] = words.as_slice() else { return None };
        let bytes = bytes.parse().ok()?;
        let [name, file, sha256, licence, package] =
            [name, file, sha256, licence, package].map(|word| (*word).to_owned());
        Some(Self { name, file, bytes, sha256, licence, package })
    }

    /// The model of a name.
    pub fn named(name: &str) -> Result<Self, ModelError> {
        let known = Self::known();
        let names = || known.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
        let unknown = || ModelError::Unknown { name: name.to_owned(), known: names() };
        known.iter().find(|model| model.name == name).cloned().ok_or_else(unknown)
    }

    /// Whether some bytes are those that are pinned.
    pub fn check(&self, bytes: &[u8], digest: Digest) -> Result<(), ModelError> {
        let differs = |found, expected| ModelError::Differs { name: self.name.clone(), found, expected };
        if bytes.len() != self.bytes {
            return Err(differs(format!("the length {}", bytes.len()), self.bytes.to_string()));
        }
        let found = digest(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        if found == self.sha256 {
            Ok(())
        } else {
            Err(differs(format!("the checksum {found}"), self.sha256.clone()))
        }
    }
}

/// The folder of weights within a data directory.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
    digest: Digest,
}

impl Shelf {
    /// That of a data directory, which need not exist yet.
    pub fn of(data_dir: &Path, digest: Digest) -> Self {
        Self { folder: data_dir.join(FOLDER), digest }
    }

    /// Where a model lies or would lie.
    pub fn path(&self, model: &Model) -> PathBuf {
        self.folder.join(&model.file)
    }

    /// The bytes of an installed model, if they are those that are pinned.
    pub fn verified(&self, model: &Model) -> Result<Vec<u8>, ModelError> {
        let path = self.path(model);
        let bytes = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ModelError::Missing(model.name.clone()));
            }
            read => read.map_err(|source| ModelError::File { path, source })?,
        };
        model.check(&bytes, self.digest)?;
        Ok(bytes)
    }

    /// Opens an installed model, if its bytes are those that are pinned.
    pub fn open(&self, model: &Model) -> Result<Encoder, ModelError> {
        Ok(Encoder::adapted(&self.verified(model)?)?)
    }

    /// Installs what is pinned, from bytes of any origin. A crash leaves the old file or the new one, never a part.
    pub fn install(&self, model: &Model, bytes: &[u8]) -> Result<(), ModelError> {
        model.check(bytes, self.digest)?;
        let path = self.path(model);
        let beside = self.folder.join(format!(".{}.{}", model.file, std::process::id()));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| File::create(&beside))
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, &path))
            .and_then(|()| File::open(&self.folder)?.sync_all());
        written.map_err(|source| {
            let _ = fs::remove_file(&beside);
            ModelError::File { path, source }
        })
    }

    /// Removes a model; tells whether it was there.
    pub fn remove(&self, model: &Model) -> Result<bool, ModelError> {
        let path = self.path(model);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ModelError::File { path, source }),
        }
    }
}

/// The bytes of a file, as far as any weights may go.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
