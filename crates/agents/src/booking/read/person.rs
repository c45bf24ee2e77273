//! Who a booking is for: name, telephone number, e-mail address, and how many come.

/// Words before a name.
const CUES: &[&[&str]] = &[
    &["me", "llamo"],
    &["mi", "nombre", "es"],
    &["a", "nombre", "de"],
    &["soy"],
    &["meu", "nome", "e"],
    &["me", "chamo"],
    &["em", "nome", "de"],
    &["sou"],
    &["my", "name", "is"],
    &["name", "is"],
    &["name's"],
    &["i'm"],
    &["i", "am"],
    &["nome"],
];
/// What no name is made of.
const NOT_A_NAME: &[&str] = &[
    "a", "para", "el", "la", "de", "y", "si", "no", "yes", "ok", "okay", "gracias", "thanks", "please",
    "por", "favor", "obrigado", "obrigada", "este", "es", "mi", "my", "hola", "oi", "hi", "que", "alergico",
    "alergica", "allergic", "the", "nuevo", "new", "isso", "sim", "nao", "listo", "dale", "perfecto",
    "cliente", "paciente",
];

/// How many people come, if it is said.
pub(super) fn party(words: &[String]) -> Option<u32> {
    const PEOPLE: &[&str] = &[
        "personas",
        "persona",
        "people",
        "persons",
        "person",
        "pax",
        "pessoas",
        "pessoa",
        "adultos",
        "adulto",
        "adults",
        "comensales",
        "guests",
        "ninos",
        "nino",
        "kids",
        "criancas",
        "crianca",
    ];
    let number = |word: &String| word.parse::<u32>().ok().filter(|number| (1..=1000).contains(number));
    let next = |at: usize| words.get(at + 1).map_or("", String::as_str);
    let counted = words.iter().enumerate().filter(|(at, _)| PEOPLE.contains(&next(*at)));
    let counted: Vec<u32> = counted.filter_map(|(_, word)| number(word)).collect();
    if !counted.is_empty() {
        return Some(counted.into_iter().fold(0, u32::saturating_add));
    }
    let introduced = words.windows(2).find_map(|pair| {
        let says = matches!(pair[0].as_str(), "somos" | "seriamos" | "seremos" | "sao" | "seriam");
        says.then(|| number(&pair[1])).flatten()
    });
    introduced.or_else(|| {
        let table = ["mesa", "table", "almuerzo", "almoco", "jantar", "cena", "dinner", "lunch", "brunch"];
        let of_table = words.iter().any(|word| table.contains(&word.as_str()));
        let pair = words.windows(2).position(|pair| {
            matches!(pair[0].as_str(), "para" | "pra" | "for") && number(&pair[1]).is_some_and(|n| n <= 60)
        })?;
        let after = words.get(pair + 2).map_or("", String::as_str);
        (of_table && !matches!(after, "am" | "pm" | "h" | "de")).then(|| number(&words[pair + 1])).flatten()
    })
}

/// A telephone number and an e-mail address.
pub(super) fn reach(text: &str) -> (Option<String>, Option<String>) {
    let clean = |word: &str| word.trim_matches([',', ';', '.', '(', ')', '<', '>', '"']).to_owned();
    let email = text.split_whitespace().map(clean).find(|word| {
        let host = word.split_once('@').map(|(name, host)| (!name.is_empty(), host));
        host.is_some_and(|(named, host)| named && host.contains('.') && word.len() <= 254)
    });
    let mut phone = None;
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '+' | '(' | ')' | '.');
    for run in text.split(|c: char| !is_part(c)) {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        if (7..=15).contains(&digits) {
            phone = Some(run.trim().trim_matches(['.', '-']).to_owned());
        }
    }
    (phone, email)
}

