//! What the vendor's codes mean for a message, its account and the time of the next try.

use crate::{
    Reason, VendorAnswer, Verdict,
    meta::{graph_error, id, is_unsure, waits},
};
use serde_json::Value;
use std::time::Duration;

/// Too many messages to one person: after 4^X seconds, X the tries until then.
const TO_THE_SAME_PERSON: i64 = 131_056;

pub(super) fn judge(answer: &VendorAnswer<'_>) -> Verdict {
    if (200..300).contains(&answer.status) {
        return Verdict::Taken(taken_as(answer.body));
    }
    let error = graph_error(answer.body);
    let code = error.map(|error| error.code);
    if is_unsure(answer.status, error) {
        return Verdict::Unsure;
    }
    let after = waits(answer);
    if let Some(known) = code.and_then(|code| of_code(code, answer.tries)) {
        return match known {
            Verdict::Retry { after: own, reason, code } => {
                Verdict::Retry { after: after.or(own), reason, code }
            }
            other => other,
        };
    }
    // A code that is not in the table: what the vendor says of it, then what HTTP says.
    if error.is_some_and(|error| error.is_transient) {
        return Verdict::Retry { after, reason: Reason::Unavailable, code };
    }
    match answer.status {
        429 => Verdict::Retry { after, reason: Reason::Throttled, code },
        401 | 403 => Verdict::Pause { reason: Reason::Unauthorised, code },
        500.. => Verdict::Retry { after, reason: Reason::Unavailable, code },
        _ => Verdict::GiveUp { reason: Reason::Refused, code },
    }
}

/// What a code means that came after a message was taken.
pub(super) fn fault(code: i64) -> Verdict {
    of_code(code, 0).unwrap_or(Verdict::GiveUp { reason: Reason::Refused, code: Some(code) })
}

/// The table of the vendor's codes.
fn of_code(known: i64, tries: u32) -> Option<Verdict> {
    let code = Some(known);
    let retry = |reason| Verdict::Retry { after: None, reason, code };
    let pause = |reason| Verdict::Pause { reason, code };
    let give_up = |reason| Verdict::GiveUp { reason, code };
    Some(match known {
        TO_THE_SAME_PERSON => Verdict::Retry {
            after: Some(Duration::from_secs(4_u64.pow(tries.min(6)))),
            reason: Reason::Throttled,
            code,
        },
        4 | 80_007 | 80_008 | 130_429 | 133_016 | 131_057 => retry(Reason::Throttled),
        1 | 2 | 131_000 | 131_016 | 133_004 | 131_053 => retry(Reason::Unavailable),
        131_047 => Verdict::WindowClosed,
        0 | 3 | 10 | 102 | 190 | 200..=299 | 131_005 => pause(Reason::Unauthorised),
        33 | 341 | 368 | 130_497 | 131_031 | 131_042 | 131_045 | 131_048 | 131_064 => pause(Reason::Blocked),
        131_026 | 131_050 | 131_049 | 130_472 | 131_030 => give_up(Reason::Unreachable),
        100
        | 131_008
        | 131_009
        | 131_021
        | 131_051
        | 131_062
        | 132_000..=132_016
        | 132_068
        | 132_069
        | 134_011
        | 135_000
        | 137_000 => give_up(Reason::Refused),
        _ => return None,
    })
}

