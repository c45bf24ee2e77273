//! The days that a pack itself gives a name: "Immaculate Conception", "stocktaking". Cut into words once, when the pack is
//! compiled: a turn looks them up.

use crate::{
    budget::{Budget, Spent},
    plain::lists::GENERAL,
    text::tokens::words,
};
use jiff::civil::Date;
use misy_domain::ContextPack;
use std::collections::HashSet;

/// The most named days that are held against each other. Whoever names more means none of them.
const MOST_NAMED: usize = 20;

/// The named days of a pack.
#[derive(Debug, Default)]
pub(crate) struct Holidays {
    words: HashSet<Box<str>>,
    /// Those with a name of their own, in the order of the pack.
    named: Vec<(Date, Box<[Box<str>]>)>,
}

impl Holidays {
    /// Those of a pack.
    pub(crate) fn of(pack: &ContextPack, budget: &Budget<'_>) -> Result<Self, Spent> {
        let mut holidays = Self::default();
        for exception in pack.calendar().into_iter().flat_map(|calendar| calendar.exceptions.iter()) {
            let Some(reason) = &exception.reason else { continue };
            budget.take(reason.len() / 4)?;
            let all: Vec<Box<str>> = words(reason).into_iter().map(String::into_boxed_str).collect();
            holidays.words.extend(all.iter().cloned());
            let own: Box<[Box<str>]> = all.into_iter().filter(|word| !GENERAL.contains(&&**word)).collect();
            if !own.is_empty() {
                holidays.named.push((exception.date, own));
            }
        }
        Ok(holidays)
    }

    /// Whether a word stands in the name of one.
    pub(crate) fn have(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Those from today on that the words name: two at most, and none whose name is a part of another that they name.
    pub(crate) fn named(
        &self,
        words: &HashSet<&str>,
        today: Date,
        budget: &Budget<'_>,
    ) -> Result<Vec<Date>, Spent> {
        let mut named = Vec::new();
        for (date, own) in self.named.iter().filter(|(date, _)| *date >= today) {
            budget.take(1)?;
            if named.len() < MOST_NAMED && own.iter().all(|word| words.contains(&**word)) {
                named.push((*date, own));
            }
        }
        // "Christmas Eve" is not Christmas.
        let within = |few: &[Box<str>], many: &[Box<str>]| {
            few.len() < many.len() && few.iter().all(|word| many.contains(word))
        };
        let longest = named.iter().filter(|(_, own)| !named.iter().any(|(_, other)| within(own, other)));
        Ok(longest.map(|(date, _)| *date).take(2).collect())
    }

    /// What they take in memory.
    pub(crate) fn bytes(&self) -> usize {
        let word = |word: &str| word.len() + size_of::<Box<str>>();
        let named = self
            .named
            .iter()
            .map(|(_, own)| size_of_val(own) + own.iter().map(|one| word(one)).sum::<usize>());
        2 * self.words.iter().map(|one| word(one)).sum::<usize>() + named.sum::<usize>()
    }
}
