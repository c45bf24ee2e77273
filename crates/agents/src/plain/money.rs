//! Amounts of money that a message names.

use crate::plain::lists::CURRENCIES;
use crate::text::tokens::fold;

/// The first amount of money in a text, in hundredths of the major unit: "38.000", "30 mil", "$1,200.50", "58 reais".
pub(crate) fn amount(text: &str) -> Option<i64> {
    let text = fold(text);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = bytes[at..]
            .iter()
            .position(|b| !b.is_ascii_digit() && !matches!(b, b'.' | b','))
            .map_or(bytes.len(), |n| at + n);
        let digits = text[at..end].trim_end_matches(['.', ',']);
        let signed = text[..at].trim_end().ends_with(['$', '€', '£']);
        let mut rest = text[end..].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let glued = text[end..].chars().next().is_some_and(char::is_alphabetic);
        let next = rest.next().unwrap_or_default();
        let thousand = next == "mil" || next == "k" || next == "lucas" || next == "thousand";
        let after = if thousand { rest.next().unwrap_or_default() } else { next };
        let after = if after == "de" { rest.next().unwrap_or_default() } else { after };
        let named = CURRENCIES.contains(&after) || next == "lucas";
        if let Some((number, is_grouped)) = number(digits)
            && (signed || named || is_grouped || (thousand && !(glued && next != "k")))
        {
            return number.checked_mul(if thousand { 1_000 } else { 1 });
        }
        at = end.max(at + 1);
    }
    None
}

/// A number as it is written anywhere, in hundredths, and whether its digits stand in groups of three.
fn number(text: &str) -> Option<(i64, bool)> {
    let groups: Vec<&str> = text.split(['.', ',']).collect();
    let whole_groups = groups.len() > 1 && groups[1..].iter().all(|group| group.len() == 3);
    if whole_groups || groups.len() == 1 {
        let number: i64 = groups.concat().parse().ok()?;
        return Some((number.checked_mul(100)?, whole_groups));
    }
    let (last, before) = groups.split_last()?;
    let whole: i64 = before.concat().parse().ok()?;
    let cents: i64 = format!("{last:0<2}").get(..2)?.parse().ok()?;
    Some((whole.checked_mul(100)?.checked_add(cents)?, before.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, hundredths) in [
            ("¿cuesta 38.000?", Some(3_800_000)),
            ("vale 30 mil?", Some(3_000_000)),
            ("tengo 100 mil pesos", Some(10_000_000)),
            ("30 lucas", Some(3_000_000)),
            ("is it $1,200.50?", Some(120_050)),
            ("58 reais", Some(5_800)),
            ("R$ 9,90", Some(990)),
            ("80 dollars", Some(8_000)),
            ("under $60", Some(6_000)),
            ("100k", Some(10_000_000)),
            ("2.400.000 COP", Some(240_000_000)),
            ("para 4 personas a las 8", None),
            ("el 24 de diciembre", None),
            ("$99999999999999999999", None),
        ] {
            assert_eq!(amount(text), hundredths, "{text}");
        }
    }
}
