//! A context pack with the index that answers are looked up in.

mod builder;
mod index;

pub(crate) use index::{Hit, Index, Sense};

use crate::{
    budget::{Budget, PACK_STEPS, Spent},
    escalation::{NumberRule, asks_after_two_unanswered},
    meaning::{Embed, Meaning, passages},
    plain::{Question, basics, holidays::Holidays},
    text::{
        analyse,
        spelling::Speller,
        tokens::{fold, tokens, words},
    },
};
use builder::Builder;
use index::Weight;
use misy_domain::{
    ContextPack, Language,
    context_pack::{Objection, SalesStrategy},
};
use misy_encoder::Vectors;
use std::{borrow::Cow, collections::HashSet, sync::Arc};

/// What a pack that is ready for answering may take in memory: more than three times of what fourteen businesses in one
/// pack do, and seventeen times of what a demo business does.
pub const MOST_BYTES: usize = 1664 * 1024;

/// A question of more words asks for more than what any business is asked.
const MOST_PLAIN_WORDS: usize = 14;
/// What reading a word for that costs.
const STEPS_A_PLAIN_WORD: usize = 20;

/// A context pack made ready for answering: build it once per version of the pack and share it.
#[derive(Debug, Clone)]
pub struct CompiledPack {
    inner: Arc<Inner>,
    /// What its texts mean, once that is known.
    meaning: Option<Arc<Meaning>>,
}

#[derive(Debug)]
struct Inner {
    pack: ContextPack,
    language: Language,
    speller: Speller,
    index: Index,
    hours_faq: Option<usize>,
    special_hours_faq: Option<usize>,
    payment_faq: Option<usize>,
    /// The approved answers to what any business is asked.
    plain_faqs: Box<[(Question, usize)]>,
    holidays: Holidays,
    /// Rules of escalation with a number in them.
    number_rules: Vec<NumberRule>,
    after_two_unanswered: bool,
    /// The names that providers are called by, in order, each with the first of them.
    names: Vec<(Box<str>, usize)>,
    /// For each sales strategy, its first objection to a price.
    price_objections: Vec<Option<usize>>,
    bytes: usize,
}

/// A pack that would cost too much to answer from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {measure} {found}, at most {limit}")]
pub struct TooCostly {
    /// The part that most of the cost comes from, as a JSON pointer; empty for the different words of the whole.
    pub pointer: &'static str,
    /// What was measured: `steps` or `bytes`.
    pub measure: &'static str,
    /// How much there is; of steps the limit, as counting ends there.
    pub found: u64,
    /// How much there may be.
    pub limit: u64,
}

