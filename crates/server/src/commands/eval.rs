//! `misy eval`

use super::config::print;
use crate::{settings::Settings, weights};
use anyhow::{Context, anyhow};
use clap::Args;
use misy_agents::{
    CompiledPack,
    eval::{self, Business, Conversation, Turn},
    meaning::Embed,
};
use misy_domain::{ContextPack, Timestamp};
use misy_encoder::{Encoder, Vectors};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Args)]
pub(super) struct Eval {
    /// Labelled messages, one JSON object a line: id, tenant, lang, channel, text, kind, expect; or conversations: kind, tenant, at,
    /// lines, person, has, lacks; or, where a name ends in .json, businesses with questions of their own
    #[arg(required = true)]
    turns: Vec<PathBuf>,
    /// Folder of context packs, each with its tenantId [default: the demo businesses]
    #[arg(long, value_name = "DIR")]
    packs: Option<PathBuf>,
    /// The moment at which the messages are taken to arrive
    #[arg(long, value_name = "TIME", default_value = "2026-12-01T15:00:00Z")]
    now: Timestamp,
    /// List the ids of the lines that were not answered as labelled, and in what
    #[arg(long)]
    missed: bool,
    /// Weights to understand by meaning with [default: those that are installed]
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    weights: Option<PathBuf>,
    /// Understand by words alone
    #[arg(long)]
    words: bool,
}

impl Eval {
    pub(super) fn run(self, config: Option<&Path>) -> anyhow::Result<()> {
        let encoder = self.encoder(config)?;
        let mut packs = BTreeMap::new();
        let (mut turns, mut conversations): (Vec<Turn>, Vec<Conversation>) = Default::default();
        for path in &self.turns {
            let name = || path.display().to_string();
            let file = BufReader::new(fs::File::open(path).with_context(name)?);
            if path.extension().is_some_and(|extension| extension == "json") {
                let business: Business = serde_json::from_reader(file).with_context(name)?;
                let pack = business.pack().map_err(|wrong| anyhow!("{}: {wrong:?}", name()))?;
                turns.extend(business.turns());
                packs.insert(business.id, ready(pack, encoder.as_ref()).with_context(name)?);
            } else {
                let (more, held) = eval::read_all(file).with_context(name)?;
                turns.extend(more);
                conversations.extend(held);
            }
        }
        for (name, bytes) in self.packs()? {
            let mut value: Value = serde_json::from_slice(&bytes).with_context(|| name.clone())?;
            let tenant = value.as_object_mut().and_then(|pack| pack.remove("tenantId"));
            let tenant = tenant.as_ref().and_then(Value::as_str);
            let tenant = tenant.with_context(|| format!("{name} has no tenantId"))?.to_owned();
            let mut asked =
                turns.iter().map(|turn| &turn.tenant).chain(conversations.iter().map(|own| &own.tenant));
            if !asked.any(|own| *own == tenant) {
                continue;
            }
            let pack = ContextPack::parse(&value).map_err(|wrong| anyhow!("{name}: {wrong:?}"))?;
            packs.insert(tenant, ready(pack, encoder.as_ref()).context(name)?);
        }
        let mut report = eval::score(&turns, &packs, self.now)?;
        eval::score_conversations(&conversations, &packs, &mut report)?;
        let way = if encoder.is_some() { "words and meaning" } else { "words" };
        let mut text = format!("understood by {way}\n\n{report}\n");
        if self.missed {
            for (id, what) in &report.missed {
                text += &format!("{id}: {}\n", what.join("; "));
            }
        }
        print(&text)
    }

    /// What makes vectors of texts, if texts are to be understood by their meaning.
    fn encoder(&self, config: Option<&Path>) -> anyhow::Result<Option<Arc<dyn Embed>>> {
        if self.words {
            return Ok(None);
        }
        if let Some(path) = &self.weights {
            let encoder = Encoder::open(path).with_context(|| path.display().to_string())?;
            return Ok(Some(Arc::new(encoder)));
        }
        let settings = Settings::read(config)?;
        let opened = weights::open(&settings.data_dir)?;
        Ok(opened.map(|(_, encoder)| Arc::new(encoder) as Arc<dyn Embed>))
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

/// A pack that is ready for answering, by meaning too if there is an encoder.
fn ready(pack: ContextPack, encoder: Option<&Arc<dyn Embed>>) -> anyhow::Result<CompiledPack> {
    let pack = CompiledPack::new(pack)?;
    let Some(encoder) = encoder else { return Ok(pack) };
    let mut vectors = Vectors::default();
    pack.passages().iter().for_each(|text| vectors.push(&encoder.passage(text)));
    Ok(pack.with_meaning(encoder.clone(), vectors))
}
