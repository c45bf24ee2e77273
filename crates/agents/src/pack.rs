//! A context pack with the index that answers are looked up in.

use crate::text::{
    Analysis, Unit, analyse,
    spelling::Speller,
    tokens::{fold, words},
};
use misy_domain::{ContextPack, Language};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// A context pack made ready for answering: build it once per version of the pack and share it.
#[derive(Debug, Clone)]
pub struct CompiledPack(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pack: Arc<ContextPack>,
    language: Language,
    speller: Speller,
    index: Index,
    hours_faq: Option<usize>,
    special_hours_faq: Option<usize>,
}

/// What stems and concepts the pack's items hold.
#[derive(Debug, Default)]
pub(crate) struct Index {
    ids: HashMap<Box<str>, u32>,
    idf: Vec<f64>,
    /// The same among the services alone: what tells one from the other.
    service_idf: Vec<f64>,
    /// Stems by their first three letters, to find relatives of an unknown one.
    families: HashMap<Box<str>, Vec<(Box<str>, u32)>>,
    pub(crate) faqs: Vec<Item>,
    pub(crate) services: Vec<Item>,
    pub(crate) providers: Vec<Item>,
}

/// One item: the ways it is asked for, and what it says.
#[derive(Debug, Default)]
pub(crate) struct Item {
    /// Each way of asking, as features with their weight.
    pub(crate) variants: Vec<Vec<(u32, f64)>>,
    /// How strongly each feature stands in the questions and the answer.
    pub(crate) fields: HashMap<u32, f64>,
}

impl CompiledPack {
    /// Indexes a pack.
    pub fn new(pack: Arc<ContextPack>) -> Self {
        let language = pack.language();
        let mut index = Index::default();
        for faq in &pack.faq {
            let variants: Vec<&str> =
                std::iter::once(&faq.question).chain(&faq.alternatives).map(String::as_str).collect();
            let item = index.item(&variants, &[(&faq.answer, 0.5)], language);
            index.faqs.push(item);
        }
        for service in &pack.services {
            let mut rest: Vec<(&str, f64)> =
                service.description.iter().map(|text| (text.as_str(), 0.35)).collect();
            rest.extend(service.benefits.iter().map(|text| (text.as_str(), 0.2)));
            let name = service.id.replace('-', " ");
            let item = index.item(&[&service.name, &name], &rest, language);
            index.services.push(item);
        }
        for provider in &pack.providers {
            let role = provider.role.as_deref().unwrap_or_default();
            let item = index.item(&[&provider.name], &[(role, 0.5)], language);
            index.providers.push(item);
        }
        index.weigh();
        let texts = texts(&pack);
        let own_words: HashSet<String> = texts.iter().flat_map(|text| words(text)).collect();
        let speller = Speller::new(own_words.iter().map(String::as_str), language);
        let find = |queries: &[&str]| {
            let best = queries.iter().filter_map(|query| {
                let hit =
                    index.rank(&analyse(query, language, None).units, &[], &index.faqs).into_iter().next()?;
                (hit.cosine > 0.45).then_some(hit)
            });
            best.max_by(|a, b| a.cosine.total_cmp(&b.cosine)).map(|hit| hit.at)
        };
        let hours_faq = find(match language {
            Language::Es => &["¿Cuál es el horario de atención?", "¿A qué hora abren?"],
            Language::En => &["What are your hours?", "What time do you open?"],
            Language::Pt => &["Qual é o horário de funcionamento?", "Que horas vocês abrem?"],
        });
        let special_hours_faq = find(match language {
            Language::Es => &["¿Abren los feriados?", "¿Atienden los festivos?", "¿Abren en Navidad?"],
            Language::En => &["Are you open on holidays?", "Are you open on Christmas?"],
            Language::Pt => &["Vocês abrem nos feriados?", "Abrem no Natal?"],
        })
        .filter(|at| Some(*at) != hours_faq);
        Self(Arc::new(Inner { pack, language, speller, index, hours_faq, special_hours_faq }))
    }

