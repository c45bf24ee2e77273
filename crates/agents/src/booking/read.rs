//! What a message says of a booking.

mod agreement;
mod clock;
mod days;
mod person;

use super::{Asked, Form, Intent, Said};
use crate::{CompiledPack, TurnInput, answer::Desk, choice, text::tokens::fold};
use misy_domain::{Language, Role};

/// A message is read no further than this, in words.
const MOST_WORDS: usize = 200;

/// Words that say yes, and those that take it back.
const YES: &[&str] = &[
    "si",
    "sip",
    "sii",
    "yes",
    "yep",
    "yeah",
    "yup",
    "ok",
    "okay",
    "oka",
    "dale",
    "listo",
    "correcto",
    "confirmo",
    "confirma",
    "confirme",
    "confirmado",
    "confirmar",
    "perfecto",
    "perfect",
    "claro",
    "vale",
    "bueno",
    "isso",
    "sim",
    "fechado",
    "combinado",
    "beleza",
    "perfeito",
    "pode",
    "certo",
    "sure",
    "exacto",
    "exato",
    "right",
    "correct",
    "cool",
    "great",
    "ya",
    "confirm",
    "book",
    "👍",
    "🙌",
    "✅",
];
const NO: &[&str] = &[
    "no",
    "nao",
    "nope",
    "not",
    "nunca",
    "nada",
    "never",
    "olvidelo",
    "olvidalo",
    "dejalo",
    "deixa",
    "esqueca",
    "forget",
    "nah",
    "pensarlo",
    "pensandolo",
    "pensar",
    "pienso",
    "think",
    "thinking",
];
/// Words of services that say nothing of which one is meant.
const GENERIC: &[&str] =
    &["hora", "horas", "cita", "turno", "reserva", "time", "hour", "day", "dia", "sesion", "session"];
const ANYBODY: &[&str] =
    &["cualquiera", "anyone", "anybody", "whoever", "qualquer", "faz", "da igual", "whichever", "any"];

/// Words of a text: folded, with the marks that times are written with.
pub(super) fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| {
            c.is_whitespace() || matches!(c, ',' | ';' | '!' | '?' | '¿' | '¡' | '(' | ')' | '"' | '/')
        })
        .map(|word| word.trim_matches(['.', ':', '\'', '-']).to_owned())
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS)
        .collect()
}

/// Reads what waits, in view of the form that is open, if one is.
pub(crate) fn read(desk: &Desk<'_>, input: &TurnInput<'_>, form: Option<&Form>) -> Said {
    let pack = desk.pack.pack();
    let today = desk.now.to_zoned(pack.timezone.zone().clone()).date();
    let words = self::words(desk.text);
    let asked = form.map_or(Asked::Nothing, |form| form.asked);
    let month_first = pack.locale.as_str().ends_with("US");
    let contact = person::reach(desk.text);
    // The digits of a telephone number are no time.
    let without = contact.0.as_ref().map(|phone| self::words(&desk.text.replace(phone, " ")));
    let clock = clock::read(without.as_ref().unwrap_or(&words), matches!(asked, Asked::Time | Asked::Day));
    let people = person::party(&words);
    let yes = words.iter().any(|word| YES.contains(&word.as_str())) || desk.text.contains(['👍', '🙌', '✅']);
    let denies = ["don't", "don’t", "dont"].iter().any(|word| desk.text.to_lowercase().contains(word));
    let no = denies || words.iter().any(|word| NO.contains(&word.as_str()));
    let agreed = form.is_some_and(|form| agreement::is_agreement(desk.text, form.intent));
    let names_time = clock.time.is_some();
    let chosen =
        form.and_then(|form| chosen(input, form, names_time).or_else(|| only(form, agreed && !names_time)));
    let says_name = asked == Asked::Name && clock.time.is_none() && !desk.text.contains('?');
    let named = person::name(desk.text, says_name);
    Said {
        intent: intent(desk),
        services: services(desk, form, &words),
        provider: desk.seen.provider.map(|at| pack.providers[at].id.clone()),
        anybody: words.iter().any(|word| ANYBODY.contains(&word.as_str())),
        days: days::read(desk.text, &words, today, (desk.language, month_first)),
        within: clock.within,
        time: clock.time,
        same_time: same_time(&words),
        party_size: people,
        name: named,
        phone: contact.0,
        email: contact.1,
        yes: yes || agreed,
        agreed,
        no,
        chosen,
        asks: desk.text.contains(['?', '¿']) || ["price_ask", "quote_ask"].iter().any(|cue| has(desk, cue)),
    }
}

