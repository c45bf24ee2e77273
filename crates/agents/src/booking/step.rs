//! What comes next: one question, and at most one thing to be done.

use super::{Ahead, Asked, Facts, Form, FreeTime, Intent, Said, instant, say};
use crate::{
    TurnInput,
    reply::phrases,
    style::{Style, style},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use misy_domain::{
    BookingId, ContextPack, Language, Part,
    booking::Refused,
    message::{Button, Reference},
};

/// So many choices are offered at once.
const CHOICES: usize = 5;
/// A button has no longer title.
const LONGEST_TITLE: usize = 60;

/// Something to be done with bookings. The answer to it is given by [`Step::done`] or, where it was refused, by the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Keep a time while the contact decides.
    Hold {
        /// When it begins.
        at: Timestamp,
    },
    /// Book the time, or move the booking there.
    Book {
        /// When it begins.
        at: Timestamp,
    },
    /// Call a booking off.
    CallOff(BookingId),
    /// Let the time go that was kept.
    Release,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is said if nothing is to be done, or once it is done.
    pub parts: Vec<Part>,
    /// What is to be done first.
    pub effect: Option<Effect>,
    /// What was decided, for the record; no words of the contact.
    pub rule: String,
}

/// Says what comes next, and writes down what is asked.
pub fn step(form: &mut Form, said: &Said, facts: &Facts, input: &TurnInput<'_>, language: Language) -> Step {
    let pack = input.pack.pack();
    let desk = Desk { pack, style: style(pack, input.channel), language, now: input.now };
    form.offered.clear();
    match form.intent {
        Intent::Cancel => desk.cancel(form, said, facts),
        Intent::Check => desk.check(form, facts),
        Intent::Move => desk.change(form, said, facts),
        Intent::Book => desk.book(form, said, facts),
    }
}

struct Desk<'a> {
    pack: &'a ContextPack,
    style: Style,
    language: Language,
    now: Timestamp,
}

