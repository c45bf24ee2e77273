//! Learns and measures how words and meaning together find answers.
//!
//! `cargo run --release -p misy-agents --example meaning -- WEIGHTS CACHE learn TRAIN.json…` learns from businesses with questions and
//! prints the judge. `… -- WEIGHTS CACHE measure turns.jsonl PACK.json…` or `… measure TRAIN.json…` prints outcomes by language.
//! `every=4` before the paths takes each fourth question. CACHE is a file that keeps vectors between runs; WEIGHTS can be `none` for words alone, or `base:FILE` for no adapter.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use misy_agents::{
    Budget, CompiledPack,
    eval::{self, Turn},
    meaning::{Found, Judge, Near, Outcome, candidates, measures, measures_of_none, question},
};
use misy_domain::{ContextPack, Language};
use misy_encoder::{Embedding, Encoder};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt::Write as _,
    fs,
    io::{BufReader, Write as _},
    path::Path,
};

type Failure = Box<dyn Error>;

/// A business with questions of customers.
#[derive(Deserialize)]
struct Business {
    id: String,
    name: String,
    industry: String,
    locale: String,
    faq: Vec<Faq>,
    #[serde(default)]
    queries: Vec<Query>,
}

#[derive(Deserialize)]
struct Faq {
    id: String,
    question: String,
    answer: String,
}

#[derive(Deserialize)]
struct Query {
    t: String,
    l: String,
    a: String,
    f: Option<String>,
    k: String,
}

/// A question to a pack with what is right: a place, or none where the pack has no answer.
struct Asked {
    text: String,
    language: String,
    kind: String,
    right: Option<usize>,
}

struct Shop {
    pack: CompiledPack,
    asked: Vec<Asked>,
}

fn shop_of(business: Business) -> Result<Shop, Failure> {
    let faq: Vec<_> = business
        .faq
        .iter()
        .map(|faq| json!({ "id": faq.id.replace('_', "-").to_lowercase(), "question": faq.question, "answer": faq.answer }))
        .collect();
    let pack = json!({
        "displayName": business.name, "industry": business.industry, "locale": business.locale, "timezone": "UTC",
        "currency": "USD", "contact": { "email": "one@example.org" }, "faq": faq,
        "branding": { "primaryColor": "#335577" },
    });
    let pack = ContextPack::parse(&pack).map_err(|wrong| format!("{}: {wrong:?}", business.id))?;
    let at: HashMap<_, _> = business.faq.iter().enumerate().map(|(at, faq)| (faq.id.as_str(), at)).collect();
    // Where no answer is asked for, another agent answers: only what the pack cannot answer counts as none.
    let asks = |query: &Query| query.f.is_some() || (query.a == "support" && query.k == "unanswered");
    let asked = business.queries.into_iter().filter(asks).map(|query| Asked {
        right: query.f.and_then(|id| at.get(id.as_str()).copied()),
        text: query.t,
        language: query.l,
        kind: query.k,
    });
    Ok(Shop { asked: asked.collect(), pack: CompiledPack::new(pack)? })
}

fn read(paths: &[String]) -> Result<Vec<Shop>, Failure> {
    if let [turns, packs @ ..] = paths
        && Path::new(turns).extension().is_some_and(|extension| extension == "jsonl")
    {
        let turns = eval::read(BufReader::new(fs::File::open(turns)?))?;
        return packs.iter().map(|path| shop_of_pack(path, &turns)).collect();
    }
    paths.iter().map(|path| shop_of(serde_json::from_slice(&fs::read(path)?)?)).collect()
}

