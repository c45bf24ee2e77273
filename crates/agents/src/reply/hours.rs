//! Opening hours in words.

use crate::dates::{Day, When};
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use misy_domain::{
    Language, Timestamp,
    hours::{Calendar, ClockTime, Interval},
};

/// The name of a weekday, as at the beginning of a line.
pub(crate) fn weekday(day: Weekday, language: Language) -> &'static str {
    let at = usize::from(day.to_monday_zero_offset().unsigned_abs());
    match language {
        Language::Es => ["Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo"][at],
        Language::En => ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][at],
        Language::Pt => ["Segunda", "Terça", "Quarta", "Quinta", "Sexta", "Sábado", "Domingo"][at],
    }
}

/// A time of day.
pub(crate) fn time(time: ClockTime, language: Language) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match language {
        Language::Es => format!("{hour}:{minute:02}"),
        Language::Pt if minute == 0 => format!("{hour}h"),
        Language::Pt => format!("{hour}h{minute:02}"),
        Language::En => {
            let half = if (12..24).contains(&hour) { "pm" } else { "am" };
            let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
            if minute == 0 { format!("{hour} {half}") } else { format!("{hour}:{minute:02} {half}") }
        }
    }
}

/// The intervals of a day.
fn intervals(intervals: &[Interval], language: Language) -> String {
    let spans: Vec<String> = intervals
        .iter()
        .map(|Interval(from, to)| {
            let (from, to) = (time(*from, language), time(*to, language));
            match language {
                Language::Es => format!("{from} a {to}"),
                Language::En => format!("{from} to {to}"),
                Language::Pt => format!("{from} às {to}"),
            }
        })
        .collect();
    let and = match language {
        Language::Es => " y de ",
        Language::En => " and ",
        Language::Pt => " e das ",
    };
    let text = spans.join(and);
    match language {
        Language::Es => format!("de {text}"),
        Language::En => text,
        Language::Pt => format!("das {text}"),
    }
}

fn closed(language: Language) -> &'static str {
    match language {
        Language::Es => "cerrado",
        Language::En => "closed",
        Language::Pt => "fechado",
    }
}

fn hours_or_closed(hours: &[Interval], language: Language) -> String {
    if hours.is_empty() { closed(language).to_owned() } else { intervals(hours, language) }
}

/// One line for each day that was asked for.
pub(crate) fn days(calendar: &Calendar<'_>, when: &When, today: Date, language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    for day in when.days.iter().take(3) {
        match day {
            Day::Date(date) => {
                let day = calendar.on(*date);
                let reason = day.exception.and_then(|exception| exception.reason.as_deref());
                let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
                let name = weekday(date.weekday(), language);
                let label = format!("{name} {}{reason}", short_date(*date, language));
                lines.push(format!("{label}: {}.", hours_or_closed(day.intervals, language)));
            }
            Day::Weekday(weekday_asked, every) => {
                let usual = calendar.weekly.on(*weekday_asked);
                let name = weekday(*weekday_asked, language);
                lines.push(format!("{name}: {}.", hours_or_closed(usual, language)));
                let next = (0..7)
                    .filter_map(|days| today.checked_add(days.days()).ok())
                    .find(|date| date.weekday() == *weekday_asked);
                let differs = next.filter(|date| !every && calendar.on(*date).intervals != usual);
                if let Some(date) = differs {
                    let day = calendar.on(date);
                    let label = format!("{name} {}", short_date(date, language));
                    lines.push(format!("{label}: {}.", hours_or_closed(day.intervals, language)));
                }
            }
        }
    }
    lines
}

/// The first such weekday from a date on.
pub(crate) fn next_weekday(from: Date, weekday: Weekday) -> Date {
    let days = from.weekday().until(weekday);
    from.checked_add(i64::from(days).days()).unwrap_or(from)
}

/// The whole week, days with the same hours together.
pub(crate) fn week(calendar: &Calendar<'_>, language: Language) -> Vec<String> {
    let all: Vec<Weekday> = Weekday::Monday.cycle_forward().take(7).collect();
    let mut lines = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let hours = calendar.weekly.on(all[at]);
        let run = all[at..].iter().take_while(|day| calendar.weekly.on(**day) == hours).count();
        let (first, last) = (weekday(all[at], language), weekday(all[at + run - 1], language));
        let to = match language {
            Language::En => "to",
            Language::Es | Language::Pt => "a",
        };
        let label = if run == 1 { first.to_owned() } else { format!("{first} {to} {}", last.to_lowercase()) };
        let label = if language == Language::En && run > 1 { format!("{first} {to} {last}") } else { label };
        lines.push(format!("{label}: {}.", hours_or_closed(hours, language)));
        at += run;
    }
    lines
}

/// A date without its year.
pub(crate) fn short_date(date: Date, language: Language) -> String {
    match language {
        Language::En => format!("{}/{}", date.month(), date.day()),
        Language::Es | Language::Pt => format!("{}/{}", date.day(), date.month()),
    }
}

/// An instant as a day and a time, such as "Lunes 7/12, 9:00".
pub(crate) fn moment(at: Timestamp, calendar: &Calendar<'_>, language: Language) -> String {
    let zoned = at.to_zoned(calendar.zone.clone());
    let clock = u16::try_from(zoned.hour()).ok().zip(u16::try_from(zoned.minute()).ok());
    let clock = clock.and_then(|(hour, minute)| ClockTime::new(hour, minute));
    let clock = clock.map(|clock| time(clock, language)).unwrap_or_default();
    let name = weekday(zoned.date().weekday(), language);
    let name = if language == Language::En { name.to_owned() } else { name.to_lowercase() };
    format!("{name} {}, {clock}", short_date(zoned.date(), language))
}

/// The time of an instant.
pub(crate) fn clock(at: Timestamp, calendar: &Calendar<'_>, language: Language) -> String {
    let zoned = at.to_zoned(calendar.zone.clone());
    let clock = u16::try_from(zoned.hour()).ok().zip(u16::try_from(zoned.minute()).ok());
    clock.and_then(|(h, m)| ClockTime::new(h, m)).map(|c| time(c, language)).unwrap_or_default()
}
