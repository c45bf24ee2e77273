//! Messages as Messenger and Instagram show them.

use super::{MESSAGE, REACTION, Traits};
use crate::{
    Attached, Change, Piece, Rendered, Rendering,
    text::{Marks, Measure, shortened, split, written_with},
};
use misy_domain::{
    MessageId, Part,
    message::{Button, Card, Choice, Field, Item, Media, Person, Section},
};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Neither shows marks.
const MARKS: Marks = Marks { bold: "", italic: "", struck: "", code: "", block: "" };

const MOST_QUICK_REPLIES: usize = 13;
const MOST_BUTTONS: usize = 3;
const MOST_CARDS: usize = 10;
/// The title of a button and of a quick reply.
const LONGEST_LABEL: usize = 20;
/// The title and the text of a card.
const LONGEST_LINE: usize = 80;
/// The text above buttons.
const LONGEST_ABOVE: usize = 640;
const LONGEST_PAYLOAD: usize = 1_000;
/// What stands above choices that say nothing of their own.
const OPENER: &str = "⋯";

pub(crate) fn render(traits: &Traits, message: &Rendering<'_>) -> Rendered {
    let mut paper = Paper { traits, message, part: 0, rendered: Rendered::default() };
    for (at, part) in message.parts.iter().enumerate() {
        paper.part = at;
        paper.show(part);
    }
    let mut rendered = paper.rendered;
    let quoted = message.quotes.and_then(|id| message.vendor_ids.get(&id));
    if let (Some(quoted), Some(first)) = (quoted, rendered.pieces.first_mut())
        && first.kind == MESSAGE
    {
        first.quotes = Some(quoted.clone());
    }
    rendered
}

struct Paper<'a> {
    traits: &'a Traits,
    message: &'a Rendering<'a>,
    part: usize,
    rendered: Rendered,
}

