//! The vendors of channels: who calls, what they say, and what they understand.
//!
//! Bytes in, values out. Nothing here reads a clock, a socket or a database; whoever does asks the [`Channel`]. A vendor has a
//! folder of its own, and what several vendors share stands in [`meta`] and [`text`].

pub mod inbound;
pub mod instagram;
pub mod messenger;
pub mod meta;
pub mod outbound;
pub mod text;
pub mod whatsapp;

pub use inbound::{Event, Happening, Inbound, Parsed, Reached, Receipt, ReceiptKind, Said, Writer, pressed};
pub use outbound::{
    Asked, Attached, Change, Pace, Piece, Read, Reason, Rendered, Rendering, To, VendorAnswer, VendorCall,
    Verdict,
};

use misy_domain::Secret;

/// What came to a webhook, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// The header that proves who calls, if there is one.
    pub signature: Option<&'a [u8]>,
    /// The body, byte for byte: to read it and write it again breaks the signature.
    pub body: &'a [u8],
}

/// The call does not come from the vendor, or cannot be shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTheVendor;

/// A vendor. None can be added that does not say how its calls are proved.
pub trait Channel: Send + Sync {
    /// Which it is.
    fn kind(&self) -> misy_domain::Channel;

    /// The header of [`Posted::signature`].
    fn signature_header(&self) -> &'static str;

    /// Whether the vendor sent these bytes: they are signed with one of the secrets. There are two while one takes over from
    /// the other. Without a secret nothing is proved.
    fn verify(&self, posted: &Posted<'_>, secrets: &[Secret<String>]) -> Result<(), NotTheVendor>;

    /// What to answer when the vendor asks whether this is really the address to call; `None` when it does not know the token.
    fn challenge(&self, query: &str, token: &Secret<String>) -> Option<String>;

    /// What the vendor tells. Never fails: a kind that is not known is kept by its name, and a body that is no JSON tells
    /// nothing.
    fn parse(&self, body: &[u8]) -> Parsed;

    /// A message as the vendor can show it, in one piece or several that are to be sent in order.
    fn render(&self, message: &Rendering<'_>) -> Rendered;

    /// The call that sends a piece.
    fn send(&self, account: &str, to: &To<'_>, piece: &Piece, token: &Secret<String>) -> VendorCall;

    /// The calls that tell somebody that what they wrote was read and is being answered. They are signs and no messages: nothing
    /// is lost when they fail.
    fn reading(&self, account: &str, read: &Read<'_>, token: &Secret<String>) -> Vec<VendorCall>;

    /// The call that tells whether an account works.
    fn health(&self, account: &str, token: &Secret<String>) -> VendorCall;

    /// What the answer to a call means for the piece, the account and the time of the next try.
    fn judge(&self, answer: &VendorAnswer<'_>) -> Verdict;

    /// What a code means that came after the vendor had taken a piece.
    fn fault(&self, code: i64) -> Verdict;

    /// How fast may be sent.
    fn pace(&self) -> Pace;
}

/// The vendor of a channel; `None` where there is none, or it is not supported yet.
pub fn vendor(channel: misy_domain::Channel) -> Option<&'static dyn Channel> {
    match channel {
        misy_domain::Channel::Whatsapp => Some(&whatsapp::Whatsapp),
        misy_domain::Channel::Messenger => Some(&messenger::Messenger),
        misy_domain::Channel::Instagram => Some(&instagram::Instagram),
        _ => None,
    }
}
