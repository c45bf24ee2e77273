//! How messages are shown, and that no piece is ever longer than the vendor takes.

use misy_channels::{
    Attached, Channel, Piece, Rendered, Rendering, To,
    whatsapp::{Whatsapp, read_mark},
};
use misy_domain::{
    FileId, MessageId, Part, Secret,
    message::{Button, Card, Item, Media, Section},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

fn message_id() -> MessageId {
    MessageId::from_bytes([7; 16])
}

fn render(parts: &[Part]) -> Rendered {
    render_with(parts, &HashMap::new(), &HashMap::new())
}

fn render_with(
    parts: &[Part],
    files: &HashMap<FileId, Attached>,
    vendor_ids: &HashMap<MessageId, String>,
) -> Rendered {
    Whatsapp.render(&Rendering { message_id: message_id(), parts, files, vendor_ids, quotes: None })
}

fn button(title: &str, url: Option<&str>) -> Button {
    Button {
        id: format!("id-{title}"),
        title: title.to_owned(),
        reference: None,
        url: url.map(str::to_owned),
    }
}

fn item(title: &str, description: Option<&str>) -> Item {
    Item {
        id: format!("id-{title}"),
        title: title.to_owned(),
        description: description.map(str::to_owned),
        reference: None,
    }
}

fn kinds(rendered: &Rendered) -> Vec<&str> {
    rendered.pieces.iter().map(|piece| piece.kind).collect()
}

#[test]
fn a_text_has_the_vendors_marks() {
    let rendered = render(&[Part::text("**Hola**, [reserve](https://a.example/b)")]);
    assert_eq!(
        rendered.pieces[0].body,
        json!({ "body": "*Hola*, reserve: https://a.example/b", "preview_url": true })
    );
    assert!(rendered.changes.is_empty());
}

#[test]
fn a_long_text_is_several_messages() {
    let rendered = render(&[Part::text("Una frase. ".repeat(800))]);
    assert_eq!(kinds(&rendered), ["text", "text", "text"]);
    assert_eq!(rendered.changes[0].done, "cut into several");
}

#[test]
fn up_to_three_short_choices_are_buttons_that_bring_back_their_message() {
    let buttons = vec![button("Sí", None), button("No", None)];
    let rendered = render(&[Part::Buttons { text: "¿Confirma?".into(), buttons }]);
    let id = format!("{}/id-Sí", message_id());
    assert_eq!(
        rendered.pieces[0].body,
        json!({ "type": "button", "body": { "text": "¿Confirma?" }, "action": { "buttons": [
            { "type": "reply", "reply": { "id": id, "title": "Sí" } },
            { "type": "reply", "reply": { "id": format!("{}/id-No", message_id()), "title": "No" } }] } })
    );
}

#[test]
fn up_to_ten_choices_are_a_list_and_more_are_numbers() {
    let titles: Vec<String> = (1..=11).map(|at| format!("Choice {at}")).collect();
    let shown = |most: usize| {
        let buttons = titles[..most].iter().map(|title| button(title, None)).collect();
        render(&[Part::Buttons { text: "Which?".into(), buttons }])
    };
    let four = shown(4);
    assert_eq!((&four.pieces[0].body["type"], four.pieces.len()), (&json!("list"), 1));
    assert_eq!(four.pieces[0].body["action"]["sections"][0]["rows"].as_array().unwrap().len(), 4);
    assert_eq!(shown(10).pieces[0].body["type"], "list");
    let eleven = shown(11);
    assert_eq!(kinds(&eleven), ["text"]);
    assert!(eleven.pieces[0].body["body"].as_str().unwrap().ends_with("\n11. Choice 11"));
    assert_eq!(eleven.changes[0].done, "choices as numbers in a text");
}

#[test]
fn a_list_has_its_sections_and_what_is_cut_short_is_told() {
    let long = "Consulta de control con radiografía";
    let sections = vec![
        Section { title: Some("Delivery".into()), items: vec![item("Express", Some("1 day"))] },
        Section { title: None, items: vec![item(long, None)] },
    ];
    let rendered = render(&[Part::List { text: "Pick".into(), button: Some("Options".into()), sections }]);
    let action = &rendered.pieces[0].body["action"];
    assert_eq!(
        (&action["button"], &action["sections"][0]["title"], &action["sections"][1]["title"]),
        (&json!("Options"), &json!("Delivery"), &json!("2"))
    );
    let row = &action["sections"][1]["rows"][0];
    assert_eq!((&row["title"], &row["description"]), (&json!("Consulta de control con…"), &json!(long)));
    assert_eq!(rendered.changes[0].done, "titles cut short");
}

#[test]
fn one_link_is_a_button_and_links_beside_choices_are_text() {
    let link = || button("Pagar", Some("https://pay.example/1"));
    let rendered = render(&[Part::Buttons { text: "Su pedido".into(), buttons: vec![link()] }]);
    let parameters = json!({ "display_text": "Pagar", "url": "https://pay.example/1" });
    assert_eq!(rendered.pieces[0].body["action"], json!({ "name": "cta_url", "parameters": parameters }));
    let mixed =
        render(&[Part::Buttons { text: "Su pedido".into(), buttons: vec![link(), button("No", None)] }]);
    assert_eq!(mixed.pieces[0].body["body"]["text"], "Su pedido\nPagar: https://pay.example/1");
    assert_eq!(mixed.pieces[0].body["type"], "button");
}

#[test]
fn files_go_by_address_or_by_id_and_long_captions_apart() {
    let file = FileId::from_bytes([9; 16]);
    let files = HashMap::from([(file, Attached::Id("9001".into()))]);
    let media = |caption: &str| Media {
        file_id: Some(file),
        caption: Some(caption.into()),
        name: Some("a.pdf".into()),
        ..Media::default()
    };
    let shown = |part: Part| render_with(&[part], &files, &HashMap::new());
    assert_eq!(
        shown(Part::File(media("See"))).pieces[0].body,
        json!({ "id": "9001", "filename": "a.pdf", "caption": "See" })
    );
    assert_eq!(kinds(&shown(Part::Audio(media("See")))), ["audio", "text"]);
    assert_eq!(kinds(&shown(Part::Image(media(&"x ".repeat(600))))), ["image", "text"]);
    let elsewhere = Media {
        url: Some("https://cdn.example/a.png".into()),
        alt: Some("A bike".into()),
        ..Media::default()
    };
    assert_eq!(
        render(&[Part::Image(elsewhere)]).pieces[0].body,
        json!({ "link": "https://cdn.example/a.png", "caption": "A bike" })
    );
    // Without the file, its words are better than nothing.
    assert_eq!(render(&[Part::Image(media("See"))]).pieces[0].body["body"], "See");
}

#[test]
fn templates_reactions_and_places_have_the_vendors_shape() {
    let template = Part::Template {
        name: "order_update".into(),
        language: "en_US".into(),
        parameters: vec!["Ada\nLovelace".into()],
        text: None,
    };
    assert_eq!(
        render(&[template]).pieces[0].body,
        json!({ "name": "order_update", "language": { "code": "en_US" },
                "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "Ada Lovelace" }] }] })
    );
    let to = MessageId::from_bytes([8; 16]);
    let reaction = [Part::Reaction { message_id: to, emoji: Some("👍".into()) }];
    let known = render_with(&reaction, &HashMap::new(), &HashMap::from([(to, "wamid.X".to_owned())]));
    assert_eq!(known.pieces[0].body, json!({ "message_id": "wamid.X", "emoji": "👍" }));
    assert!(render(&reaction).pieces.is_empty());
    let degrees = |number| misy_domain::message::Degrees::new(number).unwrap();
    let place = Part::Location {
        latitude: degrees(52.1),
        longitude: degrees(4.3),
        name: Some("Office".into()),
        address: None,
    };
    assert_eq!(
        render(&[place]).pieces[0].body,
        json!({ "latitude": "52.1", "longitude": "4.3", "name": "Office" })
    );
}

#[test]
fn a_call_says_who_it_is_for_and_what_comes_back_with_receipts() {
    let token = Secret::new("EAAexampletoken".to_owned());
    let piece = Piece { kind: "text", body: json!({ "body": "Hi" }), quotes: Some("wamid.IN1".into()) };
    let call = Whatsapp.send(
        "200000000000002",
        &To { id: "15550002222", reference: "dlv_1/0", is_late: false },
        &piece,
        &token,
    );
    assert_eq!(
        (call.path.as_str(), call.authorization.expose().as_str()),
        ("/200000000000002/messages", "Bearer EAAexampletoken")
    );
    assert_eq!(
        call.body.unwrap(),
        json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+15550002222", "type": "text",
                "text": { "body": "Hi" }, "context": { "message_id": "wamid.IN1" }, "biz_opaque_callback_data": "dlv_1/0" })
    );
    let scoped = Whatsapp
        .send("2", &To { id: "US.1000", reference: "r", is_late: false }, &piece, &token)
        .body
        .unwrap();
    assert_eq!((&scoped["recipient"], scoped.get("to")), (&json!("US.1000"), None));
    assert!(!format!("{:?}", Whatsapp.health("2", &token)).contains("EAA"));
    let mark = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN1", "typing_indicator": { "type": "text" } });
    assert_eq!(read_mark("wamid.IN1", true), mark);
}

/// The limits of the vendor, looked up in what would be sent.
fn within_limits(piece: &Piece) {
    let length = |value: &Value| value.as_str().unwrap_or_default().encode_utf16().count();
    let at_most =
        |value: &Value, most: usize| assert!((1..=most).contains(&length(value)), "{value} in {piece:?}");
    match piece.kind {
        "text" => at_most(&piece.body["body"], 4_096),
        "interactive" => {
            at_most(&piece.body["body"]["text"], 1_024);
            let action = &piece.body["action"];
            let buttons = action["buttons"].as_array().cloned().unwrap_or_default();
            assert!(buttons.len() <= 3);
            for one in &buttons {
                at_most(&one["reply"]["title"], 20);
                at_most(&one["reply"]["id"], 256);
            }
            let sections = action["sections"].as_array().cloned().unwrap_or_default();
            let rows: Vec<Value> =
                sections.iter().flat_map(|one| one["rows"].as_array().unwrap().clone()).collect();
            assert!(sections.len() <= 10 && rows.len() <= 10);
            for one in &rows {
                at_most(&one["title"], 24);
                at_most(&one["id"], 200);
                assert!(length(&one["description"]) <= 72);
            }
        }
        "image" | "video" | "document" | "audio" => assert!(length(&piece.body["caption"]) <= 1_024),
        _ => {}
    }
}

fn words(most: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("(?s)[a-zñ😀👨‍👩‍👧 .\n*_#`]{{0,{most}}}[a-z]")).unwrap()
}

