//! Where things are: the data directory, the cluster, the socket.

use std::{
    collections::hash_map::DefaultHasher,
    fs::{self, DirBuilder, File},
    hash::{Hash, Hasher},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
};

use crate::{
    PORT,
    account::{Account, we_are_root},
    error::{StartError, file},
    options::Options,
};

/// Names the folder that holds the cluster when it is not in the data directory.
const LOCATION: &str = "postgres.location";

/// The cluster's folder.
const CLUSTER: &str = "postgres";

/// How the name of a folder starts that was made for a cluster outside of the data directory.
const MADE_HERE: &str = "misy-";

/// The longest socket path that every system takes: 108 bytes on Linux and 104 on macOS, with the closing zero.
const LONGEST_SOCKET_PATH: usize = 100;

/// Where the cluster is.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The folder that holds cluster and socket folder: the data directory, or another one when the server's account
    /// cannot reach it.
    pub(crate) base: PathBuf,
    /// The cluster, `PGDATA`.
    pub(crate) cluster: PathBuf,
}

impl Layout {
    /// Where the cluster of this data directory is or will be; the data directory is made when it is not there.
    pub(crate) fn of(data_dir: &Path, options: &Options) -> Result<(Self, Account), StartError> {
        let location = data_dir.join(LOCATION);
        if let Some(base) = recorded(&location)? {
            if !base.is_dir() {
                return Err(StartError::Lost { location, base });
            }
            return Self::at(base);
        }
        let (layout, account) = Self::at(data_dir.to_path_buf())?;
        if layout.cluster.exists() {
            return Ok((layout, account));
        }
        let base = match (&options.cluster_parent, account.obstacle(data_dir)) {
            (Some(parent), _) => new_base(parent)?,
            (None, Some(obstacle)) if we_are_root() => {
                let base = new_base(&options.unreachable_base)?;
                tracing::warn!(
                    target: "postgres",
                    "{} is closed to the user {}: the database is kept in {}, as {} says",
                    obstacle.display(), account.name, base.display(), location.display()
                );
                base
            }
            (None, _) => return Ok((layout, account)),
        };
        record(&location, &base)?;
        Self::at(base)
    }

