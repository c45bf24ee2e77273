//! Which agent a message is for, by its words and by its meaning: a linear head, learnt by `examples/meaning.rs`.

use super::Reading;
use crate::understanding::{AGENTS, Understanding, features};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

static HEAD: LazyLock<Head> = LazyLock::new(|| {
    // The file is compiled in and a test reads it; without weights the words decide alone.
    Head::new(&serde_json::from_str(include_str!("../../data/meaning-agents.json")).unwrap_or_default())
});

/// Vectors have many small numbers; so they weigh about as much as what is counted.
const OF_VECTOR: f64 = 4.0;

/// What is measured beside the features of the words and the vector.
const MEASURES: [&str; 11] = [
    "first answer",
    "no answer",
    "nearest way",
    "nearest answer",
    "stands out",
    "service",
    "service before answer",
    "situation",
    "situation before answer",
    "no situations",
    "bias",
];

/// The weights as they are kept: by name, so that a feature that is gone or new does no harm.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Weights {
    /// For each agent, the weight of each feature.
    pub(crate) named: BTreeMap<String, BTreeMap<String, f64>>,
    /// For each agent, the weights of the vector's numbers.
    pub(crate) vector: BTreeMap<String, Vec<f64>>,
}

/// The weights in the order of the inputs.
#[derive(Debug)]
pub(crate) struct Head([Vec<f64>; AGENTS.len()]);

impl Head {
    /// What was learnt; nothing if it cannot be read.
    pub(crate) fn get() -> Option<&'static Self> {
        Some(&*HEAD).filter(|head| head.0.iter().any(|own| own.iter().any(|weight| *weight != 0.0)))
    }

    pub(crate) fn new(weights: &Weights) -> Self {
        let names = names();
        Self(AGENTS.map(|agent| {
            let own = weights.named.get(agent);
            let of = |name: &String| own.and_then(|own| own.get(name)).copied().unwrap_or(0.0);
            names.iter().map(of).chain(weights.vector.get(agent).into_iter().flatten().copied()).collect()
        }))
    }

    /// From the weights in the order of the inputs, for each agent.
    pub(crate) fn of(weights: &[Vec<f64>]) -> Self {
        let mut own = weights.iter().cloned();
        Self(AGENTS.map(|_| own.next().unwrap_or_default()))
    }

    /// The probability of each of the agents.
    pub(crate) fn scores(&self, inputs: &[f64]) -> [f64; AGENTS.len()] {
        let mut scores = self
            .0
            .each_ref()
            .map(|own| own.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>());
        let top = scores.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
        for score in &mut scores {
            *score = (*score - top).exp() / total;
        }
        scores
    }
}

/// The names of the inputs, without those of the vector.
pub(crate) fn names() -> Vec<String> {
    let words = AGENTS.iter().map(|agent| format!("words say {agent}"));
    words.chain(MEASURES.iter().map(|name| (*name).to_owned())).chain(features::names()).collect()
}

/// The inputs of a message that was understood by its words and read by its meaning.
pub(crate) fn inputs(seen: &Understanding, reading: &Reading) -> Vec<f64> {
    let most = |of: fn(&super::Candidate) -> f64| reading.found.candidates.iter().map(of).fold(0.0, f64::max);
    let first = reading.probabilities.iter().copied().fold(0.0, f64::max);
    let asked = most(|one| one.asked);
    let service = reading.service.map_or(0.0, |(_, near)| near);
    let measures: [f64; MEASURES.len()] = [
        first,
        reading.none(),
        asked,
        most(|one| one.answer),
        most(|one| one.stands_out) / 4.0,
        service,
        if service > 0.0 { 3.0 * (service - asked) } else { 0.0 },
        reading.situation,
        if reading.situation > 0.0 { 3.0 * (reading.situation - asked) } else { 0.0 },
        if reading.situation > 0.0 { 0.0 } else { 1.0 },
        1.0,
    ];
    let words = seen.scores.iter().map(|score| score.max(0.002).ln() / 3.0 + 1.0);
    let vector = reading.vector.numbers().iter().map(|number| OF_VECTOR * f64::from(*number));
    words.chain(measures).chain(seen.features.iter().copied()).chain(vector).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_weights_are_readable_and_name_every_agent() {
        let weights: Weights = serde_json::from_str(include_str!("../../data/meaning-agents.json")).unwrap();
        let names = names();
        for agent in AGENTS {
            assert!(weights.named[agent].keys().all(|name| names.contains(name)), "{agent}");
            assert_eq!(weights.vector[agent].len(), 384, "{agent}");
        }
        assert!(Head::get().is_some());
    }
}
