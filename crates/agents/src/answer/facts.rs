//! Approved answers, opening hours, the address.

use super::{Desk, Draft, SURE, SURE_ALSO};
use crate::{
    choice,
    reply::{hours, write::Block},
    understanding::Part,
};
use misy_domain::Source;

impl Desk<'_> {
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

    /// Asks which of a few answers is meant.
    pub(crate) fn which(&self) -> Option<Draft> {
        let choices = &self.seen.choices;
        if choices.len() < 2 {
            return None;
        }
        let mut draft = Draft { choices: choices.clone(), ..Draft::default() };
        self.phrase(&mut draft, "ask_which");
        if !self.style.channel.buttons {
            draft.blocks.push(Block::Text(choice::listed(self.pack, choices)));
        }
        draft.rules.push(format!("answer: asks which of {} is meant", choices.len()));
        Some(draft)
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
    pub(super) fn frame(&self, draft: &mut Draft) {
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

    pub(super) fn hours_source(&self) -> Source {
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
}
