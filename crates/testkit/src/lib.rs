//! What tests share. A dev-dependency only.

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
