//! What is measured in a message. The model's weights name each of these, so the order may change but names may not.

use super::{Part, Understanding};
use crate::{
    CompiledPack,
    text::{Analysis, lexicon::Lexicon},
};

/// Features beyond the cues.
const EXTRA: [&str; 57] = [
    "short",
    "medium",
    "long",
    "nothing_left",
    "little_left",
    "faq_confidence",
    "faq_cosine",
    "faq_coverage",
    "service_score",
    "service_named",
    "service_bookable",
    "faq_over_service",
    "clock",
    "day",
    "daypart",
    "party",
    "money",
    "provider",
    "question",
    "known_share",
    "unknown_many",
    "book_when",
    "want_book",
    "policy_undated",
    "price_service",
    "price_faq",
    "price_nothing",
    "medical_after",
    "promo_faq",
    "bare_smalltalk",
    "ask_unknown",
    "cancel_mine",
    "hours_asked",
    "big_event",
    "first_person_when",
    "faq_sure",
    "elsewhere",
    "elsewhere_only",
    "grave",
    "grave_twice",
    "mild",
    "politeness",
    "politeness_only",
    "changing",
    "changing_mine",
    "slot_for_service",
    "slot_asked",
    "rule_asked",
    "buying",
    "buying_named",
    "faq_beats_service",
    "ordered_of_clerk",
    "day_and_clock",
    "provider_when",
    "dated_unsure",
    "dated_party",
    "case_dated",
];

/// The names of all features, in the order in which they are measured.
pub(crate) fn names() -> Vec<String> {
    Lexicon::get().cue_names().iter().cloned().chain(EXTRA.iter().map(|name| (*name).to_owned())).collect()
}

/// How many measures the confidence of an answer is made of.
pub(crate) const FAQ_FEATURES: usize = 10;
/// The measures that the confidence of an answer is made of.
pub(crate) type FaqFeatures = [f64; FAQ_FEATURES];

/// What the confidence of an answer is made of.
pub(crate) fn faq(part: &Part) -> FaqFeatures {
    let Part { analysis, senses, faqs: hits, services, .. } = part;
    let Some(best) = hits.first() else { return [0.0; FAQ_FEATURES] };
    let content = || senses.iter().filter(|sense| sense.is_word);
    let foreign = content().filter(|sense| !sense.is_known).count();
    let margin = best.score - hits.get(1).map_or(0.0, |second| second.score);
    // "do you sell kayaks": the one word that matters is not in the pack.
    let foreign = share(foreign, content().count());
    let service = services.first().map_or(0.0, |hit| hit.cosine);
    // Half of a long story says more than half of three words.
    let long = (f64::from(u32::try_from(content().count()).unwrap_or(u32::MAX)) / 10.0).min(1.0);
    [
        best.cosine,
        best.coverage,
        best.recall,
        margin.min(0.5),
        foreign,
        best.cosine * best.coverage,
        (service - best.cosine).max(0.0),
        long,
        flag(foreign > 0.0 && analysis.has("ask_business")),
        flag(foreign == 0.0),
    ]
}

fn flag(on: bool) -> f64 {
    if on { 1.0 } else { 0.0 }
}

