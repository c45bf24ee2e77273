//! The server's words: into the program's log, and the last of them kept for error messages.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// How many lines an error message shows.
const KEPT: usize = 30;

/// The end of a server's log.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    /// The last lines.
    pub(crate) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }

    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// Reads an output of the server to its end, in the background.
    pub(crate) fn follow(
        &self,
        output: impl AsyncRead + Send + Unpin + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let tail = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).split(b'\n');
            while let Ok(Some(line)) = lines.next_segment().await {
                let line = String::from_utf8_lossy(&line);
                tail.push(&line);
                forward(&line);
            }
        })
    }
}

/// Errors of statements are the caller's to judge and to log, and connections end with FATAL at each stop: neither is an
/// error of the server. Only PANIC is.
fn forward(line: &str) {
    match line.split_once(':').map_or("", |(level, _)| level) {
        "PANIC" => tracing::error!(target: "postgres", "{line}"),
        "FATAL" | "WARNING" => tracing::warn!(target: "postgres", "{line}"),
        _ => tracing::debug!(target: "postgres", "{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_only() {
        let tail = LogTail::default();
        for number in 0..100 {
            tail.push(&number.to_string());
        }
        assert!(tail.text().starts_with("  70\n") && tail.text().ends_with("  99"), "{}", tail.text());
    }
}
