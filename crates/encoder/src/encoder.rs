//! The whole: a text in, a vector out.

use crate::{
    Embedding,
    adapter::{Adapter, OWN},
    bytes::WeightsError,
    network::Network,
    tokenizer::Tokenizer,
    weights::File,
};
use std::{path::Path, thread};

/// A file of weights may not be larger.
pub const MOST_BYTES: usize = 256 << 20;
/// How many threads embed a list of texts.
pub const MOST_THREADS: usize = 2;
/// As much of a text as is embedded, in pieces: some 70 words. The adapter was trained with it.
const MOST_PIECES: usize = 96;

/// Weights in memory, ready to embed texts; share one between all threads.
#[derive(Debug)]
pub struct Encoder {
    tokenizer: Tokenizer,
    network: Network,
}

impl Encoder {
    /// Reads a file of weights and applies the product's own adapter.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        Self::adapted(&read(path)?)
    }

    /// From the bytes of weights, with the product's own adapter.
    pub fn adapted(weights: &[u8]) -> Result<Self, WeightsError> {
        Self::with_adapter(weights, OWN)
    }

    /// The same without the adapter, to measure what it gains.
    pub fn open_unadapted(path: &Path) -> Result<Self, WeightsError> {
        Self::new(&read(path)?, Adapter::none())
    }

    /// From the bytes of weights and of an adapter.
    pub fn with_adapter(weights: &[u8], adapter: &[u8]) -> Result<Self, WeightsError> {
        Self::new(weights, Adapter::read(adapter)?)
    }

    fn new(weights: &[u8], adapter: Adapter<'_>) -> Result<Self, WeightsError> {
        let file = File::read(weights)?;
        let network = Network::new(&file, adapter)?;
        Ok(Self { tokenizer: Tokenizer::new(file.vocabulary), network })
    }

    /// The vector of what somebody asks.
    pub fn query(&self, text: &str) -> Embedding {
        self.embed("query: ", text)
    }

    /// The vector of what may answer.
    pub fn passage(&self, text: &str) -> Embedding {
        self.embed("passage: ", text)
    }

    /// The vectors of many texts that may answer, in their order, made by at most [`MOST_THREADS`] threads.
    pub fn passages(&self, texts: &[impl AsRef<str> + Sync]) -> Vec<Embedding> {
        let embed =
            |texts: &[_]| texts.iter().map(|text: &_| self.passage(AsRef::as_ref(text))).collect::<Vec<_>>();
        let share = texts.len().div_ceil(MOST_THREADS).max(1);
        let (first, rest) = texts.split_at(share.min(texts.len()));
        let embed = &embed;
        thread::scope(|scope| {
            let rest: Vec<_> = rest.chunks(share).map(|texts| scope.spawn(move || embed(texts))).collect();
            let mut embedded = embed(first);
            for part in rest {
                match part.join() {
                    Ok(part) => embedded.extend(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            embedded
        })
    }

    fn embed(&self, kind: &str, text: &str) -> Embedding {
        self.network.embed(&self.pieces(kind, text))
    }

    fn pieces(&self, kind: &str, text: &str) -> Vec<u32> {
        let most = MOST_PIECES.min(self.network.longest());
        self.tokenizer.pieces(&format!("{kind}{text}"), most)
    }

    /// The numbers of the pieces that a question is cut into.
    pub fn query_pieces(&self, text: &str) -> Vec<u32> {
        self.pieces("query: ", text)
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.tokenizer.bytes() + self.network.bytes()
    }
}

/// The bytes of a file, if it is not too large for one of weights.
fn read(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let bytes = crate::models::read(path)?;
    if bytes.len() > MOST_BYTES { Err(WeightsError::TooLarge(MOST_BYTES)) } else { Ok(bytes) }
}