    /// The pack itself.
    pub fn pack(&self) -> &ContextPack {
        &self.0.pack
    }

    /// The language of the pack's texts.
    pub fn language(&self) -> Language {
        self.0.language
    }

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(crate) fn speller(&self) -> &Speller {
        &self.0.speller
    }

    /// The approved answer about opening hours, if there is one.
    pub(crate) fn hours_faq(&self) -> Option<usize> {
        self.0.hours_faq
    }

    /// The approved answer about holidays, if it is another one.
    pub(crate) fn special_hours_faq(&self) -> Option<usize> {
        self.0.special_hours_faq
    }
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

/// An item found for a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// Its place in the pack.
    pub(crate) at: usize,
    /// What items are ordered by.
    pub(crate) score: f64,
    /// How alike the question and the nearest way of asking are, 0 to 1.
    pub(crate) cosine: f64,
    /// How much of the question's weight the item holds, 0 to 1.
    pub(crate) coverage: f64,
    /// How much of the nearest way of asking the question holds, 0 to 1.
    pub(crate) recall: f64,
}

/// A unit of a question against the index: which features it may stand for and how surely.
struct Query {
    readings: Vec<(u32, f64)>,
    weight: f64,
    mass: f64,
}

impl Index {
    fn id(&mut self, feature: &str) -> u32 {
        if let Some(id) = self.ids.get(feature) {
            return *id;
        }
        let id = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.insert(feature.into(), id);
        id
    }

    fn features(&mut self, analysis: &Analysis) -> Vec<(u32, f64)> {
        let mut features: Vec<(u32, f64)> = Vec::new();
        for unit in &analysis.units {
            // A concept says more about a question than the word that names it.
            let concepts = unit.concepts.iter().map(|concept| (format!("#{concept}"), unit.weight));
            let stem = unit.stem.iter().map(|stem| (stem.clone(), unit.weight * 0.65));
            for (feature, weight) in concepts.chain(stem) {
                let id = self.id(&feature);
                match features.iter_mut().find(|(own, _)| *own == id) {
                    Some((_, own)) => *own = own.max(weight),
                    None => features.push((id, weight)),
                }
            }
        }
        features
    }

    fn item(&mut self, variants: &[&str], rest: &[(&str, f64)], language: Language) -> Item {
        let mut item = Item::default();
        for text in variants {
            let features = self.features(&analyse(text, language, None));
            for (feature, _) in &features {
                item.fields.insert(*feature, 1.0);
            }
            item.variants.push(features);
        }
        for (text, weight) in rest {
            for (feature, _) in self.features(&analyse(text, language, None)) {
                let own = item.fields.entry(feature).or_insert(0.0);
                *own = own.max(*weight);
            }
        }
        item
    }

    /// How rare each feature is among the items.
    fn weigh(&mut self) {
        self.idf = rarity(self.ids.len(), self.faqs.iter().chain(&self.services));
        self.service_idf = rarity(self.ids.len(), self.services.iter());
        let mut families: HashMap<Box<str>, Vec<(Box<str>, u32)>> = HashMap::new();
        for (feature, id) in &self.ids {
            if let Some(start) = feature.get(..3).filter(|_| !feature.starts_with('#') && feature.len() > 3) {
                families.entry(start.into()).or_default().push((feature.clone(), *id));
            }
        }
        for family in families.values_mut() {
            family.sort_unstable();
        }
        self.families = families;
    }

    fn idf(&self, feature: u32) -> f64 {
        self.idf.get(feature as usize).copied().unwrap_or(1.0)
    }

    fn query(&self, unit: &Unit, scale: f64, foreign: f64) -> Query {
        let mut readings: Vec<(u32, f64)> = Vec::new();
        for concept in &unit.concepts {
            if let Some(id) = self.ids.get(format!("#{concept}").as_str()) {
                readings.push((*id, 1.15));
            }
        }
        if let Some(stem) = &unit.stem {
            match self.ids.get(stem.as_str()) {
                Some(id) => readings.push((*id, 1.0)),
                None => readings.extend(self.relatives(stem)),
            }
        }
        let known = readings.iter().map(|(id, sure)| self.idf(*id) * sure).fold(0.0, f64::max);
        let mass = if readings.is_empty() { foreign } else { known };
        Query { readings, weight: unit.weight * scale, mass }
    }

