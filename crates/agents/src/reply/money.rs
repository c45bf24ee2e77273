//! Prices as people of the pack's country write them.

use misy_domain::{Language, Locale, context_pack::Money};

/// A price. In a reply of another language than the pack's the currency's code follows, since many say `$`.
pub(crate) fn price(money: Money, locale: &Locale, language: Language) -> String {
    let code = money.currency.as_str();
    let (whole, cents) = (money.hundredths / 100, money.hundredths % 100);
    let english = locale.language().unwrap_or(Language::En) == Language::En || locale.as_str() == "es-MX";
    let (group, point) = if english { (',', '.') } else { ('.', ',') };
    let (sign, decimals) = match code {
        "CLP" | "COP" | "ARS" | "PYG" | "CRC" => ("$", cents != 0),
        "BRL" => ("R$ ", true),
        "USD" if locale.as_str().ends_with("-US") => ("$", true),
        "USD" => ("US$", true),
        "MXN" | "CAD" | "AUD" | "UYU" => ("$", true),
        "EUR" => ("€", true),
        "GBP" => ("£", true),
        "PEN" => ("S/ ", true),
        _ => ("", true),
    };
    let mut text = format!("{sign}{}", grouped(whole, group));
    if decimals {
        text = format!("{text}{point}{cents:02}");
    }
    let foreign = locale.language() != Some(language);
    if sign.is_empty() || (foreign && sign == "$" && code != "USD") {
        text = format!("{text} {code}");
    }
    text
}

fn grouped(number: i64, group: char) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_domain::context_pack::Currency;

    #[test]
    fn prices_look_as_in_their_country() {
        let table = [
            (3_800_000, "CLP", "es-CL", Language::Es, "$38.000"),
            (240_000_000, "COP", "es-CO", Language::Es, "$2.400.000"),
            (240_000_000, "COP", "es-CO", Language::En, "$2.400.000 COP"),
            (990, "BRL", "pt-BR", Language::Pt, "R$ 9,90"),
            (120_000, "USD", "en-US", Language::En, "$1,200.00"),
            (9_550, "CHF", "en", Language::En, "95.50 CHF"),
        ];
        for (hundredths, code, locale, language, text) in table {
            let money = Money { hundredths, currency: Currency::parse(code).unwrap() };
            assert_eq!(price(money, &locale.parse().unwrap(), language), text);
        }
    }
}
