//! What a message says, kind by kind.

use crate::{
    Said,
    inbound::{VendorFile, pressed},
    meta::{cut, id, list, text, texts},
};
use misy_domain::{
    Part,
    message::{Degrees, LONGEST_TEXT, MOST_PARTS, Person},
};
use serde_json::Value;

const LONGEST_LINE: usize = 300;
const LONGEST_CAPTION: usize = 2_000;
const LONGEST_TITLE: usize = 120;
const LONGEST_KIND: usize = 64;
const MOST_NUMBERS: usize = 10;

pub(super) fn said(message: &Value) -> Said {
    let kind = text(message, "type").unwrap_or_else(|| "unknown".to_owned());
    let own = message.get(kind.as_str()).unwrap_or(&Value::Null);
    let understood = match kind.as_str() {
        "text" => text(own, "body").map(|body| of_parts(texts(&body))),
        "image" | "sticker" => file(&kind, "image", own),
        "video" => file(&kind, "video", own),
        "audio" | "voice" => file(&kind, "audio", own),
        "document" => file(&kind, "file", own),
        "location" => location(own).map(|part| of_parts(vec![part])),
        "contacts" => people(message).map(of_parts),
        "reaction" => {
            id(own, "message_id").map(|to| Said::Reaction { to, emoji: text(own, "emoji").and_then(emoji) })
        }
        "interactive" => interactive(own),
        "button" => text(own, "text").map(|words| match id(own, "payload") {
            Some(id) if pressed(&id).is_some() => Said::Pressed { id, title: cut(&words, LONGEST_TITLE) },
            // The button of a template: what it says is what they say.
            _ => of_parts(texts(&words)),
        }),
        "order" => order(own)
            .map(|words| of_parts(vec![Part::Unsupported { kind: "order".to_owned(), text: Some(words) }])),
        "edit" => edited(own),
        "revoke" => id(own, "original_message_id").map(|message| Said::Deleted { message }),
        _ => None,
    };
    understood.unwrap_or_else(|| of_parts(vec![unknown(&kind, own)]))
}

fn of_parts(parts: Vec<Part>) -> Said {
    Said::Parts { parts, files: Vec::new() }
}

/// What Misy does not know keeps its name, and the words that it has.
fn unknown(kind: &str, own: &Value) -> Part {
    let named = text(own, "type").filter(|_| kind == "unsupported");
    let words = ["caption", "body", "text", "title", "name"].into_iter().find_map(|name| text(own, name));
    Part::Unsupported {
        kind: cut(&named.unwrap_or_else(|| kind.to_owned()), LONGEST_KIND),
        text: words.map(|words| cut(&words, LONGEST_TEXT)),
    }
}

/// A file lies with the vendor: the part says what it is until it was fetched.
fn file(kind: &str, ours: &'static str, own: &Value) -> Option<Said> {
    let caption = text(own, "caption").map(|caption| cut(&caption, LONGEST_CAPTION));
    let name = text(own, "filename").map(|name| cut(&name, 255));
    let file = VendorFile {
        part: 0,
        kind: ours,
        id: Some(id(own, "id")?),
        url: None,
        media_type: text(own, "mime_type").map(|kind| cut(&kind, 100)),
        name: name.clone(),
        caption: caption.clone(),
        sha256: text(own, "sha256").map(|hash| cut(&hash, 100)),
        is_voice_note: kind == "voice" || own.get("voice").and_then(Value::as_bool) == Some(true),
    };
    let part = Part::Unsupported { kind: kind.to_owned(), text: caption.or(name) };
    Some(Said::Parts { parts: vec![part], files: vec![file] })
}

fn location(own: &Value) -> Option<Part> {
    let degrees = |name: &str| {
        let value = own.get(name)?;
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
        Degrees::new(number)
    };
    let latitude = degrees("latitude").filter(|latitude| latitude.get().abs() <= 90.0)?;
    let line = |name: &str| text(own, name).map(|line| cut(&line, LONGEST_LINE));
    Some(Part::Location {
        latitude,
        longitude: degrees("longitude")?,
        name: line("name"),
        address: line("address"),
    })
}

