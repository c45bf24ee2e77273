//! Mending misspelt words against what the language's lists and the pack know.

use super::{
    lexicon::{Lexicon, slot},
    tokens::Token,
};
use misy_domain::Language;
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// Words so long may have two mistakes and still be no other word.
const LONG: usize = 9;

/// Words by what is left of them when a letter is missing, and by how they sound.
#[derive(Debug, Default)]
pub(crate) struct Words {
    known: HashSet<Box<str>>,
    deletes: HashMap<Box<str>, Vec<Box<str>>>,
    sounds: HashMap<Box<str>, Vec<Box<str>>>,
    /// Sounds by what is left of them when one is missing, for long words with two mistakes.
    near_sounds: HashMap<Box<str>, Vec<Box<str>>>,
}

static LISTS: LazyLock<[Words; 3]> =
    LazyLock::new(|| Language::ALL.map(|language| Words::new(Lexicon::get().vocabulary(language), language)));

/// Mends against one pack.
#[derive(Debug)]
pub(crate) struct Speller {
    pack: Words,
}

impl Words {
    fn new<'a>(words: impl Iterator<Item = &'a str>, language: Language) -> Self {
        let mut own = Self::default();
        let mut sorted: Vec<&str> = words.filter(|word| fit_to_mend(word)).collect();
        sorted.sort_unstable();
        for word in sorted {
            if !own.known.insert(word.into()) {
                continue;
            }
            for short in shortened(word) {
                own.deletes.entry(short.into()).or_default().push(word.into());
            }
            let heard = sound(word, language);
            if word.len() >= LONG {
                for short in shortened(&heard) {
                    own.near_sounds.entry(short.into()).or_default().push(word.into());
                }
            }
            own.sounds.entry(heard.into()).or_default().push(word.into());
        }
        own
    }

    /// A word that sounds the same, or one letter away; the nearest in length, then the first in order.
    fn nearest(&self, word: &str, language: Language) -> Option<&str> {
        let alike = self.sounds.get(sound(word, language).as_str()).and_then(|words| words.first());
        if let Some(alike) = alike {
            return Some(alike);
        }
        let mut best: Option<&str> = None;
        let keys = shortened(word).into_iter().chain(std::iter::once(word.to_owned()));
        for candidate in keys.filter_map(|key| self.deletes.get(key.as_str())).flatten() {
            let nearer = best.is_none_or(|best| rank(word, candidate) < rank(word, best));
            if nearer && one_apart(word, candidate) {
                best = Some(candidate);
            }
        }
        if best.is_none() {
            best = shortened(word).iter().find_map(|key| self.known.get(key.as_str()).map(AsRef::as_ref));
        }
        if best.is_none() && word.len() >= LONG {
            let heard = sound(word, language);
            let near =
                shortened(&heard).into_iter().filter_map(|key| self.near_sounds.get(key.as_str())).flatten();
            best = near.map(AsRef::as_ref).find(|near: &&str| one_apart(&heard, &sound(near, language)));
        }
        best
    }
}

/// Prefers candidates that begin alike and have the same length.
fn rank(word: &str, candidate: &str) -> (bool, usize) {
    let first = word.chars().next() != candidate.chars().next();
    (first, word.chars().count().abs_diff(candidate.chars().count()))
}

impl Speller {
    pub(crate) fn new<'a>(words: impl Iterator<Item = &'a str>, language: Language) -> Self {
        Self { pack: Words::new(words, language) }
    }

    /// Whether the pack uses a word.
    pub(crate) fn uses(&self, word: &str) -> bool {
        self.pack.known.contains(word)
    }

    /// Mends a token that nothing knows, if something near is known.
    pub(crate) fn mend(&self, token: &mut Token, language: Language) {
        let lexicon = Lexicon::get();
        let known =
            self.uses(&token.text) || Language::ALL.into_iter().any(|l| lexicon.knows(&token.text, l));
        if known || !fit_to_mend(&token.text) {
            return;
        }
        let near = self.pack.nearest(&token.text, language);
        if let Some(near) = near.or_else(|| LISTS[slot(language)].nearest(&token.text, language)) {
            *token = Token::new(near.to_owned(), language);
        }
    }
}

/// Short words have too many neighbours, and numbers are what they are.
fn fit_to_mend(word: &str) -> bool {
    word.len() >= 4 && word.len() <= 24 && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// The word without each of its letters.
fn shortened(word: &str) -> Vec<String> {
    (0..word.len()).map(|at| format!("{}{}", &word[..at], &word[at + 1..])).collect()
}

/// Whether one letter more, less, other or two swapped neighbours make one of the other. Both are ASCII.
fn one_apart(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = |(left, right): &(&u8, &u8)| left == right;
    let start = one.iter().zip(other).take_while(same).count();
    let end = one[start..].iter().rev().zip(other[start..].iter().rev()).take_while(same).count();
    match (&one[start..one.len() - end], &other[start..other.len() - end]) {
        ([] | [_], [] | [_]) => true,
        ([first, second], [third, fourth]) => first == fourth && second == third,
        _ => false,
    }
}

/// How a word sounds to people who spell by ear.
fn sound(word: &str, language: Language) -> String {
    if language == Language::En {
        return word.to_owned();
    }
    let mut sound = String::with_capacity(word.len());
    let letters: Vec<char> = word.chars().collect();
    for (at, c) in letters.iter().enumerate() {
        let next = letters.get(at + 1);
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let soft = matches!(next, Some('e' | 'i'));
        let heard = match c {
            'h' if !matches!(before, Some('c' | 'l' | 'n')) => continue,
            'v' => 'b',
            'z' => 's',
            'c' if soft => 's',
            'c' if next == Some(&'h') => 'c',
            'c' | 'q' => 'k',
            'u' if before == Some(&'q') => continue,
            'y' => 'i',
            'l' if language == Language::Es && next == Some(&'l') => 'i',
            'l' if language == Language::Es && before == Some(&'l') => continue,
            'g' if soft && language == Language::Es => 'j',
            'm' if matches!(next, Some('b' | 'p' | 'v')) => 'n',
            other => *other,
        };
        if sound.ends_with(heard) {
            continue;
        }
        sound.push(heard);
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(word: &str, language: Language) -> String {
        let speller = Speller::new(["blanqueamiento", "endodoncia"].into_iter(), language);
        let mut token = Token::new(word.to_owned(), language);
        speller.mend(&mut token, language);
        token.text
    }

    #[test]
    fn a_letter_too_many_or_too_few_and_spelling_by_ear_are_mended() {
        assert_eq!(mended("blanqeamiento", Language::Es), "blanqueamiento");
        assert_eq!(mended("blanquemaiento", Language::Es), "blanqueamiento");
        assert_eq!(mended("endodonsia", Language::Es), "endodoncia");
        assert_eq!(mended("estasionamiento", Language::Es), "estacionamiento");
        assert_eq!(mended("warrenty", Language::En), "warranty");
    }

    #[test]
    fn words_that_are_near_nothing_stay() {
        assert_eq!(mended("xilofonista", Language::Es), "xilofonista");
        assert_eq!(mended("abc", Language::Es), "abc");
    }
}