fn part() -> impl Strategy<Value = Part> {
    let buttons = || {
        proptest::collection::vec((words(60), any::<bool>()), 1..12).prop_map(|all| {
            all.into_iter()
                .map(|(title, is_link)| button(&title, is_link.then_some("https://a.example")))
                .collect::<Vec<_>>()
        })
    };
    prop_oneof![
        words(6_000).prop_map(Part::text),
        (words(2_000), buttons()).prop_map(|(text, buttons)| Part::Buttons { text, buttons }),
        (words(2_000), proptest::collection::vec((words(100), proptest::option::of(words(200))), 1..14))
            .prop_map(|(text, items)| {
                let items = items.iter().map(|(title, more)| item(title, more.as_deref()));
                let sections = items.map(|item| Section { title: None, items: vec![item] }).collect();
                Part::List { text, button: None, sections }
            }),
        (words(100), words(2_000), buttons()).prop_map(|(title, text, buttons)| {
            let image = Some(Media {
                url: Some("https://a.example/b".into()),
                caption: Some(text.clone()),
                ..Media::default()
            });
            Part::Card(Card { title, text: Some(text), image, url: None, buttons })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_piece_breaks_a_limit(part in part()) {
        let rendered = render(&[part]);
        prop_assert!(!rendered.pieces.is_empty());
        rendered.pieces.iter().for_each(within_limits);
    }
}
