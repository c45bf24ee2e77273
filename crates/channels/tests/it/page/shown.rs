//! How messages are shown, and that no piece is ever longer than the vendor takes.

use super::{BOTH, PAGE, THEY};
use misy_channels::{
    Channel, Piece, Read, Rendered, Rendering, To, instagram::Instagram, messenger::Messenger, pressed,
};
use misy_domain::{
    MessageId, Part, Secret,
    message::{Button, Card, Item, Media, Section},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

fn message_id() -> MessageId {
    MessageId::from_bytes([7; 16])
}

fn render(vendor: &dyn Channel, parts: &[Part]) -> Rendered {
    let (files, vendor_ids) = (HashMap::new(), HashMap::from([(message_id(), "m_0".to_owned())]));
    let message =
        Rendering { message_id: message_id(), parts, files: &files, vendor_ids: &vendor_ids, quotes: None };
    vendor.render(&message)
}

fn bodies(vendor: &dyn Channel, parts: &[Part]) -> Vec<Value> {
    render(vendor, parts).pieces.into_iter().map(|piece| piece.body).collect()
}

fn button(title: &str, url: Option<&str>) -> Button {
    let (id, title) = (format!("id-{title}"), title.to_owned());
    Button { id, title, reference: None, url: url.map(str::to_owned) }
}

fn item(title: &str, description: Option<&str>) -> Item {
    let (id, title) = (format!("id-{title}"), title.to_owned());
    Item { id, title, description: description.map(str::to_owned), reference: None }
}

fn card(title: &str, buttons: Vec<Button>) -> Card {
    let image = Media { url: Some("https://a.example/b.jpg".into()), ..Media::default() };
    let url = Some("https://a.example/".into());
    Card { title: title.into(), text: Some("Desde 80.000".into()), image: Some(image), url, buttons }
}

#[test]
fn a_text_is_cut_by_what_the_vendor_counts() {
    let text = "¡Mañana atendemos! ".repeat(120);
    let lengths = BOTH.map(|(vendor, _)| {
        bodies(vendor, &[Part::text(&text)])
            .iter()
            .map(|one| one["text"].as_str().unwrap().len())
            .collect::<Vec<_>>()
    });
    assert!(lengths[1].iter().all(|length| *length <= 1_000), "{lengths:?}");
    assert_eq!(lengths.map(|all| all.len()), [2, 3], "characters here, bytes there");
    let plain = bodies(&Instagram, &[Part::text("**Hola**, [reserve](https://a.example/b)")]);
    assert_eq!(plain, [json!({ "text": "Hola, reserve: https://a.example/b" })]);
}

#[test]
fn choices_are_quick_replies_that_bring_back_their_message() {
    for (vendor, _) in BOTH {
        let buttons = vec![button("Sí", None), button("No", None)];
        let all = bodies(vendor, &[Part::Buttons { text: "¿Confirma?".into(), buttons }]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0]["text"], "¿Confirma?");
        let reply = &all[0]["quick_replies"][1];
        assert_eq!((&reply["content_type"], &reply["title"]), (&json!("text"), &json!("No")));
        let payload = reply["payload"].as_str().unwrap();
        assert_eq!(pressed(payload), Some((message_id(), "id-No")));
    }
    // Fourteen are more than can be pressed, and what looks the same cannot be told apart.
    let many = |titles: Vec<String>| {
        let buttons = titles.iter().map(|title| button(title, None)).collect();
        bodies(&Messenger, &[Part::Buttons { text: "¿Cuál?".into(), buttons }])
    };
    let numbered = many((1..=14).map(|at| format!("Opción {at}")).collect());
    assert!(numbered[0]["text"].as_str().unwrap().ends_with("14. Opción 14"));
    assert!(numbered[0]["quick_replies"].is_null());
    let alike = many(vec!["Control de ortodoncia A".into(), "Control de ortodoncia B".into()]);
    assert!(alike[0]["quick_replies"].is_null());
}

#[test]
fn a_list_is_told_above_and_chosen_from_below() {
    let section = Section {
        title: Some("Servicios".into()),
        items: vec![item("Limpieza", Some("45 minutos")), item("Control", None)],
    };
    let list = Part::List { text: "¿Qué necesita?".into(), button: None, sections: vec![section] };
    let all = bodies(&Messenger, &[list]);
    assert_eq!(all[0]["text"], "¿Qué necesita?\n\nServicios\n- Limpieza: 45 minutos\n- Control");
    assert_eq!(all[0]["quick_replies"].as_array().unwrap().len(), 2);
}

