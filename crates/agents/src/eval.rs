//! Scoring the agents against labelled turns.
//!
//! A line is `{"id","tenant","lang","channel","text","expect":{"agent","faq","service","also","language"}}`: a single
//! message without history. `faq: null` means that the pack has no answer and none may be made up. A line may also have a `kind`.
//! A business with questions of its own is one JSON object: see [`Business`]. A line with `lines` is a [`Conversation`].

mod business;
mod field;
mod report;

pub use business::Business;
pub use field::Conversation;
pub use report::{Ends, Rate, Report};

use crate::{
    CompiledPack, InboundText, TurnInput, TurnOutcome, budget::Budget, choice::offered, turn::decide_with,
    understanding::model::Model,
};
use misy_domain::{Channel, MessageId, Permissions, Source, Timestamp};
use serde::{Deserialize, Deserializer};
use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

/// A labelled turn.
#[derive(Debug, Clone, Deserialize)]
pub struct Turn {
    /// Unique in the set.
    pub id: String,
    /// Whose pack it is asked of.
    pub tenant: String,
    /// The language of the message.
    pub lang: String,
    /// Where it was written.
    pub channel: Channel,
    /// The message.
    pub text: String,
    /// What kind of question it is.
    #[serde(default)]
    pub kind: String,
    /// What is right.
    pub expect: Expect,
}

/// What is right for a turn.
#[derive(Debug, Clone, Deserialize)]
pub struct Expect {
    /// The agent.
    pub agent: String,
    /// The approved answer: absent if none is asked for, `Some(None)` if the pack has none.
    #[serde(default, deserialize_with = "present")]
    #[allow(clippy::option_option)]
    pub faq: Option<Option<String>>,
    /// The service.
    #[serde(default)]
    pub service: Option<String>,
    /// Further questions in the same message.
    #[serde(default)]
    pub also: Vec<Also>,
    /// The language of the reply.
    #[serde(default)]
    pub language: Option<String>,
}

/// A further question.
#[derive(Debug, Clone, Deserialize)]
pub struct Also {
    /// Its agent.
    #[serde(default)]
    pub agent: Option<String>,
    /// Its approved answer.
    #[serde(default)]
    pub faq: Option<String>,
    /// Its service.
    #[serde(default)]
    pub service: Option<String>,
}

/// Tells `null` from absent: the three cases of the labels are these two options.
#[allow(clippy::option_option)]
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Why a set could not be scored.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The lines could not be read.
    #[error("cannot read the turns: {0}")]
    Read(#[from] io::Error),
    /// A line is no labelled turn.
    #[error("line {line}: {source}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A line names a tenant that no pack was given for.
    #[error("line {line}: there is no pack of {tenant}")]
    Tenant {
        /// Counted from 1.
        line: usize,
        /// The tenant.
        tenant: String,
    },
}

/// Reads labelled turns, one JSON object a line.
pub fn read(turns: impl BufRead) -> Result<Vec<Turn>, EvalError> {
    let mut read = Vec::new();
    for (at, line) in turns.lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            read.push(
                serde_json::from_str(&line).map_err(|source| EvalError::Line { line: at + 1, source })?,
            );
        }
    }
    Ok(read)
}

/// A line of a set.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Conversation(Conversation),
    Turn(Turn),
}

/// Reads labelled turns and conversations, one JSON object a line.
pub fn read_all(lines: impl BufRead) -> Result<(Vec<Turn>, Vec<Conversation>), EvalError> {
    let (mut turns, mut conversations) = (Vec::new(), Vec::new());
    for (at, line) in lines.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line).map_err(|source| EvalError::Line { line: at + 1, source })? {
            Line::Turn(turn) => turns.push(turn),
            Line::Conversation(conversation) => conversations.push(conversation),
        }
    }
    Ok((turns, conversations))
}

/// Holds every conversation and scores the last answers by kind.
pub fn score_conversations(
    conversations: &[Conversation],
    packs: &BTreeMap<String, CompiledPack>,
    report: &mut Report,
) -> Result<(), EvalError> {
    for (at, conversation) in conversations.iter().enumerate() {
        let tenant = || EvalError::Tenant { line: at + 1, tenant: conversation.tenant.clone() };
        let held = conversation.hold(packs.get(&conversation.tenant).ok_or_else(tenant)?);
        report.field.entry(conversation.kind.clone()).or_default().add(held.is_ok());
        if let Err(problem) = held {
            report.missed.push((format!("conversation {}", at + 1), vec![problem]));
        }
    }
    Ok(())
}

/// Answers every turn and scores the answers. `now` is the present of all of them.
pub fn score(
    turns: &[Turn],
    packs: &BTreeMap<String, CompiledPack>,
    now: Timestamp,
) -> Result<Report, EvalError> {
    let mut report = Report::default();
    for (at, turn) in turns.iter().enumerate() {
        let pack = packs
            .get(&turn.tenant)
            .ok_or_else(|| EvalError::Tenant { line: at + 1, tenant: turn.tenant.clone() })?;
        judge(Model::get(), turn, pack, now, &mut report);
    }
    Ok(report)
}