fn shop_of_pack(path: &str, turns: &[Turn]) -> Result<Shop, Failure> {
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(path)?)?;
    let tenant = value.as_object_mut().and_then(|pack| pack.remove("tenantId"));
    let tenant = tenant.as_ref().and_then(|id| id.as_str()).ok_or("a pack needs its tenantId")?.to_owned();
    let pack = ContextPack::parse(&value).map_err(|wrong| format!("{path}: {wrong:?}"))?;
    let own = turns.iter().filter(|turn| turn.tenant == tenant);
    let asked = own.filter_map(|turn| {
        let right = turn.expect.faq.as_ref()?;
        let right = right.as_ref().and_then(|id| pack.faq.iter().position(|faq| faq.id == *id));
        Some(Asked { text: turn.text.clone(), language: turn.lang.clone(), kind: String::new(), right })
    });
    Ok(Shop { asked: asked.collect(), pack: CompiledPack::new(pack.clone())? })
}

/// Vectors, kept in a file between runs.
struct Vectors {
    encoder: Option<Encoder>,
    file: String,
    kept: HashMap<String, Embedding>,
}

impl Vectors {
    fn open(weights: &str, file: &str) -> Result<Self, Failure> {
        let encoder = match weights.strip_prefix("base:") {
            _ if weights == "none" => None,
            Some(path) => Some(Encoder::open_unadapted(Path::new(path))?),
            None => Some(Encoder::open(Path::new(weights))?),
        };
        let mut kept = HashMap::new();
        for line in fs::read_to_string(file).unwrap_or_default().lines() {
            let Some((hex, text)) = line.split_once('\t') else { continue };
            let byte = |at: usize| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap_or(""), 16);
            let bytes = (0..hex.len() / 2).map(byte).collect::<Result<Vec<_>, _>>()?;
            kept.extend(Embedding::from_bytes(&bytes).map(|embedding| (text.to_owned(), embedding)));
        }
        Ok(Self { encoder, file: file.to_owned(), kept })
    }

    /// Embeds what is new, on two threads, and keeps it.
    fn learn(&mut self, texts: &[(bool, String)]) -> Result<(), Failure> {
        let Some(encoder) = &self.encoder else { return Ok(()) };
        let mut new: Vec<_> =
            texts.iter().filter(|(query, text)| !self.kept.contains_key(&key(*query, text))).collect();
        new.sort();
        new.dedup();
        for chunk in new.chunks(500) {
            eprintln!("embedding {} of {}", chunk.len(), new.len());
            let embed = |part: &[&(bool, String)]| {
                let one = |(query, text): &(bool, String)| {
                    if *query { encoder.query(text) } else { encoder.passage(text) }
                };
                part.iter().map(|text| (key(text.0, &text.1), one(text))).collect::<Vec<_>>()
            };
            let (one, other) = chunk.split_at(chunk.len() / 2);
            let embedded = std::thread::scope(|scope| {
                let other = scope.spawn(|| embed(other));
                let mut all = embed(one);
                all.extend(other.join().unwrap_or_default());
                all
            });
            let mut lines = String::new();
            for (key, embedding) in &embedded {
                embedding.to_bytes().iter().try_for_each(|byte| write!(lines, "{byte:02x}"))?;
                writeln!(lines, "\t{key}")?;
            }
            fs::OpenOptions::new().create(true).append(true).open(&self.file)?.write_all(lines.as_bytes())?;
            self.kept.extend(embedded);
        }
        Ok(())
    }

    fn near(&self, pack: &ContextPack, text: &str) -> Vec<Near> {
        let Some(asked) = self.kept.get(&key(true, &question(text))).filter(|_| self.encoder.is_some())
        else {
            return Vec::new();
        };
        let cosine =
            |text: &str| self.kept.get(&key(false, text)).map_or(0.0, |other| f64::from(asked.cosine(other)));
        let near = |faq: &misy_domain::context_pack::Faq| Near {
            asked: faq.alternatives.iter().map(|way| cosine(way)).fold(cosine(&faq.question), f64::max),
            answer: cosine(&format!("{} {}", faq.question, faq.answer)),
        };
        pack.faq.iter().map(near).collect()
    }
}

