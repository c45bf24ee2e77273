//! The trail in the formats of others, judged by checks that were written from their documentation.

use super::{busy, lines, text, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the schema requires of each class, from its documentation (version 1.3).
fn ocsf_problems(event: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let base = ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];
    let class = event["class_uid"].as_i64().unwrap_or_default();
    let (own, activities): (&[&str], &[i64]) = match class {
        6003 => (&["actor", "api", "src_endpoint"], &[0, 1, 2, 3, 4, 99]),
        3002 => (&["user", "service"], &[0, 1, 2, 3, 4, 5, 6, 99]),
        3004 => (&["entity"], &[0, 1, 2, 3, 4, 99]),
        _ => return vec![format!("class {class}")],
    };
    problems.extend(
        base.iter().chain(own).filter(|name| event[**name].is_null()).map(|name| format!("no {name}")),
    );
    let activity = event["activity_id"].as_i64().unwrap_or(-1);
    if !activities.contains(&activity) || event["type_uid"] != class * 100 + activity {
        problems.push(format!("activity {activity}, type {}", event["type_uid"]));
    }
    if event["category_uid"] != class / 1000
        || !(0..=6).contains(&event["severity_id"].as_i64().unwrap_or(-1))
    {
        problems.push("category or severity".into());
    }
    if event["time"].as_i64().is_none_or(|time| time < 1_500_000_000_000) {
        problems.push("time".into());
    }
    // Objects and what they require: at least one of several, or each.
    let requires = [
        ("/metadata", vec!["version"], vec!["product"]),
        ("/metadata/product", vec!["name", "uid"], vec!["vendor_name"]),
        ("/actor", vec!["process", "user", "session", "app_name"], vec![]),
        ("/actor/user", vec!["name", "uid"], vec![]),
        ("/user", vec!["name", "uid"], vec![]),
        ("/entity", vec!["name", "uid"], vec![]),
        ("/service", vec!["name", "uid"], vec![]),
        (
            "/src_endpoint",
            vec!["ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid"],
            vec![],
        ),
        ("/api", vec!["operation"], vec!["operation"]),
        ("/api/response", vec!["code"], vec!["code"]),
        ("/http_response", vec!["code"], vec!["code"]),
    ];
    for (place, one, each) in requires {
        let Some(object) = event.pointer(place) else { continue };
        if one.iter().all(|name| object[*name].is_null()) || each.iter().any(|name| object[*name].is_null()) {
            problems.push(format!("{place}: {object}"));
        }
    }
    problems
}

#[tokio::test]
async fn events_for_a_siem_have_what_the_schema_requires() {
    let (app, _, andina, _) = busy().await;
    wait_for(&app, &andina, "action=suspendTenant&kind=call").await;
    let events = lines(&text(&app, &andina, "/audit/export?format=ocsf").await);
    let mut classes = BTreeSet::new();
    for event in &events {
        assert_eq!(ocsf_problems(event), Vec::<String>::new(), "{event}");
        assert_eq!(event["metadata"]["tenant_uid"], "andina");
        classes.insert(event["class_uid"].as_i64().unwrap());
    }
    assert_eq!(classes, BTreeSet::from([3002, 3004, 6003]));
    let refused = events.iter().find(|event| event["status_code"] == "not_found").unwrap();
    assert_eq!((refused["status_id"].as_i64(), refused["status"].as_str()), (Some(2), Some("Failure")));
    assert!(!ocsf_problems(&json!({ "class_uid": 6003 })).is_empty(), "the check finds what is missing");
}

/// Priority, tokens of the head, and parameters of the structured data.
type Syslog = (u8, Vec<String>, Vec<(String, String)>);

/// A parser of RFC 5424, section 6, for one message with one element of structured data.
fn parse_syslog(line: &str) -> Option<Syslog> {
    let (priority, rest) = line.strip_prefix('<')?.split_once(">1 ")?;
    let priority: u8 = priority.parse().ok().filter(|priority| *priority < 192)?;
    let mut head = Vec::new();
    let mut rest = rest;
    for most in [32, 255, 48, 128, 32] {
        let (token, after) = rest.split_once(' ')?;
        let fits = (1..=most).contains(&token.len()) && token.bytes().all(|b| (33..=126).contains(&b));
        head.push(Some(token.to_owned()).filter(|_| fits)?);
        rest = after;
    }
    head[0].parse::<misy_domain::Timestamp>().ok()?;
    let (id, mut rest) = rest.strip_prefix('[')?.split_once(' ')?;
    let name_fits = |name: &str| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|b| (33..=126).contains(&b) && !b"=]\"".contains(&b))
    };
    (name_fits(id) && id.contains('@')).then_some(())?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, ']') => return None,
                (_, '\\') => value.push(characters.next().filter(|(_, c)| "\"\\]".contains(*c))?.1),
                (_, other) => value.push(other),
            }
        };
        parameters.push((Some(name.to_owned()).filter(|name| name_fits(name))?, value));
        rest = &after[end + 1..];
        match rest.strip_prefix(' ') {
            Some(more) => rest = more,
            None => break,
        }
    }
    rest.strip_prefix("] ")?;
    Some((priority, head, parameters))
}

#[tokio::test]
async fn syslog_messages_are_those_of_rfc_5424() {
    let (app, _, andina, _) = busy().await;
    wait_for(&app, &andina, "action=suspendTenant&kind=call&outcome=permission_denied").await;
    // A detail with every character that must be escaped.
    app.store
        .admin(
            "insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome, detail)
             values ('andina', 'aud_00000000000000000000000001', 'change', 'odd one]', 'a\"b\\c]d', 'ok', '\"x\\ny]\"')",
        )
        .await
        .unwrap();
    let all = text(&app, &andina, "/audit/export?format=rfc5424").await;
    let parsed: Vec<_> =
        all.lines().map(|line| parse_syslog(line).unwrap_or_else(|| panic!("{line}"))).collect();
    assert!(parsed.len() > 5);
    let odd = parsed.iter().find(|(_, _, data)| data.iter().any(|(_, value)| value == "odd one]")).unwrap();
    assert!(odd.2.contains(&("actor".into(), "a\"b\\c]d".into())), "{odd:?}");
    assert_eq!((odd.0, odd.1[2].as_str(), odd.1[4].as_str()), (110, "misy", "oddone]"));
    assert!(parse_syslog("<110>1 now host misy - x [a@1 b=\"]\"] x").is_none(), "the parser is strict");
}
