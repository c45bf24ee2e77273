//! Bodies as JSON, read strictly: no member twice, no deeper than 32, no more than 25,000 values, no NUL in a text, nothing
//! unknown, and each mistake with its place.

use crate::problem::{Code, FieldError, Problem};
use http::StatusCode;
use misy_domain::json::values_of;
use serde::{
    Deserialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The deepest nesting of lists and objects.
pub const MAX_DEPTH: usize = 32;

/// The most values in a body, names of members among them. They take some megabytes in memory, and no body that is meant has
/// half as many.
pub const MOST_VALUES: usize = 25_000;

/// As much of what was sent as a mistake quotes, in bytes.
const LONGEST_ECHO: usize = 500;

/// Reads a body as JSON without giving it a shape.
pub fn parse(body: &[u8]) -> Result<Value, Problem> {
    if std::str::from_utf8(body).is_err() {
        return Err(malformed("The body is not UTF-8."));
    }
    if values_of(body) > MOST_VALUES {
        return Err(malformed(format!("The body has more than {MOST_VALUES} values.")));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).and_then(|value| {
        deserializer.end()?;
        Ok(value)
    });
    value.map_err(|error| malformed(format!("The body is not JSON that can be used: {error}.")))
}

/// Reads a body as a value of a type.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    shape(parse(body)?)
}

/// Gives JSON the shape of a type.
pub fn shape<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::invalid_field("", "type", "must be an object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| Problem::invalid(vec![mistake(&error)]))
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, Code::MalformedJson, detail)
}

/// What serde says, as a place and a code. Its messages are English sentences of a fixed form.
fn mistake(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let mut pointer = pointer(error.path());
    let message = error.inner().to_string();
    let named = message.split('`').nth(1).unwrap_or_default();
    let code = if message.starts_with("missing field") {
        pointer = format!("{pointer}/{}", escape(named));
        "required"
    } else if message.starts_with("unknown field") {
        if !pointer.ends_with(&format!("/{}", escape(named))) {
            pointer = format!("{pointer}/{}", escape(named));
        }
        "unknown"
    } else if message.starts_with("invalid type") {
        "type"
    } else {
        "format"
    };
    FieldError { pointer: start_of(pointer), code: code.to_owned(), message: start_of(message) }
}

/// What was sent is told back so far only: whoever sends a lot must not be sent twice as much.
fn start_of(mut text: String) -> String {
    let end = (0..=LONGEST_ECHO.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or_default());
    text
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escape(key),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}

fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// Builds a value and refuses what two readers could understand differently.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("it is nested deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

fn text<E: Error>(text: String) -> Result<String, E> {
    if text.contains('\0') { Err(E::custom("it has a NUL character in a text")) } else { Ok(text) }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("it has a number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        text(value.to_owned()).map(Value::String)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        text(value).map(Value::String)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let name = text(name)?;
            if map.contains_key(&name) {
                return Err(A::Error::custom("it has an object with the same member twice"));
            }
            map.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
}

/// A member that may be absent, `null` (to be cleared) or have a value.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        site_id: String,
        #[serde(default)]
        #[allow(dead_code)]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        number: u8,
    }

    fn refused(json: &str) -> (String, String) {
        let problem = read::<Sample>(json.as_bytes()).unwrap_err();
        let body = problem.render("req", &http::Method::GET).into_body();
        let bytes =
            futures_util::FutureExt::now_or_never(axum::body::to_bytes(body, 10_000)).unwrap().unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        match value["errors"].get(0) {
            Some(error) => {
                (error["pointer"].as_str().unwrap().to_owned(), error["code"].as_str().unwrap().to_owned())
            }
            None => (String::new(), value["code"].as_str().unwrap().to_owned()),
        }
    }

    #[test]
    fn each_mistake_has_its_place() {
        for (json, pointer, code) in [
            (r#"{"list":[]}"#, "/siteId", "required"),
            (r#"{"siteId":1}"#, "/siteId", "type"),
            (r#"{"siteId":"a","more":1}"#, "/more", "unknown"),
            (r#"{"siteId":"a","list":[{"number":1},{"number":"x"}]}"#, "/list/1/number", "type"),
            (r#"{"siteId":"a","list":[{"number":1,"other":2}]}"#, "/list/0/other", "unknown"),
            (r#"{"siteId":"a","list":[{"number":300}]}"#, "/list/0/number", "format"),
            (r#"{"siteId":"a","a/b~":300}"#, "/a~1b~0", "unknown"),
            ("[]", "", "type"),
            ("1", "", "type"),
            ("", "", "malformed_json"),
            ("{", "", "malformed_json"),
            (r#"{"siteId":"a"} x"#, "", "malformed_json"),
            (r#"{"siteId":"a","siteId":"b"}"#, "", "malformed_json"),
            (r#"{"siteId":"a","list":[{"number":1,"number":1}]}"#, "", "malformed_json"),
            (r#"{"siteId":"a\u0000"}"#, "", "malformed_json"),
            (r#"{"site\u0000Id":"a"}"#, "", "malformed_json"),
            (r#"{"siteId":"\ud800"}"#, "", "malformed_json"),
            (r#"{"siteId":1e999}"#, "", "malformed_json"),
        ] {
            assert_eq!(refused(json), (pointer.to_owned(), code.to_owned()), "{json}");
        }
    }

    #[test]
    fn what_was_sent_is_quoted_so_far_only() {
        let name = "é".repeat(100_000);
        let (pointer, code) = refused(&format!(r#"{{"siteId":"a","{name}":1}}"#));
        assert_eq!((pointer.len(), code.as_str()), (499, "unknown"));
    }

    #[test]
    fn depth_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(parse(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn the_number_of_values_has_an_end() {
        let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(list(MOST_VALUES).as_bytes()).is_ok());
        assert_eq!(parse(list(MOST_VALUES + 1).as_bytes()).unwrap_err().code(), Code::MalformedJson);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(parse(b"{\"a\":\"\xff\"}").unwrap_err().code(), Code::MalformedJson);
    }
}
