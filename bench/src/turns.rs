//! (d) From the moment a message is sent to the moment its reply is read from the live events.

use crate::{report, stage::Stage};
use anyhow::{Context, ensure};
use misy_testkit::client::Visitor;
use reqwest::Method;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const SESSIONS: usize = 50;
const PER_SECOND: u64 = 100;
const MESSAGES: usize = 2000;

/// When each message was sent, by the id that the client gave it; the answer names the id that the server gave it.
#[derive(Default)]
struct Board {
    sent: HashMap<String, Instant>,
    ids: HashMap<String, String>,
    answered: HashMap<String, Instant>,
}

pub(crate) async fn measure() -> anyhow::Result<()> {
    let stage = Stage::set(&[("MISY_STREAMS_PER_VISITOR", "1000")]).await?;
    let (visitor, sessions) = stage.visitor(SESSIONS).await?;
    let text = "¿atienden los sábados y cuánto sale una limpieza?";
    let latencies = answered(&visitor, &sessions, text, PER_SECOND, MESSAGES).await?;
    report(format!(
        "turns        {} of {MESSAGES} messages answered at {PER_SECOND}/s: p50 {:.1} ms (budget 10), p90 {:.1} ms, \
         p99 {:.1} ms (budget 50)",
        latencies.len(),
        at(&latencies, 500),
        at(&latencies, 900),
        at(&latencies, 990),
    ));
    Ok(())
}

/// So many thousandths of the latencies are no longer than this, in milliseconds.
pub(crate) fn at(latencies: &[Duration], share: usize) -> f64 {
    latencies.get(latencies.len() * share / 1000).copied().unwrap_or_default().as_secs_f64() * 1e3
}

/// Sends messages at a steady rate and gives how long each took to be answered, the shortest first.
pub(crate) async fn answered(
    visitor: &Visitor,
    sessions: &[String],
    text: &'static str,
    per_second: u64,
    messages: usize,
) -> anyhow::Result<Vec<Duration>> {
    let board = Arc::new(Mutex::new(Board::default()));
    let mut listeners = JoinSet::new();
    for session in sessions {
        let response = visitor.signed(Method::GET, &format!("/sessions/{session}/events"), Vec::new());
        let response = response.timeout(Duration::from_mins(10)).send().await?;
        ensure!(response.status().is_success(), "events: {}", response.status());
        listeners.spawn(listen(response, board.clone()));
    }
    let mut clock = tokio::time::interval(Duration::from_micros(1_000_000 / per_second));
    let mut senders = JoinSet::new();
    for place in 0..messages {
        clock.tick().await;
        let (visitor, session) = (visitor.clone(), sessions[place % sessions.len()].clone());
        senders.spawn(send(visitor, session, place, text, board.clone()));
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    let began = Instant::now();
    let mut latencies = loop {
        let latencies = latencies(&board.lock().unwrap_or_else(PoisonError::into_inner));
        if latencies.len() == messages || began.elapsed() > Duration::from_secs(20) {
            break latencies;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    listeners.abort_all();
    latencies.sort();
    Ok(latencies)
}

async fn send(
    visitor: Visitor,
    session: String,
    place: usize,
    text: &str,
    board: Arc<Mutex<Board>>,
) -> anyhow::Result<()> {
    let id = format!("m{place}");
    board.lock().unwrap_or_else(PoisonError::into_inner).sent.insert(id.clone(), Instant::now());
    let answer = visitor.send(&session, &id, text).await?;
    let message = answer["messageId"].as_str().context("messageId")?.to_owned();
    board.lock().unwrap_or_else(PoisonError::into_inner).ids.insert(id, message);
    Ok(())
}

fn latencies(board: &Board) -> Vec<Duration> {
    board
        .ids
        .iter()
        .filter_map(|(id, message)| Some(board.answered.get(message)?.duration_since(*board.sent.get(id)?)))
        .collect()
}

async fn listen(mut response: reqwest::Response, board: Arc<Mutex<Board>>) -> anyhow::Result<()> {
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await? {
        text.push_str(&String::from_utf8_lossy(&chunk));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let Some(data) = event.lines().find_map(|line| line.strip_prefix("data:")) else { continue };
            let message: Value = serde_json::from_str(data)?;
            let now = Instant::now();
            let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
            for answered in message["inReplyTo"].as_array().into_iter().flatten() {
                board.answered.entry(answered.as_str().unwrap_or_default().to_owned()).or_insert(now);
            }
        }
    }
    Ok(())
}
