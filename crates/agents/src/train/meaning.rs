//! Learning the judge of answers and the head of agents from labelled questions; used by `examples/meaning.rs` alone.

use super::place_of;
use crate::{
    CompiledPack,
    budget::Budget,
    meaning::{
        self, Found, Head, Judge, OF_NONE, OF_ONE, Outcome, Reading, head, measures, measures_of_none,
    },
    text::language::{Prior, detect},
    understanding::{AGENTS, Understanding, model::Model, understand},
};
use misy_domain::Timestamp;
use std::collections::BTreeMap;

/// How strongly the head's weights are held back.
const RIDGE: f64 = 0.002;

/// What is right for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// This answer of the pack.
    Answer(usize),
    /// The pack is asked and has no answer.
    None,
    /// Something else is wanted than an answer of the pack.
    Other,
}

/// A question understood, with what is right for it.
#[derive(Debug)]
pub struct Lesson {
    seen: Understanding,
    reading: Reading,
    /// What is right.
    pub right: Right,
    agent: usize,
    /// The language it is written in, and what kind of question it is.
    pub names: [String; 2],
    /// Which business it is asked of.
    pub of: usize,
}

impl Lesson {
    /// A question to a pack that has vectors; nothing where it cannot be read or the agent is unknown.
    pub fn new(
        pack: &CompiledPack,
        text: &str,
        (right, agent, names, of): (Right, &str, [String; 2], usize),
        now: Timestamp,
    ) -> Option<Self> {
        let prior = Prior { session: None, locale: None, pack: pack.language() };
        let (language, budget) = (detect(text, prior), Budget::of_turn());
        let seen = understand(Model::get(), pack, text, language, now, &budget).ok()?;
        let reading = meaning::read(Judge::learnt(), pack, &seen, &budget).ok()??;
        Some(Self { seen, reading, right, agent: place_of(agent)?, names, of })
    }

    /// What the pack holds for it.
    pub fn found(&self) -> &Found {
        &self.reading.found
    }

    /// Reads it as another judge does.
    pub fn judged(&mut self, judge: &Judge) {
        self.reading.probabilities = judge.probabilities(&self.reading.found);
        self.reading.outcome = judge.decide(&self.reading.probabilities);
    }
}

/// What has no answer is rare and costs most when it is answered.
fn weight(lesson: &Lesson) -> f64 {
    match lesson.right {
        Right::Answer(_) => 1.0,
        Right::None => 1.5,
        Right::Other => 0.0,
    }
}

/// Learns a judge by walking down the gradient of the cross-entropy.
pub fn judge(lessons: &[&Lesson]) -> Judge {
    const WIDTH: usize = OF_ONE + OF_NONE;
    let mut judge = Judge { answer: 0.6, ask: 0.4, ..Judge::default() };
    (judge.candidate[0], judge.candidate[4], judge.none[0]) = (1.0, 4.0, 1.0);
    let (mut mean, mut square) = ([0.0; WIDTH], [0.0; WIDTH]);
    let lessons: Vec<_> = lessons.iter().filter(|lesson| lesson.right != Right::Other).collect();
    let of_none: Vec<_> = lessons.iter().map(|lesson| measures_of_none(lesson.found())).collect();
    let count: f64 = lessons.iter().map(|lesson| weight(lesson)).sum();
    for step in 1..=400 {
        let mut gradient = [0.0; WIDTH];
        for (lesson, of_none) in lessons.iter().zip(&of_none) {
            let probabilities = judge.probabilities(lesson.found());
            let (none, weight) = (1.0 - probabilities.iter().sum::<f64>(), weight(lesson));
            for (at, (candidate, probability)) in
                lesson.found().candidates.iter().zip(&probabilities).enumerate()
            {
                let wrong = weight * (probability - f64::from(u8::from(lesson.right == Right::Answer(at))));
                let slots = gradient.iter_mut().zip(measures(candidate));
                slots.for_each(|(sum, measure)| *sum += wrong * measure);
            }
            let wrong = weight * (none - f64::from(u8::from(lesson.right == Right::None)));
            gradient[OF_ONE..].iter_mut().zip(of_none).for_each(|(sum, measure)| *sum += wrong * measure);
        }
        for (at, own) in judge.candidate.iter_mut().chain(&mut judge.none).enumerate() {
            let slope = gradient[at] / count + 1e-4 * *own;
            *own -= 0.08 * adam(&mut mean[at], &mut square[at], slope, step);
        }
    }
    judge
}

fn adam(mean: &mut f64, square: &mut f64, slope: f64, step: i32) -> f64 {
    *mean = 0.9 * *mean + 0.1 * slope;
    *square = 0.99 * *square + 0.01 * slope * slope;
    *mean / (1.0 - 0.9_f64.powi(step)) / ((*square / (1.0 - 0.99_f64.powi(step))).sqrt() + 1e-9)
}

/// A head that was learnt.
pub struct LearntHead(head::Weights, Head);

