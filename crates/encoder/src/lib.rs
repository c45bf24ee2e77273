//! Texts as vectors: what means the same lies close together, whatever its words and its language.
//!
//! [`Encoder::open`] reads the weights of multilingual-e5-small as a public package holds them, in blocks of four bits, and
//! applies the product's own adapter, which is part of the program. [`Encoder::query`] then makes a vector of what somebody
//! asks and [`Encoder::passage`] one of what may answer it. Nothing here is random, reads a clock or opens a socket, and a
//! file of weights that is cut short, foreign or hostile is refused with its reason.

mod adapter;
mod bytes;
mod embedding;
mod encoder;
mod kernel;
mod matrix;
pub mod models;
mod network;
mod tokenizer;
mod weights;

pub use bytes::WeightsError;
pub use embedding::{Embedding, Vectors};
pub use encoder::{Encoder, MOST_BYTES, MOST_THREADS};
