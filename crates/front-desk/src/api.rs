//! The endpoints.

pub mod audit_keys;
pub mod auth;
pub mod booking;
pub mod channels;
pub mod files;
pub mod health;
pub mod jwks;
pub mod messages;
pub mod sessions;
pub mod tenants;
pub mod tokens;

/// The prefix of all calls of the API.
pub const BASE: &str = "/api/meta-agent";
