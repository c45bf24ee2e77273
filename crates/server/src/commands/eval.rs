//! `misy eval`

use super::config::print;
use anyhow::{Context, anyhow};
use clap::Args;
use misy_agents::{CompiledPack, eval};
use misy_domain::{ContextPack, Timestamp};
use serde_json::Value;
use std::{collections::BTreeMap, fs, io::BufReader, path::PathBuf};

#[derive(Args)]
pub(super) struct Eval {
    /// Labelled messages, one JSON object a line: id, tenant, lang, channel, text, expect
    turns: PathBuf,
    /// Folder of context packs, each with its tenantId [default: the demo businesses]
    #[arg(long, value_name = "DIR")]
    packs: Option<PathBuf>,
    /// The moment at which the messages are taken to arrive
    #[arg(long, value_name = "TIME", default_value = "2026-12-01T15:00:00Z")]
    now: Timestamp,
    /// List the ids of the lines that were not answered as labelled, and in what
    #[arg(long)]
    missed: bool,
}

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut packs = BTreeMap::new();
        for (name, bytes) in self.packs()? {
            let mut value: Value = serde_json::from_slice(&bytes).with_context(|| name.clone())?;
            let tenant = value.as_object_mut().and_then(|pack| pack.remove("tenantId"));
            let tenant = tenant.as_ref().and_then(Value::as_str);
            let tenant = tenant.with_context(|| format!("{name} has no tenantId"))?.to_owned();
            let pack = ContextPack::parse(&value).map_err(|wrong| anyhow!("{name}: {wrong:?}"))?;
            packs.insert(tenant, CompiledPack::new(pack).context(name)?);
        }
        let file = fs::File::open(&self.turns).with_context(|| self.turns.display().to_string())?;
        let report = eval::score(BufReader::new(file), &packs, self.now)?;
        let mut text = format!("{report}\n");
        if self.missed {
            for (id, what) in &report.missed {
                text += &format!("{id}: {}\n", what.join("; "));
            }
        }
        print(&text)
    }

    fn packs(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let Some(dir) = &self.packs else { return Ok(crate::demo::packs()) };
        let mut packs = Vec::new();
        for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                packs.push((path.display().to_string(), fs::read(&path)?));
            }
        }
        Ok(packs)
    }
}
