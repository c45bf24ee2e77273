//! Bodies that no vendor would send: none of them stops the reader, and whatever it reads can be stored.

use super::{body, message, parse};
use misy_channels::{Channel, Happening, Inbound, Parsed, Said, whatsapp::Whatsapp};
use misy_domain::{
    Part,
    message::{Writer, check},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A body that has one of everything.
fn everything() -> Value {
    let kinds = [
        ("text", json!({ "body": "Hi" })),
        ("image", json!({ "id": "301", "mime_type": "image/jpeg", "sha256": "x", "caption": "c" })),
        ("audio", json!({ "id": "302", "voice": true })),
        ("document", json!({ "id": "303", "filename": "a.pdf" })),
        ("location", json!({ "latitude": 1.0, "longitude": 2.0, "name": "n" })),
        (
            "contacts",
            json!([{ "name": { "formatted_name": "B" }, "phones": [{ "phone": "+1 555 000 3333" }] }]),
        ),
        ("reaction", json!({ "message_id": "wamid.X", "emoji": "👍" })),
        ("interactive", json!({ "type": "button_reply", "button_reply": { "id": "yes", "title": "Yes" } })),
        ("button", json!({ "payload": "STOP", "text": "Stop" })),
        ("order", json!({ "product_items": [{ "product_retailer_id": "S", "quantity": 1 }] })),
        (
            "edit",
            json!({ "original_message_id": "w", "message": { "type": "text", "text": { "body": "x" } } }),
        ),
        ("system", json!({ "type": "user_changed_number", "wa_id": "15550004444" })),
        ("unsupported", json!({ "type": "poll" })),
    ];
    let messages: Vec<Value> = kinds.iter().map(|(kind, own)| message(kind, own)).collect();
    body(&json!({
        "contacts": [{ "profile": { "name": "Ada" }, "wa_id": "15550002222", "user_id": "US.1" }],
        "messages": messages,
        "statuses": [{ "id": "w", "status": "failed", "timestamp": "1", "errors": [{ "code": 1 }] }],
        "errors": [{ "code": 131_031 }],
    }))
}

/// Each place of a value, as a JSON pointer.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), all);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{name}"), all);
            }
        }
        _ => {}
    }
}

/// Whatever was read can be stored: ids are short, parts are such as a contact may send.
pub(crate) fn can_be_stored(parsed: &Parsed) {
    for event in &parsed.events {
        assert!(event.account.len() <= 256);
        if let Happening::Message(inbound) | Happening::Echo { said: inbound, .. } = &event.happening {
            inbound_can_be_stored(inbound);
        }
    }
}

fn inbound_can_be_stored(inbound: &Inbound) {
    assert!(!inbound.id.is_empty() && inbound.id.len() <= 256);
    assert!(inbound.writer.id().is_some_and(|id| id.len() <= 256));
    let metadata = inbound.metadata.as_ref().map(Value::to_string).unwrap_or_default();
    assert!(metadata.len() <= 4_096 && !metadata.contains("\\u0000"), "{metadata}");
    let (Said::Parts { parts, .. } | Said::Edited { parts, .. }) = &inbound.said else { return };
    let known = parts.iter().filter(|part| !matches!(part, Part::Unsupported { .. }));
    let known: Vec<Part> = known.cloned().collect();
    if !known.is_empty() {
        assert_eq!(check(&known, Writer::Contact, ""), Ok(()), "{parts:?}");
    }
    assert_eq!(check(parts, Writer::Tenant, ""), Ok(()), "{parts:?}");
}

/// Alters each place of a body in many ways, and leaves it out.
pub(crate) fn altered(whole: &Value, mut look: impl FnMut(&Value)) {
    look(whole);
    let mut all = Vec::new();
    places(whole, "", &mut all);
    let others = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(""),
        json!("\0"),
        json!(" \u{202e}\n"),
        json!("a".repeat(100_000)),
        json!([]),
        json!([[[1]]]),
        json!({}),
        json!({ "type": "text" }),
    ];
    for place in &all {
        for other in &others {
            let mut altered = whole.clone();
            *altered.pointer_mut(place).unwrap() = other.clone();
            look(&altered);
        }
        if let Some((parent, name)) = place.rsplit_once('/') {
            let mut altered = whole.clone();
            if let Some(Value::Object(members)) = altered.pointer_mut(parent) {
                members.remove(name);
                look(&altered);
            }
        }
    }
}

#[test]
fn every_field_may_be_missing_or_of_another_type() {
    altered(&everything(), |body| can_be_stored(&parse(body)));
}

#[test]
fn bodies_that_are_deep_long_or_no_json_tell_nothing() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let long = format!("{{\"object\":\"{}\"}}", "x".repeat(3_000_000));
    for odd in ["", "{", "null", "\u{feff}{}", "NaN", deep.as_str(), long.as_str()] {
        assert!(Whatsapp.parse(odd.as_bytes()).events.is_empty());
    }
    assert!(Whatsapp.parse(&[0xff, 0xfe, 0x00]).events.is_empty());
}

#[test]
fn a_body_of_the_most_that_the_vendor_sends_is_read_whole() {
    let messages: Vec<Value> = (0..1_000)
        .map(|at| {
            let mut one = message("text", &json!({ "body": "Hi" }));
            one["id"] = json!(format!("wamid.{at}"));
            one
        })
        .collect();
    assert_eq!(parse(&body(&json!({ "messages": messages }))).events.len(), 1_000);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        can_be_stored(&Whatsapp.parse(&bytes));
    }

    #[test]
    fn a_body_that_is_altered_anywhere_is_read(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = everything().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        can_be_stored(&Whatsapp.parse(&bytes));
        can_be_stored(&Whatsapp.parse(&bytes[..at]));
    }
}

#[test]
fn a_body_with_as_many_contacts_as_messages_costs_no_more_than_both() {
    const MANY: usize = 10_000;
    let number = |at: usize| format!("1555{at:07}");
    let messages: Vec<Value> = (0..MANY)
        .map(|at| json!({ "from": number(at), "id": format!("w{at}"), "timestamp": "1700000000", "type": "text", "text": { "body": "x" } }))
        .collect();
    // The last ones stand first. Searched one by one this would take a hundred million looks.
    let contacts: Vec<Value> = (0..MANY)
        .rev()
        .map(|at| json!({ "wa_id": number(at), "profile": { "name": format!("Ada {at}") } }))
        .collect();
    let parsed = parse(&body(&json!({ "messages": messages, "contacts": contacts })));
    assert_eq!(parsed.events.len(), 4_000, "nobody's honest body has more");
    for (at, event) in parsed.events.iter().enumerate() {
        let Happening::Message(inbound) = &event.happening else { panic!("a message") };
        assert_eq!(inbound.writer.name, Some(format!("Ada {at}")));
    }
}

#[test]
fn a_body_of_more_values_than_a_vendor_sends_is_not_read() {
    let many = |values: usize| {
        format!(r#"{{"object":"whatsapp_business_account","entry":[{}{{}}]}}"#, "{},".repeat(values / 2))
    };
    assert_eq!(Whatsapp.parse(many(200_000).as_bytes()).left_out, Vec::<String>::new());
    assert_eq!(Whatsapp.parse(many(300_000).as_bytes()).left_out, ["too many values"]);
}
