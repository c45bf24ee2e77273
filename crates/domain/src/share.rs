//! What one visitor, and one network, may take in a day of what a tenant has left for the month. A visitor proves nothing
//! about who they are, so what one of them takes must leave something for all others.

use crate::{limit::Quota, network::Width};
use jiff::SignedDuration;

/// What a visitor uses up or leaves behind. Each is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trace {
    /// A message.
    Message,
    /// A session with its contact and conversation.
    Session,
    /// A token that goes on with the sessions of another.
    Renewal,
    /// A token that was given up.
    Revocation,
    /// A file.
    File,
    /// A booking.
    Booking,
}

impl Trace {
    /// Its name in what is counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Session => "session",
            Self::Renewal => "renewal",
            Self::Revocation => "revocation",
            Self::File => "file",
            Self::Booking => "booking",
        }
    }
}

/// What may be taken in a day. A part of what is left: who takes all of their part leaves nine tenths and more to others,
/// on each day of the month anew, so that the end of the quota is not reached by a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// By one visitor: a chain of tokens.
    pub visitor: Quota,
    /// By one host: an IPv4 address or a /64 of IPv6. Many visitors may share it.
    pub host: Quota,
    /// By a home, a /56 of IPv6.
    pub home: Quota,
    /// By a region, of which anybody gets one of IPv6 for nothing.
    pub region: Quota,
}

impl Shares {
    /// Of files, which take room and not messages: what many who chat from one place send, whatever is left of the month.
    const FILES: Self = Self { visitor: a_day(60), host: a_day(120), home: a_day(120), region: a_day(240) };

    /// The shares while so many messages, or bookings, are left of the month.
    pub fn of(trace: Trace, left: i64) -> Self {
        if trace == Trace::File {
            return Self::FILES;
        }
        if trace == Trace::Booking {
            // What somebody books for themselves and their family.
            return Self {
                visitor: part(left, 20, 4),
                host: part(left, 10, 8),
                home: part(left, 10, 8),
                region: part(left, 5, 16),
            };
        }
        // A page that is opened takes up a session again, without a message.
        let times = if trace == Trace::Message { 1 } else { 4 };
        let least = |messages: u32| messages * times;
        Self {
            visitor: part(left, 20, least(30)),
            host: part(left, 10, least(60)),
            home: part(left, 10, least(60)),
            region: part(left, 5, least(120)),
        }
    }
}

impl Shares {
    /// What files may take in a day, in KiB of the room that a tenant has for all. A file of the largest kind fits each time.
    pub fn of_room(room: i64, largest: u64) -> Self {
        let kib = |bytes: i64| u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
        let largest = kib(i64::try_from(largest.div_ceil(1024).saturating_mul(1024)).unwrap_or(i64::MAX));
        let part = |parts: i64| a_day(kib(room / parts).max(largest));
        Self { visitor: part(50), host: part(25), home: part(25), region: part(10) }
    }

    /// The share of a network.
    pub fn of_network(&self, width: Width) -> Quota {
        match width {
            Width::Host => self.host,
            Width::Home => self.home,
            Width::Region => self.region,
        }
    }
}

/// What all programs of a tenant together may leave behind in a day, of each kind: more than a large site needs, and an end.
/// Messages are not among it, since the quota of the month is their end.
pub const OF_PROGRAMS: Quota = Quota { requests: 200_000, period: SignedDuration::from_hours(24) };

/// The least that a network may take of a limit in its period: what a page does that somebody reads.
const LEAST: u32 = 60;

/// What the visitors of one network may take together of a rate limit that all visitors of a tenant share: a tenth, or a
/// fifth if it is a region. So five networks at least have to come together before others are kept waiting.
pub fn of_limit(shared: Quota, width: Width) -> Quota {
    let parts = match width {
        Width::Host | Width::Home => 10,
        Width::Region => 5,
    };
    Quota { requests: (shared.requests / parts).max(LEAST).min(shared.requests), ..shared }
}

