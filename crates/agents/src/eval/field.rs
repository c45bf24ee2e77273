//! Small conversations with a business: what the last answer must hold.

use crate::{
    Budget, CompiledPack, HistoryItem, InboundText, TurnInput, TurnOutcome, choice::offered, decide_turn,
};
use jiff::civil::DateTime;
use misy_domain::{Channel, Language, MessageId, Permissions, Role, Timestamp, message::text_of};
use serde::Deserialize;

/// A conversation, and what its last answer must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// What it is an example of.
    pub kind: String,
    /// Whose pack it is held with.
    pub tenant: String,
    /// When, on the tenant's clocks.
    pub at: DateTime,
    /// What the contact writes, one line after the other is answered.
    pub lines: Vec<String>,
    /// Whether a person is asked for.
    #[serde(default)]
    pub person: bool,
    /// Each is in the answer; `|` separates a choice. Without case.
    #[serde(default)]
    pub has: Vec<String>,
    /// None of these is.
    #[serde(default)]
    pub lacks: Vec<String>,
}

impl Conversation {
    /// Holds it and tells what is wrong with the last answer.
    pub fn hold(&self, pack: &CompiledPack) -> Result<(), String> {
        let zoned = self.at.to_zoned(pack.pack().timezone.zone().clone());
        let now = zoned.map_err(|error| error.to_string())?.timestamp();
        let mut history: Vec<HistoryItem> = Vec::new();
        let mut last: Option<TurnOutcome> = None;
        for line in &self.lines {
            let language = last.as_ref().map(|outcome| outcome.language);
            let outcome = answer(pack, line, &history, language, now);
            history.push(HistoryItem {
                role: Role::Contact,
                text: line.clone(),
                agent_name: None,
                offered: Vec::new(),
            });
            history.push(HistoryItem {
                role: Role::Agent,
                text: said(&outcome),
                agent_name: Some(outcome.decision.agent.clone()),
                offered: outcome.replies.iter().flat_map(|reply| offered(&reply.parts)).collect(),
            });
            last = Some(outcome);
        }
        let outcome = last.ok_or("nothing was said")?;
        let answer = said(&outcome);
        let low = answer.to_lowercase();
        let is_in = |text: &str| low.contains(&text.to_lowercase());
        let missing = self.has.iter().find(|choice| !choice.split('|').any(is_in));
        let wrong = self.lacks.iter().find(|text| is_in(text));
        let problem = match (missing, wrong) {
            (Some(missing), _) => format!("lacks {missing:?}"),
            (_, Some(wrong)) => format!("says {wrong:?}"),
            _ if outcome.handoff.is_some() != self.person => {
                format!("a person is asked for: {}", outcome.handoff.is_some())
            }
            _ => return Ok(()),
        };
        let agent = &outcome.decision.agent;
        Err(format!(
            "{} {:?}: {problem}\n    {agent}: {}",
            self.tenant,
            self.lines,
            answer.replace('\n', " / ")
        ))
    }
}

fn answer(
    pack: &CompiledPack,
    text: &str,
    history: &[HistoryItem],
    session_language: Option<Language>,
    now: Timestamp,
) -> TurnOutcome {
    // The id plays no part in the answer; this one is well formed.
    let id: Result<MessageId, _> = "msg_00000000000000000000000000".parse();
    let messages: Vec<InboundText<'_>> =
        id.into_iter().map(|message_id| InboundText { message_id, text, pressed: None }).collect();
    let input = TurnInput {
        pack,
        channel: Channel::Web,
        locale: None,
        session_language,
        messages: &messages,
        history,
        form: None,
        permissions: &Permissions::anonymous_chat(),
        handed_off: false,
        unanswered_in_a_row: 0,
        now,
    };
    decide_turn(&input, &Budget::of_turn())
}

fn said(outcome: &TurnOutcome) -> String {
    let texts: Vec<String> = outcome.replies.iter().map(|reply| text_of(&reply.parts)).collect();
    texts.join("\n")
}
