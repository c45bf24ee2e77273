//! An answer that is read as it comes.

use crate::{EgressError, Events};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The limits of an answer that is read as it comes.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// The most bytes of its body.
    pub bytes: u64,
    /// The longest line or event, in bytes.
    pub longest_line: usize,
    /// How long nothing may come: before the answer begins, and between its pieces.
    pub idle: Duration,
    /// How long everything may take.
    pub total: Duration,
}

/// An answer that is read as it comes. Dropped, it ends the call.
#[derive(Debug)]
pub struct Streaming {
    answer: reqwest::Response,
    limits: StreamLimits,
    left: u64,
    until: Instant,
    /// What came and is no whole line yet.
    rest: BytesMut,
    /// How much of it was looked through for the end of a line.
    looked_at: usize,
    is_at_end: bool,
}

impl Streaming {
    pub(crate) fn new(answer: reqwest::Response, limits: StreamLimits, until: Instant) -> Self {
        let left = limits.bytes;
        Self { answer, limits, left, until, rest: BytesMut::new(), looked_at: 0, is_at_end: false }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// Whether its body is said to be of this media type, whatever parameters that has.
    pub fn is_of_type(&self, media_type: &str) -> bool {
        let said = self.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let said = said.and_then(|value| value.split(';').next()).unwrap_or_default();
        said.trim().eq_ignore_ascii_case(media_type)
    }

    /// The longest line or event.
    pub(crate) fn longest_line(&self) -> usize {
        self.limits.longest_line
    }

    /// The next piece as it comes; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, EgressError> {
        if !self.rest.is_empty() {
            self.looked_at = 0;
            return Ok(Some(self.rest.split().freeze()));
        }
        self.more().await
    }

    /// The next line without its end, which may be `LF`, `CR LF` or a `CR` alone; `None` after the last one.
    pub async fn line(&mut self) -> Result<Option<Bytes>, EgressError> {
        loop {
            if let Some((line, taken)) = self.whole_line() {
                let mut line = self.rest.split_to(line + taken);
                line.truncate(line.len() - taken);
                self.looked_at = 0;
                if line.len() > self.limits.longest_line {
                    return Err(EgressError::TooLarge);
                }
                return Ok(Some(line.freeze()));
            }
            if self.rest.len() > self.limits.longest_line + 1 {
                return Err(EgressError::TooLarge);
            }
            match self.more().await? {
                Some(piece) => self.rest.extend_from_slice(&piece),
                None if self.rest.is_empty() => return Ok(None),
                None => {
                    let mut line = self.rest.split();
                    self.looked_at = 0;
                    if line.last() == Some(&b'\r') {
                        line.truncate(line.len() - 1);
                    }
                    return Ok(Some(line.freeze()));
                }
            }
        }
    }

    /// The answer as events; [`EgressError::Unreadable`] if it says that it is none.
    pub fn events(self) -> Result<Events, EgressError> {
        if self.is_of_type("text/event-stream") { Ok(Events::of(self)) } else { Err(EgressError::Unreadable) }
    }

    /// What is left of the body, whole, if it is no longer than this: what a server says when it refuses.
    pub async fn whole(mut self, largest: usize) -> Result<Bytes, EgressError> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            if body.len() + piece.len() > largest {
                return Err(EgressError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// How long the first whole line is, and its end. Whether a `CR` is all of it, only what comes next tells.
    fn whole_line(&mut self) -> Option<(usize, usize)> {
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let Some(at) = self.rest[self.looked_at..].iter().position(ends) else {
            self.looked_at = self.rest.len();
            return None;
        };
        let at = self.looked_at + at;
        self.looked_at = at;
        match (self.rest[at], self.rest.get(at + 1)) {
            (b'\r', None) => None,
            (b'\r', Some(b'\n')) => Some((at, 2)),
            _ => Some((at, 1)),
        }
    }

    /// What comes next over the connection.
    async fn more(&mut self) -> Result<Option<Bytes>, EgressError> {
        if self.is_at_end {
            return Ok(None);
        }
        let patience = (Instant::now() + self.limits.idle).min(self.until);
        let came = timeout_at(patience, self.answer.chunk()).await;
        let came = came.map_err(|_| EgressError::Timeout)?.map_err(EgressError::of)?;
        let Some(piece) = came else {
            self.is_at_end = true;
            return Ok(None);
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(EgressError::TooLarge)?;
        Ok(Some(piece))
    }
}
