//! The booking agent: a form that is filled over several turns.
//!
//! Nothing here does anything. [`read`] says what a message settles, [`Form::take`] writes it down, [`step`] says what comes next in view of
//! [`Facts`]: a question, and at most one [`Effect`]. Whoever has the bookings does that and, where it was refused, asks again.

mod read;
mod said;
mod say;
mod step;

pub(crate) use read::read;
pub use said::Said;
pub use step::{Effect, Step, step};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use misy_domain::{BookingId, ContextPack, booking::Refused};
use serde::{Deserialize, Serialize};

/// A form that nobody went on with for so long is forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);
/// Free times are looked for so many days ahead.
const LOOK: i64 = 14;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Book something.
    #[default]
    Book,
    /// Move what is booked.
    Move,
    /// Call it off.
    Cancel,
    /// Hear what is booked.
    Check,
}

/// What was asked last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// Nothing yet.
    #[default]
    Nothing,
    /// Which service.
    Service,
    /// Which day.
    Day,
    /// At which time.
    Time,
    /// In whose name.
    Name,
    /// Which of the bookings.
    Booking,
    /// Whether it is right so.
    Confirm,
    /// Whether it was right so, and something else was said since: that is no question any more.
    Lapsed,
}

/// Who bookings were for before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Their name.
    pub name: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// What a conversation has settled of a booking so far. Kept between turns, sealed, as it may name the contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Form {
    /// What for.
    pub intent: Intent,
    /// The service, by its id.
    pub service: Option<String>,
    /// The services of which one is meant.
    pub services: Vec<String>,
    /// The provider who is asked for, by its id.
    pub provider: Option<String>,
    /// The provider with whom it was asked whether it is right so, by its id: that one is booked, or it is asked again.
    pub with: Option<String>,
    /// The provider who was asked for and does not do the service, until that is said.
    pub cannot: Option<String>,
    /// The local date.
    pub date: Option<Date>,
    /// A part of the day, in minutes since midnight.
    pub within: Option<(u16, u16)>,
    /// The time on the clock in minutes since midnight, and whether it is told which half of the day is meant.
    pub time: Option<(u16, bool)>,
    /// The time that was chosen from what was offered: of an hour that comes twice it tells which.
    pub exact: Option<Timestamp>,
    /// For how many.
    pub party_size: Option<u32>,
    /// In whose name.
    pub name: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Who earlier bookings were for.
    pub known: Known,
    /// The booking that is moved or called off.
    pub booking: Option<BookingId>,
    /// The booking that is being made; its time is kept meanwhile.
    pub held: Option<BookingId>,
    /// What was asked last.
    pub asked: Asked,
    /// Times, services or bookings that were offered last, as what their buttons stand for.
    pub offered: Vec<String>,
    /// Whether everything was asked for and done, or given up.
    pub done: bool,
    /// When it was gone on with last.
    pub at: Option<Timestamp>,
}

/// A booking of the contact that is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Its id.
    pub booking_id: BookingId,
    /// The service, by its id.
    pub service: String,
    /// What the service is called.
    pub service_name: String,
    /// The provider, by its id.
    pub provider: String,
    /// What the provider is called.
    pub provider_name: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// In whose name it is.
    pub name: Option<String>,
    /// For how many.
    pub party_size: Option<u32>,
}

/// A time that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeTime {
    /// When it begins.
    pub starts_at: Timestamp,
    /// With whom.
    pub provider: String,
}

/// What is known besides what was said.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What the contact has booked ahead, in order.
    pub ahead: Vec<Ahead>,
    /// The booking that the form names, where it was called off.
    pub off: Option<Ahead>,
    /// The free times of what [`Form::look`] asks for, in order.
    pub free: Vec<FreeTime>,
    /// Why the time that is wanted cannot be had, by the rules alone; none where it is only taken.
    pub refused: Option<Refused>,
}

/// Free times that have to be known for the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Of this service.
    pub service: String,
    /// With this provider, if one is asked for.
    pub provider: Option<String>,
    /// Rather with this one than with others.
    pub rather: Option<String>,
    /// From here on.
    pub from: Timestamp,
    /// Until here.
    pub until: Timestamp,
    /// The time that is wanted, if one is.
    pub wanted: Option<Timestamp>,
    /// The booking whose own time counts as free.
    pub except: Option<BookingId>,
}

/// What is settled with an answer: it becomes durable together with that, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The form as the next turn finds it.
    pub form: Form,
    /// What is done.
    pub effect: Option<Effect>,
}

impl Form {
    /// The form that a turn goes on with: one that is open, or a new one that knows who it was for.
    pub fn gone_on_with(form: Option<&Self>, now: Timestamp) -> Self {
        match form {
            Some(form) if form.is_open(now) => form.clone(),
            Some(Self { name, phone, email, known, .. }) => Self {
                name: name.clone(),
                phone: phone.clone(),
                email: email.clone(),
                known: known.clone(),
                ..Self::default()
            },
            None => Self::default(),
        }
    }

