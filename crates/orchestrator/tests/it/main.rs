//! Tests of the work behind the bell, on a real PostgreSQL and a real mail server. One program, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod agents;
mod bookings;
mod counted;
mod deliveries;
mod leases;
mod mailer;
mod messenger;
mod own_table;
mod turns;
mod whatsapp;
