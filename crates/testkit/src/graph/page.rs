//! A page of Facebook, with Messenger and the account of Instagram that is linked to it.

use super::{Graph, error, ok};
use crate::receiver::{Reaction, Received};
use misy_domain::{Channel, Timestamp};
use serde_json::{Value, json};

/// A page as the vendor knows it, and what proves who has it.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// The id of its account of Instagram.
    pub instagram: String,
    /// What calls carry.
    pub token: String,
    /// The secret of the app.
    pub app_secret: String,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            id: "300000000000003".to_owned(),
            instagram: "17800000000000001".to_owned(),
            token: "EAApagetoken".to_owned(),
            app_secret: "example_app_secret_000000000000000".to_owned(),
        }
    }
}

/// The id that the vendor gives what the n-th call sends.
pub(super) fn id_of(at: usize) -> String {
    format!("m_OUT{at}")
}

impl Page {
    /// The id of the account on a channel.
    pub fn account(&self, channel: Channel) -> &str {
        if channel == Channel::Instagram { &self.instagram } else { &self.id }
    }

    pub(super) fn answer(&self, path: &str, query: &str, at: usize, received: &Received) -> Reaction {
        if path == "me" {
            let linked = json!({ "id": self.instagram });
            return ok(&json!({ "id": self.id, "name": "Andina", "instagram_business_account": linked }));
        }
        if path == "me/subscribed_apps" {
            let is_whole = query.contains("subscribed_fields=messages,");
            return if is_whole { ok(&json!({ "success": true })) } else { error(400, 100, None) };
        }
        // What goes to /me is for Instagram here; the vendor tells it by the recipient.
        let is_instagram = path == "me/messages";
        if !is_instagram && path != format!("{}/messages", self.id) {
            return error(400, 100, Some(33));
        }
        let body = received.json();
        if !is_taken(&body, is_instagram) {
            return error(400, 100, None);
        }
        ok(&json!({ "recipient_id": body["recipient"]["id"], "message_id": id_of(at) }))
    }
}

/// Whether the vendor takes a body.
fn is_taken(body: &Value, is_instagram: bool) -> bool {
    let is_addressed =
        body["recipient"]["id"].as_str().is_some_and(|id| id.bytes().all(|b| b.is_ascii_digit()));
    if !is_addressed {
        return false;
    }
    if let Some(action) = body["sender_action"].as_str() {
        let is_known = matches!(action, "typing_on" | "typing_off" | "mark_seen" | "react" | "unreact");
        return is_known && body["message"].is_null();
    }
    let is_typed = match body["messaging_type"].as_str() {
        Some("RESPONSE" | "UPDATE") => body["tag"].is_null(),
        // The other tags were removed in 2026.
        Some("MESSAGE_TAG") => body["tag"] == "HUMAN_AGENT",
        _ => false,
    };
    is_typed && is_message(&body["message"], is_instagram)
}

fn is_message(message: &Value, is_instagram: bool) -> bool {
    let is_within = |text: &Value, most: usize| {
        text.as_str().is_some_and(|text| (1..=most).contains(&text.encode_utf16().count()))
    };
    let is_text = match message["text"].as_str() {
        Some(text) if is_instagram => (1..=1_000).contains(&text.len()),
        Some(_) => is_within(&message["text"], 2_000),
        None => false,
    };
    let empty = Vec::new();
    let all = |value: &Value| value.as_array().unwrap_or(&empty).clone();
    let replies = all(&message["quick_replies"]);
    let are_replies = replies.len() <= 13
        && replies.iter().all(|one| is_within(&one["title"], 20) && is_within(&one["payload"], 1_000));
    let are_buttons = |buttons: &Value| {
        let buttons = all(buttons);
        let is_button = |one: &Value| {
            is_within(&one["title"], 20)
                && match one["type"].as_str() {
                    Some("web_url") => one["url"].is_string(),
                    Some("postback") => is_within(&one["payload"], 1_000),
                    _ => false,
                }
        };
        buttons.len() <= 3 && buttons.iter().all(is_button)
    };
    let payload = &message["attachment"]["payload"];
    let is_attachment = match (message["attachment"]["type"].as_str(), payload["template_type"].as_str()) {
        (Some("template"), Some("button")) => {
            is_within(&payload["text"], 640)
                && !all(&payload["buttons"]).is_empty()
                && are_buttons(&payload["buttons"])
        }
        (Some("template"), Some("generic")) => {
            let elements = all(&payload["elements"]);
            let is_element = |one: &Value| {
                is_within(&one["title"], 80)
                    && (one["subtitle"].is_null() || is_within(&one["subtitle"], 80))
                    && are_buttons(&one["buttons"])
            };
            (1..=10).contains(&elements.len()) && elements.iter().all(is_element)
        }
        (Some("image" | "audio" | "video" | "file"), None) => payload["url"].is_string(),
        _ => false,
    };
    // Each in a request of its own.
    is_text != is_attachment && message["text"].is_null() != message["attachment"].is_null() && are_replies
}

impl Graph {
    /// A body that tells of things on the page, or on its account of Instagram.
    pub fn page_event(&self, channel: Channel, all: &[Value]) -> Value {
        let object = if channel == Channel::Instagram { "instagram" } else { "page" };
        let entry =
            json!({ "id": self.page.account(channel), "time": 1_700_000_000_123_i64, "messaging": all });
        json!({ "object": object, "entry": [entry] })
    }

    /// Something that somebody did at a time.
    pub fn did(&self, channel: Channel, from: &str, at: Timestamp, name: &str, own: &Value) -> Value {
        let account = self.page.account(channel);
        let mut event = json!({
            "sender": { "id": from }, "recipient": { "id": account }, "timestamp": at.as_millisecond(),
        });
        event[name] = own.clone();
        event
    }

    /// What the page itself sent, as it comes back.
    pub fn echo(&self, channel: Channel, sent: &Value, id: &str, at: Timestamp) -> Value {
        let mut message = sent["message"].clone();
        message["mid"] = json!(id);
        message["is_echo"] = json!(true);
        message["app_id"] = json!(123);
        json!({
            "sender": { "id": self.page.account(channel) }, "recipient": sent["recipient"],
            "timestamp": at.as_millisecond(), "message": message,
        })
    }
}
