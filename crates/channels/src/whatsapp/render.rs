//! Messages as the vendor shows them.

use super::choices::{self, Shown};
use crate::{
    Attached, Change, Piece, Rendered, Rendering,
    text::{Marks, Measure, shortened, split, written_with},
};
use misy_domain::{
    Part,
    message::{Button, Card, Choice, Field, Media, Person, Section},
};
use serde_json::{Value, json};

const LONGEST_TEXT: usize = 4_096;
const LONGEST_CAPTION: usize = 1_024;
const LONGEST_LABEL: usize = 20;
/// What opens a list that says nothing of its own.
const OPENER: &str = "⋯";

const MARKS: Marks = Marks { bold: "*", italic: "_", struck: "~", code: "`", block: "```" };

/// What tells the vendor that a message was read; with `is_typing`, also that an answer is being written, for 25 seconds at most.
pub fn read_mark(message: &str, is_typing: bool) -> Value {
    let mut mark = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": message });
    if is_typing {
        mark["typing_indicator"] = json!({ "type": "text" });
    }
    mark
}

pub(super) fn render(message: &Rendering<'_>) -> Rendered {
    let mut paper = Paper { message, part: 0, rendered: Rendered::default() };
    for (at, part) in message.parts.iter().enumerate() {
        paper.part = at;
        paper.show(part);
    }
    let mut rendered = paper.rendered;
    let quoted = message.quotes.and_then(|id| message.vendor_ids.get(&id));
    if let (Some(quoted), Some(first)) = (quoted, rendered.pieces.first_mut())
        && first.kind != "reaction"
    {
        first.quotes = Some(quoted.clone());
    }
    rendered
}

struct Paper<'a> {
    message: &'a Rendering<'a>,
    part: usize,
    rendered: Rendered,
}

impl Paper<'_> {
    fn changed(&mut self, done: &'static str) {
        self.rendered.changes.push(Change { part: self.part, done });
    }

    fn piece(&mut self, kind: &'static str, body: Value) {
        self.rendered.pieces.push(Piece { kind, body, quotes: None });
    }

    fn text(&mut self, text: &str) {
        self.plain(&written_with(text, &MARKS));
    }

    fn plain(&mut self, text: &str) {
        let pieces = split(text, LONGEST_TEXT, Measure::Utf16);
        if pieces.len() > 1 {
            self.changed("cut into several");
        }
        for piece in pieces {
            let mut body = json!({ "body": piece });
            if piece.contains("https://") {
                body["preview_url"] = json!(true);
            }
            self.piece("text", body);
        }
    }

    fn show(&mut self, part: &Part) {
        match part {
            Part::Text { text } | Part::System { text, .. } => self.text(text),
            Part::Image(media) => self.media("image", media),
            Part::Audio(media) => self.media("audio", media),
            Part::Video(media) => self.media("video", media),
            Part::File(media) => self.media("document", media),
            Part::Location { latitude, longitude, name, address } => {
                let mut body = json!({ "latitude": latitude.get().to_string(), "longitude": longitude.get().to_string() });
                for (key, value) in [("name", name), ("address", address)] {
                    if let Some(value) = value {
                        body[key] = json!(value);
                    }
                }
                self.piece("location", body);
            }
            Part::Contact(person) => self.piece("contacts", json!([contact(person)])),
            Part::Buttons { text, buttons } => self.buttons(text, buttons),
            Part::List { text, button, sections } => {
                self.choices(text, &options(sections), button.as_deref().unwrap_or(OPENER));
            }
            Part::Card(card) => self.card(card),
            Part::Carousel { text, cards } => {
                self.changed("cards one below the other");
                if let Some(text) = text {
                    self.text(text);
                }
                for card in cards {
                    self.card(card);
                }
            }
            Part::Template { name, language, parameters, .. } => self.template(name, language, parameters),
            Part::Form { title, text, fields, .. } => {
                self.changed("a form as a text");
                self.text(&form(title, text.as_deref(), fields));
            }
            Part::Reaction { message_id, emoji } => match self.message.vendor_ids.get(message_id) {
                Some(id) => {
                    let body = json!({ "message_id": id, "emoji": emoji.clone().unwrap_or_default() });
                    self.piece("reaction", body);
                }
                None => self.changed("left out: the message is not known to the vendor"),
            },
            other => match other.words().join("\n") {
                words if words.trim().is_empty() => self.changed("left out: it has no words"),
                words => {
                    self.changed("its words alone");
                    self.text(&words);
                }
            },
        }
    }

    fn media(&mut self, kind: &'static str, media: &Media) {
        let attached = media.file_id.and_then(|id| self.message.files.get(&id).cloned());
        let attached = attached.or_else(|| media.url.clone().map(Attached::Link));
        let words = media.caption.as_deref().or(media.alt.as_deref());
        let Some(attached) = attached else {
            self.changed("its words alone: the file cannot be fetched");
            if let Some(words) = words.or(media.name.as_deref()) {
                self.text(words);
            }
            return;
        };
        let mut body = match attached {
            Attached::Link(url) => json!({ "link": url }),
            Attached::Id(id) => json!({ "id": id }),
        };
        if let Some(name) = media.name.as_deref().filter(|_| kind == "document") {
            body["filename"] = json!(name);
        }
        let caption = words.map(|words| written_with(words, &MARKS)).filter(|words| !words.trim().is_empty());
        let fits = kind != "audio"
            && caption.as_deref().is_some_and(|words| Measure::Utf16.of(words) <= LONGEST_CAPTION);
        if fits {
            body["caption"] = json!(caption);
            self.piece(kind, body);
            return;
        }
        self.piece(kind, body);
        if let Some(caption) = caption {
            self.changed("the caption as a text of its own");
            self.plain(&caption);
        }
    }

    fn buttons(&mut self, text: &str, buttons: &[Button]) {
        let (links, pressed): (Vec<&Button>, Vec<&Button>) =
            buttons.iter().partition(|button| button.url.is_some());
        if let ([link], []) = (&links[..], &pressed[..])
            && let Some(url) = &link.url
            && Measure::Utf16.of(link.title.trim()) <= LONGEST_LABEL
        {
            let parameters = json!({ "display_text": link.title.trim(), "url": url });
            let action = json!({ "name": "cta_url", "parameters": parameters });
            self.interactive(text, json!({ "type": "cta_url", "action": action }));
            return;
        }
        let addresses =
            links.iter().filter_map(|link| Some(format!("{}: {}", link.title, link.url.as_ref()?)));
        let above: Vec<String> = std::iter::once(text.to_owned()).chain(addresses).collect();
        if !links.is_empty() {
            self.changed("links as text");
        }
        let options: Vec<_> = pressed.iter().map(|button| option(button)).collect();
        self.choices(&above.join("\n"), &options, OPENER);
    }

    fn choices(&mut self, text: &str, options: &[choices::Offer<'_>], opener: &str) {
        if options.is_empty() {
            self.text(text);
            return;
        }
        match choices::shown(self.message.message_id, options, opener) {
            Shown::Interactive(interactive) => {
                if interactive["type"] == "list" && options.iter().any(|one| is_shortened(one)) {
                    self.changed("titles cut short");
                }
                self.interactive(text, interactive);
            }
            Shown::Numbered(lines) => {
                self.changed("choices as numbers in a text");
                self.text(&format!("{text}\n\n{lines}"));
            }
        }
    }

    /// What can be pressed comes last, below as much of the text as fits there.
    fn interactive(&mut self, text: &str, mut interactive: Value) {
        let mut pieces = split(&written_with(text, &MARKS), choices::LONGEST_BODY, Measure::Utf16);
        let body = pieces.pop().unwrap_or_else(|| OPENER.to_owned());
        if !pieces.is_empty() {
            self.changed("cut into several");
        }
        for piece in pieces {
            self.piece("text", json!({ "body": piece }));
        }
        interactive["body"] = json!({ "text": body });
        self.piece("interactive", interactive);
    }

    fn card(&mut self, card: &Card) {
        if let Some(image) = &card.image {
            self.media("image", image);
        }
        let title = format!("**{}**", card.title);
        let lines = [Some(title.as_str()), card.text.as_deref(), card.url.as_deref()];
        let text: Vec<&str> = lines.into_iter().flatten().collect();
        self.buttons(&text.join("\n"), &card.buttons);
    }

    fn template(&mut self, name: &str, language: &str, parameters: &[String]) {
        let mut body = json!({ "name": name, "language": { "code": language } });
        if !parameters.is_empty() {
            // The vendor refuses line breaks within a parameter.
            let line = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let all: Vec<Value> =
                parameters.iter().map(|text| json!({ "type": "text", "text": line(text) })).collect();
            body["components"] = json!([{ "type": "body", "parameters": all }]);
        }
        self.piece("template", body);
    }
}