fn key(query: bool, text: &str) -> String {
    format!("{} {}", if query { 'q' } else { 'p' }, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

struct Case {
    found: Found,
    right: Option<usize>,
    language: String,
    kind: String,
    of: usize,
}

/// What has no answer is all there, of the rest one in a few: it counts more, though not as much as if all were there, as a wrong
/// answer is worse than a question too many.
fn weight(case: &Case, every: usize) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    if case.right.is_some() { (every as f64).sqrt() } else { 1.0 }
}

fn cases(shops: &[Shop], vectors: &mut Vectors) -> Result<Vec<Case>, Failure> {
    let mut texts = Vec::new();
    for shop in shops {
        texts.extend(shop.asked.iter().map(|asked| (true, question(&asked.text))));
        for faq in &shop.pack.pack().faq {
            texts.push((false, faq.question.clone()));
            texts.push((false, format!("{} {}", faq.question, faq.answer)));
            texts.extend(faq.alternatives.iter().map(|way| (false, way.clone())));
        }
    }
    vectors.learn(&texts)?;
    let mut cases = Vec::new();
    for (of, shop) in shops.iter().enumerate() {
        for asked in &shop.asked {
            let near = vectors.near(shop.pack.pack(), &asked.text);
            let language = match asked.language.as_str() {
                "en" => Language::En,
                "pt" => Language::Pt,
                _ => Language::Es,
            };
            cases.push(Case {
                found: candidates(&shop.pack, &asked.text, language, &near, &Budget::of_turn())
                    .map_err(|spent| spent.to_string())?,
                right: asked.right,
                language: asked.language.clone(),
                kind: asked.kind.clone(),
                of,
            });
        }
    }
    Ok(cases)
}

/// Learns the weights by walking down the gradient of the cross-entropy.
fn learn(cases: &[&Case], every: usize) -> Judge {
    let mut judge = Judge {
        candidate: [1.0, 0.5, 1.0, 0.5],
        none: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        answer: 0.6,
        ask: 0.5,
    };
    let (mut mean, mut square) = ([0.0; 10], [0.0; 10]);
    let count: f64 = cases.iter().map(|case| weight(case, every)).sum();
    for step in 1..=600 {
        let mut gradient = [0.0; 10];
        for case in cases {
            let probabilities = judge.probabilities(&case.found);
            let (none, weight) = (1.0 - probabilities.iter().sum::<f64>(), weight(case, every));
            for (at, (candidate, probability)) in case.found.candidates.iter().zip(&probabilities).enumerate()
            {
                let wrong = weight * (probability - f64::from(u8::from(case.right == Some(at))));
                gradient
                    .iter_mut()
                    .zip(measures(candidate))
                    .for_each(|(sum, measure)| *sum += wrong * measure);
            }
            let wrong = weight * (none - f64::from(u8::from(case.right.is_none())));
            let measures = measures_of_none(&case.found);
            gradient[4..].iter_mut().zip(measures).for_each(|(sum, measure)| *sum += wrong * measure);
        }
        let weights = judge.candidate.iter_mut().chain(&mut judge.none);
        for (at, weight) in weights.enumerate() {
            let slope = gradient[at] / count + 1e-4 * *weight;
            mean[at] = 0.9 * mean[at] + 0.1 * slope;
            square[at] = 0.99 * square[at] + 0.01 * slope * slope;
            let (mean, square) =
                (mean[at] / (1.0 - 0.9_f64.powi(step)), square[at] / (1.0 - 0.99_f64.powi(step)));
            *weight -= 0.05 * mean / (square.sqrt() + 1e-9);
        }
    }
    judge
}

#[derive(Default, Clone)]
struct Count {
    all: u32,
    first: u32,
    four: u32,
    answered: u32,
    asked: u32,
    unknown: u32,
    wrong: u32,
    asked_in_vain: u32,
    none: u32,
    none_unknown: u32,
    none_asked: u32,
    none_answered: u32,
}

/// Judges each case by one judge or, of two, by the one that did not learn from its business.
fn measure(judges: &[Judge], cases: &[Case], in_full: bool) -> BTreeMap<String, Count> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for case in cases {
        let judge = &judges[case.of % judges.len()];
        let probabilities = judge.probabilities(&case.found);
        let outcome = judge.decide(&probabilities);
        let rank = case
            .right
            .map(|right| probabilities.iter().filter(|other| **other > probabilities[right]).count());
        let names = ["all", &case.language, &format!("  {}", case.kind)];
        for name in &names[..if in_full { 3 } else { 1 }] {
            let count = counts.entry((*name).to_owned()).or_default();
            if let Some(right) = case.right {
                count.all += 1;
                count.first += u32::from(rank == Some(0));
                count.four += u32::from(rank.is_some_and(|rank| rank < 4));
                match &outcome {
                    Outcome::Answer(at) if *at == right => count.answered += 1,
                    Outcome::Answer(_) => count.wrong += 1,
                    Outcome::Ask(choices) if choices.contains(&right) => count.asked += 1,
                    Outcome::Ask(_) => count.asked_in_vain += 1,
                    Outcome::Unknown => count.unknown += 1,
                }
            } else {
                count.none += 1;
                match &outcome {
                    Outcome::Answer(_) => count.none_answered += 1,
                    Outcome::Ask(_) => count.none_asked += 1,
                    Outcome::Unknown => count.none_unknown += 1,
                }
            }
        }
    }
    counts
}

