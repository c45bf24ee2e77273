//! What any business is asked, whatever its trade: each question in three languages to each pack.

use super::{HELD_OUT, PACKS, UNSEEN, compile, text};
use misy_agents::{
    Budget, CompiledPack, InboundText, Outcome, TurnInput, TurnOutcome, decide_turn, eval::Business,
};
use misy_domain::{Channel, Permission, Permissions};
use std::{collections::BTreeMap, fs};

/// Where an answer may come from: a kind of source, or a rule where nothing of the pack is needed.
enum From {
    Pack(&'static [&'static str]),
    Rule(&'static str),
}
use From::{Pack, Rule};

/// What is asked, in every language, with where the answer may come from.
const TABLE: &[(&str, From, &[&str])] = &[
    (
        "services",
        Pack(&["service", "faq", "business"]),
        &[
            "¿Qué servicios ofrecen?",
            "que servicios tienen",
            "hola buenas, me puede decir qué productos venden?",
            "¿A qué se dedican?",
            "¿qué ofrecen ustedes?",
            "servicios",
            "What services do you offer?",
            "what do you sell?",
            "hi! can you tell me what you do",
            "which services are available",
            "Do you have a catalog?",
            "Quais serviços vocês oferecem?",
            "o que vocês vendem?",
            "oi, me manda o catálogo por favor",
            "com o que vocês trabalham?",
        ],
    ),
    (
        "prices",
        Pack(&["service", "faq", "contact"]),
        &[
            "¿Cuáles son sus precios?",
            "me pasan la lista de precios porfa",
            "cuanto cobran",
            "cuánto cuestan sus servicios?",
            "What are your prices?",
            "how much do you charge?",
            "price list please",
            "Quais são os preços?",
            "quanto custa?",
            "me passa a tabela de preços",
        ],
    ),
    (
        "hours",
        Pack(&["hours", "faq", "contact"]),
        &[
            "¿Cuál es su horario?",
            "a que hora abren",
            "What are your opening hours?",
            "when are you open?",
            "Qual o horário de funcionamento?",
            "que horas vocês abrem?",
        ],
    ),
    (
        "address",
        Pack(&["contact", "faq"]),
        &[
            "¿Dónde están ubicados?",
            "me das la direccion",
            "Where are you located?",
            "what is your address",
            "Onde vocês ficam?",
            "qual o endereço de vocês?",
        ],
    ),
    (
        "contact",
        Pack(&["contact", "faq"]),
        &[
            "¿Cómo los puedo contactar?",
            "datos de contacto",
            "¿me das un teléfono?",
            "cual es su correo",
            "How can I contact you?",
            "how do I get in touch with you guys",
            "what's your phone number?",
            "Como posso entrar em contato com vocês?",
            "qual o telefone?",
        ],
    ),
    (
        "payment",
        Pack(&["faq", "service", "contact"]),
        &[
            "¿Qué medios de pago aceptan?",
            "como puedo pagar",
            "¿aceptan tarjeta de crédito?",
            "What payment methods do you accept?",
            "how do i pay",
            "do you take cards?",
            "Quais as formas de pagamento?",
            "como faço para pagar?",
            "aceitam pix?",
        ],
    ),
    (
        "staff",
        Pack(&["provider", "faq", "contact"]),
        &[
            "¿Quién trabaja ahí?",
            "quienes son los profesionales",
            "Who works there?",
            "who is on your team?",
            "Quem trabalha aí?",
            "quais são os profissionais de vocês?",
        ],
    ),
    (
        "languages",
        Rule("answer: the "),
        &[
            "¿En qué idiomas atienden?",
            "¿hablas inglés?",
            "Do you speak Spanish?",
            "what languages do you speak",
            "Vocês falam português?",
            "em que idiomas vocês atendem?",
        ],
    ),
    (
        "greeting",
        Rule("smalltalk: "),
        &[
            "Hola",
            "buenas tardes",
            "hola, ¿qué tal?",
            "Hi there!",
            "good morning",
            "Oi, tudo bem?",
            "bom dia",
        ],
    ),
    (
        "who are you",
        Rule("smalltalk: bot"),
        &[
            "¿Quién eres?",
            "eres un robot?",
            "Who are you?",
            "are you a real person?",
            "Quem é você?",
            "você é um robô?",
        ],
    ),
    (
        "what can you do",
        Rule("smalltalk: capabilities"),
        &[
            "¿Qué puedes hacer?",
            "¿en qué me puedes ayudar?",
            "What can you do?",
            "how can you help me",
            "O que você pode fazer?",
            "como pode me ajudar?",
        ],
    ),
];

