//! Context packs made ready for answering: once for each version, off the threads that serve, within a bound in bytes.
//!
//! With an encoder a pack is also understood by its meaning. That takes a second or more, so a pack answers by its words until its
//! vectors are there. They are made one text at a time for all tenants, who take turns.

use crate::{Unfinished, Workbench};
use misy_agents::{CompiledPack, TooCostly, meaning::Embed};
use misy_domain::{ContextPack, TenantId, context_pack::Invalid};
use misy_encoder::{Embedding, Vectors};
use moka::{
    ops::compute::{CompResult, Op},
    sync::Cache,
};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OnceCell, watch},
    time::sleep,
};

/// A pack that nobody needed for so long is made ready anew.
const IDLE: Duration = Duration::from_hours(1);
/// What a pack takes in the cache beside itself.
const ENTRY_BYTES: usize = 256;

/// How long the making of vectors waits when too much of its tenant waits already.
const CROWDED: Duration = Duration::from_millis(200);

type Version = (TenantId, i64);

/// Packs that are ready: of each tenant the newest version at most. Cheap to clone.
#[derive(Clone)]
pub struct Packs {
    workbench: Workbench,
    ready: Cache<TenantId, Ready>,
    /// What is being made ready, so that it is done once however many turns wait for it.
    making: Arc<Mutex<HashMap<Version, Arc<OnceCell<CompiledPack>>>>>,
    meaning: Option<Arc<Meaning>>,
}

/// What makes packs understood by meaning.
struct Meaning {
    encoder: Arc<dyn Embed>,
    /// The tenants whose vectors are being made.
    makers: Mutex<HashSet<TenantId>>,
    /// How many packs wait for their vectors or are given them.
    unfinished: watch::Sender<usize>,
}

impl Meaning {
    fn makers(&self) -> std::sync::MutexGuard<'_, HashSet<TenantId>> {
        self.makers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Ready {
    version: i64,
    pack: CompiledPack,
}

/// A pack that was checked and made ready.
pub struct Prepared {
    /// As it is to be stored.
    pub pack: ContextPack,
    /// Ready for answering.
    pub compiled: CompiledPack,
}

/// Why a pack cannot be answered from.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It has mistakes.
    #[error("the pack has {} mistakes", .0.len())]
    Invalid(Vec<Invalid>),
    /// It would cost too much.
    #[error(transparent)]
    TooCostly(#[from] TooCostly),
    /// It could not be made ready now.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
}

impl Packs {
    /// None is ready yet; all together will take so many bytes at most.
    pub fn start(most_bytes: u64) -> io::Result<Self> {
        Ok(Self::on(Workbench::start()?, most_bytes))
    }

