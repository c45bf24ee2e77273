//! Attacks on the running program. Each family has a file; requests are written byte by byte, since a library would tidy
//! the attack away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod bookings;
mod cors;
mod database;
mod description;
mod enrollment;
mod enumeration;
mod exhaustion;
mod files;
mod foreign_ids;
mod headers;
mod injection;
mod instructions;
mod limits;
mod mass_assignment;
mod memory;
mod sessions;
mod signatures;
mod slow_readers;
mod smuggling;
mod ssrf;
mod stage;
mod starvation;
mod tokens;
mod webhooks;
mod wire;
