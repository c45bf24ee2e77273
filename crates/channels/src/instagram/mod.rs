//! Instagram: a professional account that is linked to a page of Facebook.

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
use std::time::Duration;

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Instagram;

const TRAITS: Traits = Traits { object: "instagram", longest_text: (1_000, Measure::Bytes), shows: is_shown };

/// What the vendor documents; of other types it shows nothing.
fn is_shown(kind: &str, media_type: &str) -> bool {
    let of = media_type.split(';').next().unwrap_or_default().trim();
    match kind {
        "image" => matches!(of, "image/jpeg" | "image/png" | "image/gif"),
        "audio" => matches!(of, "audio/aac" | "audio/mp4" | "audio/x-m4a" | "audio/wav" | "audio/x-wav"),
        "video" => {
            matches!(of, "video/mp4" | "video/ogg" | "video/x-msvideo" | "video/quicktime" | "video/webm")
        }
        _ => of == "application/pdf",
    }
}

impl Channel for Instagram {
    fn kind(&self) -> misy_domain::Channel {
        misy_domain::Channel::Instagram
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

    fn send(&self, _account: &str, to: &To<'_>, piece: &Piece, token: &Secret<String>) -> VendorCall {
        // The page of the token sends.
        page::send("/me/messages".to_owned(), to, piece, token)
    }

    fn reading(&self, _account: &str, read: &Read<'_>, token: &Secret<String>) -> Vec<VendorCall> {
        page::reading("/me/messages", read, token)
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
