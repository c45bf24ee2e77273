//! Scores the agents: `cargo run --release -p misy-agents --example eval -- [--missed] [weights=FILE] turns.jsonl… pack.json…`
//!
//! A JSON file without `tenantId` is a business with questions of its own.
#![allow(clippy::print_stdout)]

use misy_agents::{
    CompiledPack,
    eval::{self, Business},
    meaning::Embed,
};
use misy_domain::ContextPack;
use misy_encoder::{Encoder, Vectors};
use std::{collections::BTreeMap, error::Error, fs, path::Path, sync::Arc, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut encoder: Option<Arc<dyn Embed>> = None;
    let (mut missed, mut turns, mut conversations) = (false, Vec::new(), Vec::new());
    let mut packs: BTreeMap<String, ContextPack> = BTreeMap::new();
    for argument in std::env::args().skip(1) {
        if argument == "--missed" {
            missed = true;
        } else if let Some(path) = argument.strip_prefix("weights=") {
            encoder = Some(Arc::new(Encoder::open(Path::new(path))?));
        } else if Path::new(&argument).extension().is_some_and(|extension| extension == "jsonl") {
            let (more, held) = eval::read_all(&fs::read(&argument)?[..])?;
            turns.extend(more);
            conversations.extend(held);
        } else {
            let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&argument)?)?;
            let tenant = value.as_object_mut().and_then(|pack| pack.remove("tenantId"));
            let wrong = |wrong| format!("{argument}: {wrong:?}");
            if let Some(tenant) = tenant.as_ref().and_then(|id| id.as_str()) {
                packs.insert(tenant.to_owned(), ContextPack::parse(&value).map_err(wrong)?);
            } else {
                let business: Business = serde_json::from_value(value)?;
                turns.extend(business.turns());
                packs.insert(business.id.clone(), business.pack().map_err(wrong)?);
            }
        }
    }
    let mut compiled = BTreeMap::new();
    for (tenant, pack) in packs {
        let start = Instant::now();
        let mut pack = CompiledPack::new(pack)?;
        if let Some(encoder) = &encoder {
            let mut vectors = Vectors::default();
            pack.passages().iter().for_each(|text| vectors.push(&encoder.passage(text)));
            pack = pack.with_meaning(encoder.clone(), vectors);
        }
        println!("{tenant}: ready in {:.1} ms, {} bytes", start.elapsed().as_secs_f64() * 1e3, pack.bytes());
        compiled.insert(tenant, pack);
    }
    let start = Instant::now();
    let mut report = eval::score(&turns, &compiled, "2026-12-01T15:00:00Z".parse()?)?;
    let turn = start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(report.agent.all.max(1))?);
    println!("{turn:.0} µs a turn\n");
    eval::score_conversations(&conversations, &compiled, &mut report)?;
    println!("{report}");
    if missed {
        for (id, what) in &report.missed {
            println!("{id}: {}", what.join("; "));
        }
    }
    Ok(())
}
