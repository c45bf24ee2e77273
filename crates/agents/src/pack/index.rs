//! Which stems and concepts the items of a pack hold, and which items a question asks for.
//!
//! Everything lies in a few plain lists, ordered by feature: a question meets only what holds one of its words, and a pack
//! takes little more memory than its text.

use crate::{
    budget::{Budget, Spent},
    text::{Unit, shelf::Shelf},
};
use std::{collections::HashSet, ops::Range};

/// Relatives of an unknown word beyond these are not looked at.
const MOST_RELATIVES: usize = 32;
/// What comparing two stems letter by letter costs.
const STEPS_A_RELATIVE: usize = 4;

/// How strongly an item or a way of asking holds a feature, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// A concept, or any word of a question.
    Full,
    /// A word beside the concept that it names.
    Word,
    /// A word of an answer or role, or a concept within a phrase.
    Half,
    /// A word of a description.
    Described,
    /// A word within a phrase.
    HalfWord,
    /// A word of a benefit.
    Benefit,
}

impl Weight {
    fn value(self) -> f64 {
        match self {
            Self::Full => 1.0,
            Self::Word => 0.65,
            Self::Half => 0.5,
            Self::Described => 0.35,
            Self::HalfWord => 0.325,
            Self::Benefit => 0.2,
        }
    }
}

/// Where a feature stands, and how strongly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) at: u16,
    pub(super) weight: Weight,
}

/// A list of entries for each feature, each in the order of the places.
#[derive(Debug, Default)]
pub(super) struct Lists {
    ends: Box<[u32]>,
    entries: Box<[Entry]>,
}

impl Lists {
    /// From entries in the order of their places.
    pub(super) fn new(features: usize, entries: &[(u32, Entry)]) -> Self {
        let mut ends = vec![0_u32; features];
        for (feature, _) in entries {
            ends[*feature as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        // A stable sort keeps the order of the places within each feature.
        let mut sorted = entries.to_vec();
        sorted.sort_by_key(|(feature, _)| *feature);
        Self { ends: ends.into(), entries: sorted.into_iter().map(|(_, entry)| entry).collect() }
    }

    /// Where in some places a feature stands.
    fn of(&self, feature: u32, places: &Range<u16>) -> &[Entry] {
        let feature = feature as usize;
        let start = feature.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let all = &self.entries[start..self.ends[feature] as usize];
        let from = all.partition_point(|entry| entry.at < places.start);
        let to = all.partition_point(|entry| entry.at < places.end);
        &all[from..to]
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.ends) + size_of_val(&*self.entries)
    }
}

/// A way of asking for an item.
#[derive(Debug, Clone, Copy)]
struct Variant {
    item: u16,
    /// What cosines are divided by.
    length: f64,
    /// The weight of all its features.
    total: f64,
}

/// A kind of items: which they are, and which ways of asking are theirs.
#[derive(Debug, Default)]
pub(crate) struct Kind {
    pub(super) items: Range<u16>,
    pub(super) variants: Range<u16>,
}

/// The index of a pack.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Features are numbered: first the stems in order, then the concepts in order.
    stems: Shelf,
    concepts: Box<[u16]>,
    held: Lists,
    asked: Lists,
    variants: Box<[Variant]>,
    pub(crate) faqs: Kind,
    pub(crate) services: Kind,
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

/// A unit of a question as the pack understands it: which features it may stand for and how surely.
#[derive(Debug)]
pub(crate) struct Sense {
    readings: Vec<Reading>,
    weight: f64,
    /// Whether it carries a meaning of its own.
    pub(crate) is_word: bool,
    /// Whether the pack uses it as it stands.
    pub(crate) is_known: bool,
}

#[derive(Debug)]
struct Reading {
    feature: u32,
    sure: f64,
    /// How rare the feature is among all items.
    rarity: f64,
}

/// A sense within one question.
struct Query<'a> {
    readings: &'a [Reading],
    weight: f64,
    mass: f64,
}

/// The best value that a query found at each place.
struct Best {
    values: Vec<f64>,
    touched: Vec<u16>,
}

impl Best {
    fn new(places: &Range<u16>) -> Self {
        Self { values: vec![0.0; places.len()], touched: Vec::new() }
    }

