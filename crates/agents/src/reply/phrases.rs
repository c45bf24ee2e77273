//! Fixed phrases in three languages, from `data/phrases.json`.
//!
//! `{te|le}` is the form for tú and for usted; `{name}` is a value to fill in.

use crate::style::Address;
use misy_domain::Language;
use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

type Table = HashMap<String, BTreeMap<String, Vec<String>>>;

static PHRASES: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/phrases.json")).unwrap_or_default());

/// Which of several wordings is said: the same message always gets the same one.
pub(crate) fn seed(text: &str) -> u64 {
    // FNV-1a
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A phrase with its values filled in; values are not read for further marks.
pub(crate) fn say(
    name: &str,
    language: Language,
    address: Address,
    seed: u64,
    values: &[(&str, &str)],
) -> String {
    let wordings = PHRASES.get(name).and_then(|phrase| phrase.get(language.code()));
    let Some(wordings) = wordings.filter(|wordings| !wordings.is_empty()) else { return String::new() };
    let at = usize::try_from(seed % wordings.len() as u64).unwrap_or(0);
    fill(&wordings[at], address, values)
}

fn fill(phrase: &str, address: Address, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(phrase.len() + 40);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((mark, after)) = after.split_once('}') else { break };
        match mark.split_once('|') {
            Some((familiar, _)) if address == Address::Familiar => filled.push_str(familiar),
            Some((_, formal)) => filled.push_str(formal),
            None => {
                filled.push_str(values.iter().find(|(name, _)| *name == mark).map_or("", |(_, value)| value));
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_every_language() {
        assert!(PHRASES.len() > 30);
        for (name, languages) in PHRASES.iter() {
            for language in Language::ALL {
                assert!(
                    languages.get(language.code()).is_some_and(|all| !all.is_empty()),
                    "{name} {language}"
                );
            }
        }
    }

    #[test]
    fn values_are_not_read_for_marks() {
        let said = fill("{Te|Le} digo {x}.", Address::Formal, &[("x", "{te|le} {x}")]);
        assert_eq!(said, "Le digo {te|le} {x}.");
    }
}
