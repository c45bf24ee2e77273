//! (i) What a tenant notices of another one that does its worst: the worst valid pack, the worst texts, at the full rate of
//! its plan, and pack upon pack to be made ready.

use crate::{
    report,
    stage::Empty,
    turns::{answered, at},
};
use anyhow::{Context, anyhow, bail, ensure};
use misy_testkit::{
    client::{self, BASE, Visitor},
    program::{pack_in, register_owner, register_tenant},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::{runtime, sync::oneshot, task::JoinSet, time};

/// What the calm tenant is asked.
const CALM_PER_SECOND: u64 = 20;
const CALM_MESSAGES: usize = 600;
const CALM_SESSIONS: usize = 20;
/// What the cheapest plan allows a tenant in a second.
const HOSTILE_PER_SECOND: u64 = 200;
const HOSTILE_SESSIONS: usize = 400;
/// How often the hostile tenant sends a new pack.
const PACK_EVERY: Duration = Duration::from_millis(500);
/// How long it does its worst before anything is measured.
const WARM_UP: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> anyhow::Result<()> {
    let empty = Empty::start_with(&[("MISY_STREAMS_PER_VISITOR", "1000")]).await?;
    let owner = register_owner(&empty.program.url).await?;
    let calm = pack_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/businesses/andina.json"))?;
    let (calm, _) = register_tenant(&owner, "andina", &calm).await?;
    let (hostile, administrator) = register_tenant(&owner, "muro", &worst_pack(0)).await?;
    let ask = async || {
        let visitor = Visitor::arrive(&calm).await?;
        let sessions = open(&visitor, CALM_SESSIONS).await?;
        let text = "¿atienden los sábados y cuánto sale una limpieza?";
        answered(&visitor, &sessions, text, CALM_PER_SECOND, CALM_MESSAGES).await
    };
    // The first turns of a process read its word lists.
    ask().await?;
    let alone = ask().await?;

    let sent = Arc::new(AtomicU64::new(0));
    let attack = Attack::begin({
        let (sent, url) = (sent.clone(), empty.program.url.clone());
        async move {
            let visitor = Visitor::arrive(&hostile).await?;
            let sessions = open(&visitor, HOSTILE_SESSIONS).await?;
            tokio::try_join!(shout(visitor, sessions, sent), replace_packs(url, administrator)).map(|_| ())
        }
    })?;
    while sent.load(Ordering::Relaxed) == 0 && !attack.is_over() {
        time::sleep(WARM_UP / 50).await;
    }
    time::sleep(WARM_UP).await;
    let (before, began) = (sent.load(Ordering::Relaxed), Instant::now());
    let beside = ask().await?;
    let (sent, took) = (sent.load(Ordering::Relaxed) - before, began.elapsed());
    attack.end()?;
    ensure!(alone.len() == CALM_MESSAGES && beside.len() == CALM_MESSAGES, "not all were answered");

    let line = |latencies: &[Duration]| {
        format!("p50 {:.1} ms, p99 {:.1} ms", at(latencies, 500), at(latencies, 990))
    };
    report(format!(
        "neighbour    {CALM_PER_SECOND} messages/s alone: {}; beside a hostile tenant that sent {:.0} messages/s: {}; p99 is \
         {:.2} times as long (budget 2)",
        line(&alone),
        f64::from(u32::try_from(sent)?) / took.as_secs_f64(),
        line(&beside),
        at(&beside, 990) / at(&alone, 990),
    ));
    Ok(())
}

/// What the hostile tenant does, on a thread of its own that stands back behind all that is measured: its callers would not run
/// on the machine of the program.
struct Attack {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Attack {
    fn begin(attack: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> anyhow::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let _ = rustix::process::nice(19);
            runtime.block_on(async {
                tokio::select! {
                    ended = attack => ended.and_then(|()| bail!("the attack ended early")),
                    _ = stopped => Ok(()),
                }
            })
        });
        Ok(Self { stop, thread })
    }

    fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    fn end(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.thread.join().map_err(|_| anyhow!("the attack panicked"))?
    }
}

async fn open(visitor: &Visitor, sessions: usize) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::with_capacity(sessions);
    for _ in 0..sessions {
        ids.push(visitor.open_session().await.context("session")?);
    }
    Ok(ids)
}

/// Sends the worst texts at the full rate, until aborted.
async fn shout(visitor: Visitor, sessions: Vec<String>, sent: Arc<AtomicU64>) -> anyhow::Result<()> {
    let words: Vec<String> =
        (0..200).map(|number| format!("conqponmlkjihgs{}", word(number * 13 + 7))).collect();
    let text: Arc<str> = words.join(" ").chars().take(4_000).collect::<String>().into();
    let mut clock = time::interval(Duration::from_micros(1_000_000 / HOSTILE_PER_SECOND));
    let mut running = JoinSet::new();
    for place in 0_usize.. {
        clock.tick().await;
        let (visitor, session) = (visitor.clone(), sessions[place % sessions.len()].clone());
        let (text, sent) = (text.clone(), sent.clone());
        running.spawn(async move {
            if visitor.send(&session, &format!("h{place}"), &text).await.is_ok() {
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
        while running.try_join_next().is_some() {}
    }
    Ok(())
}

/// Puts one worst pack after the other, until aborted.
async fn replace_packs(api: String, administrator: String) -> anyhow::Result<()> {
    let http = client::http();
    let mut clock = time::interval(PACK_EVERY);
    for number in 1_usize.. {
        clock.tick().await;
        let request = http.put(format!("{api}{BASE}/tenants/muro/context-pack")).bearer_auth(&administrator);
        let answer = request.json(&worst_pack(number % 8 * 10_000)).send().await?;
        let known = [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        ensure!(known.contains(&answer.status()), "a pack: {}", answer.status());
    }
    Ok(())
}

/// A number in letters.
fn word(number: usize) -> String {
    let letter = |place| char::from(b'a' + u8::try_from(number / place % 26).unwrap_or_default());
    [17_576, 676, 26, 1].map(letter).iter().collect()
}

/// A valid pack with some 12,000 words that begin alike, as large as a pack may be.
fn worst_pack(first: usize) -> Value {
    let mut words = (first..).map(|number| format!("conxyzuvwabcdef{}", word(number * 17)));
    let mut text = || words.by_ref().take(14).collect::<Vec<_>>().join(" ");
    let faq: Vec<Value> = (0..28)
        .map(|number| {
            let alternatives: Vec<String> = (0..30).map(|_| text()).collect();
            json!({ "id": format!("f{number}"), "question": text(), "alternatives": alternatives, "answer": "a" })
        })
        .collect();
    json!({
        "displayName": "Muro", "industry": "Shop", "locale": "es-CO", "timezone": "America/Bogota", "currency": "COP",
        "contact": { "email": "a@muro.example" }, "faq": faq,
    })
}
