//! What the agents say: facts of the pack, written in the reply's language.

use crate::{
    CompiledPack,
    reply::{
        hours, money,
        phrases::{say, seed},
        write::Block,
    },
    style::Style,
    text::{Analysis, analyse},
    understanding::{Part, Understanding},
};
use misy_domain::{Language, Source, Timestamp, context_pack::Service};

/// Above this an answer of the pack is given, below it the agent says that it does not know.
pub(crate) const SURE: f64 = 0.42;
/// A second answer in the same reply must be surer.
const SURE_ALSO: f64 = 0.6;

/// An answer in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) blocks: Vec<Block>,
    pub(crate) sources: Vec<Source>,
    pub(crate) rules: Vec<String>,
    /// Whether it says anything that was asked for.
    pub(crate) answered: bool,
}

/// Everything that answering needs.
pub(crate) struct Desk<'a> {
    pub(crate) pack: &'a CompiledPack,
    pub(crate) seen: &'a Understanding,
    pub(crate) style: &'a Style,
    pub(crate) language: Language,
    pub(crate) now: Timestamp,
    pub(crate) text: &'a str,
}

impl Desk<'_> {
    pub(crate) fn say(&self, name: &str, values: &[(&str, &str)]) -> String {
        let mut all = vec![("business", self.pack.pack().display_name.as_str())];
        all.extend_from_slice(values);
        say(name, self.language, self.style.address, seed(self.text), &all)
    }

    pub(crate) fn phrase(&self, draft: &mut Draft, name: &str) {
        draft.blocks.push(Block::Text(self.say(name, &[])));
    }

    /// How to reach the business, as the end of a sentence.
    pub(crate) fn reach(&self) -> String {
        let contact = &self.pack.pack().contact;
        match &contact.phone {
            Some(phone) => self.say("reach", &[("email", &contact.email), ("phone", phone)]),
            None => self.say("reach_email", &[("email", &contact.email)]),
        }
    }

    fn has(&self, cue: &str) -> bool {
        self.seen.whole.analysis.has(cue)
    }

    /// The answers of the pack that the message asks for, in the order in which it asks.
    pub(crate) fn found_faqs(&self) -> Vec<usize> {
        let first = |part: &Part| part.faqs.first().map(|hit| hit.at);
        let whole = &self.seen.whole;
        let mut found: Vec<usize> = Vec::new();
        for part in &self.seen.parts {
            let sure =
                part.faq_confidence > SURE_ALSO && part.faqs.first().is_some_and(|hit| hit.cosine > 0.4);
            if let Some(at) = first(part).filter(|at| sure && !found.contains(at)) {
                found.push(at);
            }
        }
        if let Some(at) = first(whole).filter(|at| whole.faq_confidence > SURE && !found.contains(at)) {
            found.insert(0, at);
        }
        found.truncate(2);
        found
    }

    /// Says an approved answer.
    pub(crate) fn faq(&self, draft: &mut Draft, at: usize) {
        let faq = &self.pack.pack().faq[at];
        let source = Source { kind: "faq".to_owned(), id: faq.id.clone(), title: faq.question.clone() };
        if draft.sources.contains(&source) {
            return;
        }
        draft.sources.push(source);
        draft.answered = true;
        let about_hours = Some(at) == self.pack.hours_faq() || Some(at) == self.pack.special_hours_faq();
        if about_hours && self.hours(draft, at) {
            return;
        }
        draft.rules.push(format!("answer: the approved answer {} as it stands", faq.id));
        self.frame(draft);
        draft.blocks.push(Block::Text(faq.answer.clone()));
    }

    /// Tells once that what follows is in the pack's language.
    fn frame(&self, draft: &mut Draft) {
        let own = self.pack.language();
        let frame = format!("frame: the pack is in {own}");
        if own != self.language && !draft.rules.contains(&frame) {
            draft.blocks.push(Block::Text(self.say(&format!("found_{own}"), &[])));
            draft.rules.push(frame);
        }
    }

    /// Says the opening hours that were asked for; false if the pack has none or its own words say it better.
    fn hours(&self, draft: &mut Draft, faq: usize) -> bool {
        let Some(calendar) = self.pack.pack().calendar() else { return false };
        let when = &self.seen.when;
        let today = calendar.date_at(self.now);
        let mut said = false;
        if when.now {
            let line = match calendar.open_until(self.now) {
                Some(until) => {
                    self.say("open_now", &[("until", &hours::clock(until, &calendar, self.language))])
                }
                None => self.closed_now().unwrap_or_default(),
            };
            draft.blocks.push(Block::Text(line));
            said = true;
        }
        let lines = hours::days(&calendar, when, today, self.language);
        if !lines.is_empty() {
            draft.blocks.push(Block::Text(lines.join("\n")));
            said = true;
        }
        let own_words = self.pack.language() == self.language || Some(faq) == self.pack.special_hours_faq();
        if !said && own_words {
            return false;
        }
        if !said {
            draft.blocks.push(Block::Text(self.say("week", &[])));
            draft.blocks.push(Block::List(hours::week(&calendar, self.language)));
        }
        draft.rules.push("answer: opening hours reckoned from the pack's calendar".to_owned());
        draft.sources.push(self.hours_source());
        true
    }

    fn hours_source(&self) -> Source {
        let title = self.say("week", &[]);
        Source {
            kind: "hours".to_owned(),
            id: "openingHours".to_owned(),
            title: title.trim_end_matches(':').to_owned(),
        }
    }

    /// When it opens next, if it is closed now.
    pub(crate) fn closed_now(&self) -> Option<String> {
        let calendar = self.pack.pack().calendar()?;
        if calendar.is_open(self.now) {
            return None;
        }
        let opening = hours::moment(calendar.next_opening(self.now)?, &calendar, self.language);
        Some(self.say("closed_now", &[("opening", &opening)]))
    }

    /// Facts of the pack that need no approved answer: hours, address, how to reach.
    pub(crate) fn facts(&self, draft: &mut Draft) {
        let analysis = &self.seen.whole.analysis;
        let known_elsewhere = self.seen.whole.faqs.first().is_some_and(|hit| hit.cosine > 0.3);
        if analysis.means("hours") && (self.pack.hours_faq().is_none() || !self.seen.when.days.is_empty()) {
            if let Some(calendar) = self.pack.pack().calendar() {
                let today = calendar.date_at(self.now);
                let mut lines = hours::days(&calendar, &self.seen.when, today, self.language);
                if lines.is_empty() {
                    lines = hours::week(&calendar, self.language);
                }
                draft.blocks.push(Block::List(lines));
                draft.sources.push(self.hours_source());
                draft.answered = true;
                draft.rules.push("answer: opening hours reckoned from the pack's calendar".to_owned());
            }
        } else if let Some(address) = &self.pack.pack().contact.address
            && analysis.means("where")
            && !known_elsewhere
        {
            draft.blocks.push(Block::Text(self.say("address", &[("address", address)])));
            draft.sources.push(Source {
                kind: "contact".to_owned(),
                id: "address".to_owned(),
                title: address.clone(),
            });
            draft.answered = true;
            draft.rules.push("answer: the address of the pack".to_owned());
        }
    }

    /// The services that the message names, in the order in which it does.
    pub(crate) fn named_services(&self, bookable: bool) -> Vec<usize> {
        let pack = self.pack.pack();
        let best = |part: &Part, least: f64| {
            let fits = |hit: &&crate::pack::Hit| hit.cosine > 0.2 && hit.score > least;
            let top = part.services.iter().find(fits)?;
            let provided = |at: usize| {
                let provider = self.seen.provider.map(|at| &pack.providers[at]);
                provider.is_some_and(|provider| provider.services.contains(&pack.services[at].id))
            };
            // Of services that fit about as well, the one that can be booked, with the one who is named.
            let near = part.services.iter().filter(|hit| hit.score > top.score * 0.8 && hit.score > least);
            let bonus = |hit: &crate::pack::Hit| {
                let own = &pack.services[hit.at];
                let can = if bookable && own.is_bookable() { 0.25 } else { 0.0 };
                hit.score * (1.0 + can + if provided(hit.at) { 0.3 } else { 0.0 })
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
        let pack = self.pack.pack();
        let id = service.map(|at| pack.services[at].id.as_str());
        let own = pack.sales_strategies.iter().filter(|strategy| Some(strategy.service.as_str()) == id);
        let priced = own.flat_map(|strategy| &strategy.objections).find(|objection| {
            let analysis: Analysis = analyse(&objection.objection, self.pack.language(), None);
            analysis.has("haggle") || analysis.means("price")
        });
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

    /// The support agent.
    pub(crate) fn support(&self) -> Draft {
        let mut draft = Draft::default();
        for at in self.found_faqs() {
            self.faq(&mut draft, at);
        }
        if draft.sources.is_empty() {
            self.facts(&mut draft);
        }
        if self.has("price_ask") {
            let asks = |part: &&Part| part.analysis.has("price_ask") && part.faq_confidence < SURE_ALSO;
            let priced = self.seen.parts.iter().find(asks).and_then(|part| part.services.first());
            if let Some(hit) = priced.filter(|hit| hit.cosine > 0.3) {
                self.service(&mut draft, hit.at, false);
            }
        }
        draft
    }

    /// The sales agent.
    pub(crate) fn sales(&self) -> Draft {
        let mut draft = Draft::default();
        // "Are you open tomorrow, and what does it cost?": the hours first.
        let asks_hours = |part: &Part| part.analysis.means("hours") && !part.analysis.has("price_ask");
        let names_day = self.seen.whole.analysis.means("hours") && !self.seen.when.days.is_empty();
        let asked = names_day || self.seen.parts.iter().any(asks_hours);
        if let Some(at) = self.pack.hours_faq().filter(|_| asked) {
            self.faq(&mut draft, at);
        }
        let named = self.named_services(false);
        let two_asked = self.seen.parts.len() > 1 && !self.has("haggle");
        for at in named.iter().take(if two_asked { 2 } else { 1 }) {
            self.service(&mut draft, *at, true);
        }
        if self.has("haggle") {
            self.objection(&mut draft, named.first().copied());
        }
        let extra = |part: &&Part| {
            part.faq_confidence > SURE_ALSO && part.faqs.first().is_some_and(|hit| hit.cosine > 0.45)
        };
        for part in self.seen.parts.iter().filter(extra).take(1) {
            self.faq(&mut draft, part.faqs[0].at);
        }
        if named.is_empty() {
            let whole = &self.seen.whole;
            if let Some(hit) = whole.faqs.first().filter(|_| whole.faq_confidence > SURE) {
                self.faq(&mut draft, hit.at);
            } else {
                self.catalogue(&mut draft);
                self.phrase(&mut draft, "ask_needs");
            }
        }
        draft
    }

    /// The booking agent, which cannot book yet and says so.
    pub(crate) fn booking(&self) -> Draft {
        let mut draft = Draft::default();
        for at in self.named_services(true) {
            self.service(&mut draft, at, false);
        }
        let phrase = if self.has("check_verb") {
            "book_check"
        } else if self.has("cancel_verb") || self.has("move_verb") {
            "book_change"
        } else {
            "book"
        };
        draft.blocks.push(Block::Text(self.say(phrase, &[("contact", &self.reach())])));
        let calendar = self.pack.pack().calendar();
        if let Some(calendar) = calendar.filter(|_| !self.seen.when.days.is_empty()) {
            let lines = hours::days(&calendar, &self.seen.when, calendar.date_at(self.now), self.language);
            draft.blocks.push(Block::Text(lines.join("\n")));
            draft.sources.push(self.hours_source());
        }
        let extra = |part: &&Part| part.faq_confidence > SURE_ALSO + 0.1 && !part.analysis.has("book_verb");
        for part in self.seen.parts.iter().filter(extra).take(1) {
            self.faq(&mut draft, part.faqs[0].at);
        }
        draft.rules.push("booking: not able to book yet, says how to".to_owned());
        draft.answered = true;
        draft
    }

    /// The marketing agent.
    pub(crate) fn marketing(&self) -> Draft {
        let mut draft = Draft::default();
        if self.has("opt_out") {
            self.phrase(&mut draft, "opt_out");
            draft.rules.push("marketing: opt-out acknowledged".to_owned());
        } else {
            for at in self.found_faqs().into_iter().take(1) {
                self.faq(&mut draft, at);
            }
            if draft.sources.is_empty() {
                let phrase = if self.has("partnership") { "partnership" } else { "promo" };
                draft.blocks.push(Block::Text(self.say(phrase, &[("contact", &self.reach())])));
            }
        }
        draft.answered = true;
        draft
    }

    /// Greetings, thanks and the like.
    pub(crate) fn smalltalk(&self) -> Draft {
        let mut draft = Draft::default();
        let order = [
            ("bot_question", "bot"),
            ("praise", "praise"),
            ("howareyou", "howareyou"),
            ("capabilities", "capabilities"),
            ("bye", "bye"),
            ("thanks", "thanks"),
            ("greeting", "greeting"),
            ("ack", "ack"),
            ("laugh", "ack"),
        ];
        let phrase = order.iter().find(|(cue, _)| self.has(cue)).map_or("capabilities", |(_, phrase)| phrase);
        self.phrase(&mut draft, phrase);
        draft.rules.push(format!("smalltalk: {phrase}"));
        draft.answered = true;
        draft
    }
}
