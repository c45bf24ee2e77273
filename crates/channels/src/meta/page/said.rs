//! What a message says, kind by kind.

use crate::{
    Said,
    inbound::{VendorFile, pressed},
    meta::{cut, id, list, text, texts},
};
use misy_domain::{
    Part,
    message::{Degrees, LONGEST_TEXT, MOST_PARTS},
};
use serde_json::Value;

const LONGEST_TITLE: usize = 120;
const LONGEST_KIND: usize = 64;
const LONGEST_URL: usize = 2_000;

fn is(own: &Value, name: &str) -> bool {
    own.get(name).and_then(Value::as_bool) == Some(true)
}

fn of_parts(parts: Vec<Part>) -> Said {
    Said::Parts { parts, files: Vec::new() }
}

/// What Misy does not know keeps its name, and its words.
fn unknown(kind: &str, words: Option<String>) -> Part {
    Part::Unsupported { kind: cut(kind, LONGEST_KIND), text: words.map(|words| cut(&words, LONGEST_TEXT)) }
}

pub(super) fn message(own: &Value) -> Option<Said> {
    if is(own, "is_deleted") {
        return id(own, "mid").map(|message| Said::Deleted { message });
    }
    let words = text(own, "text");
    let payload = own.get("quick_reply").and_then(|reply| id(reply, "payload"));
    if let Some(id) = payload.filter(|id| pressed(id).is_some()) {
        return Some(Said::Pressed {
            id,
            title: cut(&words.unwrap_or_else(|| "?".to_owned()), LONGEST_TITLE),
        });
    }
    let mut parts = words.map(|words| texts(&words)).unwrap_or_default();
    let mut files = Vec::new();
    for attached in list(own, "attachments") {
        if parts.len() == MOST_PARTS {
            break;
        }
        let (part, file) = attachment(attached, parts.len());
        parts.push(part);
        files.extend(file);
    }
    if parts.is_empty() {
        let kind = if is(own, "is_unsupported") { "unsupported" } else { "unknown" };
        parts.push(unknown(kind, None));
    }
    Some(Said::Parts { parts, files })
}

/// A file lies with the vendor: the part says what it is until it was fetched.
fn attachment(attached: &Value, at: usize) -> (Part, Option<VendorFile>) {
    let kind = text(attached, "type").unwrap_or_else(|| "unknown".to_owned());
    let own = attached.get("payload").unwrap_or(&Value::Null);
    let words = text(own, "title").or_else(|| text(attached, "title"));
    if kind == "location"
        && let Some(place) = place(own, words.as_deref())
    {
        return (place, None);
    }
    let ours = match kind.as_str() {
        "image" => Some("image"),
        "video" => Some("video"),
        "audio" => Some("audio"),
        "file" => Some("file"),
        // A story is its owner's, and is not kept. What is shared may lie anywhere, and is not fetched.
        _ => None,
    };
    let url = text(own, "url").filter(|url| url.starts_with("https://") && url.len() <= LONGEST_URL);
    let file = ours.zip(url).map(|(kind, url)| VendorFile {
        part: at,
        kind,
        id: None,
        url: Some(url),
        media_type: None,
        name: None,
        caption: None,
        sha256: None,
        is_voice_note: false,
    });
    let kind = if id(own, "sticker_id").is_some() { "sticker" } else { kind.as_str() };
    (unknown(kind, words), file)
}

fn place(own: &Value, name: Option<&str>) -> Option<Part> {
    let coordinates = own.get("coordinates")?;
    let degrees = |name: &str| coordinates.get(name).and_then(Value::as_f64).and_then(Degrees::new);
    let latitude = degrees("lat").filter(|latitude| latitude.get().abs() <= 90.0)?;
    let name = name.map(|name| cut(name, LONGEST_TITLE));
    Some(Part::Location { latitude, longitude: degrees("long")?, name, address: None })
}

pub(super) fn edit(own: &Value) -> Option<Said> {
    let message = id(own, "mid")?;
    Some(Said::Edited { message, parts: texts(&text(own, "text")?) })
}

/// A button of a template, of the menu, or the one that begins a conversation.
pub(super) fn postback(own: &Value) -> Said {
    let payload = id(own, "payload");
    let title = text(own, "title");
    match payload.filter(|id| pressed(id).is_some()) {
        Some(id) => Said::Pressed { id, title: cut(&title.unwrap_or_else(|| "?".to_owned()), LONGEST_TITLE) },
        // Nothing of ours: what it says is what they say.
        None => match title {
            Some(title) => of_parts(texts(&title)),
            None => of_parts(vec![unknown("postback", None)]),
        },
    }
}

pub(super) fn reaction(own: &Value) -> Option<Said> {
    let to = id(own, "mid")?;
    let is_taken_away = text(own, "action").as_deref() == Some("unreact");
    let sign = text(own, "emoji").or_else(|| text(own, "reaction").and_then(|name| sign(&name)));
    // One sign, which may be made of many.
    let sign = sign.filter(|sign| !is_taken_away && sign.chars().count() <= 16);
    Some(Said::Reaction { to, emoji: sign })
}

fn sign(name: &str) -> Option<String> {
    let sign = match name {
        "love" => "❤️",
        "like" => "👍",
        "laugh" => "😆",
        "wow" => "😮",
        "sad" => "😢",
        "angry" => "😠",
        _ => return None,
    };
    Some(sign.to_owned())
}

/// They came by a link or an advertisement: what it was stands beside the words.
pub(super) fn referral(own: &Value) -> Said {
    of_parts(vec![unknown("referral", text(own, "ref"))])
}
