//! Every kind of message and event, in the vendor's shape.

use super::{ACCOUNT, NUMBER, body, message, only, parse, parts};
use misy_channels::{Event, Happening, Receipt, ReceiptKind, Said, inbound::VendorFile, pressed};
use misy_domain::{MessageId, Part};
use serde_json::{Value, json};

fn said(kind: &str, own: &Value) -> Said {
    only(&message(kind, own)).said
}

fn one(kind: &str, own: &Value) -> Part {
    let said = said(kind, own);
    match parts(&said) {
        [part] => part.clone(),
        other => panic!("not one part: {other:?}"),
    }
}

#[test]
fn a_text_has_its_writer_its_time_and_its_words() {
    let inbound = only(&message("text", &json!({ "body": "Hi" })));
    assert_eq!((inbound.id.as_str(), parts(&inbound.said)), ("wamid.IN1", &[Part::text("Hi")][..]));
    assert_eq!(inbound.writer.address.as_deref(), Some(NUMBER));
    assert_eq!(inbound.writer.name.as_deref(), Some("Ada Example"));
    let parsed = parse(&body(&json!({ "messages": [message("text", &json!({ "body": "Hi" }))] })));
    assert_eq!(parsed.events[0].at.unwrap().as_second(), 1_700_000_000);
}

#[test]
fn a_text_of_the_longest_kind_is_whole() {
    let words = "ñ".repeat(4_096);
    let said = said("text", &json!({ "body": words }));
    assert_eq!(misy_domain::message::text_of(parts(&said)).replace('\n', ""), words);
    assert!(misy_domain::message::check(parts(&said), misy_domain::message::Writer::Contact, "").is_ok());
}

#[test]
fn files_are_named_until_they_are_fetched() {
    let file = |kind: &str, own: Value| match said(kind, &own) {
        Said::Parts { parts, files } => (parts[0].clone(), files[0].clone()),
        other => panic!("no file: {other:?}"),
    };
    let (part, picture) = file(
        "image",
        json!({ "id": "301", "mime_type": "image/jpeg", "sha256": "aGFzaA==", "caption": "My bike" }),
    );
    assert_eq!(part, Part::Unsupported { kind: "image".into(), text: Some("My bike".into()) });
    let expected = VendorFile {
        part: 0,
        kind: "image",
        id: Some("301".into()),
        url: None,
        media_type: Some("image/jpeg".into()),
        name: None,
        caption: Some("My bike".into()),
        sha256: Some("aGFzaA==".into()),
        is_voice_note: false,
    };
    assert_eq!(picture, expected);
    assert!(
        file("audio", json!({ "id": "302", "mime_type": "audio/ogg; codecs=opus", "voice": true }))
            .1
            .is_voice_note
    );
    assert!(!file("audio", json!({ "id": "302", "voice": false })).1.is_voice_note);
    assert!(file("voice", json!({ "id": "302" })).1.is_voice_note);
    assert_eq!(
        file("document", json!({ "id": "303", "filename": "a.pdf" })).1.name.as_deref(),
        Some("a.pdf")
    );
    assert_eq!(file("video", json!({ "id": "305" })).1.kind, "video");
    assert_eq!(file("sticker", json!({ "id": "304", "animated": false })).1.kind, "image");
}

#[test]
fn places_and_people_are_read() {
    let place = one("location", &json!({ "latitude": 52.1, "longitude": "4.3", "name": "Office" }));
    let Part::Location { latitude, longitude, name, address } = place else { panic!("no place") };
    assert_eq!(
        (latitude.get(), longitude.get(), name.as_deref(), address),
        (52.1, 4.3, Some("Office"), None)
    );
    let person = one(
        "contacts",
        &json!([{ "name": { "formatted_name": "Bo Example" }, "phones": [{ "phone": "+1 555 000 3333" }],
                  "emails": [{ "email": "bo@example.test" }, { "email": "not one" }] }]),
    );
    let Part::Contact(person) = person else { panic!("no person") };
    assert_eq!((person.name.as_str(), person.phones.len(), person.emails.len()), ("Bo Example", 1, 1));
    let nameless = one("contacts", &json!([{ "phones": [{ "wa_id": "15550003333" }] }]));
    assert!(matches!(nameless, Part::Contact(person) if person.name == "+15550003333"));
}

#[test]
fn what_was_pressed_comes_back_with_its_message() {
    let sent = MessageId::from_bytes([7; 16]);
    let id = format!("{sent}/slot-9");
    for (kind, own) in [
        ("interactive", json!({ "type": "button_reply", "button_reply": { "id": id, "title": "At nine" } })),
        (
            "interactive",
            json!({ "type": "list_reply", "list_reply": { "id": id, "title": "At nine", "description": "x" } }),
        ),
        ("button", json!({ "payload": id, "text": "At nine" })),
    ] {
        let said = said(kind, &own);
        let Said::Pressed { id, title } = &said else { panic!("not pressed: {said:?}") };
        assert_eq!((pressed(id), title.as_str()), (Some((sent, "slot-9")), "At nine"));
    }
}

