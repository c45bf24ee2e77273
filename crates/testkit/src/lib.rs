//! What tests share. A dev-dependency only.

pub mod client;
pub mod postgres;
pub mod program;
