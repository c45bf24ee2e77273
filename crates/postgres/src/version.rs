//! Versions of PostgreSQL and which of them are accepted.

use std::fmt;

/// A released version of PostgreSQL, such as 15.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The major number, which decides whether a data directory can be read.
    pub major: u32,
    /// The minor number: fixes only.
    pub minor: u32,
}

/// The minor releases of August 2025 that fixed CVE-2025-8713 (planner statistics seen through row-level security).
const FIXED: [Version; 3] =
    [Version { major: 15, minor: 14 }, Version { major: 16, minor: 10 }, Version { major: 17, minor: 6 }];

impl Version {
    /// Reads the answer of `postgres --version`, such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    ///
    /// Previews (`18beta1`, `19devel`) have no value: they are not for data that matters.
    pub fn parse(answer: &str) -> Option<Self> {
        let number = answer.split_once(')')?.1.split_whitespace().next()?;
        let mut parts = number.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { major, minor })
    }

    /// The lowest minor release of the same major that is accepted, or `None` when the major itself is too old.
    pub fn required(self) -> Option<Self> {
        if self.major > 17 {
            return Some(Self { major: self.major, minor: 0 });
        }
        FIXED.into_iter().find(|fixed| fixed.major == self.major)
    }

    /// Whether the program works with this version.
    pub fn is_accepted(self) -> bool {
        self.required().is_some_and(|required| self >= required)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(answer: &str) -> Option<(u32, u32)> {
        Version::parse(answer).map(|v| (v.major, v.minor))
    }

    #[test]
    fn reads_what_distributions_answer() {
        assert_eq!(version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some((15, 18)));
        assert_eq!(version("postgres (PostgreSQL) 17.6\n"), Some((17, 6)));
        assert_eq!(version("postgres (EnterpriseDB Advanced Server) 16.10.0"), Some((16, 10)));
    }

    #[test]
    fn previews_and_noise_have_no_version() {
        for answer in
            ["postgres (PostgreSQL) 18beta1", "postgres (PostgreSQL) 19devel", "", "bash: postgres", ")"]
        {
            assert_eq!(version(answer), None, "{answer}");
        }
    }

    #[test]
    fn refuses_releases_before_the_fix_of_cve_2025_8713() {
        let accepted = |major, minor| Version { major, minor }.is_accepted();
        for (major, minor) in [(15, 14), (15, 18), (16, 10), (17, 6), (18, 0), (19, 1)] {
            assert!(accepted(major, minor), "{major}.{minor}");
        }
        for (major, minor) in [(9, 6), (13, 22), (14, 19), (15, 13), (16, 9), (17, 5)] {
            assert!(!accepted(major, minor), "{major}.{minor}");
        }
    }
}
