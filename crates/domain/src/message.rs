//! Messages: one model for every channel.

mod check;
mod part;
mod place;

pub use check::{LONGEST_TEXT, MOST_PARTS, Writer, check};
pub use part::{
    Button, Card, Choice, Field, FieldKind, FieldOption, Item, Media, Part, Person, Reference, Section,
    SentPart,
};
pub use place::Degrees;

use crate::{ChannelAccountId, FileId, MessageId, SessionId, TraceContext};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = MessageRole))]
pub enum Role {
    /// The end user.
    Contact,
    /// An agent of Misy.
    Agent,
    /// A person of the tenant.
    Human,
    /// The platform itself, for example "you are being handed over".
    System,
}

impl Role {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Agent => "agent",
            Self::Human => "human",
            Self::System => "system",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = crate::tenant::UnknownValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Contact, Self::Agent, Self::Human, Self::System]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(crate::tenant::UnknownValue)
    }
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Source {
    /// `faq`, `service`, `hours`, `policy`, `contact`, …
    pub kind: String,
    /// The id within the context pack.
    pub id: String,
    /// What to show to the reader.
    pub title: String,
}

/// Where a message comes from, and so where what answers it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageOrigin {
    /// A session of the web.
    Session(SessionId),
    /// The thread of its conversation on an account.
    Account(ChannelAccountId),
}

/// What a contact pressed in a message that was sent to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Pressed {
    /// A button, an item of a list or a button of a card.
    Button {
        /// Its id.
        id: String,
        /// What stood on it.
        title: String,
        /// The message that it stood in.
        message_id: MessageId,
        /// What it stands for.
        #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
}

/// What a message says, and what is sealed of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// What it says.
    pub parts: Vec<Part>,
    /// Where the answer comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The messages of the contact that it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<MessageId>,
    /// What the contact pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Pressed>,
    /// What the client knows about where it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// What the person is called who wrote it, where it was one of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// The id that it has on its channel account, which may tell who wrote it: a telephone number stands in those of WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Where in a trace it was written, if that is recorded: what follows from it goes on there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

impl Content {
    /// A message of these parts.
    pub fn of(parts: Vec<Part>) -> Self {
        Self { parts, ..Self::default() }
    }

    /// The files that it carries.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.parts.iter().filter_map(|part| part.media()?.file_id)
    }

    /// A message of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(vec![Part::text(text)])
    }
}

/// A message that an agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub parts: Vec<Part>,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// The agent that says it.
    pub agent_name: String,
}

/// A message as it stands in history and in live events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Unique.
    pub message_id: MessageId,
    /// The session it was written in, if it was on the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The channel account it was written on, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<ChannelAccountId>,
    /// Its place in the conversation, from 1 without gaps.
    pub sequence: i64,
    /// Who speaks.
    pub role: Role,
    /// The agent that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// What the person is called who wrote it, where it was one of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// What it says.
    pub parts: Vec<Part>,
    /// Where the answer comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The messages of the contact that it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<MessageId>,
    /// What the contact pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Pressed>,
    /// What the client knows about where it was written. The client has it already: it does not travel back.
    #[serde(skip)]
    pub metadata: Option<Value>,
    /// The id that the client gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
    /// When it became durable.
    pub created_at: Timestamp,
    /// Where in a trace it became so, if that is recorded. The program's own; no client sees it.
    #[serde(skip)]
    pub trace: Option<TraceContext>,
}

/// What parts say in words, joined by line breaks: what agents read, and what a channel shows that can show no more.
pub fn text_of(parts: &[Part]) -> String {
    let mut text = String::new();
    for words in parts.iter().flat_map(Part::words) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(words);
    }
    text
}