fn ids<'a>(sources: &'a [Source], kind: &'a str) -> impl Iterator<Item = &'a str> {
    sources.iter().filter(move |source| source.kind == kind).map(|source| source.id.as_str())
}

/// How the turn ended for a question of which is known whether the pack has an answer.
fn note_end(turn: &Turn, outcome: &TurnOutcome, report: &mut Report) {
    let Some(right) = &turn.expect.faq else { return };
    let sources = &outcome.decision.sources;
    let offered: Vec<_> = outcome.replies.iter().flat_map(|reply| offered(&reply.parts)).collect();
    let offers = |id: &str| offered.iter().any(|one| one.faq.as_deref() == Some(id));
    for key in [("all", "all"), ("all", turn.lang.as_str()), (turn.kind.as_str(), "all")] {
        if key.0.is_empty() {
            continue;
        }
        let ends = report.ends.entry((key.0.to_owned(), key.1.to_owned())).or_default();
        if let Some(id) = right {
            ends.all += 1;
            if ids(sources, "faq").next() == Some(id) {
                ends.right += 1;
            } else if offers(id) {
                ends.asked += 1;
            } else if !offered.is_empty() {
                ends.asked_in_vain += 1;
            } else if sources.is_empty() {
                ends.unknown += 1;
            } else {
                ends.wrong += 1;
            }
        } else {
            ends.none += 1;
            if !offered.is_empty() {
                ends.none_asked += 1;
            } else if sources.is_empty() {
                ends.none_unknown += 1;
            } else {
                ends.none_answered += 1;
            }
        }
    }
}

pub(crate) fn judge(model: &Model, turn: &Turn, pack: &CompiledPack, now: Timestamp, report: &mut Report) {
    let permissions = Permissions::anonymous_chat();
    // The id plays no part in the answer; this one is well formed.
    let id: Result<MessageId, _> = "msg_00000000000000000000000000".parse();
    let messages: Vec<InboundText<'_>> = id
        .into_iter()
        .map(|message_id| InboundText { message_id, text: &turn.text, pressed: None })
        .collect();
    let outcome = decide_with(
        model,
        &TurnInput {
            pack,
            channel: turn.channel,
            locale: None,
            session_language: None,
            messages: &messages,
            history: &[],
            form: None,
            permissions: &permissions,
            handed_off: false,
            unanswered_in_a_row: 0,
            now,
        },
        &Budget::of_turn(),
    );
    let (decision, expect) = (&outcome.decision, &turn.expect);
    let right = decision.agent == expect.agent;
    report.agent.add(right);
    report.per_agent.entry(expect.agent.clone()).or_default().add(right);
    report.per_tenant.entry(turn.tenant.clone()).or_default().add(right);
    report.per_language.entry(turn.lang.clone()).or_default().add(right);
    *report.confusion.entry((expect.agent.clone(), decision.agent.clone())).or_default() += 1;
    let mut missed = Vec::new();
    if !right {
        missed.push(format!("agent {} not {}", decision.agent, expect.agent));
    }
    let first = ids(&decision.sources, "faq").next();
    note_end(turn, &outcome, report);
    match &expect.faq {
        Some(Some(id)) => {
            report.faq.add(first == Some(id));
            if first != Some(id) {
                missed.push(format!("faq {} not {id}", first.unwrap_or("-")));
            }
        }
        Some(None) => {
            // An answer of the pack where it has none is an answer made up.
            let honest = decision.sources.is_empty();
            report.null.add(honest);
            if !honest {
                missed.push(format!("{} where there is no answer", decision.sources[0].id));
            }
        }
        None => {}
    }
    if let Some(id) = &expect.service {
        let found = ids(&decision.sources, "service").next();
        report.service.add(found == Some(id));
        if found != Some(id) {
            missed.push(format!("service {} not {id}", found.unwrap_or("-")));
        }
    }
    for also in &expect.also {
        let has = |kind: &str, id: &Option<String>| {
            id.as_ref().is_none_or(|id| ids(&decision.sources, kind).any(|own| own == id))
        };
        let agent = also.faq.is_some()
            || also.service.is_some()
            || also.agent.as_ref().is_none_or(|agent| {
                *agent == decision.agent || decision.alternatives.iter().any(|other| other.name == *agent)
            });
        let right = agent && has("faq", &also.faq) && has("service", &also.service);
        report.also.add(right);
        if !right {
            missed.push(format!("also {:?} {:?}", also.faq, also.service));
        }
    }
    if let Some(language) = &expect.language {
        let right = outcome.language.code() == language;
        report.language.add(right);
        if !right {
            missed.push(format!("language {}", outcome.language));
        }
    }
    if !missed.is_empty() {
        report.missed.push((turn.id.clone(), missed));
    }
}
