//! Which answer of a pack a question asks for, by its words and by its meaning together.
//!
//! The words are the hits of the pack's index; the meaning is how near an encoder puts the question to each answer. From both a
//! [`Judge`] reckons how probable each answer is, and how probable that none of them is meant. Then there are three ways to go on:
//! answer, ask which of a few is meant, or say that nobody knows. Without vectors nothing here is used, and words decide alone.

pub(crate) mod head;
mod vectors;

pub(crate) use head::Head;
pub(crate) use vectors::Meaning;
pub use vectors::passages;

use crate::{
    CompiledPack,
    answer::SURE,
    budget::{Budget, Spent},
    pack::{Hit, Sense},
    understanding::Understanding,
};
use misy_encoder::{Embedding, Encoder};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, sync::LazyLock};

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    // The file is compiled in and a test reads it; without weights no answer is probable.
    serde_json::from_str(include_str!("../data/meaning.json")).unwrap_or_default()
});

/// The fewest and the most answers that a contact is asked to choose from.
pub const CHOICES: std::ops::RangeInclusive<usize> = 2..=4;

/// Makes vectors of texts: the encoder, or what stands in for it in a test.
pub trait Embed: fmt::Debug + Send + Sync {
    /// The vector of what somebody asks.
    fn query(&self, text: &str) -> Embedding;
    /// The vector of what may answer.
    fn passage(&self, text: &str) -> Embedding;
}

impl Embed for Encoder {
    fn query(&self, text: &str) -> Embedding {
        Self::query(self, text)
    }

    fn passage(&self, text: &str) -> Embedding {
        Self::passage(self, text)
    }
}

/// How near a question and an answer of the pack are in meaning: cosines of an encoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// To the nearest way of asking for it.
    pub asked: f64,
    /// To the question and the answer together.
    pub answer: f64,
}

impl Near {
    fn sum(self) -> f64 {
        self.asked + 0.5 * self.answer
    }
}

/// What is known of an answer as one that a question may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Candidate {
    /// The order of the words' index, 0 where it found nothing.
    pub words: f64,
    /// How alike the words are to the nearest way of asking.
    pub cosine: f64,
    /// Which part of the question's words it holds.
    pub coverage: f64,
    /// How sure the words are of it; only of their first.
    pub sure: f64,
    /// How near the nearest way of asking is in meaning.
    pub asked: f64,
    /// How near the question and the answer together are.
    pub answer: f64,
    /// How much nearer it is than the others, in standard deviations of the pack's answers.
    pub stands_out: f64,
}

/// What a question finds in a pack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Every answer of the pack, in its order.
    pub candidates: Vec<Candidate>,
    /// Which part of the question's words the pack does not know.
    pub foreign: f64,
    /// How near the nearest service is in meaning.
    pub service: f64,
}

/// How many measures a candidate has.
pub const OF_ONE: usize = 7;
/// How many measures "none of them" has.
pub const OF_NONE: usize = 8;

/// How probable the answers are: what each measure counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judge {
    /// The weights of a candidate's measures, in the order of its fields.
    pub candidate: [f64; OF_ONE],
    /// The weights of "none of them": alone, the nearest, the best words, how far the first stands out, its lead before the
    /// second, words that the pack does not know, how sure the words are, the nearest service.
    pub none: [f64; OF_NONE],
    /// From this probability on the first is answered.
    pub answer: f64,
    /// From this probability on that one of the choices is meant, they are offered.
    pub ask: f64,
}

/// How to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This answer of the pack is meant.
    Answer(usize),
    /// One of these is meant, the most probable first; the contact can tell which.
    Ask(Vec<usize>),
    /// The pack has no answer, as far as can be told.
    Unknown,
}

