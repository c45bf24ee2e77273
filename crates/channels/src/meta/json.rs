//! Reads what vendors send without trusting its shape.

use misy_domain::{
    Part, Timestamp,
    message::{LONGEST_TEXT, MOST_PARTS},
};
use serde_json::{Map, Value};

/// The vendor puts at most 1,000 into a body; what is more is nobody's honest body.
pub(crate) const MOST_EVENTS: usize = 4_000;
/// The longest id that is believed to be one.
const LONGEST_ID: usize = 256;
/// The longest that is kept beside the words of a message.
const LONGEST_METADATA: usize = 4_096;

/// From here on a number is one of milliseconds.
const FIRST_MILLISECONDS: i64 = 1_000_000_000_000;

/// A list, or nothing.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that says something, also where a number stands. NUL, which the database cannot keep, is left out.
pub(crate) fn text(value: &Value, name: &str) -> Option<String> {
    let text = match value.get(name)? {
        Value::String(text) => text.replace('\0', ""),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// An id of the vendor: short, and without blanks.
pub(crate) fn id(value: &Value, name: &str) -> Option<String> {
    text(value, name).filter(|id| {
        id.len() <= LONGEST_ID && id.chars().all(|letter| !letter.is_whitespace() && !letter.is_control())
    })
}

/// The start of a text.
pub(crate) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The vendor's texts may be longer than what a part takes: they are several parts then.
pub(crate) fn texts(text: &str) -> Vec<Part> {
    let letters: Vec<char> = text.chars().collect();
    let pieces = letters.chunks(LONGEST_TEXT).map(|piece| piece.iter().collect::<String>());
    pieces.filter(|piece| !piece.trim().is_empty()).take(MOST_PARTS).map(Part::text).collect()
}

/// What is kept beside the words of a message, if it is something and small.
pub(crate) fn kept(all: Map<String, Value>) -> Option<Value> {
    let kept = without_nul(Value::Object(all));
    let is_some = kept.as_object().is_some_and(|kept| !kept.is_empty());
    (is_some && kept.to_string().len() <= LONGEST_METADATA).then_some(kept)
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(all) => Value::Array(all.into_iter().map(without_nul).collect()),
        Value::Object(all) => {
            all.into_iter().map(|(name, value)| (name.replace('\0', ""), without_nul(value))).collect()
        }
        other => other,
    }
}

/// Whether a value goes no deeper than so many levels.
pub(crate) fn is_within(value: &Value, levels: usize) -> bool {
    let within = |value: &Value| levels > 0 && is_within(value, levels - 1);
    match value {
        Value::Array(all) => all.iter().all(within),
        Value::Object(all) => all.values().all(within),
        _ => true,
    }
}

/// A whole number, also where it stands as a text.
pub(crate) fn number(value: &Value, name: &str) -> Option<i64> {
    match value.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An instant: seconds or milliseconds since 1970, as a number or a text. Both were seen where the other is documented.
pub(crate) fn time(value: &Value, name: &str) -> Option<Timestamp> {
    let number = number(value, name).filter(|number| *number > 0)?;
    let instant = if number >= FIRST_MILLISECONDS {
        Timestamp::from_millisecond(number)
    } else {
        Timestamp::from_second(number)
    };
    instant.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instants_are_read_in_either_unit_and_as_either_type() {
        let all = json!({
            "a": "1700000000", "b": 1_700_000_000, "c": 1_700_000_000_000_i64, "d": "1700000000000",
            "no": "soon", "none": null, "minus": -5, "beyond": i64::MAX,
        });
        for name in ["a", "b", "c", "d"] {
            assert_eq!(time(&all, name).map(Timestamp::as_second), Some(1_700_000_000), "{name}");
        }
        for name in ["no", "none", "minus", "beyond", "absent"] {
            assert_eq!(time(&all, name), None, "{name}");
        }
    }
}
