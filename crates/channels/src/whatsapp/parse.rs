//! What a webhook tells. One body may tell of several numbers, and of each several things.

use super::content;
use crate::{
    Event, Happening, Inbound, Parsed, Receipt, ReceiptKind, Writer,
    meta::{MOST_EVENTS, id, is_within, kept, list, number, text, time},
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const LONGEST_NAME: usize = 120;
/// Levels of the answers of a form.
const DEEPEST_FORM: usize = 16;

pub(super) fn parse(body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let Some(body) = parsed.read(body) else { return parsed };
    if text(&body, "object").as_deref() != Some("whatsapp_business_account") {
        parsed.leave_out("another object");
        return parsed;
    }
    for change in list(&body, "entry").iter().flat_map(|entry| list(entry, "changes")) {
        let field = text(change, "field").unwrap_or_default();
        let value = change.get("value").unwrap_or(&Value::Null);
        let account = value.get("metadata").and_then(|metadata| id(metadata, "phone_number_id"));
        match (field.as_str(), account) {
            ("messages" | "smb_message_echoes", Some(account)) => tell(&mut parsed, &account, value),
            ("user_id_update", Some(account)) => renamed(&mut parsed, &account, value),
            _ => parsed.leave_out(&field),
        }
    }
    // What the vendor tells late is told in its place; the sort keeps the order of what has the same time. What has none comes
    // first.
    parsed.events.sort_by_key(|event| event.at);
    parsed
}

fn tell(parsed: &mut Parsed, account: &str, value: &Value) {
    let contacts = Contacts::of(list(value, "contacts"));
    let messages = list(value, "messages")
        .iter()
        .map(|message| Some((time(message, "timestamp"), told(message, &contacts)?)));
    let echoes = list(value, "message_echoes").iter().map(|echo| {
        let inbound = said(echo, written_to(echo))?;
        Some((time(echo, "timestamp"), Happening::Echo { said: Box::new(inbound), reference: None }))
    });
    let statuses = list(value, "statuses")
        .iter()
        .map(|status| Some((time(status, "timestamp"), Happening::Receipt(receipt(status)?))));
    let errors = list(value, "errors")
        .iter()
        .map(|error| Some((None, Happening::Trouble { code: number(error, "code")? })));
    let mut unread = false;
    for happened in messages.chain(echoes).chain(statuses).chain(errors) {
        if parsed.events.len() >= MOST_EVENTS {
            // Nothing more of it is looked at.
            break;
        }
        match happened {
            Some((at, happening)) => {
                parsed.events.push(Event { account: account.to_owned(), at, happening });
            }
            None => unread = true,
        }
    }
    if unread {
        parsed.leave_out("what has no id, writer or kind");
    }
}

/// Who is told of beside the messages, by each of their ids: looked up, since a body may have as many of them as messages.
struct Contacts<'a> {
    all: &'a [Value],
    numbers: HashMap<String, usize>,
    scoped: HashMap<String, usize>,
}

impl<'a> Contacts<'a> {
    fn of(all: &'a [Value]) -> Self {
        let (mut numbers, mut scoped) = (HashMap::new(), HashMap::new());
        for (at, contact) in all.iter().enumerate() {
            for (ids, name) in [(&mut numbers, "wa_id"), (&mut scoped, "user_id")] {
                if let Some(id) = id(contact, name) {
                    ids.entry(id).or_insert(at);
                }
            }
        }
        Self { all, numbers, scoped }
    }

    /// The first that has one of these ids; else the only one there is.
    fn find(&self, from: Option<&str>, scoped: Option<&str>) -> Option<&'a Value> {
        let by_number = from.and_then(|from| self.numbers.get(from));
        let by_scoped = [scoped, from].into_iter().flatten().filter_map(|id| self.scoped.get(id));
        match by_number.into_iter().chain(by_scoped).min() {
            Some(at) => self.all.get(*at),
            None if self.all.len() == 1 => self.all.first(),
            None => None,
        }
    }
}

fn told(message: &Value, contacts: &Contacts<'_>) -> Option<Happening> {
    if text(message, "type").as_deref() == Some("system") {
        return moved(message);
    }
    // In a group somebody else would read the answer.
    if message.get("group_id").is_some_and(|id| !id.is_null()) {
        return None;
    }
    let inbound = said(message, writer(message, contacts))?;
    Some(Happening::Message(Box::new(inbound)))
}