impl LearntHead {
    /// As it is kept in `data/meaning-agents.json`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The agent that it gives a message to.
    fn agent(&self, inputs: &[f64]) -> usize {
        let scores = self.1.scores(inputs);
        (0..AGENTS.len()).max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap_or(0)
    }
}

/// Learns a head: multinomial logistic regression with ridge, by walking down the gradient.
#[allow(clippy::cast_precision_loss)]
pub fn head(lessons: &[&Lesson]) -> LearntHead {
    let rows: Vec<(Vec<f64>, usize)> =
        lessons.iter().map(|lesson| (head::inputs(&lesson.seen, &lesson.reading), lesson.agent)).collect();
    let width = rows.first().map_or(0, |row| row.0.len());
    // How often each agent is asked for says more of how the lines were written than of what contacts will ask.
    let frequency = |agent| rows.iter().filter(|row| row.1 == agent).count().max(1) as f64;
    let balance: Vec<f64> =
        (0..AGENTS.len()).map(|agent| rows.len() as f64 / AGENTS.len() as f64 / frequency(agent)).collect();
    let count: f64 = rows.iter().map(|row| balance[row.1]).sum();
    let mut weights = vec![vec![0.0; width]; AGENTS.len()];
    let mut mean = weights.clone();
    let mut square = weights.clone();
    for step in 1..=250 {
        let mut gradient = vec![vec![0.0; width]; AGENTS.len()];
        let head = Head::of(&weights);
        for (inputs, agent) in &rows {
            let scores = head.scores(inputs);
            for (at, own) in gradient.iter_mut().enumerate() {
                let wrong = balance[*agent] * (scores[at] - f64::from(u8::from(at == *agent))) / count;
                own.iter_mut().zip(inputs).for_each(|(slot, input)| *slot += wrong * input);
            }
        }
        for agent in 0..AGENTS.len() {
            for at in 0..width {
                let slope = gradient[agent][at] + RIDGE * weights[agent][at] / 10.0;
                let rate = if step < 150 { 0.03 } else { 0.01 };
                weights[agent][at] -= rate * adam(&mut mean[agent][at], &mut square[agent][at], slope, step);
            }
        }
    }
    let names = head::names();
    let rounded = |weight: &f64| (weight * 1000.0).round() / 1000.0;
    let mut kept = head::Weights::default();
    for (agent, own) in AGENTS.iter().zip(&weights) {
        let mut by_name: BTreeMap<String, f64> = names.iter().cloned().zip(own.iter().map(rounded)).collect();
        by_name.retain(|_, weight| *weight != 0.0);
        kept.named.insert((*agent).to_owned(), by_name);
        kept.vector.insert((*agent).to_owned(), own[names.len()..].iter().map(rounded).collect());
    }
    let head = Head::new(&kept);
    LearntHead(kept, head)
}

/// How questions ended, in numbers.
#[derive(Debug, Default, Clone)]
#[allow(missing_docs)]
pub struct Count {
    pub agents: u32,
    pub agents_right: u32,
    pub all: u32,
    pub first: u32,
    pub four: u32,
    pub answered: u32,
    pub asked: u32,
    pub asked_in_vain: u32,
    pub unknown: u32,
    pub wrong: u32,
    pub none: u32,
    pub none_unknown: u32,
    pub none_asked: u32,
    pub none_answered: u32,
}

/// Measures a judge and a head on questions, by language, kind and agent.
pub fn measure(
    judge: &Judge,
    head: Option<&LearntHead>,
    lessons: &mut [&mut Lesson],
    counts: &mut BTreeMap<String, Count>,
) {
    for lesson in lessons {
        lesson.judged(judge);
        let right = head.map(|head| head.agent(&head::inputs(&lesson.seen, &lesson.reading)) == lesson.agent);
        let [language, kind] = &lesson.names;
        let agent = format!("agent {}", AGENTS[lesson.agent]);
        for name in ["all".to_owned(), language.clone(), format!("  {kind}"), agent] {
            let count = counts.entry(name).or_default();
            count.agents += u32::from(right.is_some());
            count.agents_right += u32::from(right == Some(true));
            note(count, lesson);
        }
    }
}

fn note(count: &mut Count, lesson: &Lesson) {
    let probabilities = &lesson.reading.probabilities;
    match lesson.right {
        Right::Answer(right) => {
            let before = probabilities.iter().filter(|other| **other > probabilities[right]).count();
            count.all += 1;
            count.first += u32::from(before == 0);
            count.four += u32::from(before < 4);
            match &lesson.reading.outcome {
                Outcome::Answer(at) if *at == right => count.answered += 1,
                Outcome::Answer(_) => count.wrong += 1,
                Outcome::Ask(choices) if choices.contains(&right) => count.asked += 1,
                Outcome::Ask(_) => count.asked_in_vain += 1,
                Outcome::Unknown => count.unknown += 1,
            }
        }
        Right::None => {
            count.none += 1;
            match &lesson.reading.outcome {
                Outcome::Answer(_) => count.none_answered += 1,
                Outcome::Ask(_) => count.none_asked += 1,
                Outcome::Unknown => count.none_unknown += 1,
            }
        }
        Right::Other => {}
    }
}
