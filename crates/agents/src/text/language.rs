//! Which of three languages a text is in.

use super::{lexicon::Lexicon, tokens::words};
use misy_domain::Language;

/// What speaks for a language before a word is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prior {
    /// The language of the conversation so far.
    pub(crate) session: Option<Language>,
    /// The language of the client's locale.
    pub(crate) locale: Option<Language>,
    /// The language of the pack.
    pub(crate) pack: Language,
}

/// The language of a text. A text that tells nothing keeps the conversation's language, then the locale's, then the
/// pack's.
pub(crate) fn detect(text: &str, prior: Prior) -> Language {
    let lexicon = Lexicon::get();
    let words = words(text);
    let mut scores = Language::ALL.map(|language| {
        let function = |word: &str| lexicon.is_function_word(word, language);
        let mut score = 0.0;
        for word in &words {
            let word = word.as_str();
            // A word that several languages share tells little.
            if function(word) {
                score += share(2.0, lexicon.knowers(word, Lexicon::is_function_word));
            } else if lexicon.is_abbreviation(word, language) {
                score += share(1.0, lexicon.knowers(word, Lexicon::is_abbreviation));
            } else if lexicon.knows(word, language) {
                score += share(1.2, lexicon.knowers(word, Lexicon::knows));
            } else if word.len() > 4 {
                score += ending(word, language);
            }
        }
        score + letters(text, language)
    });
    for (score, language) in scores.iter_mut().zip(Language::ALL) {
        let before = if prior.session == Some(language) { 0.9 } else { 0.0 };
        let place = if prior.session.or(prior.locale).unwrap_or(prior.pack) == language { 0.5 } else { 0.0 };
        *score += before + place;
    }
    let mut best = prior.session.or(prior.locale).unwrap_or(prior.pack);
    let of = |language: Language| scores[super::lexicon::slot(language)];
    for language in Language::ALL {
        if of(language) > of(best) + 1e-9 {
            best = language;
        }
    }
    best
}

#[allow(clippy::cast_precision_loss)]
fn share(weight: f64, knowers: usize) -> f64 {
    let knowers = knowers.max(1) as f64;
    weight / (knowers * knowers)
}

/// Letters that only some languages use.
fn letters(text: &str, language: Language) -> f64 {
    let mut score: f64 = 0.0;
    for c in text.chars().flat_map(char::to_lowercase) {
        score += match (language, c) {
            (Language::Es, 'ñ' | '¿' | '¡') | (Language::Pt, 'ã' | 'õ' | 'ç') => 3.0,
            (Language::Pt, 'ê' | 'â' | 'ô' | 'à') => 2.0,
            (Language::En, 'w' | '’') => 0.2,
            _ => 0.0,
        };
    }
    score.min(9.0)
}

/// Endings that only some languages use.
fn ending(word: &str, language: Language) -> f64 {
    let endings: &[&str] = match language {
        Language::Es => &[
            "cion", "ciones", "dad", "dades", "iendo", "uela", "illo", "illa", "aje", "ieron", "aron",
            "miento",
        ],
        Language::En => &["ing", "tion", "ness", "ight", "ould", "ally", "ment", "ed", "ship", "th"],
        Language::Pt => &[
            "cao", "coes", "dade", "dades", "indo", "inho", "inha", "agem", "aram", "eram", "mento", "ndo",
            "eira",
        ],
    };
    if endings.iter().any(|ending| word.ends_with(ending)) { 0.7 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANISH: Prior = Prior { session: None, locale: None, pack: Language::Es };

    #[test]
    fn common_messages_are_told_apart() {
        let table = [
            ("hola, cuánto cuesta?", Language::Es),
            ("oi, quanto custa?", Language::Pt),
            ("hi, how much is it?", Language::En),
            ("vcs abrem sabado", Language::Pt),
            ("tienen hora pal sabado", Language::Es),
            ("do u open saturdays", Language::En),
            ("quero remarcar minha consulta", Language::Pt),
            ("quiero cambiar mi cita", Language::Es),
            ("hi", Language::En),
            ("oi", Language::Pt),
            ("ok", Language::Es),
            ("👍", Language::Es),
            ("", Language::Es),
        ];
        for (text, language) in table {
            assert_eq!(detect(text, SPANISH), language, "{text}");
        }
    }

    #[test]
    fn what_tells_nothing_keeps_the_conversation_s_language() {
        let prior = Prior { session: Some(Language::Pt), locale: Some(Language::En), pack: Language::Es };
        assert_eq!(detect("ok", prior), Language::Pt);
        assert_eq!(detect("ok", Prior { session: None, ..prior }), Language::En);
        assert_eq!(detect("where are you located?", prior), Language::En);
    }
}
