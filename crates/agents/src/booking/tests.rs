//! Whole conversations, with the bookings in memory.

mod dialogues;
mod measure;
mod who;
mod yes;

use super::*;
use crate::{Budget, CompiledPack, HistoryItem, InboundText, TurnInput, decide_turn, offered};
use misy_domain::{
    Channel, Language, Part, Permissions, Role,
    booking::{Slot, Taken},
    message::text_of,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A business with its bookings, and one contact who writes.
struct Talk {
    pack: CompiledPack,
    now: Timestamp,
    form: Form,
    history: Vec<HistoryItem>,
    language: Option<Language>,
    taken: BTreeMap<String, Vec<Taken>>,
    ahead: Vec<Ahead>,
    /// What was called off.
    off: Vec<Ahead>,
    made: u128,
}

/// Lía is there in the morning, and Tomás in the afternoon.
fn pack(locale: &str) -> CompiledPack {
    pack_in(locale, "America/Bogota", [["08:00", "12:00"], ["14:00", "18:00"]])
}

/// The hours of Lía and of Tomás from Monday to Friday.
fn pack_in(locale: &str, zone: &str, [lia, tomas]: [[&str; 2]; 2]) -> CompiledPack {
    let week = |hours: Value| json!({"mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours, "sat": [], "sun": []});
    let value = json!({
        "displayName": "Casa Sauce", "industry": "physiotherapy", "locale": locale, "timezone": zone,
        "currency": "COP", "contact": {"email": "hola@sauce.example"},
        "openingHours": {"weekly": week(json!([["08:00", "18:00"]])), "exceptions": [
            {"date": "2026-12-08", "closed": true, "reason": "Inmaculada"}]},
        "services": [
            {"id": "masaje", "name": "Masaje deportivo", "durationMinutes": 60, "providerIds": ["lia", "tomas"]},
            {"id": "valoracion", "name": "Valoración inicial", "durationMinutes": 30, "providerIds": ["tomas"]}
        ],
        "providers": [
            {"id": "lia", "name": "Lía Mora", "weeklyAvailability": week(json!([lia]))},
            {"id": "tomas", "name": "Tomás Gil", "weeklyAvailability": week(json!([tomas]))}
        ],
        "bookingPolicy": {"slotMinutes": 30, "minAdvanceMinutes": 60, "maxAdvanceDays": 30, "cancellationHours": 24}
    });
    CompiledPack::new(misy_domain::ContextPack::parse(&value).unwrap()).unwrap()
}

impl Talk {
    fn with(locale: &str) -> Self {
        // A Tuesday.
        Self::of(pack(locale), "2026-12-01T10:00:00-05:00".parse().unwrap())
    }

    fn of(pack: CompiledPack, now: Timestamp) -> Self {
        Self {
            pack,
            now,
            form: Form::default(),
            history: Vec::new(),
            language: None,
            taken: BTreeMap::new(),
            ahead: Vec::new(),
            off: Vec::new(),
            made: 0,
        }
    }

    fn facts(&mut self, said: &Said) -> Facts {
        let pack = self.pack.pack();
        let ahead = self.ahead.clone();
        self.form.settle(said, &ahead, pack);
        let off = self.off.iter().find(|one| Some(one.booking_id) == self.form.booking).cloned();
        let Some(look) = self.form.look(pack, &ahead, self.now) else {
            return Facts { ahead, off, ..Facts::default() };
        };
        let mut free: BTreeMap<Slot, String> = BTreeMap::new();
        let mut refused: Option<Refused> = None;
        let mut possible = false;
        let mut offers = pack.offers(&look.service);
        offers.sort_by_key(|offer| look.rather.as_ref() != Some(&offer.provider.id));
        for offer in offers {
            if look.provider.as_ref().is_some_and(|id| *id != offer.provider.id) {
                continue;
            }
            let taken = self.taken.get(&offer.provider.id).map_or(&[][..], Vec::as_slice);
            for slot in pack.book(&offer, taken).free((look.from, look.until), self.now, 400) {
                free.entry(slot).or_insert_with(|| offer.provider.id.clone());
            }
            if let Some(wanted) = look.wanted {
                match pack.book(&offer, &[]).judge(wanted, self.now) {
                    Ok(_) => possible = true,
                    Err(why) => refused = Some(refused.map_or(why, |before| before.nearer(why))),
                }
            }
        }
        let free =
            free.into_iter().map(|(slot, provider)| FreeTime { starts_at: slot.from, provider }).collect();
        Facts { ahead, off, free, refused: refused.filter(|_| !possible) }
    }

    /// Says something and gives what is answered.
    fn say(&mut self, text: &str) -> String {
        self.press(text, None)
    }

    fn press(&mut self, text: &str, pressed: Option<&misy_domain::message::Reference>) -> String {
        let messages =
            [InboundText { message_id: "msg_00000000000000000000000001".parse().unwrap(), text, pressed }];
        let (pack, history, form) = (self.pack.clone(), self.history.clone(), self.form.clone());
        let permissions = Permissions::anonymous_chat();
        let input = TurnInput {
            pack: &pack,
            channel: Channel::Web,
            locale: None,
            session_language: self.language,
            messages: &messages,
            history: &history,
            form: Some(&form),
            permissions: &permissions,
            handed_off: false,
            unanswered_in_a_row: 0,
            now: self.now,
        };
        let outcome = decide_turn(&input, &Budget::of_turn());
        self.language = Some(outcome.language);
        let parts = match &outcome.said {
            None => {
                self.form.lapse();
                outcome.replies.iter().flat_map(|reply| reply.parts.clone()).collect()
            }
            Some(said) => {
                self.form = Form::gone_on_with(Some(&self.form), self.now);
                self.form.take(said, pack.pack(), self.now);
                let facts = self.facts(said);
                let step = step(&mut self.form, said, &facts, &input, outcome.language);
                if let Some(effect) = &step.effect {
                    self.act(effect);
                }
                step.parts
            }
        };
        let answer = text_of(&parts);
        let item = |role, text: &str, parts: &[Part]| HistoryItem {
            role,
            text: text.to_owned(),
            agent_name: None,
            offered: offered(parts),
        };
        self.history.push(item(Role::Contact, text, &[]));
        self.history.push(item(Role::Agent, &answer, &parts));
        answer
    }

    fn act(&mut self, effect: &Effect) {
        match effect {
            Effect::Hold(_) | Effect::Release => {}
            Effect::CallOff(id) => self.off.extend(self.ahead.extract_if(.., |one| one.booking_id == *id)),
            Effect::Book(FreeTime { starts_at, provider }) => {
                self.made += 1;
                let moved = self.form.booking.filter(|_| self.form.intent == Intent::Move);
                let service = self.form.service.clone().unwrap();
                self.ahead.retain(|one| Some(one.booking_id) != moved);
                self.ahead.push(Ahead {
                    booking_id: moved.unwrap_or_else(|| BookingId::from_bytes(self.made.to_be_bytes())),
                    service_name: self.pack.pack().service(&service).unwrap().name.clone(),
                    service,
                    provider_name: self.pack.pack().provider(provider).unwrap().name.clone(),
                    provider: provider.clone(),
                    starts_at: *starts_at,
                    name: self.form.name.clone(),
                    party_size: self.form.party_size,
                });
            }
        }
    }

    /// What is booked: service, provider, local time, name.
    fn booked(&self) -> Vec<(String, String, String, String)> {
        let zone = self.pack.pack().timezone.zone();
        let one = |one: &Ahead| {
            let local = one.starts_at.to_zoned(zone.clone());
            let name = one.name.clone().unwrap_or_default();
            (one.service.clone(), one.provider.clone(), local.strftime("%m-%d %H:%M").to_string(), name)
        };
        self.ahead.iter().map(one).collect()
    }

    fn expect(&self, booked: &[(&str, &str, &str, &str)]) {
        let own = self.booked();
        let own: Vec<_> =
            own.iter().map(|(a, b, c, d)| (a.as_str(), b.as_str(), c.as_str(), d.as_str())).collect();
        assert_eq!(own, booked);
    }
}
