//! What became of the messages of a conversation, by its history.

use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The contact's messages of a history and how often each was answered.
#[derive(Debug)]
pub struct Tally {
    /// What the contact wrote.
    pub texts: Vec<String>,
    /// The ids of that.
    pub asked: Vec<String>,
    /// How many replies name a message.
    pub answers: HashMap<String, usize>,
    /// Whether the sequence has no gap.
    pub gapless: bool,
}

/// What went wrong with the messages of conversations. Nothing should.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wrongs {
    /// Messages that are not there.
    pub lost: usize,
    /// Messages that are there twice.
    pub doubled: usize,
    /// Messages in another order than they were written in.
    pub reordered: usize,
    /// Messages without an answer.
    pub unanswered: usize,
    /// Messages with two.
    pub answered_twice: usize,
}

impl Tally {
    /// Counts a history.
    pub fn of(history: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let gapless = history.iter().zip(1..).all(|(message, sequence)| message["sequence"] == sequence);
        let mut tally = Self { texts: Vec::new(), answers: HashMap::new(), asked: Vec::new(), gapless };
        for message in history {
            if message["role"] == "contact" {
                tally.texts.push(text(&message["parts"][0]["text"]));
                tally.asked.push(text(&message["messageId"]));
            }
            for answered in message["inReplyTo"].as_array().into_iter().flatten() {
                *tally.answers.entry(text(answered)).or_default() += 1;
            }
        }
        tally
    }

    /// Whether everything is answered that is there.
    pub fn is_answered(&self) -> bool {
        self.asked.iter().all(|id| self.answers.contains_key(id))
    }
}

impl Wrongs {
    /// Adds what went wrong in a conversation of so many messages, whose texts are `place/number: …` in order.
    pub fn add(&mut self, tally: &Tally, messages: usize) {
        let unique: HashSet<&String> = tally.texts.iter().collect();
        let numbers: Vec<usize> = tally
            .texts
            .iter()
            .filter_map(|text| text.split_once('/')?.1.split_once(':')?.0.parse().ok())
            .collect();
        self.lost += messages.saturating_sub(unique.len());
        self.doubled += tally.texts.len() - unique.len();
        self.reordered += numbers.windows(2).filter(|pair| pair.first() >= pair.last()).count()
            + usize::from(!tally.gapless);
        self.unanswered += tally.asked.iter().filter(|id| !tally.answers.contains_key(*id)).count();
        self.answered_twice += tally.answers.values().filter(|count| **count > 1).count();
    }
}
