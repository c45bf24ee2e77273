//! What a message settles of a booking, and how a form takes it.

use super::{Asked, Form, Intent, Known, minutes_of};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use misy_domain::ContextPack;

/// What a message settles.
#[allow(clippy::struct_excessive_bools, reason = "each is a thing that is said or not")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What somebody wants to do, if it says so.
    pub intent: Option<Intent>,
    /// Services that may be meant, the likeliest first; one if it is clear.
    pub services: Vec<String>,
    /// The provider who is named.
    pub provider: Option<String>,
    /// Whether any provider will do.
    pub anybody: bool,
    /// Days, in the order in which they are named.
    pub days: Vec<Date>,
    /// A part of the day.
    pub within: Option<(u16, u16)>,
    /// A time on the clock.
    pub time: Option<(u16, bool)>,
    /// Whether it is the time that was spoken of before.
    pub same_time: bool,
    /// For how many.
    pub party_size: Option<u32>,
    /// In whose name.
    pub name: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// Yes, among whatever else it says.
    pub yes: bool,
    /// Yes to what was asked, and nothing else.
    pub agreed: bool,
    /// No.
    pub no: bool,
    /// Which of what was offered last.
    pub chosen: Option<String>,
    /// Whether it asks something that is none of the form's questions.
    pub asks: bool,
}

impl Said {
    /// Whether it goes on with a form.
    pub(crate) fn continues(&self, form: &Form) -> bool {
        let settles = self.chosen.is_some()
            || !self.days.is_empty()
            || self.within.is_some()
            || self.time.is_some()
            || self.party_size.is_some()
            || self.intent.is_some()
            || self.same_time;
        let answers = match form.asked {
            Asked::Confirm => self.yes || self.no || !self.services.is_empty() || self.name.is_some(),
            Asked::Name => self.name.is_some() || self.phone.is_some() || self.email.is_some() || self.no,
            Asked::Service | Asked::Booking => !self.services.is_empty() || self.no,
            Asked::Day | Asked::Time => {
                self.provider.is_some() || self.anybody || self.no || !self.services.is_empty()
            }
            // It was another question that was asked last: a no is to that one.
            Asked::Lapsed => (self.yes && !self.no) || !self.services.is_empty() || self.name.is_some(),
            Asked::Nothing => false,
        };
        settles || (answers && !self.asks)
    }

    /// Whether it says something new besides yes or no.
    fn corrects(&self) -> bool {
        !self.days.is_empty()
            || self.within.is_some()
            || self.time.is_some()
            || self.party_size.is_some()
            || !self.services.is_empty()
            || self.provider.is_some()
            || self.chosen.is_some()
            || self.name.is_some()
    }

    /// Yes to what was asked, and nothing else.
    pub(crate) fn agrees(&self) -> bool {
        self.agreed && !self.no && !self.asks && !self.corrects()
    }

    /// No, and nothing in its place.
    pub(crate) fn declines(&self) -> bool {
        self.no && !self.corrects()
    }
}

impl Form {
    /// Writes down what a message settles. What it corrects counts, and the rest stays.
    pub fn take(&mut self, said: &Said, pack: &ContextPack, now: Timestamp) {
        if self.done || self.asked == Asked::Nothing {
            self.begin(said.intent.unwrap_or_default());
        } else if let Some(intent) = said.intent
            // To change or call off what is not booked yet is to correct it, or to give it up.
            && self.intent != Intent::Book
            && intent != Intent::Book
            && intent != self.intent
        {
            self.intent = intent;
            (self.date, self.time, self.within) = (None, None, None);
            // A yes to the one is none to the other.
            self.lapse();
        }
        self.at = Some(now);
        self.take_choice(said, pack.timezone.zone());
        match said.services.as_slice() {
            [one] => {
                self.service = Some(one.clone());
                self.services.clear();
            }
            [] => {}
            several if self.service.as_ref().is_none_or(|own| !several.contains(own)) => {
                let narrowed: Vec<String> =
                    several.iter().filter(|one| self.services.contains(one)).cloned().collect();
                self.services = if narrowed.is_empty() { several.to_vec() } else { narrowed };
                self.service = (self.services.len() == 1).then(|| self.services[0].clone());
            }
            _ => {}
        }
        if said.anybody {
            self.provider = None;
        }
        self.provider = said.provider.clone().or(self.provider.take());
        self.leave_who_cannot(pack);
        if let Some(date) = said.days.last().filter(|_| self.intent != Intent::Cancel) {
            self.date = Some(*date);
        }
        if said.within.is_some() {
            self.within = said.within;
        }
        if said.time.is_some() {
            self.time = said.time;
            self.tell_the_half();
        } else if said.within.is_some() {
            self.time = None;
        }
        self.tell_the_meal(pack);
        self.party_size = said.party_size.or(self.party_size);
        self.name = said.name.clone().or(self.name.take());
        self.phone = said.phone.clone().or(self.phone.take());
        self.email = said.email.clone().or(self.email.take());
    }

