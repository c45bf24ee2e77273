//! The private server against a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's support functions fail the test")]

mod accounts;
mod lifecycle;
mod refusals;
mod support;