/// What each part of a pack cost, to tell which is too much.
#[derive(Default)]
struct Costs(Vec<(&'static str, u64)>);

impl Costs {
    /// Does the work for one part of the pack and notes what it cost, to the end or to where the steps ran out.
    fn of<T>(
        &mut self,
        part: &'static str,
        budget: &Budget<'_>,
        work: impl FnOnce() -> Result<T, Spent>,
    ) -> Result<T, Spent> {
        let before = budget.used();
        let done = work();
        self.0.push((part, budget.used() - before));
        done
    }

    fn heaviest(&self) -> &'static str {
        self.0.iter().max_by_key(|(_, cost)| *cost).map_or("", |(part, _)| part)
    }
}

impl CompiledPack {
    /// Makes a pack ready, or tells why it would cost too much.
    pub fn new(pack: ContextPack) -> Result<Self, TooCostly> {
        Self::within(pack, PACK_STEPS, MOST_BYTES)
    }

    /// The same within other bounds than usual.
    pub fn within(pack: ContextPack, steps: u64, most_bytes: usize) -> Result<Self, TooCostly> {
        let (budget, mut costs) = (Budget::new(steps), Costs::default());
        match Inner::compile(pack, &budget, &mut costs) {
            Ok(inner) if inner.bytes > most_bytes => Err(TooCostly {
                pointer: costs.heaviest(),
                measure: "bytes",
                found: inner.bytes as u64,
                limit: most_bytes as u64,
            }),
            Ok(inner) => Ok(Self { inner: Arc::new(inner), meaning: None }),
            Err(_) => {
                Err(TooCostly { pointer: costs.heaviest(), measure: "steps", found: steps, limit: steps })
            }
        }
    }

    /// The texts whose vectors are needed to understand by meaning, in their order; none if there are too many.
    pub fn passages(&self) -> Vec<Cow<'_, str>> {
        passages(self.pack())
    }

    /// The same, understood by meaning too, with one vector for each of [`Self::passages`] and what makes those of questions.
    #[must_use]
    pub fn with_meaning(&self, encoder: Arc<dyn Embed>, vectors: Vectors) -> Self {
        let meaning = Meaning::new(self.pack(), encoder, vectors).map(Arc::new);
        Self { inner: self.inner.clone(), meaning }
    }

    /// The vectors of its texts, if it is understood by meaning.
    pub fn vectors(&self) -> Option<&Vectors> {
        self.meaning().map(Meaning::vectors)
    }

    pub(crate) fn meaning(&self) -> Option<&Meaning> {
        self.meaning.as_deref()
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.inner.bytes + self.meaning().map_or(0, Meaning::bytes)
    }

    /// The pack itself.
    pub fn pack(&self) -> &ContextPack {
        &self.inner.pack
    }

    /// The language of the pack's texts.
    pub fn language(&self) -> Language {
        self.inner.language
    }

    pub(crate) fn index(&self) -> &Index {
        &self.inner.index
    }

    pub(crate) fn speller(&self) -> &Speller {
        &self.inner.speller
    }

    /// The approved answer about opening hours, if there is one.
    pub(crate) fn hours_faq(&self) -> Option<usize> {
        self.inner.hours_faq
    }

    /// The days that it has a name for.
    pub(crate) fn holidays(&self) -> &Holidays {
        &self.inner.holidays
    }

    /// The approved answer about holidays, if it is another one.
    pub(crate) fn special_hours_faq(&self) -> Option<usize> {
        self.inner.special_hours_faq
    }

    /// The approved answer about how one pays, if there is one.
    pub(crate) fn payment_faq(&self) -> Option<usize> {
        self.inner.payment_faq
    }

    /// The approved answer to this very question, if there is one.
    pub(crate) fn faq_that_asks(&self, question: Question) -> Option<usize> {
        let mut faqs = self.inner.plain_faqs.iter();
        faqs.find(|(own, _)| *own == question).map(|(_, at)| *at)
    }

    /// The rules of escalation with a number in them.
    pub(crate) fn number_rules(&self) -> &[NumberRule] {
        &self.inner.number_rules
    }

    /// Whether the pack wants a person after two questions without an answer.
    pub(crate) fn after_two_unanswered(&self) -> bool {
        self.inner.after_two_unanswered
    }

    /// The first provider that is called by a word.
    pub(crate) fn provider_called(&self, word: &str) -> Option<usize> {
        let names = &self.inner.names;
        names.binary_search_by(|(name, _)| (**name).cmp(word)).ok().map(|at| names[at].1)
    }

    /// What the pack says to somebody who finds the price of a service high.
    pub(crate) fn price_objection(&self, service: &str) -> Option<&Objection> {
        let strategies = self.inner.pack.sales_strategies.iter().zip(&self.inner.price_objections);
        let mut own = strategies.filter(|(strategy, _)| strategy.service == service);
        own.find_map(|(strategy, at)| at.map(|at| &strategy.objections[at]))
    }
}

