//! Agreement: an answer that says yes to what was asked, and nothing else.
//!
//! A word of agreement somewhere in a sentence is none: "sure, let me ask my wife", "ok, and what does it cost?". So all words of an
//! answer are accounted for: those that agree, those that say once more what was asked, and politeness.

use super::{Intent, words};

/// A longer answer says more than yes.
const MOST_WORDS: usize = 14;

/// What agrees.
const AGREES: &[&str] = &[
    // Spanish.
    "si",
    "sip",
    "sii",
    "siii",
    "claro",
    "claro que si",
    "por supuesto",
    "dale",
    "listo",
    "vale",
    "bueno",
    "bien",
    "muy bien",
    "esta bien",
    "asi esta bien",
    "todo bien",
    "de acuerdo",
    "de una",
    "correcto",
    "correcta",
    "todo correcto",
    "exacto",
    "exactamente",
    "asi es",
    "eso es",
    "perfecto",
    "perfecta",
    "esta perfecto",
    "adelante",
    "confirmo",
    "confirma",
    "confirme",
    "confirmar",
    "confirmado",
    "confirmada",
    "confirmalo",
    "confirmala",
    "lo confirmo",
    "la confirmo",
    "acepto",
    "me parece",
    "me parece bien",
    "me sirve",
    "me queda bien",
    "hazlo",
    "hagalo",
    "hagale",
    "ya",
    // Portuguese.
    "sim",
    "isso",
    "isso mesmo",
    "e isso",
    "fechado",
    "combinado",
    "beleza",
    "blz",
    "perfeito",
    "pode",
    "pode ser",
    "certo",
    "ta certo",
    "tudo certo",
    "tudo bem",
    "ta bom",
    "esta bom",
    "com certeza",
    "otimo",
    "exato",
    "de acordo",
    "aceito",
    "pode confirmar",
    // English.
    "yes",
    "yess",
    "yep",
    "yeah",
    "yup",
    "ok",
    "okay",
    "okey",
    "oka",
    "oki",
    "k",
    "sure",
    "of course",
    "absolutely",
    "definitely",
    "agreed",
    "right",
    "that's right",
    "that is right",
    "correct",
    "that's correct",
    "exactly",
    "perfect",
    "cool",
    "great",
    "fine",
    "that's fine",
    "all good",
    "sounds good",
    "sounds great",
    "looks good",
    "works for me",
    "that works",
    "that works for me",
    "go ahead",
    "do it",
    "please do",
    "i do",
    "confirm",
    "confirmed",
    "i confirm",
];
/// Books, once more.
const BOOKS: &[&str] = &[
    "reserva",
    "reservar",
    "reservarla",
    "reservarlo",
    "reservala",
    "reservalo",
    "reservame",
    "reserve",
    "reservela",
    "reservelo",
    "agenda",
    "agendar",
    "agendala",
    "agendalo",
    "agendame",
    "agende",
    "agendela",
    "agendelo",
    "apuntame",
    "anotame",
    "marca",
    "marcar",
    "marque",
    "book",
];
/// Moves, once more.
const MOVES: &[&str] = &[
    "mueve",
    "mover",
    "moverla",
    "moverlo",
    "muevela",
    "muevelo",
    "muevala",
    "muevalo",
    "cambia",
    "cambiar",
    "cambiarla",
    "cambiarlo",
    "cambiala",
    "cambialo",
    "cambiela",
    "cambielo",
    "pasala",
    "pasalo",
    "muda",
    "mudar",
    "mude",
    "troca",
    "trocar",
    "troque",
    "remarcar",
    "remarque",
    "move",
    "change",
    "reschedule",
];
/// Calls off, once more.
const CALLS_OFF: &[&str] = &[
    "cancela",
    "cancelar",
    "cancelarla",
    "cancelarlo",
    "cancelala",
    "cancelalo",
    "cancele",
    "cancelela",
    "cancelelo",
    "anula",
    "anular",
    "anularla",
    "anularlo",
    "anulala",
    "anulalo",
    "anule",
    "anulela",
    "anulelo",
    "desmarca",
    "desmarcar",
    "desmarque",
    "cancel",
    "call off",
];
/// What may stand beside it and changes nothing.
const BESIDE: &[&str] = &[
    "por favor",
    "porfavor",
    "porfa",
    "porfis",
    "gracias",
    "muchas gracias",
    "mil gracias",
    "please",
    "pls",
    "plz",
    "thanks",
    "thanks a lot",
    "thank you",
    "thank you very much",
    "thank you so much",
    "thx",
    "ty",
    "obrigado",
    "obrigada",
    "muito obrigado",
    "muito obrigada",
    "valeu",
    "vlw",
    "it",
    "that",
    "la",
    "lo",
    "quiero",
    "quero",
    "la cita",
    "mi cita",
    "la reserva",
    "mi reserva",
    "the appointment",
    "my appointment",
    "the booking",
    "my booking",
    "a consulta",
    "minha consulta",
    "o horario",
    "meu horario",
    "a reserva",
    "minha reserva",
];
/// Pictures that agree, and those that only smile.
const THUMBS: &[char] = &['👍', '🙌', '✅', '👌', '☑', '✔'];
const SMILES: &[char] = &['🙏', '🙂', '😊', '😀', '😁', '😄', '😃', '😉', '☺', '🥰', '❤', '🎉'];