    /// Begins anew. Who books again is who booked before; what is moved or called off keeps who it is for.
    fn begin(&mut self, intent: Intent) {
        let Self { name, phone, email, known, .. } = std::mem::take(self);
        let known =
            Known { name: name.or(known.name), phone: phone.or(known.phone), email: email.or(known.email) };
        if intent == Intent::Book {
            (self.name, self.phone, self.email) =
                (known.name.clone(), known.phone.clone(), known.email.clone());
        }
        (self.intent, self.known) = (intent, known);
    }

    /// Something else was said since it asked, or what it asked is not what is asked now: it is asked anew before a yes counts.
    pub fn lapse(&mut self) {
        self.offered.clear();
        if self.asked == Asked::Confirm {
            self.asked = Asked::Lapsed;
        }
    }

    /// What was offered and is chosen now: a time, a service or a booking.
    fn take_choice(&mut self, said: &Said, zone: &TimeZone) {
        let Some(chosen) = &said.chosen else { return };
        if let Ok(at) = chosen.parse::<Timestamp>() {
            self.date = Some(at.to_zoned(zone.clone()).date());
            self.time = Some((minutes_of(at, zone), true));
            self.exact = Some(at);
        } else if let Ok(booking) = chosen.parse() {
            self.booking = Some(booking);
        } else {
            self.service = Some(chosen.clone());
            self.services.clear();
        }
    }

    /// A half of the day that is not told is that of the part of the day which was spoken of; nobody means the small hours.
    fn tell_the_half(&mut self) {
        let (Some((minutes, false)), Some((from, to))) = (self.time, self.within) else { return };
        let fits = |minutes: u16| from.max(6 * 60) <= minutes && minutes < to;
        let told = [minutes, minutes + 12 * 60].into_iter().find(|minutes| fits(*minutes));
        if let Some(minutes) = told {
            self.time = Some((minutes, true));
        }
    }

    /// Of several services that are meals, the one of that time of day.
    fn tell_the_meal(&mut self, pack: &ContextPack) {
        const LUNCH: [&str; 3] = ["almuerzo", "almoco", "lunch"];
        const DINNER: [&str; 3] = ["cena", "jantar", "dinner"];
        let at = self.time.map(|(minutes, told)| if told { minutes } else { minutes % 720 + 720 });
        let Some(at) = at.or(self.within.map(|(from, _)| from)).filter(|_| self.service.is_none()) else {
            return;
        };
        let meal: &[&str] = if at >= 17 * 60 { &DINNER } else { &LUNCH };
        let is_meal = |id: &&String| {
            let name = pack.service(id).map(|service| crate::text::tokens::words(&service.name));
            name.is_some_and(|name| name.iter().any(|word| meal.contains(&word.as_str())))
        };
        let fit: Vec<String> = self.services.iter().filter(is_meal).cloned().collect();
        if let [one] = fit.as_slice() {
            self.service = Some(one.clone());
            self.services.clear();
        }
    }

    /// Somebody who does not do the service cannot be asked for it, which is said.
    fn leave_who_cannot(&mut self, pack: &ContextPack) {
        if let (Some(service), Some(provider)) = (&self.service, &self.provider)
            && pack.offer(service, provider).is_none()
        {
            self.cannot = self.provider.take();
        }
    }
}