#[allow(clippy::cast_precision_loss)]
fn share(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

/// Measures a message.
pub(crate) fn measure(pack: &CompiledPack, body: &str, seen: &Understanding) -> Vec<f64> {
    let lexicon = Lexicon::get();
    let analysis = &seen.whole.analysis;
    let mut features: Vec<f64> = vec![0.0; lexicon.cue_names().len()];
    for (cue, count) in &analysis.cues {
        if lexicon.cue_names()[usize::from(*cue)].starts_with("oos_") {
            continue;
        }
        features[usize::from(*cue)] = f64::from((*count).min(2)).sqrt();
    }
    features.extend(extra(pack, body, seen, analysis));
    features
}

fn extra(pack: &CompiledPack, body: &str, seen: &Understanding, analysis: &Analysis) -> [f64; EXTRA.len()] {
    let lexicon = Lexicon::get();
    let has = |cue: &str| analysis.has(cue);
    let words = analysis.tokens.len();
    let left = (0..words).filter(|at| !analysis.tokens[*at].function && !analysis.in_cue[*at]).count();
    let confidence =
        seen.parts.iter().map(|part| part.faq_confidence).fold(seen.whole.faq_confidence, f64::max);
    let faq = seen.whole.faqs.first();
    let service = seen.whole.services.first();
    let service_score = service.map_or(0.0, |hit| hit.score);
    let named = service.is_some_and(|hit| hit.recall > 0.3 && hit.cosine > 0.25);
    let bookable = named && service.is_some_and(|hit| pack.pack().services[hit.at].is_bookable());
    let senses = &seen.whole.senses;
    let content = senses.iter().filter(|sense| sense.is_word).count();
    let known = senses.iter().filter(|sense| sense.is_word && sense.is_known).count();
    let dated = !seen.when.days.is_empty() || seen.when.clock;
    let booking = has("book_verb") || has("availability");
    let pricing = has("price_ask") || has("quote_ask");
    let changing = has("cancel_verb") || has("move_verb") || has("check_verb");
    let question = body.contains('?');
    let party = party(analysis);
    let sure = confidence > 0.6;
    let asks_hours = analysis.means("hours");
    let any = |cues: &[&str]| cues.iter().filter(|cue| has(cue)).count();
    // A few words of each kind are seen while learning; what they have in common carries over to the others.
    let cue_names = lexicon.cue_names();
    let elsewhere = analysis.cues.iter().any(|(cue, _)| cue_names[usize::from(*cue)].starts_with("oos_"));
    let grave =
        any(&["legal", "complaint", "angry_staff", "charge", "security", "medical", "diagnosis", "danger"]);
    let polite = any(&[
        "greeting",
        "howareyou",
        "thanks",
        "bye",
        "ack",
        "praise",
        "laugh",
        "bot_question",
        "capabilities",
    ]) > 0;
    let buying =
        any(&["price_ask", "quote_ask", "buy_wish", "haggle", "recommend", "catalog_ask", "more_info"]) > 0;
    [
        flag(words <= 3),
        flag((4..=12).contains(&words)),
        flag(words > 12),
        flag(left == 0),
        flag((1..=2).contains(&left)),
        confidence,
        faq.map_or(0.0, |hit| hit.cosine),
        faq.map_or(0.0, |hit| hit.coverage),
        service_score,
        flag(named),
        flag(bookable),
        faq.map_or(0.0, |hit| hit.score) - service_score,
        flag(seen.when.clock),
        flag(!seen.when.days.is_empty()),
        flag(seen.when.part),
        flag(party > 0),
        flag(body.contains(['$', '€']) || body.contains("R$")),
        flag(seen.provider.is_some()),
        flag(question),
        share(known, content),
        flag(content - known >= 3),
        flag(booking && dated),
        flag(booking && has("want")),
        flag(has("policy") && !dated),
        flag(pricing && named),
        flag(pricing && sure && !named),
        flag(pricing && !named && !sure),
        flag(has("medical") && (has("after_procedure") || has("first_person_case"))),
        flag(has("promo_ask") && sure),
        flag(left == 0 && words <= 6 && (has("greeting") || has("thanks") || has("bye") || has("ack"))),
        flag(has("ask_business") && !sure && !named && share(known, content) < 0.5),
        flag(changing && dated),
        flag(analysis.means("hours") && !booking && !changing),
        flag(party > 40),
        flag(has("want") && dated),
        flag(sure),
        flag(elsewhere),
        flag(elsewhere && !sure && !named),
        flag(grave > 0 && !has("mild")),
        flag(grave > 1),
        flag(has("mild")),
        flag(polite),
        flag(polite && left <= 1 && !question && !named && !sure && !booking && !pricing && !changing),
        flag(changing),
        flag(changing && (!question || dated) && !has("policy")),
        flag(bookable && dated && !pricing && !analysis.means("hours")),
        flag(dated && question && (booking || has("clerk")) && !sure),
        flag((has("policy") || question) && sure && !dated),
        flag(buying),
        flag(buying && named),
        flag(sure && faq.map_or(0.0, |hit| hit.score) > service_score),
        flag(has("clerk")),
        flag(!seen.when.days.is_empty() && seen.when.clock && !asks_hours && !pricing),
        flag(seen.provider.is_some() && (dated || has("availability") || has("clerk"))),
        flag(dated && !sure && !asks_hours && !pricing && !elsewhere),
        flag(dated && party > 0),
        flag(dated && (has("first_person_case") || has("after_procedure"))),
    ]
}

/// How many people are named: "para 4", "party of 6", "12 pessoas".
fn party(analysis: &Analysis) -> u32 {
    const PEOPLE: [&str; 14] = [
        "personas",
        "persona",
        "people",
        "persons",
        "pessoas",
        "pessoa",
        "guests",
        "invitados",
        "convidados",
        "adultos",
        "adults",
        "pax",
        "asistentes",
        "comensales",
    ];
    let words: Vec<&str> = analysis.tokens.iter().map(|token| token.text.as_str()).collect();
    let mut most = 0;
    for (at, word) in words.iter().enumerate() {
        let Ok(number) = word.parse::<u32>() else { continue };
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        let next = words.get(at + 1).copied().unwrap_or_default();
        let counted = PEOPLE.contains(&next) || matches!(before, "somos" | "of" | "seremos" | "we're");
        let for_some = matches!(before, "para" | "for" | "pra")
            && number <= 30
            && !matches!(next, "de" | "am" | "pm" | "h");
        if (counted || for_some) && number > most {
            most = number;
        }
    }
    most
}
