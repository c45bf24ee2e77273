//! The pieces of messages.
//!
//! There are two readers. What comes from outside is read as a [`SentPart`]: a kind or member that is not known is a
//! mistake. What was stored is read as a [`Part`]: a newer version may have written it, so what is not understood becomes
//! [`Part::Unsupported`] with the words it has, and never stops a conversation from being read.

use super::Degrees;
use crate::{FileId, MessageId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[non_exhaustive]
pub enum Part {
    /// Text in a subset of Markdown: bold, italic, lists, links, code, line breaks.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image(Media),
    /// Sound, for example a voice note.
    Audio(Media),
    /// A film.
    Video(Media),
    /// Any other file.
    File(Media),
    /// A place.
    Location {
        /// North of the equator, from -90 to 90.
        latitude: Degrees,
        /// East of Greenwich, from -180 to 180.
        longitude: Degrees,
        /// What the place is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Somebody to get in touch with.
    Contact(Person),
    /// A text with buttons below.
    Buttons {
        /// The text.
        text: String,
        /// What can be pressed.
        buttons: Vec<Button>,
    },
    /// A text with a list to choose from.
    List {
        /// The text.
        text: String,
        /// What opens the list, where a channel shows it folded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        button: Option<String>,
        /// What can be chosen.
        sections: Vec<Section>,
    },
    /// A card.
    Card(Card),
    /// Cards side by side.
    Carousel {
        /// The text above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The cards.
        cards: Vec<Card>,
    },
    /// A text that a vendor has approved beforehand, with what is filled in.
    Template {
        /// Its name there.
        name: String,
        /// Its language there, for example `es_CO`.
        language: String,
        /// What is filled in, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parameters: Vec<String>,
        /// The whole text, for whoever reads it here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// Questions to be answered together.
    Form {
        /// Its id.
        form_id: String,
        /// What it is called.
        title: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The questions.
        fields: Vec<Field>,
    },
    /// What somebody thinks of a message, as one sign.
    Reaction {
        /// The message.
        message_id: MessageId,
        /// The sign; without one, it is taken back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emoji: Option<String>,
    },
    /// Something the platform says about the conversation.
    System {
        /// What happened, for example `handoff`.
        event: String,
        /// The same in words.
        text: String,
    },
    /// What a channel sent, or a newer version stored, and this version does not know.
    Unsupported {
        /// What it is called there.
        kind: String,
        /// What it says in words, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

/// A file within a message: one that was uploaded, or one that lies elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Media {
    /// The file that was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<FileId>,
    /// Where it lies elsewhere, over https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is, for example `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What is said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// What is to be seen in it, for whoever cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
}

/// Somebody to get in touch with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// The name.
    pub name: String,
    /// Where they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
}

/// What a choice stands for, within the context pack.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// `faq`, `service`, …
    pub kind: String,
    /// The id there.
    pub id: String,
}

/// A button: pressed, or a link to be followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Its id, unique within the message.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// What it stands for.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Where it leads, over https; such a button is not pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Items of a list under a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The items.
    pub items: Vec<Item>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id, unique within the message.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it stands for.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Card {
    /// The title.
    pub title: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Media>,
    /// Where it leads, over https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What can be pressed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its id, unique within the form.
    pub id: String,
    /// The question.
    pub label: String,
    /// What kind of answer.
    pub kind: FieldKind,
    /// Whether it must be answered.
    #[serde(default)]
    pub required: bool,
    /// Of a choice: what can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
}

/// What kind of answer a question of a form takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A number.
    Number,
    /// A day.
    Date,
    /// One of the options.
    Choice,
    /// An agreement, given or not.
    Consent,
}

/// What can be chosen in a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldOption {
    /// Its id, unique within the question.
    pub id: String,
    /// What it is called.
    pub title: String,
}

/// What a contact can press in a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'a> {
    /// Its id.
    pub id: &'a str,
    /// What stands on it.
    pub title: &'a str,
    /// What it stands for.
    pub reference: Option<&'a Reference>,
}

