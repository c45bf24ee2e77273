//! What Messenger and Instagram share: what their webhooks tell, what they are sent, and what their codes mean.

mod parse;
mod render;
mod said;
mod verdict;

pub(crate) use parse::parse;
pub(crate) use render::render;
pub(crate) use verdict::{fault, judge};

use super::call;
use crate::{Asked, Piece, Read, To, VendorCall, text::Measure};
use misy_domain::Secret;
use serde_json::{Value, json};

/// Where they differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    /// What the webhook says that it tells of.
    pub(crate) object: &'static str,
    /// The longest text of a message, and what is counted.
    pub(crate) longest_text: (usize, Measure),
    /// Whether a file of a kind is shown, as far as its type is known.
    pub(crate) shows: fn(kind: &str, media_type: &str) -> bool,
}

/// The call that sends a piece.
pub(crate) fn send(path: String, to: &To<'_>, piece: &Piece, token: &Secret<String>) -> VendorCall {
    let mut body = json!({ "recipient": { "id": to.id } });
    if piece.kind == REACTION {
        let is_put = piece.body.get("reaction").is_some();
        body["sender_action"] = json!(if is_put { "react" } else { "unreact" });
        body["payload"] = piece.body.clone();
        return call(Asked::Post, path, Some(body), token);
    }
    body["message"] = piece.body.clone();
    if to.is_late {
        body["messaging_type"] = json!("MESSAGE_TAG");
        body["tag"] = json!("HUMAN_AGENT");
    } else {
        body["messaging_type"] = json!("RESPONSE");
    }
    if let Some(quotes) = &piece.quotes {
        body["reply_to"] = json!({ "mid": quotes });
    }
    call(Asked::Post, path, Some(body), token)
}

/// The calls that tell that something was read and is being answered: each in a request of its own.
pub(crate) fn reading(path: &str, read: &Read<'_>, token: &Secret<String>) -> Vec<VendorCall> {
    let sign = |action: &str| {
        let body = json!({ "recipient": { "id": read.writer }, "sender_action": action });
        call(Asked::Post, path.to_owned(), Some(body), token)
    };
    vec![sign("mark_seen"), sign("typing_on")]
}

/// A piece that is a message.
const MESSAGE: &str = "message";
/// A piece that puts a sign to a message.
const REACTION: &str = "reaction";

/// The call that has the vendor tell what happens on the page of the token.
pub fn subscription(token: &Secret<String>) -> VendorCall {
    const FIELDS: &str = "messages,messaging_postbacks,message_deliveries,message_reads,message_echoes,message_reactions,\
                          message_edits,messaging_referrals,messaging_handovers,messaging_policy_enforcement,standby";
    call(Asked::Post, format!("/me/subscribed_apps?subscribed_fields={FIELDS}"), None, token)
}

/// The call that tells whose token it is: the page, and the account of Instagram that is linked to it.
pub fn whose(token: &Secret<String>) -> VendorCall {
    call(Asked::Get, "/me?fields=id,name,instagram_business_account".to_owned(), None, token)
}

/// The page that [`whose`] tells of.
pub fn page_of(answer: &Value) -> Option<String> {
    super::id(answer, "id")
}

/// The account of Instagram that [`whose`] tells of.
pub fn instagram_of(answer: &Value) -> Option<String> {
    answer.get("instagram_business_account").and_then(|account| super::id(account, "id"))
}
