//! What any business is asked and can tell from its pack, whatever its trade: what it offers, for how much, how it is reached and
//! paid, who works there, in which languages.
//!
//! A question counts only if every word of it is of its kind: "which services?" is one, "which services for children?" asks for more.

use super::{
    Question, is_filler,
    lists::{
        ABLE, ABOUT, CONTACTS, COST_VERBS, DOES, EMAIL, GIVE, HELP, HOW_MUCH, KINDS, OFFERS, PAY, PAY_WAYS,
        PAY_WITH, PEOPLE, PHONE, PRICES, ROOMS, SELLS, SOON, SPEAKS, THIS_ONE, TONGUES, WAYS, WHAT, WHERE,
        WHO, WORKS, YOURSELVES,
    },
};
use crate::text::tokens::{Token, words};
use misy_domain::{ContextPack, context_pack::Provider};

/// Asks to be told.
const ABOUT_US: [&str; 8] = ["tell", "about", "decir", "decirme", "contar", "contarme", "dizer", "sobre"];

/// People whose roles are looked at, and words of them.
const MOST_ROLES: usize = 40;

struct Said<'a> {
    tokens: &'a [Token],
    /// The words of the business's own name.
    name: Vec<String>,
}

impl Said<'_> {
    fn any(&self, list: &[&str]) -> bool {
        self.tokens.iter().any(|token| list.contains(&token.text.as_str()))
    }

    fn names_business(&self) -> bool {
        self.tokens.iter().any(|token| !is_filler(token) && self.name.contains(&token.text))
    }

    /// Whether nothing is said beside these words, fillers and the business's name.
    fn only(&self, lists: &[&[&str]]) -> bool {
        let known = |word: &str| {
            lists.iter().any(|list| list.contains(&word)) || self.name.iter().any(|own| own == word)
        };
        self.tokens.iter().all(|token| is_filler(token) || known(&token.text))
    }
}

fn said<'a>(tokens: &'a [Token], pack: &ContextPack) -> Said<'a> {
    Said { tokens, name: words(&pack.display_name) }
}

/// The question that the words ask, if they ask nothing else.
pub(crate) fn question(tokens: &[Token], pack: &ContextPack) -> Option<Question> {
    let said = said(tokens, pack);
    let which = said.any(&WHAT) || said.any(&GIVE);
    let reach: [&[&str]; 6] = [&CONTACTS, &PHONE, &EMAIL, &GIVE, &WAYS, &YOURSELVES];
    if said.any(&CONTACTS) && said.only(&reach) {
        return Some(Question::Contact);
    }
    // "Which classes are there tomorrow?" looks for a place and a time.
    if said.any(&WHERE) || said.any(&SOON) || said.any(&["cuando", "when", "quando"]) {
        return None;
    }
    let pays = said.any(&PAY) || said.any(&PAY_WITH) && said.any(&PAY_WAYS);
    if pays && said.only(&[&PAY, &PAY_WITH, &PAY_WAYS, &GIVE, &WAYS, &WHAT]) {
        return Some(Question::Payment);
    }
    if said.any(&TONGUES) && said.only(&[&TONGUES, &SPEAKS, &WHAT, &WAYS, &PEOPLE, &YOURSELVES]) {
        return Some(Question::Languages);
    }
    let costs = said.any(&HOW_MUCH) && (said.any(&COST_VERBS) || said.any(&OFFERS));
    let of_prices: [&[&str]; 9] =
        [&PRICES, &HOW_MUCH, &COST_VERBS, &OFFERS, &KINDS, &SELLS, &GIVE, &WHAT, &YOURSELVES];
    if (said.any(&PRICES) || costs) && said.only(&of_prices) {
        return Some(Question::Prices);
    }
    let offers = said.any(&OFFERS) || said.any(&KINDS) && which;
    if offers && said.only(&[&OFFERS, &KINDS, &SELLS, &GIVE, &WHAT, &YOURSELVES]) {
        return Some(Question::Services);
    }
    if said.any(&THIS_ONE) {
        return None;
    }
    // "What can you do?" asks what the assistant is good for.
    if said.any(&ABLE) && !said.any(&ABOUT_US) {
        return None;
    }
    let asks_what = said.any(&["que", "what", "o", "cosas"]) && said.any(&DOES);
    let asks_about = said.any(&ABOUT) && (said.any(&YOURSELVES) || said.names_business());
    let about: [&[&str]; 6] = [&DOES, &SELLS, &ABOUT, &WHAT, &YOURSELVES, &GIVE];
    if (asks_what || asks_about) && said.only(&about) {
        return Some(Question::Business);
    }
    staff(tokens, pack)
}

/// "What can you do?", "how can you help me?".
pub(crate) fn asks_for_abilities(tokens: &[Token]) -> bool {
    let any = |list: &[&str]| tokens.iter().any(|token| list.contains(&token.text.as_str()));
    let known = |token: &Token| {
        let word = token.text.as_str();
        is_filler(token) || HELP.contains(&word) || ABLE.contains(&word) || WHAT.contains(&word)
    };
    let does = any(&HELP) || any(&ABLE) && any(&["do", "hacer", "fazer"]);
    does && (any(&WHAT) || any(&["how", "como"])) && !any(&THIS_ONE) && tokens.iter().all(known)
}

/// Whether a question beside others says itself what it asks: "I need a helmet, what do you have, and for how much?" asks for
/// helmets.
pub(crate) fn stands_beside_others(question: Question, tokens: &[Token]) -> bool {
    !matches!(question, Question::Services | Question::Business | Question::Prices)
        || tokens.iter().any(|token| OFFERS.contains(&token.text.as_str()))
}

/// "Who works there?", "which doctors do you have?".
pub(super) fn staff(tokens: &[Token], pack: &ContextPack) -> Option<Question> {
    let said = said(tokens, pack);
    if said.any(&SOON) || !(said.any(&PEOPLE) || said.any(&WHO) && said.any(&WORKS)) {
        return None;
    }
    let roles = people(pack).take(MOST_ROLES).filter_map(|provider| provider.role.as_deref());
    let roles: Vec<String> = roles.flat_map(words).take(MOST_ROLES).collect();
    let lists: [&[&str]; 8] = [&WHO, &WORKS, &PEOPLE, &WHAT, &GIVE, &YOURSELVES, &SELLS, &ABOUT];
    let known = |token: &Token| {
        let word = &token.text;
        is_filler(token)
            || said.name.contains(word)
            || roles.contains(word)
            || lists.iter().any(|list| list.contains(&word.as_str()))
    };
    tokens.iter().all(known).then_some(Question::Staff)
}

/// Those of the providers who are people: a room or a table is booked too, and holds so many.
pub(crate) fn people(pack: &ContextPack) -> impl Iterator<Item = &Provider> {
    pack.providers.iter().filter(|provider| {
        let counts = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
        let first = words(&provider.name).into_iter().next().unwrap_or_default();
        !counts(&provider.name)
            && !provider.role.as_deref().is_some_and(counts)
            && !ROOMS.contains(&first.as_str())
    })
}