    /// The same, on these threads.
    pub fn on(workbench: Workbench, most_bytes: u64) -> Self {
        let weigh = |tenant: &TenantId, ready: &Ready| {
            let bytes = ready.pack.bytes() + tenant.as_str().len() + ENTRY_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let ready = Cache::builder().weigher(weigh).max_capacity(most_bytes).time_to_idle(IDLE).build();
        Self { workbench, ready, making: Arc::default(), meaning: None }
    }

    /// The same, understood by meaning too, with the vectors of an encoder.
    #[must_use]
    pub fn understood_by(self, encoder: Arc<dyn Embed>) -> Self {
        let unfinished = watch::Sender::new(0);
        Self { meaning: Some(Arc::new(Meaning { encoder, makers: Mutex::default(), unfinished })), ..self }
    }

    /// The threads that they are made ready on.
    pub fn workbench(&self) -> &Workbench {
        &self.workbench
    }

    /// Checks a pack and makes it ready.
    pub async fn prepare(&self, tenant: &TenantId, json: Value) -> Result<Prepared, PackError> {
        self.workbench.prepare(tenant, move |_| made_ready(&json)).await?
    }

    /// Keeps a pack that is in force from now on; older versions of the tenant go. Its vectors are made afterwards.
    pub fn keep(&self, tenant: &TenantId, version: i64, pack: CompiledPack) {
        let mut old = None;
        let entry = self.ready.entry_by_ref(tenant).and_compute_with(|kept| match kept {
            Some(kept) if kept.value().version >= version => Op::Nop,
            kept => {
                old = kept.map(|kept| kept.into_value().pack);
                Op::Put(Ready { version, pack })
            }
        });
        let is_new = matches!(entry, CompResult::Inserted(_) | CompResult::ReplacedWith(_));
        if let (true, Some(meaning)) = (is_new, &self.meaning) {
            // Whoever makes the vectors of the tenant already goes over to the new version by itself.
            if meaning.makers().insert(tenant.clone()) {
                // Counted before anybody can ask whether all have their vectors.
                let counted = Counted::one(meaning.clone());
                let (packs, tenant) = (self.clone(), tenant.clone());
                tokio::spawn(async move { packs.give_meaning(&counted.0, &tenant, old).await });
            }
        }
    }

    /// Makes the vectors of the tenant's pack in force, until the one in force has them. What stood in the version before keeps
    /// its vector. There is one such task for each tenant, so that versions that are no more take no room.
    async fn give_meaning(&self, meaning: &Meaning, tenant: &TenantId, old: Option<CompiledPack>) {
        let mut known = old.as_ref().map(known).unwrap_or_default();
        drop(old);
        let mut made = None;
        loop {
            let Some(kept) = self.next_to_mean(meaning, tenant, made) else { return };
            made = Some(kept.version);
            let Some(vectors) = self.vectors(meaning, tenant, &kept, &mut known).await else { continue };
            let pack = kept.pack.with_meaning(meaning.encoder.clone(), vectors);
            self.ready.entry_by_ref(tenant).and_compute_with(|now| match now {
                Some(now) if now.value().version == kept.version => {
                    Op::Put(Ready { version: kept.version, pack })
                }
                _ => Op::Nop,
            });
        }
    }

    /// The pack in force if it is another than the one that was `made`; else the task ends here, and a later version has one of
    /// its own.
    fn next_to_mean(&self, meaning: &Meaning, tenant: &TenantId, made: Option<i64>) -> Option<Ready> {
        let mut makers = meaning.makers();
        let kept = self.ready.get(tenant).filter(|kept| Some(kept.version) != made);
        if kept.is_none() {
            makers.remove(tenant);
        }
        kept
    }

    /// The vectors of a pack; `None` once another is in force, or when the encoder fails. Tenants take turns by each text.
    async fn vectors(
        &self,
        meaning: &Meaning,
        tenant: &TenantId,
        kept: &Ready,
        known: &mut HashMap<String, Embedding>,
    ) -> Option<Vectors> {
        let texts = kept.pack.passages();
        let still: HashSet<&str> = texts.iter().map(AsRef::as_ref).collect();
        known.retain(|text, _| still.contains(text.as_str()));
        let mut vectors = Vectors::default();
        for text in &texts {
            let text: &str = text.as_ref();
            while !known.contains_key(text) {
                if self.ready.get(tenant).is_none_or(|now| now.version != kept.version) {
                    return None;
                }
                let (encoder, own) = (meaning.encoder.clone(), text.to_owned());
                match self.workbench.vector(tenant, move |_| encoder.passage(&own)).await {
                    Ok(vector) => drop(known.insert(text.to_owned(), vector)),
                    Err(Unfinished::Full) => sleep(CROWDED).await,
                    // The words go on answering.
                    Err(Unfinished::Panicked) => return None,
                }
            }
            vectors.push(known.get(text)?);
        }
        Some(vectors)
    }

    /// Waits until no pack waits for its vectors.
    pub async fn settled(&self) {
        if let Some(meaning) = &self.meaning {
            // The sender lives as long as this does.
            let _ = meaning.unfinished.subscribe().wait_for(|count| *count == 0).await;
        }
    }

    /// The pack of a version, made ready from what `load` reads if it is not yet. `None` if nothing is there.
    pub async fn get<E: From<PackError>>(
        &self,
        tenant: &TenantId,
        version: i64,
        load: impl AsyncFnOnce() -> Result<Option<Value>, E>,
    ) -> Result<Option<CompiledPack>, E> {
        if let Some(kept) = self.ready.get(tenant).filter(|kept| kept.version == version) {
            return Ok(Some(kept.pack));
        }
        let key = (tenant.clone(), version);
        let making = self.making().entry(key.clone()).or_default().clone();
        let made = making
            .get_or_try_init(async || {
                let json = load().await.map_err(Some)?.ok_or(None)?;
                // Somebody waits for an answer. What it takes counts for their tenant.
                let prepared = self.workbench.run(tenant, move |_| made_ready(&json)).await;
                let prepared = prepared.map_err(PackError::from).flatten();
                let prepared = prepared.map_err(|error| Some(error.into()))?;
                self.keep(tenant, version, prepared.compiled.clone());
                Ok(prepared.compiled)
            })
            .await
            .cloned();
        self.making().remove(&key);
        match made {
            Ok(pack) => Ok(Some(pack)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// What all that are ready take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.ready.run_pending_tasks();
        self.ready.weighted_size()
    }

    fn making(&self) -> std::sync::MutexGuard<'_, HashMap<Version, Arc<OnceCell<CompiledPack>>>> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn made_ready(json: &Value) -> Result<Prepared, PackError> {
    let pack = ContextPack::parse(json).map_err(PackError::Invalid)?;
    let compiled = CompiledPack::new(pack.clone())?;
    Ok(Prepared { pack, compiled })
}

/// The vectors that a pack has, by their texts.
fn known(pack: &CompiledPack) -> HashMap<String, Embedding> {
    let Some(vectors) = pack.vectors() else { return HashMap::new() };
    pack.passages().iter().enumerate().map(|(at, text)| (text.to_string(), vectors.get(at))).collect()
}

/// A pack that is counted as unfinished until it is dropped.
struct Counted(Arc<Meaning>);

impl Counted {
    fn one(meaning: Arc<Meaning>) -> Self {
        meaning.unfinished.send_modify(|count| *count += 1);
        Self(meaning)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.unfinished.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests;
