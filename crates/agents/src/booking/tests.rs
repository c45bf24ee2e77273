//! Whole conversations, with the bookings in memory.

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

fn pack(locale: &str) -> CompiledPack {
    let week = |hours: Value| json!({"mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours, "sat": [], "sun": []});
    let value = json!({
        "displayName": "Casa Sauce", "industry": "physiotherapy", "locale": locale, "timezone": "America/Bogota",
        "currency": "COP", "contact": {"email": "hola@sauce.example"},
        "openingHours": {"weekly": week(json!([["08:00", "18:00"]])), "exceptions": [
            {"date": "2026-12-08", "closed": true, "reason": "Inmaculada"}]},
        "services": [
            {"id": "masaje", "name": "Masaje deportivo", "durationMinutes": 60, "providerIds": ["lia", "tomas"]},
            {"id": "valoracion", "name": "Valoración inicial", "durationMinutes": 30, "providerIds": ["tomas"]}
        ],
        "providers": [
            {"id": "lia", "name": "Lía Mora", "weeklyAvailability": week(json!([["08:00", "12:00"]]))},
            {"id": "tomas", "name": "Tomás Gil", "weeklyAvailability": week(json!([["14:00", "18:00"]]))}
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
        for offer in pack.offers(&look.service) {
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
            None => outcome.replies.iter().flat_map(|reply| reply.parts.clone()).collect(),
            Some(said) => {
                if !self.form.is_open(self.now) {
                    self.form = Form { name: self.form.name.take(), ..Form::default() };
                }
                self.form.take(said, pack.pack(), self.now);
                let facts = self.facts(said);
                let step = step(&mut self.form, said, &facts, &input, outcome.language);
                if let Some(effect) = &step.effect {
                    self.act(effect, &facts);
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

    fn act(&mut self, effect: &Effect, facts: &Facts) {
        match effect {
            Effect::Hold { .. } | Effect::Release => {}
            Effect::CallOff(id) => self.off.extend(self.ahead.extract_if(.., |one| one.booking_id == *id)),
            Effect::Book { at } => {
                self.made += 1;
                let moved = self.form.booking.filter(|_| self.form.intent == Intent::Move);
                let service = self.form.service.clone().unwrap();
                let provider = facts.free.iter().find(|free| free.starts_at == *at).unwrap().provider.clone();
                self.ahead.retain(|one| Some(one.booking_id) != moved);
                self.ahead.push(Ahead {
                    booking_id: moved.unwrap_or_else(|| BookingId::from_bytes(self.made.to_be_bytes())),
                    service_name: self.pack.pack().service(&service).unwrap().name.clone(),
                    service,
                    provider_name: self.pack.pack().provider(&provider).unwrap().name.clone(),
                    provider,
                    starts_at: *at,
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

#[test]
fn a_booking_is_made_in_spanish_step_by_step() {
    let mut talk = Talk::with("es-CO");
    let asked = talk.say("hola, quiero reservar un masaje deportivo");
    assert!(asked.contains("Masaje deportivo"), "{asked}");
    let offered = talk.say("mañana en la tarde");
    assert!(offered.contains("miércoles 2 de diciembre"), "{offered}");
    let name = talk.say("a las 3");
    assert!(name.contains("15:00"), "{name}");
    let confirm = talk.say("Marta Rey, 300 555 0188");
    assert!(
        confirm.contains("a las 15:00 (hora de America/Bogota)") && confirm.contains("Marta Rey"),
        "{confirm}"
    );
    talk.expect(&[]);
    let done = talk.say("sí, por favor");
    assert!(done.contains("reservado"), "{done}");
    talk.expect(&[("masaje", "tomas", "12-02 15:00", "Marta Rey")]);
    assert_eq!(talk.form.phone.as_deref(), Some("300 555 0188"));
}

#[test]
fn a_booking_in_one_message_in_english_is_corrected_and_confirmed() {
    let mut talk = Talk::with("en-US");
    let confirm = talk.say("book a valoración inicial on Friday at 4pm, my name is Alan Poe");
    assert!(confirm.contains("Friday, December 4 at 4 pm"), "{confirm}");
    let corrected = talk.say("sorry, make it 5pm");
    assert!(corrected.contains("5 pm"), "{corrected}");
    talk.expect(&[]);
    talk.say("yes");
    talk.expect(&[("valoracion", "tomas", "12-04 17:00", "Alan Poe")]);
}

#[test]
fn a_holiday_is_refused_with_other_times_and_a_button_chooses_one_in_portuguese() {
    let mut talk = Talk::with("pt-BR");
    let refused = talk.say("quero marcar uma valoración inicial na terça às 15h, meu nome é Rui Sá");
    assert!(refused.contains("feriado") && refused.contains("Inmaculada"), "{refused}");
    let offered = talk.form.offered.clone();
    assert!(!offered.is_empty());
    let pressed = misy_domain::message::Reference { kind: "time".to_owned(), id: offered[0].clone() };
    let confirm = talk.press("x", Some(&pressed));
    assert!(confirm.contains("Rui Sá"), "{confirm}");
    talk.say("isso");
    let at: Timestamp = offered[0].parse().unwrap();
    assert_eq!(talk.ahead.iter().map(|one| one.starts_at).collect::<Vec<_>>(), [at]);
}

#[test]
fn a_booking_is_moved_and_then_called_off_and_both_are_asked_first() {
    let mut talk = Talk::with("es-CO");
    talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
    talk.say("sí");
    talk.expect(&[("masaje", "lia", "12-03 09:00", "Ana Ruiz")]);
    let moved = talk.say("puedo cambiar mi cita para el viernes a las 10?");
    assert!(moved.contains("viernes 4 de diciembre"), "{moved}");
    talk.expect(&[("masaje", "lia", "12-03 09:00", "Ana Ruiz")]);
    talk.say("sí");
    talk.expect(&[("masaje", "lia", "12-04 10:00", "Ana Ruiz")]);
    let asked = talk.say("necesito cancelar mi cita");
    assert!(asked.contains("viernes 4 de diciembre"), "{asked}");
    talk.expect(&[("masaje", "lia", "12-04 10:00", "Ana Ruiz")]);
    let stays = talk.say("no, mejor no");
    assert!(stays.contains("queda como está"), "{stays}");
    talk.expect(&[("masaje", "lia", "12-04 10:00", "Ana Ruiz")]);
    talk.say("cancelar mi cita");
    talk.say("sí");
    talk.expect(&[]);
}

#[test]
fn who_denies_asks_or_thinks_of_it_calls_nothing_off() {
    let kept = [("masaje", "lia", "12-03 09:00", "Ana Ruiz")];
    for text in [
        "No, no quiero cancelarla",
        "no, cancela la del viernes",
        "No, don't cancel it",
        "please don’t cancel it",
        "can I still cancel it tomorrow?",
        "não, não cancele",
        "ok, déjame pensarlo",
    ] {
        let mut talk = Talk::with("es-CO");
        talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
        talk.say("sí");
        talk.say("necesito cancelar mi cita");
        talk.say(text);
        talk.expect(&kept);
    }
    let mut talk = Talk::with("es-CO");
    talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
    talk.say("ok, déjame pensarlo");
    talk.expect(&[]);
}

#[test]
fn a_booking_is_made_moved_and_called_off_in_each_language() {
    let dialogues = [
        (
            "es-CO",
            [
                "quiero reservar un masaje deportivo mañana a las 15:00, soy Ana Ruiz",
                "sí",
                "quiero cambiar mi cita para pasado mañana a las 17:00",
                "sí, por favor",
                "necesito cancelar mi cita",
                "sí",
            ],
        ),
        (
            "en-US",
            [
                "I'd like to book a masaje deportivo tomorrow at 3pm, my name is Ana Ruiz",
                "yes please",
                "can I move my appointment to the day after tomorrow at 5pm?",
                "yes",
                "please cancel my appointment",
                "yes",
            ],
        ),
        (
            "pt-BR",
            [
                "quero marcar um masaje deportivo amanhã às 15h, meu nome é Ana Ruiz",
                "sim",
                "quero mudar meu horário para depois de amanhã às 17h",
                "isso",
                "preciso cancelar minha consulta",
                "sim, pode cancelar",
            ],
        ),
    ];
    for (locale, [book, yes, move_it, agreed, cancel, off]) in dialogues {
        let mut talk = Talk::with(locale);
        let mut said = Vec::new();
        let mut say = |talk: &mut Talk, text: &str| said.push(format!("{text}: {}", talk.say(text)));
        say(&mut talk, book);
        say(&mut talk, yes);
        let booked = talk.booked();
        say(&mut talk, move_it);
        say(&mut talk, agreed);
        let moved = talk.booked();
        say(&mut talk, cancel);
        say(&mut talk, off);
        let times = |all: &[(String, String, String, String)]| {
            all.iter().map(|one| one.2.clone()).collect::<Vec<_>>()
        };
        let left = talk.booked();
        assert_eq!(
            (times(&booked), times(&moved), left.len()),
            (vec!["12-02 15:00".to_owned()], vec!["12-03 17:00".to_owned()], 0),
            "{said:#?}"
        );
    }
}

/// Somebody of the business was faster, or the turn is run again after it did what it does.
#[test]
fn a_yes_to_a_booking_that_is_gone_touches_no_other_one() {
    let mut talk = Talk::with("es-CO");
    for day in ["jueves", "viernes"] {
        talk.say(&format!("quiero reservar masaje deportivo el {day} a las 9, soy Ana Ruiz"));
        talk.say("sí");
    }
    let friday = ("masaje", "lia", "12-04 09:00", "Ana Ruiz");
    talk.expect(&[("masaje", "lia", "12-03 09:00", "Ana Ruiz"), friday]);
    let asked = talk.say("necesito cancelar mi cita del jueves");
    assert!(asked.contains("jueves 3 de diciembre"), "{asked}");
    talk.off.push(talk.ahead.remove(0));
    let done = talk.say("sí");
    assert!(done.contains("quedó anulada") && done.contains("jueves 3 de diciembre"), "{done}");
    talk.expect(&[friday]);

    // Of two on one day the time tells which is meant.
    talk.say("quiero reservar masaje deportivo el viernes a las 16:00");
    talk.say("sí");
    let asked = talk.say("necesito cancelar mi cita de las 4");
    assert!(asked.contains("16:00"), "{asked}");
    talk.say("sí");
    talk.expect(&[friday]);
}

#[test]
fn a_question_in_between_leaves_the_form_as_it_is_and_a_change_of_mind_ends_it() {
    let mut talk = Talk::with("es-CO");
    talk.say("quiero reservar un masaje deportivo mañana a las 9");
    let before = talk.form.clone();
    talk.say("¿cuánto cuesta?");
    assert_eq!(talk.form.date, before.date);
    assert_eq!(talk.form.service, before.service);
    talk.say("Luz Paz");
    let dropped = talk.say("no");
    assert!(dropped.contains("no reservo nada"), "{dropped}");
    talk.expect(&[]);
    assert!(!talk.form.is_open(talk.now));
}

/// Conversations of a file, each to its end: how many end with exactly what is expected to be booked. `MISY_DIALOGUES` names the
/// file, `MISY_BUSINESSES` the folder of the packs; neither belongs to the repository.
#[test]
#[ignore = "a measure over files that are not here"]
#[allow(clippy::print_stdout, reason = "it is asked for its figures")]
fn conversations_of_a_file_end_as_they_should() {
    let read =
        |path: String| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let folder = std::env::var("MISY_BUSINESSES").unwrap();
    let lines = read(std::env::var("MISY_DIALOGUES").unwrap());
    let shown = std::env::var("MISY_SHOW").is_ok();
    let (mut all, mut right) = (0, [0, 0]);
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let dialogue: Value = serde_json::from_str(line).unwrap();
        let mut pack: Value =
            serde_json::from_str(&read(format!("{folder}/{}.json", dialogue["tenant"].as_str().unwrap())))
                .unwrap();
        pack.as_object_mut().unwrap().remove("tenantId");
        let pack = CompiledPack::new(misy_domain::ContextPack::parse(&pack).unwrap()).unwrap();
        all += 1;
        // As the program knows the contact, and with what their channel knows of them.
        for (at, right) in right.iter_mut().enumerate() {
            let mut talk =
                Talk::of(pack.clone(), dialogue["given"]["now"].as_str().unwrap().parse().unwrap());
            talk.given(&dialogue["given"], at == 1);
            let mut said = Vec::new();
            for turn in dialogue["turns"].as_array().unwrap() {
                if let Some(text) = turn["user"].as_str() {
                    let answer = talk.say(text);
                    said.push(format!("   > {text}\n   < {}", answer.replace('\n', " ")));
                }
            }
            let expected = dialogue["outcome"]["bookings"].as_array().cloned().unwrap_or_default();
            let is_right = talk.is_as(&expected);
            *right += usize::from(is_right);
            if at == 1 && (shown || !is_right) {
                let mark = if is_right { "right" } else { "WRONG" };
                println!("{} {mark}\n{}\n   {:?}", dialogue["id"], said.join("\n"), talk.booked());
            }
        }
    }
    println!(
        "{} of {all} end as they should; {} of {all} with what the channel knows of the contact",
        right[0], right[1]
    );
}

impl Talk {
    fn instant(&self, date: &str, time: &str) -> Timestamp {
        let (hour, minute) = time.split_once(':').unwrap();
        let minutes = hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap();
        instant(date.parse().unwrap(), minutes, self.pack.pack().timezone.zone()).unwrap()
    }

    /// What a conversation begins with.
    fn given(&mut self, given: &Value, with_contact: bool) {
        let name = given["contact"]["name"].as_str().filter(|_| with_contact).map(str::to_owned);
        self.form.name.clone_from(&name);
        for busy in given["busy"].as_array().into_iter().flatten() {
            let at = |name: &str| {
                let (date, time) = busy[name].as_str().unwrap().split_once('T').unwrap();
                self.instant(date, time)
            };
            let (from, until) = (at("from"), at("to"));
            let provider = busy["provider"].as_str().unwrap().to_owned();
            self.taken.entry(provider).or_default().push(Taken { place: 1, from, until });
        }
        for booking in given["bookings"].as_array().into_iter().flatten() {
            let text = |name: &str| booking[name].as_str().unwrap().to_owned();
            self.made += 1;
            let ahead = Ahead {
                booking_id: BookingId::from_bytes((self.made + 1000).to_be_bytes()),
                service: text("service"),
                service_name: self.pack.pack().service(&text("service")).unwrap().name.clone(),
                provider: text("provider"),
                provider_name: self.pack.pack().provider(&text("provider")).unwrap().name.clone(),
                starts_at: self.instant(&text("date"), &text("time")),
                name: given["contact"]["name"].as_str().map(str::to_owned),
                party_size: booking["partySize"].as_u64().and_then(|size| u32::try_from(size).ok()),
            };
            self.ahead.push(ahead);
        }
    }

    fn is_as(&self, expected: &[Value]) -> bool {
        let fits = |one: &Ahead, is: &Value| {
            one.service == is["service"].as_str().unwrap_or_default()
                && one.starts_at == self.instant(is["date"].as_str().unwrap(), is["time"].as_str().unwrap())
                && is["provider"].as_str().is_none_or(|id| id == one.provider)
                && is["name"].as_str().is_none_or(|name| Some(name) == one.name.as_deref())
                && is["partySize"].as_u64().is_none_or(|size| one.party_size.map(u64::from) == Some(size))
        };
        self.ahead.len() == expected.len()
            && expected.iter().all(|is| self.ahead.iter().any(|one| fits(one, is)))
    }
}
