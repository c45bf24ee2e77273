//! Cuts texts to the lengths of vendors, where it hurts least.

use unicode_segmentation::UnicodeSegmentation;

/// What a vendor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Units of UTF-16.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl Measure {
    /// How long a text is.
    pub fn of(self, text: &str) -> usize {
        match self {
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// A text in pieces that are at most so long: cut after a paragraph where there is one in the second half, else after a line, a
/// sentence or a word, else between two characters as people see them. Blanks at the cuts go; nothing else is lost.
pub fn split(text: &str, most: usize, measure: Measure) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fits = longest_start(rest, most, measure);
        let cut = if fits == rest.len() { fits } else { best_cut(rest, fits) };
        let (piece, after) = rest.split_at(cut);
        if !piece.trim_end().is_empty() {
            pieces.push(piece.trim_end().to_owned());
        }
        rest = after.trim_start();
    }
    pieces
}

/// A text that is at most so long; what was cut shows as `…`.
pub fn shortened(text: &str, most: usize, measure: Measure) -> String {
    let text = text.trim();
    if measure.of(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(measure.of("…"));
    let mut end = 0;
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += measure.of(grapheme);
        if used > room {
            break;
        }
        end += grapheme.len();
    }
    format!("{}…", text[..end].trim_end())
}

/// Where the longest start ends that fits, in bytes. Never nothing: a single character that people see may be longer than all that
/// fits, and is cut then.
fn longest_start(text: &str, most: usize, measure: Measure) -> usize {
    let (mut end, mut used) = (0, 0);
    for grapheme in text.graphemes(true) {
        used += measure.of(grapheme);
        if used > most {
            break;
        }
        end += grapheme.len();
    }
    if end > 0 {
        return end;
    }
    used = 0;
    for letter in text.chars() {
        used += measure.of(letter.encode_utf8(&mut [0; 4]));
        if used > most && end > 0 {
            break;
        }
        end += letter.len_utf8();
    }
    end
}

fn best_cut(text: &str, fits: usize) -> usize {
    let start = &text[..fits];
    let is_late = |at: &usize| *at * 2 >= fits;
    let after = |pattern: &str| start.rfind(pattern).map(|at| at + pattern.len()).filter(is_late);
    let sentence = [". ", "! ", "? ", "… ", "。", "！", "？"].into_iter().filter_map(after).max();
    after("\n\n")
        .or_else(|| after("\n"))
        .or(sentence)
        .or_else(|| start.rfind(char::is_whitespace).filter(|at| *at > 0))
        .unwrap_or(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_cut_after_paragraphs_then_sentences_then_words() {
        let cut = |text, most| split(text, most, Measure::Utf16);
        assert_eq!(cut("One two.\n\nThree four.", 15), ["One two.", "Three four."]);
        assert_eq!(cut("One two. Three four.", 15), ["One two.", "Three four."]);
        assert_eq!(cut("one two three", 9), ["one two", "three"]);
        assert_eq!(cut("onetwothree", 4), ["onet", "woth", "ree"]);
        assert_eq!(cut("  ", 4), Vec::<String>::new());
    }

    #[test]
    fn what_people_see_as_one_character_stays_whole() {
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(split(&family.repeat(3), 25, Measure::Utf16), [family.repeat(2), family.to_owned()]);
        assert_eq!(shortened(&format!("{family}{family}"), 12, Measure::Utf16), format!("{family}…"));
    }

    #[test]
    fn a_shortened_text_shows_that_it_goes_on() {
        assert_eq!(shortened("Agendar una cita", 20, Measure::Utf16), "Agendar una cita");
        assert_eq!(shortened("Agendar una cita de control", 20, Measure::Utf16), "Agendar una cita de…");
    }

    proptest! {
        #[test]
        fn no_piece_is_too_long_and_nothing_but_blanks_is_lost(text in "(?s).{0,400}", most in 8_usize..60) {
            for measure in [Measure::Utf16, Measure::Bytes] {
                let pieces = split(&text, most, measure);
                for piece in &pieces {
                    prop_assert!(measure.of(piece) <= most, "{piece:?}");
                    prop_assert!(!piece.trim().is_empty());
                }
                let bare = |text: &str| text.split_whitespace().collect::<String>();
                prop_assert_eq!(bare(&pieces.concat()), bare(&text));
                prop_assert!(measure.of(&shortened(&text, most, measure)) <= most);
            }
        }
    }
}
