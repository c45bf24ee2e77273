//! What a message is about: measured features, the agents they speak for, and the items of the pack they point at.

pub(crate) mod context;
pub(crate) mod features;
pub(crate) mod model;

use crate::{
    CompiledPack,
    answer::SURE,
    budget::{Budget, Spent},
    dates::{self, When},
    meaning::{Head, Judge, Outcome, Reading, head},
    pack::{Hit, Sense},
    plain::{self, Question, denial, money, person},
    text::{Analysis, analyse, segments},
};
use jiff::Timestamp;
use misy_domain::Language;
use model::Model;

/// The agents that a message can be for, in the order of the model's weights.
pub(crate) const AGENTS: [&str; 7] =
    ["support", "sales", "booking", "marketing", "handoff", "smalltalk", "out_of_scope"];

/// An answer less probable than this is not meant, whatever the words of a part say.
const NOT_MEANT: f64 = 0.05;

/// From this probability on an answer is meant, whatever else the message sounds like.
const CLEARLY_MEANT: f64 = 0.8;

/// What reading a token for days, times, people and numbers costs.
const STEPS_A_TOKEN: usize = 20;

/// A part of a message with what the pack has for it.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) analysis: Analysis,
    /// What each unit of it may stand for in the pack.
    pub(crate) senses: Vec<Sense>,
    pub(crate) faqs: Vec<Hit>,
    pub(crate) services: Vec<Hit>,
    /// How sure it is that the first of `faqs` answers, 0 to 1.
    pub(crate) faq_confidence: f64,
    /// What it asks in so many words.
    pub(crate) question: Option<Question>,
}

/// A message understood.
#[derive(Debug, Default)]
pub(crate) struct Understanding {
    pub(crate) whole: Part,
    /// The parts, if there is more than one.
    pub(crate) parts: Vec<Part>,
    /// The provider that is named.
    pub(crate) provider: Option<usize>,
    pub(crate) when: When,
    /// Whether a person is asked for.
    pub(crate) wants_person: bool,
    /// An amount of money that is named, in hundredths.
    pub(crate) amount: Option<i64>,
    /// Whether the message also said what it does not want.
    pub(crate) denies: bool,
    /// What is not wanted among what is offered.
    pub(crate) but: Option<Part>,
    /// What a question that leaves out its subject goes on from.
    pub(crate) goes_on: Option<GoesOn>,
    /// The probability of each of [`AGENTS`].
    pub(crate) scores: [f64; 7],
    /// What the scores were made of.
    pub(crate) features: Vec<f64>,
    /// The text itself, without what surrounds it or is only denied.
    pub(crate) asked: String,
    /// The answer that is clearly meant.
    pub(crate) meant: Option<usize>,
    /// The answers of which one may be meant, if the contact had better say which.
    pub(crate) choices: Vec<usize>,
}

/// What a question goes on from that leaves out its subject: "and is it free?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoesOn {
    /// From an answer of the pack, which says it.
    Answer(usize),
    /// From something that has no price.
    Nothing,
}

