//! Messages: one model for every channel.

use crate::{MessageId, SessionId, TraceContext};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Part {
    /// Text in a subset of Markdown: bold, italic, lists, links, code, line breaks.
    Text {
        /// The text.
        text: String,
    },
    /// Something the platform says about the conversation.
    System {
        /// What happened, for example `handoff`.
        event: String,
        /// The same in words.
        text: String,
    },
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// `faq`, `service`, `hours`, `policy`, `contact`, …
    pub kind: String,
    /// The id within the context pack.
    pub id: String,
    /// What to show to the reader.
    pub title: String,
}

/// A message as it stands in history and in live events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Unique.
    pub message_id: MessageId,
    /// The session it was written in.
    pub session_id: SessionId,
    /// Its place in the conversation, from 1 without gaps.
    pub sequence: i64,
    /// Who speaks.
    pub role: Role,
    /// The agent that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// What it says.
    pub parts: Vec<Part>,
    /// Where the answer comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The messages of the contact that it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<MessageId>,
    /// The id that the client gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
    /// When it became durable.
    pub created_at: Timestamp,
    /// Where in a trace it became so, if that is recorded. The program's own; no client sees it.
    #[serde(skip)]
    pub trace: Option<TraceContext>,
}
