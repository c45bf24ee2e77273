//! The answers of the Graph API: errors by their code, and how much of what is allowed is used up.

use super::{number, text};
use crate::VendorAnswer;
use serde_json::Value;
use std::time::Duration;

/// The longest that an answer can make us wait; what says more is not believed.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// An error as the vendor tells it. Its words are for people: only code and subcode decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphError {
    /// The code.
    pub code: i64,
    /// The subcode.
    pub subcode: Option<i64>,
    /// Whether the vendor says that it passes.
    pub is_transient: bool,
}

/// The error that an answer tells, if it does.
pub fn graph_error(body: &[u8]) -> Option<GraphError> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    Some(GraphError {
        code: number(error, "code")?,
        subcode: number(error, "error_subcode"),
        is_transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or_default(),
    })
}

/// Whether nobody knows what became of a call: a gateway answers, or the vendor fails without a reason of its own. It may have been
/// taken before.
pub fn is_unsure(status: u16, error: Option<GraphError>) -> bool {
    const OF_NO_REASON: [i64; 4] = [1, 2, 131_000, 131_016];
    match error {
        Some(error) => status >= 500 && (error.is_transient || OF_NO_REASON.contains(&error.code)),
        None => status == 408 || status >= 500,
    }
}

/// How long the vendor wants to be left alone: `retry-after` in seconds, or the time that the usage header says, in minutes.
pub fn waits(answer: &VendorAnswer<'_>) -> Option<Duration> {
    let said = answer.retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let regained =
        answer.usage.and_then(regained).map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    said.max(regained).filter(|wait| !wait.is_zero()).map(|wait| wait.min(LONGEST_WAIT))
}

/// The longest `estimated_time_to_regain_access` of the usage header.
fn regained(header: &str) -> Option<u64> {
    let usage: Value = serde_json::from_str(header).ok()?;
    let all = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    all.filter_map(|one| text(one, "estimated_time_to_regain_access")?.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer<'a>(retry_after: Option<&'a str>, usage: Option<&'a str>) -> VendorAnswer<'a> {
        VendorAnswer { status: 400, retry_after, usage, body: b"", tries: 0 }
    }

    #[test]
    fn the_longer_wait_counts_and_none_is_longer_than_a_day() {
        let usage = r#"{"1":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":19}]}"#;
        assert_eq!(waits(&answer(None, None)), None);
        assert_eq!(waits(&answer(Some("30"), None)), Some(Duration::from_secs(30)));
        assert_eq!(waits(&answer(Some("30"), Some(usage))), Some(Duration::from_mins(19)));
        assert_eq!(waits(&answer(Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some("{]"))), None);
        assert_eq!(waits(&answer(Some("99999999999"), None)), Some(LONGEST_WAIT));
    }

    #[test]
    fn an_error_is_read_by_its_code() {
        let body = br#"{"error":{"message":"x","code":131056,"error_subcode":2494055,"is_transient":true}}"#;
        let error = GraphError { code: 131_056, subcode: Some(2_494_055), is_transient: true };
        assert_eq!(graph_error(body), Some(error));
        for body in ["", "{}", "[]", r#"{"error":"no"}"#, r#"{"error":{"code":"x"}}"#] {
            assert_eq!(graph_error(body.as_bytes()), None, "{body}");
        }
    }
}
