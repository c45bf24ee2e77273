//! What tests share. A dev-dependency only.

pub mod postgres;
