//! What a message asks for in so many words. Structure goes before statistics: whoever asks for a person, the hours, the
//! address or a price says so in few ways, and these are read here for what they are.

pub(crate) mod basics;
pub(crate) mod denial;
pub(crate) mod holidays;
pub(crate) mod lists;
pub(crate) mod money;
pub(crate) mod person;

use crate::plain::lists::{
    BE, CLEARLY_PHONE, EMAIL, FILLERS, GIVE, MINE, OPENING, PHONE, PLACE, STAND, STATES, TIMES, WHERE, WHO,
};
use crate::{dates::When, plain::holidays::Holidays, text::tokens::Token};
use misy_domain::ContextPack;

/// A question that the pack's plain facts answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// When it is open.
    Hours,
    /// Where it is.
    Address,
    /// The number to call.
    Phone,
    /// The address to write to.
    Email,
    /// How it is reached, whichever way.
    Contact,
    /// What it offers.
    Services,
    /// What it does, and what it offers.
    Business,
    /// What it takes for what it offers.
    Prices,
    /// How it is paid.
    Payment,
    /// Who works there.
    Staff,
    /// Which languages one may write in.
    Languages,
}

impl Question {
    /// The agent that it is for.
    pub(crate) fn agent(self) -> &'static str {
        if matches!(self, Self::Services | Self::Business | Self::Prices) { "sales" } else { "support" }
    }
}

/// Whether a word stands for nothing by itself: it joins, it is polite, it is a number.
pub(crate) fn is_filler(token: &Token) -> bool {
    let text = token.text.as_str();
    token.function || FILLERS.contains(&text) || text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word tells when: a day, a part of one, a month, a holiday.
fn tells_when(word: &str, holidays: &Holidays) -> bool {
    TIMES.contains(&word) || crate::dates::is_time_word(word) || holidays.have(word)
}

/// Whether the words speak of time alone: "and on Sundays?", "¿y a las 6 de la tarde?".
pub(crate) fn is_time_alone(tokens: &[Token], when: &When, holidays: &Holidays) -> bool {
    *when != When::default()
        && tokens.iter().all(|token| {
            is_filler(token) || OPENING.contains(&token.text.as_str()) || tells_when(&token.text, holidays)
        })
}

/// The plain question that the words ask, if they ask nothing else.
pub(crate) fn question(tokens: &[Token], pack: &ContextPack, holidays: &Holidays) -> Option<Question> {
    let says = |words: &[&str]| tokens.iter().any(|token| words.contains(&token.text.as_str()));
    // "What time does Verde Café open?": its own name says no more than "you".
    let name = crate::text::tokens::words(&pack.display_name);
    let rest = |known: &dyn Fn(&str) -> bool| {
        let says_more =
            |token: &&Token| !is_filler(token) && !known(&token.text) && !name.contains(&token.text);
        tokens.iter().filter(says_more).count()
    };
    if says(&WHO)
        && let Some(staff) = basics::staff(tokens, pack)
    {
        return Some(staff);
    }
    // "Closed, then" agrees to something; "my time" is an appointment.
    let opens = tokens.iter().any(|token| {
        let text = token.text.as_str();
        OPENING.contains(&text) && !STATES.contains(&text)
    });
    let is_asked = opens || says(&BE) || tokens.iter().any(|token| tells_when(&token.text, holidays));
    if is_asked
        && !says(&MINE)
        && says(&OPENING)
        && rest(&|word| OPENING.contains(&word) || tells_when(word, holidays)) == 0
    {
        return Some(Question::Hours);
    }
    let reaches = |word: &str| PHONE.contains(&word) || EMAIL.contains(&word) || GIVE.contains(&word);
    if says(&EMAIL) && rest(&reaches) == 0 {
        return Some(Question::Email);
    }
    let calls_us = says(&["call"]) && says(&["you", "number"]);
    if (says(&CLEARLY_PHONE) || calls_us) && !says(&["me"]) | says(&GIVE) && rest(&reaches) == 0 {
        return Some(Question::Phone);
    }
    let stands = |word: &str| {
        PLACE.contains(&word)
            || GIVE.contains(&word)
            || WHERE.contains(&word)
            || STAND.contains(&word)
            || word == "s"
    };
    let asks_where = says(&WHERE) && says(&STAND);
    if (says(&PLACE) || asks_where) && rest(&stands) == 0 {
        return Some(Question::Address);
    }
    basics::question(tokens, pack)
}
