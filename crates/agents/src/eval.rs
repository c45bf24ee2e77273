//! Scoring the agents against labelled turns.
//!
//! A line is `{"id","tenant","lang","channel","text","expect":{"agent","faq","service","also","language"}}`: a single
//! message without history. `faq: null` means that the pack has no answer and none may be made up.

mod report;

pub use report::{Rate, Report};

use crate::{
    CompiledPack, InboundText, TurnInput, budget::Budget, turn::decide_with, understanding::model::Model,
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

/// Answers every turn and scores the answers. `now` is the present of all of them.
pub fn score(
    turns: impl BufRead,
    packs: &BTreeMap<String, CompiledPack>,
    now: Timestamp,
) -> Result<Report, EvalError> {
    let mut report = Report::default();
    for (at, turn) in read(turns)?.iter().enumerate() {
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

pub(crate) fn judge(model: &Model, turn: &Turn, pack: &CompiledPack, now: Timestamp, report: &mut Report) {
    let permissions = Permissions::anonymous_chat();
    // The id plays no part in the answer; this one is well formed.
    let id: Result<MessageId, _> = "msg_00000000000000000000000000".parse();
    let messages: Vec<InboundText<'_>> =
        id.into_iter().map(|message_id| InboundText { message_id, text: &turn.text }).collect();
    let outcome = decide_with(
        model,
        &TurnInput {
            pack,
            channel: turn.channel,
            locale: None,
            session_language: None,
            messages: &messages,
            history: &[],
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