/// Whether a text agrees to what was asked, and says nothing else.
pub(super) fn is_agreement(text: &str, asked_to: Intent) -> bool {
    // Whoever asks or trails off has not decided.
    if text.contains(['?', '¿', '…']) || text.contains("...") {
        return false;
    }
    let once_more: &[&str] = match asked_to {
        Intent::Book => BOOKS,
        Intent::Move => MOVES,
        Intent::Cancel => CALLS_OFF,
        Intent::Check => &[],
    };
    let mut thumb = false;
    let text: String = text
        .chars()
        .map(|c| {
            thumb |= THUMBS.contains(&c);
            let is_tone = matches!(c, '\u{1F3FB}'..='\u{1F3FF}' | '\u{FE0F}' | '\u{200D}');
            if is_tone || THUMBS.contains(&c) || SMILES.contains(&c) { ' ' } else { c }
        })
        .collect();
    let words = words(&text);
    if words.len() > MOST_WORDS {
        return false;
    }
    let mut agrees = thumb;
    let mut left = words.as_slice();
    while !left.is_empty() {
        let agreeing = longest(AGREES, left).max(longest(once_more, left));
        let taken = agreeing.max(longest(BESIDE, left));
        if taken == 0 {
            return false;
        }
        agrees |= agreeing == taken;
        left = &left[taken..];
    }
    agrees
}

/// How many words the longest phrase has with which some words begin; 0 if none does.
fn longest(phrases: &[&str], words: &[String]) -> usize {
    let begins = |phrase: &&str| {
        let mut said = words.iter();
        let fits = phrase.split(' ').all(|word| said.next().is_some_and(|said| said == word));
        fits.then(|| phrase.split(' ').count())
    };
    phrases.iter().filter_map(begins).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_says_nothing_else() {
        for text in [
            "sí",
            "Sí, por favor.",
            "sí, confirmo",
            "dale, gracias!",
            "Claro que sí",
            "listo 👍🏽",
            "👍",
            "yes please",
            "Yes, book it please",
            "that’s fine, thank you",
            "sim, pode marcar",
            "isso mesmo, obrigada",
            "ta bom",
            "sí, resérvala 😊",
        ] {
            assert!(is_agreement(text, Intent::Book), "{text}");
        }
        for text in [
            "",
            "gracias",
            "por favor",
            "🙂",
            "sí, pero más tarde",
            "claro, déjame preguntarle a mi esposa",
            "ok, ¿cuánto cuesta?",
            "ok, cuanto cuesta",
            "te confirmo luego",
            "bueno...",
            "bueno…",
            "sí no",
            "yes but not now",
            "sure, I'll think about it",
            "right, so what do you charge",
            "sim, mas com outra pessoa",
            "sí, cancélala",
            "sí, cámbiala",
            "is it right",
            "si puedo te aviso",
        ] {
            assert!(!is_agreement(text, Intent::Book), "{text}");
        }
        for (text, to) in [
            ("sí, cancélala", Intent::Cancel),
            ("sim, pode cancelar", Intent::Cancel),
            ("yes, cancel it", Intent::Cancel),
            ("cancelar mi cita", Intent::Cancel),
            ("sí, muévela", Intent::Move),
            ("yes, move it", Intent::Move),
        ] {
            assert!(is_agreement(text, to), "{text}");
            assert!(!is_agreement(text, Intent::Check), "{text}");
        }
    }
}
