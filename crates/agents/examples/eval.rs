//! Scores the agents: `cargo run --release -p misy-agents --example eval -- [--missed] turns.jsonl pack.json…`
#![allow(clippy::print_stdout)]

use misy_agents::{CompiledPack, eval};
use misy_domain::ContextPack;
use std::{collections::BTreeMap, error::Error, fs, io::BufReader, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let missed = arguments.iter().any(|argument| argument == "--missed");
    arguments.retain(|argument| argument != "--missed");
    let [turns, packs @ ..] = arguments.as_slice() else {
        return Err("turns.jsonl and packs are needed".into());
    };
    let mut compiled = BTreeMap::new();
    for path in packs {
        let mut value: serde_json::Value = serde_json::from_slice(&fs::read(path)?)?;
        let tenant = value.as_object_mut().and_then(|pack| pack.remove("tenantId"));
        let tenant =
            tenant.as_ref().and_then(|id| id.as_str()).ok_or("a pack needs its tenantId")?.to_owned();
        let pack = ContextPack::parse(&value).map_err(|wrong| format!("{path}: {wrong:?}"))?;
        let start = Instant::now();
        let pack = CompiledPack::new(pack)?;
        println!("{tenant}: compiled in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
        compiled.insert(tenant, pack);
    }
    let file = BufReader::new(fs::File::open(turns)?);
    let start = Instant::now();
    let report = eval::score(file, &compiled, "2026-12-01T15:00:00Z".parse()?)?;
    let turn = start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(report.agent.all.max(1))?);
    println!("{turn:.0} µs a turn\n");
    println!("{report}");
    if missed {
        for (id, what) in &report.missed {
            println!("{id}: {}", what.join("; "));
        }
    }
    Ok(())
}