const fn a_day(requests: u32) -> Quota {
    Quota { requests, period: SignedDuration::from_hours(24) }
}

/// One of so many parts a day, and not less than what a conversation needs. Of what is left as a power of two: a rule that
/// changed with each message would be another rule each time, and begin its count anew.
fn part(left: i64, parts: i64, least: u32) -> Quota {
    let level = u64::try_from(left).unwrap_or_default().checked_ilog2().map_or(0, |log| 1_i64 << log);
    let requests = u32::try_from(level / parts).unwrap_or(u32::MAX);
    a_day(requests.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Verdict, decide};
    use jiff::Timestamp;

    const DAY: i64 = 24 * 60;

    /// What a network gets that takes all it can for so many minutes, of a quota that only it uses.
    fn taken(quota: i64, minutes: i64) -> i64 {
        let (mut left, mut states) = (quota, std::collections::HashMap::new());
        for minute in 0..minutes {
            let now = Timestamp::from_second(minute * 60).unwrap();
            while left > 0 {
                let rule = Shares::of(Trace::Message, left).host;
                // Each rule has a count of its own.
                match decide(rule, states.get(&rule.requests).copied(), now) {
                    Verdict::Allowed { arrival, .. } => {
                        states.insert(rule.requests, arrival);
                        left -= 1;
                    }
                    Verdict::Limited { .. } => break,
                }
            }
        }
        quota - left
    }

    #[test]
    fn one_network_leaves_most_of_a_month_to_others() {
        assert_eq!(taken(5_000, 1), 409);
        assert!(taken(5_000, DAY) < 1_000, "{}", taken(5_000, DAY));
        assert!(taken(5_000, 7 * DAY) < 3_500, "{}", taken(5_000, 7 * DAY));
    }

    #[test]
    fn a_network_never_gets_more_than_its_part_of_a_limit() {
        for requests in [1, 17, 59, 60, 61, 599, 600, 12_000, u32::MAX] {
            let shared = Quota::per_minute(requests);
            for (width, parts) in [(Width::Host, 10), (Width::Home, 10), (Width::Region, 5)] {
                let share = of_limit(shared, width);
                assert_eq!(share.period, shared.period);
                assert!(share.requests <= requests && share.requests <= (requests / parts).max(LEAST));
            }
        }
    }

    const FREE_ROOM: i64 = 1 << 30;

    #[test]
    fn a_few_visitors_fill_no_room_of_files() {
        let shares = Shares::of_room(FREE_ROOM, 5 << 20);
        assert_eq!((shares.visitor.requests, shares.host.requests), (20 * 1024 + 491, 40 * 1024 + 983));
        assert!(i64::from(shares.region.requests) * 1024 <= FREE_ROOM / 10);
        // However little room there is, a file that may be sent at all can be.
        assert_eq!(Shares::of_room(0, 5 << 20).visitor.requests, 5 * 1024);
        assert_eq!(Shares::of_room(i64::MAX, u64::MAX).host.requests, u32::MAX);
    }

    #[test]
    fn a_family_can_book_and_nobody_books_a_month_in_a_day() {
        for (left, visitor, host, region) in [(0, 4, 8, 16), (100, 4, 8, 16), (10_000, 409, 819, 1638)] {
            let shares = Shares::of(Trace::Booking, left);
            assert_eq!(
                (shares.visitor.requests, shares.host.requests, shares.region.requests),
                (visitor, host, region)
            );
        }
    }

    #[test]
    fn there_is_always_enough_for_a_conversation_and_no_number_is_too_large() {
        for left in [i64::MIN, -1, 0, 1, 100] {
            let shares = Shares::of(Trace::Message, left);
            assert_eq!((shares.visitor.requests, shares.host.requests), (30, 60));
        }
        assert_eq!(Shares::of(Trace::Message, 5_000).visitor.requests, 204);
        assert_eq!(Shares::of(Trace::Session, i64::MAX).region.requests, u32::MAX);
    }
}