/// Somebody has another number from now on.
fn moved(message: &Value) -> Option<Happening> {
    let system = message.get("system")?;
    let (previous, current) = (id(message, "from")?, id(system, "wa_id")?);
    (previous != current).then_some(Happening::Renamed { previous, current })
}

fn renamed(parsed: &mut Parsed, account: &str, value: &Value) {
    for update in list(value, "user_id_update") {
        if parsed.events.len() >= MOST_EVENTS {
            return;
        }
        let ids = update.get("user_id").unwrap_or(&Value::Null);
        if let (Some(previous), Some(current)) = (id(ids, "previous"), id(ids, "current")) {
            let (account, at) = (account.to_owned(), time(update, "timestamp"));
            parsed.events.push(Event { account, at, happening: Happening::Renamed { previous, current } });
        }
    }
}

fn is_number(id: &str) -> bool {
    (5..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Some bodies repeat the scoped id where the number belongs, and some have no number at all.
fn writer(message: &Value, contacts: &Contacts<'_>) -> Writer {
    let from = id(message, "from");
    let scoped = id(message, "from_user_id");
    let contact = contacts.find(from.as_deref(), scoped.as_deref());
    let of_contact = |name: &str| contact.and_then(|contact| id(contact, name));
    let address =
        from.clone().filter(|id| is_number(id)).or_else(|| of_contact("wa_id").filter(|id| is_number(id)));
    let scoped_id = scoped
        .or_else(|| of_contact("user_id"))
        .or_else(|| from.filter(|id| !is_number(id)))
        .filter(|id| !is_number(id));
    let profile = contact.and_then(|contact| contact.get("profile")).unwrap_or(&Value::Null);
    let name = text(profile, "name").or_else(|| text(profile, "username"));
    Writer { address, scoped_id, name: name.map(|name| name.chars().take(LONGEST_NAME).collect()) }
}

fn written_to(echo: &Value) -> Writer {
    Writer {
        address: id(echo, "to").filter(|id| is_number(id)),
        scoped_id: id(echo, "to_user_id").or_else(|| id(echo, "to")).filter(|id| !is_number(id)),
        name: None,
    }
}

fn said(message: &Value, writer: Writer) -> Option<Inbound> {
    writer.id()?;
    let context = message.get("context").unwrap_or(&Value::Null);
    Some(Inbound {
        id: id(message, "id")?,
        writer,
        said: content::said(message),
        answers: id(context, "id"),
        metadata: metadata(message, context),
    })
}

/// What is worth keeping beside the words.
fn metadata(message: &Value, context: &Value) -> Option<Value> {
    let mut all = Map::new();
    for (name, value) in [
        ("referral", message.get("referral")),
        ("referredProduct", context.get("referred_product")),
        ("order", message.get("order")),
    ] {
        if let Some(value) = value.filter(|value| value.is_object()) {
            all.insert(name.to_owned(), value.clone());
        }
    }
    for (name, said) in [("forwarded", "forwarded"), ("forwardedOften", "frequently_forwarded")] {
        if context.get(said).and_then(Value::as_bool) == Some(true) {
            all.insert(name.to_owned(), json!(true));
        }
    }
    let flow = message.get("interactive").and_then(|interactive| interactive.get("nfm_reply"));
    if let Some(answers) = flow.and_then(|flow| text(flow, "response_json")) {
        // A text that is to hold an object, and may hold anything: what is too deep could not be read back from where it is kept.
        let form = serde_json::from_str(&answers).ok().filter(|form| is_within(form, DEEPEST_FORM));
        all.insert("form".to_owned(), form.unwrap_or(Value::String(answers)));
    }
    kept(all)
}

fn receipt(status: &Value) -> Option<Receipt> {
    let kind = match text(status, "status")?.as_str() {
        "sent" => ReceiptKind::Sent,
        "delivered" => ReceiptKind::Delivered,
        "read" | "played" => ReceiptKind::Read,
        "failed" => ReceiptKind::Failed,
        _ => return None,
    };
    Some(Receipt {
        id: id(status, "id")?,
        reference: id(status, "biz_opaque_callback_data"),
        kind,
        code: list(status, "errors").iter().find_map(|error| number(error, "code")),
    })
}
