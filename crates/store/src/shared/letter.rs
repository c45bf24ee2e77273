//! What replicas write to each other. Most letters are numbers only, all of one length, with a tag that only replicas can make.
//! Those with what an agent is writing are sealed, so that Redis and whoever sees it reads nothing, and have a greatest length.
//! Whoever writes to Redis can withhold letters and repeat young ones, which does no harm, and say nothing of its own.

use super::Telling;
use crate::bell::{Agent, MOST_WRITTEN, News, Typing, Written};
use misy_domain::{Clock, ConversationId, Entropy, Secret, TenantId};
use misy_trust::{
    MacKey, Place,
    seal::{DataKey, OVERHEAD, open, seal},
};
use std::sync::Arc;

const VERSION: u8 = 1;
const SEAL: usize = 32;
/// Version, replica, time, kind, conversation, sequence, who is typing; and the seal.
const BODY: usize = 1 + 8 + 8 + 1 + 16 + 8 + 1;
pub(super) const LENGTH: usize = BODY + SEAL;
/// The first byte of a letter with words; the rest is sealed.
const WORDS: u8 = 2;
/// What stands before the words: replica, time, conversation, turn, who writes.
const BEFORE_WORDS: usize = 8 + 8 + 16 + 8 + 1;
/// The longest letter.
pub(super) const LONGEST: usize = 1 + OVERHEAD + BEFORE_WORDS + MOST_WRITTEN;
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
    /// For letters with words.
    words: Arc<DataKey>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
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
    pub fn new(secret: &Secret<[u8; 32]>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let key = misy_trust::derived(secret, "misy letters between replicas");
        let words = misy_trust::derived(secret, "misy words between replicas");
        let (key, words) = (Arc::new(MacKey::new(&key)), Arc::new(DataKey::new(1, words)));
        Self { key, words, clock, entropy }
    }

    pub(super) fn write(&self, tenant: &TenantId, letter: &Letter) -> Vec<u8> {
        match &letter.told {
            Telling::Rung { conversation, news, work } => {
                let kind = RUNG
                    | if *work { HAS_WORK } else { 0 }
                    | if news.status_changed { STATUS_CHANGED } else { 0 };
                let typing = match news.typing {
                    None => SILENT,
                    Some(Typing::Nobody) => NOBODY,
                    Some(Typing::By(agent)) => agent.number(),
                };
                let sequence = news.sequence.unwrap_or_default();
                self.write_numbers(tenant, letter.from, kind, &conversation.to_bytes(), sequence, typing)
            }
            Telling::Changed => self.write_numbers(tenant, letter.from, CHANGED, &[0; 16], 0, SILENT),
            Telling::Written { conversation, written } => {
                self.write_words(tenant, letter.from, *conversation, written)
            }
        }
    }

    fn write_numbers(
        &self,
        tenant: &TenantId,
        from: u64,
        kind: u8,
        conversation: &[u8; 16],
        sequence: i64,
        typing: u8,
    ) -> Vec<u8> {
        let (from, now) = (from.to_be_bytes(), self.clock.unix_seconds().to_be_bytes());
        let parts: [&[u8]; 7] =
            [&[VERSION], &from, &now, &[kind], conversation, &sequence.to_be_bytes(), &[typing]];
        let mut bytes = parts.concat();
        let seal = self.key.tag(&[tenant.as_str().as_bytes(), &bytes]);
        bytes.extend_from_slice(&seal);
        bytes
    }

    fn write_words(
        &self,
        tenant: &TenantId,
        from: u64,
        conversation: ConversationId,
        written: &Written,
    ) -> Vec<u8> {
        let (from, now) = (from.to_be_bytes(), self.clock.unix_seconds().to_be_bytes());
        let (conversation, turn) = (conversation.to_bytes(), written.turn.to_be_bytes());
        let parts: [&[u8]; 6] =
            [&from, &now, &conversation, &turn, &[written.agent.number()], written.text.as_bytes()];
        let sealed = seal(&self.words, &place(tenant), &parts.concat(), &*self.entropy);
        [&[WORDS], &*sealed].concat()
    }

    /// What a letter on the channel of a tenant says, if a replica of this installation wrote it there lately.
    pub(super) fn read(&self, tenant: &TenantId, bytes: &[u8]) -> Option<Letter> {
        match bytes {
            [WORDS, sealed @ ..] if bytes.len() <= LONGEST => self.read_words(tenant, sealed),
            _ => self.read_numbers(tenant, bytes),
        }
    }

    fn read_words(&self, tenant: &TenantId, sealed: &[u8]) -> Option<Letter> {
        let body = open(|_| Some(&*self.words), &place(tenant), sealed).ok()?;
        let (from, rest) = body.split_first_chunk::<8>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let (conversation, rest) = rest.split_first_chunk::<16>()?;
        let (turn, rest) = rest.split_first_chunk::<8>()?;
        let ([agent], text) = rest.split_first_chunk::<1>()?;
        if !self.is_young(*at) {
            return None;
        }
        let (agent, text) = (Agent::of_number(*agent)?, std::str::from_utf8(text).ok()?.into());
        let written = Written { agent, turn: i64::from_be_bytes(*turn), text };
        let conversation = ConversationId::from_bytes(*conversation);
        Some(Letter { from: u64::from_be_bytes(*from), told: Telling::Written { conversation, written } })
    }

    fn is_young(&self, at: [u8; 8]) -> bool {
        self.clock.unix_seconds().abs_diff(i64::from_be_bytes(at)) <= GOOD_FOR
    }

    fn read_numbers(&self, tenant: &TenantId, bytes: &[u8]) -> Option<Letter> {
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
        if *version != VERSION || !self.is_young(*at) {
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

/// Where words are sealed for: the channel of a tenant.
fn place(tenant: &TenantId) -> Place<'_> {
    Place { tenant, table: "", column: "letters between replicas", row: "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_testkit::determinism::{SeededEntropy, TestClock};
    use proptest::prelude::*;

    fn letters(secret: u8, clock: &Arc<TestClock>) -> Letters {
        Letters::new(&Secret::new([secret; 32]), clock.clone(), Arc::new(SeededEntropy::new(secret.into())))
    }

    fn tellings() -> impl Strategy<Value = Telling> {
        let typing = prop_oneof![
            Just(None),
            Just(Some(Typing::Nobody)),
            (0..Agent::ALL.len()).prop_map(|at| Some(Typing::By(Agent::ALL[at]))),
        ];
        let rung = (any::<u128>(), proptest::option::of(1..i64::MAX), typing, any::<bool>(), any::<bool>());
        let agent = (0..Agent::ALL.len()).prop_map(|at| Agent::ALL[at]);
        let written = (any::<u128>(), agent, 1..i64::MAX, "\\PC{0,80}");
        prop_oneof![
            Just(Telling::Changed),
            written.prop_map(|(conversation, agent, turn, text)| Telling::Written {
                conversation: ConversationId::from_bytes(conversation.to_be_bytes()),
                written: Written { agent, turn, text: text.into() },
            }),
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
            told in tellings(), from in any::<u64>(), bit in any::<prop::sample::Index>()
        ) {
            let letters = letters(1, &Arc::default());
            let andina: TenantId = "andina".parse().unwrap();
            let letter = Letter { from, told };
            let mut bytes = letters.write(&andina, &letter);
            let read = letters.read(&andina, &bytes);
            prop_assert_eq!(read, Some(letter));
            let bit = bit.index(bytes.len() * 8);
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
        let written = Written { agent: Agent::Sales, turn: 3, text: "Su cita es".into() };
        for told in [
            Telling::Rung { conversation, news: News::stored(7), work: true },
            Telling::Written { conversation, written },
        ] {
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

    #[test]
    fn words_are_sealed_on_their_way_and_never_too_many() {
        let letters = letters(1, &Arc::default());
        let andina: TenantId = "andina".parse().unwrap();
        let letter = |text: String| {
            let written = Written { agent: Agent::Support, turn: 1, text: text.into() };
            let conversation = ConversationId::from_bytes([7; 16]);
            Letter { from: 1, told: Telling::Written { conversation, written } }
        };
        let bytes = letters.write(&andina, &letter("su diagnóstico".to_owned()));
        assert!(!String::from_utf8_lossy(&bytes).contains("diagn"));
        // Nor does a log line say them.
        assert!(!format!("{:?}", letters.read(&andina, &bytes).unwrap()).contains("diagn"));
        for length in [0, 1, MOST_WRITTEN] {
            let letter = letter("a".repeat(length));
            assert_eq!(letters.read(&andina, &letters.write(&andina, &letter)), Some(letter), "{length}");
        }
        let bytes = letters.write(&andina, &letter("a".repeat(MOST_WRITTEN + 1)));
        assert_eq!(letters.read(&andina, &bytes), None);
    }
}