/// A name: after words that introduce one, or, where one was asked for, what stands there.
pub(super) fn name(text: &str, was_asked: bool) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().take(200).collect();
    let folded: Vec<String> = words
        .iter()
        .map(|word| crate::text::tokens::fold(word).trim_matches([',', '.', ';', ':', '!']).to_owned())
        .collect();
    for at in 0..words.len() {
        let cue = CUES.iter().find(|cue| {
            cue.iter().enumerate().all(|(by, word)| folded.get(at + by).is_some_and(|said| said == word))
                // Only the last word of what introduces a name may end a sentence.
                && !words[at..at + cue.len() - 1].iter().any(|word| word.ends_with(['.', '!', '?']))
        });
        if let Some(cue) = cue
            && let Some(name) = taken(&words[at + cue.len()..], true)
        {
            return Some(name);
        }
    }
    if was_asked { taken(&words, false) } else { None }
}

/// The words of a name at the beginning of some words. After a cue they may be in small letters only if nothing else follows.
fn taken(words: &[&str], after_cue: bool) -> Option<String> {
    let mut name: Vec<&str> = Vec::new();
    for word in words {
        let bare = word.trim_matches([',', '.', ';', ':', '!', '(', ')']);
        let folded = crate::text::tokens::fold(bare);
        let is_particle =
            matches!(folded.as_str(), "de" | "da" | "do" | "dos" | "del" | "la" | "van" | "von")
                && !name.is_empty();
        let is_word = bare.chars().count() >= 2
            && bare.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '-' | '’'));
        let capital = bare.chars().next().is_some_and(char::is_uppercase);
        if !is_word
            || (NOT_A_NAME.contains(&folded.as_str()) && !is_particle)
            || (after_cue && !capital && !is_particle)
        {
            break;
        }
        name.push(bare);
        if name.len() == 5 || word.ends_with([',', '.', ';', '!', '?', ':']) {
            break;
        }
    }
    while name.last().is_some_and(|last| last.chars().next().is_some_and(char::is_lowercase)) && after_cue {
        name.pop();
    }
    let capital = name.iter().any(|word| word.chars().next().is_some_and(char::is_uppercase));
    // Without a cue: a few words that nothing else follows than how to reach them, or that are written as names are.
    let fits = !name.is_empty() && (after_cue || capital || (name.len() == words.len() && name.len() <= 3));
    fits.then(|| name.join(" ").chars().take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::read::words;

    #[test]
    fn names_are_read_after_a_cue_or_when_asked() {
        for (text, asked, is) in [
            ("Ana Ruiz, 300 555 0121, aruiz@example.com", true, Some("Ana Ruiz")),
            ("soy Antonia Leiva, +56 9 5550 0144", false, Some("Antonia Leiva")),
            ("a las 3, soy Elena de la Paz", false, Some("Elena de la Paz")),
            ("meu nome é Beto Queiroz e somos 4", false, Some("Beto Queiroz")),
            ("Name is Alan Brooks, alan@example.com", false, Some("Alan Brooks")),
            ("I'm allergic to nuts", false, None),
            ("soy alergica", false, None),
            ("sí, perfecto", true, None),
            ("maría pérez", true, Some("maría pérez")),
            ("Limpieza el miércoles", false, None),
        ] {
            assert_eq!(name(text, asked).as_deref(), is, "{text}");
        }
    }

    #[test]
    fn people_are_counted_and_reached() {
        for (text, is) in [
            ("mesa para 2 mañana", Some(2)),
            ("somos 12", Some(12)),
            ("3 adultos e 1 criança de 6 anos", Some(4)),
            ("para 8 personas", Some(8)),
            ("a las 3 para limpieza", None),
            ("table for 4 at 7pm", Some(4)),
        ] {
            assert_eq!(party(&words(text)), is, "{text}");
        }
        let (phone, email) = reach("Ana, 300 555 0121, ana@example.com");
        assert_eq!((phone.as_deref(), email.as_deref()), (Some("300 555 0121"), Some("ana@example.com")));
        assert_eq!(reach("el 15/12 a las 10:30"), (None, None));
    }
}
