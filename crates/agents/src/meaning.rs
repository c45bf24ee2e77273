//! Which answer of a pack a question asks for, by its words and by its meaning together.
//!
//! The words are the hits of the pack's index; the meaning is how near an encoder puts the question to each answer. From both a
//! [`Judge`] reckons how probable each answer is, and how probable that none of them is meant. Then there are three ways to go on:
//! answer, ask which of a few is meant, or say that nobody knows. All of it is pure: vectors come in as numbers.

use crate::{
    CompiledPack,
    budget::{Budget, Spent},
    pack::{Hit, Sense},
    text::{analyse, segments},
};
use misy_domain::Language;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, sync::LazyLock};

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    // The file is compiled in and a test reads it; without weights no answer is probable.
    serde_json::from_str(include_str!("../data/meaning.json")).unwrap_or_default()
});

/// The fewest and the most answers that a contact is asked to choose from.
pub const CHOICES: std::ops::RangeInclusive<usize> = 2..=4;

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
    /// How near it is in meaning, and how much nearer than most others of the pack.
    pub near: f64,
    /// The same in standard deviations of the pack's answers.
    pub stands_out: f64,
}

/// What a question finds in a pack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Every answer of the pack, in its order.
    pub candidates: Vec<Candidate>,
    /// Which part of the question's words the pack does not know.
    pub foreign: f64,
}

/// How probable the answers are: what each measure counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judge {
    /// The weights of a candidate's measures: words, cosine, near, stands out.
    pub candidate: [f64; 4],
    /// The weights of "none of them": alone, the nearest, the best words, how far the first stands out, its lead before the
    /// second, words that the pack does not know.
    pub none: [f64; 6],
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
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|one, other| {
            descending(probabilities[*one], probabilities[*other]).then(one.cmp(other))
        });
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
            let worth = probabilities[at] * 12.0 >= 1.0 - covered;
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
pub fn measures(of: &Candidate) -> [f64; 4] {
    [of.words, of.cosine, of.near, of.stands_out]
}

/// The measures of "none of them".
pub fn measures_of_none(found: &Found) -> [f64; 6] {
    let most = |of: fn(&Candidate) -> f64| found.candidates.iter().map(of).fold(0.0, f64::max);
    let nearest = most(|one| one.near);
    let others = found.candidates.iter().map(|one| one.near).filter(|near| *near < nearest);
    let lead = nearest - others.fold(0.0, f64::max);
    [1.0, nearest, most(|one| one.words), most(|one| one.stands_out), lead, found.foreign]
}

/// What a message asks, without the furniture of e-mails: the text to embed.
pub fn question(text: &str) -> String {
    segments::body(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The answers of a pack as candidates for a question. `near` is one for each, or empty where there is no encoder.
pub fn candidates(
    pack: &CompiledPack,
    text: &str,
    language: Language,
    near: &[Near],
    budget: &Budget<'_>,
) -> Result<Found, Spent> {
    let index = pack.index();
    let analysis = analyse(&segments::body(text), language, Some(pack.speller()), budget)?;
    let senses = index.senses(&analysis.units, budget)?;
    let hits = index.rank(&index.faqs, &senses, &[], budget)?;
    Ok(fuse(pack.pack().faq.len(), &senses, &hits, near))
}

/// Puts what the words found and what is near together.
pub(crate) fn fuse(count: usize, senses: &[Sense], hits: &[Hit], near: &[Near]) -> Found {
    let mut candidates = vec![Candidate::default(); count];
    for hit in hits {
        if let Some(candidate) = candidates.get_mut(hit.at) {
            (candidate.words, candidate.cosine) = (hit.score, hit.cosine);
        }
    }
    #[allow(clippy::cast_precision_loss)] // A pack has far fewer than 2^52 answers.
    let count = count.max(1) as f64;
    let mean = near.iter().map(|near| near.sum()).sum::<f64>() / count;
    let spread = near.iter().map(|near| (near.sum() - mean).powi(2)).sum::<f64>() / count;
    for (candidate, near) in candidates.iter_mut().zip(near) {
        candidate.near = near.sum();
        candidate.stands_out = (near.sum() - mean) / spread.sqrt().max(0.02);
    }
    let words = senses.iter().filter(|sense| sense.is_word);
    let (words, unknown) = words.fold((0.0, 0.0), |(words, unknown), sense| {
        (words + 1.0, unknown + if sense.is_known { 0.0 } else { 1.0 })
    });
    Found { candidates, foreign: unknown / f64::max(words, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JUDGE: Judge = Judge { candidate: [1.0, 1.0, 8.0, 1.0], none: [4.0; 6], answer: 0.6, ask: 0.5 };

    #[test]
    fn the_committed_weights_are_readable() {
        let judge = Judge::learnt();
        assert!(judge.answer > judge.ask && judge.ask > 0.0 && judge.candidate[2] > 0.0);
    }

    #[test]
    fn there_are_three_ways_to_go_on() {
        assert_eq!(JUDGE.decide(&[0.1, 0.7, 0.1]), Outcome::Answer(1));
        assert_eq!(JUDGE.decide(&[0.4, 0.01, 0.45]), Outcome::Ask(vec![2, 0]));
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
        let alone = fuse(3, &[], &[], &[near(0.2), near(0.7), near(0.6)]);
        let best = |found: &Found| {
            let probabilities = JUDGE.probabilities(found);
            assert!(probabilities.iter().sum::<f64>() <= 1.0 + 1e-9);
            (0..3).max_by(|one, other| probabilities[*one].total_cmp(&probabilities[*other])).unwrap()
        };
        assert_eq!(best(&alone), 1);
        assert_eq!(best(&fuse(3, &[], &[hit(2, 0.9)], &[near(0.2), near(0.65), near(0.6)])), 2);
        // Without an encoder the words alone decide; places that the pack does not have are passed over.
        assert_eq!(best(&fuse(3, &[], &[hit(0, 0.3), hit(9, 0.9)], &[])), 0);
        assert!(fuse(0, &[], &[], &[]).candidates.is_empty());
    }

    #[test]
    fn the_furniture_of_an_e_mail_is_not_embedded() {
        assert_eq!(question("Asunto: Duda\n\n¿Abren  hoy?\n\nSaludos,\nAna"), "Duda ¿Abren hoy?");
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