    fn at(base: PathBuf) -> Result<(Self, Account), StartError> {
        let cluster = base.join(CLUSTER);
        let owner = match fs::symlink_metadata(&cluster) {
            Ok(metadata) => Some(metadata.uid()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(file("look at", cluster)(error)),
        };
        let account = Account::for_server(owner)?;
        match owner {
            Some(owner) if owner != account.uid => {
                Err(StartError::WrongOwner { cluster, owner, user: account.name })
            }
            _ => Ok((Self { base, cluster }, account)),
        }
    }

    /// Removes the cluster, and the folder it is in when that is not the data directory.
    pub(crate) fn remove(&self, data_dir: &Path) -> Result<(), StartError> {
        // A folder that we did not make keeps what else is in it.
        let ours = self.base.file_name().is_some_and(|name| name.to_string_lossy().starts_with(MADE_HERE));
        let folder = if ours && self.base != data_dir { &self.base } else { &self.cluster };
        gone(fs::remove_dir_all(folder)).map_err(file("remove", folder))?;
        let location = data_dir.join(LOCATION);
        gone(fs::remove_file(&location)).map_err(file("remove", location))
    }

    /// The folder of the server's socket, made private to its account.
    pub(crate) fn socket_dir(&self, account: &Account) -> Result<PathBuf, StartError> {
        let usual = self.base.join("run");
        if fits(&usual) {
            private_dir(&usual, account).map_err(file("make", usual.clone()))?;
            return Ok(usual);
        }
        let mut hasher = DefaultHasher::new();
        self.base.hash(&mut hasher);
        let name = format!("misy-{:016x}", hasher.finish());
        let mut reason = String::new();
        for parent in [std::env::temp_dir(), PathBuf::from("/tmp")] {
            let dir = parent.join(&name);
            if !fits(&dir) || !account.can_reach(&parent) {
                reason = format!("{} is too long, or closed to {}", parent.display(), account.name);
                continue;
            }
            match private_dir(&dir, account) {
                Ok(()) => return Ok(dir),
                Err(error) => reason = format!("{}: {error}", dir.display()),
            }
        }
        Err(StartError::NoSocketDir { dir: usual, reason })
    }
}

/// Makes the data directory, and gives its real path.
///
/// Made by root it can be passed through and not read, so that the server's account reaches the cluster in it.
pub(crate) fn make_data_dir(dir: &Path) -> Result<PathBuf, StartError> {
    let mode = if we_are_root() { 0o711 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(dir).map_err(file("make", dir))?;
    dir.canonicalize().map_err(file("find", dir))
}

/// Makes a folder that only `account` may enter, or checks that the one there is such.
pub(crate) fn private_dir(dir: &Path, account: &Account) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => return hand_over(dir, account),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    // Judged and changed through one handle: between two looks at a path, it may become a link.
    let handle = File::open(dir)?;
    let metadata = handle.metadata()?;
    if metadata.is_dir() && metadata.uid() == account.uid {
        return handle.set_permissions(fs::Permissions::from_mode(0o700));
    }
    // Root died between making and handing over. This removes an empty folder and nothing else.
    fs::remove_dir(dir).map_err(|_| io::Error::other("it is there already, and belongs to another user"))?;
    DirBuilder::new().mode(0o700).create(dir)?;
    hand_over(dir, account)
}

fn hand_over(dir: &Path, account: &Account) -> io::Result<()> {
    if we_are_root() { lchown(dir, Some(account.uid), Some(account.gid)) } else { Ok(()) }
}

/// Makes what was written in a folder survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// What is not there is removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn fits(socket_dir: &Path) -> bool {
    socket_dir.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= LONGEST_SOCKET_PATH
}

fn recorded(location: &Path) -> Result<Option<PathBuf>, StartError> {
    match fs::read_to_string(location) {
        Ok(text) => Ok(Some(PathBuf::from(text.trim_end_matches('\n')))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("read", location)(error)),
    }
}

fn record(location: &Path, base: &Path) -> Result<(), StartError> {
    let temporary = location.with_extension("location-tmp");
    let dir = location.parent().unwrap_or(location);
    let write = || {
        fs::write(&temporary, format!("{}\n", base.display()))?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, location)?;
        sync_dir(dir)
    };
    write().map_err(file("write", location))
}

/// Makes a folder with a new random name that the server's account can pass through.
fn new_base(parent: &Path) -> Result<PathBuf, StartError> {
    let make = || {
        DirBuilder::new().recursive(true).mode(0o711).create(parent)?;
        let mut random = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let base = parent.join(format!("{MADE_HERE}{:016x}", u64::from_ne_bytes(random)));
        DirBuilder::new().mode(0o711).create(&base)?;
        // The mode above is cut by our umask, and the folder must be passed through by the server's account.
        fs::set_permissions(&base, fs::Permissions::from_mode(0o711))?;
        base.canonicalize()
    };
    make().map_err(file("make a folder in", parent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::Programs;

    #[test]
    fn a_socket_path_of_a_hundred_bytes_fits_and_one_more_does_not() {
        let rest = "/.s.PGSQL.5432".len();
        assert!(fits(&Path::new("/").join("a".repeat(99 - rest))));
        assert!(!fits(Path::new("/").join("a".repeat(100 - rest)).as_path()));
    }

    #[test]
    fn a_recorded_folder_that_is_gone_is_an_error_not_an_empty_database() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCATION), "/nonexistent/cluster\n").unwrap();
        let options = Options::new(dir.path(), Programs::find(None).unwrap());
        let error = Layout::of(dir.path(), &options).unwrap_err();
        assert!(matches!(error, StartError::Lost { .. }), "{error}");
    }
}
