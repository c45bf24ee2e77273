//! Times on the clock and parts of the day.

/// What is said of the time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Clock {
    /// A time in minutes since midnight, and whether it is told which half of the day is meant.
    pub(super) time: Option<(u16, bool)>,
    /// A stretch of the day, in minutes since midnight.
    pub(super) within: Option<(u16, u16)>,
}

const DAY: u16 = 24 * 60;
const NUMBERS: &[(&str, u16)] = &[
    ("una", 1),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("seis", 6),
    ("siete", 7),
    ("ocho", 8),
    ("nueve", 9),
    ("diez", 10),
    ("once", 11),
    ("doce", 12),
    ("uma", 1),
    ("duas", 2),
    ("quatro", 4),
    ("sete", 7),
    ("oito", 8),
    ("nove", 9),
    ("dez", 10),
    ("onze", 11),
    ("doze", 12),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
];
/// Words before a number that make it a time.
const AT: &[&str] = &["las", "la", "at", "as", "around", "by", "tipo", "noon", "desde", "ao"];
/// Words after a number that make it something else.
const COUNTS: &[&str] = &[
    "personas", "persona", "people", "persons", "pessoas", "pessoa", "adultos", "adults", "adulto", "pax",
    "anos", "dias", "days", "kids", "ninos", "criancas", "crianca", "guests", "lugares", "minutos",
    "minutes", "veces",
];
const AFTER: &[&str] = &["despues", "after", "depois", "partir", "apos"];
const BEFORE: &[&str] = &["antes", "before", "hasta", "ate"];

/// Reads the words of a message. `bare`: whether a number alone is a time, as a time was asked for.
pub(super) fn read(words: &[String], bare: bool) -> Clock {
    let mut clock = Clock { time: None, within: part_of_day(words) };
    let explicit = |at| Some((at, time_at(words, at, false)?));
    let mut times: Vec<(usize, (u16, bool))> = (0..words.len()).filter_map(explicit).collect();
    // A number alone is a time only where nothing says one better.
    if times.is_empty() && bare {
        times.extend((0..words.len()).find_map(|at| Some((at, time_at(words, at, true)?))));
    }
    for (at, (minutes, told)) in times {
        let near = &words[at.saturating_sub(3)..at];
        let minutes_of_day = if !told && minutes < 8 * 60 { minutes + 12 * 60 } else { minutes };
        if bounds(near, AFTER) {
            clock.within = Some((minutes_of_day, DAY));
        } else if bounds(near, BEFORE) {
            clock.within = Some((0, minutes_of_day));
        } else {
            // What is said last is what counts: "at four, no, at five".
            clock.time = Some((minutes, told));
        }
    }
    clock
}

/// Whether one of these words stands before a time, and for it: "after five", and not "the day after tomorrow at five".
fn bounds(near: &[String], list: &[&str]) -> bool {
    let of_a_day = |word: &String| matches!(word.as_str(), "tomorrow" | "manana" | "amanha");
    let place = near.iter().rposition(|word| list.contains(&word.as_str()));
    place.is_some_and(|at| !near[at..].iter().any(of_a_day))
}

/// The time that is written at a place.
fn time_at(words: &[String], at: usize, bare: bool) -> Option<(u16, bool)> {
    let word = words[at].as_str();
    let before = at.checked_sub(1).map_or("", |at| &words[at]);
    let after = words.get(at + 1).map_or("", String::as_str);
    if matches!(word, "noon" | "mediodia" | "meio-dia") && before != "almuerzo" {
        return Some((12 * 60, true));
    }
    let spelled = NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, hour)| *hour);
    if let Some(hour) = spelled {
        let introduced = matches!(before, "las" | "la" | "as" | "at");
        return introduced.then(|| finish(hour, 0, None, words, at));
    }
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = word.split_at(digits);
    if digits == 0 || digits > 4 {
        return None;
    }
    let value: u16 = number.parse().ok()?;
    // "515", "1730": only where a time was asked for.
    if rest.is_empty() && digits >= 3 {
        let (hour, minute) = (value / 100, value % 100);
        return (bare && hour < 24 && minute < 60).then(|| finish(hour, minute, None, words, at));
    }
    if digits > 2 || value > 24 {
        return None;
    }
    let (minute, half) = match rest.as_bytes() {
        [] => (0, matches!(after, "am" | "pm" | "a.m" | "p.m").then_some(after)),
        [b':' | b'h' | b'.', a, b, tail @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            let minute = u16::from(a - b'0') * 10 + u16::from(b - b'0');
            let tail = std::str::from_utf8(tail).ok()?;
            if !matches!(tail, "" | "am" | "pm" | "h" | "hs" | "hrs") {
                return None;
            }
            (minute, [tail, after].into_iter().find(|text| matches!(*text, "am" | "pm")))
        }
        _ if matches!(rest, "am" | "pm" | "h" | "hs" | "hrs") => (0, Some(rest)),
        _ => return None,
    };
    let written = !rest.is_empty() || half.is_some();
    let bounded = matches!(before, "after" | "before" | "despues" | "antes");
    let introduced = bounded || AT.contains(&before) || matches!(after, "hrs" | "horas" | "hs" | "en" | "h");
    let counted = COUNTS.contains(&after)
        || matches!(after, "de" | "of")
        || matches!(before, "para" | "for" | "pra" | "somos" | "the" | "el" | "dia");
    let minded = matches!(after, "y" | "e")
        && words
            .get(at + 2)
            .is_some_and(|word| matches!(word.as_str(), "media" | "meia" | "cuarto" | "30" | "15"));
    let alone = bare && !counted && !is_date(words, at);
    if minute > 59 || !(written || (introduced && !COUNTS.contains(&after)) || minded || alone) {
        return None;
    }
    Some(finish(value, minute, half, words, at))
}