    fn note(&mut self, at: u16, value: f64) {
        let own = &mut self.values[usize::from(at)];
        if *own <= 0.0 {
            self.touched.push(at);
        }
        *own = own.max(value);
    }

    /// Hands out what was noted and forgets it.
    fn drain(&mut self) -> impl Iterator<Item = (usize, f64)> {
        let values = &mut self.values;
        self.touched.drain(..).map(|at| (usize::from(at), std::mem::take(&mut values[usize::from(at)])))
    }
}

impl Index {
    /// From the features, in order, and the entries of items and ways of asking, in the order of their places.
    pub(super) fn new(
        (stems, concepts): (Shelf, Vec<u16>),
        held: &[(u32, Entry)],
        asked: &[(u32, Entry)],
        item_of_variant: &[u16],
        (faqs, services): (Kind, Kind),
    ) -> Self {
        let features = stems.len() + concepts.len();
        let (held, asked_by_feature) = (Lists::new(features, held), Lists::new(features, asked));
        let mut index = Self {
            stems,
            concepts: concepts.into(),
            held,
            asked: asked_by_feature,
            variants: item_of_variant
                .iter()
                .map(|item| Variant { item: *item, length: 0.0, total: 0.0 })
                .collect(),
            faqs,
            services,
        };
        let rarity: Vec<f64> =
            (0..features).map(|feature| index.rarity(u32::try_from(feature).unwrap_or(u32::MAX))).collect();
        for (feature, Entry { at, weight }) in asked {
            let part = rarity[*feature as usize] * weight.value();
            let variant = &mut index.variants[usize::from(*at)];
            variant.length += part.powi(2);
            variant.total += part;
        }
        for variant in &mut index.variants {
            variant.length = variant.length.sqrt();
        }
        index
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.stems.bytes()
            + size_of_val(&*self.concepts)
            + self.held.bytes()
            + self.asked.bytes()
            + size_of_val(&*self.variants)
    }

    /// How rare a feature is among answers and services.
    fn rarity(&self, feature: u32) -> f64 {
        let all = 0..self.services.items.end;
        rarity(self.held.of(feature, &all), all.len())
    }

    /// The same among the services alone: what tells one from the other.
    fn rarity_among_services(&self, feature: u32) -> f64 {
        let services = &self.services.items;
        rarity(self.held.of(feature, services), services.len())
    }

    fn stem(&self, stem: &str) -> Option<u32> {
        self.stems.find(stem).and_then(|at| u32::try_from(at).ok())
    }

    fn concept(&self, concept: u16) -> Option<u32> {
        let at = self.concepts.binary_search(&concept).ok()?;
        u32::try_from(self.stems.len() + at).ok()
    }

    /// What the units of a question may stand for.
    pub(crate) fn senses(&self, units: &[Unit], budget: &Budget<'_>) -> Result<Vec<Sense>, Spent> {
        units.iter().map(|unit| self.sense(unit, budget)).collect()
    }

    fn sense(&self, unit: &Unit, budget: &Budget<'_>) -> Result<Sense, Spent> {
        budget.take(8)?;
        let mut found: Vec<(u32, f64)> = Vec::new();
        found.extend(unit.concepts.iter().filter_map(|concept| Some((self.concept(*concept)?, 1.15))));
        let mut is_known = !found.is_empty();
        if let Some(stem) = &unit.stem {
            match self.stem(stem) {
                Some(feature) => {
                    found.push((feature, 1.0));
                    is_known = true;
                }
                None => self.relatives(stem, &mut found, budget)?,
            }
        }
        let mut readings = Vec::with_capacity(found.len());
        for (feature, sure) in found {
            budget.take(1 + self.held.of(feature, &(0..self.services.items.end)).len() / 8)?;
            readings.push(Reading { feature, sure, rarity: self.rarity(feature) });
        }
        Ok(Sense { readings, weight: unit.weight, is_word: unit.stem.is_some(), is_known })
    }

