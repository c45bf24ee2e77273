//! Whoever asks for a person, in any wording.

use crate::plain::lists::{A, ANYBODY, ATTEND, BESIDE, HAND_OVER, MACHINES, SPEAK, STAFF, WANT, WITH};
use crate::text::tokens::Token;

/// How a question begins about what answers.
const ASKING: [&str; 22] = [
    "eres un",
    "eres una",
    "eres humano",
    "eres humana",
    "eres real",
    "es usted",
    "hablo con",
    "estoy hablando",
    "hablando con",
    "are you",
    "am i",
    "is this",
    "voce e",
    "vc e",
    "estou falando",
    "to falando",
    "falo com",
    "e voce",
    "usted es",
    "me responde una",
    "esto lo",
    "quien responde",
];

/// Whether the words ask for a person.
pub(crate) fn is_asked_for(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    if words.is_empty() || words.len() > 25 || asks_what_answers(&words) {
        return false;
    }
    let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| list.contains(word));
    let someone = |at: usize| is(at, &STAFF) || is(at, &ANYBODY);
    let staff_alone = words.iter().any(|word| STAFF.contains(word))
        && words.iter().all(|word| STAFF.contains(word) || ANYBODY.contains(word) || BESIDE.contains(word));
    // "Persona real", "una persona": short, and nothing else is said.
    let anybody_alone = words.len() <= 4
        && words.iter().any(|word| ["persona", "person", "pessoa"].contains(word))
        && words.iter().all(|word| ANYBODY.contains(word) || BESIDE.contains(word));
    let near = |from: usize, list: &[&str], reach: usize| {
        (from + 1..=from + reach)
            .any(|at| someone(at) && words[from + 1..at].iter().all(|word| list.contains(word)))
    };
    let speaks = (0..words.len()).any(|at| is(at, &SPEAK) && near(at, &WITH, 4));
    let hands_over = (0..words.len()).any(|at| {
        let to_me = is(at, &["pasame", "paseme", "pasenme", "ponme", "pongame", "transfiereme"])
            || words[at.saturating_sub(2)..words.len().min(at + 2)]
                .iter()
                .any(|word| ["me", "nos"].contains(word));
        is(at, &HAND_OVER) && to_me && near(at, &WITH, 4)
    });
    let attends = (0..words.len()).any(|at| {
        let around = at.saturating_sub(5)..words.len().min(at + 5);
        let to_me = words[around.clone()].iter().any(|word| ["me", "nos"].contains(word))
            || words[at].ends_with("rme");
        is(at, &ATTEND) && to_me && around.into_iter().any(someone)
    });
    let wants = (0..words.len()).any(|at| {
        let last = |end: usize| {
            end + 1 >= words.len() || BESIDE.contains(&words[end + 1]) || STAFF.contains(&words[end + 1])
        };
        is(at, &WANT)
            && (at + 1..=at + 4).any(|end| {
                let only = is(end, &STAFF) || (is(end, &["persona", "person", "pessoa"]) && last(end));
                only && words[at + 1..end].iter().all(|word| A.contains(word))
            })
    });
    staff_alone || anybody_alone || speaks || hands_over || attends || wants
}

/// Whether nothing is asked but what answers: "are you a real person?".
pub(crate) fn is_asked_what_answers(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let lists: [&[&str]; 4] = [&STAFF, &ANYBODY, &MACHINES, &BESIDE];
    let known = |token: &Token| {
        super::is_filler(token) || lists.iter().any(|list| list.contains(&token.text.as_str()))
    };
    asks_what_answers(&words) && tokens.iter().all(known)
}

/// "Are you a person?", "¿hablo con un bot?": asks what answers, not for somebody else. So does a question about the product.
fn asks_what_answers(words: &[&str]) -> bool {
    let machine = words.iter().any(|word| MACHINES.contains(word));
    let starts = |with: &[&str]| words.windows(with.len()).any(|window| window == with);
    let wishes = ["quiero", "necesito", "puedo", "want", "need", "can", "quero", "posso", "prefiero"];
    machine && !words.iter().any(|word| wishes.contains(word)) && !starts(&["no", "quiero"])
        || ASKING.iter().any(|phrase| starts(&phrase.split(' ').collect::<Vec<_>>()))
            && !words.iter().any(|word| wishes.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::tokens;
    use misy_domain::Language::{En, Es, Pt};

    #[test]
    fn somebody_to_attend_is_a_person() {
        for (text, language) in [("tem alguém aí pra me atender?", Pt), ("me atiende alguien?", Es)] {
            let tokens = tokens(text, language);
            assert!(is_asked_for(&tokens), "{:?}", tokens.iter().map(|t| &t.text).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_person_is_told_from_people_who_come() {
        for (text, language) in [
            ("quiero reservar para una persona", Es),
            ("mesa para 4 personas", Es),
            ("somos dos personas, ¿cuánto sale?", Es),
            ("¿el chatbot puede pasar la conversación a una persona de mi equipo?", Es),
            ("¿quién me atiende, la doctora?", Es),
            ("a table for one person", En),
            ("how many people fit", En),
            ("can my agent pick up the bike", En),
            ("mesa pra uma pessoa", Pt),
            ("vocês atendem gente sem reserva?", Pt),
            ("¿eres una persona?", Es),
        ] {
            assert!(!is_asked_for(&tokens(text, language)), "{text}");
        }
    }
}