fn has(desk: &Desk<'_>, cue: &str) -> bool {
    desk.seen.whole.analysis.has(cue)
}

fn intent(desk: &Desk<'_>) -> Option<Intent> {
    if has(desk, "cancel_verb") {
        Some(Intent::Cancel)
    } else if has(desk, "move_verb") {
        Some(Intent::Move)
    } else if has(desk, "check_verb") {
        Some(Intent::Check)
    } else if has(desk, "book_verb") {
        Some(Intent::Book)
    } else {
        None
    }
}

/// "At the same time".
fn same_time(words: &[String]) -> bool {
    let same = ["misma", "mismo", "mesma", "mesmo", "same"];
    let time = ["hora", "horario", "time"];
    words.windows(2).any(|pair| same.contains(&&*pair[0]) && time.contains(&&*pair[1]))
}

/// What was offered last and is chosen: by its button, or by its place.
fn chosen(input: &TurnInput<'_>, form: &Form, names_time: bool) -> Option<String> {
    let message = input.messages.last()?;
    if let Some(pressed) = message.pressed {
        return matches!(&*pressed.kind, "time" | "service" | "booking").then(|| pressed.id.clone());
    }
    if names_time || form.offered.is_empty() {
        return None;
    }
    let title_of = |item: &crate::HistoryItem| {
        let said = crate::text::tokens::words(message.text);
        item.offered.iter().position(|one| crate::text::tokens::words(&one.title) == said)
    };
    let last = input.history.iter().rev().find(|item| item.role != Role::Contact);
    let said = crate::text::tokens::words(message.text);
    // A bare number is a time where times are asked for.
    let bare = said.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let by_place = (!bare || form.asked != Asked::Time).then(|| choice::place(&said)).flatten();
    let at = last.and_then(title_of).or(by_place)?;
    form.offered.get(at).cloned()
}

/// The only one that was offered, where somebody agrees.
fn only(form: &Form, agrees: bool) -> Option<String> {
    form.offered.first().filter(|_| agrees && form.offered.len() == 1).cloned()
}

/// The services that can be booked and may be meant. A clear one stands alone.
fn services(desk: &Desk<'_>, form: Option<&Form>, words: &[String]) -> Vec<String> {
    let asked = form.map_or(Asked::Nothing, |form| form.asked);
    // A name is no service.
    if asked == Asked::Name {
        return Vec::new();
    }
    let by_name = nearest(desk, by_name(desk.pack, words, desk.language));
    // What the words alone do not name is looked up, where nothing is settled.
    if !by_name.is_empty() || form.is_some_and(|form| form.service.is_some()) || asked == Asked::Confirm {
        return by_name;
    }
    let pack = desk.pack.pack();
    let named = desk.named_services(true).into_iter().map(|at| &pack.services[at]);
    named.filter(|service| service.is_bookable()).map(|service| service.id.clone()).take(1).collect()
}

/// Of services whose names say as much, the one that the whole message is clearly nearest to.
fn nearest(desk: &Desk<'_>, named: Vec<String>) -> Vec<String> {
    /// So many times nearer than the next.
    const CLEARLY: f64 = 1.3;
    let pack = desk.pack.pack();
    let score = |id: &String| {
        let hit = desk.seen.whole.services.iter().find(|hit| pack.services[hit.at].id == *id);
        hit.map_or(0.0, |hit| hit.score)
    };
    let mut scored: Vec<(f64, String)> = named.iter().map(|id| (score(id), id.clone())).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    match scored.as_slice() {
        [(first, id), (second, _), ..] if *first > second * CLEARLY && *first > 0.0 => vec![id.clone()],
        _ => named,
    }
}

/// Bookable services by the words of their names: those of which the message says the most.
fn by_name(pack: &CompiledPack, words: &[String], language: Language) -> Vec<String> {
    let stems: Vec<String> = words.iter().map(|word| crate::text::tokens::stem(word, language)).collect();
    let own = pack.language();
    let mut best = (0_usize, Vec::new());
    for service in pack.pack().services.iter().filter(|service| service.is_bookable()) {
        let name = crate::text::tokens::tokens(&service.name, own);
        let carries = name.iter().filter(|token| !token.function && !GENERIC.contains(&token.text.as_str()));
        let said = carries.filter(|token| stems.contains(&token.stem) || words.contains(&token.text)).count();
        if said > best.0 {
            best = (said, vec![service.id.clone()]);
        } else if said == best.0 && said > 0 {
            best.1.push(service.id.clone());
        }
    }
    best.1.truncate(4);
    best.1
}
