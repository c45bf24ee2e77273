//! Opening hours: local intervals by weekday, exceptions by date, and what they mean at an instant.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How far ahead an opening is looked for.
const HORIZON_DAYS: i32 = 400;

/// A time on a clock, to the minute; `24:00` is the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(u16);

/// The text is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time such as 09:30, from 00:00 to 24:00")]
pub struct InvalidClockTime;

impl ClockTime {
    /// From hours and minutes, up to `24:00`.
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(Self(hour * 60 + minute))
    }

    /// Minutes since midnight.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// The hour, 0 to 24.
    pub fn hour(self) -> u16 {
        self.0 / 60
    }

    /// The minute of the hour.
    pub fn minute(self) -> u16 {
        self.0 % 60
    }

    /// The instant of this time on a date. Where clocks jump forward the later reading counts, where they fall back
    /// the earlier one (as RFC 5545 does).
    pub fn on(self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        let (date, minutes) = if self.0 == 24 * 60 { (date.tomorrow().ok()?, 0) } else { (date, self.0) };
        let hour = i8::try_from(minutes / 60).ok()?;
        let minute = i8::try_from(minutes % 60).ok()?;
        let at = date.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
        zone.to_ambiguous_zoned(at).compatible().ok().map(|zoned| zoned.timestamp())
    }
}

impl FromStr for ClockTime {
    type Err = InvalidClockTime;
    fn from_str(text: &str) -> Result<Self, InvalidClockTime> {
        let bytes = text.as_bytes();
        let digits = |a: usize| (bytes[a].is_ascii_digit()).then(|| u16::from(bytes[a] - b'0'));
        if bytes.len() != 5 || bytes[2] != b':' {
            return Err(InvalidClockTime);
        }
        let read = || Self::new(digits(0)? * 10 + digits(1)?, digits(3)? * 10 + digits(4)?);
        read().ok_or(InvalidClockTime)
    }
}

impl TryFrom<String> for ClockTime {
    type Error = InvalidClockTime;
    fn try_from(text: String) -> Result<Self, InvalidClockTime> {
        text.parse()
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        time.to_string()
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

/// From one time to a later one of the same day, written `["09:00","13:30"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval(pub ClockTime, pub ClockTime);

/// The intervals of each day of the week; an empty day is closed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = WeeklyHours))]
pub struct Weekly {
    /// Monday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub mon: Vec<Interval>,
    /// Tuesday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub tue: Vec<Interval>,
    /// Wednesday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub wed: Vec<Interval>,
    /// Thursday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub thu: Vec<Interval>,
    /// Friday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub fri: Vec<Interval>,
    /// Saturday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub sat: Vec<Interval>,
    /// Sunday.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub sun: Vec<Interval>,
}

impl Weekly {
    /// The intervals of a weekday, in order.
    pub fn on(&self, day: Weekday) -> &[Interval] {
        match day {
            Weekday::Monday => &self.mon,
            Weekday::Tuesday => &self.tue,
            Weekday::Wednesday => &self.wed,
            Weekday::Thursday => &self.thu,
            Weekday::Friday => &self.fri,
            Weekday::Saturday => &self.sat,
            Weekday::Sunday => &self.sun,
        }
    }

    /// Whether no day has any hours.
    pub fn is_empty(&self) -> bool {
        Weekday::Monday.cycle_forward().take(7).all(|day| self.on(day).is_empty())
    }
}

/// A date that differs from its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ExceptionalDay))]
pub struct Exception {
    /// The local date.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
    pub date: Date,
    /// The hours of that date; none means closed. Written `"closed": true` or `"hours": [...]`.
    #[serde(flatten)]
    pub hours: ExceptionHours,
    /// Why, for the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an exception says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ExceptionHours {
    /// Closed all day; the flag is always true.
    Closed(bool),
    /// Open at these hours only.
    Hours(Vec<Interval>),
}

/// A week, its exceptions and the zone they are local to.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    /// The usual week.
    pub weekly: &'a Weekly,
    /// The dates that differ.
    pub exceptions: &'a [Exception],
    /// Where the clock hangs.
    pub zone: &'a TimeZone,
}

/// The hours of one date.
#[derive(Debug, Clone, Copy)]
pub struct Day<'a> {
    /// When it is open, in order; nothing means closed.
    pub intervals: &'a [Interval],
    /// The exception that made it so.
    pub exception: Option<&'a Exception>,
}

impl<'a> Calendar<'a> {
    /// The local date at an instant.
    pub fn date_at(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The hours of a date.
    pub fn on(&self, date: Date) -> Day<'a> {
        let exception = self.exceptions.iter().find(|exception| exception.date == date);
        let intervals = match exception.map(|exception| &exception.hours) {
            Some(ExceptionHours::Closed(_)) => &[][..],
            Some(ExceptionHours::Hours(hours)) => hours,
            None => self.weekly.on(date.weekday()),
        };
        Day { intervals, exception }
    }

