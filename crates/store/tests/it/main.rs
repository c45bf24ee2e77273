//! Tests of the store, on a real PostgreSQL as the roles of the program. One program, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod audit;
mod bookings;
mod cancellation;
mod catalogue;
mod channels;
mod files;
mod guesses;
mod ingest;
mod isolation;
mod key_provider;
mod keys;
mod leases;
mod loops;
mod shares;
mod sql_attacks;
mod transactions;
mod usage;
