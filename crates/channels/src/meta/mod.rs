//! What WhatsApp, Instagram and Messenger share: the signature, the subscription, the errors of the Graph API, the units of time.

mod answer;
mod json;
mod signature;

pub use answer::{GraphError, graph_error, waits};
pub(crate) use json::{list, number, text, time};
pub use signature::{SIGNATURE_HEADER, app_secret_proof, challenge, verify};
