//! Parts of messages as they travel and as they are stored.

use misy_domain::{
    Part,
    message::{Degrees, Media, SentPart, Writer, check, text_of},
};
use proptest::prelude::*;
use serde_json::{Value, from_value, json, to_value};

/// One part of each kind, with all that it may have.
fn one_of_each() -> Vec<Value> {
    vec![
        json!({ "type": "text", "text": "Hola" }),
        json!({ "type": "image", "fileId": "fil_01k9z3v5d2m8q4x7c1b6n0f9gh", "mediaType": "image/png", "name": "a.png",
                "size": 12, "caption": "Mi perro", "alt": "Un perro" }),
        json!({ "type": "audio", "url": "https://files.example/a.ogg", "mediaType": "audio/ogg" }),
        json!({ "type": "video", "url": "https://files.example/a.mp4" }),
        json!({ "type": "file", "url": "https://files.example/a.pdf", "name": "a.pdf" }),
        json!({ "type": "location", "latitude": 4.711, "longitude": -74.0721, "name": "Bogotá", "address": "Calle 1" }),
        json!({ "type": "contact", "name": "Ana", "organization": "Andina", "phones": ["+57 1 5550100"],
                "emails": ["ana@example.com"] }),
        json!({ "type": "buttons", "text": "¿Cuál?", "buttons": [
                { "id": "a", "title": "Uno", "ref": { "kind": "faq", "id": "one" } },
                { "id": "b", "title": "Web", "url": "https://andina.example/" } ] }),
        json!({ "type": "list", "text": "Elige", "button": "Ver", "sections": [
                { "title": "Horas", "items": [ { "id": "i", "title": "9:00", "description": "Ana",
                                                 "ref": { "kind": "slot", "id": "1" } } ] } ] }),
        json!({ "type": "card", "title": "Limpieza", "text": "30 min", "image": { "url": "https://files.example/a.png" },
                "url": "https://andina.example/", "buttons": [ { "id": "c", "title": "Reservar" } ] }),
        json!({ "type": "carousel", "text": "Servicios", "cards": [ { "title": "Limpieza" } ] }),
        json!({ "type": "template", "name": "reminder", "language": "es_CO", "parameters": ["Ana"], "text": "Hola Ana" }),
        json!({ "type": "form", "formId": "f", "title": "Datos", "text": "Para tu cita", "fields": [
                { "id": "n", "label": "Nombre", "kind": "text", "required": true },
                { "id": "o", "label": "Sede", "kind": "choice", "required": false,
                  "options": [ { "id": "x", "title": "Norte" } ] } ] }),
        json!({ "type": "reaction", "messageId": "msg_01k9z3v5d2m8q4x7c1b6n0f9gh", "emoji": "👍" }),
        json!({ "type": "system", "event": "handoff", "text": "Una persona sigue" }),
        json!({ "type": "unsupported", "kind": "sticker", "text": "🙂" }),
    ]
}

#[test]
fn each_kind_is_written_as_it_was_read() {
    for value in one_of_each() {
        let part: Part = from_value(value.clone()).unwrap();
        assert_eq!(part.kind(), value["type"].as_str().unwrap());
        assert_eq!(to_value(&part).unwrap(), value);
        let sent: SentPart = from_value(value.clone()).unwrap();
        assert_eq!(sent.0, part, "what is sent is read as what is stored");
        check(&[part], Writer::Tenant, "").unwrap();
    }
}

#[test]
fn what_a_newer_version_stored_is_read_with_the_words_it_has() {
    let of = |value: Value| from_value::<Part>(value).unwrap();
    let unsupported = |kind: &str, text: Option<&str>| Part::Unsupported {
        kind: kind.to_owned(),
        text: text.map(str::to_owned),
    };
    assert_eq!(of(json!({ "type": "hologram", "text": "Hola" })), unsupported("hologram", Some("Hola")));
    assert_eq!(of(json!({ "type": "poll", "title": "¿Té?" })), unsupported("poll", Some("¿Té?")));
    // A kind that is known, with what is not.
    assert_eq!(of(json!({ "type": "text", "text": "Hola", "mood": 3 })), unsupported("text", Some("Hola")));
    assert_eq!(
        of(json!({ "type": "location", "latitude": 999, "longitude": 0 })),
        unsupported("location", None)
    );
    for broken in [json!({}), json!([]), json!("text"), json!({ "type": 7 }), Value::Null] {
        assert_eq!(of(broken), unsupported("unknown", None));
    }
}

