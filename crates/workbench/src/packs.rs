//! Context packs made ready for answering: once for each version, off the threads that serve, within a bound in bytes.
//!
//! With an encoder a pack is also understood by its meaning. That takes a second or more, so a pack answers by its words until its
//! vectors are there; they are made one text at a time, by one thread at most, in turn with what tenants wait for.

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
    sync::{OnceCell, Semaphore, watch},
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
    /// One text at a time, so that a thread is left for turns. Whoever asks first is next, so that tenants take turns.
    turn: Semaphore,
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
        let (turn, unfinished) = (Semaphore::new(1), watch::Sender::new(0));
        Self {
            meaning: Some(Arc::new(Meaning { encoder, turn, makers: Mutex::default(), unfinished })),
            ..self
        }
    }

    /// The threads that they are made ready on.
    pub fn workbench(&self) -> &Workbench {
        &self.workbench
    }

    /// Checks a pack and makes it ready.
    pub async fn prepare(&self, tenant: &TenantId, json: Value) -> Result<Prepared, PackError> {
        let prepare = move |_: &_| {
            let pack = ContextPack::parse(&json).map_err(PackError::Invalid)?;
            let compiled = CompiledPack::new(pack.clone())?;
            Ok(Prepared { pack, compiled })
        };
        self.workbench.run(tenant, prepare).await?
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
                let turn = meaning.turn.acquire().await.ok()?;
                let made = self.workbench.run(tenant, move |_| encoder.passage(&own)).await;
                drop(turn);
                match made {
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
                let prepared = self.prepare(tenant, json).await.map_err(|error| Some(error.into()))?;
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
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const ROOM: u64 = 64 * 1024 * 1024;

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    fn json_of(answers: usize) -> Value {
        let faq = |n| json!({ "id": format!("faq-{n}"), "question": format!("¿Pregunta {n}?"), "answer": "Respuesta." });
        json!({
            "displayName": "Tienda", "industry": "Shop", "locale": "es-CO", "timezone": "America/Bogota",
            "currency": "COP", "contact": { "email": "hola@tienda.example" },
            "faq": (0..answers).map(faq).collect::<Vec<_>>(),
        })
    }

    #[tokio::test]
    async fn however_many_wait_a_version_is_made_ready_once() {
        let packs = Packs::start(ROOM).unwrap();
        let (tenant, loads) = (tenant("andina"), AtomicUsize::new(0));
        let get = || {
            packs.get::<PackError>(&tenant, 1, async || {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(Some(json_of(3)))
            })
        };
        let (a, b, c) = tokio::join!(get(), get(), get());
        assert!([a, b, c].into_iter().all(|pack| pack.unwrap().is_some()));
        assert!(get().await.unwrap().is_some());
        assert_eq!(loads.load(Ordering::Relaxed), 1);
        assert!(packs.making().is_empty());
    }

    #[tokio::test]
    async fn of_a_tenant_the_newest_version_is_kept_and_no_other() {
        let packs = Packs::start(ROOM).unwrap();
        let tenant = tenant("andina");
        let mut sizes = Vec::new();
        for version in 1..=8 {
            let prepared = packs.prepare(&tenant, json_of(100)).await.unwrap();
            packs.keep(&tenant, version, prepared.compiled);
            sizes.push(packs.bytes());
        }
        assert!(sizes[0] > 0 && sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
        // A straggler that still works with an old version does not bring it back.
        packs.get::<PackError>(&tenant, 7, async || Ok(Some(json_of(1)))).await.unwrap();
        assert_eq!(packs.bytes(), sizes[0]);
        packs.get::<PackError>(&tenant, 8, async || panic!("it is kept")).await.unwrap();
    }

    #[tokio::test]
    async fn all_together_take_no_more_than_they_may() {
        let packs = Packs::start(200 * 1024).unwrap();
        for number in 0..40 {
            let tenant = tenant(&format!("tenant-{number}"));
            let prepared = packs.prepare(&tenant, json_of(50)).await.unwrap();
            packs.keep(&tenant, 1, prepared.compiled);
        }
        assert!((1..=200 * 1024).contains(&packs.bytes()), "{}", packs.bytes());
    }

    /// Counts what it makes vectors of.
    #[derive(Debug, Default)]
    struct Letters(AtomicUsize);

    impl Embed for Letters {
        fn query(&self, text: &str) -> Embedding {
            self.passage(text)
        }

        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        fn passage(&self, text: &str) -> Embedding {
            self.0.fetch_add(1, Ordering::Relaxed);
            let mut counts = vec![0.0; 64];
            text.bytes().for_each(|byte| counts[usize::from(byte) % 64] += 1.0);
            Embedding::pointing(counts)
        }
    }

    #[tokio::test]
    async fn vectors_follow_and_what_stays_of_a_pack_keeps_its_own() {
        let letters = Arc::new(Letters::default());
        let packs = Packs::start(ROOM).unwrap().understood_by(letters.clone());
        let (tenant, other) = (tenant("andina"), tenant("verde"));
        let put = async |tenant: &TenantId, version, answers| {
            let prepared = packs.prepare(tenant, json_of(answers)).await.unwrap();
            let words = prepared.compiled.bytes();
            packs.keep(tenant, version, prepared.compiled);
            packs.settled().await;
            let kept = packs.get::<PackError>(tenant, version, async || panic!("it is kept")).await;
            let kept = kept.unwrap().unwrap();
            assert_eq!(kept.vectors().map(Vectors::len), Some(answers * 2));
            assert!(kept.bytes() >= words + answers * 2 * 64, "they are weighed");
            letters.0.swap(0, Ordering::Relaxed)
        };
        assert_eq!(put(&tenant, 1, 3).await, 6);
        assert_eq!(put(&tenant, 2, 5).await, 4);
        assert_eq!(put(&other, 1, 2).await, 4);
        // What is kept already is not made again, and a straggler brings nothing back.
        let old = packs.prepare(&tenant, json_of(1)).await.unwrap();
        packs.keep(&tenant, 1, old.compiled);
        packs.settled().await;
        assert_eq!(letters.0.load(Ordering::Relaxed), 0);
    }

    /// Notes the texts in the order that their vectors are made; makes none while its door is locked.
    #[derive(Debug, Default)]
    struct Slow {
        door: Mutex<()>,
        texts: Mutex<Vec<String>>,
    }

    impl Embed for Slow {
        fn query(&self, text: &str) -> Embedding {
            self.passage(text)
        }

        fn passage(&self, text: &str) -> Embedding {
            let _open = self.door.lock().unwrap();
            self.texts.lock().unwrap().push(text.to_owned());
            Embedding::pointing(vec![1.0; 64])
        }
    }

    /// The door is locked by a thread of its own until the sender goes.
    async fn lock(slow: &Arc<Slow>) -> std::sync::mpsc::Sender<()> {
        let (open, opened) = std::sync::mpsc::channel::<()>();
        let (locked, is_locked) = tokio::sync::oneshot::channel();
        let slow = slow.clone();
        std::thread::spawn(move || {
            let _locked = slow.door.lock().unwrap();
            locked.send(()).unwrap();
            let _ = opened.recv();
        });
        is_locked.await.unwrap();
        open
    }

    #[tokio::test]
    async fn versions_that_are_no_more_wait_for_nothing_and_tenants_take_turns_by_each_text() {
        let slow = Arc::new(Slow::default());
        let packs = Packs::start(ROOM).unwrap().understood_by(slow.clone());
        let (busy, calm) = (tenant("busy"), tenant("calm"));
        let door = lock(&slow).await;
        for version in 1..=20 {
            let prepared = CompiledPack::new(ContextPack::parse(&json_of(30)).unwrap()).unwrap();
            packs.keep(&busy, version, prepared);
            tokio::task::yield_now().await;
        }
        let mut other = json_of(1);
        other["faq"][0]["question"] = json!("¿Otra?");
        packs.keep(&calm, 1, CompiledPack::new(ContextPack::parse(&other).unwrap()).unwrap());
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let waiting = *packs.meaning.as_ref().unwrap().unfinished.borrow();
        assert_eq!(waiting, 2, "one for each tenant");
        drop(door);
        packs.settled().await;
        let texts = slow.texts.lock().unwrap().clone();
        assert!(texts.iter().position(|text| text.contains("Otra")).unwrap() < 10, "{texts:?}");
        assert_eq!(texts.len(), 62, "each text once, whatever the version");
        let kept = packs.get::<PackError>(&busy, 20, async || panic!("it is kept")).await.unwrap().unwrap();
        assert_eq!(kept.vectors().map(Vectors::len), Some(60));
    }

    #[tokio::test]
    async fn an_encoder_that_fails_leaves_the_words() {
        #[derive(Debug)]
        struct Broken;
        impl Embed for Broken {
            fn query(&self, _: &str) -> Embedding {
                panic!("no vector")
            }
            fn passage(&self, _: &str) -> Embedding {
                panic!("no vector")
            }
        }
        let packs = Packs::start(ROOM).unwrap().understood_by(Arc::new(Broken));
        let tenant = tenant("andina");
        let get = || packs.get::<PackError>(&tenant, 1, async || Ok(Some(json_of(3))));
        assert!(get().await.unwrap().is_some());
        packs.settled().await;
        assert!(get().await.unwrap().unwrap().vectors().is_none());
    }

    #[tokio::test]
    async fn a_pack_that_is_not_there_or_wrong_is_told_apart() {
        let packs = Packs::start(ROOM).unwrap();
        let none = packs.get::<PackError>(&tenant("alone"), 1, async || Ok(None)).await;
        assert!(none.unwrap().is_none());
        let wrong = packs.get::<PackError>(&tenant("alone"), 1, async || Ok(Some(json!({})))).await;
        assert!(matches!(wrong, Err(PackError::Invalid(_))));
    }
}
