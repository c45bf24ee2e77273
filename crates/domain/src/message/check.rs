//! What a message may hold: how much of what, from whom.

use super::{Button, Card, Field, FieldKind, Item, Media, Part, Person, Reference, Section};
use crate::context_pack::{Invalid, shape};
use std::collections::HashSet;

/// The longest text of a contact, in characters.
pub const LONGEST_TEXT: usize = 4_000;
/// The longest text of anybody else.
const LONGEST_REPLY: usize = 20_000;
/// Parts of one message.
pub const MOST_PARTS: usize = 10;

const MOST_MISTAKES: usize = 100;
const ID: usize = 128;
const TITLE: usize = 120;
const LINE: usize = 300;
const PARAGRAPH: usize = 2_000;
const URL: usize = 2_000;
const MOST_BUTTONS: usize = 10;
const MOST_SECTIONS: usize = 10;
const MOST_ITEMS: usize = 100;
const MOST_CARDS: usize = 10;
const MOST_FIELDS: usize = 30;
const MOST_NUMBERS: usize = 10;

/// Who wrote a message: a contact writes and shows, and offers nothing to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The contact, on any channel.
    Contact,
    /// An agent, a person of the tenant or the platform.
    Tenant,
}

/// Checks the parts of a message; `at` is the JSON pointer of their list. All mistakes are told, up to a hundred.
pub fn check(parts: &[Part], writer: Writer, at: &str) -> Result<(), Vec<Invalid>> {
    let mut mistakes = Mistakes(Vec::new());
    if parts.is_empty() {
        mistakes.add(at, "required", "must not be empty");
    }
    mistakes.count(at, parts.len(), MOST_PARTS);
    for (place, part) in parts.iter().enumerate().take(MOST_PARTS) {
        let at = format!("{at}/{place}");
        if writer == Writer::Contact && !is_of_contact(part) {
            let message = format!("a contact sends no part of the type {}", part.kind());
            mistakes.add(&format!("{at}/type"), "format", message);
            continue;
        }
        mistakes.part(&at, part, writer);
    }
    mistakes.unique(at, parts.iter().flat_map(Part::choices).map(|choice| choice.id));
    if mistakes.0.is_empty() { Ok(()) } else { Err(mistakes.0) }
}

fn is_of_contact(part: &Part) -> bool {
    match part {
        Part::Text { .. }
        | Part::Image(_)
        | Part::Audio(_)
        | Part::Video(_)
        | Part::File(_)
        | Part::Location { .. }
        | Part::Contact(_)
        | Part::Reaction { .. } => true,
        Part::Buttons { .. }
        | Part::List { .. }
        | Part::Card(_)
        | Part::Carousel { .. }
        | Part::Template { .. }
        | Part::Form { .. }
        | Part::System { .. }
        | Part::Unsupported { .. } => false,
    }
}

struct Mistakes(Vec<Invalid>);

impl Mistakes {
    fn add(&mut self, pointer: &str, code: &str, message: impl Into<String>) {
        if self.0.len() < MOST_MISTAKES {
            let (pointer, code) = (pointer.to_owned(), code.to_owned());
            self.0.push(Invalid { pointer, code, message: message.into() });
        }
    }

    fn count(&mut self, at: &str, items: usize, most: usize) {
        if items > most {
            self.add(at, "too_many", format!("must have at most {most} items"));
        }
    }

    fn some(&mut self, at: &str, items: usize, most: usize) {
        if items == 0 {
            self.add(at, "required", "must not be empty");
        }
        self.count(at, items, most);
    }

