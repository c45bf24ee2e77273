//! Learns `data/weights.json` from the development set:
//! `cargo run --release -p misy-agents --example train -- dev/turns.jsonl pack.json… > data/weights.json`
#![allow(clippy::print_stdout)]

use misy_agents::{CompiledPack, eval, train};
use misy_domain::ContextPack;
use std::{collections::BTreeMap, error::Error, fs, io::BufReader, sync::Arc};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
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
        compiled.insert(tenant, CompiledPack::new(Arc::new(pack)));
    }
    let turns = eval::read(BufReader::new(fs::File::open(turns)?))?;
    let mut examples = Vec::new();
    for turn in &turns {
        examples.push(train::Example {
            pack: compiled.get(&turn.tenant).ok_or("a turn names a tenant without a pack")?,
            text: &turn.text,
            agent: &turn.expect.agent,
            faq: turn.expect.faq.as_ref().map(|faq| faq.as_deref()),
        });
    }
    println!("{}", train::train(&examples, "2026-12-01T15:00:00Z".parse()?));
    Ok(())
}
