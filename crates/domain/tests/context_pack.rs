//! The context pack: what is accepted, what is refused and where the mistake is said to be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail the test"
)]

use misy_domain::{
    ContextPack, Locale,
    context_pack::{MAX_PACK_BYTES, ZoneName},
};
use serde_json::{Value, json};

const SEEDS: [&str; 4] = [
    include_str!("../../../seeds/businesses/andina.json"),
    include_str!("../../../seeds/businesses/colombiatic.json"),
    include_str!("../../../seeds/businesses/northwind-bikes.json"),
    include_str!("../../../seeds/businesses/verde-cafe.json"),
];

fn seed(at: usize) -> Value {
    let mut value: Value = serde_json::from_str(SEEDS[at]).unwrap();
    value.as_object_mut().unwrap().remove("tenantId");
    value
}

/// Equal but for how a whole number is written: `79.0` is `79`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn mistakes(value: &Value) -> Vec<(String, String)> {
    let wrong = ContextPack::parse(value).expect_err("must be refused");
    wrong.into_iter().map(|wrong| (wrong.pointer, wrong.code)).collect()
}

#[test]
fn every_demo_business_is_read_and_written_without_loss() {
    for at in 0..SEEDS.len() {
        let value = seed(at);
        let pack = ContextPack::parse(&value).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert!(same(&pack.to_json(), &value), "{}", pack.display_name);
        assert_eq!(ContextPack::parse(&pack.to_json()).unwrap(), pack);
    }
}

#[test]
fn a_fresh_tenant_needs_little_and_its_starter_pack_is_valid() {
    let least = json!({"displayName": "A", "industry": "Shop", "locale": "en", "timezone": "UTC",
        "currency": "USD", "contact": {"email": "a@b.example"}});
    assert!(ContextPack::parse(&least).is_ok());
    for locale in ["es-CO", "en-US", "pt-BR", "de"] {
        let locale: Locale = locale.parse().unwrap();
        let zone = ZoneName::parse("America/Bogota").unwrap();
        let pack =
            ContextPack::starter("Casa {email}", "a@b.example", "https://b.example/x", "Shop", &locale, zone);
        assert_eq!(ContextPack::parse(&pack.to_json()).unwrap(), pack, "{locale:?}");
    }
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let mut value = seed(0);
    let table: [(&str, Value, &str, &str); 26] = [
        ("/displayName", json!(""), "/displayName", "required"),
        ("/industry", json!("x".repeat(121)), "/industry", "too_long"),
        ("/locale", json!("español"), "/locale", "format"),
        ("/timezone", json!("America/Nowhere"), "/timezone", "format"),
        ("/currency", json!("clp"), "/currency", "format"),
        ("/contact/email", json!("nobody"), "/contact/email", "format"),
        ("/contact/phone", json!("call me"), "/contact/phone", "format"),
        ("/siteOrigins/0", json!("https://a.example/path"), "/siteOrigins/0", "format"),
        ("/branding/primaryColor", json!("teal"), "/branding/primaryColor", "format"),
        ("/branding/logoUrl", json!("http://a.example/l.svg"), "/branding/logoUrl", "format"),
        ("/greeting", json!("hola\u{202e}"), "/greeting", "format"),
        ("/openingHours/weekly/mon/0", json!(["13:30", "09:00"]), "/openingHours/weekly/mon/0", "order"),
        ("/openingHours/weekly/tue/1/0", json!("13:00"), "/openingHours/weekly/tue/1", "order"),
        ("/openingHours/weekly/wed/0/0", json!("9:00"), "/openingHours/weekly/wed/0/0", "format"),
        ("/openingHours/exceptions/0/date", json!("2026-02-30"), "/openingHours/exceptions/0/date", "format"),
        ("/openingHours/exceptions/1/closed", json!(true), "/openingHours/exceptions/1", "required"),
        ("/services/0/id", json!("Evaluación"), "/services/0/id", "format"),
        ("/services/1/price/amount", json!(-1), "/services/1/price/amount", "range"),
        ("/services/2/price/amount", json!(0.001), "/services/2/price/amount", "range"),
        ("/services/3/durationMinutes", json!(0), "/services/3/durationMinutes", "range"),
        ("/services/4/providerIds/0", json!("nobody"), "/services/4/providerIds/0", "reference"),
        ("/providers/1/services/0", json!("nothing"), "/providers/1/services/0", "reference"),
        ("/salesStrategies/0/service", json!("nothing"), "/salesStrategies/0/service", "reference"),
        ("/salesStrategies/1/paymentLink", json!("javascript:x"), "/salesStrategies/1/paymentLink", "format"),
        ("/faq/1/id", json!("horario"), "/faq/1/id", "duplicate"),
        ("/faq/2/question", json!(7), "/faq/2/question", "type"),
    ];
    for (pointer, wrong, ..) in &table {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap();
        match key.parse::<usize>() {
            Ok(at) => parent[at] = wrong.clone(),
            Err(_) => parent[key] = wrong.clone(),
        }
    }
    value["surprise/~"] = json!(1);
    let found = mistakes(&value);
    for (_, _, pointer, code) in &table {
        assert!(found.contains(&((*pointer).into(), (*code).into())), "{pointer} {code} not in {found:?}");
    }
    assert!(found.contains(&("/surprise~1~0".into(), "unknown".into())));
}

#[test]
fn what_is_no_pack_at_all_is_refused() {
    assert_eq!(mistakes(&json!([])), [(String::new(), "type".to_owned())]);
    let huge = json!({"displayName": "x".repeat(MAX_PACK_BYTES)});
    assert_eq!(mistakes(&huge), [(String::new(), "too_large".to_owned())]);
    let missing: Vec<String> = mistakes(&json!({})).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(missing, ["/displayName", "/industry", "/locale", "/timezone", "/currency", "/contact"]);
}
