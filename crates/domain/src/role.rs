//! What people are to a tenant.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A role that every tenant has. What each may do stands in the access policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltInRole {
    /// Runs the platform; only in the owner tenant.
    Owner,
    /// Everything within its tenant.
    Admin,
    /// Runs the business day to day: sites, content, people's work.
    Manager,
    /// A human agent: answers conversations.
    Agent,
    /// Reads figures.
    Analyst,
    /// Connects sites and servers: sites, keys, secrets, webhooks.
    Developer,
    /// Answers for personal data.
    PrivacyOfficer,
    /// Reads everything that proves what was done, changes nothing.
    Auditor,
}

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no built-in role")]
pub struct UnknownRole;

impl BuiltInRole {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Owner,
        Self::Admin,
        Self::Manager,
        Self::Agent,
        Self::Analyst,
        Self::Developer,
        Self::PrivacyOfficer,
        Self::Auditor,
    ];

    /// As it stands in the database, the policies and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Agent => "agent",
            Self::Analyst => "analyst",
            Self::Developer => "developer",
            Self::PrivacyOfficer => "privacy_officer",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for BuiltInRole {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

impl fmt::Display for BuiltInRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
