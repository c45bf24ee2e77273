//! Why somebody does something to another tenant.

use crate::{api::tenants::Mistakes, json, pipeline::Received, problem::Problem, query};
use http::HeaderName;

/// Says why, for calls whose body has no `reason`: percent-encoded UTF-8.
const HEADER: HeaderName = HeaderName::from_static("x-misy-reason");

/// A reason as it was given.
pub(super) struct Reason {
    text: String,
    pointer: &'static str,
}

impl Reason {
    /// What a call says: `reason` of its body, or the header where the body has none.
    pub(super) fn of(received: &Received) -> Result<Option<Self>, Problem> {
        // Forms write blanks as `+`, headers do not.
        let decode = |text: &str| query::decode(&text.replace('+', "%2B"));
        let header = received.header(&HEADER).map(decode).transpose()?;
        let body = json::parse(&received.body).ok();
        let body = body.as_ref().and_then(|body| body.get("reason")?.as_str()).map(str::to_owned);
        match (header, body) {
            (Some(_), Some(_)) => Err(Problem::bad_request("The reason must be given once.")),
            (Some(text), None) => Ok(Some(Self { text, pointer: "X-Misy-Reason" })),
            (None, Some(text)) => Ok(Some(Self { text, pointer: "/reason" })),
            (None, None) => Ok(None),
        }
    }

    /// The reason, if it says anything.
    pub(super) fn checked(self) -> Result<String, Problem> {
        let mut mistakes = Mistakes::default();
        mistakes.why(self.pointer, &self.text);
        mistakes.into_result()?;
        Ok(self.text)
    }
}
