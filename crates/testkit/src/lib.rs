//! What tests share. A dev-dependency only.

pub mod determinism;
pub mod postgres;
pub mod store;
