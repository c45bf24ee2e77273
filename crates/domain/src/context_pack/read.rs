//! Reading JSON while collecting every mistake: a reader knows where it stands and writes what is wrong to one list.

use super::Invalid;
use serde_json::{Map, Value};
use std::cell::RefCell;

/// Mistakes that are told at once; whoever mends these is told the rest. A body full of mistakes must not become an answer
/// many times as long.
const MOST_MISTAKES: usize = 100;

/// The list of mistakes.
#[derive(Default)]
pub(super) struct Mistakes(RefCell<Vec<Invalid>>);

impl Mistakes {
    pub(super) fn into_inner(self) -> Vec<Invalid> {
        self.0.into_inner()
    }

    pub(super) fn add(&self, pointer: &str, code: &str, message: impl Into<String>) {
        let mut mistakes = self.0.borrow_mut();
        if mistakes.len() < MOST_MISTAKES {
            let (pointer, code) = (pointer.to_owned(), code.to_owned());
            mistakes.push(Invalid { pointer, code, message: message.into() });
        }
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) pointer: String,
    pub(super) mistakes: &'a Mistakes,
}

/// The fields of an object.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    pub(super) pointer: String,
    pub(super) mistakes: &'a Mistakes,
}

/// Escapes one step of a JSON pointer (RFC 6901).
fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

impl<'a> Node<'a> {
    pub(super) fn wrong(&self, code: &str, message: impl Into<String>) {
        self.mistakes.add(&self.pointer, code, message);
    }

    /// An object with no other than the known fields.
    pub(super) fn object(&self, known: &[&str]) -> Option<Fields<'a>> {
        let Some(map) = self.value.as_object() else {
            self.wrong("type", "must be an object");
            return None;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let pointer = format!("{}/{}", self.pointer, escape(key));
            let message = format!("is not a known field; known are {}", known.join(", "));
            self.mistakes.add(&pointer, "unknown", message);
        }
        Some(Fields { map, pointer: self.pointer.clone(), mistakes: self.mistakes })
    }

    /// The items of a list with at most so many; those past the limit are still checked.
    pub(super) fn list(&self, most: usize) -> Vec<Node<'a>> {
        let Some(items) = self.value.as_array() else {
            self.wrong("type", "must be a list");
            return Vec::new();
        };
        if items.len() > most {
            self.wrong("too_many", format!("must have at most {most} items, has {}", items.len()));
        }
        let node =
            |(at, value)| Node { value, pointer: format!("{}/{at}", self.pointer), mistakes: self.mistakes };
        items.iter().enumerate().map(node).collect()
    }

    /// Text with something in it, of at most so many characters, without characters that hide or reorder.
    pub(super) fn text(&self, most: usize) -> Option<String> {
        let Some(text) = self.value.as_str() else {
            self.wrong("type", "must be text");
            return None;
        };
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.wrong("required", "must not be empty");
        } else if length > most {
            self.wrong("too_long", format!("must have at most {most} characters, has {length}"));
        } else if text.chars().any(is_forbidden) {
            self.wrong("format", "must not have control, direction-changing or tag characters");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// Text that a function accepts.
    pub(super) fn parsed<T>(&self, most: usize, shape: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(most)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.wrong("format", format!("must be {shape}"));
        }
        parsed
    }

    /// A whole number in a range.
    pub(super) fn whole(&self, from: u32, to: u32) -> Option<u32> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) if (from..=to).contains(&number) => Some(number),
            _ if self.value.is_number() => {
                self.wrong("range", format!("must be a whole number from {from} to {to}"));
                None
            }
            _ => {
                self.wrong("type", "must be a number");
                None
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// A field if it stands there; `null` counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(Node { value, pointer: self.at(name), mistakes: self.mistakes })
    }

    /// A field that must stand there.
    pub(super) fn need(&self, name: &str) -> Option<Node<'a>> {
        let field = self.get(name);
        if field.is_none() {
            self.mistakes.add(&self.at(name), "required", "is required");
        }
        field
    }

    /// The items of a list that may be absent.
    pub(super) fn list(&self, name: &str, most: usize) -> Vec<Node<'a>> {
        self.get(name).map(|node| node.list(most)).unwrap_or_default()
    }

    /// A list of texts that may be absent.
    pub(super) fn texts(&self, name: &str, most: usize, longest: usize) -> Vec<String> {
        self.list(name, most).iter().filter_map(|node| node.text(longest)).collect()
    }

    /// Text that may be absent.
    pub(super) fn text(&self, name: &str, most: usize) -> Option<String> {
        self.get(name)?.text(most)
    }

    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }
}

/// Characters that would let text hide something: controls but line breaks and tabs, bidirectional overrides, tags.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{E0000}'..='\u{E007F}')
}
