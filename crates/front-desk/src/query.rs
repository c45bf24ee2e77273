//! Queries of addresses, read as strictly as bodies: nothing unknown, nothing twice.

use crate::problem::{FieldError, Problem};
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer},
    },
};

/// Reads a query as a value of a type whose members are texts, numbers or `true` and `false`.
pub(crate) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let mut pairs: Vec<(String, Text)> = Vec::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(invalid(&name, "duplicate", "stands there twice"));
        }
        pairs.push((name.clone(), Text { name, value }));
    }
    let map = MapDeserializer::<_, Error>::new(pairs.into_iter());
    T::deserialize(map).map_err(|error| {
        let message = error.to_string();
        let named = message.split('`').nth(1).unwrap_or_default();
        match message.split_once('\n') {
            Some((name, message)) => invalid(name, "format", message),
            None if message.starts_with("unknown field") => invalid(named, "unknown", &message),
            None => invalid(named, "format", &message),
        }
    })
}

fn invalid(name: &str, code: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(format!("?{name}"), code, message)])
}

/// Percent-encoding of forms: `+` is a blank.
pub(crate) fn decode(text: &str) -> Result<String, Problem> {
    let refused = || Problem::bad_request("What was sent is not percent-encoded UTF-8 text.");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|d| u8::try_from(d).ok());
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                high.ok_or_else(refused)? << 4 | low.ok_or_else(refused)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(refused)
}

/// A value of a query, which knows its name for the sake of messages.
struct Text {
    name: String,
    value: String,
}

impl IntoDeserializer<'_, Error> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Text {
    fn wrong(&self, message: impl std::fmt::Display) -> Error {
        serde::de::Error::custom(format_args!("{}\n{message}", self.name))
    }

    fn number<T: std::str::FromStr>(&self) -> Result<T, Error> {
        // Digits and nothing else: "+7" and "7.0" are other spellings of a number that has one.
        let digits = !self.value.is_empty() && self.value.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = if digits { self.value.parse().ok() } else { None };
        parsed.ok_or_else(|| self.wrong("must be a whole number in range"))
    }
}

impl<'de> Deserializer<'de> for Text {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let name = self.name.clone();
        visitor
            .visit_string(self.value)
            .map_err(|error: Error| serde::de::Error::custom(format_args!("{name}\n{error}")))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.wrong("must be true or false")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name = self.name.clone();
        visitor
            .visit_enum(self.value.into_deserializer())
            .map_err(|error: Error| serde::de::Error::custom(format_args!("{name}\n{error}")))
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        after: Option<i64>,
        limit: Option<u32>,
        q: Option<String>,
        status: Option<misy_domain::TenantStatus>,
    }

    #[test]
    fn a_query_is_read() {
        let page: Page = read("after=3&limit=20&q=caf%C3%A9+uno&status=suspended").unwrap();
        assert_eq!((page.after, page.limit, page.q.as_deref()), (Some(3), Some(20), Some("café uno")));
        assert_eq!(read::<Page>("").unwrap().limit, None);
    }

    #[test]
    fn whatever_could_be_read_in_two_ways_is_refused() {
        for query in [
            "after=-1",
            "after=+1",
            "limit=x",
            "limit=1&limit=2",
            "limit=",
            "other=1",
            "q=%zz",
            "q=%",
            "q=%ff",
            "q=%00",
            "limit=99999999999",
            "status=gone",
            "after=1.0",
            "%6Cimit=1&limit=2",
        ] {
            assert!(read::<Page>(query).is_err(), "{query}");
        }
    }
}
