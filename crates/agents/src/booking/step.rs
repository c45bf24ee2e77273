//! What comes next: one question, and at most one thing to be done.

mod ahead;
mod times;

use super::{Asked, Facts, Form, FreeTime, Intent, Said, say};
use crate::{
    TurnInput,
    reply::phrases,
    style::{Style, style},
};
use jiff::{Timestamp, civil::Date};
use misy_domain::{
    BookingId, ContextPack, Language, Part,
    message::{Button, Reference},
};

/// So many choices are offered at once.
const CHOICES: usize = 5;
/// A button has no longer title.
const LONGEST_TITLE: usize = 60;

/// Something to be done with bookings. Where it is refused, the next step says what can be done instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Keep a time while the contact decides.
    Hold(FreeTime),
    /// Book the time, or move the booking there.
    Book(FreeTime),
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
    let step = match form.intent {
        Intent::Cancel => desk.cancel(form, said, facts),
        Intent::Check => desk.check(form, facts),
        Intent::Move => desk.change(form, said, facts),
        Intent::Book => desk.book(form, said, facts),
    };
    match form.cannot.take() {
        Some(provider) if !form.done => desk.says_who_cannot(form, &provider, step),
        _ => step,
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
        let free = match self.time(form, facts, &name) {
            Ok(free) => free,
            Err(step) => return *step,
        };
        if form.name.is_none() {
            form.with = Some(free.provider.clone());
            let text = self.say("booking_ask_name", &[("time", &self.moment(free.starts_at))]);
            let step = self.ask(form, Asked::Name, text, Vec::new());
            return Step { effect: Some(Effect::Hold(free)), ..step };
        }
        let agreed = form.asked == Asked::Confirm && said.agrees();
        if agreed && form.was_asked_with(&free) {
            let text = self.done(form, "booking_booked", &name, &free) + &self.for_whom(form);
            return Step {
                parts: vec![Part::Text { text }],
                effect: Some(Effect::Book(free)),
                rule: "booking: booked".to_owned(),
            };
        }
        let instead = agreed.then(|| self.instead_of(form.with.as_deref(), &free)).flatten();
        let text = instead.unwrap_or_default() + &self.summary(form, &name, &free);
        form.with = Some(free.provider.clone());
        let step = self.ask(form, Asked::Confirm, text, Vec::new());
        Step { effect: Some(Effect::Hold(free)), ..step }
    }

    /// Says that it is done. Nothing is asked any more.
    fn done(&self, form: &mut Form, phrase: &str, service: &str, free: &FreeTime) -> String {
        form.done = true;
        form.asked = Asked::Nothing;
        let values = [
            ("service", service),
            ("time", &self.moment(free.starts_at)),
            ("zone", self.pack.timezone.as_str()),
        ];
        self.say(phrase, &values)
    }

    /// "With Lía Mora."
    fn with(&self, free: &FreeTime) -> String {
        let provider = self.pack.provider(&free.provider);
        provider
            .map(|one| format!(" {}", self.say("booking_with", &[("provider", &one.name)])))
            .unwrap_or_default()
    }

    /// Says that a provider is not free then, where it is another one who is.
    fn instead_of(&self, provider: Option<&str>, free: &FreeTime) -> Option<String> {
        let provider = provider.filter(|id| *id != free.provider).and_then(|id| self.pack.provider(id))?;
        Some(self.say("booking_not_with", &[("provider", &provider.name)]) + " ")
    }

    /// Says first that the provider who was asked for does not do the service.
    fn says_who_cannot(&self, form: &Form, provider: &str, mut step: Step) -> Step {
        let service = form.service.as_deref().map(|id| say::service(self.pack, id));
        let named = self.pack.provider(provider).zip(service);
        let Some((provider, service)) = named else { return step };
        let values = [("provider", provider.name.as_str()), ("service", service)];
        let why = self.say("booking_cannot", &values);
        if let Some(Part::Text { text } | Part::Buttons { text, .. }) = step.parts.first_mut() {
            *text = format!("{why} {text}");
        }
        step
    }

    fn summary(&self, form: &Form, service: &str, free: &FreeTime) -> String {
        let zone = self.pack.timezone.as_str();
        let values = [("service", service), ("time", &self.moment(free.starts_at)), ("zone", zone)];
        let what = self.say("booking_confirm", &values) + &self.with(free);
        what + &self.for_whom(form) + " " + &self.say("booking_right", &[])
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
}