    /// A text that must be there.
    fn text(&mut self, at: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(at, "required", "must not be empty");
        } else if text.chars().count() > most {
            self.add(at, "too_long", format!("must have at most {most} characters"));
        } else if text.contains('\0') {
            self.add(at, "format", "must not have a NUL character");
        }
    }

    fn maybe(&mut self, at: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.text(at, text, most);
        }
    }

    fn link(&mut self, at: &str, url: Option<&String>) {
        if url.is_some_and(|url| url.len() > URL || shape::link(url).is_none()) {
            self.add(at, "format", "must be an address that begins with https://");
        }
    }

    fn unique<'a>(&mut self, at: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        for id in ids {
            if !seen.insert(id) {
                self.add(at, "duplicate", "must have no id twice");
                return;
            }
        }
    }

    fn part(&mut self, at: &str, part: &Part, writer: Writer) {
        let longest = if writer == Writer::Contact { LONGEST_TEXT } else { LONGEST_REPLY };
        let field = |name: &str| format!("{at}/{name}");
        match part {
            Part::Text { text } => self.text(&field("text"), text, longest),
            Part::Image(media) | Part::Audio(media) | Part::Video(media) | Part::File(media) => {
                self.media(at, media);
            }
            Part::Location { latitude, name, address, .. } => {
                if latitude.get().abs() > 90.0 {
                    self.add(&field("latitude"), "range", "must be from -90 to 90");
                }
                self.maybe(&field("name"), name.as_ref(), LINE);
                self.maybe(&field("address"), address.as_ref(), LINE);
            }
            Part::Contact(person) => self.person(at, person),
            Part::Buttons { text, buttons } => {
                self.text(&field("text"), text, longest);
                self.some(&field("buttons"), buttons.len(), MOST_BUTTONS);
                self.buttons(at, buttons);
            }
            Part::List { text, button, sections } => {
                self.text(&field("text"), text, longest);
                self.maybe(&field("button"), button.as_ref(), TITLE);
                self.some(&field("sections"), sections.len(), MOST_SECTIONS);
                for (place, section) in sections.iter().enumerate().take(MOST_SECTIONS) {
                    self.section(&format!("{at}/sections/{place}"), section);
                }
            }
            Part::Card(card) => self.card(at, card),
            Part::Carousel { text, cards } => {
                self.maybe(&field("text"), text.as_ref(), longest);
                self.some(&field("cards"), cards.len(), MOST_CARDS);
                for (place, card) in cards.iter().enumerate().take(MOST_CARDS) {
                    self.card(&format!("{at}/cards/{place}"), card);
                }
            }
            Part::Template { name, language, parameters, text } => {
                self.text(&field("name"), name, ID);
                self.text(&field("language"), language, 35);
                self.count(&field("parameters"), parameters.len(), MOST_FIELDS);
                for (place, parameter) in parameters.iter().enumerate().take(MOST_FIELDS) {
                    self.text(&format!("{at}/parameters/{place}"), parameter, PARAGRAPH);
                }
                self.maybe(&field("text"), text.as_ref(), longest);
            }
            Part::Form { form_id, title, text, fields } => {
                self.text(&field("formId"), form_id, ID);
                self.text(&field("title"), title, TITLE);
                self.maybe(&field("text"), text.as_ref(), PARAGRAPH);
                self.some(&field("fields"), fields.len(), MOST_FIELDS);
                for (place, one) in fields.iter().enumerate().take(MOST_FIELDS) {
                    self.field(&format!("{at}/fields/{place}"), one);
                }
                self.unique(&field("fields"), fields.iter().map(|one| &*one.id));
            }
            Part::Reaction { emoji, .. } => {
                // One sign may be made of many: a family of four has seven.
                self.maybe(&field("emoji"), emoji.as_ref(), 16);
            }
            Part::System { event, text } => {
                self.text(&field("event"), event, ID);
                self.text(&field("text"), text, PARAGRAPH);
            }
            Part::Unsupported { kind, text } => {
                self.text(&field("kind"), kind, ID);
                self.maybe(&field("text"), text.as_ref(), longest);
            }
        }
    }

    fn media(&mut self, at: &str, media: &Media) {
        let field = |name: &str| format!("{at}/{name}");
        if media.file_id.is_some() == media.url.is_some() {
            self.add(at, "required", "must have either fileId or url");
        }
        self.link(&field("url"), media.url.as_ref());
        if media.media_type.as_deref().is_some_and(|text| !is_media_type(text)) {
            self.add(&field("mediaType"), "format", "must be a media type such as image/png");
        }
        self.maybe(&field("name"), media.name.as_ref(), 255);
        self.maybe(&field("caption"), media.caption.as_ref(), PARAGRAPH);
        self.maybe(&field("alt"), media.alt.as_ref(), PARAGRAPH);
    }

    fn person(&mut self, at: &str, person: &Person) {
        self.text(&format!("{at}/name"), &person.name, TITLE);
        self.maybe(&format!("{at}/organization"), person.organization.as_ref(), TITLE);
        self.count(&format!("{at}/phones"), person.phones.len(), MOST_NUMBERS);
        self.count(&format!("{at}/emails"), person.emails.len(), MOST_NUMBERS);
        for (place, phone) in person.phones.iter().enumerate().take(MOST_NUMBERS) {
            if phone.len() > 40 || shape::phone(phone).is_none() {
                self.add(&format!("{at}/phones/{place}"), "format", "must be a telephone number");
            }
        }
        for (place, email) in person.emails.iter().enumerate().take(MOST_NUMBERS) {
            if email.len() > 254 || shape::email(email).is_none() {
                self.add(&format!("{at}/emails/{place}"), "format", "must be an e-mail address");
            }
        }
    }

    fn buttons(&mut self, at: &str, buttons: &[Button]) {
        for (place, button) in buttons.iter().enumerate().take(MOST_BUTTONS) {
            let at = format!("{at}/buttons/{place}");
            self.choice(&at, &button.id, &button.title, button.reference.as_ref());
            self.link(&format!("{at}/url"), button.url.as_ref());
        }
    }

    fn choice(&mut self, at: &str, id: &str, title: &str, reference: Option<&Reference>) {
        self.text(&format!("{at}/id"), id, ID);
        self.text(&format!("{at}/title"), title, TITLE);
        if let Some(reference) = reference {
            self.text(&format!("{at}/ref/kind"), &reference.kind, ID);
            self.text(&format!("{at}/ref/id"), &reference.id, ID);
        }
    }

    fn section(&mut self, at: &str, section: &Section) {
        self.maybe(&format!("{at}/title"), section.title.as_ref(), TITLE);
        self.some(&format!("{at}/items"), section.items.len(), MOST_ITEMS);
        for (place, item) in section.items.iter().enumerate().take(MOST_ITEMS) {
            let Item { id, title, description, reference } = item;
            let at = format!("{at}/items/{place}");
            self.choice(&at, id, title, reference.as_ref());
            self.maybe(&format!("{at}/description"), description.as_ref(), LINE);
        }
    }

    fn card(&mut self, at: &str, card: &Card) {
        self.text(&format!("{at}/title"), &card.title, TITLE);
        self.maybe(&format!("{at}/text"), card.text.as_ref(), PARAGRAPH);
        self.link(&format!("{at}/url"), card.url.as_ref());
        if let Some(image) = &card.image {
            self.media(&format!("{at}/image"), image);
        }
        self.count(&format!("{at}/buttons"), card.buttons.len(), MOST_BUTTONS);
        self.buttons(at, &card.buttons);
    }

    fn field(&mut self, at: &str, field: &Field) {
        self.text(&format!("{at}/id"), &field.id, ID);
        self.text(&format!("{at}/label"), &field.label, LINE);
        if (field.kind == FieldKind::Choice) == field.options.is_empty() {
            self.add(&format!("{at}/options"), "required", "belongs to a choice, and to nothing else");
        }
        self.count(&format!("{at}/options"), field.options.len(), MOST_ITEMS);
        for (place, option) in field.options.iter().enumerate().take(MOST_ITEMS) {
            self.text(&format!("{at}/options/{place}/id"), &option.id, ID);
            self.text(&format!("{at}/options/{place}/title"), &option.title, TITLE);
        }
        self.unique(&format!("{at}/options"), field.options.iter().map(|option| &*option.id));
    }
}

/// `type/subtype` without parameters (RFC 6838).
fn is_media_type(text: &str) -> bool {
    let name = |part: &str| {
        (1..=127).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, of_kind)| name(kind) && name(of_kind))
}