fn print(counts: &BTreeMap<String, Count>) {
    let part = |some: u32, all: u32| format!("{:>5.1}", 100.0 * f64::from(some) / f64::from(all.max(1)));
    println!(
        "                  first  in 4 | right asked  vain unknown wrong    of | none: unknown asked answered of"
    );
    for (name, count) in counts {
        let Count { all, .. } = *count;
        println!(
            "{name:16} {}  {} | {} {} {} {}   {} {all:>5} |       {} {} {}  {:>4}",
            part(count.first, all),
            part(count.four, all),
            part(count.answered, all),
            part(count.asked, all),
            part(count.asked_in_vain, all),
            part(count.unknown, all),
            part(count.wrong, all),
            part(count.none_unknown, count.none),
            part(count.none_asked, count.none),
            part(count.none_answered, count.none),
            count.none,
        );
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [weights, cache, what, paths @ ..] = arguments.as_slice() else {
        return Err("WEIGHTS CACHE learn|measure PATH… are needed".into());
    };
    let (every, paths) = match paths {
        [first, rest @ ..] if first.starts_with("every=") => (first["every=".len()..].parse()?, rest),
        _ => (1, paths),
    };
    let mut shops = read(paths)?;
    for shop in &mut shops {
        let all = std::mem::take(&mut shop.asked);
        // What has no answer is rare and costs most when it is answered: all of it stays.
        let (some, none): (Vec<_>, Vec<_>) = all.into_iter().partition(|asked| asked.right.is_some());
        shop.asked = some.into_iter().step_by(every).chain(none).collect();
    }
    let mut vectors = Vectors::open(weights, cache)?;
    let cases = cases(&shops, &mut vectors)?;
    match what.as_str() {
        "learn" => {
            let judge = learn(&cases.iter().collect::<Vec<_>>(), every);
            println!("{}", serde_json::to_string(&judge)?);
            // What follows is measured on one half of the businesses as learnt from the other.
            let halves = [0, 1].map(|half| {
                let rest: Vec<&Case> = cases.iter().filter(|case| case.of % 2 != half).collect();
                learn(&rest, every)
            });
            for (answer, ask) in
                [(0.45, 0.4), (0.5, 0.5), (0.55, 0.4), (0.55, 0.5), (0.6, 0.5), (0.65, 0.55), (0.7, 0.6)]
            {
                println!("answer from {answer}, ask from {ask}");
                let judges = halves.each_ref().map(|judge| Judge { answer, ask, ..judge.clone() });
                print(&measure(&judges, &cases, answer.to_bits() == 0.6_f64.to_bits()));
            }
        }
        _ => print(&measure(std::slice::from_ref(Judge::learnt()), &cases, true)),
    }
    Ok(())
}
