//! What the agents say: facts of the pack, written in the reply's language.

mod agents;
mod basics;
mod facts;
mod plain;
mod services;

use crate::{
    CompiledPack,
    reply::{
        phrases::{say, seed},
        write::Block,
    },
    style::Style,
    understanding::Understanding,
};
use misy_domain::{Language, Source, Timestamp};

/// Above this an answer of the pack is given, below it the agent says that it does not know.
pub(crate) const SURE: f64 = 0.42;
/// A second answer in the same reply must be surer.
const SURE_ALSO: f64 = 0.6;

/// An answer in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) blocks: Vec<Block>,
    pub(crate) sources: Vec<Source>,
    pub(crate) rules: Vec<String>,
    /// Whether it says anything that was asked for.
    pub(crate) answered: bool,
    /// The answers of the pack that the contact is to choose from.
    pub(crate) choices: Vec<usize>,
}

/// Everything that answering needs.
pub(crate) struct Desk<'a> {
    pub(crate) pack: &'a CompiledPack,
    pub(crate) seen: &'a Understanding,
    pub(crate) style: &'a Style,
    pub(crate) language: Language,
    pub(crate) now: Timestamp,
    pub(crate) text: &'a str,
}

impl Desk<'_> {
    pub(crate) fn say(&self, name: &str, values: &[(&str, &str)]) -> String {
        let mut all = vec![("business", self.pack.pack().display_name.as_str())];
        all.extend_from_slice(values);
        say(name, self.language, self.style.address, seed(self.text), &all)
    }

    pub(crate) fn phrase(&self, draft: &mut Draft, name: &str) {
        draft.blocks.push(Block::Text(self.say(name, &[])));
    }

    /// How to reach the business, as the end of a sentence.
    pub(crate) fn reach(&self) -> String {
        let contact = &self.pack.pack().contact;
        match &contact.phone {
            Some(phone) => self.say("reach", &[("email", &contact.email), ("phone", phone)]),
            None => self.say("reach_email", &[("email", &contact.email)]),
        }
    }

    fn has(&self, cue: &str) -> bool {
        self.seen.whole.analysis.has(cue)
    }
}
