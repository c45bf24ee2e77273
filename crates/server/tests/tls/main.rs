//! TLS, client certificates and service tokens over real connections to the running program.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod attacks;
mod internal;
mod public;
mod revocation;
mod support;
