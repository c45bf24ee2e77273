//! What each agent puts together.

use super::{Desk, Draft, SURE, SURE_ALSO};
use crate::{
    reply::{hours, write::Block},
    understanding::Part,
};

impl Desk<'_> {
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
        if let Some(at) = self.surer_than_services().filter(|_| self.has("price_ask")) {
            self.faq(&mut draft, at);
            return draft;
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
        self.small_talk(phrase)
    }

    pub(super) fn small_talk(&self, phrase: &str) -> Draft {
        let mut draft = Draft::default();
        self.phrase(&mut draft, phrase);
        draft.rules.push(format!("smalltalk: {phrase}"));
        draft.answered = true;
        draft
    }
    /// What is none of the business's concern.
    pub(crate) fn out_of_scope(&self) -> Draft {
        let mut draft = Draft { answered: true, ..Draft::default() };
        self.phrase(&mut draft, "out_of_scope");
        draft
    }
}