#[test]
fn what_is_sent_must_be_known() {
    for (value, named) in [
        (json!({ "type": "hologram" }), "hologram"),
        (json!({ "type": "text", "text": "Hola", "mood": 3 }), "mood"),
        (json!({ "type": "text" }), "text"),
        (json!({ "type": "image", "urls": "https://a.example/" }), "urls"),
        (json!({ "type": "location", "latitude": 1e9, "longitude": 0 }), "180"),
        (json!({ "text": "Hola" }), "type"),
    ] {
        let error = from_value::<SentPart>(value).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_mistake_says_where_it_stands() {
    let of = |value: Value, writer| {
        let parts: Vec<Part> = vec![Part::text("Hola"), from_value(value).unwrap()];
        let mistakes = check(&parts, writer, "/parts").unwrap_err();
        mistakes.into_iter().map(|one| format!("{} {}", one.pointer, one.code)).collect::<Vec<_>>()
    };
    let tenant = |value| of(value, Writer::Tenant);
    let long = "x".repeat(20_001);
    assert_eq!(tenant(json!({ "type": "text", "text": " " })), ["/parts/1/text required"]);
    assert_eq!(tenant(json!({ "type": "text", "text": long })), ["/parts/1/text too_long"]);
    assert_eq!(
        of(json!({ "type": "text", "text": "x".repeat(4001) }), Writer::Contact),
        ["/parts/1/text too_long"]
    );
    assert_eq!(tenant(json!({ "type": "image" })), ["/parts/1 required"]);
    assert_eq!(tenant(json!({ "type": "image", "url": "http://a.example/" })), ["/parts/1/url format"]);
    assert_eq!(tenant(json!({ "type": "image", "url": "javascript:alert(1)" })), ["/parts/1/url format"]);
    assert_eq!(
        tenant(json!({ "type": "file", "url": "https://a.example/", "mediaType": "text/html; charset=x" })),
        ["/parts/1/mediaType format"]
    );
    assert_eq!(
        tenant(json!({ "type": "location", "latitude": 91, "longitude": 0 })),
        ["/parts/1/latitude range"]
    );
    assert_eq!(
        tenant(json!({ "type": "contact", "name": "Ana", "phones": ["call me"], "emails": ["ana"] })),
        ["/parts/1/phones/0 format", "/parts/1/emails/0 format"]
    );
    let button = |id: &str| json!({ "id": id, "title": "Uno" });
    assert_eq!(
        tenant(json!({ "type": "buttons", "text": "a", "buttons": [] })),
        ["/parts/1/buttons required"]
    );
    assert_eq!(
        tenant(json!({ "type": "buttons", "text": "a", "buttons": [button("a"), button("a")] })),
        ["/parts duplicate"]
    );
    let many: Vec<Value> = (0..11).map(|at| button(&at.to_string())).collect();
    assert_eq!(
        tenant(json!({ "type": "buttons", "text": "a", "buttons": many })),
        ["/parts/1/buttons too_many"]
    );
    assert_eq!(
        tenant(json!({ "type": "form", "formId": "f", "title": "t", "fields": [
            { "id": "a", "label": "a", "kind": "choice" } ] })),
        ["/parts/1/fields/0/options required"]
    );
}

#[test]
fn a_contact_offers_nothing_to_press() {
    for value in one_of_each() {
        let part: Part = from_value(value).unwrap();
        let kind = part.kind().to_owned();
        let shows = ["text", "image", "audio", "video", "file", "location", "contact", "reaction"];
        assert_eq!(check(&[part], Writer::Contact, "").is_ok(), shows.contains(&&*kind), "{kind}");
    }
}

#[test]
fn a_message_has_one_to_ten_parts() {
    assert_eq!(check(&[], Writer::Tenant, "/parts").unwrap_err()[0].code, "required");
    let eleven = vec![Part::text("a"); 11];
    assert_eq!(check(&eleven, Writer::Tenant, "/parts").unwrap_err()[0].code, "too_many");
}

#[test]
fn words_and_choices_are_found_in_each_kind() {
    let parts: Vec<Part> = one_of_each().into_iter().map(|value| from_value(value).unwrap()).collect();
    let text = text_of(&parts);
    for words in
        ["Hola", "Mi perro", "Bogotá", "¿Cuál?", "Elige", "Limpieza", "Hola Ana", "Datos", "👍", "🙂"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    let ids: Vec<_> = parts.iter().flat_map(Part::choices).map(|choice| choice.id.to_owned()).collect();
    assert_eq!(ids, ["a", "i", "c"], "a link is followed, not pressed");
    assert!(parts[1].media().is_some_and(|media| media.file_id.is_some()));
    assert_eq!(text_of(&[Part::File(Media::default())]), "");
}

proptest! {
    #[test]
    fn any_json_is_read_without_panic(kind in "[a-z]{0,12}", text in "\\PC{0,20}", number: f64) {
        let value = json!({ "type": kind, "text": text, "latitude": number, "longitude": number });
        let part: Part = from_value(value).unwrap();
        let _ = (part.words().len(), part.choices().len());
    }

    #[test]
    fn degrees_are_the_same_when_read_again(number in -180.0..=180.0) {
        let degrees = Degrees::new(number).unwrap();
        let again: Degrees = from_value(to_value(degrees).unwrap()).unwrap();
        prop_assert_eq!(degrees, again);
    }
}
