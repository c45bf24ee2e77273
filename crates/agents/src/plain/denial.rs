//! What a message says it does not want: "I don't want A, I want B", "anything but C".

use crate::plain::lists::{ANYTHING, BUT, WISHES};
use crate::text::tokens::words;

/// A message without what it only denies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Denial {
    /// What is left to be understood.
    pub(crate) kept: String,
    /// What is to be left out of what is offered, in the message's words.
    pub(crate) but: Option<String>,
}

const DENIALS: [&[&str]; 22] = [
    &["no", "quiero"],
    &["no", "queremos"],
    &["no", "necesito"],
    &["no", "busco"],
    &["no", "me", "interesa"],
    &["no", "me", "duele"],
    &["no", "me", "sirve"],
    &["no", "vengo"],
    &["nao", "quero"],
    &["nao", "preciso"],
    &["nao", "estou"],
    &["nao", "e", "para"],
    &["i", "don", "t", "want"],
    &["i", "don", "t", "need"],
    &["don", "t", "want"],
    &["don", "t", "need"],
    &["not", "looking"],
    &["not", "interested"],
    &["i", "m", "not", "looking"],
    &["dont", "want"],
    &["i", "dont", "want"],
    &["i", "dont", "need"],
];

/// Takes apart what is denied and what is wanted.
pub(crate) fn read(text: &str) -> Denial {
    if let Some((before, but)) = anything_but(text) {
        return Denial { kept: before, but: Some(but) };
    }
    let clauses: Vec<&str> = text.split_inclusive([',', ';', '.', '\n', '!', '?']).collect();
    let denies = |clause: &str| {
        let said = words(clause);
        let said: Vec<&str> = said
            .iter()
            .map(String::as_str)
            .skip_while(|word| ["hola", "oi", "hi", "pero", "but"].contains(word))
            .collect();
        DENIALS.iter().any(|denial| said.starts_with(denial))
    };
    let wishes = |clause: &&str| {
        let said = words(clause);
        said.len() >= 2 && said.iter().take(2).any(|word| WISHES.contains(&word.as_str()))
    };
    let kept: Vec<&str> = clauses.iter().copied().filter(|clause| !denies(clause)).collect();
    if kept.len() < clauses.len() && kept.iter().any(wishes) {
        return Denial { kept: kept.concat().trim().to_owned(), but: None };
    }
    Denial { kept: text.to_owned(), but: None }
}

/// "Cualquier cosa menos brackets": what goes before, and what is left out.
fn anything_but(text: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let plain: Vec<String> = parts.iter().map(|part| words(part).concat()).collect();
    let at = plain.iter().position(|word| BUT.contains(&word.as_str()))?;
    let near = at.saturating_sub(2);
    if at == 0 || !plain[near..at].iter().any(|word| ANYTHING.contains(&word.as_str())) {
        return None;
    }
    let but = parts[at + 1..].join(" ");
    (!but.is_empty()).then(|| (parts[..at].join(" "), but))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_denied_goes() {
        let kept = |text: &str| read(text).kept;
        assert_eq!(kept("no quiero una limpieza, quiero un blanqueamiento"), "quiero un blanqueamiento");
        assert_eq!(kept("I don't want a tune-up, I need a flat fix"), "I need a flat fix");
        assert_eq!(kept("no quiero pagar tanto"), "no quiero pagar tanto");
        assert_eq!(kept("no necesito factura, gracias"), "no necesito factura, gracias");
        let but = read("quiero cualquier cosa menos brackets");
        assert_eq!((but.kept.as_str(), but.but.as_deref()), ("quiero cualquier cosa", Some("brackets")));
        assert_eq!(read("tengo menos de 18").but, None);
    }
}
