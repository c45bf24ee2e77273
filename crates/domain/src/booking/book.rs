//! When a provider can take a booking: its week and its exceptions, the holidays of the business, the rules, and what is taken.
//!
//! Hours are local, and everything else is an instant. So a day of 23 or 25 hours has an hour's slots fewer or more, a local time that
//! clocks jump over is no slot, and one that comes twice is two.

use super::Terms;
use crate::hours::{Exception, ExceptionHours, Interval, Weekly};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::iter::Peekable;

/// What one provider's time looks like for one service.
#[derive(Debug, Clone, Copy)]
pub struct Book<'a> {
    /// The provider's usual week.
    pub weekly: &'a Weekly,
    /// Dates on which the provider's hours differ. They count above everything else.
    pub exceptions: &'a [Exception],
    /// Dates on which the business is closed or open for other hours.
    pub closed: &'a [Exception],
    /// Where the clock hangs.
    pub zone: &'a TimeZone,
    /// The rules.
    pub terms: Terms,
    /// What is taken, buffers included.
    pub taken: &'a [Taken],
}

/// A stretch of one of the provider's places that is taken, buffers included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Which place, from 1 to the capacity.
    pub place: u16,
    /// From when.
    pub from: Timestamp,
    /// Until when; at that moment it is free again.
    pub until: Timestamp,
}

/// A time that can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

/// Why a time cannot be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("it is over")]
    Past,
    /// It begins sooner than the policy lets it.
    #[error("it begins too soon")]
    TooSoon,
    /// It is further ahead than the policy lets it be.
    #[error("it is too far ahead")]
    TooFar,
    /// The business is closed on that date.
    #[error("the business is closed that day")]
    Holiday,
    /// The provider is not there.
    #[error("nobody is there at that time")]
    Closed,
    /// Somebody is there, but not for as long as it takes.
    #[error("it does not fit before the end of the opening")]
    DoesNotFit,
    /// Bookings begin at other minutes.
    #[error("bookings do not begin at that minute")]
    OffGrid,
    /// Somebody else has it.
    #[error("it is taken")]
    Taken,
}

impl Refused {
    /// Of two reasons, the one that is nearer to a time that can be booked: that is what is told where several could do it.
    #[must_use]
    pub fn nearer(self, other: Self) -> Self {
        let distance = |why: Self| match why {
            Self::Taken => 0,
            Self::OffGrid => 1,
            Self::DoesNotFit => 2,
            Self::TooSoon => 3,
            Self::TooFar => 4,
            Self::Past => 5,
            Self::Holiday => 6,
            Self::Closed => 7,
        };
        if distance(other) < distance(self) { other } else { self }
    }
}

