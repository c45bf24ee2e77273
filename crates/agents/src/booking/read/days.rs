//! Days that a message names for a booking.

use crate::{
    dates::{self, Day},
    text::tokens::tokens,
};
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use misy_domain::Language;

/// Short forms that are written out before anything else is read.
const SHORT: &[(&str, &str)] = &[
    ("tmrw", "tomorrow"),
    ("tmr", "tomorrow"),
    ("2moro", "tomorrow"),
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("tues", "tuesday"),
    ("wed", "wednesday"),
    ("weds", "wednesday"),
    ("thu", "thursday"),
    ("thur", "thursday"),
    ("thurs", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
    ("lun", "lunes"),
    ("mie", "miercoles"),
    ("jue", "jueves"),
    ("vie", "viernes"),
    ("sab", "sabado"),
    ("dom", "domingo"),
    ("amanha", "amanha"),
    ("hj", "hoje"),
];
const WEEKDAYS: &[(&str, Weekday)] = &[
    ("lunes", Weekday::Monday),
    ("martes", Weekday::Tuesday),
    ("miercoles", Weekday::Wednesday),
    ("jueves", Weekday::Thursday),
    ("viernes", Weekday::Friday),
    ("sabado", Weekday::Saturday),
    ("domingo", Weekday::Sunday),
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
    ("segunda", Weekday::Monday),
    ("terca", Weekday::Tuesday),
    ("quarta", Weekday::Wednesday),
    ("quinta", Weekday::Thursday),
    ("sexta", Weekday::Friday),
    ("domingos", Weekday::Sunday),
    ("sabados", Weekday::Saturday),
];

/// Whether a word names a weekday, or stands beside the number of a day.
pub(super) fn is_day_word(word: &str) -> bool {
    let word = written_out(word);
    WEEKDAYS.iter().any(|(name, _)| *name == word)
        || dates::is_time_word(word)
        || matches!(word, "dia" | "the" | "el")
}

fn written_out(word: &str) -> &str {
    SHORT.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| long)
}

/// The dates that a message names, from `today` on, in order.
pub(super) fn read(
    text: &str,
    words: &[String],
    today: Date,
    (language, month_first): (Language, bool),
) -> Vec<Date> {
    let words: Vec<&str> = words.iter().map(|word| written_out(word)).collect();
    if let Some(date) = numbered(&words, today) {
        return vec![date];
    }
    let plain = words.join(" ");
    let when = dates::read(
        if text.contains('/') { text } else { &plain },
        &tokens(&plain, language),
        today,
        month_first,
    );
    let later = is_a_week_later(&words);
    let mut days: Vec<Date> = Vec::new();
    for day in when.days {
        let date = match day {
            Day::Date(date) => Some(date),
            Day::Weekday(weekday, _) => next(today, weekday, later),
        };
        days.extend(date.filter(|date| !days.contains(date)));
    }
    if days.is_empty() && when.now {
        days.push(today);
    }
    if days.is_empty() {
        // A weekday that stands where the reader of dates sees a number of order.
        let named = words.iter().filter_map(|word| WEEKDAYS.iter().find(|(name, _)| name == word));
        days.extend(named.filter_map(|(_, weekday)| next(today, *weekday, later)).take(2));
    }
    days
}

/// The coming day of that name, never today.
fn next(today: Date, weekday: Weekday, later: bool) -> Option<Date> {
    let days = i64::from(today.weekday().until(weekday));
    let days = if days == 0 { 7 } else { days };
    let days = if later && days < 7 { days + 7 } else { days };
    today.checked_add(days.days()).ok()
}

/// "Not this one", "the other Saturday", "next week".
fn is_a_week_later(words: &[&str]) -> bool {
    let pair =
        |a: &[&str], b: &[&str]| words.windows(2).any(|pair| a.contains(&pair[0]) && b.contains(&pair[1]));
    pair(&["no", "not", "nao"], &["este", "esta", "this", "essa", "esse", "nesta"])
        || pair(&["proxima", "next", "otra", "outra"], &["semana", "week"])
        || pair(&["semana"], &["proxima", "siguiente", "seguinte", "entrante"])
        || words.windows(2).any(|pair| {
            matches!(pair[0], "otro" | "outro" | "outra" | "other" | "subsiguiente")
                && WEEKDAYS.iter().any(|(name, _)| *name == pair[1])
        })
}

/// "Thursday the 10th", "jueves 10": the next such date.
fn numbered(words: &[&str], today: Date) -> Option<Date> {
    for (at, word) in words.iter().enumerate() {
        if !WEEKDAYS.iter().any(|(name, _)| name == word) {
            continue;
        }
        let mut next = at + 1;
        while matches!(words.get(next), Some(&("the" | "feira" | "dia" | "el" | "que" | "viene"))) {
            next += 1;
        }
        let Some(number) = words.get(next) else { continue };
        let digits =
            ["st", "nd", "rd", "th"].iter().find_map(|end| number.strip_suffix(end)).unwrap_or(number);
        let Ok(day) = digits.parse::<i8>() else { continue };
        let after = words.get(next + 1).copied().unwrap_or_default();
        if !(1..=31).contains(&day) || matches!(after, "am" | "pm" | "h" | "hrs" | "de" | "of") {
            continue;
        }
        let mut month = today.first_of_month();
        for _ in 0..3 {
            if let Some(date) = Date::new(month.year(), month.month(), day).ok().filter(|date| *date >= today)
            {
                return Some(date);
            }
            month = month.checked_add(1.month()).ok()?;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::read::words;

    #[test]
    fn days_are_read_as_people_say_them() {
        use Language::{En, Es, Pt};
        // A Tuesday.
        let today = "2026-12-01".parse().unwrap();
        for (text, language, date) in [
            ("mañana a las 4", Es, "2026-12-02"),
            ("pasado mañana", Es, "2026-12-03"),
            ("el lunes", Es, "2026-12-07"),
            ("el martes", Es, "2026-12-08"),
            ("el viernes que viene, no este", Es, "2026-12-11"),
            ("pal otro sabado", Es, "2026-12-12"),
            ("jueves 17 a las 9", Es, "2026-12-17"),
            ("day after tmrw", En, "2026-12-03"),
            ("fri 5:15 pm", En, "2026-12-04"),
            ("sat the 12th 10am", En, "2026-12-12"),
            ("monday next week", En, "2026-12-14"),
            ("sexta à noite", Pt, "2026-12-04"),
            ("amanhã no almoço", Pt, "2026-12-02"),
            ("na outra semana, quinta", Pt, "2026-12-10"),
            ("el 15 de diciembre", Es, "2026-12-15"),
        ] {
            let date: Date = date.parse().unwrap();
            assert_eq!(read(text, &words(text), today, (language, false)).first(), Some(&date), "{text}");
        }
        assert!(read("a las 3", &words("a las 3"), today, (Es, false)).is_empty());
    }
}
