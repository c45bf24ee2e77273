//! The linear model over the features: weights learnt from the development set by `examples/train.rs`.

use super::{
    AGENTS,
    features::{self, FAQ_FEATURES, FaqFeatures},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(include_str!("../../data/weights.json")));

/// The weights of an answer's confidence, the last one standing alone.
pub(crate) type FaqWeights = [f64; FAQ_FEATURES + 1];

/// The weights as they are kept: by name, so that a feature that is gone or new does no harm.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Weights {
    /// For each agent, the weight of each feature and of `bias`.
    pub(crate) agents: BTreeMap<String, BTreeMap<String, f64>>,
    /// The weights of an answer's confidence, the last one standing alone.
    pub(crate) faq: FaqWeights,
}

/// The weights in the order of the features.
pub(crate) struct Model {
    agents: [Vec<f64>; AGENTS.len()],
    bias: [f64; AGENTS.len()],
    faq: FaqWeights,
}

impl Model {
    pub(crate) fn get() -> &'static Self {
        &MODEL
    }

    fn read(json: &str) -> Self {
        // The file is compiled in and a test reads it; without weights every agent is as likely.
        Self::new(&serde_json::from_str(json).unwrap_or_default())
    }

    pub(crate) fn new(weights: &Weights) -> Self {
        let names = features::names();
        let of = |agent: &str, name: &str| weights.agents.get(agent).and_then(|own| own.get(name)).copied();
        Self {
            agents: AGENTS.map(|agent| names.iter().map(|name| of(agent, name).unwrap_or(0.0)).collect()),
            bias: AGENTS.map(|agent| of(agent, "bias").unwrap_or(0.0)),
            faq: weights.faq,
        }
    }

    /// The probability of each agent.
    pub(crate) fn scores(&self, features: &[f64]) -> [f64; AGENTS.len()] {
        let mut scores = self.bias;
        for (score, weights) in scores.iter_mut().zip(&self.agents) {
            *score += weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum::<f64>();
        }
        let top = scores.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
        scores.map(|score| (score - top).exp() / total)
    }

    /// How sure an answer is.
    pub(crate) fn faq_confidence(&self, features: &FaqFeatures) -> f64 {
        if features[0] + features[1] <= 0.0 {
            return 0.0;
        }
        let sum: f64 = self.faq.iter().zip(features).map(|(weight, feature)| weight * feature).sum();
        1.0 / (1.0 + (-(sum + self.faq[FAQ_FEATURES])).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_weights_are_readable_and_name_every_agent() {
        let weights: Weights = serde_json::from_str(include_str!("../../data/weights.json")).unwrap();
        assert!(AGENTS.iter().all(|agent| weights.agents.contains_key(*agent)));
    }
}
