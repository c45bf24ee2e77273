//! What a webhook tells: of one page or several, and of each several things.

use super::{Traits, said};
use crate::{
    Event, Happening, Inbound, Parsed, Reached, Receipt, ReceiptKind, Said, Writer,
    meta::{MOST_EVENTS, id, kept, list, number, text, time},
};
use misy_domain::Timestamp;
use serde_json::{Map, Value};

/// The vendor's code of an account that breaks its rules.
const AGAINST_THE_RULES: i64 = 368;
/// The most of a vendor's id that goes into an id of ours.
const LONGEST_TAIL: usize = 200;

pub(crate) fn parse(traits: &Traits, body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let Some(body) = parsed.read(body) else { return parsed };
    if text(&body, "object").as_deref() != Some(traits.object) {
        parsed.leave_out("another object");
        return parsed;
    }
    for entry in list(&body, "entry") {
        let Some(account) = id(entry, "id") else {
            parsed.leave_out("an entry without an id");
            continue;
        };
        for event in list(entry, "messaging") {
            tell(&mut parsed, &account, event);
        }
        // Somebody else has the thread: an answer would be refused, or come beside theirs.
        if !list(entry, "standby").is_empty() {
            parsed.leave_out("standby");
        }
        for change in list(entry, "changes") {
            parsed.leave_out(&text(change, "field").unwrap_or_default());
        }
    }
    // What the vendor tells late is told in its place; what has no time comes first.
    parsed.events.sort_by_key(|event| event.at);
    parsed
}

/// What may stand in an event, and what it is.
const KINDS: [&str; 9] = [
    "message",
    "message_edit",
    "postback",
    "reaction",
    "referral",
    "read",
    "delivery",
    "policy_enforcement",
    "policy-enforcement",
];

fn tell(parsed: &mut Parsed, account: &str, event: &Value) {
    let at = time(event, "timestamp");
    let found =
        KINDS.into_iter().find_map(|kind| Some((kind, event.get(kind).filter(|own| own.is_object())?)));
    let Some((kind, own)) = found else {
        let named = event.as_object().and_then(|all| all.keys().find(|name| !is_common(name)));
        parsed.leave_out(named.map_or("an event of no kind", String::as_str));
        return;
    };
    let ids = ["sender", "recipient"].map(|side| event.get(side).and_then(|side| id(side, "id")));
    let happened = match (kind, ids) {
        ("policy_enforcement" | "policy-enforcement", _) => against_the_rules(own),
        // What the business itself wrote goes the other way.
        ("message", [Some(from), Some(to)]) if from == account && to != account => echo(own, &to),
        (_, [Some(from), to]) if from != account && to.as_deref().is_none_or(|to| to == account) => {
            of_contact(kind, own, &from, at)
        }
        _ => Vec::new(),
    };
    if happened.is_empty() {
        parsed.leave_out(kind);
    }
    for happening in happened {
        if parsed.events.len() < MOST_EVENTS {
            parsed.events.push(Event { account: account.to_owned(), at, happening });
        }
    }
}

fn is_common(name: &str) -> bool {
    matches!(name, "sender" | "recipient" | "timestamp")
}

fn of_contact(kind: &str, own: &Value, from: &str, at: Option<Timestamp>) -> Vec<Happening> {
    if kind == "read" || kind == "delivery" {
        return receipts(kind, own, from);
    }
    let said = match kind {
        "message" => said::message(own),
        "message_edit" => said::edit(own),
        "postback" => Some(said::postback(own)),
        "reaction" => said::reaction(own),
        _ => Some(said::referral(own)),
    };
    let message = said.zip(own_id(kind, own, from, at)).map(|(said, id)| {
        let answers = own.get("reply_to").and_then(|answered| crate::meta::id(answered, "mid"));
        inbound(id, from, said, answers, metadata(kind, own))
    });
    message.map(|message| Happening::Message(Box::new(message))).into_iter().collect()
}

fn inbound(id: String, from: &str, said: Said, answers: Option<String>, metadata: Option<Value>) -> Inbound {
    let writer = Writer { scoped_id: Some(from.to_owned()), ..Writer::default() };
    Inbound { id, writer, said, answers, metadata }
}

/// The id of what happened: the vendor's own where it has one, else one that is the same when it is told again.
fn own_id(kind: &str, own: &Value, from: &str, at: Option<Timestamp>) -> Option<String> {
    let mid = id(own, "mid");
    if let ("message" | "postback", Some(mid)) = (kind, &mid) {
        // A message that is taken back is told under its own id.
        let is_deleted = own.get("is_deleted").and_then(Value::as_bool) == Some(true);
        return Some(if is_deleted { format!("deleted/{}", tail(mid)) } else { mid.clone() });
    }
    let of = mid.unwrap_or_else(|| from.to_owned());
    let time = at.map(Timestamp::as_millisecond).unwrap_or_default();
    match kind {
        "message" => None,
        "message_edit" => Some(format!("edit/{}/{}", number(own, "num_edit").unwrap_or(time), tail(&of))),
        _ => Some(format!("{kind}/{time}/{}", tail(&of))),
    }
}

/// Ids of one thread begin alike.
fn tail(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    letters[letters.len().saturating_sub(LONGEST_TAIL)..].iter().collect()
}

fn echo(own: &Value, to: &str) -> Vec<Happening> {
    let Some((id, said)) = id(own, "mid").zip(said::message(own)) else { return Vec::new() };
    let said = Box::new(inbound(id, to, said, None, None));
    vec![Happening::Echo { said, reference: crate::meta::id(own, "metadata") }]
}

/// Receipts name messages, or an instant: everything until then came so far.
fn receipts(kind: &str, own: &Value, from: &str) -> Vec<Happening> {
    let reached = if kind == "read" { ReceiptKind::Read } else { ReceiptKind::Delivered };
    let named = list(own, "mids").iter().filter_map(Value::as_str).map(str::to_owned);
    let named: Vec<String> = named.filter(|mid| is_id(mid)).chain(id(own, "mid")).collect();
    if !named.is_empty() {
        let receipt = |id| Happening::Receipt(Receipt { id, reference: None, kind: reached, code: None });
        return named.into_iter().map(receipt).collect();
    }
    let until = time(own, "watermark");
    let reached = until.map(|until| Reached { writer: from.to_owned(), kind: reached, until });
    reached.map(Happening::Reached).into_iter().collect()
}

fn is_id(mid: &str) -> bool {
    id(&serde_json::json!({ "id": mid }), "id").is_some()
}

/// The vendor warns, or blocks.
fn against_the_rules(own: &Value) -> Vec<Happening> {
    match text(own, "action").as_deref() {
        Some("block") => vec![Happening::Trouble { code: AGAINST_THE_RULES }],
        _ => Vec::new(),
    }
}

/// What is worth keeping beside the words: where they came from, and the story that they answer.
fn metadata(kind: &str, own: &Value) -> Option<Value> {
    let mut all = Map::new();
    let referral = if kind == "referral" { Some(own) } else { own.get("referral") };
    if let Some(referral) = referral.filter(|referral| referral.is_object()) {
        all.insert("referral".to_owned(), referral.clone());
    }
    // Where the story lies is not kept: whoever takes it down wants it gone.
    let story = own.get("reply_to").and_then(|answered| answered.get("story"));
    if let Some(story) = story.and_then(|story| id(story, "id")) {
        all.insert("story".to_owned(), Value::String(story));
    }
    kept(all)
}
