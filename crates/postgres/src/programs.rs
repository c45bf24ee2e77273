//! Finding PostgreSQL on the machine.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    account::{Account, AccountError},
    version::Version,
};

/// Folders of distributions: each `*` stands for one folder name.
const USUAL_PLACES: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// A PostgreSQL that was found and works, and the older ones beside it.
#[derive(Debug, Clone)]
pub struct Programs {
    bin_dir: PathBuf,
    version: Version,
    others: Vec<Candidate>,
}

#[derive(Debug, Clone)]
struct Candidate {
    bin_dir: PathBuf,
    version: Version,
}

/// A folder that was looked at, and why it was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The folder with the programs.
    pub bin_dir: PathBuf,
    /// Why it was not taken.
    pub reason: String,
}

/// No PostgreSQL that can be used.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The configured folder has none.
    #[error("MISY_POSTGRES_BIN names no PostgreSQL that can be used:{}", listed(std::slice::from_ref(.0)))]
    Configured(Refusal),
    /// Nothing usable in any of the usual places.
    #[error(
        "no PostgreSQL that can be used was found: install one (`apt-get install postgresql`, \
         `dnf install postgresql-server`, `brew install postgresql`), set MISY_POSTGRES_BIN to the folder that has \
         `postgres` and `initdb`, or set MISY_DATABASE_URL to use another server.{}",
        listed(.0)
    )]
    None(Vec<Refusal>),
    /// No account to run the programs with.
    #[error(transparent)]
    Account(#[from] AccountError),
}

fn listed(refusals: &[Refusal]) -> String {
    refusals.iter().fold(String::new(), |text, refusal| format!("{text}\n  {refusal}"))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.bin_dir.display(), self.reason)
    }
}

impl Programs {
    /// Finds the newest PostgreSQL that is accepted and works.
    ///
    /// A folder that is given (`MISY_POSTGRES_BIN`) is the only one that is looked at. Otherwise: the search path,
    /// what `pg_config` says, and the usual folders of distributions.
    pub fn find(configured: Option<&Path>) -> Result<Self, FindError> {
        let account = Account::for_server(None)?;
        let (candidates, refusals) = survey(&configured.map_or_else(places, |dir| vec![dir.to_path_buf()]));
        choose(candidates, refusals, |candidate| candidate.check(&account)).map_err(|mut refusals| {
            match configured {
                Some(_) if refusals.len() == 1 => FindError::Configured(refusals.remove(0)),
                _ => FindError::None(refusals),
            }
        })
    }

    /// The programs of one major version, which an existing data directory of that version needs.
    pub(crate) fn of_major(&self, major: u32, account: &Account) -> Option<Self> {
        if self.version.major == major {
            return Some(self.clone());
        }
        self.others
            .iter()
            .find(|candidate| candidate.version.major == major && candidate.check(account).is_ok())
            .map(|found| Self { bin_dir: found.bin_dir.clone(), version: found.version, others: Vec::new() })
    }

    /// The version of the server.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The folder that has `postgres` and `initdb`.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.bin_dir.join("postgres")
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.bin_dir.join("initdb")
    }
}

impl Candidate {
    /// Whether the programs run for `account` and find their own files: a copied `initdb` answers `--version`, and
    /// fails later for want of its share folder.
    fn check(&self, account: &Account) -> Result<(), String> {
        let mut command = Command::new(self.bin_dir.join("initdb"));
        account.dress_blocking(&mut command);
        let output = command
            .args(["--show", "-D", "/nonexistent"])
            .output()
            .map_err(|error| format!("`initdb` does not run as the user {}: {error}", account.name))?;
        let answer =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let share = answer.lines().find_map(|line| line.trim().strip_prefix("share_path="));
        match share.map(Path::new) {
            Some(share) if share.join("postgres.bki").is_file() => Ok(()),
            Some(share) => Err(format!("its share folder {} is not complete", share.display())),
            None => Err(format!("`initdb` does not work: {}", first_line(&answer))),
        }
    }
}

/// Takes the newest candidate that passes the check; gives all reasons when there is none.
fn choose(
    mut candidates: Vec<Candidate>,
    mut refusals: Vec<Refusal>,
    check: impl Fn(&Candidate) -> Result<(), String>,
) -> Result<Programs, Vec<Refusal>> {
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.version));
    while !candidates.is_empty() {
        let Candidate { bin_dir, version } = candidates.remove(0);
        match check(&Candidate { bin_dir: bin_dir.clone(), version }) {
            Ok(()) => return Ok(Programs { bin_dir, version, others: candidates }),
            Err(reason) => refusals.push(Refusal { bin_dir, reason }),
        }
    }
    Err(refusals)
}

/// Asks each folder for its version: those that may be used, and those refused with the reason.
fn survey(places: &[PathBuf]) -> (Vec<Candidate>, Vec<Refusal>) {
    let mut seen = Vec::new();
    let mut candidates = Vec::new();
    let mut refusals = Vec::new();
    for place in places {
        // PostgreSQL finds its files from where a link leads, so two links to one installation are one candidate.
        let postgres = place.join("postgres");
        let bin_dir = postgres.canonicalize().ok().and_then(|real| Some(real.parent()?.to_path_buf()));
        let bin_dir = bin_dir.unwrap_or_else(|| place.clone());
        if seen.contains(&bin_dir) {
            continue;
        }
        seen.push(bin_dir.clone());
        match version_in(&bin_dir) {
            Ok(version) => candidates.push(Candidate { bin_dir, version }),
            Err(reason) => refusals.push(Refusal { bin_dir, reason }),
        }
    }
    (candidates, refusals)
}

fn version_in(bin_dir: &Path) -> Result<Version, String> {
    for program in ["postgres", "initdb"] {
        if !bin_dir.join(program).is_file() {
            return Err(format!("has no `{program}`"));
        }
    }
    let output = Command::new(bin_dir.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|error| format!("`postgres --version` does not run: {error}"))?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let Some(version) = Version::parse(&answer) else {
        return Err(format!("`postgres --version` names no released version: {}", first_line(&answer)));
    };
    match version.required() {
        Some(required) if version < required => Err(format!(
            "PostgreSQL {version} is too old: {required} is the first of its line that fixes CVE-2025-8713, update it"
        )),
        Some(_) => Ok(version),
        None => Err(format!("PostgreSQL {version} is too old: 15 or newer is needed")),
    }
}

/// Every folder that may have the programs, most deliberate first.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(path) = std::env::var_os("PATH") {
        places.extend(std::env::split_paths(&path).filter(|dir| dir.join("postgres").is_file()));
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    places.extend(USUAL_PLACES.into_iter().flat_map(|pattern| expanded(Path::new(pattern))));
    // A folder with neither program is not a refused PostgreSQL, it is no PostgreSQL.
    places.retain(|place| place.join("postgres").is_file());
    places
}

/// The folders a pattern names, where `*` in a component stands for any text.
fn expanded(pattern: &Path) -> Vec<PathBuf> {
    pattern.components().fold(vec![PathBuf::new()], |found, component| {
        let component = component.as_os_str().to_string_lossy().into_owned();
        let Some((before, after)) = component.split_once('*') else {
            return found.into_iter().map(|dir| dir.join(&component)).collect();
        };
        found.iter().flat_map(|dir| matching(dir, before, after)).collect()
    })
}

fn matching(dir: &Path, before: &str, after: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
        })
        .map(|entry| entry.path())
        .collect()
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no answer")
}
