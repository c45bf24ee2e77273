//! The word lists in `data/`: concepts, cues, function words and abbreviations, read once.

use super::tokens::{Token, fold, stem};
use crate::budget::{Budget, Spent};
use misy_domain::Language;
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

/// How many words a `*` within a phrase may stand for.
const GAP: usize = 3;

/// A word list entry found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Which concept or cue.
    pub(crate) name: u16,
    /// The first token.
    pub(crate) start: usize,
    /// One past the last token.
    pub(crate) end: usize,
}

/// The word lists.
pub(crate) struct Lexicon {
    concepts: Table,
    cues: Table,
    function: [HashSet<String>; 3],
    abbreviations: [HashMap<String, String>; 3],
    vocabulary: [HashSet<String>; 3],
}

/// Named entries in three languages.
struct Table {
    names: Vec<String>,
    by_name: HashMap<String, u16>,
    entries: [Entries; 3],
}

/// The entries of a language, by how they begin.
#[derive(Default)]
struct Entries {
    words: HashMap<String, Vec<Pattern>>,
    prefixes: HashMap<String, Vec<Pattern>>,
    stems: HashMap<String, Vec<u16>>,
}

struct Pattern {
    name: u16,
    rest: Vec<Element>,
}

enum Element {
    Word(String),
    Prefix(String),
    Gap,
}

impl Element {
    fn fits(&self, word: &str) -> bool {
        match self {
            Self::Word(own) => own == word,
            Self::Prefix(own) => word.starts_with(own.as_str()),
            Self::Gap => true,
        }
    }
}

pub(crate) fn slot(language: Language) -> usize {
    match language {
        Language::Es => 0,
        Language::En => 1,
        Language::Pt => 2,
    }
}

impl Lexicon {
    pub(crate) fn get() -> &'static Self {
        &LEXICON
    }

    fn read() -> Self {
        let mut vocabulary: [HashSet<String>; 3] = Default::default();
        let concepts = Table::read(include_str!("../../data/concepts.txt"), true, &mut vocabulary);
        let cues = Table::read(include_str!("../../data/cues.txt"), false, &mut vocabulary);
        let mut function: [HashSet<String>; 3] = Default::default();
        for (language, words) in lines(include_str!("../../data/function_words.txt")) {
            for slot in slots(language) {
                let words = words.split_whitespace().flat_map(|word| {
                    let folded = fold(word);
                    folded.split('\'').map(str::to_owned).collect::<Vec<_>>()
                });
                function[slot].extend(words);
                vocabulary[slot].extend(function[slot].iter().cloned());
            }
        }
        let mut abbreviations: [HashMap<String, String>; 3] = Default::default();
        for (language, words) in lines(include_str!("../../data/abbreviations.txt")) {
            for pair in words.split_whitespace() {
                let Some((short, long)) = pair.split_once('=') else { continue };
                for slot in slots(language) {
                    abbreviations[slot].insert(fold(short), long.to_owned());
                }
            }
        }
        Self { concepts, cues, function, abbreviations, vocabulary }
    }

    pub(crate) fn concept(&self, name: &str) -> Option<u16> {
        self.concepts.by_name.get(name).copied()
    }

    pub(crate) fn cue(&self, name: &str) -> Option<u16> {
        self.cues.by_name.get(name).copied()
    }

    /// The names of all cues, in order.
    pub(crate) fn cue_names(&self) -> &[String] {
        &self.cues.names
    }

    pub(crate) fn is_function_word(&self, word: &str, language: Language) -> bool {
        self.function[slot(language)].contains(word)
    }

    /// What an abbreviation stands for; words joined by hyphens.
    pub(crate) fn written_out(&self, word: &str, language: Language) -> Option<&str> {
        self.abbreviations[slot(language)].get(word).map(String::as_str)
    }

    /// Whether a language's lists know a word.
    pub(crate) fn knows(&self, word: &str, language: Language) -> bool {
        self.vocabulary[slot(language)].contains(word)
    }

    /// All words that a language's lists know.
    pub(crate) fn vocabulary(&self, language: Language) -> impl Iterator<Item = &str> {
        self.vocabulary[slot(language)].iter().map(String::as_str)
    }

    /// How many languages know a word as a function word, an abbreviation or otherwise.
    pub(crate) fn knowers(&self, word: &str, table: fn(&Self, &str, Language) -> bool) -> usize {
        Language::ALL.into_iter().filter(|language| table(self, word, *language)).count()
    }

    pub(crate) fn is_abbreviation(&self, word: &str, language: Language) -> bool {
        self.abbreviations[slot(language)].contains_key(word)
    }

    /// Concepts in a text, phrases before single words.
    pub(crate) fn concepts(
        &self,
        tokens: &[Token],
        language: Language,
        budget: &Budget<'_>,
    ) -> Result<Vec<Found>, Spent> {
        let mut found = self.find(&self.concepts, tokens, language, budget)?;
        found.sort_by_key(|found| (std::cmp::Reverse(found.end - found.start), found.start));
        Ok(found)
    }

    /// Cues in a text.
    pub(crate) fn cues(
        &self,
        tokens: &[Token],
        language: Language,
        budget: &Budget<'_>,
    ) -> Result<Vec<Found>, Spent> {
        self.find(&self.cues, tokens, language, budget)
    }

    /// Entries of the text's language, and those of the others that begin with a word it does not know.
    fn find(
        &self,
        table: &Table,
        tokens: &[Token],
        language: Language,
        budget: &Budget<'_>,
    ) -> Result<Vec<Found>, Spent> {
        let mut found = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let own = self.knows(&token.text, language);
            for other in Language::ALL {
                if other == language || !own {
                    table.entries[slot(other)].at(tokens, at, other == language, &mut found, budget)?;
                }
            }
        }
        found.sort_by_key(|found: &Found| (found.name, found.start, found.end));
        found.dedup();
        Ok(found)
    }
}

