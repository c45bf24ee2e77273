//! Services: which are meant, what they cost, what to say to a price that seems high.

use super::{Desk, Draft};
use crate::{
    reply::{money, write::Block},
    understanding::Part,
};
use misy_domain::{Source, context_pack::Service};
use std::collections::HashSet;

impl Desk<'_> {
    /// The services that the message names, in the order in which it does.
    pub(crate) fn named_services(&self, bookable: bool) -> Vec<usize> {
        let pack = self.pack.pack();
        let provider = self.seen.provider.map(|at| &pack.providers[at]);
        let theirs: HashSet<&str> =
            provider.into_iter().flat_map(|provider| &provider.services).map(String::as_str).collect();
        let best = |part: &Part, least: f64| {
            let fits = |hit: &&crate::pack::Hit| hit.cosine > 0.2 && hit.score > least;
            let top = part.services.iter().find(fits)?;
            // Of services that fit about as well, the one that can be booked, with the one who is named.
            let near = part.services.iter().filter(|hit| hit.score > top.score * 0.8 && hit.score > least);
            let bonus = |hit: &crate::pack::Hit| {
                let own = &pack.services[hit.at];
                let can = if bookable && own.is_bookable() { 0.25 } else { 0.0 };
                let with = if theirs.contains(own.id.as_str()) { 0.3 } else { 0.0 };
                hit.score * (1.0 + can + with)
            };
            near.max_by(|a, b| bonus(a).total_cmp(&bonus(b)).then(b.at.cmp(&a.at))).map(|hit| hit.at)
        };
        let mut named: Vec<usize> = Vec::new();
        for part in &self.seen.parts {
            if let Some(at) = best(part, 0.5).filter(|at| !named.contains(at)) {
                named.push(at);
            }
        }
        if let Some(at) = best(&self.seen.whole, 0.3).filter(|at| !named.contains(at)) {
            named.insert(0, at);
        }
        named.truncate(2);
        named
    }

    pub(crate) fn service_source(service: &Service) -> Source {
        Source { kind: "service".to_owned(), id: service.id.clone(), title: service.name.clone() }
    }

    /// Says what a service costs and holds.
    pub(crate) fn service(&self, draft: &mut Draft, at: usize, detailed: bool) {
        let pack = self.pack.pack();
        let service = &pack.services[at];
        let source = Self::service_source(service);
        if draft.sources.contains(&source) {
            return;
        }
        draft.sources.push(source);
        draft.answered = true;
        draft.rules.push(format!("answer: the published price of {}", service.id));
        let name =
            if self.style.channel.bold { format!("**{}**", service.name) } else { service.name.clone() };
        let mut line = match service.price {
            Some(price) if price.hundredths > 0 => {
                let price = money::price(price, &pack.locale, self.language);
                self.say("price", &[("service", &name), ("price", &price)])
            }
            Some(_) => self.say("price_free", &[("service", &name)]),
            None => self.say("price_ask", &[("service", &name)]),
        };
        if let Some(minutes) = service.duration_minutes.filter(|_| detailed) {
            line = format!("{line} {}", self.say("duration", &[("minutes", &minutes.to_string())]));
        }
        draft.blocks.push(Block::Text(line));
        if detailed {
            if let Some(description) = &service.description {
                self.frame(draft);
                draft.blocks.push(Block::Text(description.clone()));
            }
            if self.language == self.pack.language() && !service.benefits.is_empty() {
                let benefits = service.benefits.join(", ");
                draft.blocks.push(Block::Text(self.say("benefits", &[("benefits", &benefits)])));
            }
            let strategy = pack.sales_strategies.iter().find(|strategy| strategy.service == service.id);
            if let Some(link) = strategy.and_then(|strategy| strategy.payment_link.as_deref()) {
                draft.blocks.push(Block::Text(self.say("pay_link", &[("link", link)])));
            }
        }
    }

    /// What the pack says to somebody who finds a price high.
    pub(crate) fn objection(&self, draft: &mut Draft, service: Option<usize>) {
        let id = service.map(|at| self.pack.pack().services[at].id.as_str());
        let priced = id.and_then(|id| self.pack.price_objection(id));
        if let Some(objection) = priced {
            self.frame(draft);
            draft.blocks.push(Block::Text(objection.answer.clone()));
            draft.rules.push("answer: the pack's own words to a price that seems high".to_owned());
        }
        self.phrase(draft, "published_price");
    }

    /// Some services, by price.
    pub(crate) fn catalogue(&self, draft: &mut Draft) {
        let pack = self.pack.pack();
        if pack.services.is_empty() {
            return;
        }
        let near = self.seen.whole.services.iter().map(|hit| hit.at);
        let mut shown: Vec<usize> = near.take(5).collect();
        shown.extend(
            (0..pack.services.len())
                .filter(|at| !shown.contains(at))
                .take(5 - shown.len())
                .collect::<Vec<_>>(),
        );
        self.phrase(draft, "catalogue");
        let line = |at: &usize| {
            let service = &pack.services[*at];
            let price = service.price.filter(|price| price.hundredths > 0);
            let price = price.map(|price| money::price(price, &pack.locale, self.language));
            price.map_or_else(|| service.name.clone(), |price| format!("{}: {price}", service.name))
        };
        draft.blocks.push(Block::List(shown.iter().map(line).collect()));
        draft.answered = true;
        draft.rules.push("answer: a few services of the pack".to_owned());
    }
}
