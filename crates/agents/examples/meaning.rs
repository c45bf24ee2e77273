//! Learns and measures how words and meaning together find answers and agents.
//!
//! `cargo run --release -p misy-agents --example meaning -- WEIGHTS CACHE learn OUT TRAIN.json…` learns from businesses with questions,
//! writes `meaning.json` and `meaning-agents.json` to the folder OUT and prints what each fourth of the businesses gets from what was
//! learnt of the others. CACHE is a file that keeps vectors between runs; WEIGHTS can be `base:FILE` for no adapter.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use misy_agents::{
    CompiledPack,
    eval::{Business, Turn},
    meaning::{Embed, Judge},
    train::meaning::{Count, Lesson, Right, head, judge, measure},
};
use misy_domain::Timestamp;
use misy_encoder::{Embedding, Encoder, Vectors};
use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

type Failure = Box<dyn Error>;

/// One in so many businesses is kept out and measured, in turn.
const FOLDS: usize = 4;

/// An encoder whose vectors are kept in a file.
#[derive(Debug)]
struct Cached {
    encoder: Encoder,
    file: String,
    kept: Mutex<HashMap<String, Embedding>>,
}

impl Embed for Cached {
    fn query(&self, text: &str) -> Embedding {
        self.get(format!("q {text}"), || self.encoder.query(text))
    }

    fn passage(&self, text: &str) -> Embedding {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.get(format!("p {text}"), || self.encoder.passage(&text))
    }
}

impl Cached {
    fn open(weights: &str, file: &str) -> Result<Self, Failure> {
        let encoder = match weights.strip_prefix("base:") {
            Some(path) => Encoder::open_unadapted(Path::new(path))?,
            None => Encoder::open(Path::new(weights))?,
        };
        let mut kept = HashMap::new();
        for line in fs::read_to_string(file).unwrap_or_default().lines() {
            let Some((hex, text)) = line.split_once('\t') else { continue };
            let byte = |at: usize| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap_or(""), 16);
            let bytes = (0..hex.len() / 2).map(byte).collect::<Result<Vec<_>, _>>()?;
            kept.extend(Embedding::from_bytes(&bytes).map(|embedding| (text.to_owned(), embedding)));
        }
        Ok(Self { encoder, file: file.to_owned(), kept: Mutex::new(kept) })
    }

    fn get(&self, key: String, embed: impl FnOnce() -> Embedding) -> Embedding {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(embedding) = kept().get(&key) {
            return embedding.clone();
        }
        let embedding = embed();
        let mut line = String::new();
        for byte in embedding.to_bytes() {
            let _ = write!(line, "{byte:02x}");
        }
        let opened = fs::OpenOptions::new().create(true).append(true).open(&self.file);
        if let Err(error) = opened.and_then(|mut file| writeln!(file, "{line}\t{key}")) {
            eprintln!("{}: {error}", self.file);
        }
        kept().insert(key, embedding.clone());
        embedding
    }
}

fn lessons_of(of: usize, path: &str, cached: &Arc<Cached>, now: Timestamp) -> Result<Vec<Lesson>, Failure> {
    let business: Business = serde_json::from_slice(&fs::read(path)?)?;
    let pack = business.pack().map_err(|wrong| format!("{path}: {wrong:?}"))?;
    let places: HashMap<String, usize> =
        pack.faq.iter().enumerate().map(|(at, faq)| (faq.id.clone(), at)).collect();
    let pack = CompiledPack::new(pack)?;
    let mut vectors = Vectors::default();
    pack.passages().iter().for_each(|text| vectors.push(&cached.passage(text)));
    let pack = pack.with_meaning(cached.clone(), vectors);
    let lesson = |turn: Turn| {
        let right = match &turn.expect.faq {
            Some(Some(id)) => Right::Answer(*places.get(id)?),
            Some(None) => Right::None,
            None => Right::Other,
        };
        Lesson::new(&pack, &turn.text, (right, &turn.expect.agent, [turn.lang, turn.kind], of), now)
    };
    Ok(business.turns().into_iter().filter_map(lesson).collect())
}

fn print(counts: &BTreeMap<String, Count>) {
    let part = |some: u32, all: u32| format!("{:>5.1}", 100.0 * f64::from(some) / f64::from(all.max(1)));
    println!(
        "                     agent  of    | first  in 4 | right asked  vain unknown wrong    of | none: unknown asked answered of"
    );
    for (name, count) in counts {
        let Count { all, none, .. } = *count;
        println!(
            "{name:19} {} {:>6} | {}  {} | {} {} {} {}   {} {all:>5} |       {} {} {}  {none:>4}",
            part(count.agents_right, count.agents),
            count.agents,
            part(count.first, all),
            part(count.four, all),
            part(count.answered, all),
            part(count.asked, all),
            part(count.asked_in_vain, all),
            part(count.unknown, all),
            part(count.wrong, all),
            part(count.none_unknown, none),
            part(count.none_asked, none),
            part(count.none_answered, none),
        );
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [weights, cache, what, out, paths @ ..] = arguments.as_slice() else {
        return Err("WEIGHTS CACHE learn OUT PATH… are needed".into());
    };
    if what != "learn" {
        return Err(format!("{what} is not known; learn is").into());
    }
    let now: Timestamp = "2026-12-01T15:00:00Z".parse()?;
    let cached = Arc::new(Cached::open(weights, cache)?);
    let mut lessons = Vec::new();
    for (of, path) in paths.iter().enumerate() {
        lessons.extend(lessons_of(of, path, &cached, now)?);
        eprintln!("{path}: {} questions so far", lessons.len());
    }
    let learnt = judge(&lessons.iter().collect::<Vec<_>>());
    println!("{}", serde_json::to_string(&learnt)?);
    fs::write(Path::new(out).join("meaning.json"), serde_json::to_string(&learnt)? + "\n")?;
    for lesson in &mut lessons {
        lesson.judged(&learnt);
    }
    let agents = head(&lessons.iter().collect::<Vec<_>>());
    fs::write(Path::new(out).join("meaning-agents.json"), agents.to_json() + "\n")?;
    // What follows is measured on businesses of which nothing was learnt.
    let mut folds = Vec::new();
    for fold in 0..FOLDS {
        let rest = |lessons: &[Lesson]| -> Vec<usize> {
            (0..lessons.len()).filter(|at| lessons[*at].of % FOLDS != fold).collect()
        };
        let others: Vec<&Lesson> = rest(&lessons).into_iter().map(|at| &lessons[at]).collect();
        let own = judge(&others);
        for lesson in &mut lessons {
            lesson.judged(&own);
        }
        let others: Vec<&Lesson> = rest(&lessons).into_iter().map(|at| &lessons[at]).collect();
        folds.push((own, head(&others)));
        eprintln!("fold {fold} is learnt");
    }
    for (answer, ask) in [(0.5, 0.4), (0.55, 0.45), (0.6, 0.4), (0.6, 0.5), (0.65, 0.5)] {
        println!("answer from {answer}, ask from {ask}");
        let mut counts = BTreeMap::new();
        for (fold, (own, agents)) in folds.iter().enumerate() {
            let own = Judge { answer, ask, ..own.clone() };
            let mut kept: Vec<&mut Lesson> =
                lessons.iter_mut().filter(|lesson| lesson.of % FOLDS == fold).collect();
            measure(&own, Some(agents), &mut kept, &mut counts);
        }
        if answer.to_bits() != 0.6_f64.to_bits() {
            counts.retain(|name, _| name == "all");
        }
        print(&counts);
    }
    Ok(())
}