fn people(message: &Value) -> Option<Vec<Part>> {
    let all: Vec<Part> =
        list(message, "contacts").iter().take(MOST_PARTS).map(person).map(Part::Contact).collect();
    (!all.is_empty()).then_some(all)
}

fn person(own: &Value) -> Person {
    let phones: Vec<String> = list(own, "phones")
        .iter()
        .filter_map(|phone| text(phone, "phone").or_else(|| text(phone, "wa_id").map(|id| format!("+{id}"))))
        .filter(|phone| is_phone(phone))
        .take(MOST_NUMBERS)
        .collect();
    let emails = list(own, "emails").iter().filter_map(|email| text(email, "email"));
    let emails: Vec<String> =
        emails.filter(|email| email.parse::<misy_domain::EmailAddress>().is_ok()).collect();
    let naming = own.get("name").unwrap_or(&Value::Null);
    let name = ["formatted_name", "first_name", "last_name"].into_iter().find_map(|name| text(naming, name));
    let organization = own.get("org").and_then(|org| text(org, "company"));
    Person {
        name: cut(&name.or_else(|| phones.first().cloned()).unwrap_or_else(|| "?".to_owned()), LONGEST_TITLE),
        organization: organization.map(|name| cut(&name, LONGEST_TITLE)),
        phones,
        emails: emails.into_iter().take(MOST_NUMBERS).collect(),
    }
}

/// As `message::check` has it: 5 to 15 digits and the marks between them.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let fits = |(at, letter): (usize, char)| {
        letter.is_ascii_digit() || " -.()/".contains(letter) || (letter == '+' && at == 0)
    };
    text.len() <= 40 && (5..=15).contains(&digits) && text.char_indices().all(fits)
}

/// One sign, which may be made of many.
fn emoji(text: String) -> Option<String> {
    (text.chars().count() <= 16).then_some(text)
}

fn interactive(own: &Value) -> Option<Said> {
    let kind = text(own, "type")?;
    let reply = own.get(kind.as_str())?;
    match kind.as_str() {
        "button_reply" | "list_reply" => {
            let title = text(reply, "title")?;
            Some(match id(reply, "id").filter(|id| pressed(id).is_some()) {
                Some(id) => Said::Pressed { id, title: cut(&title, LONGEST_TITLE) },
                // Of a message that Misy did not send: what it says is what they say.
                None => of_parts(texts(&title)),
            })
        }
        "nfm_reply" => {
            let words = text(reply, "body").map(|body| cut(&body, LONGEST_TEXT));
            Some(of_parts(vec![Part::Unsupported { kind: "form".to_owned(), text: words }]))
        }
        _ => Some(of_parts(vec![unknown(&cut(&kind, LONGEST_KIND), reply)])),
    }
}

fn order(own: &Value) -> Option<String> {
    let items: Vec<String> = list(own, "product_items")
        .iter()
        .take(100)
        .filter_map(|item| {
            let name = text(item, "product_retailer_id")?;
            let price = text(item, "item_price").zip(text(item, "currency"));
            let price = price.map(|(price, currency)| format!(", {price} {currency}")).unwrap_or_default();
            Some(format!("{} × {name}{price}", text(item, "quantity").unwrap_or_else(|| "1".to_owned())))
        })
        .collect();
    let words: Vec<String> = text(own, "text").into_iter().chain(items).collect();
    (!words.is_empty()).then(|| cut(&words.join("\n"), LONGEST_TEXT))
}

/// The new words of a message; those of other kinds are kept by their names.
fn edited(own: &Value) -> Option<Said> {
    let message = id(own, "original_message_id")?;
    let inner = own.get("message")?;
    // An edit of an edit would be no message.
    let is_content = !matches!(text(inner, "type").as_deref(), Some("edit" | "revoke" | "reaction"));
    match is_content.then(|| said(inner))? {
        Said::Parts { parts, .. } => Some(Said::Edited { message, parts }),
        _ => None,
    }
}
