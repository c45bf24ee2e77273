pub(crate) mod hostile;
mod read;
mod shown;

use misy_channels::{Channel, Event, Happening, Inbound, Parsed, Said, whatsapp::Whatsapp};
use misy_domain::Part;
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "200000000000002";
pub(crate) const NUMBER: &str = "15550002222";

/// A body with one change, as the vendor sends it.
pub(crate) fn body(value: &Value) -> Value {
    let mut whole = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550001111", "phone_number_id": ACCOUNT },
    });
    whole.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "100000000000001", "changes": [{ "field": "messages", "value": whole }] }],
    })
}

/// A message of a kind, by somebody with a number.
pub(crate) fn message(kind: &str, own: &Value) -> Value {
    let mut message = json!({ "from": NUMBER, "id": "wamid.IN1", "timestamp": "1700000000", "type": kind });
    message[kind] = own.clone();
    message
}

pub(crate) fn parse(body: &Value) -> Parsed {
    Whatsapp.parse(body.to_string().as_bytes())
}

/// The only message of a body.
pub(crate) fn only(message: &Value) -> Inbound {
    let contacts = json!([{ "profile": { "name": "Ada Example" }, "wa_id": NUMBER }]);
    let parsed = parse(&body(&json!({ "contacts": contacts, "messages": [message] })));
    match &parsed.events[..] {
        [Event { happening: Happening::Message(inbound), account, .. }] if account == ACCOUNT => {
            (**inbound).clone()
        }
        other => panic!("not one message: {other:?}"),
    }
}

pub(crate) fn parts(said: &Said) -> &[Part] {
    match said {
        Said::Parts { parts, .. } | Said::Edited { parts, .. } => parts,
        _ => &[],
    }
}
