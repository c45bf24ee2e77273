//! Reads what vendors send without trusting its shape.

use misy_domain::Timestamp;
use serde_json::Value;

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
