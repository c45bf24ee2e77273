//! The worst that a tenant and a contact may write, counted in steps: a turn ends within its budget, a pack is made ready
//! within its own or refused with the reason, and ordinary ones come nowhere near.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail the test"
)]

use misy_agents::{
    Budget, CompiledPack, HistoryItem, InboundText, MOST_BYTES, PACK_STEPS, Spent, TURN_STEPS, TooCostly,
    TurnInput, TurnOutcome, decide_turn,
};
use misy_domain::{Channel, ContextPack, Part, Permissions, Role, context_pack::MAX_PACK_BYTES};
use serde_json::{Value, json};
use std::{sync::LazyLock, sync::atomic::AtomicBool, time::Instant};

/// A number in letters, so many of them.
fn word(mut number: usize, letters: usize) -> String {
    let mut word = vec![b'a'; letters];
    for letter in word.iter_mut().rev() {
        *letter = b'a' + u8::try_from(number % 26).unwrap();
        number /= 26;
    }
    String::from_utf8(word).unwrap()
}

/// As many texts of such words as a limit in characters allows each.
fn texts(words: impl Iterator<Item = String>, longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    for word in words {
        let last = texts.last_mut().unwrap();
        if last.len() + word.len() + 1 > longest {
            texts.push(word);
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(&word);
        }
    }
    texts
}

fn pack_of(language: &str, rest: &Value) -> Value {
    let mut pack = json!({
        "displayName": "Muro", "industry": "Shop", "locale": language, "timezone": "America/Bogota", "currency": "COP",
        "contact": { "email": "a@muro.example" },
    });
    pack.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    pack
}

/// Approved answers whose questions are these texts, up to the largest pack.
fn asked_by(texts: Vec<String>) -> Value {
    let (mut faqs, mut size) = (Vec::new(), 1_000);
    let mut texts = texts.into_iter();
    while let Some(question) = texts.next() {
        let alternatives: Vec<String> = texts.by_ref().take(30).collect();
        let faq = json!({ "id": format!("f{}", faqs.len()), "question": question, "alternatives": alternatives, "answer": "a" });
        size += faq.to_string().len() + 1;
        if size > MAX_PACK_BYTES || faqs.len() == 500 {
            break;
        }
        faqs.push(faq);
    }
    json!({ "faq": faqs })
}

/// The worst packs by what they aim at.
static PACKS: LazyLock<Vec<(&str, Value)>> = LazyLock::new(|| {
    let near = |at: usize, letter: usize| {
        let mut word = *b"abcdefghijklmnopqrstuvwx";
        word[at % 24] = b'a' + u8::try_from(letter % 26).unwrap();
        word[(at / 24 + 7) % 24] = b'a' + u8::try_from(letter / 26 % 26).unwrap();
        String::from_utf8(word.to_vec()).unwrap()
    };
    let silent = |number: usize| {
        (0..12).fold(String::new(), |word, bit| {
            let letter = char::from(b"bcdfgjklmprt"[bit]);
            if number >> bit & 1 == 1 { format!("{word}h{letter}") } else { format!("{word}{letter}") }
        })
    };
    let services: Vec<Value> = (0..300)
        .map(|n| json!({ "id": format!("s{n}"), "name": format!("corte {}", word(n, 5)), "description": "corte y peinado ".repeat(40) }))
        .collect();
    let objection = json!({ "objection": "hola buenas tardes señor de la tienda ".repeat(7), "answer": "a" });
    let strategies: Vec<Value> = (0..12)
        .map(|n| json!({ "id": format!("v{n}"), "service": "s0", "objections": vec![&objection; 30] }))
        .collect();
    let exceptions: Vec<Value> = (0..400)
        .map(|n| json!({ "date": format!("20{:02}-{:02}-{:02}", 27 + n / 336, n / 28 % 12 + 1, n % 28 + 1), "closed": true }))
        .collect();
    let named: Vec<Value> = exceptions
        .iter()
        .map(|exception| {
            let mut exception = exception.clone();
            exception["reason"] = json!("hora precio cita a b c ".repeat(5));
            exception
        })
        .collect();
    let beginning = |stem: &str, letters: usize| {
        let stem = stem.to_owned();
        asked_by(texts((0..40_000).map(move |n| format!("{stem}{}", word(n * 17, letters))), 300))
    };
    vec![
        ("stems that begin alike", pack_of("es-CO", &beginning("con", 4))),
        ("stems that begin alike, long", pack_of("pt-BR", &beginning("conxyzu", 15))),
        (
            "words one letter away",
            pack_of("es-CO", &asked_by(texts((0..16_224).map(|n| near(n, n / 24)), 300))),
        ),
        ("words that sound the same", pack_of("es-CO", &asked_by(texts((0..4_096).map(silent), 300)))),
        ("as many different words as there is room for", pack_of("en-US", &beginning("", 4))),
        (
            "thousands of ways to ask the same",
            pack_of("es-CO", &asked_by((0..15_500).map(|n| format!("hora {}", word(n, 3))).collect())),
        ),
        (
            "every way of asking holds every word",
            pack_of(
                "es-CO",
                &asked_by(vec!["a b hora precio cita cama mesa casa luz sol mar pan".repeat(5); 15_500]),
            ),
        ),
        (
            "services, objections and holidays",
            pack_of(
                "es-CO",
                &json!({
                    "services": services[..150], "salesStrategies": strategies,
                    "openingHours": { "weekly": {}, "exceptions": exceptions },
                    "escalation": { "whenToHandOff": vec!["más de 80 personas ".repeat(15); 30] },
                }),
            ),
        ),
        (
            "holidays whose names are words of the questions",
            pack_of("es-CO", &json!({ "openingHours": { "weekly": {}, "exceptions": named } })),
        ),
        ("turns of phrase", pack_of("es-CO", &asked_by(vec!["quiero hablar no me que ".repeat(12); 15_500]))),
        ("all services alike", pack_of("es-CO", &json!({ "services": services }))),
    ]
});

