//! A body that is sent piece by piece.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::io;

/// A piece of a body, or why there is none.
pub type Piece = io::Result<Bytes>;

/// A body that is sent piece by piece. When a piece fails, or when it turns out longer or shorter than was said, the call fails:
/// the server never sees a whole body then.
pub struct Upload {
    body: reqwest::Body,
    length: Option<u64>,
}

impl Upload {
    /// A body of a length that is known and announced.
    pub fn of_length(length: u64, pieces: impl Stream<Item = Piece> + Send + 'static) -> Self {
        Self { body: bounded(length, true, pieces), length: Some(length) }
    }

    /// A body whose length nobody knows yet, of so many bytes at most.
    pub fn at_most(most: u64, pieces: impl Stream<Item = Piece> + Send + 'static) -> Self {
        Self { body: bounded(most, false, pieces), length: None }
    }

    pub(crate) fn into_body(self) -> (reqwest::Body, Option<u64>) {
        (self.body, self.length)
    }
}

/// The pieces of a body, as long as they fit. Each is held back until the next one is there: the last one, with which the server
/// has the whole body, leaves only when nothing comes after it.
fn bounded(most: u64, is_exact: bool, pieces: impl Stream<Item = Piece> + Send + 'static) -> reqwest::Body {
    let (mut left, mut held, mut has_failed) = (most, None, false);
    let end = futures_util::stream::once(async { None });
    let pieces = pieces.map(Some).chain(end).filter_map(move |piece| {
        let piece = match piece {
            _ if has_failed => None,
            Some(Ok(piece)) => match left.checked_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX)) {
                Some(fewer) => {
                    left = fewer;
                    held.replace(piece).map(Ok)
                }
                None => Some(Err(wrong("the body is longer than it may be"))),
            },
            Some(Err(error)) => Some(Err(error)),
            None if is_exact && left > 0 => Some(Err(wrong("the body is shorter than was said"))),
            None => held.take().map(Ok),
        };
        has_failed |= matches!(piece, Some(Err(_)));
        std::future::ready(piece)
    });
    reqwest::Body::wrap_stream(pieces)
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
