//! What WhatsApp, Instagram and Messenger share: the signature, the subscription, the errors of the Graph API, the units of time.

mod answer;
mod json;
pub mod page;
mod signature;

pub use answer::{GraphError, graph_error, is_unsure, waits};
pub(crate) use json::{MOST_EVENTS, cut, id, is_within, kept, list, number, text, texts, time};
pub use signature::{SIGNATURE_HEADER, app_secret_proof, challenge, verify};

/// A call to the Graph API.
pub(crate) fn call(
    asked: crate::Asked,
    path: String,
    body: Option<serde_json::Value>,
    token: &misy_domain::Secret<String>,
) -> crate::VendorCall {
    let authorization = misy_domain::Secret::new(format!("Bearer {}", token.expose()));
    crate::VendorCall { asked, path, body, authorization }
}
