//! Answers that are events (`text/event-stream`).

use crate::{EgressError, Streaming};
use http::{HeaderMap, StatusCode};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name; `message` where the server gives none.
    pub name: String,
    /// What it says.
    pub data: String,
}

/// An answer of events, as they come. Dropped, it ends the call.
#[derive(Debug)]
pub struct Events {
    lines: Streaming,
    is_first: bool,
    /// What came of the event that has no end yet.
    begun: Begun,
}

#[derive(Debug, Default)]
struct Begun {
    name: String,
    data: Option<String>,
}

impl Events {
    pub(crate) fn of(lines: Streaming) -> Self {
        Self { lines, is_first: true, begun: Begun::default() }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.lines.status()
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        self.lines.headers()
    }

    /// The next event; `None` at the end. What was begun and has no end is no event, as the standard says. It may be dropped and
    /// asked for again.
    pub async fn next(&mut self) -> Result<Option<Event>, EgressError> {
        while let Some(line) = self.lines.line().await? {
            let line = std::str::from_utf8(&line).map_err(|_| EgressError::Unreadable)?;
            let is_first = std::mem::take(&mut self.is_first);
            let line = if is_first { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
            if line.is_empty() {
                let Begun { name, data } = std::mem::take(&mut self.begun);
                if let Some(data) = data {
                    let name = if name.is_empty() { "message".to_owned() } else { name };
                    return Ok(Some(Event { name, data }));
                }
            } else {
                self.begun.take(line, self.lines.longest_line())?;
            }
        }
        Ok(None)
    }
}

impl Begun {
    /// Takes one line of an event whose data may be so long.
    fn take(&mut self, line: &str, longest: usize) -> Result<(), EgressError> {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("event", _) => value.clone_into(&mut self.name),
            ("data", Some(data)) => {
                if data.len() + value.len() >= longest {
                    return Err(EgressError::TooLarge);
                }
                data.push('\n');
                data.push_str(value);
            }
            ("data", data) => *data = Some(value.to_owned()),
            // Comments have no name. Ids and times to come back are for who does.
            _ => {}
        }
        Ok(())
    }
}
