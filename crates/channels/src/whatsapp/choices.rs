//! Choices as the vendor shows them: up to three buttons, else a list of up to ten rows, else numbers in a text.

use crate::text::{Measure, shortened};
use misy_domain::{MessageId, message::Choice};
use serde_json::{Value, json};
use std::collections::HashSet;

pub(super) const MOST_BUTTONS: usize = 3;
pub(super) const BUTTON_TITLE: usize = 20;
pub(super) const MOST_ROWS: usize = 10;
pub(super) const ROW_TITLE: usize = 24;
pub(super) const ROW_DESCRIPTION: usize = 72;
pub(super) const MOST_ID: usize = 200;
/// For lists the vendor documents 4,096 and checks less in places.
pub(super) const LONGEST_BODY: usize = 1_024;

/// Something to choose, under the title of its section.
pub(super) struct Offer<'a> {
    pub(super) choice: Choice<'a>,
    pub(super) description: Option<&'a str>,
    pub(super) section: Option<&'a str>,
}

/// How choices can be shown.
pub(super) enum Shown {
    /// As `interactive` without its body.
    Interactive(Value),
    /// As lines below the text.
    Numbered(String),
}

fn id(message: MessageId, choice: &Choice<'_>) -> String {
    format!("{message}/{}", choice.id)
}

pub(super) fn shown(message: MessageId, options: &[Offer<'_>], opener: &str) -> Shown {
    let length = |text: &str| Measure::Utf16.of(text.trim());
    let titles: HashSet<&str> = options.iter().map(|one| one.choice.title.trim()).collect();
    let has_short_ids = options.iter().all(|one| id(message, &one.choice).len() <= MOST_ID);
    let are_buttons = options.len() <= MOST_BUTTONS
        && titles.len() == options.len()
        && options.iter().all(|one| length(one.choice.title) <= BUTTON_TITLE && one.description.is_none());
    let is_row = |one: &Offer<'_>| {
        let title = length(one.choice.title);
        title <= ROW_TITLE || (one.description.is_none() && title <= ROW_DESCRIPTION)
    };
    if !has_short_ids || options.is_empty() {
        return Shown::Numbered(numbered(options));
    }
    if are_buttons {
        let buttons: Vec<Value> = options
            .iter()
            .map(|one| {
                json!({ "type": "reply", "reply": { "id": id(message, &one.choice), "title": one.choice.title.trim() } })
            })
            .collect();
        return Shown::Interactive(json!({ "type": "button", "action": { "buttons": buttons } }));
    }
    if options.len() <= MOST_ROWS && options.iter().all(is_row) {
        let action = json!({ "button": shortened(opener, BUTTON_TITLE, Measure::Utf16), "sections": sections(message, options) });
        return Shown::Interactive(json!({ "type": "list", "action": action }));
    }
    Shown::Numbered(numbered(options))
}

fn sections(message: MessageId, options: &[Offer<'_>]) -> Vec<Value> {
    let mut sections: Vec<(Option<&str>, Vec<Value>)> = Vec::new();
    for one in options {
        let row = row(message, one);
        match sections.last_mut() {
            Some((title, rows)) if *title == one.section => rows.push(row),
            _ => sections.push((one.section, vec![row])),
        }
    }
    let is_one = sections.len() == 1;
    let named = sections.into_iter().enumerate().map(|(at, (title, rows))| {
        let title =
            title.map(|title| shortened(title, ROW_TITLE, Measure::Utf16)).filter(|title| !title.is_empty());
        // Where there are several, each must have a title.
        match title.or_else(|| (!is_one).then(|| (at + 1).to_string())) {
            Some(title) => json!({ "title": title, "rows": rows }),
            None => json!({ "rows": rows }),
        }
    });
    named.collect()
}

fn row(message: MessageId, one: &Offer<'_>) -> Value {
    let title = shortened(one.choice.title, ROW_TITLE, Measure::Utf16);
    let whole = (title != one.choice.title.trim()).then_some(one.choice.title);
    let mut row = json!({ "id": id(message, &one.choice), "title": title });
    if let Some(description) = one.description.or(whole).filter(|text| !text.trim().is_empty()) {
        row["description"] = json!(shortened(description, ROW_DESCRIPTION, Measure::Utf16));
    }
    row
}

fn numbered(options: &[Offer<'_>]) -> String {
    let lines: Vec<String> = options
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let more = one.description.map(|more| format!(" – {more}")).unwrap_or_default();
            format!("{}. {}{more}", at + 1, one.choice.title)
        })
        .collect();
    lines.join("\n")
}