impl Inner {
    fn compile(pack: ContextPack, budget: &Budget<'_>, costs: &mut Costs) -> Result<Self, Spent> {
        let pack = without_what_is_not_read(pack);
        let language = pack.language();
        let index = index(&pack, language, budget, costs)?;
        let speller = costs.of("", budget, || speller(&pack, language, budget))?;
        let find = |queries: &[&str]| -> Result<Option<usize>, Spent> {
            let mut best: Option<Hit> = None;
            for query in queries {
                let senses = index.senses(&analyse(query, language, None, budget)?.units, budget)?;
                let hit = index.rank(&index.faqs, &senses, &[], budget)?.into_iter().next();
                let nearer =
                    |hit: &Hit| hit.cosine > 0.45 && best.is_none_or(|best| hit.cosine >= best.cosine);
                best = hit.filter(nearer).or(best);
            }
            Ok(best.map(|hit| hit.at))
        };
        let hours_faq = find(match language {
            Language::Es => &["¿Cuál es el horario de atención?", "¿A qué hora abren?"],
            Language::En => &["What are your hours?", "What time do you open?"],
            Language::Pt => &["Qual é o horário de funcionamento?", "Que horas vocês abrem?"],
        })?;
        let special_hours_faq = find(match language {
            Language::Es => &["¿Abren los feriados?", "¿Atienden los festivos?", "¿Abren en Navidad?"],
            Language::En => &["Are you open on holidays?", "Are you open on Christmas?"],
            Language::Pt => &["Vocês abrem nos feriados?", "Abrem no Natal?"],
        })?
        .filter(|at| Some(*at) != hours_faq);
        let payment_faq = find(match language {
            Language::Es => {
                &["¿Qué medios de pago aceptan?", "¿Cómo puedo pagar?", "¿Qué formas de pago tienen?"]
            }
            Language::En => &["What payment methods do you take?", "How can I pay?"],
            Language::Pt => &["Quais formas de pagamento vocês aceitam?", "Como posso pagar?"],
        })?;
        let when = pack.escalation.iter().flat_map(|rules| &rules.when_to_hand_off);
        let number_rules = when.clone().filter_map(|rule| NumberRule::read(rule)).collect();
        let after_two_unanswered = when.clone().any(|rule| asks_after_two_unanswered(rule));
        let price_objections =
            costs.of("/salesStrategies", budget, || price_objections(&pack, language, budget))?;
        let plain_faqs = plain_faqs(&pack, language, budget)?;
        let mut compiled = Self {
            names: names(&pack),
            holidays: costs.of("/openingHours", budget, || Holidays::of(&pack, budget))?,
            pack,
            language,
            speller,
            index,
            hours_faq,
            special_hours_faq,
            payment_faq,
            plain_faqs,
            number_rules,
            after_two_unanswered,
            price_objections,
            bytes: 0,
        };
        compiled.bytes = compiled.weigh();
        Ok(compiled)
    }

    /// What it takes in memory, heap included.
    fn weigh(&self) -> usize {
        size_of::<Self>()
            + self.speller.bytes()
            + self.index.bytes()
            + self.number_rules.iter().map(NumberRule::bytes).sum::<usize>()
            + self.names.iter().map(|(name, _)| name.len() + size_of::<(Box<str>, usize)>()).sum::<usize>()
            + size_of_val(&*self.price_objections)
            + size_of_val(&*self.plain_faqs)
            + self.holidays.bytes()
            + self.pack.bytes()
    }
}

/// The answers whose own question is one that any business is asked. Other ways of asking often ask for less or more.
fn plain_faqs(
    pack: &ContextPack,
    language: Language,
    budget: &Budget<'_>,
) -> Result<Box<[(Question, usize)]>, Spent> {
    let mut found: Vec<(Question, usize)> = Vec::new();
    for (at, faq) in pack.faq.iter().enumerate() {
        budget.take(faq.question.len() / 4)?;
        let tokens = tokens(&faq.question, language);
        if tokens.len() > MOST_PLAIN_WORDS {
            continue;
        }
        budget.take(tokens.len() * STEPS_A_PLAIN_WORD)?;
        let question = basics::question(&tokens, pack)
            .filter(|question| basics::stands_beside_others(*question, &tokens))
            .filter(|question| found.iter().all(|(other, _)| other != question));
        found.extend(question.map(|question| (question, at)));
    }
    Ok(found.into())
}

