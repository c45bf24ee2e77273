//! The record that explains a turn.

use crate::{Language, Source, agent::AgentKind};
use serde::{Deserialize, Serialize};

crate::words! {
    /// A stage of a turn.
    pub enum Stage {
        /// What waits and what was said before is read.
        Load = "load",
        /// What the contact wants is understood.
        Understand = "understand",
        /// The agent is chosen.
        Route = "route",
        /// What the built-in agents say is drawn up.
        Draft = "draft",
        /// Permission, limits and quotas are checked, and what the agent may cost is reserved.
        Permit = "permit",
        /// The agent runs.
        Run = "run",
        /// What it did cost is written down.
        Settle = "settle",
        /// The answer is stored.
        Commit = "commit",
    }
}

crate::words! {
    /// How a turn ended for the contact.
    pub enum Outcome as DecisionOutcome {
        /// With an answer.
        Answer = "answer",
        /// With a question back: something to choose from.
        Ask = "ask",
        /// With the word that nobody here knows the answer.
        Unknown = "unknown",
        /// With a person who is asked to take over, or has taken over.
        Handoff = "handoff",
        /// With nothing that is said.
        Silent = "silent",
    }
}

/// The most candidates that a record names.
pub const MOST_CANDIDATES: usize = 8;

/// Something that may have been meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DecisionCandidate))]
pub struct Candidate {
    /// What it is, such as `faq` or `service`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Between 0 and 1. What is left of all candidates to 1 is the probability that none was meant.
    pub probability: f64,
}

/// A stage of a turn with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// How long it took, in microseconds. Not there for the commit, which this record is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
}

/// Why a turn went the way it went: kept with the turn and shown to the tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// How the turn ended for the contact.
    pub outcome: Outcome,
    /// What may have been meant, best first, eight at most.
    pub candidates: Vec<Candidate>,
    /// The language of the reply.
    pub language: Language,
    /// What the contact wants, as understood.
    pub intent: Intent,
    /// Readings that were not taken, or were taken for a second question, best first.
    pub alternatives: Vec<Intent>,
    /// The agent that answered: `support`, `sales`, `booking`, `marketing`, `handoff`, `smalltalk`, `out_of_scope`, `waiting`
    /// when it only says that a person will reply, or `none` when it stays silent.
    pub agent: String,
    /// How the agent presents itself, from the industry.
    pub persona: String,
    /// How it sounds, from the pack and the channel.
    pub tone: String,
    /// How its text is written, from the channel.
    pub format: String,
    /// The rules that were applied, in order, each as `rule: what it did`.
    pub rules: Vec<String>,
    /// What the answer comes from, the main one first.
    pub sources: Vec<Source>,
    /// Limits that were met, such as a permission that is missing.
    pub limits: Vec<String>,
    /// Where the text that was used comes from and how far it is trusted.
    pub labels: Vec<String>,
    /// How the agent comes to its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_kind: Option<AgentKind>,
    /// The version of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<u32>,
    /// The AI tokens that the run of the agent took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
    /// The stages of the turn, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageTime>,
}

/// A reading of what the contact wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Intent {
    /// Its name, such as `support` or `booking`.
    pub name: String,
    /// Between 0 and 1.
    pub score: f64,
}
