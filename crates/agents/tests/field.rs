//! Small conversations that went wrong at businesses: what an answer must hold, for the reported line and for others of its kind.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

use jiff::{civil::DateTime, tz::TimeZone};
use misy_agents::{Budget, CompiledPack, HistoryItem, InboundText, TurnInput, TurnOutcome, decide_turn};
use misy_domain::{Channel, ContextPack, MessageId, Part, Permissions, Role};
use std::{collections::BTreeMap, sync::LazyLock};

const PACKS: [&str; 4] = [
    include_str!("../../../seeds/businesses/andina.json"),
    include_str!("../../../seeds/businesses/colombiatic.json"),
    include_str!("../../../seeds/businesses/northwind-bikes.json"),
    include_str!("../../../seeds/businesses/verde-cafe.json"),
];

static COMPILED: LazyLock<BTreeMap<String, CompiledPack>> = LazyLock::new(|| {
    let compile = |json: &&str| {
        let mut value: serde_json::Value = serde_json::from_str(json).unwrap();
        let tenant = value.as_object_mut().unwrap().remove("tenantId").unwrap();
        let pack = ContextPack::parse(&value).unwrap();
        (tenant.as_str().unwrap().to_owned(), CompiledPack::new(pack).unwrap())
    };
    PACKS.iter().map(compile).collect()
});

/// What the last answer of a conversation must be.
struct Want {
    /// A person is asked for, or not.
    person: bool,
    /// Each is in the answer; `|` separates a choice. Without case.
    has: &'static [&'static str],
    /// None of these is.
    lacks: &'static [&'static str],
}

const PERSON: Want = Want { person: true, has: &[], lacks: &[] };

const fn has(has: &'static [&'static str]) -> Want {
    Want { person: false, has, lacks: &[] }
}

const fn not(has: &'static [&'static str], lacks: &'static [&'static str]) -> Want {
    Want { person: false, has, lacks }
}

/// An ordinary Friday, in the morning.
const USUAL: &str = "2026-11-27T10:00";

/// Plays the lines of a contact one after the other and holds the last answer against what is wanted.
fn play(tenant: &str, at: &str, lines: &[&str], want: &Want) -> Result<(), String> {
    let pack = &COMPILED[tenant];
    let zone = TimeZone::get(pack.pack().timezone.as_str()).unwrap();
    let now = at.parse::<DateTime>().unwrap().to_zoned(zone).unwrap().timestamp();
    let mut history: Vec<HistoryItem> = Vec::new();
    let mut last: Option<TurnOutcome> = None;
    let permissions = Permissions::anonymous_chat();
    let mut language = None;
    for line in lines {
        let id: MessageId = "msg_00000000000000000000000001".parse().unwrap();
        let outcome = decide_turn(
            &TurnInput {
                pack,
                channel: Channel::Web,
                locale: None,
                session_language: language,
                messages: &[InboundText { message_id: id, text: line }],
                history: &history,
                permissions: &permissions,
                handed_off: false,
                unanswered_in_a_row: 0,
                now,
            },
            &Budget::of_turn(),
        );
        language = Some(outcome.language);
        history.push(HistoryItem { role: Role::Contact, text: (*line).to_owned(), agent_name: None });
        history.push(HistoryItem {
            role: Role::Agent,
            text: said(&outcome),
            agent_name: Some(outcome.decision.agent.clone()),
        });
        last = Some(outcome);
    }
    let outcome = last.ok_or("nothing was said")?;
    let answer = said(&outcome);
    let low = answer.to_lowercase();
    let missing =
        want.has.iter().find(|choice| !choice.split('|').any(|text| low.contains(&text.to_lowercase())));
    let wrong = want.lacks.iter().find(|text| low.contains(&text.to_lowercase()));
    let problem = match (missing, wrong) {
        (Some(missing), _) => format!("lacks {missing:?}"),
        (_, Some(wrong)) => format!("says {wrong:?}"),
        _ if outcome.handoff.is_some() != want.person => {
            format!("a person is asked for: {}", outcome.handoff.is_some())
        }
        _ => return Ok(()),
    };
    let agent = &outcome.decision.agent;
    Err(format!("{tenant} {lines:?}: {problem}\n    {agent}: {}", answer.replace('\n', " / ")))
}