impl Judge {
    /// What was learnt.
    pub fn learnt() -> &'static Self {
        &JUDGE
    }

    /// A probability on the scale on which words are sure: what is answered is above [`SURE`], what is not is at most that.
    pub(crate) fn as_confidence(&self, probability: f64) -> f64 {
        if probability >= self.answer {
            SURE + 0.01 + (0.99 - SURE) * (probability - self.answer) / (1.0 - self.answer).max(1e-9)
        } else {
            SURE * probability / self.answer
        }
    }

    /// The probability of each candidate; what is left to one is that of none.
    pub fn probabilities(&self, found: &Found) -> Vec<f64> {
        let scores: Vec<f64> =
            found.candidates.iter().map(|one| weighed(&self.candidate, &measures(one))).collect();
        let none = weighed(&self.none, &measures_of_none(found));
        let most = scores.iter().copied().fold(none, f64::max);
        let total = (none - most).exp() + scores.iter().map(|score| (score - most).exp()).sum::<f64>();
        scores.into_iter().map(|score| (score - most).exp() / total).collect()
    }

    /// How to go on with answers of these probabilities.
    pub fn decide(&self, probabilities: &[f64]) -> Outcome {
        let order = in_order(probabilities);
        let Some(first) = order.first().filter(|first| probabilities[**first].is_finite()) else {
            return Outcome::Unknown;
        };
        if probabilities[*first] >= self.answer {
            return Outcome::Answer(*first);
        }
        let mut choices = Vec::new();
        let mut covered = 0.0;
        for at in order.into_iter().take(*CHOICES.end()) {
            // A choice that is hardly ever meant only makes reading longer.
            let worth = probabilities[at] * 20.0 >= 1.0 - covered;
            if choices.len() >= *CHOICES.start() && !worth {
                break;
            }
            covered += probabilities[at];
            choices.push(at);
        }
        let enough = choices.len() >= *CHOICES.start() && covered >= self.ask;
        if enough { Outcome::Ask(choices) } else { Outcome::Unknown }
    }
}

fn descending(one: f64, other: f64) -> Ordering {
    other.total_cmp(&one)
}

fn weighed(weights: &[f64], measures: &[f64]) -> f64 {
    weights.iter().zip(measures).map(|(weight, measure)| weight * measure).sum()
}

/// The measures of a candidate.
pub fn measures(of: &Candidate) -> [f64; OF_ONE] {
    [of.words, of.cosine, of.coverage, of.sure, of.asked, of.answer, of.stands_out]
}

/// The measures of "none of them".
pub fn measures_of_none(found: &Found) -> [f64; OF_NONE] {
    let most = |of: fn(&Candidate) -> f64| found.candidates.iter().map(of).fold(0.0, f64::max);
    let near = |one: &Candidate| one.asked + 0.5 * one.answer;
    let nearest = most(|one| one.asked + 0.5 * one.answer);
    let others = found.candidates.iter().map(near).filter(|near| *near < nearest);
    let lead = nearest - others.fold(0.0, f64::max);
    let (words, stands_out, sure) = (most(|one| one.words), most(|one| one.stands_out), most(|one| one.sure));
    [1.0, nearest, words, stands_out, lead, found.foreign, sure, found.service]
}

/// Puts what the words found and what is near together. `near` is one for each answer.
pub(crate) fn fuse(senses: &[Sense], hits: &[Hit], sure: f64, near: &[Near]) -> Found {
    let mut candidates = vec![Candidate::default(); near.len()];
    for hit in hits {
        if let Some(candidate) = candidates.get_mut(hit.at) {
            (candidate.words, candidate.cosine, candidate.coverage) = (hit.score, hit.cosine, hit.coverage);
        }
    }
    if let Some(first) = hits.first().and_then(|hit| candidates.get_mut(hit.at)) {
        first.sure = sure;
    }
    #[allow(clippy::cast_precision_loss)] // A pack has far fewer than 2^52 answers.
    let count = near.len().max(1) as f64;
    let mean = near.iter().map(|near| near.sum()).sum::<f64>() / count;
    let spread = near.iter().map(|near| (near.sum() - mean).powi(2)).sum::<f64>() / count;
    for (candidate, near) in candidates.iter_mut().zip(near) {
        (candidate.asked, candidate.answer) = (near.asked, near.answer);
        candidate.stands_out = (near.sum() - mean) / spread.sqrt().max(0.02);
    }
    let words = senses.iter().filter(|sense| sense.is_word);
    let (words, unknown) = words.fold((0.0, 0.0), |(words, unknown), sense| {
        (words + 1.0, unknown + if sense.is_known { 0.0 } else { 1.0 })
    });
    Found { candidates, foreign: unknown / f64::max(words, 1.0), service: 0.0 }
}

/// What the meaning of a message says of a pack.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What it finds among the answers.
    pub found: Found,
    /// How probable each answer is; what is left to one is that of none.
    pub probabilities: Vec<f64>,
    /// How to go on if the pack is asked.
    pub outcome: Outcome,
    /// The nearest service, with how near it is.
    pub service: Option<(usize, f64)>,
    /// How near the nearest situation is in which the pack wants a person.
    pub situation: f64,
    /// Where the message points.
    pub vector: Embedding,
}

