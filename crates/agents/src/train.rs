//! Learning the model's weights from labelled turns; used by `examples/train.rs` and by nothing at run time.

pub mod meaning;

use crate::{
    CompiledPack,
    budget::Budget,
    eval::{Report, Turn, judge},
    text::language::{Prior, detect},
    understanding::{
        AGENTS, Understanding,
        features::{self, FAQ_FEATURES, FaqFeatures},
        model::{FaqWeights, Model, Weights},
        understand,
    },
};
use misy_domain::Timestamp;
use std::collections::BTreeMap;

/// How strongly the agents' weights are held back; the one that carried over best to packs left out.
const RIDGE: f64 = 0.004;

struct Row {
    features: Vec<f64>,
    agent: usize,
}

/// The packs that turns are asked of, by tenant.
pub type Packs = BTreeMap<String, CompiledPack>;

/// Learns weights and gives them as JSON. Deterministic: full gradients from zero, ridge regularised.
pub fn train(turns: &[Turn], packs: &Packs, now: Timestamp) -> String {
    let turns: Vec<&Turn> = turns.iter().collect();
    serde_json::to_string_pretty(&learn(&turns, packs, now)).unwrap_or_default()
}

/// Scores every pack's turns with weights learnt from the turns of all others, so that knowing a pack is no help.
pub fn cross_validate(turns: &[Turn], packs: &Packs, now: Timestamp) -> Report {
    let mut report = Report::default();
    for (tenant, pack) in packs {
        let (held, rest): (Vec<&Turn>, Vec<&Turn>) = turns.iter().partition(|turn| turn.tenant == *tenant);
        let model = Model::new(&learn(&rest, packs, now));
        for turn in held {
            judge(&model, turn, pack, now, &mut report);
        }
    }
    report
}

fn learn(turns: &[&Turn], packs: &Packs, now: Timestamp) -> Weights {
    let asked: Vec<(&Turn, &CompiledPack)> =
        turns.iter().filter_map(|turn| Some((*turn, packs.get(&turn.tenant)?))).collect();
    let mut weights = Weights { faq: learn_faq(&asked, now), ..Weights::default() };
    // What speaks for an agent builds on how sure answers are, so that is learnt first.
    let model = Model::new(&weights);
    let rows: Vec<Row> = asked
        .iter()
        .filter_map(|(turn, pack)| {
            let features = seen(&model, turn, pack, now)?.features;
            Some(Row { features, agent: AGENTS.iter().position(|agent| *agent == turn.expect.agent)? })
        })
        .collect();
    let names = features::names();
    let agents = AGENTS.iter().zip(learn_agents(&rows)).map(|(agent, own)| {
        let mut own_weights: BTreeMap<String, f64> =
            names.iter().cloned().zip(own.iter().map(|weight| rounded(*weight))).collect();
        own_weights.retain(|_, weight| *weight != 0.0);
        own_weights.insert("bias".to_owned(), rounded(own[names.len()]));
        ((*agent).to_owned(), own_weights)
    });
    weights.agents = agents.collect();
    weights
}

fn rounded(weight: f64) -> f64 {
    (weight * 1000.0).round() / 1000.0
}

/// A turn understood; `None` for one that is beyond its budget, of which nothing is learnt.
fn seen(model: &Model, turn: &Turn, pack: &CompiledPack, now: Timestamp) -> Option<Understanding> {
    let prior = Prior { session: None, locale: None, pack: pack.language() };
    understand(model, pack, &turn.text, detect(&turn.text, prior), now, &Budget::of_turn()).ok()
}

/// Which agent is in which place of the model.
pub(crate) fn place_of(agent: &str) -> Option<usize> {
    AGENTS.iter().position(|own| *own == agent)
}

/// Multinomial logistic regression; the last weight of each agent is its bias.
#[allow(clippy::cast_precision_loss)]
fn learn_agents(rows: &[Row]) -> Vec<Vec<f64>> {
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
fn learn_faq(asked: &[(&Turn, &CompiledPack)], now: Timestamp) -> FaqWeights {
    let model = Model::new(&Weights::default());
    let rows: Vec<(FaqFeatures, f64, f64)> = asked
        .iter()
        .filter_map(|(turn, pack)| {
            let wanted = match &turn.expect.faq {
                Some(wanted) => wanted.as_deref(),
                // What is for another agent altogether has no approved answer either.
                None if matches!(turn.expect.agent.as_str(), "out_of_scope" | "smalltalk") => None,
                None => return None,
            };
            let seen = seen(&model, turn, pack, now)?;
            let found = seen.whole.faqs.first().map(|hit| pack.pack().faq[hit.at].id.as_str());
            found.map(|found| {
                let features = features::faq(&seen.whole);
                // An answer made up is worse than one not given.
                let weight = if matches!(turn.expect.faq, Some(None)) { 2.5 } else { 1.0 };
                (features, if wanted == Some(found) { 1.0 } else { 0.0 }, weight)
            })
        })
        .collect();
    let mut weights = [0.0; FAQ_FEATURES + 1];
    let count = rows.len().max(1) as f64;
    for _ in 0..8_000 {
        let mut gradient = [0.0; FAQ_FEATURES + 1];
        for (features, target, weight) in &rows {
            let sum: f64 =
                weights.iter().zip(features).map(|(w, f)| w * f).sum::<f64>() + weights[FAQ_FEATURES];
            let wrong = (1.0 / (1.0 + (-sum).exp()) - target) * weight;
            for (slot, feature) in gradient.iter_mut().zip(features.iter().chain(std::iter::once(&1.0))) {
                *slot += wrong * feature / count;
            }
        }
        for at in 0..=FAQ_FEATURES {
            let ridge = if at == FAQ_FEATURES { 0.0 } else { 0.001 * weights[at] };
            weights[at] -= 1.0 * (gradient[at] + ridge);
        }
    }
    weights.map(rounded)
}
