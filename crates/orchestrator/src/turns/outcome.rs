//! What an agent's end makes of the outcome of a turn: its own answer, or a person in its place.

use super::telling::Told;
use metrics::counter;
use misy_agents::{Handoff, TurnOutcome, agent::Answer, busy_phrase, unfinished_phrase};
use misy_domain::{
    Part, Reply, Source,
    agent::{AgentKind, Definition},
    decision::Outcome,
};

/// Why a person answers in the place of an agent.
pub(super) struct InPlace {
    reason: &'static str,
    summary: &'static str,
    phrase: fn(misy_domain::Language) -> String,
}

pub(super) const OVER_LIMIT: InPlace = InPlace {
    reason: "agent_limit",
    summary: "The agent had reached its limit; the last messages are not answered.",
    phrase: busy_phrase,
};
pub(super) const LATE: InPlace = InPlace {
    reason: "agent_deadline",
    summary: "The agent did not end in time; the last messages are not answered.",
    phrase: unfinished_phrase,
};
const FAILED: InPlace = InPlace {
    reason: "agent_failed",
    summary: "The agent came to no answer; the last messages are not answered.",
    phrase: unfinished_phrase,
};

/// A person holds the conversation: what was asked is theirs to answer.
pub(super) fn stay_silent(outcome: &mut TurnOutcome) {
    outcome.replies.clear();
    outcome.handoff = None;
    outcome.spent = None;
    outcome.decision.outcome = Outcome::Silent;
    "none".clone_into(&mut outcome.decision.agent);
    outcome
        .decision
        .rules
        .push("handed off: a person holds the conversation, so the assistant stays silent".to_owned());
}

/// A person answers in the place of an agent.
pub(super) fn hand_over(outcome: &mut TurnOutcome, why: &InPlace) {
    outcome.decision.outcome = Outcome::Handoff;
    outcome.replies = vec![Reply {
        parts: vec![Part::text((why.phrase)(outcome.language))],
        sources: Vec::new(),
        agent_name: outcome.decision.agent.clone(),
    }];
    outcome.handoff = outcome
        .handoff
        .take()
        .or_else(|| Some(Handoff { reason: why.reason.to_owned(), summary: why.summary.to_owned() }));
}

/// The agent was tried as often as it may be.
pub(super) fn failed(outcome: &mut TurnOutcome, definition: &Definition) -> Told {
    count(definition, "failed");
    hand_over(outcome, &FAILED);
    outcome.decision.limits.push("the agent failed as often as it may".to_owned());
    Told::Failed { agent: definition.key.to_string() }
}

/// Puts an agent's own answer in the place of the draft.
pub(super) fn take(outcome: &mut TurnOutcome, answer: Answer) {
    let Answer { parts, sources, rules, handoff, settled } = answer;
    outcome.settled = settled;
    outcome.decision.rules.extend(rules);
    outcome.decision.sources.clone_from(&sources);
    outcome.handoff = handoff;
    outcome.unanswered_in_a_row = 0;
    outcome.decision.outcome = match &outcome.handoff {
        Some(_) => Outcome::Handoff,
        None if parts.is_empty() => Outcome::Silent,
        None if parts.iter().any(|part| !part.choices().is_empty()) => Outcome::Ask,
        None => Outcome::Answer,
    };
    take_words(outcome, parts, sources);
}

pub(super) fn take_words(outcome: &mut TurnOutcome, parts: Vec<Part>, sources: Vec<Source>) {
    let agent_name = outcome.decision.agent.clone();
    outcome.replies = if parts.is_empty() { Vec::new() } else { vec![Reply { parts, sources, agent_name }] };
}

/// Counts runs of agents that wait for something outside.
pub(super) fn count(definition: &Definition, outcome: &'static str) {
    if definition.kind == AgentKind::Connected {
        counter!("misy_agent_runs_total", "outcome" => outcome).increment(1);
    }
}
