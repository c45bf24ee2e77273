//! Entries as syslog messages (RFC 5424).

use misy_store::audit::entries::StoredEntry;

/// Facility 13: log audit.
const FACILITY: u8 = 13;
const INFORMATIONAL: u8 = 6;
const WARNING: u8 = 4;
/// The name of our structured data; 32473 is the enterprise number of examples (RFC 5612).
const DATA: &str = "misyAudit@32473";
/// The longest name of a host and of a kind of message.
const HOST: usize = 255;
const MESSAGE_ID: usize = 32;

/// The message of an entry, without a line feed.
pub fn line(entry: &StoredEntry, host: &str) -> String {
    let text = |name: &str| entry.text(name).unwrap_or_default();
    let refused = text("kind") != "turn" && text("outcome") != "ok";
    let priority = FACILITY * 8 + if refused { WARNING } else { INFORMATIONAL };
    let mut line = format!(
        "<{priority}>1 {} {} misy - {} [{DATA}",
        text("at"),
        token(host, HOST),
        token(text("action"), MESSAGE_ID)
    );
    if let Some(place) = entry.leaf_index {
        line += &format!(" leafIndex=\"{place}\"");
    }
    for (name, value) in &entry.members {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        line += &format!(" {name}=\"{}\"", escaped(&value));
    }
    line += "] ";
    line += &token(text("action"), MESSAGE_ID);
    line.push(' ');
    line += &token(text("outcome"), MESSAGE_ID);
    line
}

/// Printable ASCII without blanks, or the sign for nothing.
fn token(text: &str, most: usize) -> String {
    let plain: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if plain.is_empty() { "-".to_owned() } else { plain }
}

/// A value of structured data: a quote, backslash and bracket escaped (section 6.3.3), and what would end a line shown as a
/// blank.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '\\' | ']' => text.extend(['\\', character]),
            other if other.is_control() => text.push(' '),
            other => text.push(other),
        }
    }
    text
}
