//! Answers to what is asked in so many words: facts of the pack, prices that are checked, what a budget allows.

use super::{Desk, Draft, SURE, SURE_ALSO};
use crate::plain::lists::{BUDGET, COSTS, HAVE, WHAT};
use crate::{
    dates::Day,
    plain::Question,
    reply::{hours, money, write::Block},
    understanding::{GoesOn, Part},
};
use misy_domain::{
    Source,
    context_pack::{Money, Service},
    hours::ClockTime,
};

/// Questions of one message that are answered.
const MOST_QUESTIONS: usize = 4;
/// Services that a list shows.
const MOST_SERVICES: usize = 6;

impl Desk<'_> {
    /// The answer to a message that asks in so many words, with the agent that it is for.
    pub(crate) fn plainly(&self) -> Option<(&'static str, Draft)> {
        if let Some(but) = &self.seen.but {
            return self.anything_but(but).map(|draft| ("sales", draft));
        }
        if self.seen.denies
            && let Some(at) = self.wanted_service()
        {
            let mut draft = Draft::default();
            self.service(&mut draft, at, true);
            return Some(("sales", draft));
        }
        if let Some(goes_on) = self.seen.goes_on {
            return Some(self.going_on(goes_on));
        }
        if let Some(amount) = self.seen.amount {
            if let Some(draft) = self.check_price(amount) {
                return Some(("sales", draft));
            }
            if let Some(draft) = self.within(amount) {
                return Some(("sales", draft));
            }
        }
        self.questions().or_else(|| self.small())
    }

    /// All questions of the message, if at least one is plain and each of the others has a sure answer.
    fn questions(&self) -> Option<(&'static str, Draft)> {
        let whole = &self.seen.whole;
        let mut draft = Draft::default();
        if let Some(question) = whole.question {
            self.plain_fact(&mut draft, whole, question);
            return draft.answered.then_some((question.agent(), draft));
        }
        let parts = &self.seen.parts;
        if !parts.iter().any(|part| part.question.is_some()) {
            return None;
        }
        // "I want the online shop, how do I pay?": who wants to buy is sold to.
        let wants = |part: &Part| {
            part.analysis.has("want") && part.services.first().is_some_and(|hit| hit.cosine > 0.3)
        };
        let sure =
            |part: &Part| part.faq_confidence > SURE && !part.analysis.has("price_ask") && !wants(part);
        let priced = |part: &Part| {
            part.analysis.has("price_ask") && part.services.first().is_some_and(|hit| hit.cosine > 0.3)
        };
        let small = |part: &Part| part.analysis.has("greeting") || part.analysis.has("thanks");
        if !parts.iter().all(|part| part.question.is_some() || sure(part) || priced(part) || small(part)) {
            return None;
        }
        let asked = parts.iter().filter(|part| part.question.is_some() || sure(part) || priced(part));
        let first = parts.iter().find_map(|part| part.question);
        for part in asked.take(MOST_QUESTIONS) {
            match (part.question, part.services.first()) {
                (Some(question), _) => self.plain_fact(&mut draft, part, question),
                (None, Some(hit)) if priced(part) => self.service(&mut draft, hit.at, false),
                (None, _) => {
                    if let Some(hit) = part.faqs.first() {
                        self.faq(&mut draft, hit.at);
                    }
                }
            }
        }
        draft.answered.then(|| (first.map_or("support", Question::agent), draft))
    }

    fn plain_fact(&self, draft: &mut Draft, part: &Part, question: Question) {
        let contact = &self.pack.pack().contact;
        match question {
            Question::Hours => self.plain_hours(draft),
            Question::Address => {
                let street = contact.address.as_deref().and_then(|address| address.split(',').next());
                if let Some(at) = street.and_then(|street| self.answer_that_says(street, false)) {
                    self.faq(draft, at);
                } else if let Some(address) = &contact.address {
                    self.fact(draft, "address", &[("address", address)], address);
                } else {
                    self.ask_there(draft);
                }
            }
            Question::Phone => match &contact.phone {
                Some(phone) => self.reach_by(draft, "phone", phone),
                None => self.reach_by(draft, "email", &contact.email),
            },
            Question::Email => self.reach_by(draft, "email", &contact.email),
            basic => self.basic(draft, part, basic),
        }
    }

    pub(super) fn fact(&self, draft: &mut Draft, name: &str, values: &[(&str, &str)], title: &str) {
        draft.blocks.push(Block::Text(self.say(name, values)));
        draft.sources.push(Source {
            kind: "contact".to_owned(),
            id: name.to_owned(),
            title: title.to_owned(),
        });
        draft.rules.push(format!("answer: the {name} of the pack"));
        draft.answered = true;
    }

    fn reach_by(&self, draft: &mut Draft, name: &str, value: &str) {
        match self.answer_that_says(value, true) {
            Some(at) => self.faq(draft, at),
            None => self.fact(draft, name, &[(name, value)], value),
        }
    }

    /// The pack's own answer that holds a fact; `found`: only one that the message finds too.
    fn answer_that_says(&self, fact: &str, found: bool) -> Option<usize> {
        let says = |at: usize| self.pack.pack().faq[at].answer.contains(fact);
        let parts = std::iter::once(&self.seen.whole).chain(&self.seen.parts);
        let hits = parts.filter(|part| part.faq_confidence > SURE).filter_map(|part| part.faqs.first());
        let hit = hits.map(|hit| hit.at).find(|at| says(*at));
        hit.or_else(|| (0..self.pack.pack().faq.len()).find(|at| !found && says(*at)))
    }

    fn plain_hours(&self, draft: &mut Draft) {
        let when = &self.seen.when;
        let Some(calendar) = self.pack.pack().calendar() else {
            match self.pack.hours_faq() {
                Some(at) => self.faq(draft, at),
                None => self.ask_there(draft),
            }
            return;
        };
        let today = calendar.date_at(self.now);
        if let Some((minutes, told)) = when.at {
            let date = match when.days.first() {
                Some(Day::Date(date)) => *date,
                Some(Day::Weekday(weekday, _)) => hours::next_weekday(today, *weekday),
                None => today,
            };
            let intervals = calendar.on(date).intervals;
            let open = |minutes: u16| {
                intervals.iter().any(|span| span.0.minutes() <= minutes && minutes < span.1.minutes())
            };
            // "At 5" is the afternoon where nobody opens at five in the morning.
            let later = minutes + 12 * 60;
            let minutes = if !told && minutes < 12 * 60 && !open(minutes) { later } else { minutes };
            if let Some(time) = ClockTime::new(minutes / 60, minutes % 60) {
                let phrase = if open(minutes) { "open_at" } else { "closed_at" };
                draft
                    .blocks
                    .push(Block::Text(self.say(phrase, &[("time", &hours::time(time, self.language))])));
            }
            let lines = hours::days(&calendar, &when.on(date), today, self.language);
            draft.blocks.push(Block::Text(lines.join("\n")));
            self.sign_hours(draft);
        } else if when.days.is_empty() && !when.now && !when.part {
            if let Some(at) = self.pack.hours_faq() {
                self.faq(draft, at);
            } else {
                draft.blocks.push(Block::List(hours::week(&calendar, self.language)));
                self.sign_hours(draft);
            }
        } else {
            if when.now && when.days.is_empty() {
                let line = match calendar.open_until(self.now) {
                    Some(until) => {
                        self.say("open_now", &[("until", &hours::clock(until, &calendar, self.language))])
                    }
                    None => self.closed_now().unwrap_or_default(),
                };
                draft.blocks.push(Block::Text(line));
            } else {
                let asked = if when.days.is_empty() { when.on(today) } else { when.clone() };
                draft
                    .blocks
                    .push(Block::Text(hours::days(&calendar, &asked, today, self.language).join("\n")));
            }
            self.sign_hours(draft);
        }
    }

    fn sign_hours(&self, draft: &mut Draft) {
        if let Some(faq) = self.pack.hours_faq().map(|at| &self.pack.pack().faq[at]) {
            draft.sources.push(Source {
                kind: "faq".to_owned(),
                id: faq.id.clone(),
                title: faq.question.clone(),
            });
        }
        draft.sources.push(self.hours_source());
        draft.rules.push("answer: opening hours reckoned from the pack's calendar".to_owned());
        draft.answered = true;
    }

    /// A question that leaves out its subject.
    fn going_on(&self, goes_on: GoesOn) -> (&'static str, Draft) {
        let mut draft = Draft { answered: true, ..Draft::default() };
        match goes_on {
            GoesOn::Answer(at) => {
                self.faq(&mut draft, at);
                ("support", draft)
            }
            GoesOn::Nothing => {
                self.phrase(&mut draft, "ask_which_price");
                draft.rules.push("answer: asks what the price is asked of".to_owned());
                ("sales", draft)
            }
        }
    }

    /// "Is the cleaning 38,000?": yes or no, and the published price.
    fn check_price(&self, amount: i64) -> Option<Draft> {
        let tokens = &self.seen.whole.analysis.tokens;
        let says = |list: &[&str]| tokens.iter().any(|token| list.contains(&token.text.as_str()));
        if !says(&COSTS)
            || says(&[
                "cuanto", "cuanta", "quanto", "much", "alcanza", "tengo", "tenho", "under", "hasta", "ate",
            ])
        {
            return None;
        }
        let hit = self.seen.whole.services.first().filter(|hit| hit.cosine > 0.25)?;
        let service = &self.pack.pack().services[hit.at];
        let price = service.price?;
        let mut draft = Draft::default();
        let phrase = if price.hundredths == amount { "price_right" } else { "price_other" };
        self.phrase(&mut draft, phrase);
        self.service(&mut draft, hit.at, false);
        draft.rules.push("answer: an amount held against the published price".to_owned());
        Some(draft)
    }

    /// "I have 100,000: what can I get?": what costs at most that.
    fn within(&self, amount: i64) -> Option<Draft> {
        let tokens = &self.seen.whole.analysis.tokens;
        let says = |list: &[&str]| tokens.iter().any(|token| list.contains(&token.text.as_str()));
        if !(says(&BUDGET) && says(&WHAT) || says(&HAVE) && says(&WHAT)) {
            return None;
        }
        let named = self.seen.whole.services.first().is_some_and(|hit| hit.cosine > 0.3 && hit.recall > 0.3);
        if named {
            return None;
        }
        let pack = self.pack.pack();
        let cost = |service: &&Service| service.price.map_or(0, |price| price.hundredths);
        let mut fits: Vec<&Service> =
            pack.services.iter().filter(|service| (1..=amount).contains(&cost(service))).collect();
        fits.sort_by_key(|service| std::cmp::Reverse(cost(service)));
        fits.truncate(MOST_SERVICES);
        let mut draft = Draft { answered: true, ..Draft::default() };
        let priced = pack.services.iter().filter(|service| cost(service) > 0);
        if fits.is_empty() {
            fits.extend(priced.min_by_key(|service| cost(service)));
            self.phrase(&mut draft, "budget_nothing");
        } else {
            let currency = fits[0].price?.currency;
            let limit = money::price(Money { hundredths: amount, currency }, &pack.locale, self.language);
            draft.blocks.push(Block::Text(self.say("budget", &[("amount", &limit)])));
        }
        self.list(&mut draft, &fits);
        draft.rules.push("answer: what of the catalogue costs at most the amount".to_owned());
        Some(draft)
    }

    /// "Anything but braces": what has to do with it, without it.
    fn anything_but(&self, but: &Part) -> Option<Draft> {
        let pack = self.pack.pack();
        let top = but.services.first().filter(|hit| hit.cosine > 0.2)?;
        let near: Vec<&Service> = but
            .services
            .iter()
            .filter(|hit| hit.at != top.at && hit.score < top.score * 0.95)
            .take(MOST_SERVICES)
            .map(|hit| &pack.services[hit.at])
            .collect();
        if near.is_empty() {
            return None;
        }
        let mut draft = Draft { answered: true, ..Draft::default() };
        self.phrase(&mut draft, "instead");
        self.list(&mut draft, &near);
        draft.rules.push(format!("answer: what is like {} without it", pack.services[top.at].id));
        Some(draft)
    }

    fn list(&self, draft: &mut Draft, services: &[&Service]) {
        let pack = self.pack.pack();
        let line = |service: &&Service| {
            let price = service.price.filter(|price| price.hundredths > 0);
            let price = price.map(|price| money::price(price, &pack.locale, self.language));
            price.map_or_else(|| service.name.clone(), |price| format!("{}: {price}", service.name))
        };
        draft.blocks.push(Block::List(services.iter().map(line).collect()));
        draft.sources.extend(services.iter().map(|service| Self::service_source(service)));
    }

    /// "…, I want whitening": the service that is named, if nothing is asked about it.
    fn wanted_service(&self) -> Option<usize> {
        let whole = &self.seen.whole;
        let hit = whole.services.first().filter(|hit| hit.cosine > 0.3 && self.seen.parts.is_empty())?;
        let wants =
            whole.analysis.has("want") && whole.question.is_none() && !whole.analysis.has("book_verb");
        wants.then_some(hit.at)
    }

    /// An answer that another part of the message finds more surely than any service: "a tooth broke, what does it cost?".
    pub(super) fn surer_than_services(&self) -> Option<usize> {
        let price = self.seen.whole.services.first().map_or(0.0, |hit| hit.recall.min(hit.cosine));
        let (asking, parts): (Vec<&Part>, Vec<&Part>) =
            self.seen.parts.iter().partition(|part| part.analysis.has("price_ask"));
        if asking.iter().any(|part| part.services.first().is_some_and(|hit| hit.cosine > 0.3)) {
            return None;
        }
        let sure = parts.into_iter().filter(|part| part.faq_confidence > SURE_ALSO);
        sure.filter_map(|part| part.faqs.first())
            .find(|hit| hit.cosine > 0.5 && hit.cosine > price)
            .map(|hit| hit.at)
    }
}
