//! What the program tells of itself: traces that follow a message, and the names of all metrics.
//!
//! A trace begins with a request. Its place is stored with the message, so the turn that answers it goes on with the same
//! trace, perhaps in another process and after a restart, and so does the event that brings the answer. Whether a trace is
//! recorded is decided once, where it begins, by this installation alone.
//!
//! Here is only the interface: without a provider (`server` installs one when the operator names a receiver) a span costs
//! a look at a flag. A span holds ids and codes, never what somebody wrote: [`Field`] lists all that it can hold.

pub mod metrics;
mod span;

pub use span::{Field, InSpan, Span, Traced, record};
