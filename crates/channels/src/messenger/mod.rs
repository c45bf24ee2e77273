//! Messenger: a page of Facebook.

use crate::{
    Channel, NotTheVendor, Pace, Parsed, Piece, Posted, Read, Rendered, Rendering, To, VendorAnswer,
    VendorCall, Verdict,
    meta::{
        self,
        page::{self, Traits},
    },
    text::Measure,
};
use misy_domain::Secret;
use serde_json::json;
use std::time::Duration;

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Messenger;

const TRAITS: Traits = Traits {
    object: "page",
    // 2,000 are documented, and what is counted is not.
    longest_text: (1_900, Measure::Utf16),
    shows: |_, _| true,
};

impl Channel for Messenger {
    fn kind(&self) -> misy_domain::Channel {
        misy_domain::Channel::Messenger
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
        page::parse(&TRAITS, body)
    }

    fn render(&self, message: &Rendering<'_>) -> Rendered {
        page::render(&TRAITS, message)
    }

    fn send(&self, account: &str, to: &To<'_>, piece: &Piece, token: &Secret<String>) -> VendorCall {
        let mut call = page::send(format!("/{account}/messages"), to, piece, token);
        // It comes back with the echo.
        if let Some(message) = call.body.as_mut().and_then(|body| body.get_mut("message")) {
            message["metadata"] = json!(to.reference);
        }
        call
    }

    fn reading(&self, account: &str, read: &Read<'_>, token: &Secret<String>) -> Vec<VendorCall> {
        page::reading(&format!("/{account}/messages"), read, token)
    }

    fn health(&self, _account: &str, token: &Secret<String>) -> VendorCall {
        page::whose(token)
    }

    fn judge(&self, answer: &VendorAnswer<'_>) -> Verdict {
        page::judge(answer)
    }

    fn fault(&self, code: i64) -> Verdict {
        page::fault(code)
    }

    fn pace(&self) -> Pace {
        Pace {
            per_second: 300,
            between: Duration::ZERO,
            burst: 0,
            window: Some(Duration::from_hours(24)),
            window_of_people: Some(Duration::from_hours(7 * 24)),
        }
    }
}
