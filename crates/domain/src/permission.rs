//! What a token may do.

use crate::words::Words;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// One thing a token may do, written `area:action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Permission {
    /// `chat:read`: read the messages and events of one's own session.
    ChatRead,
    /// `chat:write`: open sessions and write messages.
    ChatWrite,
    /// `files:upload`: upload attachments.
    FilesUpload,
    /// `agents:support`: be answered by the support agent.
    AgentsSupport,
    /// `agents:sales`: be answered by the sales agent.
    AgentsSales,
    /// `agents:booking`: be answered by the booking agent.
    AgentsBooking,
    /// `agents:marketing`: be answered by the marketing agent.
    AgentsMarketing,
    /// `tenant:manage`: the tenant's own management calls, except people, roles and privileged operations.
    TenantManage,
}

/// The text names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a permission; known are chat:read, chat:write, files:upload, agents:support, agents:sales, agents:booking, agents:marketing and tenant:manage"
)]
pub struct UnknownPermission;

impl Permission {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ChatRead,
        Self::ChatWrite,
        Self::FilesUpload,
        Self::AgentsSupport,
        Self::AgentsSales,
        Self::AgentsBooking,
        Self::AgentsMarketing,
        Self::TenantManage,
    ];

    /// As it stands in tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChatRead => "chat:read",
            Self::ChatWrite => "chat:write",
            Self::FilesUpload => "files:upload",
            Self::AgentsSupport => "agents:support",
            Self::AgentsSales => "agents:sales",
            Self::AgentsBooking => "agents:booking",
            Self::AgentsMarketing => "agents:marketing",
            Self::TenantManage => "tenant:manage",
        }
    }
}

impl Words for Permission {
    const ABOUT: &'static [&'static str] = &["One thing that a token may do, written `area:action`."];
    const MEANINGS: &'static [(&'static str, &'static [&'static str])] = &[
        ("chat:read", &["Read the messages and events of one's own session."]),
        ("chat:write", &["Open sessions and write messages."]),
        ("files:upload", &["Upload attachments."]),
        ("agents:support", &["Be answered by the support agent."]),
        ("agents:sales", &["Be answered by the sales agent."]),
        ("agents:booking", &["Be answered by the booking agent."]),
        ("agents:marketing", &["Be answered by the marketing agent."]),
        (
            "tenant:manage",
            &["The tenant's own management calls, except people, roles and privileged operations."],
        ),
    ];
}

impl FromStr for Permission {
    type Err = UnknownPermission;
    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or(UnknownPermission)
    }
}

impl TryFrom<String> for Permission {
    type Error = UnknownPermission;
    fn try_from(text: String) -> Result<Self, UnknownPermission> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.as_str().into()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// The least: what an anonymous visitor of a site gets.
    pub fn anonymous_chat() -> Self {
        use Permission as P;
        [P::ChatRead, P::ChatWrite, P::AgentsSupport, P::AgentsSales, P::AgentsBooking, P::AgentsMarketing]
            .into_iter()
            .collect()
    }

    /// Everything a tenant secret can give.
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// Whether it holds one.
    pub fn contains(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// What both hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).copied().collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}