impl Table {
    fn read(text: &str, stems: bool, vocabulary: &mut [HashSet<String>; 3]) -> Self {
        let mut table = Self { names: Vec::new(), by_name: HashMap::new(), entries: Default::default() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut columns = line.split('|').map(str::trim);
            let name = columns.next().unwrap_or_default().to_owned();
            // A name may have several lines.
            let id = table.by_name.get(&name).copied().unwrap_or_else(|| {
                let id = u16::try_from(table.names.len()).unwrap_or(u16::MAX);
                table.by_name.insert(name.clone(), id);
                table.names.push(name);
                id
            });
            for (slot, column) in columns.take(3).enumerate() {
                for entry in
                    column.split(',').map(|entry| fold(entry.trim())).filter(|entry| !entry.is_empty())
                {
                    let words = entry.split_whitespace().filter(|word| !word.ends_with('+') && *word != "*");
                    vocabulary[slot].extend(words.map(str::to_owned));
                    table.entries[slot].add(id, &entry, stems.then_some(Language::ALL[slot]));
                }
            }
        }
        table
    }
}

impl Entries {
    fn add(&mut self, name: u16, entry: &str, stems: Option<Language>) {
        let mut elements = entry.split_whitespace().map(|word| match word.strip_suffix('+') {
            Some(prefix) => Element::Prefix(prefix.to_owned()),
            None if word == "*" => Element::Gap,
            None => Element::Word(word.to_owned()),
        });
        let first = elements.next();
        let rest: Vec<Element> = elements.collect();
        match first {
            Some(Element::Word(word)) => {
                if let Some(language) = stems.filter(|_| rest.is_empty() && word.len() >= 4) {
                    self.stems.entry(stem(&word, language)).or_default().push(name);
                }
                self.words.entry(word).or_default().push(Pattern { name, rest });
            }
            Some(Element::Prefix(prefix)) => {
                self.prefixes.entry(prefix).or_default().push(Pattern { name, rest });
            }
            Some(Element::Gap) | None => {}
        }
    }

    fn at(
        &self,
        tokens: &[Token],
        start: usize,
        own_language: bool,
        found: &mut Vec<Found>,
        budget: &Budget<'_>,
    ) -> Result<(), Spent> {
        let word = tokens[start].text.as_str();
        let before = found.len();
        let prefixes =
            word.char_indices().skip(2).filter_map(|(at, c)| self.prefixes.get(&word[..at + c.len_utf8()]));
        for pattern in self.words.get(word).into_iter().chain(prefixes).flatten() {
            budget.take(2)?;
            if let Some(end) = follow(&pattern.rest, tokens, start + 1) {
                found.push(Found { name: pattern.name, start, end });
            }
        }
        if found.len() == before && own_language && word.len() >= 4 && !tokens[start].function {
            let names = self.stems.get(&tokens[start].stem).into_iter().flatten();
            found.extend(names.map(|name| Found { name: *name, start, end: start + 1 }));
        }
        Ok(())
    }
}

/// Where the rest of a pattern ends, if it follows here.
fn follow(rest: &[Element], tokens: &[Token], at: usize) -> Option<usize> {
    match rest {
        [] => Some(at),
        [Element::Gap, after @ ..] => (0..=GAP)
            .filter(|skip| at + skip <= tokens.len())
            .find_map(|skip| follow(after, tokens, at + skip)),
        [element, after @ ..] => {
            let fits = tokens.get(at).is_some_and(|token| element.fits(&token.text));
            if fits { follow(after, tokens, at + 1) } else { None }
        }
    }
}

/// The `language | rest` lines of a file.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('|'))
        .map(|(language, rest)| (language.trim(), rest.trim()))
}

/// The languages that a line is for.
fn slots(code: &str) -> std::ops::Range<usize> {
    match Language::ALL.iter().position(|language| language.code() == code) {
        Some(at) => at..at + 1,
        None => 0..3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::tokens;

    fn cues(text: &str, language: Language) -> Vec<&'static str> {
        let lexicon = Lexicon::get();
        let mut names: Vec<&str> = lexicon
            .cues(&tokens(text, language), language, &Budget::new(100_000))
            .unwrap()
            .into_iter()
            .map(|found| lexicon.cue_names()[usize::from(found.name)].as_str())
            .collect();
        names.dedup();
        names
    }

    #[test]
    fn a_gap_stands_for_a_few_words() {
        assert!(cues("quiero hablar con una buena persona", Language::Es).contains(&"ask_person"));
        assert!(!cues("hablar es lo que más le gusta a esa persona", Language::Es).contains(&"ask_person"));
    }

    #[test]
    fn another_language_is_read_only_where_the_own_one_knows_no_word() {
        assert!(cues("unsubscribe por favor", Language::Es).contains(&"opt_out"));
    }

    #[test]
    fn every_line_of_the_lists_has_three_languages() {
        for text in [include_str!("../../data/concepts.txt"), include_str!("../../data/cues.txt")] {
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                assert_eq!(line.split('|').count(), 4, "{line}");
            }
        }
    }
}