#[test]
fn links_are_buttons_and_cards_are_side_by_side() {
    let buttons = vec![button("Reservar", Some("https://a.example/b")), button("No", None)];
    let all = bodies(&Instagram, &[Part::Buttons { text: "¿Reserva?".into(), buttons: buttons.clone() }]);
    let payload = &all[0]["attachment"]["payload"];
    assert_eq!(payload["template_type"], "button");
    assert_eq!(
        payload["buttons"][0],
        json!({ "type": "web_url", "title": "Reservar", "url": "https://a.example/b" })
    );
    assert_eq!(payload["buttons"][1]["type"], "postback");

    let cards = vec![card("Limpieza", buttons), card("Control", vec![])];
    let all = bodies(&Messenger, &[Part::Carousel { text: Some("Nuestros servicios".into()), cards }]);
    assert_eq!(all[0], json!({ "text": "Nuestros servicios" }));
    let elements = all[1]["attachment"]["payload"]["elements"].as_array().unwrap();
    assert_eq!((elements.len(), &elements[0]["subtitle"]), (2, &json!("Desde 80.000")));
    assert_eq!(elements[0]["image_url"], "https://a.example/b.jpg");
    assert_eq!(elements[0]["default_action"], json!({ "type": "web_url", "url": "https://a.example/" }));
    assert_eq!(elements[0]["buttons"].as_array().unwrap().len(), 2);
    // One that does not fit makes all of them texts.
    let cards = vec![card(&"Limpieza ".repeat(12), vec![])];
    let all = bodies(&Messenger, &[Part::Carousel { text: None, cards }]);
    assert_eq!(all[0]["attachment"]["type"], "image");
    assert!(all[1]["text"].as_str().unwrap().contains("80.000"));
}

#[test]
fn files_are_shown_where_the_channel_shows_such_files() {
    let media = |kind: &str| Media {
        url: Some("https://a.example/a".into()),
        media_type: Some(kind.into()),
        caption: Some("El presupuesto".into()),
        ..Media::default()
    };
    let sound = Part::Audio(media("audio/ogg"));
    let kinds =
        BOTH.map(|(vendor, _)| bodies(vendor, std::slice::from_ref(&sound))[0]["attachment"]["type"].clone());
    assert_eq!(kinds, [json!("audio"), Value::Null], "no Ogg with Instagram");
    let page = bodies(&Instagram, &[Part::File(media("application/pdf"))]);
    assert_eq!(
        (&page[0]["attachment"]["type"], &page[1]["text"]),
        (&json!("file"), &json!("El presupuesto"))
    );
}

#[test]
fn each_call_says_why_it_may_be_made() {
    let token = Secret::new("EAApagetoken".to_owned());
    let piece = Piece { kind: "message", body: json!({ "text": "Hola" }), quotes: Some("m_0".into()) };
    let to = |is_late| To { id: THEY, reference: "dlv_1/0", is_late };
    let call = Messenger.send(PAGE, &to(false), &piece, &token);
    assert_eq!(call.path, format!("/{PAGE}/messages"));
    assert_eq!(call.authorization.expose(), "Bearer EAApagetoken");
    let expected = json!({
        "recipient": { "id": THEY }, "messaging_type": "RESPONSE", "reply_to": { "mid": "m_0" },
        "message": { "text": "Hola", "metadata": "dlv_1/0" },
    });
    assert_eq!(call.body, Some(expected));
    let late = Instagram.send("17800000000000001", &to(true), &piece, &token);
    let body = late.body.unwrap();
    assert_eq!(late.path, "/me/messages");
    assert_eq!((&body["messaging_type"], &body["tag"]), (&json!("MESSAGE_TAG"), &json!("HUMAN_AGENT")));
    assert!(body["message"]["metadata"].is_null());

    let sign = |emoji: Option<&str>| {
        let part = Part::Reaction { message_id: message_id(), emoji: emoji.map(str::to_owned) };
        let rendered = render(&Messenger, &[part]);
        Messenger.send(PAGE, &to(false), &rendered.pieces[0], &token).body.unwrap()
    };
    let put = json!({ "recipient": { "id": THEY }, "sender_action": "react",
                      "payload": { "message_id": "m_0", "reaction": "❤" } });
    assert_eq!(sign(Some("❤")), put);
    assert_eq!(sign(None)["sender_action"], "unreact");
}

