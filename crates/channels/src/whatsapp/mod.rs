//! WhatsApp, through its Cloud API.

mod choices;
mod content;
mod parse;
mod render;
mod verdict;

pub use render::read_mark;

use crate::{
    Asked, Channel, NotTheVendor, Pace, Parsed, Piece, Posted, Read, Rendered, Rendering, To, VendorAnswer,
    VendorCall, Verdict,
    meta::{self, call},
};
use misy_domain::Secret;
use serde_json::{Value, json};
use std::time::Duration;

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Whatsapp;

/// The call that tells which numbers a business account has: whoever connects a number shows that it is theirs.
pub fn numbers(business_account: &str, token: &Secret<String>) -> VendorCall {
    call(Asked::Get, format!("/{business_account}/phone_numbers?fields=id&limit=100"), None, token)
}

/// The call that makes a template, to be approved by the vendor.
pub fn new_template(business_account: &str, template: Value, token: &Secret<String>) -> VendorCall {
    call(Asked::Post, format!("/{business_account}/message_templates"), Some(template), token)
}

/// The call that lists templates and how they stand.
pub fn templates(business_account: &str, token: &Secret<String>) -> VendorCall {
    let fields = "name,language,status,category,components";
    call(Asked::Get, format!("/{business_account}/message_templates?fields={fields}&limit=100"), None, token)
}

impl Channel for Whatsapp {
    fn kind(&self) -> misy_domain::Channel {
        misy_domain::Channel::Whatsapp
    }

    fn signature_header(&self) -> &'static str {
        meta::SIGNATURE_HEADER
    }

    fn verify(&self, posted: &Posted<'_>, secrets: &[Secret<String>]) -> Result<(), NotTheVendor> {
        meta::verify(posted, secrets)
    }

    fn challenge(&self, query: &str, token: &Secret<String>) -> Option<String> {
        meta::challenge(query, token)
    }

    fn parse(&self, body: &[u8]) -> Parsed {
        parse::parse(body)
    }

    fn render(&self, message: &Rendering<'_>) -> Rendered {
        render::render(message)
    }

    fn send(&self, account: &str, to: &To<'_>, piece: &Piece, token: &Secret<String>) -> VendorCall {
        let mut body = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "type": piece.kind,
            "biz_opaque_callback_data": to.reference,
        });
        body[piece.kind] = piece.body.clone();
        if to.id.bytes().all(|byte| byte.is_ascii_digit()) {
            // Without the sign the vendor would put the country of the business before it.
            body["to"] = json!(format!("+{}", to.id));
        } else {
            body["recipient"] = json!(to.id);
        }
        if let Some(quotes) = &piece.quotes {
            body["context"] = json!({ "message_id": quotes });
        }
        call(Asked::Post, format!("/{account}/messages"), Some(body), token)
    }

    fn reading(&self, account: &str, read: &Read<'_>, token: &Secret<String>) -> Vec<VendorCall> {
        // One cannot be told without the other; what came before is read with it.
        let mark = read_mark(read.message, true);
        vec![call(Asked::Post, format!("/{account}/messages"), Some(mark), token)]
    }

    fn health(&self, account: &str, token: &Secret<String>) -> VendorCall {
        call(
            Asked::Get,
            format!("/{account}?fields=id,display_phone_number,verified_name,quality_rating"),
            None,
            token,
        )
    }

    fn judge(&self, answer: &VendorAnswer<'_>) -> Verdict {
        verdict::judge(answer)
    }

    fn fault(&self, code: i64) -> Verdict {
        verdict::fault(code)
    }

    fn pace(&self) -> Pace {
        Pace {
            per_second: 80,
            between: Duration::from_secs(6),
            burst: 45,
            window: Some(Duration::from_hours(24)),
            window_of_people: None,
        }
    }
}
