//! A program that takes what is delivered to it over HTTP, in the mood that the test chooses.

use serde_json::Value;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What a receiver got.
#[derive(Debug, Clone)]
pub struct Received {
    /// What was asked for: the path with its query.
    pub target: String,
    /// The headers, by their name in lower case.
    pub headers: HashMap<String, String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// What a receiver does with what it got.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// Answers with this status and body.
    Answer(u16, String),
    /// Takes its time and then answers with 200.
    Dawdle(Duration),
    /// Says nothing and hangs up.
    HangUp,
}

type Mood = dyn Fn(usize, &Received) -> Reaction + Send + Sync;

/// A receiver on a port of this machine; gone when dropped.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    got: Arc<Mutex<Vec<Received>>>,
    count: watch::Receiver<usize>,
    serving: JoinHandle<()>,
}

impl Received {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Reaction {
    /// Thanks.
    pub fn ok() -> Self {
        Self::Answer(200, "{}".to_owned())
    }
}

impl Receiver {
    /// A receiver that does with the n-th delivery, from 0, what `mood` says.
    pub async fn start(
        mood: impl Fn(usize, &Received) -> Reaction + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}/misy", listener.local_addr()?.port());
        let got = Arc::new(Mutex::new(Vec::new()));
        let (counted, count) = watch::channel(0);
        let (noted, mood): (_, Arc<Mood>) = (got.clone(), Arc::new(mood));
        let counted = Arc::new(counted);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, mood, counted) = (noted.clone(), mood.clone(), counted.clone());
                tokio::spawn(async move {
                    // Whoever hangs up is done.
                    let _ = serve(stream, &noted, &counted, &*mood).await;
                });
            }
        });
        Ok(Self { url, got, count, serving })
    }

    /// All that it got until now.
    pub fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it got so many.
    pub async fn until(&self, number: usize) -> Vec<Received> {
        let mut count = self.count.clone();
        // The sender lives as long as the task that is ended by dropping this.
        let _ = count.wait_for(|count| *count >= number).await;
        self.got()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    noted: &Mutex<Vec<Received>>,
    counted: &watch::Sender<usize>,
    mood: &Mood,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let headers: HashMap<String, String> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(());
        }
    }
    let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let received = Received { target, headers, body };
    let number = {
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push(received.clone());
        noted.len()
    };
    let reaction = mood(number - 1, &received);
    counted.send_replace(number);
    let (status, body) = match reaction {
        Reaction::Answer(status, body) => (status, body),
        Reaction::Dawdle(time) => {
            tokio::time::sleep(time).await;
            (200, "{}".to_owned())
        }
        Reaction::HangUp => return Ok(()),
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
