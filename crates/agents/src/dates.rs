//! Days and times that a message speaks of.

use crate::text::tokens::Token;
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

/// What a message says about time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// Days, in the order in which they are named.
    pub(crate) days: Vec<Day>,
    /// Whether a time on the clock is named.
    pub(crate) clock: bool,
    /// Whether a part of a day is named.
    pub(crate) part: bool,
    /// Whether the present moment is meant.
    pub(crate) now: bool,
}

/// A day that a message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// A weekday; the flag tells that every such day is meant.
    Weekday(Weekday, bool),
    /// A date.
    Date(Date),
}

const WEEKDAYS: [(Weekday, &[&str], &[&str]); 7] = [
    (Weekday::Monday, &["lunes", "monday", "segunda"], &["mondays", "segundas"]),
    (Weekday::Tuesday, &["martes", "tuesday", "terca"], &["tuesdays", "tercas"]),
    (Weekday::Wednesday, &["miercoles", "wednesday", "quarta"], &["wednesdays", "quartas"]),
    (Weekday::Thursday, &["jueves", "thursday", "quinta"], &["thursdays", "quintas"]),
    (Weekday::Friday, &["viernes", "friday", "sexta"], &["fridays", "sextas"]),
    (Weekday::Saturday, &["sabado", "saturday"], &["sabados", "saturdays"]),
    (Weekday::Sunday, &["domingo", "sunday"], &["domingos", "sundays"]),
];

const MONTHS: [&[&str]; 12] = [
    &["enero", "january", "jan", "janeiro", "ene"],
    &["febrero", "february", "feb", "fevereiro", "fev"],
    &["marzo", "march", "marco"],
    &["abril", "april", "abr", "apr"],
    &["mayo", "maio"],
    &["junio", "june", "junho", "jun"],
    &["julio", "july", "julho", "jul"],
    &["agosto", "august", "aug"],
    &["septiembre", "september", "setembro", "sept", "setiembre"],
    &["octubre", "october", "outubro", "oct"],
    &["noviembre", "november", "novembro", "nov"],
    &["diciembre", "december", "dezembro", "dic", "dec", "dez"],
];

/// Reads the days and times of a message; `today` is the local date.
pub(crate) fn read(text: &str, tokens: &[Token], today: Date, month_first: bool) -> When {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let mut when = When { clock: has_clock(text, &words), ..When::default() };
    let mut at = 0;
    while at < words.len() {
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        let next = words.get(at + 1).copied().unwrap_or_default();
        if let Some((day, length)) = month_day(&words[at..], today) {
            when.days.push(Day::Date(day));
            at += length;
            continue;
        }
        match words[at] {
            "hoy" | "today" | "hoje" | "tonight" => when.days.push(Day::Date(today)),
            "manana" | "tomorrow" | "amanha" if !is_morning(before, &words[..at]) => {
                let after = before == "pasado" || (before == "after" && words.contains(&"day"));
                let days = if after { 2 } else { 1 };
                when.days.extend(today.checked_add(days.days()).ok().map(Day::Date));
            }
            "ahora" | "now" | "agora" | "ahorita" => when.now = true,
            "manana" | "mananas" | "tarde" | "tardes" | "noche" | "morning" | "afternoon" | "evening"
            | "manha" | "noite" | "night" | "mediodia" | "noon" => when.part = true,
            "navidad" | "natal" | "christmas" | "xmas" => {
                let eve = ["eve", "vispera"].contains(&next) || ["vispera", "nochebuena"].contains(&before);
                when.days.extend(next_date(today, 12, if eve { 24 } else { 25 }).map(Day::Date));
            }
            "nochebuena" => when.days.extend(next_date(today, 12, 24).map(Day::Date)),
            "reveillon" => when.days.extend(next_date(today, 12, 31).map(Day::Date)),
            "finde" | "weekend" | "weekends" => when.days.extend(weekend()),
            "fin" | "fines" | "fim" | "final" if words.get(at + 2) == Some(&"semana") => {
                when.days.extend(weekend());
            }
            word => {
                if let Some((day, every)) = weekday(word, before, next) {
                    when.days.push(Day::Weekday(day, every));
                }
            }
        }
        at += 1;
    }
    when.days.extend(slashed(text, today, month_first).map(Day::Date));
    let mut seen = Vec::new();
    when.days.retain(|day| {
        let new = !seen.contains(day);
        seen.push(*day);
        new
    });
    when
}

fn weekend() -> [Day; 2] {
    [Day::Weekday(Weekday::Saturday, false), Day::Weekday(Weekday::Sunday, false)]
}

/// "en la mañana" is no tomorrow, "mañana" is.
fn is_morning(before: &str, words: &[&str]) -> bool {
    let article = matches!(before, "la" | "de" | "esta" | "cada" | "por" | "las");
    article && !(before == "de" && words.len() > 1 && words[words.len() - 2] == "partir")
}

fn weekday(word: &str, before: &str, next: &str) -> Option<(Weekday, bool)> {
    for (day, one, every) in WEEKDAYS {
        if every.contains(&word) {
            return Some((day, true));
        }
        if one.contains(&word) {
            // Portuguese ordinals are weekdays only with "feira" or where a day would stand.
            let ordinal = matches!(word, "segunda" | "terca" | "quarta" | "quinta" | "sexta");
            let day_like = next == "feira"
                || matches!(
                    before,
                    "na" | "de"
                        | "proxima"
                        | "nesta"
                        | "nessa"
                        | "toda"
                        | "abrem"
                        | "ate"
                        | "pra"
                        | "para"
                        | "essa"
                        | "esta"
                        | "da"
                        | "abre"
                );
            if ordinal
                && !day_like
                && word != "terca"
                && word != "sexta"
                && word != "quinta"
                && word != "quarta"
            {
                return None;
            }
            return Some((
                day,
                matches!(before, "los" | "aos" | "as" | "cada" | "every" | "toda" | "todo" | "todos"),
            ));
        }
    }
    None
}

