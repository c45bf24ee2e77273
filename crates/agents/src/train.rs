//! Learning the model's weights from labelled turns; used by `examples/train.rs` and by nothing at run time.

use crate::{
    CompiledPack,
    text::language::{Prior, detect},
    understanding::{AGENTS, features, model::Weights, understand},
};
use misy_domain::Timestamp;
use std::collections::BTreeMap;

/// A labelled message.
#[derive(Debug)]
pub struct Example<'a> {
    /// The tenant's pack.
    pub pack: &'a CompiledPack,
    /// The message.
    pub text: &'a str,
    /// The agent it is for.
    pub agent: &'a str,
    /// `Some(None)` when the pack has no answer, `Some(Some(id))` when it has that one.
    #[allow(clippy::option_option)]
    pub faq: Option<Option<&'a str>>,
}

struct Row {
    features: Vec<f64>,
    agent: usize,
}

/// Learns weights and gives them as JSON. Deterministic: full gradients from zero, ridge regularised.
pub fn train(examples: &[Example<'_>], now: Timestamp) -> String {
    let faq = learn_faq(examples, now);
    let rows: Vec<Row> = examples
        .iter()
        .filter_map(|example| {
            let features = seen(example, now).features;
            Some(Row { features, agent: AGENTS.iter().position(|agent| *agent == example.agent)? })
        })
        .collect();
    let weights = learn_agents(&rows);
    let names = features::names();
    let rounded = |weight: f64| (weight * 1000.0).round() / 1000.0;
    let agents = AGENTS.iter().zip(weights).map(|(agent, own)| {
        let mut own_weights: BTreeMap<String, f64> =
            names.iter().cloned().zip(own.iter().map(|weight| rounded(*weight))).collect();
        own_weights.retain(|_, weight| *weight != 0.0);
        own_weights.insert("bias".to_owned(), rounded(own[names.len()]));
        ((*agent).to_owned(), own_weights)
    });
    let weights = Weights { agents: agents.collect(), faq: faq.map(rounded) };
    serde_json::to_string_pretty(&weights).unwrap_or_default()
}

fn seen(example: &Example<'_>, now: Timestamp) -> crate::understanding::Understanding {
    let prior = Prior { session: None, locale: None, pack: example.pack.language() };
    understand(example.pack, example.text, detect(example.text, prior), now)
}

/// Multinomial logistic regression; the last weight of each agent is its bias.
#[allow(clippy::cast_precision_loss)]
fn learn_agents(rows: &[Row]) -> Vec<Vec<f64>> {
    const RIDGE: f64 = 0.004;
    let width = rows.first().map_or(0, |row| row.features.len()) + 1;
    let mut weights = vec![vec![0.0; width]; AGENTS.len()];
    let mut momentum = weights.clone();
    let count = rows.len().max(1) as f64;
    // Rare agents would otherwise be drowned by support; the square root keeps some of the difference.
    let frequency = |agent| rows.iter().filter(|row| row.agent == agent).count().max(1) as f64;
    let balance: Vec<f64> =
        (0..AGENTS.len()).map(|agent| (count / AGENTS.len() as f64 / frequency(agent)).sqrt()).collect();
    for _ in 0..3000 {
        let mut gradient = vec![vec![0.0; width]; AGENTS.len()];
        for row in rows {
            let score = |own: &Vec<f64>| {
                own.iter().zip(&row.features).map(|(w, f)| w * f).sum::<f64>() + own[width - 1]
            };
            let scores: Vec<f64> = weights.iter().map(score).collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
            for (agent, own) in gradient.iter_mut().enumerate() {
                let target = if agent == row.agent { 1.0 } else { 0.0 };
                let wrong = ((scores[agent] - top).exp() / total - target) * balance[row.agent];
                for (slot, feature) in own.iter_mut().zip(row.features.iter().chain(std::iter::once(&1.0))) {
                    *slot += wrong * feature / count;
                }
            }
        }
        for agent in 0..AGENTS.len() {
            for at in 0..width {
                let ridge = if at == width - 1 { 0.0 } else { RIDGE * weights[agent][at] };
                momentum[agent][at] = 0.9 * momentum[agent][at] - 0.3 * (gradient[agent][at] + ridge);
                weights[agent][at] += momentum[agent][at];
            }
        }
    }
    weights
}

/// Logistic regression of "the first hit is the right one" over its measures.
#[allow(clippy::cast_precision_loss)]
fn learn_faq(examples: &[Example<'_>], now: Timestamp) -> [f64; 6] {
    let rows: Vec<([f64; 5], f64)> = examples
        .iter()
        .filter_map(|example| {
            let wanted = match example.faq {
                Some(wanted) => wanted,
                // What is for another agent altogether has no approved answer either.
                None if matches!(example.agent, "out_of_scope" | "smalltalk") => None,
                None => return None,
            };
            let seen = seen(example, now);
            let found = seen.whole.faqs.first().map(|hit| example.pack.pack().faq[hit.at].id.as_str());
            found.map(|found| {
                (
                    features::faq(example.pack, &seen.whole.analysis, &seen.whole.faqs),
                    if wanted == Some(found) { 1.0 } else { 0.0 },
                )
            })
        })
        .collect();
    let mut weights = [0.0; 6];
    let count = rows.len().max(1) as f64;
    for _ in 0..20_000 {
        let mut gradient = [0.0; 6];
        for (features, target) in &rows {
            let sum: f64 = weights.iter().zip(features).map(|(w, f)| w * f).sum::<f64>() + weights[5];
            let wrong = 1.0 / (1.0 + (-sum).exp()) - target;
            for at in 0..5 {
                gradient[at] += wrong * features[at] / count;
            }
            gradient[5] += wrong / count;
        }
        for at in 0..6 {
            let ridge = if at == 5 { 0.0 } else { 0.001 * weights[at] };
            weights[at] -= 1.0 * (gradient[at] + ridge);
        }
    }
    weights
}