impl Paper<'_> {
    fn changed(&mut self, done: &'static str) {
        self.rendered.changes.push(Change { part: self.part, done });
    }

    fn piece(&mut self, body: Value) {
        self.rendered.pieces.push(Piece { kind: MESSAGE, body, quotes: None });
    }

    /// A text in pieces, the last of which is left to the caller; none if it says nothing.
    fn above(&mut self, text: &str, (most, measure): (usize, Measure)) -> Option<String> {
        let mut pieces = split(&written_with(text, &MARKS), most, measure);
        let last = pieces.pop();
        if !pieces.is_empty() {
            self.changed("cut into several");
        }
        // What stands before it is a text of its own, which may be measured in another way.
        let (most, measure) = self.traits.longest_text;
        for text in pieces.iter().flat_map(|piece| split(piece, most, measure)) {
            self.piece(json!({ "text": text }));
        }
        last
    }

    fn text(&mut self, text: &str) {
        if let Some(last) = self.above(text, self.traits.longest_text) {
            self.piece(json!({ "text": last }));
        }
    }

    fn template(&mut self, payload: &Value) {
        self.piece(json!({ "attachment": { "type": "template", "payload": payload } }));
    }

    fn show(&mut self, part: &Part) {
        match part {
            Part::Text { text } | Part::System { text, .. } => self.text(text),
            Part::Image(media) => self.media("image", media),
            Part::Audio(media) => self.media("audio", media),
            Part::Video(media) => self.media("video", media),
            Part::File(media) => self.media("file", media),
            Part::Location { latitude, longitude, name, address } => {
                self.changed("a place as a link");
                let link = format!("https://maps.google.com/?q={},{}", latitude.get(), longitude.get());
                let lines = [name.as_deref(), address.as_deref(), Some(&link)];
                self.text(&lines.into_iter().flatten().collect::<Vec<_>>().join("\n"));
            }
            Part::Contact(person) => {
                self.changed("a contact as a text");
                self.text(&contact(person));
            }
            Part::Buttons { text, buttons } => self.buttons(text, buttons),
            Part::List { text, sections, .. } => self.list(text, sections),
            Part::Card(card) => self.cards(std::slice::from_ref(card)),
            Part::Carousel { text, cards } => {
                if let Some(text) = text {
                    self.text(text);
                }
                self.cards(cards);
            }
            Part::Form { title, text, fields, .. } => {
                self.changed("a form as a text");
                self.text(&form(title, text.as_deref(), fields));
            }
            Part::Reaction { message_id, emoji } => match self.message.vendor_ids.get(message_id) {
                Some(id) => {
                    let mut body = json!({ "message_id": id });
                    if let Some(emoji) = emoji {
                        body["reaction"] = json!(emoji);
                    }
                    self.rendered.pieces.push(Piece { kind: REACTION, body, quotes: None });
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

    /// A file, and below it what is said about it.
    fn media(&mut self, kind: &'static str, media: &Media) {
        let words = media.caption.as_deref().or(media.alt.as_deref());
        let is_shown = media.media_type.as_deref().is_none_or(|of| (self.traits.shows)(kind, of));
        let attached = media.file_id.and_then(|id| self.message.files.get(&id).cloned());
        let attached = attached.or_else(|| media.url.clone().map(Attached::Link));
        let payload = match attached {
            Some(Attached::Link(url)) if is_shown => json!({ "url": url, "is_reusable": false }),
            Some(Attached::Id(id)) if is_shown => json!({ "attachment_id": id }),
            Some(Attached::Link(url)) => {
                self.changed("a link: the channel does not show such a file");
                let lines = [words.or(media.name.as_deref()), Some(&url)];
                self.text(&lines.into_iter().flatten().collect::<Vec<_>>().join("\n"));
                return;
            }
            _ => {
                self.changed("its words alone: the file cannot be fetched");
                if let Some(words) = words.or(media.name.as_deref()) {
                    self.text(words);
                }
                return;
            }
        };
        self.piece(json!({ "attachment": { "type": kind, "payload": payload } }));
        if let Some(words) = words {
            self.text(words);
        }
    }

    fn buttons(&mut self, text: &str, buttons: &[Button]) {
        let has_link = buttons.iter().any(|button| button.url.is_some());
        if has_link && buttons.len() <= MOST_BUTTONS && buttons.iter().all(|one| self.fits(one)) {
            let shown: Vec<Value> = buttons.iter().map(|button| self.button(button)).collect();
            let above =
                self.above(text, (LONGEST_ABOVE, Measure::Utf16)).unwrap_or_else(|| OPENER.to_owned());
            self.template(&json!({ "template_type": "button", "text": above, "buttons": shown }));
            return;
        }
        let links =
            buttons.iter().filter_map(|button| Some(format!("{}: {}", button.title, button.url.as_ref()?)));
        let said: Vec<String> = std::iter::once(text.to_owned()).chain(links).collect();
        if has_link {
            self.changed("links as text");
        }
        let pressed = buttons.iter().filter(|button| button.url.is_none());
        let all: Vec<Choice<'_>> = pressed
            .map(|one| Choice { id: &one.id, title: &one.title, reference: one.reference.as_ref() })
            .collect();
        self.choices(&said.join("\n"), &all);
    }

    /// What is said about the items stands above them.
    fn list(&mut self, text: &str, sections: &[Section]) {
        let items: Vec<&Item> = sections.iter().flat_map(|section| &section.items).collect();
        let all: Vec<Choice<'_>> = items
            .iter()
            .map(|one| Choice { id: &one.id, title: &one.title, reference: one.reference.as_ref() })
            .collect();
        let titled = sections.iter().any(|section| section.title.is_some());
        if !titled && items.iter().all(|item| item.description.is_none()) {
            self.choices(text, &all);
            return;
        }
        let mut lines = vec![text.to_owned()];
        for section in sections {
            lines.extend(section.title.as_ref().map(|title| format!("\n{title}")));
            lines.extend(section.items.iter().map(|item| match &item.description {
                Some(more) => format!("- {}: {more}", item.title),
                None => format!("- {}", item.title),
            }));
        }
        self.changed("a list as a text with choices below");
        self.choices(&lines.join("\n"), &all);
    }

    /// Quick replies below a text; numbers in the text where there are too many, or they would look the same.
    fn choices(&mut self, text: &str, all: &[Choice<'_>]) {
        if all.is_empty() {
            self.text(text);
            return;
        }
        let title = |one: &Choice<'_>| shortened(one.title, LONGEST_LABEL, Measure::Utf16);
        let titles: HashSet<String> = all.iter().map(title).collect();
        let fits = all.len() <= MOST_QUICK_REPLIES
            && titles.len() == all.len()
            && all.iter().all(|one| self.payload(one.id).len() <= LONGEST_PAYLOAD);
        if !fits {
            self.changed("choices as numbers in a text");
            let lines: Vec<String> =
                all.iter().enumerate().map(|(at, one)| format!("{}. {}", at + 1, one.title)).collect();
            self.text(&format!("{text}\n\n{}", lines.join("\n")));
            return;
        }
        if all.iter().any(|one| title(one) != one.title.trim()) {
            self.changed("titles cut short");
        }
        let replies: Vec<Value> = all
            .iter()
            .map(
                |one| json!({ "content_type": "text", "title": title(one), "payload": self.payload(one.id) }),
            )
            .collect();
        let last = self.above(text, self.traits.longest_text).unwrap_or_else(|| OPENER.to_owned());
        self.piece(json!({ "text": last, "quick_replies": replies }));
    }

    /// What is pressed brings back the message that it stood in.
    fn payload(&self, id: &str) -> String {
        let message: MessageId = self.message.message_id;
        format!("{message}/{id}")
    }

    fn fits(&self, button: &Button) -> bool {
        Measure::Utf16.of(button.title.trim()) <= LONGEST_LABEL
            && self.payload(&button.id).len() <= LONGEST_PAYLOAD
    }

    fn button(&self, button: &Button) -> Value {
        match &button.url {
            Some(url) => json!({ "type": "web_url", "title": button.title.trim(), "url": url }),
            None => {
                json!({ "type": "postback", "title": button.title.trim(), "payload": self.payload(&button.id) })
            }
        }
    }

    /// Cards side by side where all of them can be shown so, else one below the other.
    fn cards(&mut self, cards: &[Card]) {
        if !cards.is_empty() && cards.len() <= MOST_CARDS && cards.iter().all(|card| self.is_card(card)) {
            let elements: Vec<Value> = cards.iter().map(|card| self.element(card)).collect();
            self.template(&json!({ "template_type": "generic", "elements": elements }));
            return;
        }
        self.changed("cards as texts");
        for card in cards {
            if let Some(image) = &card.image {
                self.media("image", image);
            }
            let lines = [Some(card.title.as_str()), card.text.as_deref(), card.url.as_deref()];
            let text: Vec<&str> = lines.into_iter().flatten().collect();
            self.buttons(&text.join("\n"), &card.buttons);
        }
    }

    /// Whether a card fits whole. One that has a title alone is refused.
    fn is_card(&self, card: &Card) -> bool {
        let is_short = |text: &str| Measure::Utf16.of(text.trim()) <= LONGEST_LINE;
        let image = card.image.as_ref().map(|image| self.picture(image));
        is_short(&card.title)
            && card.text.as_deref().is_none_or(is_short)
            && image.as_ref().is_none_or(Option::is_some)
            && (card.text.is_some() || image.is_some() || !card.buttons.is_empty())
            && card.buttons.len() <= MOST_BUTTONS
            && card.buttons.iter().all(|button| self.fits(button))
    }

    fn picture(&self, image: &Media) -> Option<String> {
        match image.file_id.and_then(|id| self.message.files.get(&id)) {
            Some(Attached::Link(url)) => Some(url.clone()),
            _ => image.url.clone(),
        }
    }

    fn element(&self, card: &Card) -> Value {
        let mut element = json!({ "title": card.title.trim() });
        if let Some(text) = &card.text {
            element["subtitle"] = json!(written_with(text.trim(), &MARKS));
        }
        if let Some(url) = card.image.as_ref().and_then(|image| self.picture(image)) {
            element["image_url"] = json!(url);
        }
        if let Some(url) = &card.url {
            element["default_action"] = json!({ "type": "web_url", "url": url });
        }
        if !card.buttons.is_empty() {
            element["buttons"] = card.buttons.iter().map(|button| self.button(button)).collect();
        }
        element
    }
}

fn contact(person: &Person) -> String {
    let mut lines = vec![person.name.clone()];
    lines.extend(person.organization.clone());
    lines.extend(person.phones.iter().chain(&person.emails).cloned());
    lines.join("\n")
}

fn form(title: &str, text: Option<&str>, fields: &[Field]) -> String {
    let mut lines = vec![title.to_owned()];
    lines.extend(text.map(str::to_owned));
    lines.extend(fields.iter().enumerate().map(|(at, field)| {
        let options: Vec<&str> = field.options.iter().map(|option| &*option.title).collect();
        let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
        format!("{}. {}{options}", at + 1, field.label)
    }));
    lines.join("\n")
}
