//! Our small Markdown in the syntax of a channel.

/// How a channel marks what stands out; nothing where it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Around what is bold.
    pub bold: &'static str,
    /// Around what is italic.
    pub italic: &'static str,
    /// Around what is struck through.
    pub struck: &'static str,
    /// Around code within a line.
    pub code: &'static str,
    /// Above and below a block of code.
    pub block: &'static str,
}

/// A text with the marks of a channel: bold, italic, struck through and code; headings become bold, and a link its label and its
/// address. A mark that is not closed within its line stays what it is.
pub fn written_with(text: &str, marks: &Marks) -> String {
    let mut lines = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            if !marks.block.is_empty() {
                lines.push(marks.block.to_owned());
            }
        } else if is_code {
            lines.push(line.to_owned());
        } else {
            lines.push(block_line(line, marks));
        }
    }
    if is_code && !marks.block.is_empty() {
        lines.push(marks.block.to_owned());
    }
    lines.join("\n")
}

fn block_line(line: &str, marks: &Marks) -> String {
    let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&hashes)
        && let Some(title) = line[hashes..].strip_prefix(' ')
    {
        let title: String = within(title, marks).replace(marks_or_nul(marks.bold), "");
        return around(title.trim(), marks.bold);
    }
    let indent = line.len() - line.trim_start().len();
    for bullet in ["* ", "+ "] {
        if let Some(item) = line[indent..].strip_prefix(bullet) {
            return format!("{}- {}", &line[..indent], within(item, marks));
        }
    }
    within(line, marks)
}

/// A pattern that `replace` finds nowhere when there is no mark.
fn marks_or_nul(mark: &str) -> &str {
    if mark.is_empty() { "\0" } else { mark }
}

fn around(text: &str, mark: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{mark}{text}{mark}") }
}

fn within(line: &str, marks: &Marks) -> String {
    let mut written = String::with_capacity(line.len());
    let mut rest = line;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        if let Some((text, after)) = marked(rest, before, marks) {
            written.push_str(&text);
            before = 'x';
            rest = after;
            continue;
        }
        // A backslash takes the meaning from what follows.
        let (letter, length) = match rest[first.len_utf8()..].chars().next() {
            Some(next) if first == '\\' && next.is_ascii_punctuation() => (next, 1 + next.len_utf8()),
            _ => (first, first.len_utf8()),
        };
        written.push(letter);
        before = letter;
        rest = &rest[length..];
    }
    written
}

/// What a mark at the start stands around, in the channel's syntax, and what comes after it.
fn marked<'a>(text: &'a str, before: char, marks: &Marks) -> Option<(String, &'a str)> {
    if let Some(rest) = text.strip_prefix('`') {
        let (code, after) = rest.split_once('`')?;
        return (!code.is_empty()).then(|| (format!("{0}{code}{0}", marks.code), after));
    }
    if text.starts_with('[') {
        return link(text);
    }
    let kinds = [
        ("**", marks.bold),
        ("__", marks.bold),
        ("~~", marks.struck),
        ("*", marks.italic),
        ("_", marks.italic),
    ];
    for (mark, ours) in kinds {
        let Some(rest) = text.strip_prefix(mark) else { continue };
        // `snake_case` is a name, and `2 * 3 * 4` a sum.
        if mark.starts_with('_') && before.is_alphanumeric() {
            return None;
        }
        let end = rest.find(mark).filter(|end| *end > 0)?;
        let (inner, after) = (&rest[..end], &rest[end + mark.len()..]);
        let touches = !inner.starts_with(char::is_whitespace) && !inner.ends_with(char::is_whitespace);
        let is_word = mark.starts_with('_') && after.starts_with(char::is_alphanumeric);
        if !touches || is_word {
            return None;
        }
        return Some((around(&within(inner, marks), ours), after));
    }
    None
}

fn link(text: &str) -> Option<(String, &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (address, after) = rest.split_once(')')?;
    if label.contains('[') || address.is_empty() || address.contains(char::is_whitespace) {
        return None;
    }
    let written = if label.trim().is_empty() || label == address {
        address.to_owned()
    } else {
        format!("{label}: {address}")
    };
    Some((written, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STARS: Marks = Marks { bold: "*", italic: "_", struck: "~", code: "`", block: "```" };
    const NONE: Marks = Marks { bold: "", italic: "", struck: "", code: "", block: "" };

    #[test]
    fn marks_change_and_words_stay() {
        let table = [
            ("**Hola** *Ana*, _sí_ ~~no~~ `x`", "*Hola* _Ana_, _sí_ ~no~ `x`", "Hola Ana, sí no x"),
            ("# Precios\n\n* uno\n+ dos", "*Precios*\n\n- uno\n- dos", "Precios\n\n- uno\n- dos"),
            (
                "[Reservar](https://a.example/b)",
                "Reservar: https://a.example/b",
                "Reservar: https://a.example/b",
            ),
            ("[https://a.example](https://a.example)", "https://a.example", "https://a.example"),
            ("snake_case_name", "snake_case_name", "snake_case_name"),
            ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
            ("**open", "**open", "**open"),
            (r"\*not\* bold", "*not* bold", "*not* bold"),
            ("```rust\nlet a = **b;\n```", "```\nlet a = **b;\n```", "let a = **b;"),
            ("**a _b_ c**", "*a _b_ c*", "a b c"),
            ("1. uno\n2. dos", "1. uno\n2. dos", "1. uno\n2. dos"),
        ];
        for (ours, stars, plain) in table {
            assert_eq!(written_with(ours, &STARS), stars, "{ours}");
            assert_eq!(written_with(ours, &NONE), plain, "{ours}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_and_none_of_its_letters_is_lost(text in r"[a-z *_~`\[\]()#\\\n>!-]{0,80}") {
            let written = written_with(&text, &STARS);
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
            // The language of a block of code is none of its words.
            if !text.contains("```") {
                prop_assert_eq!(letters(&written), letters(&text));
            }
        }
    }
}