/// The worst texts by what they aim at.
fn messages() -> Vec<(&'static str, Vec<String>)> {
    let said = |words: &mut dyn Iterator<Item = String>| {
        let text = words.collect::<Vec<_>>().join(" ");
        vec![text.chars().take(6_000).collect::<String>()]
    };
    let sentences = |start: &str| {
        let start = start.to_owned();
        move |n: usize| format!("¿{start}{}? {start}{}", word(n * 31 + 5, 4), word(n * 7 + 3, 5))
    };
    vec![
        (
            "unknown words that begin alike",
            said(&mut (0..900).map(|n| format!("con{}", word(n * 13 + 7, 5)))),
        ),
        ("the same as questions", said(&mut (0..900).map(sentences("con")))),
        ("the same, long", said(&mut (0..900).map(|n| format!("conxyzu{}", word(n * 13 + 7, 15))))),
        (
            "words two letters away",
            said(&mut (0..300).map(|n| format!("abcdef{}ijklmnopqrstuv{}", word(n, 2), word(n * 11, 2)))),
        ),
        (
            "words that sound nearly the same",
            said(&mut (0..400).map(|n| format!("bcdfgjklmpr{}", word(n, 2)))),
        ),
        ("every known word", vec!["hora precio cita cama mesa casa luz sol mar pan ".repeat(125)]),
        ("words of the lists", vec!["quiero hablar necesito reservar ¿cuánto cuesta? no me ".repeat(120)]),
        ("numbers and days", vec!["after tomorrow 25/12 mas de 99 personas ".repeat(150)]),
        ("nothing but marks", vec!["?!.;\n".repeat(1_200)]),
        ("fifty messages", vec!["hola corte aaaab ".repeat(470); 50]),
        ("letters of four bytes", vec!["𝒽ﬃé́ ".repeat(1_200)]),
    ]
}

fn parsed(json: &Value) -> ContextPack {
    ContextPack::parse(json).unwrap_or_else(|wrong| panic!("{:?}", &wrong[..wrong.len().min(3)]))
}

