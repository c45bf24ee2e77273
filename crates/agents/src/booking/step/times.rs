//! Which time is wanted, and what is said where it cannot be had.

use super::{CHOICES, Desk, Step};
use crate::booking::{Asked, Facts, Form, FreeTime, instant, minutes_of, say};
use jiff::{Timestamp, civil::Date};
use misy_domain::{booking::Refused, message::Reference};

impl Desk<'_> {
    /// The time that is wanted and free, or what has to be asked or said before.
    pub(super) fn time(&self, form: &mut Form, facts: &Facts, service: &str) -> Result<FreeTime, Box<Step>> {
        let zone = self.pack.timezone.zone();
        let Some(date) = form.date else {
            let text = self.say("booking_ask_day", &[("service", service)]);
            let free = self.within(form, facts);
            return Err(Box::new(self.offer(form, Asked::Day, text, &free)));
        };
        let same_day: Vec<&FreeTime> =
            facts.free.iter().filter(|free| self.date_of(free.starts_at) == date).collect();
        if form.time.is_none() {
            let fits: Vec<FreeTime> = self.within(form, facts);
            let fits: Vec<FreeTime> =
                fits.into_iter().filter(|free| self.date_of(free.starts_at) == date).collect();
            if !fits.is_empty() {
                let day = say::day(date, self.language);
                let text = self.say("booking_free", &[("service", service), ("day", &day)]);
                return Err(Box::new(self.offer(form, Asked::Time, text, &fits)));
            }
            return Err(Box::new(self.refuse(form, facts, service, date, &same_day)));
        }
        if let Some(free) = self.free_at(form, &same_day) {
            form.time = Some((minutes_of(free.starts_at, zone), true));
            return Ok(free.clone());
        }
        Err(Box::new(self.refuse(form, facts, service, date, &same_day)))
    }

    /// The free time that the form names: the one that was chosen, or, where the half of the day is not told, the one that is free.
    fn free_at<'f>(&self, form: &Form, same_day: &[&'f FreeTime]) -> Option<&'f FreeTime> {
        let ((minutes, told), date) = (form.time?, form.date?);
        let zone = self.pack.timezone.zone();
        let free = |at: Timestamp| same_day.iter().find(|free| free.starts_at == at).copied();
        if let Some(exactly) = form.exactly(zone) {
            return free(exactly);
        }
        let other = (!told && minutes < 12 * 60).then_some(minutes + 12 * 60);
        let usual = if minutes < 8 * 60 { [other, Some(minutes)] } else { [Some(minutes), other] };
        let starts = usual.into_iter().flatten().filter_map(|minutes| instant(date, minutes, zone));
        starts.into_iter().find_map(free)
    }

    fn within(&self, form: &Form, facts: &Facts) -> Vec<FreeTime> {
        let zone = self.pack.timezone.zone();
        let fits = |free: &&FreeTime| {
            let Some((from, to)) = form.within else { return true };
            (from..to).contains(&minutes_of(free.starts_at, zone))
        };
        facts.free.iter().filter(fits).cloned().collect()
    }

    /// Says why a time cannot be had, and offers the nearest ones.
    fn refuse(
        &self,
        form: &mut Form,
        facts: &Facts,
        service: &str,
        date: Date,
        same_day: &[&FreeTime],
    ) -> Step {
        let day = say::day(date, self.language);
        let reason = self.reason(form, facts, date, same_day);
        let holiday = self.holiday(date).unwrap_or_default();
        let why = self.say(
            reason,
            &[("service", service), ("day", &day), ("holiday", &holiday), ("days", &self.days())],
        );
        let wanted = form.wanted(self.pack.timezone.zone());
        let mut free: Vec<FreeTime> = if same_day.is_empty() {
            self.within(form, facts)
        } else {
            same_day.iter().map(|free| (*free).clone()).collect()
        };
        if free.is_empty() {
            free.clone_from(&facts.free);
        }
        if let Some(wanted) = wanted {
            free.sort_by_key(|free| free.starts_at.duration_since(wanted).abs());
            free.truncate(CHOICES);
            free.sort_by_key(|free| free.starts_at);
        }
        let is_same_day = free.first().is_some_and(|free| self.date_of(free.starts_at) == date);
        let (asked, date) = if is_same_day { (Asked::Time, Some(date)) } else { (Asked::Day, None) };
        form.date = date;
        let text = if free.is_empty() {
            format!("{why} {}", self.say("booking_nothing_free", &[]))
        } else {
            format!("{why} {}", self.say("booking_instead", &[]))
        };
        self.offer(form, asked, text, &free)
    }

    /// The phrase for the reason that the rules give, or that it is taken.
    fn reason(&self, form: &Form, facts: &Facts, date: Date, same_day: &[&FreeTime]) -> &'static str {
        let closed = self.is_closed(date);
        match facts.refused {
            Some(Refused::Past | Refused::TooSoon) => "booking_too_soon",
            Some(Refused::TooFar) => "booking_too_far",
            Some(Refused::Holiday) => "booking_holiday",
            Some(Refused::DoesNotFit) => "booking_does_not_fit",
            Some(Refused::OffGrid) => "booking_off_grid",
            Some(Refused::Closed) if closed => "booking_closed",
            Some(Refused::Closed) => "booking_absent",
            _ if self.holiday(date).is_some() => "booking_holiday",
            _ if closed => "booking_closed",
            _ if form.time.is_none() && same_day.is_empty() && self.is_too_far(date) => "booking_too_far",
            _ => "booking_taken",
        }
    }

    fn days(&self) -> String {
        let policy = self.pack.booking_policy.as_ref();
        policy.and_then(|policy| policy.max_advance_days).unwrap_or(90).to_string()
    }

    fn is_too_far(&self, date: Date) -> bool {
        let days: i32 = self.days().parse().unwrap_or(90);
        self.date_of(self.now).until(date).is_ok_and(|span| span.get_days() > days)
    }

    /// The reason of a holiday of the business, if the date is one.
    fn holiday(&self, date: Date) -> Option<String> {
        let calendar = self.pack.calendar()?;
        let day = calendar.on(date);
        let exception = day.exception.filter(|_| day.intervals.is_empty())?;
        let reason = exception.reason.as_ref().map(|reason| format!(" ({reason})"));
        Some(reason.unwrap_or_default())
    }

    fn is_closed(&self, date: Date) -> bool {
        self.pack.calendar().is_some_and(|calendar| calendar.on(date).intervals.is_empty())
    }

    /// Offers times to choose from.
    fn offer(&self, form: &mut Form, asked: Asked, text: String, free: &[FreeTime]) -> Step {
        let zone = self.pack.timezone.zone();
        let free = spread(free);
        let dates: std::collections::BTreeSet<Date> =
            free.iter().map(|free| self.date_of(free.starts_at)).collect();
        let with_date = dates.len() > 1 || asked == Asked::Day;
        let choice = |free: &FreeTime| {
            let title = say::title(free.starts_at, with_date, zone, self.language);
            (title, Reference { kind: "time".to_owned(), id: free.starts_at.to_string() })
        };
        self.ask(form, asked, text, free.iter().map(choice).collect())
    }
}

/// A few of many times, spread over what there is: the first ones of a day, or of several days.
fn spread(free: &[FreeTime]) -> Vec<FreeTime> {
    let step = free.len().div_ceil(CHOICES).max(1);
    free.iter().step_by(step).take(CHOICES).cloned().collect()
}