    /// Stems that begin alike: `agendamento` and `agendamiento`, `ruan` and `ruanit`.
    fn relatives(&self, stem: &str) -> Vec<(u32, f64)> {
        let Some(family) =
            stem.get(..3).filter(|_| stem.len() > 3).and_then(|start| self.families.get(start))
        else {
            return Vec::new();
        };
        let near = |(other, id): &(Box<str>, u32)| {
            let common = stem.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
            let longest = stem.len().max(other.len());
            let alike = (common >= 4 && common * 10 >= longest * 7) || pairs_shared(stem, other) >= 0.65;
            alike.then_some((*id, 0.7))
        };
        family.iter().filter_map(near).collect()
    }

    /// Items that hold something of a question, best first. `context` is what surrounds it and counts less.
    pub(crate) fn rank(&self, units: &[Unit], context: &[Unit], items: &[Item]) -> Vec<Hit> {
        // A word that the pack does not know makes every answer less sure: in "do you sell kayaks?" it is what was asked
        // for. But people tell stories, where it matters less.
        let foreign = match units.iter().filter(|unit| unit.stem.is_some()).count() {
            0..=3 => 2.6,
            4..=5 => 1.9,
            _ => 1.4,
        };
        let mut queries: Vec<Query> = units.iter().map(|unit| self.query(unit, 1.0, foreign)).collect();
        queries.extend(context.iter().map(|unit| self.query(unit, 0.3, foreign)));
        // A word said twice is one word.
        let mut seen = HashSet::new();
        queries.retain(|query| {
            query.readings.is_empty()
                || seen.insert(query.readings.clone().into_iter().map(|(id, _)| id).collect::<Vec<_>>())
        });
        let asked: f64 = queries.iter().map(|query| query.weight * query.mass).sum();
        let norm: f64 = queries.iter().map(|query| (query.weight * query.mass).powi(2)).sum::<f64>().sqrt();
        if asked <= 0.0 {
            return Vec::new();
        }
        let mut hits: Vec<Hit> = items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| self.hit(at, item, &queries, asked, norm))
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
        hits
    }

    fn hit(&self, at: usize, item: &Item, queries: &[Query], asked: f64, norm: f64) -> Option<Hit> {
        let mut held = 0.0;
        for query in queries {
            let best = query
                .readings
                .iter()
                .filter_map(|(id, sure)| Some(self.idf(*id) * sure * item.fields.get(id)?))
                .fold(0.0, f64::max);
            held += query.weight * best;
        }
        if held <= 0.0 {
            return None;
        }
        let coverage = held / asked;
        let (mut cosine, mut recall) = (0.0_f64, 0.0_f64);
        for variant in &item.variants {
            let length: f64 =
                variant.iter().map(|(id, weight)| (self.idf(*id) * weight).powi(2)).sum::<f64>().sqrt();
            let total: f64 = variant.iter().map(|(id, weight)| self.idf(*id) * weight).sum();
            let (mut dot, mut common) = (0.0, 0.0);
            for query in queries {
                let best = query
                    .readings
                    .iter()
                    .filter_map(|(id, sure)| {
                        let (_, weight) = variant.iter().find(|(own, _)| own == id)?;
                        Some(self.idf(*id) * sure * weight)
                    })
                    .fold(0.0, f64::max);
                dot += query.weight * query.mass * best;
                common += best.min(query.weight * query.mass);
            }
            if length > 0.0 {
                // A unit has a stem and concepts, of which one is matched: the length counts about twice.
                let alike = (dot / (norm * length * 0.75)).min(1.0);
                if alike > cosine {
                    cosine = alike;
                    recall = (common / (total * 0.55)).min(1.0);
                }
            }
        }
        let score = 0.5 * coverage + 0.5 * cosine + 0.05 * recall;
        Some(Hit { at, score, cosine, coverage, recall })
    }
}

