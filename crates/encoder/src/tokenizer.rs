//! A text as numbers of pieces: those that are together most likely, each with a probability of its own.

use crate::weights::Vocabulary;

/// What stands for a space.
const SPACE: char = '\u{2581}';
/// As much of a text as is read, in bytes after rewriting: ten times what the longest embedded text holds.
const MOST_TEXT: usize = 4096;
/// How much less likely than any piece a character is that no piece holds.
const UNKNOWN_PENALTY: f64 = 10.0;

/// Cuts texts into pieces.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    text: Box<[u8]>,
    ends: Box<[u32]>,
    scores: Box<[f32]>,
    /// The pieces in the order of their texts, without the empty ones and those that steer.
    sorted: Box<[u32]>,
    written: Box<[(char, String)]>,
    begin: u32,
    end: u32,
    unknown: u32,
    unknown_score: f64,
}

impl Tokenizer {
    pub(crate) fn new(vocabulary: Vocabulary<'_>) -> Self {
        let Vocabulary { begin, end, pad, unknown, ends, scores, text, written } = vocabulary;
        let mut tokenizer = Self {
            text: text.into(),
            ends: ends.into(),
            unknown_score: f64::from(scores.iter().copied().fold(f32::MAX, f32::min)) - UNKNOWN_PENALTY,
            scores: scores.into(),
            sorted: Box::default(),
            written: written.into(),
            begin,
            end,
            unknown,
        };
        let pieces = u32::try_from(tokenizer.ends.len()).unwrap_or(u32::MAX);
        // What a contact types never becomes a piece that begins or ends a text.
        let steers = |piece: &u32| [begin, end, pad, unknown].contains(piece);
        let mut sorted: Vec<u32> =
            (0..pieces).filter(|piece| !steers(piece) && !tokenizer.piece(*piece).is_empty()).collect();
        sorted.sort_by(|one, other| tokenizer.piece(*one).cmp(tokenizer.piece(*other)).then(one.cmp(other)));
        tokenizer.sorted = sorted.into();
        tokenizer
    }

    fn piece(&self, piece: u32) -> &[u8] {
        let at = piece as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[at] as usize]
    }

    /// The pieces of a text, between those that begin and end one; at most `most` in all.
    pub(crate) fn pieces(&self, text: &str, most: usize) -> Vec<u32> {
        let text = self.rewrite(text);
        let mut pieces = self.likeliest(&text);
        pieces.truncate(most.saturating_sub(2));
        pieces.insert(0, self.begin);
        pieces.push(self.end);
        pieces
    }

    /// The text as the pieces write it: some characters in another way, spaces as a sign, one in front.
    fn rewrite(&self, text: &str) -> String {
        let mut out = String::from(SPACE);
        let mut after_space = true;
        let mut push = |c: char, out: &mut String| {
            if c != ' ' {
                out.push(c);
            } else if !after_space {
                out.push(SPACE);
            }
            after_space = c == ' ';
        };
        for c in text.chars().take(2 * MOST_TEXT) {
            match self.written.binary_search_by_key(&c, |(from, _)| *from) {
                Ok(at) => self.written[at].1.chars().for_each(|c| push(c, &mut out)),
                Err(_) => push(c, &mut out),
            }
            if out.len() >= MOST_TEXT {
                break;
            }
        }
        out
    }

    /// The pieces whose scores sum to the most.
    fn likeliest(&self, text: &str) -> Vec<u32> {
        let bytes = text.as_bytes();
        // For each end: the best score of what lies before, and the last piece with its start.
        let mut best = vec![f64::NEG_INFINITY; bytes.len() + 1];
        let mut last = vec![(0, self.unknown); bytes.len() + 1];
        best[0] = 0.0;
        for (start, c) in text.char_indices() {
            let before = best[start];
            self.each_piece_at(&bytes[start..], |length, piece| {
                let score = before + f64::from(self.scores[piece as usize]);
                if score > best[start + length] {
                    (best[start + length], last[start + length]) = (score, (start, piece));
                }
            });
            let (end, score) = (start + c.len_utf8(), before + self.unknown_score);
            if score > best[end] {
                (best[end], last[end]) = (score, (start, self.unknown));
            }
        }
        let mut pieces = Vec::new();
        let mut at = bytes.len();
        while at > 0 {
            let (start, piece) = last[at];
            pieces.push(piece);
            at = start;
        }
        pieces.reverse();
        pieces
    }

    /// The pieces that a text begins with, the shortest first: byte by byte, fewer of the sorted ones are left.
    fn each_piece_at(&self, text: &[u8], mut each: impl FnMut(usize, u32)) {
        let mut left = &*self.sorted;
        for (at, byte) in text.iter().enumerate() {
            let byte_of = |piece: &u32| self.piece(*piece).get(at).copied();
            let from = left.partition_point(|piece| byte_of(piece) < Some(*byte));
            let to = left.partition_point(|piece| byte_of(piece) <= Some(*byte));
            left = &left[from..to];
            let Some(first) = left.first() else { return };
            if self.piece(*first).len() == at + 1 {
                each(at + 1, *first);
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
            + size_of_val(&*self.ends)
            + size_of_val(&*self.scores)
            + size_of_val(&*self.sorted)
            + size_of_val(&*self.written)
            + self.written.iter().map(|(_, to)| to.len()).sum::<usize>()
    }
}
