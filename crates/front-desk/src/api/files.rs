//! Files: a contact sends one, and whoever may read the conversation reads it.

pub mod read;
pub mod remove;
pub mod upload;
