//! What tests share. A dev-dependency only.

use std::time::Duration;

pub mod agent;
pub mod authority;
pub mod client;
pub mod copies;
pub mod determinism;
pub mod fuzz;
pub mod given;
pub mod graph;
pub mod person;
pub mod postgres;
pub mod program;
pub mod receiver;
pub mod redis;
pub mod smtp;
pub mod store;
pub mod tally;

/// However slow the machine is: what is not so after this never will be.
pub const PATIENCE: Duration = Duration::from_mins(4);
