//! Entries as events of the Open Cybersecurity Schema Framework, version 1.3.
//!
//! | entry | class |
//! | --- | --- |
//! | tokens, keys of sessions, signing in and out | Authentication (3002) |
//! | any other change, and cross-tenant work | Entity Management (3004) |
//! | any other call, and turns of agents | API Activity (6003) |

use misy_domain::Timestamp;
use misy_store::audit::entries::StoredEntry;
use serde_json::{Map, Value, json};

const VERSION: &str = "1.3.0";
const AUTHENTICATION: i64 = 3002;
const ENTITY_MANAGEMENT: i64 = 3004;
const API_ACTIVITY: i64 = 6003;
const OTHER: i64 = 99;

/// The event of an entry.
pub fn event(entry: &StoredEntry) -> Value {
    let text = |name: &str| entry.text(name).unwrap_or_default();
    let (kind, action, outcome) = (text("kind"), text("action"), text("outcome"));
    let class = class(kind, action);
    let activity = activity(class, action);
    let refused = kind != "turn" && outcome != "ok";
    let time = text("at").parse::<Timestamp>().map(Timestamp::as_millisecond).unwrap_or_default();
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
    put("class_uid", class.into());
    put("category_uid", (class / 1000).into());
    put("activity_id", activity.into());
    put("activity_name", action.into());
    put("type_uid", (class * 100 + activity).into());
    put("time", time.into());
    put("severity_id", if refused { 2 } else { 1 }.into());
    put("status_id", if refused { 2 } else { 1 }.into());
    put("status", if refused { "Failure" } else { "Success" }.into());
    put("status_code", outcome.into());
    put("metadata", metadata(entry));
    let user = json!({ "uid": text("actor"), "name": text("actor") });
    put("actor", json!({ "user": user }));
    if let Some(micros) = entry.number("durationMicros") {
        put("duration", (micros / 1000).into());
    }
    match class {
        AUTHENTICATION => {
            put("user", user);
            put("service", json!({ "name": "misy" }));
            put("src_endpoint", source(entry));
        }
        ENTITY_MANAGEMENT => {
            let subject = entry.text("subject").unwrap_or_else(|| text("tenantId"));
            put("entity", json!({ "uid": subject, "name": subject, "type": entity_type(action) }));
        }
        _ => {
            let mut api = json!({ "operation": action, "service": { "name": "misy" } });
            if let Some(request) = entry.text("requestId") {
                api["request"] = json!({ "uid": request });
            }
            if let Some(status) = entry.number("status") {
                api["response"] = json!({ "code": status });
                put("http_response", json!({ "code": status }));
            }
            put("api", api);
            put("src_endpoint", source(entry));
            if let Some(subject) = entry.text("subject") {
                put("resources", json!([{ "uid": subject }]));
            }
        }
    }
    put("unmapped", unmapped(entry));
    Value::Object(event)
}

fn metadata(entry: &StoredEntry) -> Value {
    let mut metadata = json!({
        "version": VERSION, "product": { "name": "Misy", "vendor_name": "Misy" }, "log_name": "audit",
        "uid": entry.audit_id, "tenant_uid": entry.text("tenantId"), "original_time": entry.text("at"),
    });
    if let Some(place) = entry.leaf_index {
        metadata["sequence"] = place.into();
    }
    if let Some(request) = entry.text("requestId") {
        metadata["correlation_uid"] = request.into();
    }
    metadata
}

/// Where a call came from, as far as the trail knows: it keeps no addresses of people.
fn source(entry: &StoredEntry) -> Value {
    let name = entry.text("origin").or_else(|| entry.text("siteId")).unwrap_or("misy");
    let mut source = json!({ "name": name });
    let host = entry.text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    if let Some(host) = host {
        source["hostname"] = host.into();
    }
    source
}

/// What the schema has no word for.
fn unmapped(entry: &StoredEntry) -> Value {
    let names = ["kind", "siteId", "sessionId", "agentName", "detail"];
    let members =
        names.iter().filter_map(|name| Some(((*name).to_owned(), entry.members.get(*name)?.clone())));
    Value::Object(members.collect())
}

fn class(kind: &str, action: &str) -> i64 {
    let lower = action.to_ascii_lowercase();
    let proves = ["minttoken", "signin", "signout", "login", "logout", "secondfactor"];
    match kind {
        _ if proves.iter().any(|word| lower.contains(word)) => AUTHENTICATION,
        "change" | "system" => ENTITY_MANAGEMENT,
        _ => API_ACTIVITY,
    }
}

fn activity(class: i64, action: &str) -> i64 {
    let begins = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
    if class == AUTHENTICATION {
        let lower = action.to_ascii_lowercase();
        return match () {
            () if lower.contains("minttoken") => 3,
            () if lower.contains("out") => 2,
            () => 1,
        };
    }
    match () {
        () if begins(&["create", "register", "provision", "open", "write", "mint", "invite", "enroll"]) => 1,
        () if begins(&["read", "list", "follow", "export", "prove", "find"]) => 2,
        () if begins(&["delete", "revoke", "close", "remove"]) => 4,
        () if begins(&["change", "replace", "rotate", "suspend", "activate", "set", "update"]) => 3,
        () => OTHER,
    }
}

/// `createSite` is about a `Site`.
fn entity_type(action: &str) -> &str {
    action.find(|c: char| c.is_ascii_uppercase()).map_or("Tenant", |at| &action[at..])
}