    /// Whether somebody may go on with it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let recent = |at: Timestamp| now.duration_since(at).abs() < FORGOTTEN;
        !self.done && self.asked != Asked::Nothing && self.at.is_some_and(recent)
    }

    /// The bookings that a message may mean, of those that are ahead: by service, then by day, and by the time where none is asked for.
    fn meant<'a>(&self, said: &Said, ahead: &'a [Ahead], zone: &TimeZone) -> Vec<&'a Ahead> {
        let by_service = |one: &&Ahead| said.services.is_empty() || said.services.contains(&one.service);
        let on_day = |one: &&Ahead| {
            said.days.first().is_some_and(|date| one.starts_at.to_zoned(zone.clone()).date() == *date)
        };
        let all: Vec<&Ahead> = ahead.iter().filter(by_service).collect();
        let all = if all.is_empty() { ahead.iter().collect() } else { all };
        let that_day: Vec<&Ahead> = all.iter().copied().filter(on_day).collect();
        let left = if that_day.is_empty() { all } else { that_day };
        let Some((minutes, told)) = said.time.filter(|_| self.intent == Intent::Cancel) else { return left };
        let begins_then = |one: &&Ahead| {
            let starts = minutes_of(one.starts_at, zone);
            starts == minutes || !told && starts == minutes + 12 * 60
        };
        let narrowed: Vec<&Ahead> = left.iter().copied().filter(begins_then).collect();
        if narrowed.is_empty() { left } else { narrowed }
    }

    /// Settles which booking is moved or called off, where only one can be meant. Before [`Form::look`].
    pub fn settle(&mut self, said: &Said, ahead: &[Ahead], pack: &ContextPack) {
        if self.done || !matches!(self.intent, Intent::Move | Intent::Cancel) {
            return;
        }
        let zone = pack.timezone.zone();
        if self.booking.is_none()
            && let [one] = self.meant(said, ahead, zone).as_slice()
        {
            self.booking = Some(one.booking_id);
            let own_day = one.starts_at.to_zoned(zone.clone()).date();
            if said.days.as_slice() == [own_day] && said.time.is_none() {
                // The day told which booking is meant, and not where to.
                self.date = None;
            }
        }
        let Some(one) = self.booking.and_then(|id| ahead.iter().find(|one| one.booking_id == id)) else {
            return;
        };
        self.service = Some(one.service.clone());
        self.services.clear();
        self.name = self.name.take().or_else(|| one.name.clone());
        self.party_size = self.party_size.or(one.party_size);
        if self.intent == Intent::Move && self.date.is_some() && self.time.is_none() && self.within.is_none()
        {
            // Unless another time is said, it is the same.
            self.time = Some((minutes_of(one.starts_at, zone), true));
        }
    }

    /// Which free times the next step has to know of.
    pub fn look(&self, pack: &ContextPack, ahead: &[Ahead], now: Timestamp) -> Option<Look> {
        if self.done || matches!(self.intent, Intent::Cancel | Intent::Check) {
            return None;
        }
        let moved = self.booking.and_then(|id| ahead.iter().find(|one| one.booking_id == id));
        if self.intent == Intent::Move && moved.is_none() {
            return None;
        }
        let service = self.service.clone()?;
        let zone = pack.timezone.zone();
        let date = self.date.unwrap_or_else(|| now.to_zoned(zone.clone()).date());
        let from = start_of(date, zone)?;
        let until = start_of(date.checked_add(LOOK.days()).ok()?, zone)?;
        Some(Look {
            service,
            provider: self.provider.clone(),
            rather: self.rather(moved),
            from: from.max(now),
            until,
            wanted: self.wanted(zone),
            except: self.booking.or(self.held),
        })
    }

    /// The provider who comes first where several are free: the one who was named, or who has the booking.
    fn rather(&self, moved: Option<&Ahead>) -> Option<String> {
        let has_it = moved.map(|one| one.provider.clone());
        if self.asked == Asked::Confirm { self.with.clone().or(has_it) } else { has_it.or(self.with.clone()) }
    }

    /// The instant that the form names, if it names one. Half of the day that is not told is the one in which businesses are open.
    pub fn wanted(&self, zone: &TimeZone) -> Option<Timestamp> {
        if let Some(exactly) = self.exactly(zone) {
            return Some(exactly);
        }
        let (minutes, told) = self.time?;
        let minutes = if !told && (60..8 * 60).contains(&minutes) { minutes + 12 * 60 } else { minutes };
        instant(self.date?, minutes, zone)
    }

    /// Whether it was asked with this provider whether it is right so.
    fn was_asked_with(&self, free: &FreeTime) -> bool {
        self.with.as_ref() == Some(&free.provider)
    }

    /// The time that was chosen, as long as the form names it.
    fn exactly(&self, zone: &TimeZone) -> Option<Timestamp> {
        let is_named = |at: &Timestamp| {
            Some(at.to_zoned(zone.clone()).date()) == self.date
                && self.time.is_some_and(|(minutes, _)| minutes == minutes_of(*at, zone))
        };
        self.exact.filter(is_named)
    }
}

/// Minutes since midnight on the local clock.
pub(crate) fn minutes_of(at: Timestamp, zone: &TimeZone) -> u16 {
    let local = at.to_zoned(zone.clone());
    u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs())
}

/// The instant of a time of a local date.
pub(crate) fn instant(date: Date, minutes: u16, zone: &TimeZone) -> Option<Timestamp> {
    let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
    zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok().map(|zoned| zoned.timestamp())
}

fn start_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// What a contact is told when no more can be booked now, and a person is asked to take over.
pub fn quota_phrase(language: misy_domain::Language) -> String {
    crate::reply::phrases::say("booking_quota", language, crate::style::Address::Formal, 0, &[])
}

#[cfg(test)]
mod tests;