/// Reads a message by its meaning, as a judge has learnt to; nothing where the pack has no vectors or the message no words.
///
/// How much of a message is embedded is bounded by the encoder, so it takes no steps; it is not begun when time is up.
pub(crate) fn read(
    judge: &Judge,
    pack: &CompiledPack,
    seen: &Understanding,
    budget: &Budget<'_>,
) -> Result<Option<Reading>, Spent> {
    let Some(meaning) = pack.meaning().filter(|_| !seen.asked.is_empty()) else { return Ok(None) };
    budget.take(meaning.len())?;
    let vector = meaning.query(&seen.asked);
    let service = meaning.nearest_service(&vector);
    let whole = &seen.whole;
    let mut found = fuse(&whole.senses, &whole.faqs, whole.faq_confidence, &meaning.near(&vector));
    found.service = service.map_or(0.0, |(_, near)| near);
    let probabilities = judge.probabilities(&found);
    let outcome = judge.decide(&probabilities);
    let situation = meaning.nearest_situation(&vector);
    Ok(Some(Reading { found, probabilities, outcome, service, situation, vector }))
}

impl Reading {
    /// How probable it is that no answer of the pack is meant.
    pub fn none(&self) -> f64 {
        (1.0 - self.probabilities.iter().sum::<f64>()).max(0.0)
    }

    /// The answers from the most to the least probable.
    pub fn order(&self) -> Vec<usize> {
        in_order(&self.probabilities)
    }
}

fn in_order(probabilities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|one, other| descending(probabilities[*one], probabilities[*other]).then(one.cmp(other)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JUDGE: Judge = Judge {
        candidate: [1.0, 1.0, 0.0, 0.0, 8.0, 4.0, 1.0],
        none: [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0.0],
        answer: 0.6,
        ask: 0.5,
    };

    #[test]
    fn the_committed_weights_are_readable() {
        let judge = Judge::learnt();
        assert!(judge.answer > judge.ask && judge.ask > 0.0 && judge.candidate[4] > 0.0);
    }

    #[test]
    fn there_are_three_ways_to_go_on() {
        assert_eq!(JUDGE.decide(&[0.1, 0.7, 0.1]), Outcome::Answer(1));
        assert_eq!(JUDGE.decide(&[0.4, 0.001, 0.5]), Outcome::Ask(vec![2, 0]));
        assert_eq!(JUDGE.decide(&[0.2, 0.2, 0.2, 0.2, 0.2]), Outcome::Ask(vec![0, 1, 2, 3]));
        assert_eq!(JUDGE.decide(&[0.2, 0.1, 0.1]), Outcome::Unknown);
        assert_eq!(JUDGE.decide(&[]), Outcome::Unknown);
        // One choice is no choice.
        assert_eq!(JUDGE.decide(&[0.55]), Outcome::Unknown);
        assert_eq!(JUDGE.decide(&[f64::NAN, f64::NAN]), Outcome::Unknown);
    }

    #[test]
    fn what_is_near_and_what_the_words_say_both_count() {
        let near = |asked| Near { asked, answer: asked };
        let hit = |at, score| Hit { at, score, cosine: score, coverage: score, recall: score };
        let alone = fuse(&[], &[], 0.0, &[near(0.2), near(0.7), near(0.6)]);
        let best = |found: &Found| {
            let probabilities = JUDGE.probabilities(found);
            assert!(probabilities.iter().sum::<f64>() <= 1.0 + 1e-9);
            (0..3).max_by(|one, other| probabilities[*one].total_cmp(&probabilities[*other])).unwrap()
        };
        assert_eq!(best(&alone), 1);
        assert_eq!(best(&fuse(&[], &[hit(2, 0.9)], 0.9, &[near(0.2), near(0.65), near(0.6)])), 2);
        // Places that the pack does not have are passed over.
        assert_eq!(best(&fuse(&[], &[hit(9, 0.9)], 0.9, &[near(0.2), near(0.65), near(0.6)])), 1);
        assert!(fuse(&[], &[], 0.0, &[]).candidates.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_the_probabilities_the_choices_are_two_to_four(probabilities in prop::collection::vec(0.0..1.0_f64, 0..40)) {
            match JUDGE.decide(&probabilities) {
                Outcome::Answer(at) => prop_assert!(probabilities[at] >= JUDGE.answer),
                Outcome::Ask(choices) => {
                    prop_assert!(CHOICES.contains(&choices.len()));
                    prop_assert!(choices.windows(2).all(|pair| probabilities[pair[0]] >= probabilities[pair[1]]));
                }
                Outcome::Unknown => {}
            }
        }
    }
}
