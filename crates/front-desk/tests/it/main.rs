//! The front desk through HTTP, with a real database.

mod bad_input;
mod chat;
mod cors;
mod idempotency;
mod leaks;
mod live;
mod management;
mod matrix;
mod provisioning;
mod registration;
mod signatures;
mod support;
mod tokens;