impl Book<'_> {
    /// The hours of a date; the flag tells that the business is closed.
    fn hours(&self, date: Date) -> (Vec<Interval>, bool) {
        let on = |list: &[Exception]| list.iter().find(|exception| exception.date == date).cloned();
        if let Some(own) = on(self.exceptions) {
            return match own.hours {
                ExceptionHours::Closed(_) => (Vec::new(), false),
                ExceptionHours::Hours(hours) => (hours, false),
            };
        }
        let usual = self.weekly.on(date.weekday());
        match on(self.closed).map(|exception| exception.hours) {
            None => (usual.to_vec(), false),
            Some(ExceptionHours::Closed(_)) => (Vec::new(), true),
            Some(ExceptionHours::Hours(open)) => (both(usual, &open), false),
        }
    }

    /// The stretches in which the provider is there on these dates, joined over midnight.
    fn openings(&self, first: Date, last: Date) -> Vec<(Timestamp, Timestamp)> {
        let mut openings: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut date = first;
        while date <= last {
            for Interval(from, to) in self.hours(date).0 {
                let (Some(from), Some(to)) = (from.on(date, self.zone), to.on(date, self.zone)) else {
                    continue;
                };
                match openings.last_mut() {
                    Some(before) if before.1 == from => before.1 = to,
                    // An opening that lies in the gap of a change of clocks has no length.
                    _ if from < to => openings.push((from, to)),
                    _ => {}
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        openings
    }

    /// The openings around some instants, with the days before and after, since they may join over midnight.
    fn openings_around(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let days = i64::from(self.terms.duration / (24 * 60)) + 1;
        let (first, last) = (self.date(from), self.date(until));
        let first = first.checked_sub(1.day()).unwrap_or(first);
        let last = last.checked_add(days.days()).unwrap_or(last);
        self.openings(first, last)
    }

    /// The free starts from one instant until another, in order: the first of them, so many at most.
    pub fn free(&self, (from, until): (Timestamp, Timestamp), now: Timestamp, most: usize) -> Vec<Slot> {
        let Some((earliest, latest)) = self.bounds(now) else { return Vec::new() };
        let (from, until) = (from.max(earliest), until.min(latest));
        if from >= until {
            return Vec::new();
        }
        let length = minutes(self.terms.duration);
        let mut passing = Passing::over(self.taken);
        let mut slots = Vec::new();
        for (opens, closes) in self.openings_around(from, until) {
            let mut start = whole_second(opens.max(from));
            while start < until && slots.len() < most {
                let past = self.past_the_grid(start);
                if past > 0 {
                    let Ok(next) = start.checked_add(SignedDuration::from_secs(self.step() - past)) else {
                        break;
                    };
                    start = next;
                    continue;
                }
                let Ok(end) = start.checked_add(length) else { break };
                if end > closes {
                    break;
                }
                let free = self.occupies(start).and_then(|span| self.first_free(passing.clashing(span)));
                if free.is_some() {
                    slots.push(Slot { from: start, until: end });
                }
                let Ok(next) = start.checked_add(SignedDuration::from_secs(self.step())) else { break };
                start = next;
            }
        }
        slots
    }

    /// The slot that begins at an instant, or why there is none.
    pub fn judge(&self, start: Timestamp, now: Timestamp) -> Result<Slot, Refused> {
        if start <= now {
            return Err(Refused::Past);
        }
        let Some((earliest, latest)) = self.bounds(now) else { return Err(Refused::TooFar) };
        if start < earliest {
            return Err(Refused::TooSoon);
        }
        let end = start.checked_add(minutes(self.terms.duration)).map_err(|_| Refused::TooFar)?;
        if start >= latest {
            return Err(Refused::TooFar);
        }
        if self.hours(self.date(start)).1 {
            return Err(Refused::Holiday);
        }
        let openings = self.openings_around(start, end);
        let opening = openings.iter().find(|(opens, closes)| *opens <= start && start < *closes);
        let (_, closes) = opening.ok_or(Refused::Closed)?;
        if end > *closes {
            return Err(Refused::DoesNotFit);
        }
        if self.past_the_grid(start) > 0 {
            return Err(Refused::OffGrid);
        }
        self.place(start).map(|_| Slot { from: start, until: end }).ok_or(Refused::Taken)
    }

    /// The first place that is free for a booking that begins at an instant.
    pub fn place(&self, start: Timestamp) -> Option<u16> {
        let (from, until) = self.occupies(start)?;
        self.first_free(self.taken.iter().filter(|taken| taken.from < until && from < taken.until))
    }

    /// The first place that none of these has.
    fn first_free<'t>(&self, clashing: impl IntoIterator<Item = &'t Taken>) -> Option<u16> {
        let mut is_taken = vec![false; usize::from(self.terms.capacity)];
        for taken in clashing {
            let place = usize::from(taken.place).checked_sub(1).and_then(|at| is_taken.get_mut(at));
            if let Some(place) = place {
                *place = true;
            }
        }
        let first = is_taken.iter().position(|taken| !taken)?;
        u16::try_from(first + 1).ok()
    }

    /// What a booking that begins at an instant occupies, buffers included.
    pub fn occupies(&self, start: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let Terms { duration, before, after, .. } = self.terms;
        let from = start.checked_sub(minutes(before)).ok()?;
        let until =
            start.checked_add(minutes(duration)).and_then(|end| end.checked_add(minutes(after))).ok()?;
        Some((from, until))
    }

    /// The earliest start that the policy lets, and the end of the last day.
    fn bounds(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let earliest = now.checked_add(minutes(self.terms.min_advance)).ok()?;
        let days = i64::from(self.terms.max_advance) + 1;
        let after = self.date(now).checked_add(days.days()).ok()?;
        Some((earliest, after.to_zoned(self.zone.clone()).ok()?.timestamp()))
    }

    /// The local date at an instant.
    pub fn date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    fn step(&self) -> i64 {
        i64::from(self.terms.step.max(1)) * 60
    }

    /// Seconds since the last local time at which bookings begin.
    fn past_the_grid(&self, at: Timestamp) -> i64 {
        let time = at.to_zoned(self.zone.clone()).time();
        let seconds =
            i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        let past = seconds % self.step();
        if past == 0 && time.subsec_nanosecond() > 0 { self.step() } else { past }
    }
}

/// What is taken, met in the order of time: a look over a month must not go through all of it for each start.
struct Passing<'a> {
    coming: Peekable<std::vec::IntoIter<&'a Taken>>,
    near: Vec<&'a Taken>,
}

impl<'a> Passing<'a> {
    fn over(taken: &'a [Taken]) -> Self {
        let mut coming: Vec<&Taken> = taken.iter().collect();
        coming.sort_unstable_by_key(|taken| taken.from);
        Self { coming: coming.into_iter().peekable(), near: Vec::new() }
    }

    /// What clashes with a span that begins no earlier than the one before, and is as long.
    fn clashing(&mut self, (from, until): (Timestamp, Timestamp)) -> impl Iterator<Item = &'a Taken> + '_ {
        while let Some(taken) = self.coming.next_if(|taken| taken.from < until) {
            self.near.push(taken);
        }
        self.near.retain(|taken| from < taken.until);
        self.near.iter().copied()
    }
}

/// The next whole second: a clock tells parts of one, and no grid does.
fn whole_second(at: Timestamp) -> Timestamp {
    let past = SignedDuration::from_nanos(i64::from(at.subsec_nanosecond()));
    if past.is_zero() { at } else { at.checked_add(SignedDuration::from_secs(1) - past).unwrap_or(at) }
}

fn minutes(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(minutes))
}

/// What lies in both.
fn both(one: &[Interval], other: &[Interval]) -> Vec<Interval> {
    let common = |a: &Interval, b: &Interval| {
        let (from, to) = (a.0.max(b.0), a.1.min(b.1));
        (from < to).then_some(Interval(from, to))
    };
    one.iter().flat_map(|a| other.iter().filter_map(move |b| common(a, b))).collect()
}

#[cfg(test)]
mod tests;
