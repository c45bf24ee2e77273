//! SQL and its neighbours through every text that an operation takes, as the description names them.

use crate::{
    description::{Callers, Ids, Operation, operations},
    stage::Stage,
    wire::{Answer, Request, each, percent_encoded},
};
use misy_testkit::client::BASE;
use serde_json::{Value, json};

/// Each would do something if it were read as a part of something: of a statement, a pattern, a path, a format, a template.
const NAUGHTY: [&str; 32] = [
    "'",
    "''",
    "' or '1'='1",
    "' or 1=1--",
    "\" or \"\"=\"",
    "'; drop table misy.tenants cascade;--",
    "'; create table public.pwned(x int);--",
    "x'); update misy.tenants set tenant_type='owner';--",
    "1; select pg_sleep(100)--",
    "'||(select pg_sleep(100))||'",
    "' union select null,null,null--",
    "' and (select count(*) from misy.users)>0--",
    "$1",
    "$$; drop schema misy cascade; $$",
    "\\'; copy (select 1) to program 'touch /tmp/pwned';--",
    "%' or '%'='",
    "_%",
    "E'\\x27'",
    "'; set role postgres;--",
    "'; select set_config('misy.tenant_id','verde-cafe',false);--",
    "{{7*7}}${7*7}#{7*7}<%=7*7%>",
    "${jndi:ldap://127.0.0.1/a}",
    "%s%n%x%p{0}{}",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "{\"$gt\":\"\"}",
    "verde-cafe'--",
    "\u{0}",
    "a\r\nset-cookie: x=y",
    "\u{feff}\u{202e}\u{2028}ﷺ",
    "0x27204f5220313d31",
    "-1 or 1=1",
];

/// One place of an operation that takes a text.
enum Place {
    Path(String),
    Query(String),
    Header(String),
    Body(String),
}

/// Pointers to all texts of a value.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| texts(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| texts(member, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

fn places(operation: &Operation) -> Vec<Place> {
    let mut places: Vec<Place> = operation.places().into_iter().map(Place::Path).collect();
    places.extend(operation.queries.iter().cloned().map(Place::Query));
    places.extend(operation.headers.iter().cloned().map(Place::Header));
    let mut pointers = Vec::new();
    texts(operation.example.as_ref().unwrap_or(&Value::Null), "", &mut pointers);
    let named = operation.members.iter().flat_map(|(name, sample)| {
        let mut found = Vec::new();
        texts(sample, &format!("/{name}"), &mut found);
        found
    });
    pointers.extend(named);
    pointers.sort();
    pointers.dedup();
    places.extend(pointers.into_iter().map(Place::Body));
    places
}

/// Puts a text into a body, making the members on the way.
fn with_text(mut body: Value, pointer: &str, text: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    if let Some(place) = body.pointer_mut(pointer) {
        *place = json!(text);
    } else if let Some(Value::Object(members)) = body.pointer_mut(parent) {
        members.insert(name.to_owned(), json!(text));
    } else if let Some((grandparent, member)) = parent.rsplit_once('/')
        && let Some(Value::Object(members)) = body.pointer_mut(grandparent)
    {
        let made = if name == "0" { json!([text]) } else { json!({ name: text }) };
        members.insert(member.to_owned(), made);
    }
    body
}

async fn attack(
    stage: &Stage,
    callers: &Callers,
    operation: &Operation,
    place: &Place,
    text: &str,
) -> Answer {
    let mut ids = Ids::default().with("tenantId", &callers.tenant.id).with("siteId", "main");
    if let Place::Path(name) = place {
        ids = ids.with(name, percent_encoded(text));
    }
    let mut target = operation.fill(&ids);
    if let Place::Query(name) = place {
        target = format!("{target}?{name}={}", percent_encoded(text));
    }
    let ids = ids.with("tenantId", &callers.tenant.id).with("siteId", "main");
    let mut body = operation.good_body(&ids);
    if let (Place::Body(pointer), Some(good)) = (place, body.take()) {
        body = Some(with_text(good, pointer, text));
    }
    let request = callers.prove(operation, operation.request(target, body.as_ref()));
    let line: String = text.chars().filter(|c| !c.is_control()).collect();
    let request = match place {
        Place::Header(name) if name.eq_ignore_ascii_case("x-misy-key") => {
            request.without("x-api-key").without("origin").set(name, &line)
        }
        Place::Header(name) => request.set(name, &line),
        _ => request,
    };
    stage.send(request).await
}

