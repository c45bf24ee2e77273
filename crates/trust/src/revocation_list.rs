//! Revocation lists of authorities (X.509 CRLs), as far as it matters whose they are and whether they are of now. What is on
//! them is for the TLS library to say.

use crate::certificate::time;
use misy_domain::Timestamp;
use x509_parser::{oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT, prelude::FromDer, revocation_list};

/// A list, with all that tells whether it still counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Whose it is: the name of the authority in DER.
    pub issuer: Vec<u8>,
    /// The same for people.
    pub issuer_name: String,
    /// What part of the authority's certificates it is about, in DER; `None`: all of them.
    pub part: Option<Vec<u8>>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When the next one was due; `None` when none is promised.
    pub due_at: Option<Timestamp>,
}

/// The bytes are no revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no revocation list")]
pub struct NotARevocationList;

/// How a list stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    /// It is of now.
    Current,
    /// The next one is overdue, and this one still counts for a while.
    Overdue,
    /// It is so old that it says nothing any more.
    Outdated,
}

impl RevocationList {
    /// From DER.
    pub fn from_der(der: &[u8]) -> Result<Self, NotARevocationList> {
        let (rest, list) =
            revocation_list::CertificateRevocationList::from_der(der).map_err(|_| NotARevocationList)?;
        if !rest.is_empty() {
            return Err(NotARevocationList);
        }
        let part = |extension: &&x509_parser::prelude::X509Extension<'_>| {
            extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT
        };
        let shown = |c: &char| !c.is_control();
        Ok(Self {
            issuer: list.issuer().as_raw().to_vec(),
            issuer_name: list.issuer().to_string().chars().filter(shown).take(300).collect(),
            part: list.extensions().iter().find(part).map(|extension| extension.value.to_vec()),
            made_at: time(list.last_update()).unwrap_or(Timestamp::MAX),
            due_at: list.next_update().and_then(time),
        })
    }

    /// How it stands, if it counts for so long after the next one was due.
    pub fn currency(&self, now: Timestamp, grace: std::time::Duration) -> Currency {
        match self.due_at {
            Some(due) if now >= due && now >= due.checked_add(grace).unwrap_or(Timestamp::MAX) => {
                Currency::Outdated
            }
            Some(due) if now >= due => Currency::Overdue,
            _ => Currency::Current,
        }
    }

    /// Whether it speaks of the same certificates as another one.
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.part == other.part
    }
}
