//! The decision engine, the built-in agents that need no model provider, and what an [`Agent`](agent::Agent) is.
//!
//! A turn is a pure function: [`decide_turn`] takes a compiled context pack, what the contact wrote and what is known of
//! the session, and returns replies, a possible hand-off and the [`Decision`] that explains them. Nothing here reads a
//! clock, a file or a socket, and nothing a contact writes can change a rule. What a turn or a pack may cost is a
//! [`Budget`]: loops whose length a contact or a tenant decides take their steps from it.

pub mod agent;
mod answer;
pub mod booking;
mod budget;
mod catalogue;
mod choice;
mod dates;
mod escalation;
pub mod eval;
pub mod meaning;
mod pack;
mod plain;
mod reply;
mod style;
mod text;
pub mod train;
mod turn;
mod understanding;

pub use budget::{Budget, PACK_STEPS, Spent, TURN_STEPS};
pub use catalogue::definitions;
pub use choice::offered;
pub use misy_domain::decision::{Candidate, Decision, Intent, Outcome};
pub use pack::{CompiledPack, MOST_BYTES, TooCostly};
pub use turn::{Handoff, HistoryItem, InboundText, Offered, TurnInput, TurnOutcome, decide_turn};

/// What a contact is told when an agent may not answer for a while and a person is asked to.
pub fn busy_phrase(language: misy_domain::Language) -> String {
    reply::phrases::say("handoff_busy", language, style::Address::Formal, 0, &[])
}

/// What a contact is told when an agent came to no answer and a person is asked to.
pub fn unfinished_phrase(language: misy_domain::Language) -> String {
    reply::phrases::say("handoff_budget", language, style::Address::Formal, 0, &[])
}
