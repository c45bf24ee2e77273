//! From the texts of a pack to its index.

use super::index::{Entry, Index, Kind, Weight};
use crate::{
    budget::{Budget, Spent},
    text::{Analysis, analyse, shelf::Shelf},
};
use misy_domain::Language;
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

/// What items are found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Feature {
    Stem(String),
    Concept(u16),
}

/// Collects what items hold; features are numbered as they come, until the end.
pub(super) struct Builder<'a> {
    language: Language,
    budget: &'a Budget<'a>,
    features: HashMap<Feature, u32>,
    held: Vec<(u32, Entry)>,
    asked: Vec<(u32, Entry)>,
    item_of_variant: Vec<u16>,
    items: u16,
}

impl<'a> Builder<'a> {
    pub(super) fn new(language: Language, budget: &'a Budget<'a>) -> Self {
        Self {
            language,
            budget,
            features: HashMap::new(),
            held: Vec::new(),
            asked: Vec::new(),
            item_of_variant: Vec::new(),
            items: 0,
        }
    }

    /// Adds an item: the ways in which it is asked for, and what else it says. A pack has far fewer than 65,536 of either.
    pub(super) fn item<'t>(
        &mut self,
        variants: impl IntoIterator<Item = &'t str>,
        rest: impl IntoIterator<Item = (&'t str, Weight)>,
    ) -> Result<(), Spent> {
        let mut fields: BTreeMap<u32, Weight> = BTreeMap::new();
        for text in variants {
            let at = place(self.item_of_variant.len());
            for (feature, weight) in self.features_of(text)? {
                fields.insert(feature, Weight::Full);
                self.asked.push((feature, Entry { at, weight }));
            }
            self.item_of_variant.push(self.items);
        }
        for (text, weight) in rest {
            for (feature, _) in self.features_of(text)? {
                let own = fields.entry(feature).or_insert(weight);
                *own = weight.min(*own);
            }
        }
        let at = self.items;
        self.held.extend(fields.into_iter().map(|(feature, weight)| (feature, Entry { at, weight })));
        self.items += 1;
        Ok(())
    }

    /// Makes words known that no item is found by.
    pub(super) fn mention(&mut self, text: &str) -> Result<(), Spent> {
        self.features_of(text).map(drop)
    }

    /// How many items and ways of asking there are until now.
    pub(super) fn places(&self) -> (u16, u16) {
        (self.items, place(self.item_of_variant.len()))
    }

    pub(super) fn finish(mut self, faqs: (u16, u16)) -> Result<Index, Spent> {
        self.budget.take(self.features.len() * 4 + self.held.len() + self.asked.len())?;
        let mut features: Vec<(Feature, u32)> = std::mem::take(&mut self.features).into_iter().collect();
        features.sort_unstable();
        let mut number = vec![0_u32; features.len()];
        for (new, (_, old)) in (0..).zip(&features) {
            number[*old as usize] = new;
        }
        for (feature, _) in self.held.iter_mut().chain(&mut self.asked) {
            *feature = number[*feature as usize];
        }
        let stems = features.iter().filter_map(|(feature, _)| match feature {
            Feature::Stem(stem) => Some(stem.as_str()),
            Feature::Concept(_) => None,
        });
        let stems = Shelf::new(stems);
        let concepts = features.iter().filter_map(|(feature, _)| match feature {
            Feature::Concept(concept) => Some(*concept),
            Feature::Stem(_) => None,
        });
        let all = self.places();
        let kind = |items: Range<u16>, variants: Range<u16>| Kind { items, variants };
        let kinds = (kind(0..faqs.0, 0..faqs.1), kind(faqs.0..all.0, faqs.1..all.1));
        Ok(Index::new((stems, concepts.collect()), &self.held, &self.asked, &self.item_of_variant, kinds))
    }

    /// The features of a text, in its order, each once and as strongly as it stands anywhere.
    fn features_of(&mut self, text: &str) -> Result<Vec<(u32, Weight)>, Spent> {
        let analysis: Analysis = analyse(text, self.language, None, self.budget)?;
        let mut features: Vec<(u32, Weight)> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for unit in analysis.units {
            // A concept says more about a question than the word that names it.
            let (whole, word) = if unit.weight < 1.0 {
                (Weight::Half, Weight::HalfWord)
            } else {
                (Weight::Full, Weight::Word)
            };
            let concepts = unit.concepts.into_iter().map(|concept| (Feature::Concept(concept), whole));
            for (feature, weight) in concepts.chain(unit.stem.map(|stem| (Feature::Stem(stem), word))) {
                let next = u32::try_from(self.features.len()).unwrap_or(u32::MAX);
                let id = *self.features.entry(feature).or_insert(next);
                let place = *places.entry(id).or_insert(features.len());
                match features.get_mut(place) {
                    Some((_, own)) => *own = weight.min(*own),
                    None => features.push((id, weight)),
                }
            }
        }
        Ok(features)
    }
}

fn place(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