/// A part as somebody sends it: what is not known is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPart(pub Part);

impl<'de> Deserialize<'de> for SentPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Part::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self::deserialize(&value).unwrap_or_else(|_| Self::not_understood(&value)))
    }
}

impl Part {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// What it is called in JSON.
    pub fn kind(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::Image(_) => "image",
            Self::Audio(_) => "audio",
            Self::Video(_) => "video",
            Self::File(_) => "file",
            Self::Location { .. } => "location",
            Self::Contact(_) => "contact",
            Self::Buttons { .. } => "buttons",
            Self::List { .. } => "list",
            Self::Card(_) => "card",
            Self::Carousel { .. } => "carousel",
            Self::Template { .. } => "template",
            Self::Form { .. } => "form",
            Self::Reaction { .. } => "reaction",
            Self::System { .. } => "system",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// The file that it shows, if it is of such a kind.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Image(media) | Self::Audio(media) | Self::Video(media) | Self::File(media) => Some(media),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn media_mut(&mut self) -> Option<&mut Media> {
        match self {
            Self::Image(media) | Self::Audio(media) | Self::Video(media) | Self::File(media) => Some(media),
            _ => None,
        }
    }

    /// The part that shows a file: what kind it is follows from what the file is.
    pub fn of_media(media: Media) -> Self {
        match media.media_type.as_deref().and_then(|media_type| media_type.split_once('/')) {
            Some(("image", _)) => Self::Image(media),
            Some(("audio", _)) => Self::Audio(media),
            Some(("video", _)) => Self::Video(media),
            _ => Self::File(media),
        }
    }

    /// What it says in words; nothing where it has none.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Text { text }
            | Self::System { text, .. }
            | Self::Buttons { text, .. }
            | Self::List { text, .. } => vec![text],
            Self::Image(media) | Self::Audio(media) | Self::Video(media) | Self::File(media) => {
                media.caption.as_deref().or(media.alt.as_deref()).into_iter().collect()
            }
            Self::Location { name, address, .. } => {
                [name, address].into_iter().flatten().map(String::as_str).collect()
            }
            Self::Contact(person) => vec![&person.name],
            Self::Card(card) => card.words(),
            Self::Carousel { text, cards } => {
                text.as_deref().into_iter().chain(cards.iter().flat_map(Card::words)).collect()
            }
            Self::Form { title, text, .. } => {
                std::iter::once(title.as_str()).chain(text.as_deref()).collect()
            }
            Self::Template { text, .. } | Self::Unsupported { text, .. } => {
                text.as_deref().into_iter().collect()
            }
            Self::Reaction { emoji, .. } => emoji.as_deref().into_iter().collect(),
        }
    }

    /// What a contact can press.
    pub fn choices(&self) -> Vec<Choice<'_>> {
        match self {
            Self::Buttons { buttons, .. } => choices(buttons).collect(),
            Self::Card(card) => choices(&card.buttons).collect(),
            Self::Carousel { cards, .. } => cards.iter().flat_map(|card| choices(&card.buttons)).collect(),
            Self::List { sections, .. } => {
                let items = sections.iter().flat_map(|section| &section.items);
                items
                    .map(|item| Choice {
                        id: &item.id,
                        title: &item.title,
                        reference: item.reference.as_ref(),
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// What is left of a part that cannot be read: its kind, and the words that most kinds have.
    fn not_understood(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let words = ["text", "title", "caption", "fallback"].into_iter().find_map(text);
        Self::Unsupported { kind: text("type").unwrap_or_else(|| "unknown".to_owned()), text: words }
    }
}

impl Card {
    fn words(&self) -> Vec<&str> {
        std::iter::once(self.title.as_str()).chain(self.text.as_deref()).collect()
    }
}

fn choices(buttons: &[Button]) -> impl Iterator<Item = Choice<'_>> {
    let pressed = buttons.iter().filter(|button| button.url.is_none());
    pressed.map(|button| Choice {
        id: &button.id,
        title: &button.title,
        reference: button.reference.as_ref(),
    })
}