impl Desk<'_> {
    fn say(&self, name: &str, values: &[(&str, &str)]) -> String {
        phrases::say(name, self.language, self.style.address, 0, values)
    }

    fn moment(&self, at: Timestamp) -> String {
        say::moment(at, self.pack.timezone.zone(), self.language)
    }

    fn date_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.pack.timezone.zone().clone()).date()
    }

    /// A question, with what may be chosen.
    fn ask(&self, form: &mut Form, asked: Asked, text: String, choices: Vec<(String, Reference)>) -> Step {
        form.asked = asked;
        form.offered = choices.iter().map(|(_, reference)| reference.id.clone()).collect();
        let rule = format!("booking: asks for {asked:?}").to_lowercase();
        Step { parts: vec![self.part(text, choices)], effect: None, rule }
    }

    fn part(&self, text: String, choices: Vec<(String, Reference)>) -> Part {
        if choices.is_empty() {
            return Part::Text { text };
        }
        let text = if self.style.channel.buttons {
            text
        } else {
            let lines = choices.iter().enumerate().map(|(at, (title, _))| format!("{}. {title}", at + 1));
            format!("{text}\n{}", lines.collect::<Vec<_>>().join("\n"))
        };
        let button = |(title, reference): (String, Reference)| Button {
            id: reference.id.clone(),
            title: title.chars().take(LONGEST_TITLE).collect(),
            reference: Some(reference),
            url: None,
        };
        Part::Buttons { text, buttons: choices.into_iter().map(button).collect() }
    }

    fn ended(&self, form: &mut Form, phrase: &str, effect: Option<Effect>, rule: &str) -> Step {
        form.done = true;
        form.asked = Asked::Nothing;
        let parts = vec![Part::Text { text: self.say(phrase, &[]) }];
        Step { parts, effect, rule: rule.to_owned() }
    }

    fn book(&self, form: &mut Form, said: &Said, facts: &Facts) -> Step {
        let given_up = said.declines() && !matches!(form.asked, Asked::Nothing | Asked::Name);
        if given_up || (said.intent == Some(Intent::Cancel) && form.asked != Asked::Nothing) {
            return self.ended(form, "booking_dropped", Some(Effect::Release), "booking: given up");
        }
        let Some(service) = form.service.clone() else { return self.which_service(form) };
        if form.name.is_none() {
            form.name = facts.ahead.iter().find_map(|one| one.name.clone());
        }
        let name = say::service(self.pack, &service).to_owned();
        let at = match self.time(form, facts, &name) {
            Ok(at) => at,
            Err(step) => return *step,
        };
        if form.name.is_none() {
            let text = self.say("booking_ask_name", &[("time", &self.moment(at))]);
            let step = self.ask(form, Asked::Name, text, Vec::new());
            return Step { effect: Some(Effect::Hold { at }), ..step };
        }
        if form.asked == Asked::Confirm && said.agrees() {
            form.done = true;
            form.asked = Asked::Nothing;
            let values = [
                ("service", name.as_str()),
                ("time", &self.moment(at)),
                ("zone", self.pack.timezone.as_str()),
            ];
            let text = self.say("booking_booked", &values) + &self.for_whom(form);
            return Step {
                parts: vec![Part::Text { text }],
                effect: Some(Effect::Book { at }),
                rule: "booking: booked".to_owned(),
            };
        }
        let text = self.summary(form, facts, &name, at);
        let step = self.ask(form, Asked::Confirm, text, Vec::new());
        Step { effect: Some(Effect::Hold { at }), ..step }
    }

    fn summary(&self, form: &Form, facts: &Facts, service: &str, at: Timestamp) -> String {
        let zone = self.pack.timezone.as_str();
        let provider = facts.free.iter().find(|free| free.starts_at == at).map(|free| free.provider.as_str());
        let provider = provider.and_then(|id| self.pack.provider(id));
        let with = provider.map(|provider| self.say("booking_with", &[("provider", &provider.name)]));
        let values = [("service", service), ("time", &self.moment(at)), ("zone", zone)];
        let text =
            [Some(self.say("booking_confirm", &values)), with].into_iter().flatten().collect::<Vec<_>>();
        text.join(" ") + &self.for_whom(form) + " " + &self.say("booking_right", &[])
    }

    fn for_whom(&self, form: &Form) -> String {
        let mut text = String::new();
        if let Some(size) = form.party_size {
            text.push(' ');
            text.push_str(&self.say("booking_party", &[("count", &size.to_string())]));
        }
        if let Some(name) = &form.name {
            text.push(' ');
            text.push_str(&self.say("booking_name", &[("name", &crate::reply::write::quoted(name, 120))]));
        }
        text
    }

    /// The time that is wanted and free, or what has to be asked or said before.
    fn time(&self, form: &mut Form, facts: &Facts, service: &str) -> Result<Timestamp, Box<Step>> {
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
        if let Some(at) = self.free_at(form, &same_day) {
            let local = at.to_zoned(zone.clone());
            let minutes = i32::from(local.hour()) * 60 + i32::from(local.minute());
            form.time = u16::try_from(minutes).ok().map(|minutes| (minutes, true));
            return Ok(at);
        }
        Err(Box::new(self.refuse(form, facts, service, date, &same_day)))
    }

    /// The free time that the form names: where the half of the day is not told, the one that is free.
    fn free_at(&self, form: &Form, same_day: &[&FreeTime]) -> Option<Timestamp> {
        let ((minutes, told), date) = (form.time?, form.date?);
        let zone = self.pack.timezone.zone();
        let other = (!told && minutes < 12 * 60).then_some(minutes + 12 * 60);
        let usual = if minutes < 8 * 60 { [other, Some(minutes)] } else { [Some(minutes), other] };
        let starts = usual.into_iter().flatten().filter_map(|minutes| instant(date, minutes, zone));
        starts.into_iter().find(|at| same_day.iter().any(|free| free.starts_at == *at))
    }

    fn within(&self, form: &Form, facts: &Facts) -> Vec<FreeTime> {
        let zone = self.pack.timezone.zone();
        let fits = |free: &&FreeTime| {
            let Some((from, to)) = form.within else { return true };
            let local = free.starts_at.to_zoned(zone.clone());
            let minutes = i32::from(local.hour()) * 60 + i32::from(local.minute());
            i32::from(from) <= minutes && minutes < i32::from(to)
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

    fn which_service(&self, form: &mut Form) -> Step {
        let named: Vec<&str> = form.services.iter().map(String::as_str).collect();
        let all = self
            .pack
            .services
            .iter()
            .filter(|service| service.is_bookable())
            .map(|service| service.id.as_str());
        let ids: Vec<&str> = if named.is_empty() { all.take(8).collect() } else { named };
        let choice = |id: &&str| {
            (
                say::service(self.pack, id).to_owned(),
                Reference { kind: "service".to_owned(), id: (*id).to_owned() },
            )
        };
        let choices: Vec<_> = ids.iter().map(choice).collect();
        let text = self.say("booking_ask_service", &[]);
        self.ask(form, Asked::Service, text, choices)
    }

    fn describe(&self, one: &Ahead) -> String {
        format!("{} · {}", one.service_name, self.moment(one.starts_at))
    }

    /// The booking that is meant, or the question which.
    fn which(&self, form: &mut Form, said: &Said, facts: &Facts) -> Result<Ahead, Box<Step>> {
        let known = form.booking.and_then(|id| facts.ahead.iter().find(|one| one.booking_id == id));
        if let Some(one) = known {
            return Ok(one.clone());
        }
        let fit = form.meant(said, &facts.ahead, self.pack.timezone.zone());
        match fit.as_slice() {
            [] => Err(Box::new(self.ended(form, "booking_none", None, "booking: there is none"))),
            [one] => Ok((*one).clone()),
            several => {
                let choice = |one: &&Ahead| {
                    let reference = Reference { kind: "booking".to_owned(), id: one.booking_id.to_string() };
                    (self.describe(one), reference)
                };
                let choices = several.iter().take(CHOICES).map(choice).collect();
                let text = self.say("booking_which", &[]);
                Err(Box::new(self.ask(form, Asked::Booking, text, choices)))
            }
        }
    }

    /// The booking that was spoken of is not ahead any more: somebody of the business called it off, its time came, or this turn is run
    /// again. A yes to it is no yes to another one.
    fn gone(&self, form: &mut Form, facts: &Facts) -> Option<Step> {
        let id = form.booking?;
        if facts.ahead.iter().any(|one| one.booking_id == id) {
            return None;
        }
        let Some(off) = facts.off.as_ref().filter(|one| one.booking_id == id) else {
            return Some(self.ended(form, "booking_none", None, "booking: there is none"));
        };
        let phrase = if form.intent == Intent::Cancel { "booking_cancelled" } else { "booking_is_off" };
        form.done = true;
        form.asked = Asked::Nothing;
        let text = self.say(phrase, &[("booking", &self.describe(off))]);
        let rule = "booking: was called off before".to_owned();
        Some(Step { parts: vec![Part::Text { text }], effect: None, rule })
    }

    fn cancel(&self, form: &mut Form, said: &Said, facts: &Facts) -> Step {
        if let Some(gone) = self.gone(form, facts) {
            return gone;
        }
        let was_asked = form.asked == Asked::Confirm;
        let one = match self.which(form, said, facts) {
            Ok(one) => one,
            Err(step) => return *step,
        };
        let what = self.describe(&one);
        if was_asked && said.agrees_to_cancel() {
            form.done = true;
            form.asked = Asked::Nothing;
            return Step {
                parts: vec![Part::Text { text: self.say("booking_cancelled", &[("booking", &what)]) }],
                effect: Some(Effect::CallOff(one.booking_id)),
                rule: "booking: called off".to_owned(),
            };
        }
        if was_asked {
            return self.ended(form, "booking_stays", None, "booking: stays as it is");
        }
        let mut text = self.say("booking_confirm_cancel", &[("booking", &what)]);
        if let Some(late) = self.late(&one) {
            text = format!("{text} {late}");
        }
        self.ask(form, Asked::Confirm, text, Vec::new())
    }

    /// What is to be said where it is later than the business lets bookings go for nothing, in its own words if it has any.
    fn late(&self, one: &Ahead) -> Option<String> {
        let hours = self.pack.booking_policy.as_ref()?.cancellation_hours.filter(|hours| *hours > 0)?;
        let left = one.starts_at.duration_since(self.now);
        if left >= SignedDuration::from_hours(i64::from(hours)) {
            return None;
        }
        Some(self.say("booking_late", &[("hours", &hours.to_string())]))
    }

    fn check(&self, form: &mut Form, facts: &Facts) -> Step {
        if facts.ahead.is_empty() {
            return self.ended(form, "booking_none", None, "booking: there is none");
        }
        form.done = true;
        form.asked = Asked::Nothing;
        let lines: Vec<String> = facts.ahead.iter().map(|one| format!("- {}", self.describe(one))).collect();
        let text = format!("{}\n{}", self.say("booking_ahead", &[]), lines.join("\n"));
        Step {
            parts: vec![Part::Text { text }],
            effect: None,
            rule: "booking: says what is booked".to_owned(),
        }
    }

    fn change(&self, form: &mut Form, said: &Said, facts: &Facts) -> Step {
        if let Some(gone) = self.gone(form, facts) {
            return gone;
        }
        let was_asked = matches!(form.asked, Asked::Confirm | Asked::Day | Asked::Time);
        let one = match self.which(form, said, facts) {
            Ok(one) => one,
            Err(step) => return *step,
        };
        if said.declines() && was_asked {
            return self.ended(form, "booking_stays", None, "booking: stays as it is");
        }
        let name = one.service_name.clone();
        let at = match self.time(form, facts, &name) {
            Ok(at) => at,
            Err(step) => return *step,
        };
        if form.asked == Asked::Confirm && said.agrees() {
            form.done = true;
            form.asked = Asked::Nothing;
            let values = [
                ("service", name.as_str()),
                ("time", &self.moment(at)),
                ("zone", self.pack.timezone.as_str()),
            ];
            return Step {
                parts: vec![Part::Text { text: self.say("booking_moved", &values) }],
                effect: Some(Effect::Book { at }),
                rule: "booking: moved".to_owned(),
            };
        }
        let values = [("booking", self.describe(&one)), ("time", self.moment(at))];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = self.say("booking_confirm_move", &values) + " " + &self.say("booking_right", &[]);
        self.ask(form, Asked::Confirm, text, Vec::new())
    }
}

/// A few of many times, spread over what there is: the first ones of a day, or of several days.
fn spread(free: &[FreeTime]) -> Vec<FreeTime> {
    let step = free.len().div_ceil(CHOICES).max(1);
    free.iter().step_by(step).take(CHOICES).cloned().collect()
}
