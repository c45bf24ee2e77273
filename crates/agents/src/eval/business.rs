//! An invented business with its questions, as training sets are written.

use super::{Expect, Turn};
use misy_domain::{Channel, ContextPack, context_pack::Invalid};
use serde::Deserialize;
use serde_json::{Value, json};

/// A business with the questions of its customers. `f` of a question names its answer; `null` with the agent `support` means that
/// there is none, and with another agent that none is asked for.
#[derive(Debug, Deserialize)]
pub struct Business {
    /// Its id.
    pub id: String,
    name: String,
    industry: String,
    locale: String,
    faq: Vec<Faq>,
    #[serde(default)]
    services: Vec<Service>,
    #[serde(default)]
    escalation: Vec<String>,
    #[serde(default)]
    queries: Vec<Query>,
}

#[derive(Debug, Deserialize)]
struct Faq {
    id: String,
    question: String,
    answer: String,
    #[serde(default)]
    alternatives: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Service {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Query {
    t: String,
    l: String,
    a: String,
    f: Option<String>,
    k: String,
}

impl Business {
    /// What it would have stored of itself.
    pub fn pack(&self) -> Result<ContextPack, Vec<Invalid>> {
        let faq = |faq: &Faq| -> Value {
            json!({ "id": id(&faq.id), "question": faq.question, "answer": faq.answer, "alternatives": faq.alternatives })
        };
        let service = |service: &Service| json!({ "id": id(&service.id), "name": service.name });
        ContextPack::parse(&json!({
            "displayName": self.name, "industry": self.industry, "locale": self.locale, "timezone": "UTC", "currency": "USD",
            "contact": { "email": "one@example.org" }, "branding": { "primaryColor": "#335577" },
            "faq": self.faq.iter().map(faq).collect::<Vec<_>>(),
            "services": self.services.iter().map(service).collect::<Vec<_>>(),
            "escalation": { "whenToHandOff": self.escalation, "teamEmail": "one@example.org" },
        }))
    }

    /// Its questions as labelled turns.
    pub fn turns(&self) -> Vec<Turn> {
        let turn = |(at, query): (usize, &Query)| Turn {
            id: format!("{}-{at}", self.id),
            tenant: self.id.clone(),
            lang: query.l.clone(),
            channel: Channel::Web,
            text: query.t.clone(),
            kind: query.k.clone(),
            expect: Expect {
                agent: query.a.clone(),
                faq: match &query.f {
                    Some(own) => Some(Some(id(own))),
                    None => (query.a == "support").then_some(None),
                },
                service: None,
                also: Vec::new(),
                language: None,
            },
        };
        self.queries.iter().enumerate().map(turn).collect()
    }
}

/// An id as packs have them.
fn id(written: &str) -> String {
    written.replace('_', "-").to_lowercase()
}
