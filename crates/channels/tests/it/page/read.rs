//! What webhooks tell.

use super::{BOTH, PAGE, THEY};
use crate::whatsapp::hostile::{altered, can_be_stored};
use misy_channels::{
    Channel, Event, Happening, Inbound, Parsed, Reached, ReceiptKind, Said, messenger::Messenger,
};
use misy_domain::{MessageId, Part, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const AT: i64 = 1_700_000_000_100;

fn body(object: &str, all: &[Value]) -> Value {
    json!({ "object": object, "entry": [{ "id": PAGE, "time": AT, "messaging": all }] })
}

/// Something that they did.
fn did(name: &str, own: &Value) -> Value {
    let mut event = json!({ "sender": { "id": THEY }, "recipient": { "id": PAGE }, "timestamp": AT });
    event[name] = own.clone();
    event
}

fn parse(vendor: &dyn Channel, body: &Value) -> Parsed {
    vendor.parse(body.to_string().as_bytes())
}

/// What both vendors tell of one event.
fn both(name: &str, own: &Value) -> Vec<Happening> {
    let [messenger, instagram] = BOTH.map(|(vendor, object)| {
        let parsed = parse(vendor, &body(object, &[did(name, own)]));
        assert!(parsed.events.iter().all(|event| event.account == PAGE));
        parsed.events.into_iter().map(|event| event.happening).collect::<Vec<_>>()
    });
    assert_eq!(messenger, instagram);
    messenger
}

fn only(name: &str, own: &Value) -> Inbound {
    match &both(name, own)[..] {
        [Happening::Message(inbound)] => (**inbound).clone(),
        other => panic!("not one message: {other:?}"),
    }
}

fn parts(inbound: &Inbound) -> &[Part] {
    let Said::Parts { parts, .. } = &inbound.said else { panic!("no parts") };
    parts
}

fn unsupported(kind: &str, text: Option<&str>) -> Part {
    Part::Unsupported { kind: kind.to_owned(), text: text.map(str::to_owned) }
}

#[test]
fn a_text_is_a_message_of_whom_it_says_under_the_vendors_id() {
    let inbound = only("message", &json!({ "mid": "m_1", "text": "Hola", "reply_to": { "mid": "m_0" } }));
    assert_eq!((inbound.id.as_str(), inbound.writer.id()), ("m_1", Some(THEY)));
    assert_eq!(inbound.answers.as_deref(), Some("m_0"));
    assert_eq!(parts(&inbound), [Part::text("Hola")]);
}

#[test]
fn attachments_are_named_and_what_can_be_fetched_is_kept() {
    let attached = |kind: &str, payload: Value| json!({ "type": kind, "payload": payload });
    let inbound = only(
        "message",
        &json!({ "mid": "m_1", "text": "Mire", "attachments": [
            attached("image", json!({ "url": "https://cdn.example/a" })),
            attached("image", json!({ "url": "https://cdn.example/b", "sticker_id": 369_239_263_222_822_i64 })),
            attached("story_mention", json!({ "url": "https://cdn.example/c" })),
            attached("fallback", json!({ "url": "file:///etc/passwd", "title": "A page" })),
            attached("location", json!({ "coordinates": { "lat": 4.5, "long": -74.0 } })),
            attached("ephemeral", Value::Null),
            attached("audio", json!({ "url": "http://inside.example/" })),
        ] }),
    );
    let Said::Parts { files, .. } = &inbound.said else { panic!("no parts") };
    let found: Vec<_> = files.iter().map(|file| (file.part, file.kind, file.url.as_deref())).collect();
    let urls = ["https://cdn.example/a", "https://cdn.example/b"].map(Some);
    assert_eq!(found, [(1, "image", urls[0]), (2, "image", urls[1])]);
    let all = parts(&inbound);
    assert_eq!(all[0], Part::text("Mire"));
    let named = [
        unsupported("image", None),
        unsupported("sticker", None),
        unsupported("story_mention", None),
        unsupported("fallback", Some("A page")),
    ];
    assert_eq!(all[1..5], named);
    assert!(matches!(all[5], Part::Location { .. }));
    assert_eq!(all[6..], [unsupported("ephemeral", None), unsupported("audio", None)]);
}

#[test]
fn what_is_pressed_brings_back_its_message_and_anything_else_says_what_stood_there() {
    let id = format!("{}/yes", MessageId::from_bytes([7; 16]));
    let quick = only("message", &json!({ "mid": "m_1", "text": "Sí", "quick_reply": { "payload": id } }));
    let post = only("postback", &json!({ "mid": "m_2", "title": "Sí", "payload": id }));
    let pressed = Said::Pressed { id, title: "Sí".into() };
    assert_eq!((&quick.said, &post.said), (&pressed, &pressed));
    for payload in ["GET_STARTED", "two words"] {
        let other = only("postback", &json!({ "title": "Empezar", "payload": payload }));
        assert_eq!(parts(&other), [Part::text("Empezar")]);
        assert_eq!(other.id, format!("postback/{AT}/{THEY}"), "the same when it is told again");
    }
}

#[test]
fn stories_and_referrals_are_kept_beside_the_words_and_where_a_story_lies_is_not() {
    let story = json!({ "id": "S1", "url": "https://cdn.example/story" });
    let reply =
        only("message", &json!({ "mid": "m_1", "text": "¡Qué lindo!", "reply_to": { "story": story } }));
    assert_eq!(reply.metadata, Some(json!({ "story": "S1" })));
    let came = json!({ "ref": "summer", "source": "ADS", "type": "OPEN_THREAD" });
    let inbound = only("message", &json!({ "mid": "m_1", "text": "Hola", "referral": came }));
    assert_eq!(inbound.metadata, Some(json!({ "referral": came })));
    let alone = only("referral", &came);
    assert_eq!(parts(&alone), [unsupported("referral", Some("summer"))]);
    assert_eq!(alone.metadata, Some(json!({ "referral": came })));
}

#[test]
fn signs_changes_and_what_was_taken_back_name_their_message() {
    let put = json!({ "mid": "m_0", "action": "react", "reaction": "love", "emoji": "❤" });
    let taken = json!({ "mid": "m_0", "action": "unreact" });
    let named = json!({ "mid": "m_0", "action": "react", "reaction": "like" });
    let sign = |own: &Value| only("reaction", own).said;
    let of = |emoji: Option<&str>| Said::Reaction { to: "m_0".into(), emoji: emoji.map(str::to_owned) };
    assert_eq!([sign(&put), sign(&taken), sign(&named)], [of(Some("❤")), of(None), of(Some("👍"))]);
    let edit = only("message_edit", &json!({ "mid": "m_0", "text": "Adiós", "num_edit": 2 }));
    assert_eq!(edit.id, "edit/2/m_0");
    assert_eq!(edit.said, Said::Edited { message: "m_0".into(), parts: vec![Part::text("Adiós")] });
    let gone = only("message", &json!({ "mid": "m_0", "is_deleted": true }));
    assert_eq!((gone.id.as_str(), gone.said), ("deleted/m_0", Said::Deleted { message: "m_0".into() }));
    let odd = only("message", &json!({ "mid": "m_3", "is_unsupported": true }));
    assert_eq!(parts(&odd), [unsupported("unsupported", None)]);
}

#[test]
fn receipts_name_messages_or_an_instant() {
    let kinds = |name: &str, own: Value| both(name, &own);
    let of = |happening: &Happening| match happening {
        Happening::Receipt(receipt) => (receipt.id.clone(), receipt.kind),
        other => panic!("no receipt: {other:?}"),
    };
    let delivered = kinds("delivery", json!({ "mids": ["m_1", "m_2", 7, "a b"], "watermark": AT }));
    assert_eq!(
        delivered.iter().map(of).collect::<Vec<_>>(),
        [("m_1".to_owned(), ReceiptKind::Delivered), ("m_2".to_owned(), ReceiptKind::Delivered)]
    );
    let read = kinds("read", json!({ "mid": "m_1" }));
    assert_eq!(of(&read[0]), ("m_1".to_owned(), ReceiptKind::Read));
    let until = Timestamp::from_millisecond(AT).unwrap();
    let reached = |kind| vec![Happening::Reached(Reached { writer: THEY.into(), kind, until })];
    assert_eq!(kinds("read", json!({ "watermark": AT })), reached(ReceiptKind::Read));
    assert_eq!(kinds("delivery", json!({ "watermark": AT })), reached(ReceiptKind::Delivered));
}

#[test]
fn what_the_business_wrote_is_an_echo_and_never_a_message() {
    let mut event =
        did("message", &json!({ "mid": "m_1", "is_echo": true, "text": "Hola", "metadata": "dlv_1/0" }));
    event["sender"]["id"] = json!(PAGE);
    event["recipient"]["id"] = json!(THEY);
    for (vendor, object) in BOTH {
        let parsed = parse(vendor, &body(object, &[event.clone()]));
        let [Event { happening: Happening::Echo { said, reference }, .. }] = &parsed.events[..] else {
            panic!("no echo: {parsed:?}")
        };
        assert_eq!((said.id.as_str(), said.writer.id()), ("m_1", Some(THEY)));
        assert_eq!(reference.as_deref(), Some("dlv_1/0"));
    }
}

#[test]
fn what_is_of_others_is_left_out_by_its_name() {
    let mut stranger = did("message", &json!({ "mid": "m_1", "text": "Hola" }));
    stranger["recipient"]["id"] = json!("300000000000009");
    let optin = did("optin", &json!({ "ref": "x" }));
    let control = did("pass_thread_control", &json!({ "new_owner_app_id": "1" }));
    let mut told = body("page", &[stranger, optin, control, json!({}), json!(7)]);
    told["entry"][0]["standby"] = json!([did("message", &json!({ "mid": "m_2", "text": "Hola" }))]);
    told["entry"][0]["changes"] = json!([{ "field": "feed" }]);
    let parsed = parse(&Messenger, &told);
    assert!(parsed.events.is_empty());
    for name in ["message", "optin", "pass_thread_control", "standby", "feed"] {
        assert!(parsed.left_out.iter().any(|one| one == name), "{name}: {:?}", parsed.left_out);
    }
    // Somebody else's webhook, under the same secret.
    let other =
        parse(&Messenger, &body("instagram", &[did("message", &json!({ "mid": "m_1", "text": "x" }))]));
    assert!(other.events.is_empty());
    let blocked = both("policy_enforcement", &json!({ "action": "block", "reason": "x" }));
    assert_eq!(blocked, [Happening::Trouble { code: 368 }]);
}

/// A body that has one of everything.
fn everything(object: &str) -> Value {
    let came = json!({ "ref": "summer", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "1" });
    let attachments = json!([
        { "type": "image", "payload": { "url": "https://cdn.example/a", "sticker_id": 1 } },
        { "type": "fallback", "payload": { "url": "x", "title": "t" } },
        { "type": "location", "payload": { "coordinates": { "lat": 1.0, "long": 2.0 }, "title": "t" } },
    ]);
    body(
        object,
        &[
            did(
                "message",
                &json!({ "mid": "m_1", "text": "Hi", "attachments": attachments, "referral": came,
                                    "reply_to": { "mid": "m_0", "story": { "id": "S" } } }),
            ),
            did("message", &json!({ "mid": "m_2", "text": "Hi", "quick_reply": { "payload": "P" } })),
            did("message", &json!({ "mid": "m_3", "is_deleted": true })),
            did("message_edit", &json!({ "mid": "m_1", "text": "x", "num_edit": 1 })),
            did("postback", &json!({ "mid": "m_4", "title": "T", "payload": "P", "referral": came })),
            did("reaction", &json!({ "mid": "m_1", "action": "react", "reaction": "love", "emoji": "❤" })),
            did("referral", &came),
            did("read", &json!({ "watermark": AT })),
            did("delivery", &json!({ "mids": ["m_1"], "watermark": AT })),
            did("policy_enforcement", &json!({ "action": "block" })),
        ],
    )
}

#[test]
fn every_field_may_be_missing_or_of_another_type() {
    for (vendor, object) in BOTH {
        let whole = everything(object);
        assert_eq!(parse(vendor, &whole).events.len(), 10);
        altered(&whole, |body| can_be_stored(&parse(vendor, body)));
    }
}

proptest! {
    #[test]
    fn a_body_that_is_altered_anywhere_is_read(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for (vendor, object) in BOTH {
            let mut bytes = everything(object).to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            can_be_stored(&vendor.parse(&bytes));
            can_be_stored(&vendor.parse(&bytes[..at]));
        }
    }
}