#[test]
fn what_was_pressed_in_the_message_of_another_program_is_what_it_says() {
    let foreign = json!({ "type": "button_reply", "button_reply": { "id": "yes", "title": "Yes" } });
    assert_eq!(one("interactive", &foreign), Part::text("Yes"));
    assert_eq!(one("button", &json!({ "payload": "STOP", "text": "Stop" })), Part::text("Stop"));
}

#[test]
fn the_answers_of_a_form_are_kept() {
    let flow = |response: &str| {
        let own = json!({ "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": "Sent", "response_json": response } });
        only(&message("interactive", &own))
    };
    let inbound = flow(r#"{"flow_token":"t","day":"2026-12-01"}"#);
    assert_eq!(inbound.metadata.unwrap()["form"]["day"], "2026-12-01");
    assert_eq!(parts(&inbound.said), [Part::Unsupported { kind: "form".into(), text: Some("Sent".into()) }]);
    assert_eq!(flow("no object").metadata.unwrap()["form"], "no object");
    // What is kept can be read back from within what it is kept in.
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    assert_eq!(flow(&deep).metadata.unwrap()["form"], deep.as_str());
}

#[test]
fn signs_edits_and_deletions_name_their_message() {
    let sign = |emoji: Value| said("reaction", &emoji);
    let to = || "wamid.X".to_owned();
    assert_eq!(
        sign(json!({ "message_id": "wamid.X", "emoji": "👍" })),
        Said::Reaction { to: to(), emoji: Some("👍".into()) }
    );
    assert_eq!(
        sign(json!({ "message_id": "wamid.X", "emoji": "" })),
        Said::Reaction { to: to(), emoji: None }
    );
    assert_eq!(sign(json!({ "message_id": "wamid.X" })), Said::Reaction { to: to(), emoji: None });
    let edit =
        json!({ "original_message_id": "wamid.X", "message": { "type": "text", "text": { "body": "New" } } });
    assert_eq!(said("edit", &edit), Said::Edited { message: to(), parts: vec![Part::text("New")] });
    assert_eq!(said("revoke", &json!({ "original_message_id": "wamid.X" })), Said::Deleted { message: to() });
}

#[test]
fn what_is_not_known_keeps_its_name_and_words() {
    let unknown = |kind: &str, text: Option<&str>| Part::Unsupported {
        kind: kind.into(),
        text: text.map(str::to_owned),
    };
    assert_eq!(one("unsupported", &json!({ "type": "poll" })), unknown("poll", None));
    assert_eq!(one("unsupported", &Value::Null), unknown("unsupported", None));
    assert_eq!(one("hologram", &json!({ "caption": "Look" })), unknown("hologram", Some("Look")));
    assert_eq!(one("request_welcome", &Value::Null), unknown("request_welcome", None));
    let order = json!({ "catalog_id": "1", "text": "Please", "product_items": [
        { "product_retailer_id": "SKU", "quantity": 2, "item_price": 30, "currency": "EUR" }] });
    assert_eq!(one("order", &order), unknown("order", Some("Please\n2 × SKU, 30 EUR")));
}

#[test]
fn where_somebody_came_from_and_what_they_answer_is_kept() {
    let mut text = message("text", &json!({ "body": "Hi" }));
    text["context"] = json!({ "from": "15550001111", "id": "wamid.OUT7", "forwarded": true });
    text["referral"] = json!({ "source_id": "ad-1", "source_type": "ad", "headline": "Bikes" });
    let inbound = only(&text);
    assert_eq!(inbound.answers.as_deref(), Some("wamid.OUT7"));
    let metadata = inbound.metadata.unwrap();
    assert_eq!((&metadata["referral"]["source_id"], &metadata["forwarded"]), (&json!("ad-1"), &json!(true)));
}

#[test]
fn somebody_without_a_number_is_known_by_their_scoped_id() {
    const SCOPED: &str = "US.10000000000000000001";
    let text = json!({ "body": "Hi" });
    let read = |message: Value, contact: Value| {
        let parsed = parse(&body(&json!({ "contacts": [contact], "messages": [message] })));
        let Happening::Message(inbound) = parsed.events[0].happening.clone() else { panic!("no message") };
        (inbound.writer.address, inbound.writer.scoped_id)
    };
    let mut without = message("text", &text);
    without.as_object_mut().unwrap().remove("from");
    without["from_user_id"] = json!(SCOPED);
    assert_eq!(read(without, json!({ "user_id": SCOPED })), (None, Some(SCOPED.into())));
    let mut repeated = message("text", &text);
    repeated["from"] = json!(SCOPED);
    assert_eq!(read(repeated, json!({ "wa_id": SCOPED })), (None, Some(SCOPED.into())));
    let both = read(message("text", &text), json!({ "wa_id": NUMBER, "user_id": SCOPED }));
    assert_eq!(both, (Some(NUMBER.into()), Some(SCOPED.into())));
}

