//! The word lists of `data/plain.txt`, read once.

use std::{collections::HashSet, sync::LazyLock};

/// Folded words of all languages.
pub(crate) type List = LazyLock<Vec<&'static str>>;

static TEXT: &str = include_str!("../../data/plain.txt");

#[allow(clippy::expect_used, reason = "the file is compiled in, and a test reads every list")]
fn list(name: &str) -> Vec<&'static str> {
    let mut lines = TEXT.lines().filter_map(|line| line.split_once(" | "));
    let (_, words) = lines.find(|(own, _)| *own == name).expect("every list stands in data/plain.txt");
    words.split_whitespace().collect()
}

static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lists = TEXT.lines().filter_map(|line| line.split_once(" | "));
    lists.flat_map(|(_, words)| words.split_whitespace()).collect()
});

/// Whether any list has a word; such a word is not misspelt.
pub(crate) fn knows(word: &str) -> bool {
    KNOWN.contains(word)
}

/// Words that speak of opening and closing.
pub(crate) static OPENING: List = LazyLock::new(|| list("opening"));
/// Words that only tell when.
pub(crate) static TIMES: List = LazyLock::new(|| list("times"));
/// Words that carry nothing in a question.
pub(crate) static FILLERS: List = LazyLock::new(|| list("fillers"));
/// Open or closed, as a state.
pub(crate) static STATES: List = LazyLock::new(|| list("states"));
/// Asks for a state.
pub(crate) static BE: List = LazyLock::new(|| list("be"));
/// Of whoever writes.
pub(crate) static MINE: List = LazyLock::new(|| list("mine"));
/// May belong to a question for the number.
pub(crate) static PHONE: List = LazyLock::new(|| list("phone"));
/// Asks for the number.
pub(crate) static CLEARLY_PHONE: List = LazyLock::new(|| list("clearly_phone"));
/// Asks for the address to write to.
pub(crate) static EMAIL: List = LazyLock::new(|| list("email"));
/// Asks that something be told.
pub(crate) static GIVE: List = LazyLock::new(|| list("give"));
/// Asks where it is.
pub(crate) static PLACE: List = LazyLock::new(|| list("place"));
/// Where.
pub(crate) static WHERE: List = LazyLock::new(|| list("where"));
/// Stands beside "where".
pub(crate) static STAND: List = LazyLock::new(|| list("stand"));
/// Says nothing about which holiday is meant.
pub(crate) static GENERAL: List = LazyLock::new(|| list("general"));
/// Those who work there and are asked for by what they are.
pub(crate) static STAFF: List = LazyLock::new(|| list("staff"));
/// Anybody.
pub(crate) static ANYBODY: List = LazyLock::new(|| list("anybody"));
/// What is said beside it: politeness, haste, that it be a real one.
pub(crate) static BESIDE: List = LazyLock::new(|| list("beside"));
/// To speak with somebody.
pub(crate) static SPEAK: List = LazyLock::new(|| list("speak"));
/// To hand over to somebody, or to fetch somebody.
pub(crate) static HAND_OVER: List = LazyLock::new(|| list("hand_over"));
/// To attend to whoever writes.
pub(crate) static ATTEND: List = LazyLock::new(|| list("attend"));
/// Words.
pub(crate) static WITH: List = LazyLock::new(|| list("with"));
/// Words.
pub(crate) static WANT: List = LazyLock::new(|| list("want"));
/// Words.
pub(crate) static A: List = LazyLock::new(|| list("a"));
/// Words.
pub(crate) static MACHINES: List = LazyLock::new(|| list("machines"));
/// Words.
pub(crate) static WISHES: List = LazyLock::new(|| list("wishes"));
/// Words.
pub(crate) static ANYTHING: List = LazyLock::new(|| list("anything"));
/// Words.
pub(crate) static BUT: List = LazyLock::new(|| list("but"));
/// Words.
pub(crate) static CURRENCIES: List = LazyLock::new(|| list("currencies"));
/// Words.
pub(crate) static COSTS: List = LazyLock::new(|| list("costs"));
/// Words.
pub(crate) static BUDGET: List = LazyLock::new(|| list("budget"));
/// Words.
pub(crate) static HAVE: List = LazyLock::new(|| list("have"));
/// Words.
pub(crate) static WHAT: List = LazyLock::new(|| list("what"));
/// Words.
pub(crate) static FREE: List = LazyLock::new(|| list("free"));
/// What a business has to sell, by its general names.
pub(crate) static OFFERS: List = LazyLock::new(|| list("offers"));
/// Kinds of what is sold.
pub(crate) static KINDS: List = LazyLock::new(|| list("kinds"));
/// Asks for what is sold.
pub(crate) static SELLS: List = LazyLock::new(|| list("sells"));
/// What a business does with what it sells.
pub(crate) static DOES: List = LazyLock::new(|| list("does"));
/// Asks for prices.
pub(crate) static PRICES: List = LazyLock::new(|| list("prices"));
/// How much.
pub(crate) static HOW_MUCH: List = LazyLock::new(|| list("how_much"));
/// Stands beside "how much".
pub(crate) static COST_VERBS: List = LazyLock::new(|| list("cost_verbs"));
/// Asks how the business is reached.
pub(crate) static CONTACTS: List = LazyLock::new(|| list("contacts"));
/// Stands beside it.
pub(crate) static WAYS: List = LazyLock::new(|| list("ways"));
/// To pay.
pub(crate) static PAY: List = LazyLock::new(|| list("pay"));
/// What is paid with.
pub(crate) static PAY_WITH: List = LazyLock::new(|| list("pay_with"));
/// Stands beside paying.
pub(crate) static PAY_WAYS: List = LazyLock::new(|| list("pay_ways"));
/// Who.
pub(crate) static WHO: List = LazyLock::new(|| list("who"));
/// To work there.
pub(crate) static WORKS: List = LazyLock::new(|| list("works"));
/// Those who work there, as a group.
pub(crate) static PEOPLE: List = LazyLock::new(|| list("people"));
/// Languages.
pub(crate) static TONGUES: List = LazyLock::new(|| list("tongues"));
/// To speak one.
pub(crate) static SPEAKS: List = LazyLock::new(|| list("speaks"));
/// A place that is booked, not a person.
pub(crate) static ROOMS: List = LazyLock::new(|| list("rooms"));
/// Asks about something.
pub(crate) static ABOUT: List = LazyLock::new(|| list("about"));
/// The business itself.
pub(crate) static YOURSELVES: List = LazyLock::new(|| list("yourselves"));
/// Can.
pub(crate) static ABLE: List = LazyLock::new(|| list("able"));
/// To help.
pub(crate) static HELP: List = LazyLock::new(|| list("help"));
/// A day or a moment that is near.
pub(crate) static SOON: List = LazyLock::new(|| list("soon"));
/// Speaks of something said before, or of whoever writes.
pub(crate) static THIS_ONE: List = LazyLock::new(|| list("this_one"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::words;

    #[test]
    fn every_list_stands_in_its_file_and_is_folded() {
        for own in [
            &OPENING,
            &TIMES,
            &FILLERS,
            &STATES,
            &BE,
            &MINE,
            &PHONE,
            &CLEARLY_PHONE,
            &EMAIL,
            &GIVE,
            &PLACE,
            &WHERE,
            &STAND,
            &GENERAL,
            &STAFF,
            &ANYBODY,
            &BESIDE,
            &SPEAK,
            &HAND_OVER,
            &ATTEND,
            &WITH,
            &WANT,
            &A,
            &MACHINES,
            &WISHES,
            &ANYTHING,
            &BUT,
            &CURRENCIES,
            &COSTS,
            &BUDGET,
            &HAVE,
            &WHAT,
            &FREE,
            &OFFERS,
            &KINDS,
            &SELLS,
            &DOES,
            &PRICES,
            &HOW_MUCH,
            &COST_VERBS,
            &CONTACTS,
            &WAYS,
            &PAY,
            &PAY_WITH,
            &PAY_WAYS,
            &WHO,
            &WORKS,
            &PEOPLE,
            &TONGUES,
            &SPEAKS,
            &ROOMS,
            &ABOUT,
            &YOURSELVES,
            &THIS_ONE,
            &SOON,
            &ABLE,
            &HELP,
        ] {
            assert!(!own.is_empty());
            assert!(own.iter().all(|word| words(word).join("-") == *word), "{own:?}");
        }
    }
}
