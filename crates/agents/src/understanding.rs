//! What a message is about: measured features, the agents they speak for, and the items of the pack they point at.

pub(crate) mod context;
pub(crate) mod features;
pub(crate) mod model;

use crate::{
    CompiledPack,
    dates::{self, When},
    pack::{Hit, calling_names},
    text::{Analysis, analyse, segments},
};
use jiff::Timestamp;
use misy_domain::Language;
use model::Model;

/// The agents that a message can be for, in the order of the model's weights.
pub(crate) const AGENTS: [&str; 7] =
    ["support", "sales", "booking", "marketing", "handoff", "smalltalk", "out_of_scope"];

/// A part of a message with what the pack has for it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) analysis: Analysis,
    pub(crate) faqs: Vec<Hit>,
    pub(crate) services: Vec<Hit>,
    /// How sure it is that the first of `faqs` answers, 0 to 1.
    pub(crate) faq_confidence: f64,
}

/// A message understood.
#[derive(Debug)]
pub(crate) struct Understanding {
    pub(crate) whole: Part,
    /// The parts, if there is more than one.
    pub(crate) parts: Vec<Part>,
    /// The provider that is named.
    pub(crate) provider: Option<usize>,
    pub(crate) when: When,
    /// The probability of each of [`AGENTS`].
    pub(crate) scores: [f64; 7],
    /// What the scores were made of.
    pub(crate) features: Vec<f64>,
}

impl Understanding {
    /// The agents from the most to the least probable, with their probability.
    pub(crate) fn ranked(&self) -> Vec<(&'static str, f64)> {
        let mut ranked: Vec<_> = AGENTS.into_iter().zip(self.scores).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}

/// Understands a message in a language, as a model has learnt to.
pub(crate) fn understand(
    model: &Model,
    pack: &CompiledPack,
    text: &str,
    language: Language,
    now: Timestamp,
) -> Understanding {
    let body = segments::body(text);
    let whole = part(model, pack, analyse(&body, language, Some(pack.speller())), None);
    let pieces = segments::segments(&body);
    let parts: Vec<Part> = if pieces.len() > 1 {
        let read = |piece: &String| {
            let analysis = analyse(piece, language, Some(pack.speller()));
            (!analysis.units.is_empty()).then(|| part(model, pack, analysis, Some(&whole.analysis)))
        };
        pieces.iter().filter_map(read).collect()
    } else {
        Vec::new()
    };
    let zone = pack.pack().timezone.zone();
    let today = now.to_zoned(zone.clone()).date();
    let month_first = pack.pack().locale.as_str() == "en-US";
    let when = dates::read(&body, &whole.analysis.tokens, today, month_first);
    let provider = provider(pack, &whole.analysis);
    let mut understanding =
        Understanding { whole, parts, provider, when, scores: [0.0; 7], features: Vec::new() };
    understanding.features = features::measure(pack, &body, &understanding);
    understanding.scores = model.scores(&understanding.features);
    understanding
}

fn part(model: &Model, pack: &CompiledPack, analysis: Analysis, context: Option<&Analysis>) -> Part {
    let index = pack.index();
    let around = context.map(|context| context.units.as_slice()).unwrap_or_default();
    let mut faqs = index.rank(&analysis.units, around, &index.faqs);
    if let Some(hours) = pack.hours_faq().filter(|_| analysis.means("hours")) {
        plain_hours_first(pack, &analysis, hours, &mut faqs);
    }
    let services = index.rank_services(&analysis.units);
    let faq_confidence = model.faq_confidence(&features::faq(pack, &analysis, &faqs, &services));
    Part { analysis, faqs, services, faq_confidence }
}

/// "Do you open on Sundays?" is about the opening hours, not about those of the kitchen, unless it says kitchen.
fn plain_hours_first(pack: &CompiledPack, analysis: &Analysis, hours: usize, faqs: &mut [Hit]) {
    let Some(top) = faqs.first().copied().filter(|top| top.at != hours) else { return };
    if Some(top.at) == pack.special_hours_faq() {
        return;
    }
    let Some(plain) = faqs.iter().position(|hit| hit.at == hours && hit.score > top.score * 0.6) else {
        return;
    };
    let index = pack.index();
    let (named, general) = (&index.faqs[top.at], &index.faqs[hours]);
    if !analysis.units.iter().any(|unit| index.only_in(unit, named, general)) {
        faqs[..=plain].rotate_right(1);
        faqs[0].score = top.score;
    }
}

/// The provider whose name is said.
fn provider(pack: &CompiledPack, analysis: &Analysis) -> Option<usize> {
    let said = |name: &str| {
        calling_names(name)
            .iter()
            .any(|own| analysis.tokens.iter().any(|token| token.text == *own && !token.function))
    };
    // A room is called by its name too, but a name that is a common word of the pack is not somebody's.
    let person = |at: &usize| {
        let named = &pack.pack().providers[*at];
        said(&named.name)
    };
    (0..pack.pack().providers.len()).find(person)
}
