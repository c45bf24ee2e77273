//! When a person takes over: general categories, and the pack's own rules read by what they have in common with the
//! message.

use crate::{CompiledPack, text::tokens::words, understanding::Understanding};

/// A reason to hand off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The code that the hand-off carries.
    pub(crate) code: &'static str,
    /// The phrase that the contact is told.
    pub(crate) phrase: &'static str,
    /// What led to it, for the decision record.
    pub(crate) rule: String,
}

impl Reason {
    /// The contact asks for a person.
    pub(crate) fn asked() -> Self {
        general("asked", "handoff_asked")
    }
}

fn general(code: &'static str, phrase: &'static str) -> Reason {
    Reason { code, phrase, rule: format!("handoff: {code}") }
}

/// The general reason that a message gives, the gravest first.
pub(crate) fn category(seen: &Understanding) -> Reason {
    let has = |cue: &str| seen.whole.analysis.has(cue);
    if has("medical") || has("diagnosis") {
        general("safety", "handoff_safety")
    } else if has("security") {
        general("security", "handoff_security")
    } else if has("legal") {
        general("legal", "handoff_complaint")
    } else if has("charge") {
        general("charge", "handoff_charge")
    } else if has("complaint") || has("angry_staff") {
        general("complaint", "handoff_complaint")
    } else if has("ask_person") {
        Reason::asked()
    } else {
        general("rule", "handoff_rule")
    }
}

/// A rule of the pack with a number, such as "more than 80 people", read once.
#[derive(Debug)]
pub(crate) struct NumberRule {
    /// As it stands in the pack.
    text: String,
    limit: u64,
    /// How the word begins that is counted.
    counted: String,
    counts_people: bool,
}

impl NumberRule {
    /// Reads a rule; `None` if it has no number to go beyond.
    pub(crate) fn read(rule: &str) -> Option<Self> {
        let words = words(rule);
        let (at, limit) = words.iter().enumerate().find_map(|(at, word)| Some((at, number(word)?)))?;
        let more = ["mas", "over", "than", "above", "acima", "mais", "superior", "exceeding"];
        if !words[..at].iter().rev().take(3).any(|word| more.contains(&word.as_str())) {
            return None;
        }
        let counted = words.get(at + 1)?;
        Some(Self {
            text: rule.to_owned(),
            limit,
            counted: counted.get(..counted.len().min(5))?.to_owned(),
            counts_people: is_people(counted),
        })
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + self.counted.len()
    }
}

/// A rule of the pack with a number that the message goes beyond.
pub(crate) fn over_limit(pack: &CompiledPack, seen: &Understanding) -> Option<Reason> {
    let said: Vec<&str> = seen.whole.analysis.tokens.iter().map(|token| token.text.as_str()).collect();
    let most = said.iter().filter_map(|word| number(word)).max()?;
    let speaks_of_people = said.iter().any(|word| is_people(word));
    let is_beyond = |rule: &&NumberRule| {
        let same_thing = (rule.counts_people && speaks_of_people)
            || said.iter().any(|word| word.starts_with(rule.counted.as_str()));
        most > rule.limit && same_thing
    };
    pack.number_rules().iter().find(is_beyond).map(|rule| Reason {
        code: "rule",
        phrase: "handoff_rule",
        rule: format!("handoff: the pack says {:?}", rule.text),
    })
}

fn is_people(word: &str) -> bool {
    ["person", "pessoa", "people", "invitad", "convidad", "guest"]
        .iter()
        .any(|people| word.starts_with(people))
}

fn number(word: &str) -> Option<u64> {
    const WORDS: [(&str, u64); 36] = [
        ("tres", 3),
        ("three", 3),
        ("cuatro", 4),
        ("quatro", 4),
        ("four", 4),
        ("cinco", 5),
        ("five", 5),
        ("seis", 6),
        ("six", 6),
        ("siete", 7),
        ("sete", 7),
        ("seven", 7),
        ("ocho", 8),
        ("oito", 8),
        ("eight", 8),
        ("nueve", 9),
        ("nove", 9),
        ("nine", 9),
        ("diez", 10),
        ("dez", 10),
        ("ten", 10),
        ("doce", 12),
        ("doze", 12),
        ("twelve", 12),
        ("quince", 15),
        ("quinze", 15),
        ("fifteen", 15),
        ("veinte", 20),
        ("vinte", 20),
        ("twenty", 20),
        ("treinta", 30),
        ("trinta", 30),
        ("thirty", 30),
        ("cien", 100),
        ("cem", 100),
        ("hundred", 100),
    ];
    word.parse().ok().or_else(|| WORDS.iter().find(|(own, _)| *own == word).map(|(_, number)| *number))
}

/// Whether a rule wants a person after two questions without an answer.
pub(crate) fn asks_after_two_unanswered(rule: &str) -> bool {
    let twice = ["dos veces", "twice", "two times", "duas vezes", "2 veces", "2 vezes", "seguidas"];
    let rule = words(rule).join(" ");
    twice.iter().any(|sign| rule.contains(sign))
        && ["respuesta", "answer", "resposta", "respond"].iter().any(|sign| rule.contains(sign))
}