/// The vendor's id of a message that it took. It is taken also when the answer says no id.
fn taken_as(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    id(body.get("messages")?.get(0)?, "id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: i64) -> Verdict {
        let body = format!(r#"{{"error":{{"message":"x","code":{code}}}}}"#);
        judge(&VendorAnswer { status, retry_after: None, usage: None, body: body.as_bytes(), tries: 0 })
    }

    #[test]
    fn each_code_of_the_reference_has_its_meaning() {
        for code in [4, 80_007, 130_429, 133_016] {
            assert_eq!(
                of(400, code),
                Verdict::Retry { after: None, reason: Reason::Throttled, code: Some(code) }
            );
        }
        for code in [1, 2, 131_000, 131_016] {
            assert_eq!(of(500, code), Verdict::Unsure, "it may have been taken");
        }
        for code in [1, 2, 131_000, 131_016, 133_004, 131_053] {
            assert_eq!(
                of(400, code),
                Verdict::Retry { after: None, reason: Reason::Unavailable, code: Some(code) }
            );
        }
        for code in [0, 3, 10, 190, 200, 250, 299, 131_005] {
            assert_eq!(of(403, code), Verdict::Pause { reason: Reason::Unauthorised, code: Some(code) });
        }
        for code in [131_048, 131_031, 131_042, 131_045, 368, 130_497, 131_064, 33] {
            assert_eq!(of(400, code), Verdict::Pause { reason: Reason::Blocked, code: Some(code) });
        }
        for code in [131_026, 131_050, 131_049, 130_472, 131_030] {
            assert_eq!(of(400, code), Verdict::GiveUp { reason: Reason::Unreachable, code: Some(code) });
        }
        for code in [
            100, 131_008, 131_009, 131_051, 132_000, 132_001, 132_015, 132_068, 134_011, 135_000, 131_062,
            137_000,
        ] {
            assert_eq!(of(400, code), Verdict::GiveUp { reason: Reason::Refused, code: Some(code) });
        }
        assert_eq!(of(400, 131_047), Verdict::WindowClosed);
    }

    #[test]
    fn messages_to_the_same_person_wait_four_times_longer_each_time() {
        let waits = |tries| {
            let body = br#"{"error":{"code":131056}}"#;
            judge(&VendorAnswer { status: 400, retry_after: None, usage: None, body, tries })
        };
        let seconds = |seconds| Verdict::Retry {
            after: Some(Duration::from_secs(seconds)),
            reason: Reason::Throttled,
            code: Some(131_056),
        };
        assert_eq!(
            [waits(0), waits(1), waits(2), waits(3)],
            [seconds(1), seconds(4), seconds(16), seconds(64)]
        );
        assert_eq!(waits(4_000_000_000), seconds(4_096));
    }

    #[test]
    fn what_is_not_in_the_table_is_judged_by_its_status() {
        let of_status = |status, body: &[u8]| {
            judge(&VendorAnswer { status, retry_after: Some("7"), usage: None, body, tries: 0 })
        };
        let after = Some(Duration::from_secs(7));
        assert_eq!(of_status(429, b""), Verdict::Retry { after, reason: Reason::Throttled, code: None });
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(
                of_status(status, b"<html>"),
                Verdict::Unsure,
                "a gateway says nothing of the message"
            );
        }
        let known = br#"{"error":{"code":133004}}"#;
        let passes = Verdict::Retry { after, reason: Reason::Unavailable, code: Some(133_004) };
        assert_eq!(of_status(503, known), passes);
        assert_eq!(of_status(401, b""), Verdict::Pause { reason: Reason::Unauthorised, code: None });
        assert_eq!(of_status(404, b"{}"), Verdict::GiveUp { reason: Reason::Refused, code: None });
        let passing = br#"{"error":{"code":999999,"is_transient":true}}"#;
        assert_eq!(
            of_status(400, passing),
            Verdict::Retry { after, reason: Reason::Unavailable, code: Some(999_999) }
        );
    }

    #[test]
    fn what_was_taken_has_the_id_that_the_vendor_says() {
        let taken = |body: &[u8]| {
            judge(&VendorAnswer { status: 200, retry_after: None, usage: None, body, tries: 0 })
        };
        let body = br#"{"messages":[{"id":"wamid.OUT1","message_status":"accepted"}]}"#;
        assert_eq!(taken(body), Verdict::Taken(Some("wamid.OUT1".to_owned())));
        for odd in ["", "{}", r#"{"messages":[]}"#, r#"{"messages":[{"id":7.5}]}"#, "[1"] {
            assert!(matches!(taken(odd.as_bytes()), Verdict::Taken(_)), "{odd}");
        }
    }
}
