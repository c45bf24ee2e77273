//! The encoder from the outside.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking")]

mod golden;
mod hostile;
mod models;
