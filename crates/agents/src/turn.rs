//! One turn of a conversation.

use crate::{CompiledPack, Decision};
use misy_domain::{Channel, Language, Locale, MessageId, Part, Permissions, Role, Source, Timestamp};

/// A message of the contact that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub struct InboundText<'a> {
    /// Its id.
    pub message_id: MessageId,
    /// What it says; untrusted.
    pub text: &'a str,
}

/// A message that was already answered.
#[derive(Debug, Clone)]
pub struct HistoryItem {
    /// Who wrote it.
    pub role: Role,
    /// What it says.
    pub text: String,
    /// The agent that wrote it, if one did.
    pub agent_name: Option<String>,
}

/// Everything a turn may know.
#[derive(Debug, Clone, Copy)]
pub struct TurnInput<'a> {
    /// The tenant's knowledge.
    pub pack: &'a CompiledPack,
    /// Where the contact writes.
    pub channel: Channel,
    /// The locale the client gave when it opened the session.
    pub locale: Option<&'a Locale>,
    /// The language of the conversation so far.
    pub session_language: Option<Language>,
    /// All messages that wait, oldest first.
    pub messages: &'a [InboundText<'a>],
    /// What was said before, oldest first; the last 20 are enough.
    pub history: &'a [HistoryItem],
    /// What the session's token allows.
    pub permissions: &'a Permissions,
    /// Whether a person has taken over.
    pub handed_off: bool,
    /// How many turns in a row ended without an answer.
    pub unanswered_in_a_row: u8,
    /// The present.
    pub now: Timestamp,
}

/// A message of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub parts: Vec<Part>,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// The agent that says it.
    pub agent_name: String,
}

/// A person is asked to take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    /// Why, as a code: `asked`, `complaint`, `legal`, `safety`, `security`, `charge`, `rule`, `unanswered`, `denied`.
    pub reason: String,
    /// What the person should know, in the pack's language; may quote the contact.
    pub summary: String,
}

/// What a turn came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnOutcome {
    /// What to send, in order; empty when the assistant stays silent.
    pub replies: Vec<Reply>,
    /// Whether a person is asked for.
    pub handoff: Option<Handoff>,
    /// The language that the conversation is in now.
    pub language: Language,
    /// To be given to the next turn.
    pub unanswered_in_a_row: u8,
    /// Why.
    pub decision: Decision,
}

/// Decides and answers one turn.
///
/// Pure and deterministic: the same input gives the same outcome.
pub fn decide_turn(input: &TurnInput<'_>) -> TurnOutcome {
    let language = input.session_language.unwrap_or_else(|| input.pack.pack().language());
    let decision = Decision {
        language,
        intent: crate::Intent { name: "support".to_owned(), score: 0.0 },
        alternatives: Vec::new(),
        agent: "support".to_owned(),
        persona: String::new(),
        tone: String::new(),
        format: String::new(),
        rules: Vec::new(),
        sources: Vec::new(),
        limits: Vec::new(),
        labels: Vec::new(),
    };
    TurnOutcome {
        replies: Vec::new(),
        handoff: None,
        language,
        unanswered_in_a_row: input.unanswered_in_a_row.saturating_add(1),
        decision,
    }
}
