//! Every answer that a test gets is held against the description: what is described and what is sent cannot drift apart.

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, Mutex},
};

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&misy_front_desk::openapi_document()).unwrap());

/// Fails when an answer is not one that the description knows.
#[track_caller]
pub(crate) fn expect_described(
    method: &Method,
    path: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) {
    let Some(operation) = operation(method, path) else { return };
    let id = operation["operationId"].as_str().unwrap();
    let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
    let kind = kind.split(';').next().unwrap();
    let answer = resolve(&operation["responses"][status.as_str()]);
    // A method that is not there, a path that is too long: these come before any operation.
    let is_problem = kind == "application/problem+json";
    assert!(
        !answer.is_null() || is_problem || status.is_redirection(),
        "{id} answers {status}, which is not described"
    );
    let schema = if is_problem {
        &DESCRIPTION["components"]["schemas"]["Problem"]
    } else {
        let contents = answer["content"].as_object().into_iter().flatten();
        let mut fitting = contents.filter(|(name, _)| name.split(';').next().unwrap() == kind);
        let Some((_, content)) = fitting.next() else {
            assert!(
                body.is_empty() || kind != "application/json",
                "{id} answers {status} with {kind}, which is not described"
            );
            return;
        };
        &content["schema"]
    };
    if !(is_problem || kind == "application/json") || body.is_empty() {
        return;
    }
    let body: Value = serde_json::from_slice(body).unwrap();
    let mut wrong = Vec::new();
    check(schema, &body, "", &mut wrong);
    assert!(wrong.is_empty(), "{id} answers {status} otherwise than described: {wrong:#?}\n{body:#}");
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (mut given, mut known) = (path.split('/'), template.split('/'));
        loop {
            match (given.next(), known.next()) {
                (None, None) => return true,
                (Some(given), Some(known))
                    if given == known || (known.starts_with('{') && !given.is_empty()) => {}
                _ => return false,
            }
        }
    };
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    // What is written out goes before what has a parameter.
    let item = paths
        .get(path)
        .or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item))?;
    item.get(method.as_str().to_lowercase())
}

fn resolve(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(name) => {
            DESCRIPTION.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("no {name}"))
        }
        None => schema,
    }
}

fn fits(schema: &'static Value, value: &Value) -> bool {
    let mut wrong = Vec::new();
    check(schema, value, "", &mut wrong);
    wrong.is_empty()
}

/// Says what of a value is not as its schema says. As much of JSON Schema as the description uses.
pub(crate) fn check(schema: &'static Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let schema = resolve(schema);
    part(schema, value, at, wrong);
    if let Value::Object(members) = value
        && let Some(known) = known_members(schema)
    {
        for name in members.keys().filter(|name| !known.contains(name.as_str())) {
            wrong.push(format!("{at}/{name} is not described"));
        }
    }
}

fn part(schema: &'static Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let schema = resolve(schema);
    for one in schema["allOf"].as_array().into_iter().flatten() {
        part(one, value, at, wrong);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array()
            && !choices.iter().any(|one| fits_partly(one, value, schema))
        {
            wrong.push(format!("{at} is none of what is described: {value}"));
        }
    }
    if !has_type(&schema["type"], value) {
        wrong.push(format!("{at} must be {}, is {value}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        wrong.push(format!("{at} is no word of {}: {value}", schema["enum"]));
    }
    if let Value::String(text) = value {
        let good = match schema["format"].as_str() {
            Some("date-time") => text.parse::<misy_domain::Timestamp>().is_ok(),
            Some("date") => text.parse::<jiff::civil::Date>().is_ok(),
            _ => true,
        };
        if !good || schema["pattern"].as_str().is_some_and(|pattern| !matches(pattern, text)) {
            wrong.push(format!("{at} has another form than {schema}: {text}"));
        }
    }
    if let Value::Array(items) = value {
        let first = schema["prefixItems"].as_array();
        for (place, item) in items.iter().enumerate() {
            let of_place = first.and_then(|first| first.get(place));
            let schema = of_place.unwrap_or(&schema["items"]);
            match schema {
                Value::Bool(false) => wrong.push(format!("{at}/{place} is one too many")),
                schema => check(schema, item, &format!("{at}/{place}"), wrong),
            }
        }
    }
    if let Value::Object(members) = value {
        for (name, member) in members {
            let own = &schema["properties"][name];
            let schema = if own.is_null() { &schema["additionalProperties"] } else { own };
            if schema.is_object() {
                check(schema, member, &format!("{at}/{name}"), wrong);
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                wrong.push(format!("{at}/{name} is missing"));
            }
        }
    }
}

/// Of an object that one of several schemas describes a part, the other members are described beside them.
fn fits_partly(choice: &'static Value, value: &Value, whole: &'static Value) -> bool {
    if whole["properties"].is_null() {
        return fits(choice, value);
    }
    let mut wrong = Vec::new();
    part(choice, value, "", &mut wrong);
    wrong.is_empty()
}

/// The members that an object can have; `None` if it can have any.
fn known_members(schema: &'static Value) -> Option<BTreeSet<&'static str>> {
    let schema = resolve(schema);
    let own: Option<&Map<String, Value>> = schema["properties"].as_object();
    let mut names: BTreeSet<&str> = own.into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let mut described = own.is_some();
    if schema["additionalProperties"].is_object() {
        return None;
    }
    for choice in ["allOf", "oneOf", "anyOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            if let Some(known) = known_members(one) {
                names.extend(known);
                described = true;
            }
        }
    }
    described.then_some(names)
}

fn has_type(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other}"),
    };
    match kinds {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// Whether a text has the form of a pattern. To read a pattern takes long, and there are few.
fn matches(pattern: &'static str, text: &str) -> bool {
    static KNOWN: Mutex<BTreeMap<&str, regex::Regex>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    known.entry(pattern).or_insert_with(|| regex::Regex::new(pattern).unwrap()).is_match(text)
}
