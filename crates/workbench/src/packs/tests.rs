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

/// Has the only patient thread of a tenant's share do something until the sender goes.
fn occupied(packs: &Packs, tenant: &TenantId) -> std::sync::mpsc::Sender<()> {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (bench, tenant) = (packs.workbench().clone(), tenant.clone());
    tokio::spawn(async move {
        let work = move |_: &_| {
            begun.send(()).unwrap();
            let _ = ended.recv();
        };
        bench.prepare(&tenant, work).await
    });
    has_begun.recv().unwrap();
    end
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_their_own_threads_keeps_no_other_from_its_vectors() {
    let slow = Arc::new(Slow::default());
    let packs = Packs::on(Workbench::with_threads(2).unwrap(), ROOM).understood_by(slow.clone());
    let (busy, calm) = (tenant("busy"), tenant("calm"));
    let busy_thread = occupied(&packs, &busy);
    let pack = |answers| CompiledPack::new(ContextPack::parse(&json_of(answers)).unwrap()).unwrap();
    packs.keep(&busy, 1, pack(3));
    // Its first text waits by now.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    packs.keep(&calm, 1, pack(1));
    let has_vectors = async || {
        let kept = packs.get::<PackError>(&calm, 1, async || panic!("it is kept")).await;
        kept.unwrap().unwrap().vectors().is_some()
    };
    let waited = async {
        while !has_vectors().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waited).await.expect("the calm one has its vectors");
    drop(busy_thread);
    packs.settled().await;
    assert_eq!(slow.texts.lock().unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_a_pack_does_not_wait_for_patient_threads() {
    let packs = Packs::on(Workbench::with_threads(1).unwrap(), ROOM);
    let patient = occupied(&packs, &tenant("busy"));
    let calm = tenant("calm");
    let got = packs.get::<PackError>(&calm, 1, async || Ok(Some(json_of(3))));
    let got = tokio::time::timeout(Duration::from_mins(1), got).await.expect("it is made meanwhile");
    assert!(got.unwrap().is_some());
    drop(patient);
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
