//! "And on Sundays?": a message that leaves out what was said before is read together with it.

use super::{GoesOn, Understanding, model::Model, understand};
use crate::plain::lists::FREE;
use crate::{
    CompiledPack,
    answer::SURE,
    budget::{Budget, Spent},
    dates::When,
    plain::{Question, is_time_alone},
    text::{Analysis, lexicon::Lexicon, tokens::words},
    turn::LONGEST,
};
use jiff::Timestamp;
use misy_domain::Language;

/// A longer message says itself what it is about.
const MOST_WORDS: usize = 7;
/// How many earlier messages are looked at for one that stands alone.
const BACK: usize = 3;

/// Understands a message after what the contact said before, newest first; tells which of that it goes on from.
pub(crate) fn understand_after<'a>(
    model: &Model,
    pack: &CompiledPack,
    text: &str,
    before: impl Iterator<Item = &'a str>,
    language: Language,
    now: Timestamp,
    budget: &Budget<'_>,
) -> Result<(Understanding, Option<&'a str>), Spent> {
    let mut alone = understand(model, pack, text, language, now, budget)?;
    let said: Vec<&str> = alone.whole.analysis.tokens.iter().map(|token| token.text.as_str()).collect();
    let short = !said.is_empty() && said.len() <= MOST_WORDS + 2;
    let time_alone = short && is_time_alone(&alone.whole.analysis.tokens, &alone.when, pack.holidays());
    let price_alone = short && asks_what_it_costs(&alone) && !names_service(&alone);
    if !(leaves_out(&alone) || time_alone || price_alone) {
        return Ok((alone, None));
    }
    let stands_alone = |earlier: &&str| {
        let said = words(earlier);
        said.len() > if time_alone || price_alone { 1 } else { 2 } && !goes_on(&said)
    };
    let Some(topic) = before.take(BACK).map(beginning).find(stands_alone) else { return Ok((alone, None)) };
    if time_alone || price_alone {
        let earlier = understand(model, pack, topic, language, now, budget)?;
        if time_alone && !is_about_booking(&earlier) {
            // "And on Sundays?" asks for the hours, whatever was asked before.
            if alone.when.days.is_empty() {
                alone.when.days.clone_from(&earlier.when.days);
            }
            alone.whole.question = Some(Question::Hours);
            alone.parts.clear();
            return Ok((alone, Some(topic)));
        }
        if price_alone && !names_service(&earlier) {
            let answer = earlier.whole.faqs.first().filter(|_| earlier.whole.faq_confidence > SURE);
            let plain = earlier.whole.question.is_some();
            alone.goes_on = match answer {
                Some(hit) if !plain && Some(hit.at) != pack.hours_faq() => Some(GoesOn::Answer(hit.at)),
                _ if plain || answer.is_some() => Some(GoesOn::Nothing),
                _ => None,
            };
            if alone.goes_on.is_some() {
                return Ok((alone, Some(topic)));
            }
        }
        if time_alone && !goes_on(&words(text)) {
            return Ok((alone, None));
        }
    }
    let mut both = understand(model, pack, &format!("{topic}\n{text}"), language, now, budget)?;
    // What is new replaces what was said of the same kind.
    if alone.when != When::default() {
        both.when = alone.when;
    }
    if alone.whole.services.first().is_some_and(|hit| hit.cosine > 0.3) {
        both.whole.services = alone.whole.services;
    }
    both.provider = alone.provider.or(both.provider);
    both.parts.clear();
    Ok((both, Some(topic)))
}

/// Whether something that can be bought is named.
fn names_service(seen: &Understanding) -> bool {
    seen.whole.services.first().is_some_and(|hit| hit.recall > 0.3 && hit.cosine > 0.3)
}

fn is_about_booking(seen: &Understanding) -> bool {
    let analysis = &seen.whole.analysis;
    analysis.has("book_verb")
        || analysis.has("availability")
        || analysis.has("cancel_verb")
        || analysis.has("move_verb")
}

/// "Is it free?", "and what does it cost?".
fn asks_what_it_costs(seen: &Understanding) -> bool {
    let analysis = &seen.whole.analysis;
    asks_price(analysis) || analysis.tokens.iter().any(|token| FREE.contains(&token.text.as_str()))
}

/// As much of an earlier message as is read of a new one.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// Whether a message needs what was said before.
fn leaves_out(seen: &Understanding) -> bool {
    let analysis = &seen.whole.analysis;
    let said: Vec<String> = analysis.tokens.iter().map(|token| token.text.clone()).collect();
    if said.is_empty() || said.len() > MOST_WORDS {
        return false;
    }
    let named = seen.whole.services.first().is_some_and(|hit| hit.recall > 0.3 && hit.cosine > 0.3);
    if asks_price(analysis) {
        return !named;
    }
    // "¿Y la limpieza?" names something and asks nothing of it.
    let asks = analysis.cues.iter().any(|(cue, _)| Lexicon::get().cue_names()[usize::from(*cue)] != "ack");
    let answered = asks && seen.whole.faq_confidence > SURE && seen.when == When::default();
    goes_on(&said) && !analysis.has("ask_person") && !answered
}

fn asks_price(analysis: &Analysis) -> bool {
    analysis.has("price_ask") || analysis.has("haggle")
}

/// Whether it begins as something that goes on: "y…", "and…", "what about…".
fn goes_on(said: &[String]) -> bool {
    let said: Vec<&str> = said.iter().map(String::as_str).take(3).collect();
    let first = said.first().copied().unwrap_or_default();
    let second = said.get(1).copied().unwrap_or_default();
    let joins = ["y", "e", "and", "pero", "mas", "but", "ou", "or", "o", "also", "tambien", "tambem"];
    joins.contains(&first)
        || (["what", "how", "whats"].contains(&first) && second == "about")
        || (["entonces", "entao", "so", "ok"].contains(&first) && joins[..3].contains(&second))
}
