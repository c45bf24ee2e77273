//! Words in one piece of memory.

use std::ops::Range;

/// Different words in order. A word's number is its place.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    text: Box<str>,
    /// Where each word ends in the text.
    ends: Box<[u32]>,
}

impl Shelf {
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words: Vec<&str> = words.into_iter().collect();
        words.sort_unstable();
        words.dedup();
        let mut ends = Vec::with_capacity(words.len());
        let mut text = String::with_capacity(words.iter().map(|word| word.len()).sum());
        for word in words {
            text.push_str(word);
            // Packs and word lists are far below the four gigabytes that would not fit.
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, at: usize) -> Range<usize> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        start..self.ends[at] as usize
    }

    pub(crate) fn get(&self, at: usize) -> &str {
        &self.text[self.range(at)]
    }

    /// How long a word is, in bytes.
    pub(crate) fn length(&self, at: usize) -> usize {
        self.range(at).len()
    }

    pub(crate) fn find(&self, word: &str) -> Option<usize> {
        let at = self.place_of(|own| own < word);
        (at < self.len() && self.get(at) == word).then_some(at)
    }

    /// The words that begin so.
    pub(crate) fn starting_with(&self, start: &str) -> Range<usize> {
        self.place_of(|own| own < start)..self.place_of(|own| own < start || own.starts_with(start))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }

    /// The first place whose word is not before.
    fn place_of(&self, before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.get(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_themselves_and_by_their_beginning() {
        let shelf = Shelf::new(["mesa", "casa", "cama", "casa", "árbol", "ca"]);
        assert_eq!(shelf.iter().collect::<Vec<_>>(), ["ca", "cama", "casa", "mesa", "árbol"]);
        assert_eq!(shelf.find("casa"), Some(2));
        assert_eq!(shelf.find("cas"), None);
        assert_eq!(shelf.starting_with("ca"), 0..3);
        assert_eq!(shelf.starting_with("cas"), 2..3);
        assert_eq!(shelf.starting_with("z"), 4..4);
        assert_eq!(Shelf::default().find("casa"), None);
    }
}