/// Only the agents read a compiled pack, and they have no use for some of it.
fn without_what_is_not_read(mut pack: ContextPack) -> ContextPack {
    pack.greeting = None;
    pack.policies = None;
    pack.site_origins = Vec::new();
    for strategy in &mut pack.sales_strategies {
        strategy.steps = Vec::new();
    }
    pack
}

fn index(
    pack: &ContextPack,
    language: Language,
    budget: &Budget<'_>,
    costs: &mut Costs,
) -> Result<Index, Spent> {
    let mut builder = Builder::new(language, budget);
    costs.of("/faq", budget, || {
        pack.faq.iter().try_for_each(|faq| {
            let variants = std::iter::once(&faq.question).chain(&faq.alternatives).map(String::as_str);
            builder.item(variants, [(faq.answer.as_str(), Weight::Half)])
        })
    })?;
    let faqs = builder.places();
    costs.of("/services", budget, || {
        pack.services.iter().try_for_each(|service| {
            let name = service.id.replace('-', " ");
            let description = service.description.iter().map(|text| (text.as_str(), Weight::Described));
            let benefits = service.benefits.iter().map(|text| (text.as_str(), Weight::Benefit));
            builder.item([service.name.as_str(), &name], description.chain(benefits))
        })
    })?;
    costs.of("/providers", budget, || {
        pack.providers.iter().try_for_each(|provider| {
            builder.mention(&provider.name)?;
            builder.mention(provider.role.as_deref().unwrap_or_default())
        })
    })?;
    builder.finish(faqs)
}

/// A speller that knows every word that a contact may quote.
fn speller(pack: &ContextPack, language: Language, budget: &Budget<'_>) -> Result<Speller, Spent> {
    let mut own: HashSet<String> = HashSet::new();
    for text in texts(pack) {
        budget.take(text.len() / 4)?;
        own.extend(words(text));
    }
    budget.take(own.len() * 8)?;
    Ok(Speller::new(own.iter().map(String::as_str), language))
}

/// Every text that a contact may quote a word of.
fn texts(pack: &ContextPack) -> Vec<&str> {
    let mut texts: Vec<&str> = vec![&pack.display_name, &pack.industry];
    texts.extend(pack.description.as_deref());
    for faq in &pack.faq {
        texts.extend([faq.question.as_str(), faq.answer.as_str()]);
        texts.extend(faq.alternatives.iter().map(String::as_str));
    }
    for service in &pack.services {
        texts.push(&service.name);
        texts.extend(service.description.as_deref());
        texts.extend(service.benefits.iter().map(String::as_str));
    }
    for provider in &pack.providers {
        texts.push(&provider.name);
        texts.extend(provider.role.as_deref());
    }
    texts
}

/// The names that providers are called by, in order; a name that several have stands for the first of them.
fn names(pack: &ContextPack) -> Vec<(Box<str>, usize)> {
    let of =
        |(at, name): (usize, &String)| calling_names(name).into_iter().map(move |name| (name.into(), at));
    let mut names: Vec<(Box<str>, usize)> =
        pack.providers.iter().map(|provider| &provider.name).enumerate().flat_map(of).collect();
    names.sort_unstable();
    names.dedup_by(|later, first| later.0 == first.0);
    names
}

/// The words of a provider's name by which people call it, without titles.
fn calling_names(name: &str) -> Vec<String> {
    let titles =
        ["dr", "dra", "sr", "sra", "srta", "lic", "ing", "prof", "chef", "mr", "mrs", "ms", "don", "dona"];
    fold(name)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2 && !titles.contains(word))
        .map(str::to_owned)
        .collect()
}

/// For each sales strategy, the first of its objections that is about the price.
fn price_objections(
    pack: &ContextPack,
    language: Language,
    budget: &Budget<'_>,
) -> Result<Vec<Option<usize>>, Spent> {
    let first = |strategy: &SalesStrategy| {
        for (at, objection) in strategy.objections.iter().enumerate() {
            let analysis = analyse(&objection.objection, language, None, budget)?;
            if analysis.has("haggle") || analysis.means("price") {
                return Ok(Some(at));
            }
        }
        Ok(None)
    };
    pack.sales_strategies.iter().map(first).collect()
}