fn decide(
    pack: &CompiledPack,
    texts: &[String],
    history: &[HistoryItem],
    budget: &Budget<'_>,
) -> TurnOutcome {
    let message_id = "msg_00000000000000000000000001".parse().unwrap();
    let messages: Vec<_> = texts.iter().map(|text| InboundText { message_id, text, pressed: None }).collect();
    let input = TurnInput {
        pack,
        channel: Channel::Web,
        locale: None,
        session_language: None,
        messages: &messages,
        history,
        form: None,
        permissions: &Permissions::anonymous_chat(),
        handed_off: false,
        unanswered_in_a_row: 0,
        now: "2026-12-01T15:00:00Z".parse().unwrap(),
    };
    decide_turn(&input, budget)
}

fn said(outcome: &TurnOutcome) -> String {
    let parts = outcome.replies.iter().flat_map(|reply| &reply.parts);
    parts.map(|part| if let Part::Text { text } = part { text.as_str() } else { "" }).collect()
}

/// A turn that ran out of its budget says so to the contact, asks a person, and the record tells the tenant.
fn assert_says_that_it_is_spent(outcome: &TurnOutcome, name: &str) {
    assert!(
        said(outcome).contains("persona del equipo")
            || said(outcome).contains("someone from the team")
            || said(outcome).contains("alguém da equipe"),
        "{name}: {}",
        said(outcome)
    );
    let handoff = outcome.handoff.as_ref().unwrap();
    assert_eq!(handoff.reason, "budget", "{name}");
    assert!(!handoff.summary.is_empty(), "{name}");
    assert_eq!(outcome.decision.agent, "handoff", "{name}");
    assert!(outcome.decision.limits.iter().any(|limit| limit.starts_with("budget: ")), "{name}");
}

#[test]
fn the_worst_packs_and_texts_end_within_their_budgets() {
    let history: Vec<HistoryItem> = (0..20)
        .map(|n| HistoryItem {
            role: Role::Contact,
            text: format!("conabc {} ", word(n, 6)).repeat(600),
            agent_name: None,
            offered: Vec::new(),
        })
        .collect();
    let (mut answered, mut spent) = (0, 0);
    for (name, json) in PACKS.iter() {
        let began = Instant::now();
        let pack = match CompiledPack::new(parsed(json)) {
            Ok(pack) => pack,
            Err(TooCostly { pointer, measure, found, limit }) => {
                println!("{name}: refused, {pointer} {measure} {found} > {limit}, {:?}", began.elapsed());
                assert!(found >= limit && ["steps", "bytes"].contains(&measure));
                continue;
            }
        };
        println!(
            "{name}: {} bytes of JSON, {} ready, {:?}",
            json.to_string().len(),
            pack.bytes(),
            began.elapsed()
        );
        assert!(pack.bytes() <= MOST_BYTES);
        for (aim, texts) in messages() {
            let (began, budget) = (Instant::now(), Budget::of_turn());
            let outcome = decide(&pack, &texts, &history, &budget);
            let took = began.elapsed();
            println!("  {aim}: {} steps, {took:?}, {:?}", budget.used(), outcome.spent);
            assert!(budget.used() <= TURN_STEPS);
            if let Some(reason) = outcome.spent {
                spent += 1;
                assert_eq!(reason, Spent::Steps(TURN_STEPS));
                assert_says_that_it_is_spent(&outcome, aim);
            } else {
                answered += 1;
            }
            if outcome.spent.is_some() {
                assert_eq!(decide(&pack, &texts, &history, &Budget::of_turn()), outcome, "{name}: {aim}");
            }
        }
    }
    println!("{answered} answered, {spent} spent");
    assert!(answered > 0);
}

#[test]
fn a_pack_beyond_its_budget_is_refused_with_the_part_the_measure_and_the_limit() {
    let (_, json) = &PACKS[2];
    let refused = CompiledPack::within(parsed(json), 100_000, MOST_BYTES).unwrap_err();
    assert_eq!((refused.pointer, refused.measure, refused.limit), ("/faq", "steps", 100_000));
    let refused = CompiledPack::within(parsed(json), PACK_STEPS, 100_000).unwrap_err();
    assert_eq!((refused.pointer, refused.measure, refused.limit), ("/faq", "bytes", 100_000));
    assert!(refused.found > 100_000);
}