#[test]
fn receipts_have_their_message_their_reference_and_their_fault() {
    let status = |kind: &str| {
        json!({ "id": "wamid.OUT1", "status": kind, "timestamp": "1700000005", "recipient_id": NUMBER,
                "biz_opaque_callback_data": "dlv_1/0", "errors": [{ "code": 131_049, "title": "x" }] })
    };
    let all = ["sent", "delivered", "read", "played", "failed", "deleted", "warning"].map(status);
    let parsed = parse(&body(&json!({ "statuses": all })));
    let kinds: Vec<ReceiptKind> = parsed
        .events
        .iter()
        .map(|event| match &event.happening {
            Happening::Receipt(Receipt { id, reference: Some(reference), kind, code: Some(131_049) })
                if id == "wamid.OUT1" && reference == "dlv_1/0" =>
            {
                *kind
            }
            other => panic!("no receipt: {other:?}"),
        })
        .collect();
    let expected = [
        ReceiptKind::Sent,
        ReceiptKind::Delivered,
        ReceiptKind::Read,
        ReceiptKind::Read,
        ReceiptKind::Failed,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn one_body_tells_of_several_accounts_in_the_order_of_the_vendors_clock() {
    let mut whole = body(&json!({ "messages": [
        { "from": NUMBER, "id": "wamid.2", "timestamp": "1700000002", "type": "text", "text": { "body": "two" } },
        { "from": NUMBER, "id": "wamid.1", "timestamp": 1_700_000_001, "type": "text", "text": { "body": "one" } }],
        "statuses": [{ "id": "wamid.OUT", "status": "read", "timestamp": "1700000003" }],
        "errors": [{ "code": 131_031 }] }));
    let mut other = body(&json!({ "messages": [message("text", &json!({ "body": "other" }))] }));
    other["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("200000000000003");
    let entry = other["entry"][0].clone();
    whole["entry"].as_array_mut().unwrap().push(entry);
    let parsed = parse(&whole);
    let ids: Vec<(&str, &str)> = parsed
        .events
        .iter()
        .filter_map(|event| match &event.happening {
            Happening::Message(inbound) => Some((event.account.as_str(), inbound.id.as_str())),
            _ => None,
        })
        .collect();
    let place = |id| ids.iter().position(|one| *one == id).unwrap();
    assert!(place((ACCOUNT, "wamid.1")) < place((ACCOUNT, "wamid.2")));
    assert!(ids.contains(&("200000000000003", "wamid.IN1")));
    assert!(parsed.events.iter().any(|event| event.happening == Happening::Trouble { code: 131_031 }));
}

#[test]
fn echoes_and_new_numbers_are_told_apart_from_messages() {
    let mut echo = body(&json!({ "message_echoes": [
        { "from": "15550001111", "to": NUMBER, "id": "wamid.E1", "timestamp": "1700000000", "type": "text",
          "text": { "body": "From the telephone" } }] }));
    echo["entry"][0]["changes"][0]["field"] = json!("smb_message_echoes");
    let parsed = parse(&echo);
    let [Event { happening: Happening::Echo { said: inbound, .. }, .. }] = &parsed.events[..] else {
        panic!("{parsed:?}")
    };
    assert_eq!(inbound.writer.address.as_deref(), Some(NUMBER));

    let system = json!({ "type": "user_changed_number", "body": "x", "wa_id": "15550004444" });
    let parsed = parse(&body(&json!({ "messages": [message("system", &system)] })));
    let renamed = Happening::Renamed { previous: NUMBER.into(), current: "15550004444".into() };
    assert_eq!(parsed.events[0].happening, renamed);
}

#[test]
fn groups_other_fields_and_other_objects_are_left_out() {
    let mut group = message("text", &json!({ "body": "Hi all" }));
    group["group_id"] = json!("g1");
    assert!(parse(&body(&json!({ "messages": [group] }))).events.is_empty());
    let mut field = body(&json!({ "event": "APPROVED" }));
    field["entry"][0]["changes"][0]["field"] = json!("message_template_status_update");
    assert_eq!(parse(&field).left_out, ["message_template_status_update"]);
    for odd in [
        json!({}),
        json!([]),
        json!({ "object": "page", "entry": [] }),
        json!({ "object": "whatsapp_business_account" }),
    ] {
        assert!(parse(&odd).events.is_empty());
    }
}