fn ask(pack: &CompiledPack, text: &str, permissions: &Permissions) -> TurnOutcome {
    let message_id = "msg_00000000000000000000000001".parse().unwrap();
    let input = TurnInput {
        pack,
        channel: Channel::Web,
        locale: None,
        session_language: None,
        messages: &[InboundText { message_id, text, pressed: None }],
        history: &[],
        form: None,
        permissions,
        handed_off: false,
        unanswered_in_a_row: 0,
        now: "2026-12-01T15:00:00Z".parse().unwrap(),
    };
    decide_turn(&input, &Budget::of_turn())
}

/// All businesses that there are here, and those of the folder that `MISY_BUSINESSES` names.
fn businesses() -> BTreeMap<String, CompiledPack> {
    let mut packs = compile(&[&PACKS[..], &HELD_OUT[..], &UNSEEN[..]].concat());
    let Ok(folder) = std::env::var("MISY_BUSINESSES") else { return packs };
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|own| own != "json") {
            continue;
        }
        let json = fs::read_to_string(&path).unwrap();
        if json.contains("\"tenantId\"") {
            packs.extend(compile(&[&json]));
        } else {
            let business: Business = serde_json::from_str(&json).unwrap();
            let pack = business.pack().unwrap();
            packs.insert(business.id, CompiledPack::new(pack).unwrap());
        }
    }
    packs
}

/// What is wrong with an answer, if anything.
fn problem(outcome: &TurnOutcome, from: &From) -> Option<String> {
    let decision = &outcome.decision;
    let kinds: Vec<&str> = decision.sources.iter().map(|source| source.kind.as_str()).collect();
    let said = match from {
        Pack(wanted) => kinds.first().is_some_and(|kind| wanted.contains(kind)),
        Rule(wanted) => {
            decision.rules.iter().any(|rule| rule.starts_with(wanted)) || kinds.first() == Some(&"faq")
        }
    };
    let right = decision.outcome == Outcome::Answer && said;
    let why = decision.rules.iter().filter(|rule| rule.starts_with("route") || rule.starts_with("answer"));
    let why: Vec<&str> = why.map(String::as_str).collect();
    (!right).then(|| format!("{:?} from {kinds:?} by {why:?}: {}", decision.outcome, text(outcome)))
}

#[test]
fn every_business_answers_what_any_business_is_asked() {
    let (permissions, mut wrong, mut asked) = (Permissions::anonymous_chat(), Vec::new(), 0);
    for (name, pack) in businesses() {
        for (kind, from, questions) in TABLE {
            for question in *questions {
                asked += 1;
                let outcome = ask(&pack, question, &permissions);
                if std::env::var("MISY_SHOW").is_ok() {
                    println!("{name}\t{kind}\t{question}\t{}", text(&outcome).replace('\n', " / "));
                }
                let problem = problem(&outcome, from);
                wrong.extend(problem.map(|problem| format!("{name}, {kind}, {question}: {problem}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_a_business_offers_is_told_whichever_agents_may_be_used() {
    let permissions: Permissions = [Permission::AgentsSupport].into_iter().collect();
    for pack in compile(&PACKS).values() {
        let outcome = ask(pack, "¿Qué servicios ofrecen?", &permissions);
        assert_eq!((outcome.decision.outcome, outcome.decision.agent.as_str()), (Outcome::Answer, "support"));
        assert_eq!(outcome.decision.sources[0].kind, "service");
    }
}

#[test]
fn what_asks_for_more_than_the_basics_is_not_taken_for_them() {
    let packs = compile(&PACKS);
    for question in [
        "¿qué servicios ofrecen para mascotas en Marte?",
        "¿cuánto cuesta enviar un paquete a Francia?",
        "who works on the space shuttle?",
        "what do I do if it hurts?",
        "¿quién ganó el mundial?",
        "do you speak with my insurance?",
        "o que faço se doer?",
        "¿qué clases hay mañana?",
        "who works there today?",
    ] {
        let outcome = ask(&packs["andina"], question, &Permissions::anonymous_chat());
        let plain = outcome.decision.rules.iter().any(|rule| rule.contains("in so many words"));
        assert!(!plain, "{question}: {}", text(&outcome));
    }
}