fn said(outcome: &TurnOutcome) -> String {
    let parts = outcome.replies.iter().flat_map(|reply| &reply.parts);
    let text = |part: &Part| if let Part::Text { text } = part { text.clone() } else { String::new() };
    parts.map(text).collect::<Vec<_>>().join("\n")
}

type Case = (&'static str, &'static str, &'static [&'static str], Want);

fn hold(cases: &[Case]) {
    let wrong: Vec<String> =
        cases.iter().filter_map(|(tenant, at, lines, want)| play(tenant, at, lines, want).err()).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn whoever_asks_for_a_person_gets_one_in_any_wording() {
    let lines = [
        ("andina", "quiero hablar con alguien ya"),
        ("andina", "no eres de ayuda, pásame con alguien"),
        ("andina", "humano por favor"),
        ("andina", "operador"),
        ("andina", "un asesor"),
        ("andina", "me atiende alguien?"),
        ("andina", "prefiero hablar con un humano"),
        ("andina", "¿me puede llamar alguien?"),
        ("andina", "que me conteste una persona"),
        ("colombiatic", "necesito un agente humano"),
        ("colombiatic", "¿puedo hablar con una persona de verdad?"),
        ("northwind-bikes", "can I speak to a person"),
        ("northwind-bikes", "representative"),
        ("northwind-bikes", "let me talk to a human please"),
        ("northwind-bikes", "I want a real person"),
        ("northwind-bikes", "can someone call me"),
        ("northwind-bikes", "get me someone from the shop"),
        ("verde-cafe", "quero falar com alguém"),
        ("verde-cafe", "atendente"),
        ("verde-cafe", "me passa pra um humano"),
        ("verde-cafe", "tem alguém aí pra me atender?"),
    ];
    let wrong: Vec<String> =
        lines.iter().filter_map(|(tenant, line)| play(tenant, USUAL, &[line], &PERSON).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whoever_only_asks_what_answers_is_told() {
    hold(&[
        ("andina", USUAL, &["¿eres humano?"], has(&["asistente virtual"])),
        ("andina", USUAL, &["¿hablo con una persona o con un bot?"], has(&["asistente virtual"])),
        ("northwind-bikes", USUAL, &["are you a real person?"], has(&["virtual assistant"])),
        ("verde-cafe", USUAL, &["você é um robô?"], has(&["assistente virtual"])),
    ]);
}

#[test]
fn holidays_have_names_in_three_languages() {
    const DECEMBER: &str = "2026-12-20T10:00";
    hold(&[
        ("northwind-bikes", DECEMBER, &["are you open on New Year's Day?"], has(&["1/1", "closed"])),
        (
            "northwind-bikes",
            DECEMBER,
            &["what time do you close on new year's eve?"],
            has(&["12/31", "3 pm"]),
        ),
        ("northwind-bikes", DECEMBER, &["open on christmas eve?"], has(&["12/24", "2 pm"])),
        (
            "northwind-bikes",
            "2026-11-20T10:00",
            &["are you open on Thanksgiving?"],
            has(&["11/26", "closed"]),
        ),
        (
            "verde-cafe",
            DECEMBER,
            &["abrem na véspera de Natal?"],
            not(&["24/12", "11h30", "15h"], &["25/12"]),
        ),
        ("verde-cafe", DECEMBER, &["vocês abrem no ano novo?"], has(&["1/1", "fechado"])),
        ("verde-cafe", DECEMBER, &["e no réveillon, abre?"], has(&["31/12", "fechado"])),
        ("andina", DECEMBER, &["¿atienden en nochebuena?"], has(&["24/12", "13:00"])),
        ("andina", DECEMBER, &["¿abren para año nuevo?"], has(&["1/1", "cerrado"])),
        ("andina", DECEMBER, &["¿atienden la víspera de navidad?"], not(&["24/12", "13:00"], &["25/12"])),
        ("andina", "2026-12-01T10:00", &["¿abren para la inmaculada concepción?"], has(&["8/12", "cerrado"])),
    ]);
}

#[test]
fn a_day_of_the_month_needs_no_month() {
    hold(&[
        ("andina", "2026-12-22T10:00", &["¿a qué hora cierran el 24?"], has(&["24/12", "13:00"])),
        (
            "andina",
            "2026-12-05T10:00",
            &["¿atienden los sábados?", "y el 8 de diciembre?", "y el 25?"],
            not(&["25/12", "cerrado"], &["sábado:"]),
        ),
        ("northwind-bikes", "2026-12-22T10:00", &["are you open on the 25th?"], has(&["12/25", "closed"])),
        ("verde-cafe", "2026-12-22T10:00", &["abrem dia 24?"], has(&["24/12", "15h"])),
        ("andina", "2026-12-28T10:00", &["¿atienden el 1?"], has(&["1/1", "cerrado"])),
        // A number that is no day stays a number.
        ("andina", USUAL, &["¿cuánto sale una limpieza? somos 2"], not(&["38.000"], &["2/12"])),
    ]);
}

#[test]
fn a_short_follow_up_asks_what_it_says_itself() {
    hold(&[
        (
            "andina",
            USUAL,
            &["¿cuánto sale una limpieza?", "y los domingos?"],
            not(&["domingo", "cerrado"], &["38.000"]),
        ),
        ("andina", USUAL, &["¿Atienden hoy?", "y el lunes?"], has(&["lunes", "9:00"])),
        (
            "colombiatic",
            USUAL,
            &["¿Atienden hoy?", "¿y a las 6 de la tarde?"],
            not(&["5:00|17:00"], &["semanas"]),
        ),
        (
            "verde-cafe",
            "2026-11-27T15:00",
            &["Vocês abrem amanhã?", "e segunda?"],
            not(&["segunda", "fechado"], &["sábado"]),
        ),
        ("andina", USUAL, &["¿atienden los sábados?", "y cuánto cuesta?"], not(&["qué|cuál"], &["13:30"])),
        (
            "andina",
            USUAL,
            &["¿tienen estacionamiento?", "¿y es gratis?"],
            not(&["primera hora es gratis"], &["15.000"]),
        ),
        (
            "northwind-bikes",
            USUAL,
            &["are you open today?", "what about tomorrow?"],
            has(&["saturday", "5 pm"]),
        ),
        ("northwind-bikes", USUAL, &["how much is a tune-up?", "and on sundays?"], has(&["sunday", "11 am"])),
        ("verde-cafe", USUAL, &["tem estacionamento?", "e quanto custa?"], has(&["R$ 10"])),
    ]);
}

#[test]
fn facts_of_the_business_are_told_however_they_are_asked_for() {
    hold(&[
        ("andina", USUAL, &["¿dónde quedan?"], has(&["Los Aromos 1450"])),
        ("andina", USUAL, &["dirección porfa"], has(&["Los Aromos 1450"])),
        ("andina", USUAL, &["¿me das su teléfono?"], has(&["2555 0100"])),
        ("andina", USUAL, &["¿cuál es su correo?"], has(&["contacto@clinicaandina.example"])),
        ("andina", USUAL, &["¿tienen whatsapp o un número para llamar?"], has(&["2555 0100"])),
        ("northwind-bikes", USUAL, &["whats your phone number"], has(&["503 555 0147"])),
        ("northwind-bikes", USUAL, &["where are you guys"], has(&["2210 SE Alder"])),
        ("northwind-bikes", USUAL, &["what's your email?"], has(&["hello@northwindbikes.example"])),
        ("verde-cafe", USUAL, &["qual o telefone de vocês?"], has(&["95550-0140"])),
        ("verde-cafe", USUAL, &["onde vocês ficam?"], has(&["Folha Miúda"])),
        ("colombiatic", USUAL, &["¿me regala el teléfono?"], has(&["601 555 0100"])),
    ]);
}

#[test]
fn parts_of_the_day_are_no_appointment() {
    hold(&[
        ("andina", USUAL, &["¿abren hoy en la tarde?"], has(&["14:30", "19:30"])),
        ("andina", USUAL, &["¿están abiertos los sábados en la tarde?"], has(&["sábado", "13:30"])),
        ("northwind-bikes", USUAL, &["are you open this evening?"], has(&["6:30 pm"])),
        ("verde-cafe", USUAL, &["vocês abrem hoje à noite?"], has(&["18h30", "23h30"])),
    ]);
}

#[test]
fn what_is_denied_is_not_what_is_wanted() {
    hold(&[
        (
            "andina",
            USUAL,
            &["no quiero una limpieza, quiero un blanqueamiento"],
            not(&["blanqueamiento", "120.000"], &["38.000"]),
        ),
        ("andina", USUAL, &["no me duele nada, solo quiero saber la dirección"], has(&["Los Aromos 1450"])),
        (
            "verde-cafe",
            USUAL,
            &["não quero reservar, só quero saber o horário"],
            not(&["11h30"], &["em nome de quem"]),
        ),
        (
            "andina",
            USUAL,
            &["quiero cualquier cosa menos brackets"],
            not(&["alineadores|ortodoncia|evaluación"], &["580.000"]),
        ),
        (
            "northwind-bikes",
            USUAL,
            &["I don't want a tune-up, I need a flat fix"],
            not(&["flat fix", "20"], &["185"]),
        ),
        ("northwind-bikes", USUAL, &["not looking to buy, just need your address"], has(&["2210 SE Alder"])),
    ]);
}

#[test]
fn every_question_of_a_message_is_answered() {
    hold(&[
        ("andina", USUAL, &["dónde están y aceptan débito?"], has(&["Los Aromos", "débito"])),
        (
            "andina",
            USUAL,
            &["donde quedan? tienen estacionamiento? puedo pagar en cuotas?"],
            has(&["Los Aromos", "estacionamiento", "cuotas"]),
        ),
        ("northwind-bikes", USUAL, &["where are you and do you have parking?"], has(&["Alder", "parking"])),
        ("verde-cafe", USUAL, &["onde fica? tem wifi? aceita pix?"], has(&["Folha Miúda", "wifi", "pix"])),
    ]);
}

#[test]
fn what_is_urgent_is_treated_so() {
    hold(&[
        (
            "andina",
            USUAL,
            &["se me quebró un diente, cuánto cuesta?"],
            not(&["urgencia", "30.000"], &["15.000"]),
        ),
        (
            "andina",
            USUAL,
            &["me duele mucho una muela, cuánto sale que me vean hoy?"],
            has(&["urgencia", "30.000"]),
        ),
    ]);
}

#[test]
fn a_fact_that_is_put_as_a_question_is_checked() {
    hold(&[
        ("andina", USUAL, &["¿la limpieza cuesta 38.000?"], has(&["sí", "38.000"])),
        ("andina", USUAL, &["¿la limpieza dental vale 30 mil?"], not(&["no", "38.000"], &["sí,"])),
        ("verde-cafe", USUAL, &["a feijoada custa 58 reais?"], has(&["sim", "58"])),
        ("northwind-bikes", USUAL, &["is the flat fix $20?"], has(&["yes", "$20"])),
        (
            "northwind-bikes",
            USUAL,
            &["so a basic tune-up is 80 dollars right?"],
            not(&["no", "$95"], &["yes"]),
        ),
    ]);
}

#[test]
fn a_budget_is_what_it_may_cost_at_most() {
    hold(&[
        (
            "andina",
            USUAL,
            &["tengo 100 mil pesos, que me alcanza?"],
            not(&["58.000|48.000|45.000"], &["580.000", "120.000", "690.000"]),
        ),
        (
            "northwind-bikes",
            USUAL,
            &["what can I get for under $60?"],
            not(&["$58|$54|$49|$45"], &["$749", "$185", "$79"]),
        ),
        ("verde-cafe", USUAL, &["o que dá pra comer com 50 reais?"], not(&["48|46"], &["189", "58,00"])),
    ]);
}

#[test]
fn the_language_of_the_question_counts_whatever_the_data_are_in() {
    hold(&[("andina", USUAL, &["do you have parking?"], has(&["estacionamiento", "(in Spanish)"]))]);
}
