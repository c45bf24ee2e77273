//! The only way out over HTTP.
//!
//! Whoever makes the program call an address that somebody else named goes through [`Egress`]. A name is resolved once,
//! every address of it is judged, and the connection goes to one that passed: there is no second look-up that could
//! answer differently. Redirects are followed by hand and judged anew; bodies and times have limits; no proxy of the
//! environment is used.
//!
//! [`Egress::send`] reads an answer whole. [`Egress::open`] hands it over piece by piece, as lines or as events ([`Events`]), and
//! [`Egress::upload`] sends a body piece by piece ([`Upload`]).
//!
//! [`Reach`] says who named the address, and so what it may be.

pub mod address;
mod client;
mod error;
mod events;
mod message;
mod names;
mod streaming;
mod upload;

pub use client::{Egress, EgressSettings};
pub use error::EgressError;
pub use events::{Event, Events};
pub use message::{Request, Response};
pub use names::{Lookup, Names, SystemNames};
pub use streaming::{StreamLimits, Streaming};
pub use upload::{Piece, Upload};

/// Who named the address of a request, and so where it may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// A tenant did: `https` to public addresses of the Internet, nothing else.
    Internet,
    /// The operator did, in the settings: private networks too, and plain `http`, but not this machine itself.
    Operator,
    /// The program itself did: the one address where a cloud tells a machine who it is, over plain `http`.
    Metadata,
}
