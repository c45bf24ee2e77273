//! Rate limits by the generic cell rate algorithm (GCRA): one number of state per limited thing.

use jiff::{SignedDuration, Timestamp};

/// So many requests in a period, with as many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests allowed in one period; also the largest burst. At least 1.
    pub requests: u32,
    /// The period.
    pub period: SignedDuration,
}

impl Quota {
    /// A quota per minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, period: SignedDuration::from_mins(1) }
    }

    /// The time after which one more request is allowed, in microseconds; at least one.
    pub fn interval(&self) -> i64 {
        let period = i64::try_from(self.period.as_micros()).unwrap_or(i64::MAX).max(1);
        (period / i64::from(self.requests.max(1))).max(1)
    }

    /// How far ahead of now a state may be, in microseconds: as far as a burst takes it.
    pub fn burst(&self) -> i64 {
        self.interval().saturating_mul(i64::from(self.requests.max(1)))
    }
}

/// What the algorithm says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The request may pass.
    Allowed {
        /// State to keep: the theoretical arrival time in microseconds since the Unix epoch.
        arrival: i64,
        /// Requests that could still follow at once.
        remaining: u32,
        /// Until the full burst is available again.
        reset: SignedDuration,
    },
    /// The request must not pass.
    Limited {
        /// State to keep: what it was, or less where it was impossible.
        arrival: i64,
        /// Until one request would pass.
        retry_after: SignedDuration,
    },
}

/// Decides one request: `arrival` is the state kept from the last one, `None` if there was none.
pub fn decide(quota: Quota, arrival: Option<i64>, now: Timestamp) -> Verdict {
    decide_for(quota, 1, arrival, now)
}

/// Decides something that weighs as much as so many requests, all of them or none.
///
/// A state further ahead of now than a burst is one that no request can have left: the clock was put back, or somebody
/// forged it. It counts as a full burst, so that nobody is locked out for longer than a burst takes to come back.
pub fn decide_for(quota: Quota, weight: u32, arrival: Option<i64>, now: Timestamp) -> Verdict {
    let now = now.as_microsecond();
    let (interval, burst) = (quota.interval(), quota.burst());
    let kept = arrival.unwrap_or(now).min(now.saturating_add(burst));
    let next = kept.max(now).saturating_add(interval.saturating_mul(i64::from(weight.max(1))));
    let ahead = next - now;
    if ahead > burst {
        return Verdict::Limited { arrival: kept, retry_after: SignedDuration::from_micros(ahead - burst) };
    }
    Verdict::Allowed {
        arrival: next,
        remaining: u32::try_from((burst - ahead) / interval).unwrap_or(u32::MAX),
        reset: SignedDuration::from_micros(ahead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    #[test]
    fn exactly_the_burst_passes_at_once_and_one_more_after_an_interval() {
        let quota = Quota::per_minute(60);
        let mut state = None;
        for left in (0..60).rev() {
            match decide(quota, state, at(0)) {
                Verdict::Allowed { arrival, remaining, .. } => {
                    assert_eq!(remaining, left);
                    state = Some(arrival);
                }
                Verdict::Limited { .. } => panic!("limited with {left} left"),
            }
        }
        let full = Verdict::Limited { arrival: 60_000_000, retry_after: SignedDuration::from_secs(1) };
        assert_eq!(decide(quota, state, at(0)), full);
        assert!(matches!(decide(quota, state, at(1_000_000)), Verdict::Allowed { remaining: 0, .. }));
    }

    #[test]
    fn what_weighs_more_takes_as_much_as_so_many_requests_and_all_of_it_or_nothing() {
        let quota = Quota::per_minute(60);
        let Verdict::Allowed { arrival, remaining: 20, .. } = decide_for(quota, 40, None, at(0)) else {
            panic!("does not pass")
        };
        let full = Verdict::Limited { arrival, retry_after: SignedDuration::from_secs(20) };
        assert_eq!(decide_for(quota, 40, Some(arrival), at(0)), full);
        assert!(matches!(decide_for(quota, 20, Some(arrival), at(0)), Verdict::Allowed { remaining: 0, .. }));
        // What weighs more than the whole burst never passes.
        assert!(matches!(decide_for(quota, 61, None, at(0)), Verdict::Limited { .. }));
        assert!(matches!(decide_for(quota, u32::MAX, Some(i64::MAX), at(0)), Verdict::Limited { .. }));
    }

    #[test]
    fn a_clock_that_jumps_back_or_a_forged_state_locks_nobody_out_for_longer_than_a_burst() {
        let quota = Quota::per_minute(6);
        let now = at(5_000_000_000);
        for impossible in [i64::MAX, 9_000_000_000_000_000_000, now.as_microsecond() + 60_000_001] {
            let Verdict::Limited { arrival, retry_after } = decide(quota, Some(impossible), now) else {
                panic!("{impossible} passes")
            };
            assert_eq!(retry_after, SignedDuration::from_secs(10));
            let later = now + retry_after;
            assert!(matches!(decide(quota, Some(arrival), later), Verdict::Allowed { remaining: 0, .. }));
        }
        for past in [i64::MIN, -1, 0] {
            assert!(matches!(decide(quota, Some(past), now), Verdict::Allowed { remaining: 5, .. }));
        }
    }
}
