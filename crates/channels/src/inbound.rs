//! What vendors tell, in one shape.

use misy_domain::{MessageId, Part, Timestamp, json::values_of};
use serde_json::Value;

/// What a body tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// What happened, on whichever accounts, in the order of the vendor's clock for each account.
    pub events: Vec<Event>,
    /// What it also has and Misy has no use for, by the vendor's names, cut short.
    pub left_out: Vec<String>,
}

/// Something that happened on an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The account, by the vendor's id.
    pub account: String,
    /// When, by the vendor's clock.
    pub at: Option<Timestamp>,
    /// What.
    pub happening: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// Somebody wrote.
    Message(Box<Inbound>),
    /// The business itself wrote: through us, or in the vendor's own program.
    Echo {
        /// What.
        said: Box<Inbound>,
        /// What was given along when it was sent, if it was sent through us.
        reference: Option<String>,
    },
    /// How something that was sent fares.
    Receipt(Receipt),
    /// How far everything came that was sent to somebody.
    Reached(Reached),
    /// Somebody is known by another id from now on.
    Renamed {
        /// The id before.
        previous: String,
        /// The id from now on.
        current: String,
    },
    /// The vendor finds fault with the account.
    Trouble {
        /// Its code.
        code: i64,
    },
}

impl Parsed {
    /// What is longer is nobody's honest name.
    const LONGEST_NAME: usize = 64;
    const MOST_LEFT_OUT: usize = 20;
    /// More than the largest body that a vendor sends, full of the shortest messages.
    const MOST_VALUES: usize = 250_000;

    /// A body as JSON; `None`, and noted as left out, if it is none or would take too much in memory.
    pub(crate) fn read(&mut self, body: &[u8]) -> Option<Value> {
        if values_of(body) > Self::MOST_VALUES {
            self.leave_out("too many values");
            return None;
        }
        let read = serde_json::from_slice(body).ok();
        if read.is_none() {
            self.leave_out("no JSON");
        }
        read
    }

    /// Notes what Misy has no use for.
    pub(crate) fn leave_out(&mut self, name: &str) {
        if self.left_out.len() < Self::MOST_LEFT_OUT {
            self.left_out.push(name.chars().take(Self::LONGEST_NAME).collect());
        }
    }
}

/// Who wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writer {
    /// Their telephone number or address, as the vendor writes it.
    pub address: Option<String>,
    /// The id that they have for this business.
    pub scoped_id: Option<String>,
    /// What they call themselves.
    pub name: Option<String>,
}

impl Writer {
    /// What they can be answered under.
    pub fn id(&self) -> Option<&str> {
        self.address.as_deref().or(self.scoped_id.as_deref())
    }
}

/// A message as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// The vendor's id: the same again is the same message.
    pub id: String,
    /// Who wrote it. Of an echo: who it was written to.
    pub writer: Writer,
    /// What it says.
    pub said: Said,
    /// The message that it answers, by the vendor's id.
    pub answers: Option<String>,
    /// What else is known: where the contact came from, that it was forwarded, an order. Small.
    pub metadata: Option<Value>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Parts, of which at least one. Files that lie with the vendor stand there as unsupported, with their words.
    Parts {
        /// The parts.
        parts: Vec<Part>,
        /// The files.
        files: Vec<VendorFile>,
    },
    /// Something that was sent to them was pressed.
    Pressed {
        /// The id under which it was sent.
        id: String,
        /// What stands on it.
        title: String,
    },
    /// A sign was put to a message, or taken away.
    Reaction {
        /// The message, by the vendor's id.
        to: String,
        /// The sign; none when it was taken away.
        emoji: Option<String>,
    },
    /// A message says something else now.
    Edited {
        /// The message, by the vendor's id.
        message: String,
        /// What it says.
        parts: Vec<Part>,
    },
    /// A message was taken back.
    Deleted {
        /// The message, by the vendor's id.
        message: String,
    },
}

/// A file that lies with the vendor, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorFile {
    /// The part that stands for it.
    pub part: usize,
    /// `image`, `audio`, `video` or `file`.
    pub kind: &'static str,
    /// The vendor's id, where it has one.
    pub id: Option<String>,
    /// Where it lies, where the vendor says so.
    pub url: Option<String>,
    /// What the vendor says that it is.
    pub media_type: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// What is said about it.
    pub caption: Option<String>,
    /// Its SHA-256, in base64.
    pub sha256: Option<String>,
    /// Whether it was spoken for this message.
    pub is_voice_note: bool,
}

/// How far something came. Later kinds include those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptKind {
    /// The vendor has passed it on.
    Sent,
    /// It has arrived.
    Delivered,
    /// It was read; of a voice note: it was heard.
    Read,
    /// It will not arrive.
    Failed,
}

/// How something that was sent fares. Receipts come late, twice and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The message, by the vendor's id.
    pub id: String,
    /// What was given along when it was sent.
    pub reference: Option<String>,
    /// How far it came.
    pub kind: ReceiptKind,
    /// The vendor's code of why it failed.
    pub code: Option<i64>,
}

/// How far everything came that was sent to somebody until an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// They, by the vendor's id.
    pub writer: String,
    /// How far.
    pub kind: ReceiptKind,
    /// Until when, by the vendor's clock.
    pub until: Timestamp,
}

/// What was pressed, as vendors bring it back: the message that it stood in, and its id there.
pub fn pressed(id: &str) -> Option<(MessageId, &str)> {
    let (message, id) = id.split_once('/')?;
    Some((message.parse().ok()?, id))
}