/// A number beside a weekday or a month is a day.
fn is_date(words: &[String], at: usize) -> bool {
    let near = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| words.get(at));
    near.into_iter().any(|word| super::days::is_day_word(word))
}

fn finish(hour: u16, minute: u16, half: Option<&str>, words: &[String], at: usize) -> (u16, bool) {
    let next = |by: usize| words.get(at + by).map_or("", String::as_str);
    let minute = match (next(1), next(2)) {
        ("y" | "e", "media" | "meia" | "30") => 30,
        ("y" | "e", "cuarto" | "15") => 15,
        _ => minute,
    };
    let near: Vec<&str> = words[at + 1..].iter().take(5).map(String::as_str).collect();
    let said = |list: &[&str]| near.iter().any(|word| list.contains(word));
    let pm = matches!(half, Some("pm" | "p.m")) || said(&["tarde", "noche", "noite", "afternoon", "evening"]);
    let am = matches!(half, Some("am" | "a.m")) || said(&["madrugada", "morning", "manha"]);
    let hour24 = matches!(half, Some("h" | "hs" | "hrs")) || words[at].contains('h');
    let hour = match hour {
        24 => 0,
        hour if pm && hour < 12 => hour + 12,
        12 if am => 0,
        hour => hour,
    };
    ((hour * 60 + minute) % DAY, pm || am || hour24 || hour > 12 || hour == 0)
}

fn part_of_day(words: &[String]) -> Option<(u16, u16)> {
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |at| words[at].as_str());
        let within = match word.as_str() {
            "manana" if matches!(before, "la" | "por" | "esta") => (0, 12 * 60),
            "morning" | "manha" | "mananita" => (0, 12 * 60),
            "tarde" | "tardecita" | "afternoon" | "arvo" => (12 * 60, 20 * 60),
            "noche" | "noite" | "evening" | "tonight" | "jantar" | "cena" => (18 * 60, DAY),
            _ => continue,
        };
        return Some(within);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::read::words;

    #[test]
    fn times_are_read_in_three_languages() {
        for (text, bare, time) in [
            ("a las 6 de la tarde", false, Some((18 * 60, true))),
            ("ya, 5 y media", true, Some((5 * 60 + 30, false))),
            ("a las cuatro y cuarto", false, Some((16 * 60 + 15 - 12 * 60, false))),
            ("às 18h30", false, Some((18 * 60 + 30, true))),
            ("19h", false, Some((19 * 60, true))),
            ("at noon", false, Some((12 * 60, true))),
            ("645", true, Some((6 * 60 + 45, false))),
            ("11:15 am please", false, Some((11 * 60 + 15, true))),
            ("4pm", false, Some((16 * 60, true))),
            ("to the day after tomorrow at 5pm", false, Some((17 * 60, true))),
            ("depois de amanhã às 17h", false, Some((17 * 60, true))),
            ("ok 10", true, Some((10 * 60, false))),
            ("somos 4 personas", true, None),
            ("para 2", true, None),
            ("jueves 10", true, None),
            ("a las 4, no, perdón, a las 5", false, Some((5 * 60, false))),
        ] {
            assert_eq!(read(&words(text), bare).time, time, "{text}");
        }
    }

    #[test]
    fn parts_of_the_day_and_bounds_are_stretches() {
        for (text, within) in [
            ("mañana en la tarde", Some((12 * 60, 20 * 60))),
            ("el martes por la mañana", Some((0, 12 * 60))),
            ("after 5", Some((17 * 60, DAY))),
            ("after 5pm", Some((17 * 60, DAY))),
            ("despues de las 4", Some((16 * 60, DAY))),
            ("antes das 11h", Some((0, 11 * 60))),
            ("mañana", None),
        ] {
            assert_eq!(read(&words(text), false).within, within, "{text}");
        }
    }
}
