//! The front desk through HTTP, with a real database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it should be"
)]

mod accounted;
mod attacks;
mod audit;
mod authorisation;
mod bad_input;
mod bookings;
mod certificates;
mod channels;
mod chat;
mod closing;
mod cors;
mod credentials;
mod described;
mod domains;
mod encryption;
mod erased;
mod files;
mod fuzz;
mod giving;
mod guessing;
mod held;
mod idempotency;
mod identity;
mod inbox;
mod live;
mod makers;
mod management;
mod matrix;
mod messenger;
mod oidc;
mod pages;
mod passkeys;
mod people;
mod privilege;
mod proofs;
mod provisioning;
mod registration;
mod replicas;
mod revocation;
mod roles;
mod setting_up;
mod signatures;
mod strangers;
mod support;
mod tokens;
mod usage;
mod users;
mod vendor_ids;
mod vendor_order;
mod waiting;
mod whatsapp;
mod work;
mod writing;
