//! The bytes of an entry that its leaf hashes: a flat JSON object in the one form of RFC 8785 (JCS).
//!
//! Members are those of the entry that have a value; names are sorted, nothing stands between the tokens, text is UTF-8 with
//! only `"`, `\` and control characters escaped, numbers are whole and written without exponent. What an entry has beside its
//! members (`detail`) is the text of a JSON document as the database keeps it, and is hashed as that text; so whoever
//! recomputes a leaf never has to agree with anybody about fractions or the order of inner members.

use serde_json::{Map, Value};

/// An entry cannot be written in its one form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A name that is not ASCII letters and digits.
    #[error("an entry has no member called {0:?}")]
    Name(String),
    /// A value that is neither text nor a whole number.
    #[error("the member {0} is neither text nor a whole number")]
    Value(String),
}

/// The one form of an entry.
pub fn canonical(entry: &Map<String, Value>) -> Result<Vec<u8>, EntryError> {
    let mut members: Vec<(&String, &Value)> = entry.iter().collect();
    members.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let mut bytes = Vec::with_capacity(512);
    for (name, value) in members {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(EntryError::Name(name.clone()));
        }
        let whole = value.is_i64() || value.is_u64();
        if !(value.is_string() || whole) {
            return Err(EntryError::Value(name.clone()));
        }
        bytes.push(if bytes.is_empty() { b'{' } else { b',' });
        bytes.push(b'"');
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b"\":");
        serde_json::to_writer(&mut bytes, value).map_err(|_| EntryError::Value(name.clone()))?;
    }
    if bytes.is_empty() {
        bytes.push(b'{');
    }
    bytes.push(b'}');
    Ok(bytes)
}
