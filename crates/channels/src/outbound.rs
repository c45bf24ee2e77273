//! What vendors are sent, and what their answers mean.

use misy_domain::{FileId, MessageId, Part, Secret};
use serde_json::Value;
use std::{collections::HashMap, time::Duration};

/// A message that is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Rendering<'a> {
    /// The message: it comes back with what is pressed in it.
    pub message_id: MessageId,
    /// What it says.
    pub parts: &'a [Part],
    /// The files in it, and how the vendor gets them.
    pub files: &'a HashMap<FileId, Attached>,
    /// The messages that it answers or puts a sign to, by the vendor's ids.
    pub vendor_ids: &'a HashMap<MessageId, String>,
    /// The message that it quotes.
    pub quotes: Option<MessageId>,
}

/// How a vendor gets a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// From an address.
    Link(String),
    /// It has it already.
    Id(String),
}

/// A piece that is sent by one call: what the vendor is told, without who it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What it is called with the vendor.
    pub kind: &'static str,
    /// What it holds.
    pub body: Value,
    /// The message that it quotes, by the vendor's id.
    pub quotes: Option<String>,
}

/// A message as a vendor shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The pieces, in order. None where nothing of it can be shown.
    pub pieces: Vec<Piece>,
    /// What had to be changed.
    pub changes: Vec<Change>,
}

/// What a channel could not show as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The place of the part.
    pub part: usize,
    /// What was done.
    pub done: &'static str,
}

/// Who a piece is for.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    /// Their id or address.
    pub id: &'a str,
    /// What comes back with each receipt of the piece.
    pub reference: &'a str,
    /// Whether a person answers after the time in which the vendor takes anybody's answer.
    pub is_late: bool,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub struct Read<'a> {
    /// Whose it is, by the vendor's id.
    pub writer: &'a str,
    /// The newest of their messages, by the vendor's id.
    pub message: &'a str,
}

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// `GET`.
    Get,
    /// `POST` with a body of JSON.
    Post,
}

/// A call to a vendor.
#[derive(Debug, Clone)]
pub struct VendorCall {
    /// What it asks for.
    pub asked: Asked,
    /// Below the base address of the vendor, with its query.
    pub path: String,
    /// The body, if there is one.
    pub body: Option<Value>,
    /// What the header `authorization` says.
    pub authorization: Secret<String>,
}

impl VendorCall {
    /// The same call with the proof that whoever has the token has the secret of its app, too.
    #[must_use]
    pub fn proved(mut self, app_secret: &Secret<String>, token: &Secret<String>) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        let proof = crate::meta::app_secret_proof(app_secret, token);
        self.path.push(separator);
        self.path.push_str("appsecret_proof=");
        self.path.push_str(&proof);
        self
    }
}

/// What a vendor answered.
#[derive(Debug, Clone, Copy)]
pub struct VendorAnswer<'a> {
    /// The status of HTTP.
    pub status: u16,
    /// The header `retry-after`.
    pub retry_after: Option<&'a str>,
    /// The header in which the vendor says how much of what is allowed is used up.
    pub usage: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// How often the piece was tried before.
    pub tries: u32,
}

/// Why something was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Too fast.
    Throttled,
    /// The vendor has a problem that passes.
    Unavailable,
    /// The token counts no more, or may not do this.
    Unauthorised,
    /// The vendor lets the account send nothing: blocked, not paid, not registered.
    Blocked,
    /// The contact cannot be reached, or does not want to be.
    Unreachable,
    /// The vendor does not take this message.
    Refused,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Taken. Under this id, if the vendor said one.
    Taken(Option<String>),
    /// To be tried again, not before this time; without one, when the courier's own order says.
    Retry {
        /// Not before.
        after: Option<Duration>,
        /// Why.
        reason: Reason,
        /// The vendor's code.
        code: Option<i64>,
    },
    /// Nothing leaves on this account until a person has looked: the account is paused and the message waits.
    Pause {
        /// Why.
        reason: Reason,
        /// The vendor's code.
        code: Option<i64>,
    },
    /// This message never leaves; the next may.
    GiveUp {
        /// Why.
        reason: Reason,
        /// The vendor's code.
        code: Option<i64>,
    },
    /// The contact has not written for too long: only a template may be sent, and the message waits until they write.
    WindowClosed,
    /// The vendor does not know itself whether it was taken.
    Unsure,
}

/// How fast a vendor lets an account send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Messages of an account in a second.
    pub per_second: u32,
    /// The time between two messages to the same person.
    pub between: Duration,
    /// How many to the same person may be borrowed from the time after.
    pub burst: u32,
    /// How long after they wrote a person can be sent what they did not ask for; nothing where always.
    pub window: Option<Duration>,
    /// The same for what a person says, where the vendor has approved that for the account.
    pub window_of_people: Option<Duration>,
}
