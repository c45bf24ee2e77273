//! Mending misspelt words against what the language's lists and the pack know.

use super::{
    lexicon::{Lexicon, slot},
    shelf::Shelf,
    tokens::Token,
};
use crate::budget::{Budget, Spent};
use misy_domain::Language;
use std::{cmp::Ordering, collections::BTreeMap, sync::LazyLock};

/// Words so long may have two mistakes and still be no other word.
const LONG: usize = 9;
/// How many words are passed over by their letters alone in one step.
const PASSED_A_STEP: usize = 8;

/// Words that a misspelt one may stand for.
#[derive(Debug, Default)]
pub(crate) struct Words {
    known: Shelf,
    /// Which letters each of them has.
    letters: Box<[u32]>,
    /// How they sound, and what sounds so. `None` in English, which is not spelt by ear: a word sounds as it is written.
    sounds: Option<(Shelf, Box<[Heard]>)>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    /// Which letters the sound has.
    letters: u32,
    /// The first word that sounds so.
    first: u32,
    /// The first long word that sounds so.
    first_long: Option<u32>,
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
        let known = Shelf::new(words.filter(|word| fit_to_mend(word)));
        let letters = known.iter().map(letters).collect();
        if language == Language::En {
            return Self { known, letters, sounds: None };
        }
        let mut by_sound: BTreeMap<String, Heard> = BTreeMap::new();
        for (at, word) in (0..).zip(known.iter()) {
            let sound = sound(word, language);
            let letters = self::letters(&sound);
            let heard = by_sound.entry(sound).or_insert(Heard { letters, first: at, first_long: None });
            heard.first_long = heard.first_long.or((word.len() >= LONG).then_some(at));
        }
        let sounds = Shelf::new(by_sound.keys().map(String::as_str));
        Self { known, letters, sounds: Some((sounds, by_sound.into_values().collect())) }
    }

    fn sounds(&self) -> &Shelf {
        self.sounds.as_ref().map_or(&self.known, |(sounds, _)| sounds)
    }

    /// What sounds like the sound of this number.
    fn heard(&self, at: usize) -> Heard {
        if let Some((_, heard)) = &self.sounds {
            return heard[at];
        }
        let word = u32::try_from(at).unwrap_or(u32::MAX);
        let long = self.known.length(at) >= LONG;
        Heard { letters: self.letters[at], first: word, first_long: long.then_some(word) }
    }

    /// A word that sounds the same, or one letter away: the nearest in length, then the one whose letter is missed first,
    /// then the first in order.
    fn nearest(&self, word: &str, language: Language, budget: &Budget<'_>) -> Result<Option<&str>, Spent> {
        let heard = sound(word, language);
        if let Some(at) = self.sounds().find(&heard) {
            return Ok(Some(self.known.get(self.heard(at).first as usize)));
        }
        match self.one_letter_away(word, budget)? {
            None if word.len() >= LONG => self.near_in_sound(&heard, budget),
            near => Ok(near),
        }
    }

    fn one_letter_away(&self, word: &str, budget: &Budget<'_>) -> Result<Option<&str>, Spent> {
        budget.take(self.known.len() / PASSED_A_STEP)?;
        let own = letters(word);
        let mut best = None;
        for (at, letters) in self.letters.iter().enumerate() {
            if !may_be_near(own, *letters) || self.known.length(at).abs_diff(word.len()) > 1 {
                continue;
            }
            budget.take(1)?;
            let candidate = self.known.get(at);
            if one_apart(word, candidate) {
                // Words that begin alike and are as long come first, those that lack a letter last.
                let begins_otherwise = word.as_bytes()[0] != candidate.as_bytes()[0];
                let rank = match candidate.len().cmp(&word.len()) {
                    Ordering::Equal => (false, begins_otherwise, false),
                    Ordering::Greater => (false, begins_otherwise, true),
                    Ordering::Less => (true, false, false),
                };
                let found = (rank, missed_at(word, candidate), at);
                best = Some(best.map_or(found, |best| found.min(best)));
            }
        }
        Ok(best.map(|(_, _, at)| self.known.get(at)))
    }

    /// The long word whose sound is one apart.
    fn near_in_sound(&self, sound: &str, budget: &Budget<'_>) -> Result<Option<&str>, Spent> {
        let sounds = self.sounds();
        budget.take(sounds.len() / PASSED_A_STEP)?;
        let own = letters(sound);
        let mut best = None;
        for at in 0..sounds.len() {
            let Heard { letters, first_long: Some(long), .. } = self.heard(at) else { continue };
            if !may_be_near(own, letters) || sounds.length(at) != sound.len() {
                continue;
            }
            budget.take(1)?;
            let candidate = sounds.get(at);
            if one_apart(sound, candidate) {
                let found = (missed_at(sound, candidate), long);
                best = Some(best.map_or(found, |best| found.min(best)));
            }
        }
        Ok(best.map(|(_, at)| self.known.get(at as usize)))
    }

    fn bytes(&self) -> usize {
        let by_ear = self.sounds.as_ref();
        let sounds = by_ear.map_or(0, |(sounds, heard)| sounds.bytes() + size_of_val(&**heard));
        self.known.bytes() + size_of_val(&*self.letters) + sounds
    }
}

impl Speller {
    pub(crate) fn new<'a>(words: impl Iterator<Item = &'a str>, language: Language) -> Self {
        Self { pack: Words::new(words, language) }
    }

    /// Whether the pack uses a word.
    pub(crate) fn uses(&self, word: &str) -> bool {
        self.pack.known.find(word).is_some()
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.pack.bytes()
    }

    /// Mends a token that nothing knows, if something near is known.
    pub(crate) fn mend(
        &self,
        token: &mut Token,
        language: Language,
        budget: &Budget<'_>,
    ) -> Result<(), Spent> {
        let lexicon = Lexicon::get();
        let known =
            self.uses(&token.text) || Language::ALL.into_iter().any(|l| lexicon.knows(&token.text, l));
        if known || !fit_to_mend(&token.text) {
            return Ok(());
        }
        let near = match self.pack.nearest(&token.text, language, budget)? {
            Some(near) => Some(near),
            None => LISTS[slot(language)].nearest(&token.text, language, budget)?,
        };
        if let Some(near) = near {
            *token = Token::new(near.to_owned(), language);
        }
        Ok(())
    }
}

/// Short words have too many neighbours, and numbers are what they are.
fn fit_to_mend(word: &str) -> bool {
    word.len() >= 4 && word.len() <= 24 && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// Which letters a word has, one bit each.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |letters, letter| letters | 1 << (letter & 31))
}

/// Whether words with these letters can be one letter apart: at most one of them is only here and one only there.
fn may_be_near(one: u32, other: u32) -> bool {
    (one ^ other).count_ones() <= 2
}

/// Where a word that is one apart from another begins to differ: the first letter of the run that it differs in, or its
/// end if it only lacks a letter.
fn missed_at(word: &str, other: &str) -> usize {
    let (word, other) = (word.as_bytes(), other.as_bytes());
    if other.len() > word.len() {
        return word.len();
    }
    let same = word.iter().zip(other).take_while(|(own, other)| own == other).count();
    let run = word[..same].iter().rev().take_while(|letter| Some(*letter) == word.get(same)).count();
    same - run
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
        speller.mend(&mut token, language, &Budget::new(10_000)).unwrap();
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
