//! A mail server (RFC 5321, as much of it as a client needs) that keeps what it is given.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A mail as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`.
    pub to: Vec<String>,
    /// Headers and body, lines ended by `\n`.
    pub data: String,
}

struct Shared {
    mails: Mutex<Vec<ReceivedMail>>,
    count: watch::Sender<usize>,
    refusals: AtomicUsize,
}

/// The server; ends when dropped.
pub struct MailServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl MailServer {
    /// Listens on a free port of this machine.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mails: Mutex::default(),
            count: watch::Sender::new(0),
            refusals: AtomicUsize::new(0),
        });
        let server = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = server.clone();
                tokio::spawn(async move {
                    // A client that goes away ends its own connection only.
                    let _ = converse(stream, &shared).await;
                });
            }
        });
        Ok(Self { address, shared, task })
    }

    /// How a client is told of it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Refuses so many mails for now (451), before it takes others.
    pub fn refuse(&self, mails: usize) {
        self.shared.refusals.store(mails, Ordering::SeqCst);
    }

    /// What arrived.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many have arrived.
    pub async fn wait_for(&self, mails: usize) -> Vec<ReceivedMail> {
        let mut count = self.shared.count.subscribe();
        // The sender lives as long as the server.
        let _ = count.wait_for(|count| *count >= mails).await;
        self.mails()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 mail.test ESMTP\r\n").await?;
    let mut mail = ReceivedMail { from: String::new(), to: Vec::new(), data: String::new() };
    while let Some(line) = lines.next_line().await? {
        let command = line.to_ascii_uppercase();
        let answer: &[u8] = if command.starts_with("EHLO") || command.starts_with("HELO") {
            b"250-mail.test\r\n250 8BITMIME\r\n"
        } else if command.starts_with("MAIL FROM:") {
            mail = ReceivedMail { from: address(&line), to: Vec::new(), data: String::new() };
            b"250 ok\r\n"
        } else if command.starts_with("RCPT TO:") {
            mail.to.push(address(&line));
            b"250 ok\r\n"
        } else if command == "DATA" {
            writer.write_all(b"354 go on\r\n").await?;
            while let Some(line) = lines.next_line().await? {
                if line == "." {
                    break;
                }
                mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                mail.data.push('\n');
            }
            take(shared, mail.clone())
        } else if command == "QUIT" {
            writer.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            b"250 ok\r\n"
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}

fn take(shared: &Shared, mail: ReceivedMail) -> &'static [u8] {
    let refused =
        shared.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if refused {
        return b"451 not now\r\n";
    }
    let mut mails = shared.mails.lock().unwrap_or_else(PoisonError::into_inner);
    mails.push(mail);
    shared.count.send_replace(mails.len());
    b"250 taken\r\n"
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
