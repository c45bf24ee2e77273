//! The front desk through HTTP, with a real database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it should be"
)]

mod attacks;
mod bad_input;
mod chat;
mod cors;
mod encryption;
mod idempotency;
mod live;
mod management;
mod matrix;
mod provisioning;
mod registration;
mod signatures;
mod support;
mod tokens;