#[tokio::test]
async fn a_text_is_a_text_in_every_place_of_every_operation() {
    let stage = Stage::start().await;
    let visitor = stage.browser(&stage.verde).await;
    let session = stage.session(&visitor).await;
    stage.say(&visitor, &session, "hola").await.expect(202);
    let person = stage.person(&stage.owner, "olga@colombiatic.example").await;
    let tables = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where nspname not like 'pg\\_%' and nspname <> 'information_schema'";
    let schema_before = stage.count(tables).await;
    let operations = operations(&stage).await;
    let sent = std::sync::atomic::AtomicUsize::new(0);
    let numbered: Vec<(usize, Operation)> = operations.iter().cloned().enumerate().collect();
    each(&numbered, 6, async |(number, operation)| {
        // What ends a tenant ends its own.
        let tenant = stage.register(&format!("target-{number}")).await;
        let mut callers = Callers::of(&stage, &tenant).await;
        callers.person = Some(person.clone());
        let places = places(operation);
        // Large bodies take turns, so that all texts are tried in one place or another.
        let step = places.len().div_ceil(12).max(2);
        for (turn, place) in places.iter().enumerate() {
            for text in NAUGHTY.iter().skip((turn + number) % step).step_by(step) {
                let answer = attack(&stage, &callers, operation, place, text).await;
                sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let at = match place {
                    Place::Path(name) | Place::Query(name) | Place::Header(name) | Place::Body(name) => name,
                };
                assert!(answer.status < 500, "{} {at} {text:?}: {}", operation.id, answer.shown());
                let body = String::from_utf8_lossy(&answer.body).to_lowercase();
                for tell in
                    ["syntax error", "sqlstate", "pg_catalog", "relation \"", "sqlx", "panicked", "/src/"]
                {
                    assert!(!body.contains(tell), "{} {at} {text:?}: {}", operation.id, answer.shown());
                }
                let planted =
                    answer.headers.iter().any(|(_, value)| value.windows(3).any(|part| part == b"x=y"));
                assert!(!planted, "{} {at} {text:?}: {:?}", operation.id, answer.headers);
            }
        }
    })
    .await;
    let sent = sent.into_inner();
    assert!(sent > 1_000, "only {sent} texts were tried");
    println!("{sent} texts through {} operations", operations.len());
    // The database is as it was, but for what was written into it in the right way.
    assert_eq!(stage.count(tables).await, schema_before);
    assert_eq!(stage.count("select count(*) from pg_class where relname = 'pwned'").await, 0);
    let owners = "select count(*) from misy.tenants where tenant_type = 'owner'";
    assert_eq!(stage.count(owners).await, 1);
    let asleep =
        "select count(*) from pg_stat_activity where datname = current_database() and query like '%pg_sleep%'
                  and pid <> pg_backend_pid()";
    assert_eq!(stage.count(asleep).await, 0);
    assert_eq!(
        stage
            .count("select count(*) from misy.messages where tenant_id = 'verde-cafe' and role = 'contact'")
            .await,
        1
    );
    let read = Request::new("GET", format!("{BASE}/sessions/{session}/messages"));
    let history = stage.send(visitor.sign(read)).await.expect(200);
    assert_eq!(history.text("/items/0/parts/0/text"), "hola");
    stage.is_well().await;
}

#[tokio::test]
async fn a_text_comes_back_as_it_was_written() {
    let stage = Stage::start().await;
    let visitor = stage.browser(&stage.andina).await;
    let session = stage.session(&visitor).await;
    let texts: Vec<&str> =
        NAUGHTY.iter().copied().filter(|text| !text.contains(['\0', '\r', '\u{2028}'])).collect();
    for text in &texts {
        stage.say(&visitor, &session, text).await.expect(202);
    }
    let mut heard = Vec::new();
    let mut after = 0;
    loop {
        let target = format!("{BASE}/sessions/{session}/messages?after={after}&limit=100");
        let page = stage.send(visitor.sign(Request::new("GET", target))).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        let Some(last) = items.last() else { break };
        after = last["sequence"].as_i64().unwrap();
        let said = items.iter().filter(|message| message["role"] == "contact");
        heard.extend(said.map(|message| message["parts"][0]["text"].as_str().unwrap().to_owned()));
    }
    assert_eq!(heard, texts);
}