    /// When the present opening ends; none if it is closed at that instant. An opening that goes on at once after midnight is
    /// the same one.
    pub fn open_until(&self, at: Timestamp) -> Option<Timestamp> {
        let end = |at: Timestamp| {
            self.spans(self.date_at(at)).find(|(from, to)| *from <= at && at < *to).map(|(_, to)| to)
        };
        let mut until = end(at)?;
        // Open around the clock there is no end; a week later is late enough.
        for _ in 0..14 {
            match end(until) {
                Some(later) => until = later,
                None => break,
            }
        }
        Some(until)
    }

    /// Whether it is open at an instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.open_until(at).is_some()
    }

    /// The first opening that begins after an instant, within some 13 months.
    pub fn next_opening(&self, after: Timestamp) -> Option<Timestamp> {
        let first = self.date_at(after);
        (0..HORIZON_DAYS)
            .filter_map(|days| first.checked_add(days.days()).ok())
            .find_map(|date| self.spans(date).map(|(from, _)| from).find(|from| *from > after))
    }

    /// The openings of a date as instants.
    fn spans(&self, date: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> + use<'a> {
        let zone = self.zone;
        self.on(date)
            .intervals
            .iter()
            .filter_map(move |Interval(from, to)| Some((from.on(date, zone)?, to.on(date, zone)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(pairs: &[(&str, &str)]) -> Vec<Interval> {
        pairs.iter().map(|(a, b)| Interval(a.parse().unwrap(), b.parse().unwrap())).collect()
    }

    fn shop() -> (Weekly, Vec<Exception>) {
        let usual = hours(&[("09:00", "13:30"), ("14:30", "19:30")]);
        let weekly = Weekly {
            mon: usual.clone(),
            tue: usual,
            sat: hours(&[("22:00", "24:00")]),
            sun: hours(&[("00:00", "03:30")]),
            ..Weekly::default()
        };
        let exceptions = vec![
            Exception {
                date: "2026-12-08".parse().unwrap(),
                hours: ExceptionHours::Closed(true),
                reason: Some("Inmaculada".into()),
            },
            Exception {
                date: "2026-12-09".parse().unwrap(),
                hours: ExceptionHours::Hours(hours(&[("10:00", "11:00")])),
                reason: None,
            },
        ];
        (weekly, exceptions)
    }

    #[test]
    fn a_lunch_break_is_closed_and_the_next_opening_is_after_it() {
        let (weekly, exceptions) = shop();
        let zone = TimeZone::get("America/Santiago").unwrap();
        let calendar = Calendar { weekly: &weekly, exceptions: &exceptions, zone: &zone };
        let lunch = at("2026-12-07T14:00:00-03:00");
        assert!(!calendar.is_open(lunch));
        assert_eq!(calendar.next_opening(lunch), Some(at("2026-12-07T14:30:00-03:00")));
        assert_eq!(
            calendar.open_until(at("2026-12-07T09:00:00-03:00")),
            Some(at("2026-12-07T13:30:00-03:00"))
        );
        assert!(!calendar.is_open(at("2026-12-07T19:30:00-03:00")), "the end is not within");
    }

    #[test]
    fn an_exception_replaces_its_weekday() {
        let (weekly, exceptions) = shop();
        let zone = TimeZone::get("America/Santiago").unwrap();
        let calendar = Calendar { weekly: &weekly, exceptions: &exceptions, zone: &zone };
        assert!(calendar.on("2026-12-08".parse().unwrap()).intervals.is_empty());
        assert_eq!(
            calendar.next_opening(at("2026-12-08T08:00:00-03:00")),
            Some(at("2026-12-09T10:00:00-03:00"))
        );
    }

    #[test]
    fn nights_over_a_change_of_clocks_are_as_long_as_the_wall_says() {
        let (weekly, _) = shop();
        let zone = TimeZone::get("America/New_York").unwrap();
        let calendar = Calendar { weekly: &weekly, exceptions: &[], zone: &zone };
        // 8 March 2026: 02:00 becomes 03:00; the night from 00:00 to 03:30 has two and a half hours.
        let start = at("2026-03-08T00:00:00-05:00");
        assert_eq!(calendar.open_until(start), Some(at("2026-03-08T03:30:00-04:00")));
        // Midnight joins Saturday's evening and Sunday's night without a gap.
        assert_eq!(
            calendar.open_until(at("2026-03-07T23:30:00-05:00")),
            Some(at("2026-03-08T03:30:00-04:00"))
        );
        assert!(calendar.is_open(at("2026-03-07T23:59:59-05:00")));
        assert!(calendar.is_open(start));
        // 1 November 2026: 01:30 comes twice and both are within.
        assert!(calendar.is_open(at("2026-11-01T01:30:00-04:00")));
        assert!(calendar.is_open(at("2026-11-01T01:30:00-05:00")));
    }

    #[test]
    fn a_week_without_hours_never_opens() {
        let zone = TimeZone::UTC;
        let weekly = Weekly::default();
        let calendar = Calendar { weekly: &weekly, exceptions: &[], zone: &zone };
        assert_eq!(calendar.next_opening(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn only_times_of_a_clock_are_times() {
        for text in ["9:00", "24:01", "12:60", "ab:cd", "12-30", "", "１２:00", "12:3", "-1:00"] {
            assert_eq!(text.parse::<ClockTime>(), Err(InvalidClockTime), "{text:?}");
        }
        assert_eq!("24:00".parse::<ClockTime>().unwrap().to_string(), "24:00");
    }
}