    /// Stems that begin alike: `agendamento` and `agendamiento`, `ruan` and `ruanit`.
    fn relatives(&self, stem: &str, found: &mut Vec<(u32, f64)>, budget: &Budget<'_>) -> Result<(), Spent> {
        let Some(start) = stem.get(..3).filter(|_| stem.len() > 3) else { return Ok(()) };
        let most = found.len() + MOST_RELATIVES;
        for at in self.stems.starting_with(start).filter(|at| self.stems.length(*at) > 3) {
            budget.take(STEPS_A_RELATIVE)?;
            if are_related(stem, self.stems.get(at)) {
                found.extend(u32::try_from(at).ok().map(|feature| (feature, 0.7)));
            }
            if found.len() == most {
                break;
            }
        }
        Ok(())
    }

    /// Whether one item asks for what a sense says, and another holds nothing of it.
    pub(crate) fn only_in(&self, sense: &Sense, one: usize, other: usize) -> bool {
        let held = |item: usize, least: Weight| {
            let Ok(item) = u16::try_from(item) else { return false };
            let place = item..item + 1;
            let holds = |reading: &Reading| {
                self.held.of(reading.feature, &place).iter().any(|entry| entry.weight <= least)
            };
            sense.readings.iter().any(holds)
        };
        held(one, Weight::Full) && !held(other, Weight::Benefit)
    }

    /// Items that hold something of a question, best first. `context` is what surrounds it and counts less.
    pub(crate) fn rank(
        &self,
        kind: &Kind,
        senses: &[Sense],
        context: &[Sense],
        budget: &Budget<'_>,
    ) -> Result<Vec<Hit>, Spent> {
        let queries = queries(senses, context);
        let asked: f64 = queries.iter().map(|query| query.weight * query.mass).sum();
        let norm: f64 = queries.iter().map(|query| (query.weight * query.mass).powi(2)).sum::<f64>().sqrt();
        if asked <= 0.0 {
            return Ok(Vec::new());
        }
        let (items, variants) = (&kind.items, &kind.variants);
        budget.take(queries.len() + (items.len() + variants.len()) / 4)?;
        let mut held = vec![0.0_f64; items.len()];
        let mut alike = vec![(0.0_f64, 0.0_f64); variants.len()];
        let (mut best_held, mut best_asked) = (Best::new(items), Best::new(variants));
        for query in &queries {
            for Reading { feature, sure, rarity } in query.readings {
                let (of_items, of_variants) =
                    (self.held.of(*feature, items), self.asked.of(*feature, variants));
                budget.take(1 + of_items.len() / 2 + of_variants.len() / 2)?;
                for entry in of_items {
                    best_held.note(entry.at - items.start, rarity * sure * entry.weight.value());
                }
                for entry in of_variants {
                    best_asked.note(entry.at - variants.start, rarity * sure * entry.weight.value());
                }
            }
            for (at, best) in best_held.drain() {
                held[at] += query.weight * best;
            }
            for (at, best) in best_asked.drain() {
                let (dot, common) = &mut alike[at];
                *dot += query.weight * query.mass * best;
                *common += best.min(query.weight * query.mass);
            }
        }
        let mut nearest = vec![(0.0_f64, 0.0_f64); items.len()];
        for (variant, (dot, common)) in self.variants[usize::from(variants.start)..].iter().zip(&alike) {
            let (cosine, recall) = &mut nearest[usize::from(variant.item - items.start)];
            if variant.length > 0.0 {
                // A unit has a stem and concepts, of which one is matched: the length counts about twice.
                let alike = (dot / (norm * variant.length * 0.75)).min(1.0);
                if alike > *cosine {
                    *cosine = alike;
                    *recall = (common / (variant.total * 0.55)).min(1.0);
                }
            }
        }
        let found = held.iter().zip(&nearest).enumerate().filter(|(_, (held, _))| **held > 0.0);
        let hit = |(at, (held, (cosine, recall))): (usize, (&f64, &(f64, f64)))| {
            let coverage = held / asked;
            let score = 0.5 * coverage + 0.5 * cosine + 0.05 * recall;
            Hit { at, score, cosine: *cosine, coverage, recall: *recall }
        };
        Ok(sorted(found.map(hit).collect()))
    }

