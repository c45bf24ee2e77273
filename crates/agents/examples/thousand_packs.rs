//! What a thousand packs take in memory and a turn among them takes in time:
//! `cargo run --release -p misy-agents --example thousand_packs -- seeds/businesses/*.json`
#![allow(clippy::print_stdout)]

use misy_agents::{Budget, CompiledPack, InboundText, TurnInput, decide_turn};
use misy_domain::{Channel, ContextPack, Permissions};
use std::{error::Error, fs, time::Instant};

const PACKS: usize = 1_000;
const TURNS: usize = 4_000;
const MESSAGES: [&str; 5] = [
    "¿atienden los sábados y cuánto sale una limpieza?",
    "hola, tienen estasionamineto?",
    "quero remarcar minha consulta",
    "how much is it and where are you located?",
    "quiero hablar con una persona",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut packs = Vec::new();
    for path in std::env::args().skip(1) {
        let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
        value.as_object_mut().and_then(|pack| pack.remove("tenantId"));
        packs.push(ContextPack::parse(&value).map_err(|wrong| format!("{path}: {wrong:?}"))?);
    }
    // The word lists are read with the first pack, and shared by all.
    let warm = CompiledPack::new(packs.first().ok_or("packs are needed")?.clone())?;
    turn(&warm, MESSAGES[1])?;
    let before = resident()?;
    let began = Instant::now();
    let compiled: Vec<CompiledPack> =
        (0..PACKS).map(|at| CompiledPack::new(packs[at % packs.len()].clone())).collect::<Result<_, _>>()?;
    let each = began.elapsed().as_secs_f64() * 1e3 / 1e3;
    let grown = resident()?.saturating_sub(before);
    let weighed: usize = compiled.iter().map(CompiledPack::bytes).sum();
    println!(
        "{PACKS} packs: {grown} KiB resident, {} KiB by their own weight, {each:.2} ms each",
        weighed / 1024
    );
    let mut took = Vec::with_capacity(TURNS);
    let mut steps = 0;
    for at in 0..TURNS {
        let began = Instant::now();
        steps += turn(&compiled[at * 7 % PACKS], MESSAGES[at % MESSAGES.len()])?;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let at = |share: usize| took[TURNS * share / 1_000];
    println!("turns: p50 {:?}, p99 {:?}, {} steps on average", at(500), at(990), steps / TURNS as u64);
    Ok(())
}

fn turn(pack: &CompiledPack, text: &str) -> Result<u64, Box<dyn Error>> {
    let budget = Budget::of_turn();
    let input = TurnInput {
        pack,
        channel: Channel::Web,
        locale: None,
        session_language: None,
        messages: &[InboundText {
            message_id: "msg_00000000000000000000000000".parse()?,
            text,
            pressed: None,
        }],
        history: &[],
        form: None,
        permissions: &Permissions::anonymous_chat(),
        handed_off: false,
        unanswered_in_a_row: 0,
        now: "2026-12-01T15:00:00Z".parse()?,
    };
    decide_turn(&input, &budget);
    Ok(budget.used())
}

/// What this process has in memory, in KiB.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?)
}
