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
    /// The request must not pass; the state stays as it was.
    Limited {
        /// Until one request would pass.
        retry_after: SignedDuration,
    },
}

/// Decides one request: `arrival` is the state kept from the last one that passed, `None` if there was none.
pub fn decide(quota: Quota, arrival: Option<i64>, now: Timestamp) -> Verdict {
    let now = now.as_microsecond();
    let requests = i64::from(quota.requests.max(1));
    let interval = quota.interval();
    let next = arrival.unwrap_or(now).max(now).saturating_add(interval);
    let ahead = next - now;
    let burst = interval.saturating_mul(requests);
    if ahead > burst {
        return Verdict::Limited { retry_after: SignedDuration::from_micros(ahead - burst) };
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
        assert_eq!(
            decide(quota, state, at(0)),
            Verdict::Limited { retry_after: SignedDuration::from_secs(1) }
        );
        assert!(matches!(decide(quota, state, at(1_000_000)), Verdict::Allowed { remaining: 0, .. }));
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_lock_anybody_out_for_longer_than_the_period() {
        let quota = Quota::per_minute(1);
        let Verdict::Allowed { arrival, .. } = decide(quota, None, at(10_000_000)) else { panic!() };
        let Verdict::Limited { retry_after } = decide(quota, Some(arrival), at(9_000_000)) else { panic!() };
        assert!(retry_after <= SignedDuration::from_secs(61));
    }
}