/// How many of their pairs of letters two words share, 0 to 1.
#[allow(clippy::cast_precision_loss)]
fn pairs_shared(one: &str, other: &str) -> f64 {
    let pairs = |word: &'_ str| word.as_bytes().windows(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>();
    let (one, mut other) = (pairs(one), pairs(other));
    let all = one.len() + other.len();
    let mut shared = 0;
    for pair in &one {
        if let Some(at) = other.iter().position(|own| own == pair) {
            other.swap_remove(at);
            shared += 2;
        }
    }
    if all == 0 { 0.0 } else { f64::from(shared) / all as f64 }
}

/// How rare each feature is among items.
#[allow(clippy::cast_precision_loss)]
fn rarity<'a>(features: usize, items: impl Iterator<Item = &'a Item>) -> Vec<f64> {
    let mut counts = vec![0.0_f64; features];
    let mut total = 0_usize;
    for item in items {
        total += 1;
        for (feature, weight) in &item.fields {
            counts[*feature as usize] += weight.min(1.0);
        }
    }
    let total = total.max(1) as f64;
    counts.iter().map(|count| (1.0 + (total - count + 0.5).max(0.5) / (count + 0.5)).ln()).collect()
}

/// The words of a provider's name by which people call it, without titles.
pub(crate) fn calling_names(name: &str) -> Vec<String> {
    let titles =
        ["dr", "dra", "sr", "sra", "srta", "lic", "ing", "prof", "chef", "mr", "mrs", "ms", "don", "dona"];
    fold(name)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2 && !titles.contains(word))
        .map(str::to_owned)
        .collect()
}

impl Index {
    /// Whether a unit is of what one item asks and of nothing that the other holds.
    pub(crate) fn only_in(&self, unit: &Unit, one: &Item, other: &Item) -> bool {
        let readings = self.query(unit, 1.0, 0.0).readings;
        let held = |item: &Item, least: f64| {
            readings.iter().any(|(id, _)| item.fields.get(id).is_some_and(|weight| *weight >= least))
        };
        held(one, 1.0) && !held(other, 0.0)
    }

    /// Whether the pack uses the word of a unit.
    pub(crate) fn knows(&self, unit: &Unit) -> bool {
        let stem = unit.stem.as_deref().is_some_and(|stem| self.ids.contains_key(stem));
        stem || unit.concepts.iter().any(|concept| self.ids.contains_key(format!("#{concept}").as_str()))
    }

    /// Services by how much of their name is said; what only their description holds counts less.
    pub(crate) fn rank_services(&self, units: &[Unit]) -> Vec<Hit> {
        let mut hits = self.rank(units, &[], &self.services);
        let told = self.told_apart(units);
        for hit in &mut hits {
            let own = told.get(hit.at).copied().unwrap_or(0.0);
            hit.score = 0.5 * hit.cosine + 0.3 * hit.recall + 0.25 * hit.coverage + 0.25 * own;
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
        hits
    }

    /// How much of what a question says about services at all each of them holds, by what is rare among services.
    fn told_apart(&self, units: &[Unit]) -> Vec<f64> {
        let rare = |id: u32| self.service_idf.get(id as usize).copied().unwrap_or(0.0);
        let mut held = vec![0.0; self.services.len()];
        let mut asked = 0.0;
        for unit in units {
            let readings = self.query(unit, 1.0, 0.0).readings;
            let best = |item: &Item| {
                let own =
                    readings.iter().filter_map(|(id, sure)| Some(rare(*id) * sure * item.fields.get(id)?));
                own.fold(0.0, f64::max)
            };
            let each: Vec<f64> = self.services.iter().map(best).collect();
            asked += unit.weight * each.iter().copied().fold(0.0, f64::max);
            for (sum, own) in held.iter_mut().zip(&each) {
                *sum += unit.weight * own;
            }
        }
        if asked > 0.0 { held.iter().map(|own| own / asked).collect() } else { held }
    }
}
