//! What `misy doctor` says of the loops of the program that runs on a given server.

use super::Finding;
use misy_store::{Database, DatabaseOptions, loops::LoopState};
use std::time::Duration;

/// Who has rested for so long was switched off.
const GONE: Duration = Duration::from_hours(24);

pub(super) async fn check(options: &DatabaseOptions) -> Finding {
    let database = Database::open(options);
    let loops = database.loops().await;
    database.close().await;
    judge(&loops.map_err(|error| error.to_string())?)
}

fn judge(loops: &[LoopState]) -> Finding {
    let lately: Vec<_> = loops.iter().filter(|one| one.rested < GONE).collect();
    if lately.iter().all(|one| is_late(one)) {
        return Ok("none ran lately: the program does not run".into());
    }
    let (mut fine, mut wrong) = (Vec::new(), Vec::new());
    for LoopState { name, period, failure, rested, .. } in lately.iter().copied() {
        match failure {
            Some(failure) => wrong.push(format!("{name} fails: {failure}")),
            None if is_late_by(*rested, *period) => {
                wrong.push(format!(
                    "{name} should run every {period:?} and has not for {} s",
                    rested.as_secs()
                ));
            }
            None => fine.push(name.as_str()),
        }
    }
    if wrong.is_empty() {
        Ok(format!("{} run as they should", fine.join(", ")))
    } else {
        Err(wrong.join("; "))
    }
}

fn is_late(one: &LoopState) -> bool {
    is_late_by(one.rested, one.period)
}

/// A loop is noted twice a minute at most; each may be slow for a while.
fn is_late_by(rested: Duration, period: Duration) -> bool {
    rested > period * 10 + Duration::from_mins(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_domain::Timestamp;

    fn state(name: &str, rested: u64, failure: Option<&str>) -> LoopState {
        LoopState {
            name: name.into(),
            role: "misy_worker".into(),
            period: Duration::from_secs(1),
            last_run: Timestamp::UNIX_EPOCH,
            last_failure: None,
            failure: failure.map(str::to_owned),
            rested: Duration::from_secs(rested),
        }
    }

    #[test]
    fn loops_that_fail_or_hang_are_named_and_a_program_that_is_stopped_is_not_blamed() {
        assert_eq!(
            judge(&[state("seal", 3, None), state("purge", 20, None)]).unwrap(),
            "seal, purge run as they should"
        );
        let wrong =
            judge(&[state("seal", 3, Some("no room")), state("purge", 200, None), state("mail", 1, None)]);
        assert_eq!(
            wrong.unwrap_err(),
            "seal fails: no room; purge should run every 1s and has not for 200 s"
        );
        assert!(
            judge(&[state("seal", 200, Some("stopped")), state("purge", 300, None)])
                .unwrap()
                .contains("does not run")
        );
        // Switched off long ago.
        assert_eq!(
            judge(&[state("seal", 3, None), state("mail", 100_000, None)]).unwrap(),
            "seal run as they should"
        );
    }
}
