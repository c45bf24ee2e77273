//! The front desk of Misy: HTTP.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`pipeline`] | the one way in for every call of a tenant, step by step |
//! | `edge` | what surrounds every request: its id, CORS, problems, log, metrics, audit |
//! | [`api`] | the endpoints, one file each: request, response, handler, description |
//! | [`management`] | who may manage which tenant |
//! | [`routes`] | which handler answers where, and what it asks of its caller |
//! | [`problem`] | refusals and failures, and how errors become HTTP |
//! | [`tenant_state`], [`token_desk`] | what is kept in memory so that a warm call asks the database nothing |
//! | [`openapi`] | the description of all of it, generated from the code |

mod address;
mod answers;
pub mod api;
mod assets;
mod bodies;
pub mod connection;
pub mod desk;
mod domain_proof;
mod edge;
mod files;
mod idempotent;
pub mod identity;
pub mod json;
mod live;
mod look_up;
mod loops;
pub mod management;
pub mod oidc;
pub mod openapi;
pub mod pipeline;
pub mod privilege;
pub mod problem;
mod query;
mod record;
mod refusals;
pub mod routes;
pub mod settings;
mod shares;
mod tallies;
pub mod tenant_state;
pub mod token_desk;
mod vendors;
mod welcome;

pub use connection::Connection;
pub use desk::{FrontDesk, Parts};
pub use oidc::Provider;
pub use openapi::openapi_document;
pub use problem::{FieldError, Problem};
pub use settings::{
    DefaultLimits, InstallationProvider, PlanLimits, ProxyHeader, SelfRegistration, Settings,
};
