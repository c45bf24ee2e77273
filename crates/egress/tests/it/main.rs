//! The way out against real servers on this machine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod bodies;
mod redirects;
mod refusals;
mod streaming;
mod support;
mod uploads;
