//! What the vendor's codes mean for a message, its account and the time of the next try.

use crate::{
    Reason, VendorAnswer, Verdict,
    meta::{graph_error, id, is_unsure, waits},
};
use serde_json::Value;

pub(crate) fn judge(answer: &VendorAnswer<'_>) -> Verdict {
    if (200..300).contains(&answer.status) {
        let body: Option<Value> = serde_json::from_slice(answer.body).ok();
        return Verdict::Taken(body.and_then(|body| id(&body, "message_id")));
    }
    let error = graph_error(answer.body);
    let code = error.map(|error| error.code);
    if is_unsure(answer.status, error) {
        return Verdict::Unsure;
    }
    let after = waits(answer);
    if let Some(known) = error.and_then(|error| of_code(error.code, error.subcode)) {
        return match known {
            Verdict::Retry { reason, code, .. } => Verdict::Retry { after, reason, code },
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

/// What a code means that comes of itself.
pub(crate) fn fault(code: i64) -> Verdict {
    of_code(code, None).unwrap_or(Verdict::GiveUp { reason: Reason::Refused, code: Some(code) })
}

/// The table of the vendor's codes.
fn of_code(known: i64, subcode: Option<i64>) -> Option<Verdict> {
    let code = Some(known);
    let retry = |reason| Verdict::Retry { after: None, reason, code };
    let pause = |reason| Verdict::Pause { reason, code };
    let give_up = |reason| Verdict::GiveUp { reason, code };
    Some(match (known, subcode) {
        (10, Some(2_018_278 | 2_534_022)) => Verdict::WindowClosed,
        // Another app has the thread: of this message nothing comes, of the account everything.
        (10, Some(2_018_300)) => give_up(Reason::Refused),
        (1, Some(99 | 1_357_046)) => Verdict::Unsure,
        (4 | 17 | 32 | 613 | 80_001 | 80_002 | 80_006, _) => retry(Reason::Throttled),
        (2, Some(2_018_344)) | (33 | 341 | 368, _) => pause(Reason::Blocked),
        (1 | 2 | 1_200, _) => retry(Reason::Unavailable),
        (551 | 200 | 1_545_041, _) | (100, Some(2_018_001)) => give_up(Reason::Unreachable),
        (3 | 10 | 102 | 190 | 201..=299, _) => pause(Reason::Unauthorised),
        (9 | 100 | 36_000, _) => give_up(Reason::Refused),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: i64, subcode: Option<i64>) -> Verdict {
        let body = serde_json::json!({ "error": { "code": code, "error_subcode": subcode } }).to_string();
        judge(&VendorAnswer { status, retry_after: None, usage: None, body: body.as_bytes(), tries: 0 })
    }

    #[test]
    fn each_code_of_the_reference_has_its_meaning() {
        for code in [4, 17, 32, 613, 80_001, 80_002, 80_006] {
            let waits = Verdict::Retry { after: None, reason: Reason::Throttled, code: Some(code) };
            assert_eq!(of(400, code, None), waits);
        }
        for code in [1, 2, 1_200] {
            let waits = Verdict::Retry { after: None, reason: Reason::Unavailable, code: Some(code) };
            assert_eq!(of(400, code, None), waits);
        }
        assert_eq!(of(500, 2, None), Verdict::Unsure, "it may have been taken");
        for code in [3, 10, 102, 190, 230, 299] {
            let pauses = Verdict::Pause { reason: Reason::Unauthorised, code: Some(code) };
            assert_eq!(of(403, code, None), pauses);
        }
        for code in [341, 368] {
            assert_eq!(of(400, code, None), Verdict::Pause { reason: Reason::Blocked, code: Some(code) });
        }
        for (code, subcode) in [(551, None), (200, None), (1_545_041, None), (100, Some(2_018_001))] {
            let gives_up = Verdict::GiveUp { reason: Reason::Unreachable, code: Some(code) };
            assert_eq!(of(400, code, subcode), gives_up);
        }
        for code in [100, 36_000, 9] {
            assert_eq!(of(400, code, None), Verdict::GiveUp { reason: Reason::Refused, code: Some(code) });
        }
        for subcode in [2_018_278, 2_534_022] {
            assert_eq!(of(400, 10, Some(subcode)), Verdict::WindowClosed);
        }
        assert_eq!(of(500, 1, Some(99)), Verdict::Unsure);
    }

    #[test]
    fn what_was_taken_has_the_id_that_the_vendor_says() {
        let taken = |body: &[u8]| {
            judge(&VendorAnswer { status: 200, retry_after: None, usage: None, body, tries: 0 })
        };
        let body = br#"{"recipient_id":"1000000000000001","message_id":"m_AG5Hz2"}"#;
        assert_eq!(taken(body), Verdict::Taken(Some("m_AG5Hz2".to_owned())));
        for odd in ["", "{}", r#"{"message_id":7.5}"#, "[1"] {
            assert!(matches!(taken(odd.as_bytes()), Verdict::Taken(_)), "{odd}");
        }
    }
}
