//! Answers to what any business is asked, from what its pack says of it. What the pack does not say is not made up: then the
//! contact is told so, and where to ask.

use super::{Desk, Draft, SURE};
use crate::{
    plain::{
        Question,
        basics::{asks_for_abilities, people},
        is_filler,
        lists::PAY_WITH,
        person,
    },
    reply::{money, write::Block},
    text::lexicon::Lexicon,
    understanding::Part,
};
use misy_domain::Source;

/// Services that are listed.
const MOST_SERVICES: usize = 8;
/// People who are named.
const MOST_PEOPLE: usize = 8;
/// Turns of phrase that make small talk.
const SMALL: [&str; 9] =
    ["greeting", "howareyou", "thanks", "bye", "ack", "praise", "laugh", "bot_question", "capabilities"];

impl Desk<'_> {
    /// What a plain question asks that is not about hours, address, phone or e-mail alone.
    pub(super) fn basic(&self, draft: &mut Draft, part: &Part, question: Question) {
        // The pack's own words to this very question say it best.
        let own = self.pack.faq_that_asks(question);
        let found = part.faqs.first().filter(|_| part.faq_confidence > SURE).map(|hit| hit.at);
        let names_means = part.analysis.tokens.iter().any(|token| PAY_WITH.contains(&token.text.as_str()));
        let own = if question == Question::Payment && names_means { found.or(own) } else { own };
        if let Some(at) = own {
            return self.faq(draft, at);
        }
        match question {
            Question::Services => self.services(draft, part),
            Question::Business => {
                self.description(draft);
                self.services(draft, part);
            }
            Question::Prices => self.prices(draft, part),
            Question::Payment => self.payment(draft),
            Question::Staff => self.staff(draft),
            Question::Languages => {
                self.phrase(draft, "languages");
                draft.rules.push("answer: the languages of the assistant".to_owned());
                draft.answered = true;
            }
            _ => self.contact(draft),
        }
    }

    /// What the business says of itself.
    fn description(&self, draft: &mut Draft) {
        let pack = self.pack.pack();
        let Some(description) = &pack.description else { return };
        self.frame(draft);
        draft.blocks.push(Block::Text(description.clone()));
        draft.sources.push(Source {
            kind: "business".to_owned(),
            id: "description".to_owned(),
            title: pack.display_name.clone(),
        });
        draft.rules.push("answer: the description of the pack".to_owned());
        draft.answered = true;
    }

    /// The services that a part of a message names, else the first of the pack.
    fn shown(&self, part: &Part) -> Vec<usize> {
        let all = self.pack.pack().services.len();
        let near: Vec<usize> = part
            .services
            .iter()
            .filter(|hit| hit.cosine > 0.2)
            .map(|hit| hit.at)
            .take(MOST_SERVICES)
            .collect();
        if near.is_empty() { (0..all.min(MOST_SERVICES)).collect() } else { near }
    }

    /// What the business offers, with its prices.
    fn services(&self, draft: &mut Draft, part: &Part) {
        let pack = self.pack.pack();
        if pack.services.is_empty() {
            if !draft.answered {
                self.description(draft);
            }
            if !draft.answered {
                self.ask_there(draft);
            }
            return;
        }
        let shown = self.shown(part);
        let line = |at: &usize| {
            let service = &pack.services[*at];
            let price = service.price.filter(|price| price.hundredths > 0);
            let price = price.map(|price| money::price(price, &pack.locale, self.language));
            price.map_or_else(|| service.name.clone(), |price| format!("{}: {price}", service.name))
        };
        self.phrase(draft, if shown.len() < pack.services.len() { "catalogue" } else { "catalogue_all" });
        draft.blocks.push(Block::List(shown.iter().map(line).collect()));
        draft.sources.extend(shown.iter().map(|at| Self::service_source(&pack.services[*at])));
        self.phrase(draft, "ask_needs");
        draft.rules.push(format!("answer: {} of {} services of the pack", shown.len(), pack.services.len()));
        draft.answered = true;
    }

    /// What is offered, where that is asked and nothing surer is found.
    pub(crate) fn offered(&self) -> Option<Draft> {
        let mut draft = Draft::default();
        if self.has("catalog_ask") && self.seen.choices.is_empty() {
            self.services(&mut draft, &self.seen.whole);
        }
        draft.answered.then_some(draft)
    }

    fn prices(&self, draft: &mut Draft, part: &Part) {
        let services = &self.pack.pack().services;
        if let [at] = self.shown(part)[..] {
            return self.service(draft, at, true);
        }
        if services.iter().all(|service| service.price.is_none()) {
            self.ask_there(draft);
        }
        if !services.is_empty() {
            self.services(draft, part);
        }
    }

    fn payment(&self, draft: &mut Draft) {
        if let Some(at) = self.pack.payment_faq() {
            return self.faq(draft, at);
        }
        let pack = self.pack.pack();
        let mut lines = Vec::new();
        for strategy in &pack.sales_strategies {
            let service = pack.services.iter().find(|service| service.id == strategy.service);
            if let (Some(link), Some(service)) = (&strategy.payment_link, service) {
                lines.push(format!("{}: {link}", service.name));
                draft.sources.push(Self::service_source(service));
            }
        }
        if lines.is_empty() {
            return self.ask_there(draft);
        }
        self.phrase(draft, "pay_links");
        draft.blocks.push(Block::List(lines));
        draft.rules.push("answer: the payment links of the pack".to_owned());
        draft.answered = true;
    }

    fn staff(&self, draft: &mut Draft) {
        let staff: Vec<_> = people(self.pack.pack()).take(MOST_PEOPLE).collect();
        if staff.is_empty() {
            return self.ask_there(draft);
        }
        self.phrase(draft, "staff");
        let line = |provider: &&_| {
            let misy_domain::context_pack::Provider { name, role, .. } = *provider;
            role.as_ref().map_or_else(|| name.clone(), |role| format!("{name}, {role}"))
        };
        draft.blocks.push(Block::List(staff.iter().map(line).collect()));
        draft.sources.extend(staff.iter().map(|provider| Source {
            kind: "provider".to_owned(),
            id: provider.id.clone(),
            title: provider.name.clone(),
        }));
        draft.rules.push("answer: the people of the pack".to_owned());
        draft.answered = true;
    }

    fn contact(&self, draft: &mut Draft) {
        draft.blocks.push(Block::Text(self.reach().trim().to_owned()));
        self.contact_source(draft);
        draft.rules.push("answer: the contact of the pack".to_owned());
    }

    /// The pack does not say it: says so, and whom to ask.
    pub(super) fn ask_there(&self, draft: &mut Draft) {
        draft.blocks.push(Block::Text(self.say("ask_there", &[("contact", &self.reach())])));
        self.contact_source(draft);
        draft.rules.push("answer: not in the pack, says where to ask".to_owned());
    }

    fn contact_source(&self, draft: &mut Draft) {
        let title = self.pack.pack().contact.email.clone();
        draft.sources.push(Source { kind: "contact".to_owned(), id: "contact".to_owned(), title });
        draft.answered = true;
    }

    /// A greeting, thanks, "who are you?", "what can you do?", and nothing else.
    pub(super) fn small(&self) -> Option<(&'static str, Draft)> {
        let whole = &self.seen.whole;
        let tokens = &whole.analysis.tokens;
        if asks_for_abilities(tokens) {
            return Some(("smalltalk", self.small_talk("capabilities")));
        }
        let asks_what_answers = person::is_asked_what_answers(tokens);
        let names = Lexicon::get().cue_names();
        let small = |(cue, _): &(u16, u16)| SMALL.contains(&names[usize::from(*cue)].as_str());
        let covered = |(token, in_cue): (&_, &bool)| *in_cue || is_filler(token);
        let is_small = !whole.analysis.cues.is_empty()
            && whole.analysis.cues.iter().all(small)
            && tokens.iter().zip(&whole.analysis.in_cue).all(covered);
        if !is_small && !asks_what_answers {
            return None;
        }
        if asks_what_answers || self.has("bot_question") {
            // Many packs say themselves that a machine answers.
            if let Some(hit) = whole.faqs.first().filter(|_| whole.faq_confidence > SURE) {
                let mut draft = Draft::default();
                self.faq(&mut draft, hit.at);
                return Some(("support", draft));
            }
            return Some(("smalltalk", self.small_talk("bot")));
        }
        Some(("smalltalk", self.smalltalk()))
    }
}
