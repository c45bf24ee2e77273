//! Operating system accounts: who runs this program, and who runs the server when this program is root.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::process::Command as AsyncCommand;

/// Accounts that may run the server on behalf of root, best first: one of our own, that of other servers on this machine, whose
/// administrators could then read ours, and the one that anything may run as.
const SERVER_ACCOUNTS: [&str; 3] = ["misy", "postgres", SHARED_ACCOUNT];

/// The account that unrelated services share.
const SHARED_ACCOUNT: &str = "nobody";

/// No account to run the server with.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// PostgreSQL looks its own user up by id and stops when there is none (a container with an arbitrary user id).
    #[error(
        "the user id {0} has no name on this machine and PostgreSQL needs one: add a line for it to /etc/passwd, \
         run as a named user, or set MISY_DATABASE_URL to use another server"
    )]
    Nameless(u32),
    /// Started as root and there is nobody to hand the server to.
    #[error(
        "started as root, and PostgreSQL refuses to run as root: create an unprivileged user for it \
         (`useradd --system misy`), or start the program as an unprivileged user"
    )]
    NobodyElse,
}

/// An account with its primary group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The account this program runs as.
    pub(crate) fn own() -> Result<Self, AccountError> {
        let uid = rustix::process::geteuid().as_raw();
        Self::by_uid(uid).ok_or(AccountError::Nameless(uid))
    }

    /// The account the server runs as: our own, or an unprivileged one when we are root.
    ///
    /// An existing cluster keeps the account that owns it.
    pub(crate) fn for_server(cluster_owner: Option<u32>) -> Result<Self, AccountError> {
        if !we_are_root() {
            return Self::own();
        }
        if let Some(uid) = cluster_owner.filter(|uid| *uid != 0) {
            return Self::by_uid(uid).ok_or(AccountError::Nameless(uid));
        }
        Self::unprivileged(Self::by_name).ok_or(AccountError::NobodyElse)
    }

    /// The best account that there is, other than root by another name.
    fn unprivileged(by_name: impl Fn(&str) -> Option<Self>) -> Option<Self> {
        SERVER_ACCOUNTS.into_iter().filter_map(by_name).find(|account| account.uid != 0)
    }

    /// Whether unrelated services use the same account.
    pub(crate) fn is_shared(&self) -> bool {
        self.name == SHARED_ACCOUNT
    }

    /// Whether this account may pass through `dir` and every folder above it, judged by owner, group and mode.
    ///
    /// Access lists are not read: they can only turn a yes of theirs into a no of ours, and then the cluster is
    /// kept elsewhere.
    pub(crate) fn can_reach(&self, dir: &Path) -> bool {
        self.obstacle(dir).is_none()
    }

    /// The first folder on the way to `dir` that this account may not pass through.
    pub(crate) fn obstacle(&self, dir: &Path) -> Option<PathBuf> {
        let mut way: Vec<_> = dir.ancestors().collect();
        way.reverse();
        way.into_iter().find(|folder| !self.may_enter(folder)).map(Path::to_path_buf)
    }

    fn may_enter(&self, folder: &Path) -> bool {
        let Ok(metadata) = fs::metadata(folder) else { return false };
        let bit = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        metadata.mode() & bit != 0
    }

    /// Makes `command` run as this account, without our supplementary groups (the standard library drops them when
    /// root sets a user id) and without our environment, which may hold secrets.
    pub(crate) fn dress(&self, command: &mut AsyncCommand) {
        command.env_clear().envs(plain_environment()).current_dir("/");
        if we_are_root() {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// As [`Account::dress`], for a command that blocks.
    pub(crate) fn dress_blocking(&self, command: &mut Command) {
        use std::os::unix::process::CommandExt;
        command.env_clear().envs(plain_environment()).current_dir("/");
        if we_are_root() {
            command.uid(self.uid).gid(self.gid);
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        passwd_line(|fields| fields[0] == name).or_else(|| Self::from_id(name))
    }

    fn by_uid(uid: u32) -> Option<Self> {
        let text = uid.to_string();
        passwd_line(|fields| fields[2] == text).or_else(|| Self::from_id(&text))
    }

    /// Accounts that are not in `/etc/passwd` (directory services, macOS) are known to `id`.
    fn from_id(who: &str) -> Option<Self> {
        let ask = |option: &str| {
            let output = Command::new("id").args([option, "--", who]).output().ok()?;
            let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
            (output.status.success() && !answer.is_empty()).then_some(answer)
        };
        Some(Self { name: ask("-un")?, uid: ask("-u")?.parse().ok()?, gid: ask("-g")?.parse().ok()? })
    }
}

/// Whether this program runs as root.
pub fn we_are_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What PostgreSQL needs of the environment: where libraries are, messages in English, times in UTC.
fn plain_environment() -> Vec<(String, String)> {
    let mut environment: Vec<_> = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    environment.push(("LC_ALL".to_owned(), "C".to_owned()));
    environment.push(("TZ".to_owned(), "UTC".to_owned()));
    environment
}

fn passwd_line(wanted: impl Fn(&[&str]) -> bool) -> Option<Account> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        if fields.len() < 4 || !wanted(&fields) {
            return None;
        }
        Some(Account {
            name: fields[0].to_owned(),
            uid: fields[2].parse().ok()?,
            gid: fields[3].parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_server_never_runs_as_root() {
        assert_ne!(Account::for_server(None).unwrap().uid, 0);
        assert_ne!(Account::for_server(Some(0)).unwrap().uid, 0);
    }

    #[test]
    fn an_account_of_our_own_goes_before_that_of_other_servers() {
        let chosen = |of_misy: u32, others: &[&str]| {
            let uid = |name: &str| if name == "misy" { of_misy } else { 7 };
            let account = |name: &str| Account { name: name.to_owned(), uid: uid(name), gid: 7 };
            Account::unprivileged(|name| others.contains(&name).then(|| account(name)))
                .map(|account| account.name)
        };
        assert_eq!(chosen(5, &["misy", "postgres", "nobody"]).as_deref(), Some("misy"));
        assert_eq!(chosen(0, &["misy", "postgres", "nobody"]).as_deref(), Some("postgres"));
        assert_eq!(chosen(5, &["nobody"]).as_deref(), Some("nobody"));
        assert_eq!(chosen(5, &[]), None);
    }

    #[test]
    fn our_own_account_has_the_effective_user_id() {
        assert_eq!(Account::own().unwrap().uid, rustix::process::geteuid().as_raw());
    }

    #[test]
    fn a_closed_folder_stops_strangers_and_not_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let owner = Account { name: "owner".into(), uid: fs::metadata(&inner).unwrap().uid(), gid: 1 };
        let stranger = Account { name: "stranger".into(), uid: 4_000_000, gid: 4_000_000 };
        assert!(owner.can_reach(&inner));
        assert_eq!(stranger.obstacle(&inner).as_deref(), Some(dir.path()));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger.can_reach(&inner));
    }
}