#[test]
fn ordinary_turns_and_packs_come_nowhere_near_their_budgets() {
    for json in [
        include_str!("../../../seeds/businesses/andina.json"),
        include_str!("../../../seeds/businesses/verde-cafe.json"),
        include_str!("../../../seeds/businesses/northwind-bikes.json"),
        include_str!("../../../seeds/businesses/colombiatic.json"),
    ] {
        let mut json: Value = serde_json::from_str(json).unwrap();
        json.as_object_mut().unwrap().remove("tenantId");
        let pack = CompiledPack::within(parsed(&json), PACK_STEPS / 5, MOST_BYTES / 10).unwrap();
        println!("{} bytes of JSON, {} ready", json.to_string().len(), pack.bytes());
        let mut most = 0;
        for line in include_str!("../dev/turns.jsonl").lines() {
            let turn: Value = serde_json::from_str(line).unwrap();
            let (texts, budget) = ([turn["text"].as_str().unwrap().to_owned()], Budget::of_turn());
            decide(&pack, &texts, &[], &budget);
            most = most.max(budget.used());
        }
        println!("{most} steps at most");
        assert!(most < TURN_STEPS / 50, "{most}");
    }
}

/// Everything that many businesses say in three languages, as one pack: more than any of them will ever have.
fn large_ordinary_pack() -> Value {
    let businesses = [
        include_str!("../../../seeds/businesses/andina.json"),
        include_str!("../../../seeds/businesses/colombiatic.json"),
        include_str!("../dev/casa-bruma.json"),
        include_str!("../dev/lumbre-hogar.json"),
        include_str!("../dev/held-out/huellitas-vet.json"),
        include_str!("../dev/held-out/hotel-jacaranda.json"),
        include_str!("../dev/held-out/torre-idiomas.json"),
        include_str!("../dev/unseen/llave-lima.json"),
        include_str!("../dev/held-out/studio-aurora.json"),
        include_str!("../../../seeds/businesses/verde-cafe.json"),
        include_str!("../../../seeds/businesses/northwind-bikes.json"),
        include_str!("../dev/ironleaf-gym.json"),
        include_str!("../dev/clearview-optics.json"),
        include_str!("../dev/held-out/marlow-law.json"),
    ];
    let mut lists = json!({ "faq": [], "services": [] });
    let mut size = 2_000;
    for (number, business) in businesses.iter().enumerate() {
        let business: Value = serde_json::from_str(business).unwrap();
        for list in ["faq", "services"] {
            for item in business[list].as_array().into_iter().flatten() {
                let mut item = item.clone();
                item["id"] = json!(format!("{}-{number}", item["id"].as_str().unwrap()));
                item.as_object_mut().unwrap().remove("providerIds");
                size += item.to_string().len() + 1;
                if size < MAX_PACK_BYTES {
                    lists[list].as_array_mut().unwrap().push(item);
                }
            }
        }
    }
    pack_of("es-CO", &lists)
}

#[test]
fn a_large_ordinary_pack_is_far_from_its_limits_and_answered_from() {
    let json = large_ordinary_pack();
    let pack = CompiledPack::within(parsed(&json), PACK_STEPS / 3, MOST_BYTES / 3).unwrap();
    println!("{} bytes of JSON, {} ready", json.to_string().len(), pack.bytes());
    let long = include_str!("../dev/turns.jsonl").lines().step_by(9).map(|line| {
        let turn: Value = serde_json::from_str(line).unwrap();
        turn["text"].as_str().unwrap().to_owned()
    });
    // Eighty messages at once, in three languages.
    let budget = Budget::of_turn();
    assert_eq!(decide(&pack, &long.collect::<Vec<_>>(), &[], &budget).spent, None);
    println!("{} steps", budget.used());
    assert!(budget.used() < TURN_STEPS / 2, "{}", budget.used());
}

#[test]
fn a_turn_that_is_told_to_stop_says_so_too() {
    let pack = CompiledPack::new(parsed(&pack_of("es-CO", &json!({})))).unwrap();
    let stop = AtomicBool::new(true);
    let outcome = decide(&pack, &["hola, ¿qué tal?".to_owned()], &[], &Budget::of_turn().until(&stop));
    assert_eq!(outcome.spent, Some(Spent::Time));
    assert_says_that_it_is_spent(&outcome, "time");
}
