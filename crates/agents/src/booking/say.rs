//! How times and bookings are called in words.

use crate::reply::hours;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use misy_domain::{ContextPack, Language, hours::ClockTime};

/// "jueves 3 de diciembre".
pub(super) fn day(date: Date, language: Language) -> String {
    const ES: [&str; 12] = [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ];
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const PT: [&str; 12] = [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ];
    let weekday = hours::weekday(date.weekday(), language);
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1).min(11);
    let day = date.day();
    match language {
        Language::Es => format!("{} {day} de {}", weekday.to_lowercase(), ES[month]),
        Language::En => format!("{weekday}, {} {day}", EN[month]),
        Language::Pt => format!("{} {day} de {}", weekday.to_lowercase(), PT[month]),
    }
}

/// "16:30", "4:30 pm", "16h30"; with its distance from UTC where the clock shows it twice that day.
pub(super) fn clock(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let local = at.to_zoned(zone.clone());
    let (hour, minute) = (local.hour().unsigned_abs(), local.minute().unsigned_abs());
    let time = ClockTime::new(u16::from(hour), u16::from(minute));
    let time = time.map_or_else(String::new, |time| hours::time(time, language));
    if zone.to_ambiguous_zoned(local.datetime()).is_ambiguous() {
        format!("{time} (UTC{})", local.offset())
    } else {
        time
    }
}

/// "jueves 3 de diciembre a las 16:30".
pub(super) fn moment(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let date = day(at.to_zoned(zone.clone()).date(), language);
    let time = clock(at, zone, language);
    match language {
        Language::Es => format!("{date} a las {time}"),
        Language::En => format!("{date} at {time}"),
        Language::Pt => format!("{date} às {time}"),
    }
}

/// A short title of a time, for a button: with its date where several dates are offered.
pub(super) fn title(at: Timestamp, with_date: bool, zone: &TimeZone, language: Language) -> String {
    let time = clock(at, zone, language);
    if !with_date {
        return time;
    }
    let local = at.to_zoned(zone.clone());
    let weekday = hours::weekday(local.weekday(), language);
    format!("{weekday} {}, {time}", hours::short_date(local.date(), language))
}

/// What a service is called.
pub(super) fn service<'a>(pack: &'a ContextPack, id: &'a str) -> &'a str {
    pack.service(id).map_or(id, |service| &service.name)
}
