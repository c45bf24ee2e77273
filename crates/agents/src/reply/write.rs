//! The form of a reply on its channel.

use crate::style::ChannelStyle;
use misy_domain::Part;

/// What one paragraph of a reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// Lines of a list.
    List(Vec<String>),
}

/// The parts of a message made of blocks, cut at a paragraph if the channel wants it shorter.
pub(crate) fn parts(blocks: &[Block], style: &ChannelStyle, open: &str, close: &str) -> Vec<Part> {
    let mut text = String::new();
    if style.letter {
        text.push_str(open);
    }
    for block in blocks {
        let paragraph = match block {
            Block::Text(paragraph) => paragraph.clone(),
            Block::List(lines) => lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"),
        };
        if paragraph.is_empty() {
            continue;
        }
        let full = text.chars().count() + paragraph.chars().count() > style.characters;
        if full && !text.is_empty() {
            break;
        }
        if !text.is_empty() {
            text.push_str(if style.letter || style.bold { "\n\n" } else { "\n" });
        }
        text.push_str(&cut(&paragraph, style.characters));
    }
    if style.letter {
        text.push_str("\n\n");
        text.push_str(close);
    }
    if text.is_empty() { Vec::new() } else { vec![Part::Text { text }] }
}

/// At most so many characters, ending at a space.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let short: String = text.chars().take(most.saturating_sub(1)).collect();
    let end = short.rfind(char::is_whitespace).unwrap_or(short.len());
    format!("{}…", &short[..end])
}

/// Text of a contact made harmless for Markdown, for the few places that quote it.
pub(crate) fn quoted(text: &str, most: usize) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(
            |c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{E0000}'..='\u{E007F}'),
        )
        .collect();
    let mut escaped = String::new();
    for c in cut(plain.trim(), most).chars() {
        if matches!(c, '*' | '_' | '[' | ']' | '(' | ')' | '`' | '#' | '<' | '>' | '|' | '~' | '!' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_has_no_markup() {
        assert_eq!(quoted("[a](https://x) **b**\n", 100), "\\[a\\]\\(https://x\\) \\*\\*b\\*\\*");
        assert_eq!(quoted(&"palabra ".repeat(50), 20), "palabra palabra…");
    }
}
