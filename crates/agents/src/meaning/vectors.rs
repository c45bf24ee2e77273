//! The vectors of a pack: of its answers, its services and the situations in which it wants a person.

use super::{Embed, Near};
use misy_domain::ContextPack;
use misy_encoder::{Embedding, Vectors};
use std::{borrow::Cow, sync::Arc};

/// As many texts of a pack are embedded at most. What has more keeps the questions and leaves out other ways of asking; what
/// has more without them is understood by words alone.
const MOST_TEXTS: usize = 2_000;

/// The vectors of a pack, with what makes those of questions to it.
#[derive(Debug)]
pub(crate) struct Meaning {
    encoder: Arc<dyn Embed>,
    vectors: Vectors,
    /// Where each answer's vectors end; the last of each is that of the question with the answer.
    answers: Box<[u32]>,
    /// Where those of the services end; the rest are situations.
    services_end: usize,
}

/// The texts of a pack whose vectors are needed to understand by meaning, in their order; none if there are too many.
pub fn passages(pack: &ContextPack) -> Vec<Cow<'_, str>> {
    let all = listed(pack, ways_of(pack)).0;
    if all.len() > MOST_TEXTS { Vec::new() } else { all }
}

/// How many further ways of asking count.
fn ways_of(pack: &ContextPack) -> usize {
    let all: usize = pack.faq.iter().map(|faq| faq.alternatives.len() + 2).sum();
    if all + pack.services.len() > MOST_TEXTS { 0 } else { usize::MAX }
}

/// The texts, and where each answer's end.
fn listed(pack: &ContextPack, ways: usize) -> (Vec<Cow<'_, str>>, Box<[u32]>) {
    let mut texts = Vec::new();
    let mut ends = Vec::new();
    for faq in &pack.faq {
        texts.push(Cow::from(faq.question.as_str()));
        texts.extend(faq.alternatives.iter().take(ways).map(|way| Cow::from(way.as_str())));
        texts.push(format!("{} {}", faq.question, faq.answer).into());
        ends.push(u32::try_from(texts.len()).unwrap_or(u32::MAX));
    }
    for service in &pack.services {
        texts.push(match &service.description {
            Some(description) => format!("{}: {description}", service.name).into(),
            None => service.name.as_str().into(),
        });
    }
    texts.extend(pack.escalation.iter().flat_map(|rules| &rules.when_to_hand_off).map(Cow::from));
    (texts, ends.into())
}

impl Meaning {
    /// From one vector for each of [`passages`]; nothing if they are not as many, or none.
    pub(crate) fn new(pack: &ContextPack, encoder: Arc<dyn Embed>, mut vectors: Vectors) -> Option<Self> {
        let (texts, answers) = listed(pack, ways_of(pack));
        if texts.is_empty() || texts.len() > MOST_TEXTS || vectors.len() != texts.len() {
            return None;
        }
        vectors.shrink();
        let services_end = answers.last().map_or(0, |end| *end as usize) + pack.services.len();
        Some(Self { encoder, vectors, answers, services_end })
    }

    pub(crate) fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    pub(crate) fn len(&self) -> usize {
        self.vectors.len()
    }

    pub(crate) fn query(&self, text: &str) -> Embedding {
        self.encoder.query(text)
    }

    /// How near each answer is to a question.
    pub(crate) fn near(&self, asked: &Embedding) -> Vec<Near> {
        let mut start = 0;
        let near = |end: &u32| {
            let end = *end as usize;
            let ways = start..end - 1;
            start = end;
            Near {
                asked: ways.map(|at| self.cosine(at, asked)).fold(-1.0, f64::max),
                answer: self.cosine(end - 1, asked),
            }
        };
        self.answers.iter().map(near).collect()
    }

    /// The nearest service, with how near it is.
    pub(crate) fn nearest_service(&self, asked: &Embedding) -> Option<(usize, f64)> {
        let start = self.answers.last().map_or(0, |end| *end as usize);
        let near = (start..self.services_end).map(|at| (at - start, self.cosine(at, asked)));
        near.max_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// How near the nearest situation is in which the pack wants a person; 0 if it names none.
    pub(crate) fn nearest_situation(&self, asked: &Embedding) -> f64 {
        (self.services_end..self.len()).map(|at| self.cosine(at, asked)).fold(0.0, f64::max)
    }

    fn cosine(&self, at: usize, asked: &Embedding) -> f64 {
        f64::from(self.vectors.cosine(at, asked))
    }

    /// What it takes in memory, without the encoder, which is shared.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.vectors.bytes() + size_of_val(&*self.answers)
    }
}
