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
    /// That time in minutes since midnight, as far as it can be read, and whether it is told which half of the day is meant.
    pub(crate) at: Option<(u16, bool)>,
    /// Whether a part of a day is named.
    pub(crate) part: bool,
    /// Whether the present moment is meant.
    pub(crate) now: bool,
}

impl When {
    /// The same for one date alone.
    pub(crate) fn on(&self, date: Date) -> Self {
        Self { days: vec![Day::Date(date)], ..self.clone() }
    }
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
    let mut when = When { clock: has_clock(text, &words), at: clock_time(text), ..When::default() };
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
            "manana" | "tomorrow" | "amanha"
                if is_day_after(&words[..at]) || !is_morning(before, &words[..at]) =>
            {
                let after = is_day_after(&words[..at]);
                let days = if after { 2 } else { 1 };
                when.days.extend(today.checked_add(days.days()).ok().map(Day::Date));
            }
            "ahora" | "now" | "agora" | "ahorita" => when.now = true,
            "manana" | "mananas" | "tarde" | "tardes" | "noche" | "morning" | "afternoon" | "evening"
            | "manha" | "noite" | "night" | "mediodia" | "noon" => when.part = true,
            "navidad" | "natal" | "christmas" | "xmas" => {
                let day = if is_eve(&words, at) { 24 } else { 25 };
                when.days.extend(next_date(today, 12, day).map(Day::Date));
            }
            "nochebuena" => when.days.extend(next_date(today, 12, 24).map(Day::Date)),
            "reveillon" | "nochevieja" => when.days.extend(next_date(today, 12, 31).map(Day::Date)),
            // "Año nuevo", "ano-novo", "New Year's (Day, Eve)".
            "ano" | "new" if ["nuevo", "novo", "year", "years"].contains(&next) => {
                let eve = is_eve(&words, at) || words[at..].iter().take(5).any(|word| *word == "eve");
                let date = if eve { next_date(today, 12, 31) } else { next_date(today, 1, 1) };
                when.days.extend(date.map(Day::Date));
            }
            "fin" | "fim" if words[at + 1..].iter().take(2).any(|word| *word == "ano") => {
                when.days.extend(next_date(today, 12, 31).map(Day::Date));
            }
            "finde" | "weekend" | "weekends" => when.days.extend(weekend()),
            "fin" | "fines" | "fim" | "final" if words.get(at + 2) == Some(&"semana") => {
                when.days.extend(weekend());
            }
            word => {
                if let Some((day, every)) = weekday(word, before, next) {
                    when.days.push(Day::Weekday(day, every));
                } else if let Some(date) = day_of_month(&words, at, today) {
                    when.days.push(Day::Date(date));
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

/// Whether the day before the one named at a place is meant.
fn is_eve(words: &[&str], at: usize) -> bool {
    let before = &words[at.saturating_sub(3)..at];
    before.iter().any(|word| ["vispera", "vespera", "eve"].contains(word))
        || words.get(at + 1) == Some(&"eve")
}

/// "El 24", "dia 24", "the 25th": the next such day, where no noun follows that the number could count.
fn day_of_month(words: &[&str], at: usize, today: Date) -> Option<Date> {
    const FOLLOWS: [&str; 24] = [
        "a", "en", "por", "y", "o", "abren", "abre", "atienden", "cierran", "tambien", "de", "se", "esta",
        "estan", "at", "in", "and", "or", "abrem", "fecham", "as", "vocs", "que", "do",
    ];
    let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|ending| words[at].strip_suffix(ending));
    let day: i8 = ordinal.unwrap_or(words[at]).parse().ok().filter(|day| (1..=31).contains(day))?;
    let before = at.checked_sub(1).map_or("", |at| words[at]);
    let introduced = ["el", "dia", "the", "del"].contains(&before)
        || (ordinal.is_some() && ["on", "the"].contains(&before));
    let counts =
        words.get(at + 1).is_some_and(|next| !FOLLOWS.contains(next) && weekday(next, "", "").is_none());
    if !introduced || counts {
        return None;
    }
    // Not every month has the day.
    let mut month = today.first_of_month();
    for _ in 0..3 {
        match Date::new(month.year(), month.month(), day) {
            Ok(date) if date >= today => return Some(date),
            _ => month = month.checked_add(1.month()).ok()?,
        }
    }
    None
}

/// Whether a word is the name of a weekday or a month, or a number of a date.
pub(crate) fn is_time_word(word: &str) -> bool {
    const HOLIDAYS: [&str; 18] = [
        "navidad",
        "natal",
        "christmas",
        "xmas",
        "nochebuena",
        "nochevieja",
        "reveillon",
        "vispera",
        "vespera",
        "eve",
        "new",
        "year",
        "years",
        "nuevo",
        "novo",
        "ano",
        "thanksgiving",
        "xmas",
    ];
    WEEKDAYS.iter().any(|(_, one, every)| one.contains(&word) || every.contains(&word))
        || MONTHS.iter().any(|names| names.contains(&word))
        || HOLIDAYS.contains(&word)
        || ["st", "nd", "rd", "th", "am", "pm", "h", "hs"].iter().any(|ending| {
            word.strip_suffix(ending).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
        || word.split_once('h').is_some_and(|(hour, minute)| {
            !hour.is_empty() && hour.bytes().chain(minute.bytes()).all(|b| b.is_ascii_digit())
        })
}

/// The time on the clock that is named first: minutes since midnight, and whether the half of the day is told.
fn clock_time(text: &str) -> Option<(u16, bool)> {
    let text = crate::text::tokens::fold(text);
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '.')))
        .map(|word| word.trim_matches(['.', ':']))
        .filter(|word| !word.is_empty())
        .take(400)
        .collect();
    for (at, word) in words.iter().enumerate() {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(hour) = word[..digits].parse::<u16>() else { continue };
        let rest = &word[digits..];
        let after = words.get(at + 1).copied().unwrap_or_default();
        let half = if rest.is_empty() {
            after
        } else {
            rest.trim_start_matches(|c: char| !c.is_alphabetic() || c == 'h')
        };
        let minutes = rest
            .strip_prefix([':', 'h', '.'])
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        let minute: u16 = match minutes.as_deref() {
            Some("") | None => 0,
            Some(minutes) if minutes.len() == 2 => minutes.parse().ok()?,
            Some(_) => continue,
        };
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        let written = rest.starts_with([':', 'h']) && !rest.starts_with("habitaciones");
        let halved =
            ["am", "pm", "hrs", "hs", "horas", "h", "hora"].contains(&half) || ["am", "pm"].contains(&after);
        let introduced = rest.is_empty() && ["las", "la", "at", "as", "around", "by"].contains(&before);
        if hour > 24 || minute > 59 || !(written || halved || introduced) {
            continue;
        }
        let near: Vec<&str> = words[at + 1..].iter().take(4).copied().collect();
        let said = |list: &[&str]| near.iter().any(|word| list.contains(word));
        let afternoon = half == "pm"
            || after == "pm"
            || said(&["tarde", "noche", "noite", "afternoon", "evening", "night"]);
        let morning = half == "am" || after == "am" || said(&["manana", "madrugada", "manha", "morning"]);
        let told = afternoon || morning || hour > 12 || rest.starts_with('h');
        let hour = if afternoon && hour < 12 {
            hour + 12
        } else if morning && hour == 12 {
            0
        } else {
            hour
        };
        return Some((hour * 60 + minute, told));
    }
    None
}

fn weekend() -> [Day; 2] {
    [Day::Weekday(Weekday::Saturday, false), Day::Weekday(Weekday::Sunday, false)]
}

/// Whether what stands before "tomorrow" makes it the day after that.
fn is_day_after(before: &[&str]) -> bool {
    match before {
        [.., "pasado"] | [.., "depois", "de"] => true,
        [.., "after"] => before.contains(&"day"),
        _ => false,
    }
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
                || (next.is_empty() && matches!(before, "e" | ""))
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

    #[test]
    fn a_day_of_the_month_and_a_holiday_need_no_month() {
        use Language::{En, Es, Pt};
        assert_eq!(days("y el 25?", Es), [date("2026-12-25")]);
        assert_eq!(days("on the 3rd?", En), [date("2026-12-03")]);
        assert_eq!(days("abrem dia 24?", Pt), [date("2026-12-24")]);
        assert_eq!(days("el 24 personas", Es), []);
        assert_eq!(days("a la 1 de la tarde", Es), []);
        assert_eq!(days("New Year's Eve", En), [date("2026-12-31")]);
        assert_eq!(days("on new year's day", En), [date("2027-01-01")]);
        assert_eq!(days("véspera de Natal", Pt), [date("2026-12-24")]);
        assert_eq!(days("víspera de año nuevo", Es), [date("2026-12-31")]);
    }

    #[test]
    fn a_time_on_the_clock_is_read() {
        for (text, minutes, told) in [
            ("¿y a las 6 de la tarde?", 18 * 60, true),
            ("at 5", 5 * 60, false),
            ("3pm", 15 * 60, true),
            ("às 18h30", 18 * 60 + 30, true),
            ("10:15 am", 10 * 60 + 15, true),
            ("20h", 20 * 60, true),
            ("12 am", 0, true),
        ] {
            assert_eq!(clock_time(text), Some((minutes, told)), "{text}");
        }
        for text in ["somos 4", "38.000", "el 24", "2.5 kg"] {
            assert_eq!(clock_time(text), None, "{text}");
        }
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
        assert_eq!(days("the day after tomorrow", En), [date("2026-12-03")]);
        assert_eq!(days("depois de amanhã", Pt), [date("2026-12-03")]);
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