/// "25 de diciembre", "december 25".
fn month_day(words: &[&str], today: Date) -> Option<(Date, usize)> {
    let number = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        digits.parse::<i8>().ok().filter(|day| (1..=31).contains(day))
    };
    let month = |word: &str| {
        MONTHS.iter().position(|names| names.contains(&word)).and_then(|at| i8::try_from(at + 1).ok())
    };
    let (first, second, third) = (words.first()?, words.get(1), words.get(2));
    if let Some(day) = number(first) {
        if let (Some(&("de" | "of")), Some(month)) = (second, third.and_then(|word| month(word))) {
            return Some((next_date(today, month, day)?, 3));
        }
        if let Some(month) = second.and_then(|word| month(word)) {
            return Some((next_date(today, month, day)?, 2));
        }
    }
    let month = month(first)?;
    let day = second.and_then(|word| number(word))?;
    Some((next_date(today, month, day)?, 2))
}

/// The first such date from today on.
fn next_date(today: Date, month: i8, day: i8) -> Option<Date> {
    let this = Date::new(today.year(), month, day).ok()?;
    if this >= today { Some(this) } else { Date::new(today.year() + 1, month, day).ok() }
}

/// "24/12", or "12/24" where months come first.
fn slashed(text: &str, today: Date, month_first: bool) -> impl Iterator<Item = Date> + use<'_> {
    let is_part = |c: char| c.is_ascii_digit() || c == '/';
    text.split(move |c| !is_part(c)).take(200).filter_map(move |part| {
        let mut numbers = part.split('/').map(|number| number.parse::<i8>().ok());
        let (a, b) = (numbers.next()??, numbers.next()??);
        let (day, month) = if (month_first && a <= 12) || b > 12 { (b, a) } else { (a, b) };
        next_date(today, month, day)
    })
}

/// A time on the clock: "10:30", "3pm", "a las 3", "15h30", "at 5".
fn has_clock(text: &str, words: &[&str]) -> bool {
    let hour = |word: &str| word.parse::<u8>().is_ok_and(|hour| hour <= 24);
    let written = |word: &str| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &word[digits..];
        (1..=2).contains(&digits)
            && (matches!(rest, "am" | "pm" | "h" | "hs" | "hrs" | "a" | "p")
                || rest
                    .strip_prefix('h')
                    .is_some_and(|minutes| minutes.len() == 2 && minutes.bytes().all(|b| b.is_ascii_digit())))
    };
    let colon = text
        .as_bytes()
        .windows(4)
        .any(|w| w[0].is_ascii_digit() && w[1] == b':' && w[2].is_ascii_digit() && w[3].is_ascii_digit());
    colon
        || words.iter().any(|word| written(word))
        || words.windows(2).any(|pair| {
            let introduced = matches!(pair[0], "las" | "la" | "at" | "as" | "around" | "by" | "tipo");
            (introduced && hour(pair[1]))
                || (hour(pair[0]) && matches!(pair[1], "am" | "pm" | "hrs" | "horas" | "hs" | "o"))
                || (pair[0] == "las"
                    && matches!(
                        pair[1],
                        "una"
                            | "dos"
                            | "tres"
                            | "cuatro"
                            | "cinco"
                            | "seis"
                            | "siete"
                            | "ocho"
                            | "nueve"
                            | "diez"
                            | "once"
                            | "doce"
                    ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::tokens;
    use misy_domain::Language;

    fn days(text: &str, language: Language) -> Vec<Day> {
        let today = "2026-12-01".parse().unwrap();
        read(text, &tokens(text, language), today, language == Language::En).days
    }

    fn date(text: &str) -> Day {
        Day::Date(text.parse().unwrap())
    }

    #[test]
    fn days_are_read_in_three_languages() {
        use Language::{En, Es, Pt};
        assert_eq!(days("el 25 de diciembre", Es), [date("2026-12-25")]);
        assert_eq!(days("on December 24th", En), [date("2026-12-24")]);
        assert_eq!(days("dia 24/12", Pt), [date("2026-12-24")]);
        assert_eq!(days("12/24 please", En), [date("2026-12-24")]);
        assert_eq!(days("mañana en la mañana", Es), [date("2026-12-02")]);
        assert_eq!(days("pasado mañana", Es), [date("2026-12-03")]);
        assert_eq!(days("los sábados", Es), [Day::Weekday(Weekday::Saturday, true)]);
        assert_eq!(days("na segunda", Pt), [Day::Weekday(Weekday::Monday, false)]);
        assert_eq!(days("minha segunda consulta", Pt), []);
        assert_eq!(days("1 de enero", Es), [date("2027-01-01")]);
        assert_eq!(days("31/02", Es), []);
    }

    #[test]
    fn times_on_the_clock_are_seen() {
        for text in ["a las 3", "15:30", "3pm", "15h30", "at 5", "20h"] {
            assert!(
                has_clock(
                    text,
                    &tokens(text, Language::Es).iter().map(|t| t.text.as_str()).collect::<Vec<_>>()
                ),
                "{text}"
            );
        }
        assert!(!has_clock("3 personas", &["3", "personas"]));
    }
}
