//! Tenants: who they are and in what state.

use serde::{Deserialize, Serialize};

/// The kind of tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantType {
    /// The company that runs the platform; exactly one.
    Owner,
    /// A business that uses it.
    Standard,
}

/// Where a tenant stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantStatus {
    /// In use.
    Active,
    /// Answers `403 tenant_suspended` everywhere until it is activated again.
    Suspended,
    /// Closed; its data goes when the grace period is over.
    Closed,
}

/// What a tenant pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Plan {
    /// Free of charge, with small limits.
    Free,
    /// Paid.
    Pro,
    /// By contract.
    Enterprise,
}

impl TenantType {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Standard => "standard",
        }
    }
}

impl TenantStatus {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

impl Plan {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Pro => "PRO",
            Self::Enterprise => "ENTERPRISE",
        }
    }
}

/// The text names no tenant type, status or plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of the known values")]
pub struct UnknownValue;

impl std::str::FromStr for TenantType {
    type Err = UnknownValue;
    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Owner, Self::Standard].into_iter().find(|v| v.as_str() == text).ok_or(UnknownValue)
    }
}

impl std::str::FromStr for TenantStatus {
    type Err = UnknownValue;
    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Active, Self::Suspended, Self::Closed]
            .into_iter()
            .find(|v| v.as_str() == text)
            .ok_or(UnknownValue)
    }
}

impl std::str::FromStr for Plan {
    type Err = UnknownValue;
    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Free, Self::Pro, Self::Enterprise].into_iter().find(|v| v.as_str() == text).ok_or(UnknownValue)
    }
}
