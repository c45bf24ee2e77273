//! The memory of Misy.
//!
//! [`Database`] holds the connections and gives out transactions. [`TenantTx`] is the only door to a tenant's rows:
//! PostgreSQL itself shows it nothing but the rows of its tenant. [`SystemTx`] is the owner's audited work across
//! tenants. Before a tenant is known there are only the narrow questions of [`lookup`].

pub mod alerts;
pub mod audit;
pub mod bell;
pub mod bookings;
pub mod ceremonies;
pub mod certificates;
pub mod channels;
pub mod closing;
pub mod contacts;
pub mod context_packs;
pub mod credentials;
pub mod database;
pub mod decisions;
pub mod deliveries;
pub mod email_domains;
pub mod error;
mod expired;
pub mod files;
pub mod global_settings;
pub mod guesses;
pub mod idempotency;
pub mod inbox;
pub mod installation;
mod installation_secrets;
pub mod key_provider;
pub mod leases;
pub mod limits;
pub mod lookup;
pub mod loops;
pub mod made;
pub mod mails;
pub mod messages;
pub mod privilege;
pub mod provisioning;
mod readable;
pub mod roles;
pub mod rotation;
pub mod service_keys;
pub mod sessions;
pub mod shared;
pub mod sign_in_providers;
pub mod signing_keys;
pub mod sites;
pub mod tenants;
pub mod transaction;
pub mod turns;
pub mod usage;
pub mod users;
pub mod vault;

pub use audit::AuditLog;
pub use bell::Bell;
pub use database::{Company, Database, DatabaseOptions, Turn, Turns};
pub use error::StoreError;
pub use files::Files;
pub use limits::Limits;
pub use shared::Shared;
pub use transaction::{Collides, SystemTx, TenantTx};
pub use vault::{ContactKey, Roots, TenantKeys, Vault};
