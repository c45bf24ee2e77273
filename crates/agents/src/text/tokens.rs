//! Words: folded, written out, stemmed.

use super::lexicon::Lexicon;
use misy_domain::Language;
use rust_stemmers::{Algorithm, Stemmer};
use std::sync::LazyLock;

/// No message needs more words than these to be understood; the rest is not looked at.
const MOST_TOKENS: usize = 400;
/// Longer runs of letters are no words.
const LONGEST: usize = 40;

static STEMMERS: LazyLock<[Stemmer; 3]> =
    LazyLock::new(|| [Algorithm::Spanish, Algorithm::English, Algorithm::Portuguese].map(Stemmer::create));

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Lower case, without accents, abbreviations written out, misspellings mended.
    pub(crate) text: String,
    /// The stem in the text's language.
    pub(crate) stem: String,
    /// Whether it carries little meaning of its own.
    pub(crate) function: bool,
}

impl Token {
    pub(crate) fn new(text: String, language: Language) -> Self {
        let stem = stem(&text, language);
        let function = Lexicon::get().is_function_word(&text, language) || text.chars().count() < 2;
        Self { text, stem, function }
    }
}

/// The stem of a folded word.
pub(crate) fn stem(word: &str, language: Language) -> String {
    if word.len() < 4 || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let stemmer = match language {
        Language::Es => &STEMMERS[0],
        Language::En => &STEMMERS[1],
        Language::Pt => &STEMMERS[2],
    };
    let stem = stemmer.stem(word);
    // Without accents the stemmers leave some endings on; a final vowel never tells words apart here.
    let bare = stem.trim_end_matches(['a', 'e', 'i', 'o']);
    if bare.len() >= 3 { bare.to_owned() } else { stem.into_owned() }
}

/// Lower case without accents; full-width letters become plain ones and combining marks go.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        folded.push(match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ª' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'º' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ñ' => 'n',
            'ç' => 'c',
            '\u{0300}'..='\u{036F}' | '\u{200B}'..='\u{200F}' | '\u{FEFF}' | '\u{FE0F}' => continue,
            '\u{FF10}'..='\u{FF19}' | '\u{FF41}'..='\u{FF5A}' => {
                char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c)
            }
            '’' | '´' | '`' => '\'',
            other => other,
        });
    }
    folded
}

/// Three or more of the same letter in a row are one: "holaaa".
fn calm(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let mut calm = String::with_capacity(word.len());
    let mut at = 0;
    while at < letters.len() {
        let run = letters[at..].iter().take_while(|c| **c == letters[at]).count();
        let keep =
            if run >= 3 && letters[at].is_alphabetic() && run != letters.len() { 1 } else { run.min(3) };
        let keep = if letters[at].is_ascii_digit() { run } else { keep };
        calm.extend(std::iter::repeat_n(letters[at], keep));
        at += run;
    }
    calm
}

/// The folded words of a text as written, before anything is read into them.
pub(crate) fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MOST_TOKENS)
        .map(|word| calm(&word.chars().take(LONGEST).collect::<String>()))
        .collect()
}

/// The tokens of a text in a language.
pub(crate) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let lexicon = Lexicon::get();
    let mut tokens = Vec::new();
    for word in words(text) {
        match lexicon.written_out(&word, language) {
            Some(long) => tokens.extend(long.split('-').map(|part| Token::new(part.to_owned(), language))),
            None => tokens.push(Token::new(word, language)),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_makes_the_same_word_of_every_spelling() {
        assert_eq!(words("¡HOLAAA! Atención, año"), ["hola", "atencion", "ano"]);
        assert_eq!(words("ate\u{301}"), ["ate"]);
        assert_eq!(words("100000 kkkkkk"), ["100000", "kkk"]);
    }

    #[test]
    fn what_is_short_is_written_out_in_its_language() {
        let texts = |text, language| -> Vec<String> {
            tokens(text, language).into_iter().map(|token| token.text).collect()
        };
        assert_eq!(texts("xq no", Language::Es), ["porque", "no"]);
        assert_eq!(texts("vcs", Language::Pt), ["voces"]);
        assert_eq!(texts("can u", Language::En), ["can", "you"]);
    }
}