fn option(button: &Button) -> choices::Offer<'_> {
    let choice = Choice { id: &button.id, title: &button.title, reference: button.reference.as_ref() };
    choices::Offer { choice, description: None, section: None }
}

fn options(sections: &[Section]) -> Vec<choices::Offer<'_>> {
    let each = sections.iter().flat_map(|section| section.items.iter().map(move |item| (section, item)));
    each.map(|(section, item)| choices::Offer {
        choice: Choice { id: &item.id, title: &item.title, reference: item.reference.as_ref() },
        description: item.description.as_deref(),
        section: section.title.as_deref(),
    })
    .collect()
}

fn is_shortened(one: &choices::Offer<'_>) -> bool {
    let is_long = |text: &str, most| shortened(text, most, Measure::Utf16) != text.trim();
    is_long(one.choice.title, choices::ROW_TITLE)
        || one.description.is_some_and(|text| is_long(text, choices::ROW_DESCRIPTION))
}

fn contact(person: &Person) -> Value {
    let mut contact = json!({ "name": { "formatted_name": person.name, "first_name": person.name } });
    if !person.phones.is_empty() {
        contact["phones"] = person.phones.iter().map(|phone| json!({ "phone": phone })).collect();
    }
    if !person.emails.is_empty() {
        contact["emails"] = person.emails.iter().map(|email| json!({ "email": email })).collect();
    }
    if let Some(company) = &person.organization {
        contact["org"] = json!({ "company": company });
    }
    contact
}

fn form(title: &str, text: Option<&str>, fields: &[Field]) -> String {
    let mut lines = vec![format!("**{title}**")];
    lines.extend(text.map(str::to_owned));
    lines.extend(fields.iter().enumerate().map(|(at, field)| {
        let options: Vec<&str> = field.options.iter().map(|option| &*option.title).collect();
        let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
        format!("{}. {}{options}", at + 1, field.label)
    }));
    lines.join("\n")
}