impl Understanding {
    /// The agents from the most to the least probable, with their probability.
    pub(crate) fn ranked(&self) -> Vec<(&'static str, f64)> {
        let mut ranked: Vec<_> = AGENTS.into_iter().zip(self.scores).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}

impl Understanding {
    /// Puts what the meaning says in the place of what the words alone say: which answers may be meant, and for which agent the
    /// message is.
    pub(crate) fn read_by_meaning(&mut self, reading: &Reading, head: Option<&Head>) {
        if let Some(head) = head {
            let meant = head.scores(&head::inputs(self, reading));
            self.scores = both(&self.scores, &meant);
        }
        let by_words = std::mem::take(&mut self.whole.faqs);
        let found = |at: usize| by_words.iter().find(|hit| hit.at == at).copied();
        self.whole.faqs = reading
            .order()
            .into_iter()
            .map(|at| found(at).unwrap_or(Hit { at, score: 0.0, cosine: 0.0, coverage: 0.0, recall: 0.0 }))
            .collect();
        let first = reading.probabilities.iter().copied().fold(0.0, f64::max);
        self.whole.faq_confidence = Judge::learnt().as_confidence(first);
        // A part of a message may find by its words what the whole does not mean.
        for part in &mut self.parts {
            let means = |hit: &Hit| reading.probabilities.get(hit.at).is_some_and(|is| *is >= NOT_MEANT);
            if !part.faqs.first().is_some_and(means) {
                part.faq_confidence = part.faq_confidence.min(SURE);
            }
        }
        match &reading.outcome {
            Outcome::Ask(choices) => self.choices.clone_from(choices),
            Outcome::Answer(at) if first >= CLEARLY_MEANT => self.meant = Some(*at),
            _ => {}
        }
    }
}

/// What two judges of the agents come to together: each can veto, neither decides alone.
fn both(one: &[f64; AGENTS.len()], other: &[f64; AGENTS.len()]) -> [f64; AGENTS.len()] {
    let mut scores = [0.0; AGENTS.len()];
    for (score, (one, other)) in scores.iter_mut().zip(one.iter().zip(other)) {
        *score = (one.max(0.001) * other.max(0.001)).sqrt();
    }
    let total: f64 = scores.iter().sum();
    scores.map(|score| score / total)
}

/// Understands a message in a language, as a model has learnt to.
pub(crate) fn understand(
    model: &Model,
    pack: &CompiledPack,
    text: &str,
    language: Language,
    now: Timestamp,
    budget: &Budget<'_>,
) -> Result<Understanding, Spent> {
    let said = segments::body(text);
    let denial = denial::read(&said);
    let body = denial.kept;
    let analysis = analyse(&body, language, Some(pack.speller()), budget)?;
    budget.take(analysis.tokens.len() * STEPS_A_TOKEN)?;
    let whole = part(model, pack, analysis, &[], budget)?;
    let pieces = segments::segments(&body);
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces.iter().filter(|_| pieces.len() > 1) {
        let analysis = analyse(piece, language, Some(pack.speller()), budget)?;
        if !analysis.units.is_empty() {
            let mut part = part(model, pack, analysis, &whole.senses, budget)?;
            let tokens = &part.analysis.tokens;
            part.question =
                part.question.filter(|question| plain::basics::stands_beside_others(*question, tokens));
            parts.push(part);
        }
    }
    let zone = pack.pack().timezone.zone();
    let today = now.to_zoned(zone.clone()).date();
    let month_first = pack.pack().locale.as_str() == "en-US";
    let when = dates::read(&body, &whole.analysis.tokens, today, month_first);
    let mut when = when;
    add_holidays(&mut when, &whole.analysis, pack, today, budget)?;
    let but = denial.but.map(|but| analyse(&but, language, Some(pack.speller()), budget)).transpose()?;
    let but = but.map(|but| part(model, pack, but, &[], budget)).transpose()?;
    let mut understanding = Understanding {
        provider: provider(pack, &whole.analysis),
        wants_person: person::is_asked_for(&whole.analysis.tokens),
        amount: money::amount(&body),
        whole,
        parts,
        when,
        but,
        denies: body != said,
        asked: body.split_whitespace().collect::<Vec<_>>().join(" "),
        ..Understanding::default()
    };
    understanding.features = features::measure(pack, &body, &understanding);
    understanding.scores = model.scores(&understanding.features);
    Ok(understanding)
}

/// The days that the pack has a name of its own for.
fn add_holidays(
    when: &mut When,
    analysis: &Analysis,
    pack: &CompiledPack,
    today: jiff::civil::Date,
    budget: &Budget<'_>,
) -> Result<(), Spent> {
    let words = analysis.tokens.iter().map(|token| token.text.as_str()).collect();
    for date in pack.holidays().named(&words, today, budget)? {
        let day = dates::Day::Date(date);
        if !when.days.contains(&day) {
            when.days.push(day);
        }
    }
    Ok(())
}

fn part(
    model: &Model,
    pack: &CompiledPack,
    analysis: Analysis,
    around: &[Sense],
    budget: &Budget<'_>,
) -> Result<Part, Spent> {
    let index = pack.index();
    let senses = index.senses(&analysis.units, budget)?;
    let mut faqs = index.rank(&index.faqs, &senses, around, budget)?;
    if let Some(hours) = pack.hours_faq().filter(|_| analysis.means("hours")) {
        plain_hours_first(pack, &senses, hours, &mut faqs);
    }
    let services = index.rank_services(&senses, budget)?;
    let question = plain::question(&analysis.tokens, pack.pack(), pack.holidays());
    let mut part = Part { analysis, senses, faqs, services, faq_confidence: 0.0, question };
    part.faq_confidence = model.faq_confidence(&features::faq(&part));
    Ok(part)
}

/// "Do you open on Sundays?" is about the opening hours, not about those of the kitchen, unless it says kitchen.
fn plain_hours_first(pack: &CompiledPack, senses: &[Sense], hours: usize, faqs: &mut [Hit]) {
    let Some(top) = faqs.first().copied().filter(|top| top.at != hours) else { return };
    if Some(top.at) == pack.special_hours_faq() {
        return;
    }
    let Some(plain) = faqs.iter().position(|hit| hit.at == hours && hit.score > top.score * 0.6) else {
        return;
    };
    // Answers come first among the items, so an answer's place is its item's.
    if !senses.iter().any(|sense| pack.index().only_in(sense, top.at, hours)) {
        faqs[..=plain].rotate_right(1);
        faqs[0].score = top.score;
    }
}

/// The provider whose name is said, the first of the pack if there are several. A room is called by its name too.
fn provider(pack: &CompiledPack, analysis: &Analysis) -> Option<usize> {
    let said = analysis.tokens.iter().filter(|token| !token.function);
    said.filter_map(|token| pack.provider_called(&token.text)).min()
}
