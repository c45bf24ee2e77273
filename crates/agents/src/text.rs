//! From what people type to something that can be compared: folded words, stems, concepts, turns of phrase.

pub(crate) mod language;
pub(crate) mod lexicon;
pub(crate) mod segments;
pub(crate) mod shelf;
pub(crate) mod spelling;
pub(crate) mod tokens;

use crate::{
    budget::{Budget, Spent},
    plain::lists::knows,
};
use lexicon::Lexicon;
use misy_domain::Language;
use spelling::Speller;
use tokens::Token;

/// What folding, stemming and looking up a token costs.
const STEPS_A_TOKEN: usize = 30;

/// A token's place in a list of readings: what it could stand for when answers are looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unit {
    /// The stem, unless the word carries no meaning of its own.
    pub(crate) stem: Option<String>,
    /// Concepts that it names.
    pub(crate) concepts: Vec<u16>,
    /// How much it counts: 1, or less within a phrase that already counts.
    pub(crate) weight: f64,
}

/// A text made ready for comparing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Analysis {
    /// All words.
    pub(crate) tokens: Vec<Token>,
    /// What they could stand for.
    pub(crate) units: Vec<Unit>,
    /// Cues found, each with how often.
    pub(crate) cues: Vec<(u16, u16)>,
    /// Whether each token is part of a cue.
    pub(crate) in_cue: Vec<bool>,
}

impl Analysis {
    /// Whether a cue was found, by name.
    pub(crate) fn has(&self, cue: &str) -> bool {
        Lexicon::get().cue(cue).is_some_and(|id| self.cues.iter().any(|(found, _)| *found == id))
    }

    /// Whether a concept was found, by name.
    pub(crate) fn means(&self, concept: &str) -> bool {
        let id = Lexicon::get().concept(concept);
        id.is_some_and(|id| self.units.iter().any(|unit| unit.concepts.contains(&id)))
    }
}

/// Analyses a text in a language; the speller mends words that neither the language nor the pack knows.
pub(crate) fn analyse(
    text: &str,
    language: Language,
    speller: Option<&Speller>,
    budget: &Budget<'_>,
) -> Result<Analysis, Spent> {
    let lexicon = Lexicon::get();
    budget.take(text.len() / 4)?;
    let mut tokens = tokens::tokens(text, language);
    budget.take(tokens.len() * STEPS_A_TOKEN)?;
    if let Some(speller) = speller {
        for token in tokens.iter_mut().filter(|token| !knows(&token.text)) {
            speller.mend(token, language, budget)?;
        }
    }
    let mut units: Vec<Unit> = tokens
        .iter()
        .map(|token| Unit {
            stem: (!token.function).then(|| token.stem.clone()),
            concepts: Vec::new(),
            weight: 1.0,
        })
        .collect();
    let mut covered = vec![false; tokens.len()];
    for found in lexicon.concepts(&tokens, language, budget)? {
        let range = found.start..found.end;
        if found.end - found.start == 1 {
            if !covered[found.start] && !units[found.start].concepts.contains(&found.name) {
                units[found.start].concepts.push(found.name);
            }
            continue;
        }
        let holder = range.clone().find(|at| !tokens[*at].function).unwrap_or(found.start);
        if !units[holder].concepts.contains(&found.name) {
            units[holder].concepts.push(found.name);
        }
        for at in range {
            covered[at] = true;
            if at != holder {
                units[at].weight = 0.5;
            }
        }
    }
    units.retain(|unit| unit.stem.is_some() || !unit.concepts.is_empty());
    let mut cues: Vec<(u16, u16)> = Vec::new();
    let mut in_cue = vec![false; tokens.len()];
    for found in lexicon.cues(&tokens, language, budget)? {
        match cues.iter_mut().find(|(name, _)| *name == found.name) {
            Some((_, count)) => *count += 1,
            None => cues.push((found.name, 1)),
        }
        in_cue[found.start..found.end].fill(true);
    }
    Ok(Analysis { tokens, units, cues, in_cue })
}
