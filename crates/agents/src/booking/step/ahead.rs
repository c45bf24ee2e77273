//! What is booked already: told, moved and called off.

use super::{CHOICES, Desk, Effect, Step};
use crate::booking::{Ahead, Asked, Facts, Form, Intent, Said};
use jiff::SignedDuration;
use misy_domain::{Part, message::Reference};

impl Desk<'_> {
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

    pub(super) fn cancel(&self, form: &mut Form, said: &Said, facts: &Facts) -> Step {
        if let Some(gone) = self.gone(form, facts) {
            return gone;
        }
        let was_asked = form.asked == Asked::Confirm;
        let one = match self.which(form, said, facts) {
            Ok(one) => one,
            Err(step) => return *step,
        };
        let what = self.describe(&one);
        if was_asked && said.agrees() {
            form.done = true;
            form.asked = Asked::Nothing;
            return Step {
                parts: vec![Part::Text { text: self.say("booking_cancelled", &[("booking", &what)]) }],
                effect: Some(Effect::CallOff(one.booking_id)),
                rule: "booking: called off".to_owned(),
            };
        }
        // Whoever wishes it once more, with other words around it, is asked once more.
        let wishes = said.intent == Some(Intent::Cancel) && !said.no;
        if was_asked && !wishes {
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

    pub(super) fn check(&self, form: &mut Form, facts: &Facts) -> Step {
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

    pub(super) fn change(&self, form: &mut Form, said: &Said, facts: &Facts) -> Step {
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
        let free = match self.time(form, facts, &name) {
            Ok(free) => free,
            Err(step) => return *step,
        };
        let agreed = form.asked == Asked::Confirm && said.agrees();
        if agreed && form.was_asked_with(&free) {
            return Step {
                parts: vec![Part::Text { text: self.done(form, "booking_moved", &name, &free) }],
                effect: Some(Effect::Book(free)),
                rule: "booking: moved".to_owned(),
            };
        }
        // Whoever asked for somebody else gets them; else it is said who has it from now on.
        let had = form.provider.is_none().then_some(one.provider.as_str());
        let before = if agreed { form.with.as_deref() } else { had };
        let instead = self.instead_of(before, &free).unwrap_or_default();
        let values = [("booking", self.describe(&one)), ("time", self.moment(free.starts_at))];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let what = self.say("booking_confirm_move", &values) + &self.with(&free);
        form.with = Some(free.provider);
        let text = instead + &what + " " + &self.say("booking_right", &[]);
        self.ask(form, Asked::Confirm, text, Vec::new())
    }
}
