//! Learns `data/weights.json` from the development set:
//! `cargo run --release -p misy-agents --example train -- [--cross] dev/turns.jsonl pack.json… > data/weights.json`
//! With `--cross` it prints how well packs are answered whose turns were left out of learning.
#![allow(clippy::print_stdout)]

use misy_agents::{CompiledPack, eval, train};
use misy_domain::ContextPack;
use std::{collections::BTreeMap, error::Error, fs, io::BufReader};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let cross = arguments.iter().any(|argument| argument == "--cross");
    arguments.retain(|argument| argument != "--cross");
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
        compiled.insert(tenant, CompiledPack::new(pack)?);
    }
    let turns = eval::read(BufReader::new(fs::File::open(turns)?))?;
    let now = "2026-12-01T15:00:00Z".parse()?;
    if cross {
        let report = train::cross_validate(&turns, &compiled, now);
        println!("{report}");
        for (id, what) in &report.missed {
            println!("{id}: {}", what.join("; "));
        }
    } else {
        println!("{}", train::train(&turns, &compiled, now));
    }
    Ok(())
}
