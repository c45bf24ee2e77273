//! What replicas write to each other: all of one length, of numbers only, and with a seal that only they can make. Whoever
//! writes to Redis can withhold letters and repeat young ones, which does no harm, and say nothing of its own.

use super::Telling;
use crate::bell::{Agent, News, Typing};
use misy_domain::{Clock, ConversationId, Secret, TenantId};
use misy_trust::MacKey;
use std::sync::Arc;

const VERSION: u8 = 1;
const SEAL: usize = 32;
/// Version, replica, time, kind, conversation, sequence, who is typing; and the seal.
const BODY: usize = 1 + 8 + 8 + 1 + 16 + 8 + 1;
pub(super) const LENGTH: usize = BODY + SEAL;
/// So many seconds a letter is good for; the clocks of replicas may differ.
const GOOD_FOR: u64 = 600;

const CHANGED: u8 = 1;
const RUNG: u8 = 2;
const HAS_WORK: u8 = 4;
const STATUS_CHANGED: u8 = 8;

const SILENT: u8 = 255;
const NOBODY: u8 = 254;

/// What the replicas of an installation seal their letters with. Cheap to clone.
#[derive(Clone)]
pub struct Letters {
    key: Arc<MacKey>,
    clock: Arc<dyn Clock>,
}

/// A letter that was opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// The replica that tells, so that it does not listen to itself.
    pub(super) from: u64,
    pub(super) told: Telling,
}

impl Letters {
    /// With a secret that all replicas of the installation have and nobody else.
    pub fn new(secret: &Secret<[u8; 32]>, clock: Arc<dyn Clock>) -> Self {
        let key = misy_trust::derived(secret, "misy letters between replicas");
        Self { key: Arc::new(MacKey::new(&key)), clock }
    }

    pub(super) fn write(&self, tenant: &TenantId, letter: &Letter) -> [u8; LENGTH] {
        let (mut kind, mut conversation, mut sequence, mut typing) = (CHANGED, [0; 16], 0, SILENT);
        if let Telling::Rung { conversation: where_to, news, work } = &letter.told {
            kind = RUNG
                | if *work { HAS_WORK } else { 0 }
                | if news.status_changed { STATUS_CHANGED } else { 0 };
            conversation = where_to.to_bytes();
            sequence = news.sequence.unwrap_or_default();
            typing = match news.typing {
                None => SILENT,
                Some(Typing::Nobody) => NOBODY,
                Some(Typing::By(agent)) => agent.number(),
            };
        }
        let mut bytes = [0; LENGTH];
        let parts: [&[u8]; 7] = [
            &[VERSION],
            &letter.from.to_be_bytes(),
            &self.clock.unix_seconds().to_be_bytes(),
            &[kind],
            &conversation,
            &sequence.to_be_bytes(),
            &[typing],
        ];
        let mut at = 0;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        let seal = self.key.tag(&[tenant.as_str().as_bytes(), &bytes[..BODY]]);
        bytes[BODY..].copy_from_slice(&seal);
        bytes
    }

    /// What a letter on the channel of a tenant says, if a replica of this installation wrote it there lately.
    pub(super) fn read(&self, tenant: &TenantId, bytes: &[u8]) -> Option<Letter> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        let (body, seal) = bytes.split_first_chunk::<BODY>()?;
        if !self.key.is_tag(&[tenant.as_str().as_bytes(), body], seal.try_into().ok()?) {
            return None;
        }
        let ([version], rest) = body.split_first_chunk::<1>()?;
        let (from, rest) = rest.split_first_chunk::<8>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let ([kind], rest) = rest.split_first_chunk::<1>()?;
        let (conversation, rest) = rest.split_first_chunk::<16>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let ([typing], []) = rest.split_first_chunk::<1>()? else { return None };
        let age = self.clock.unix_seconds().abs_diff(i64::from_be_bytes(*at));
        if *version != VERSION || age > GOOD_FOR {
            return None;
        }
        let told = if kind & RUNG == 0 {
            Telling::Changed
        } else {
            let typing = match *typing {
                SILENT => None,
                NOBODY => Some(Typing::Nobody),
                number => Some(Typing::By(Agent::of_number(number)?)),
            };
            let sequence = Some(i64::from_be_bytes(*sequence)).filter(|sequence| *sequence > 0);
            let news = News { sequence, typing, status_changed: kind & STATUS_CHANGED != 0 };
            let conversation = ConversationId::from_bytes(*conversation);
            Telling::Rung { conversation, news, work: kind & HAS_WORK != 0 }
        };
        Some(Letter { from: u64::from_be_bytes(*from), told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_testkit::determinism::{SeededEntropy, TestClock};
    use proptest::prelude::*;

    fn letters(secret: u8, clock: &Arc<TestClock>) -> Letters {
        Letters::new(&Secret::new([secret; 32]), clock.clone())
    }

    fn tellings() -> impl Strategy<Value = Telling> {
        let typing = prop_oneof![
            Just(None),
            Just(Some(Typing::Nobody)),
            (0..Agent::ALL.len()).prop_map(|at| Some(Typing::By(Agent::ALL[at]))),
        ];
        let rung = (any::<u128>(), proptest::option::of(1..i64::MAX), typing, any::<bool>(), any::<bool>());
        prop_oneof![
            Just(Telling::Changed),
            rung.prop_map(|(conversation, sequence, typing, status_changed, work)| Telling::Rung {
                conversation: ConversationId::from_bytes(conversation.to_be_bytes()),
                news: News { sequence, typing, status_changed },
                work,
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_letter_is_read_as_it_was_written_and_not_with_any_bit_changed(
            told in tellings(), from in any::<u64>(), bit in 0..LENGTH * 8
        ) {
            let letters = letters(1, &Arc::default());
            let andina: TenantId = "andina".parse().unwrap();
            let letter = Letter { from, told };
            let mut bytes = letters.write(&andina, &letter);
            let read = letters.read(&andina, &bytes);
            prop_assert_eq!(read, Some(letter));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(letters.read(&andina, &bytes), None);
        }

        #[test]
        fn nothing_else_is_a_letter(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(letters(1, &Arc::default()).read(&"andina".parse().unwrap(), &bytes), None);
        }
    }

    #[test]
    fn a_letter_to_another_tenant_of_another_installation_or_of_another_time_is_none() {
        let clock = Arc::new(TestClock::default());
        let letters_here = letters(1, &clock);
        let (andina, verde) = ("andina".parse().unwrap(), "verde-cafe".parse().unwrap());
        let conversation = ConversationId::new(&*clock, &SeededEntropy::new(1));
        let told = Telling::Rung { conversation, news: News::stored(7), work: true };
        let bytes = letters_here.write(&andina, &Letter { from: 1, told });
        assert!(letters_here.read(&andina, &bytes).is_some());
        assert_eq!(letters_here.read(&verde, &bytes), None);
        assert_eq!(letters(2, &clock).read(&andina, &bytes), None);
        assert_eq!(letters_here.read(&andina, &[&bytes[..], &[0]].concat()), None);
        clock.advance(std::time::Duration::from_secs(GOOD_FOR));
        assert!(letters_here.read(&andina, &bytes).is_some());
        clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(letters_here.read(&andina, &bytes), None, "too old");
    }
}