    /// Services by how much of their name is said; what only their description holds counts less.
    pub(crate) fn rank_services(&self, senses: &[Sense], budget: &Budget<'_>) -> Result<Vec<Hit>, Spent> {
        let mut hits = self.rank(&self.services, senses, &[], budget)?;
        let told = self.told_apart(senses, budget)?;
        for hit in &mut hits {
            let own = told.get(hit.at).copied().unwrap_or(0.0);
            hit.score = 0.5 * hit.cosine + 0.3 * hit.recall + 0.25 * hit.coverage + 0.25 * own;
        }
        Ok(sorted(hits))
    }

    /// How much of what a question says about services at all each of them holds, by what is rare among services.
    fn told_apart(&self, senses: &[Sense], budget: &Budget<'_>) -> Result<Vec<f64>, Spent> {
        let services = &self.services.items;
        let mut held = vec![0.0; services.len()];
        let mut asked = 0.0;
        let mut best_held = Best::new(services);
        for sense in senses {
            for reading in &sense.readings {
                let entries = self.held.of(reading.feature, services);
                budget.take(1 + entries.len() / 2)?;
                if !entries.is_empty() {
                    let rare = self.rarity_among_services(reading.feature);
                    for entry in entries {
                        best_held.note(entry.at - services.start, rare * reading.sure * entry.weight.value());
                    }
                }
            }
            let mut most = 0.0_f64;
            for (at, best) in best_held.drain() {
                most = most.max(best);
                held[at] += sense.weight * best;
            }
            asked += sense.weight * most;
        }
        Ok(if asked > 0.0 { held.iter().map(|own| own / asked).collect() } else { held })
    }
}

fn sorted(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
    hits
}

/// What is asked: a word said twice is one word.
fn queries<'a>(senses: &'a [Sense], context: &'a [Sense]) -> Vec<Query<'a>> {
    // A word that the pack does not know makes every answer less sure: in "do you sell kayaks?" it is what was asked for.
    // But people tell stories, where it matters less.
    let foreign = match senses.iter().filter(|sense| sense.is_word).count() {
        0..=3 => 2.6,
        4..=5 => 1.9,
        _ => 1.4,
    };
    let query = |sense: &'a Sense, scale: f64| {
        let readings = sense.readings.as_slice();
        let known = readings.iter().map(|reading| reading.rarity * reading.sure).fold(0.0, f64::max);
        let mass = if readings.is_empty() { foreign } else { known };
        Query { readings, weight: sense.weight * scale, mass }
    };
    let mut seen = HashSet::new();
    let own = senses.iter().map(|sense| query(sense, 1.0));
    let around = context.iter().map(|sense| query(sense, 0.3));
    let is_new = |query: &Query<'_>| {
        let features = || query.readings.iter().map(|reading| reading.feature).collect::<Vec<_>>();
        query.readings.is_empty() || seen.insert(features())
    };
    own.chain(around).filter(is_new).collect()
}

fn are_related(stem: &str, other: &str) -> bool {
    let common = stem.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let longest = stem.len().max(other.len());
    (common >= 4 && common * 10 >= longest * 7) || share_most_pairs(stem, other)
}

/// Whether two words share at least 65 % of their pairs of letters.
fn share_most_pairs(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let all = (one.len() + other.len()).saturating_sub(2);
    // Words of very different length share few.
    if 2 * (one.len().min(other.len()).saturating_sub(1)) * 100 < all * 65 {
        return false;
    }
    let (mut used, mut shared) = (0_u128, 0);
    for pair in one.windows(2) {
        let free = |(at, own): &(usize, &[u8])| *own == pair && used & (1 << at) == 0;
        if let Some((at, _)) = other.windows(2).take(128).enumerate().find(free) {
            used |= 1 << at;
            shared += 2;
        }
    }
    all > 0 && shared * 100 >= all * 65
}

/// How rare a feature is, of whose items these are some.
#[allow(clippy::cast_precision_loss)]
fn rarity(entries: &[Entry], items: usize) -> f64 {
    let count: f64 = entries.iter().map(|entry| entry.weight.value()).sum();
    let total = items.max(1) as f64;
    (1.0 + (total - count + 0.5).max(0.5) / (count + 0.5)).ln()
}