#[test]
fn that_something_is_read_and_answered_is_told_alone() {
    let token = Secret::new("EAApagetoken".to_owned());
    for (vendor, _) in BOTH {
        let calls = vendor.reading(PAGE, &Read { writer: THEY, message: "m_1" }, &token);
        let bodies: Vec<Value> = calls.into_iter().map(|call| call.body.unwrap()).collect();
        let sign = |action: &str| json!({ "recipient": { "id": THEY }, "sender_action": action });
        assert_eq!(bodies, [sign("mark_seen"), sign("typing_on")]);
    }
}

/// Each text in a body that the vendor measures, with its limit.
fn is_within(vendor: &dyn Channel, body: &Value) -> bool {
    let units = |text: &Value| text.as_str().map_or(0, |text| text.encode_utf16().count());
    let is_short = |text: &Value| match vendor.kind() {
        misy_domain::Channel::Instagram => text.as_str().map_or(0, str::len) <= 1_000,
        _ => units(text) <= 2_000,
    };
    let empty = Vec::new();
    let all = |value: &Value| value.as_array().unwrap_or(&empty).clone();
    let replies = all(&body["quick_replies"]);
    let payload = &body["attachment"]["payload"];
    let elements = all(&payload["elements"]);
    let are_buttons = |buttons: &Value| {
        let buttons = all(buttons);
        buttons.len() <= 3
            && buttons.iter().all(|one| units(&one["title"]) <= 20 && units(&one["payload"]) <= 1_000)
    };
    is_short(&body["text"])
        && replies.len() <= 13
        && replies.iter().all(|one| units(&one["title"]) <= 20 && units(&one["payload"]) <= 1_000)
        && units(&payload["text"]) <= 640
        && are_buttons(&payload["buttons"])
        && elements.len() <= 10
        && elements.iter().all(|one| {
            units(&one["title"]) <= 80 && units(&one["subtitle"]) <= 80 && are_buttons(&one["buttons"])
        })
}

#[test]
fn a_long_text_above_buttons_is_measured_as_a_text_where_it_is_one() {
    // Two bytes each: what Messenger counts as 640 above buttons is too long for a text of Instagram.
    let text = "ñ".repeat(1_500);
    let url = Some("https://a.example/".to_owned());
    let buttons = vec![Button { id: "a".to_owned(), title: "A".to_owned(), reference: None, url }];
    for (vendor, _) in BOTH {
        let bodies = bodies(vendor, &[Part::Buttons { text: text.clone(), buttons: buttons.clone() }]);
        assert!(bodies.iter().all(|body| is_within(vendor, body)), "{bodies:?}");
        let said: String = bodies.iter().filter_map(|body| body["text"].as_str()).collect();
        let above = bodies.last().unwrap()["attachment"]["payload"]["text"].as_str().unwrap();
        assert_eq!(said + above, text);
    }
}

proptest! {
    #[test]
    fn no_piece_is_ever_longer_than_the_vendor_takes(
        text in "(?s).{0,1500}",
        titles in proptest::collection::vec("(?s).{1,60}", 1..16),
        is_link in any::<bool>(),
    ) {
        let buttons: Vec<Button> = titles.iter().enumerate().map(|(at, title)| {
            let url = (is_link && at % 2 == 0).then(|| "https://a.example/".to_owned());
            Button { id: format!("{at}"), title: title.clone(), reference: None, url }
        }).collect();
        let items = titles.iter().map(|title| item(title, Some(&text))).collect();
        let short = text.chars().take(90).collect::<String>();
        let cards = vec![Card { title: short.clone(), text: Some(short), image: None, url: None, buttons: buttons.clone() }];
        let parts = [
            Part::text(&text),
            Part::Buttons { text: text.clone(), buttons },
            Part::List { text: text.clone(), button: None, sections: vec![Section { title: None, items }] },
            Part::Carousel { text: Some(text.clone()), cards },
        ];
        for (vendor, _) in BOTH {
            for body in bodies(vendor, &parts) {
                prop_assert!(is_within(vendor, &body), "{body}");
            }
        }
    }
}
