//! The shapes of addresses, numbers and names within a pack.

/// Lower-case words joined by single hyphens, 1 to 60 characters.
pub(crate) fn slug(text: &str) -> Option<String> {
    let fits = text.len() <= 60
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (fits && !text.is_empty()).then(|| text.to_owned())
}

/// An e-mail address such as people use: no quotes, no comments, a domain with a dot.
pub(crate) fn email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let local_fits = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
    (local_fits && domain.contains('.') && domain_fits(domain)).then(|| text.to_owned())
}

fn domain_fits(domain: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    domain.len() <= 253 && domain.split('.').all(label)
}

/// A telephone number with 5 to 15 digits (E.164 allows 15) and the marks people put between them.
pub(crate) fn phone(text: &str) -> Option<String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let marks = text.char_indices().all(|(at, c)| {
        c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/') || (c == '+' && at == 0)
    });
    (marks && (5..=15).contains(&digits)).then(|| text.to_owned())
}

/// An https address with a host and without user name, spaces or backslashes.
pub(crate) fn link(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let clean =
        text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>' | '`' | '|'));
    let fits = clean && domain_fits(host) && port.parse::<u16>().is_ok_and(|port| port > 0);
    fits.then(|| text.to_owned())
}

/// `#RRGGBB`.
pub(crate) fn colour(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?;
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}

/// Hundredths of an amount: finite, not negative, at most 2 decimals and below a trillion.
pub(crate) fn hundredths(amount: f64) -> Option<i64> {
    if !amount.is_finite() || !(0.0..1e12).contains(&amount) {
        return None;
    }
    let scaled = (amount * 100.0).round();
    // Below 1e14, so whole in a double and within the integer; the comparison finds a third decimal.
    #[allow(clippy::cast_possible_truncation)]
    let whole = scaled as i64;
    ((scaled / 100.0 - amount).abs() < 1e-9 * amount.max(1.0) && same_decimals(amount, scaled))
        .then_some(whole)
}

/// Whether a double is the one nearest to its own two-decimal reading.
fn same_decimals(amount: f64, scaled: f64) -> bool {
    (scaled / 100.0).to_bits() == amount.to_bits() || (amount == 0.0 && scaled == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_https_with_a_plain_host() {
        assert!(link("https://pay.example.com/andina/x?y=1#z").is_some());
        for bad in [
            "http://a.example",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://user@a.example/",
            "https://a.example/ b",
            "https://a.example:0/",
            "https://-a.example",
            "https://a.example/\u{202e}",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_and_numbers_have_their_shape() {
        assert!(email("contacto@clinica.example").is_some());
        for bad in [
            "a@b",
            "@b.example",
            "a@.example",
            "a b@c.example",
            "a@b.example\n",
            "a..b@c.example",
            "a@-b.example",
        ] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
        assert!(phone("+57 601 555 0100").is_some());
        for bad in ["", "1234", "+", "12345x", "1+2345", "1234567890123456"] {
            assert_eq!(phone(bad), None, "{bad}");
        }
        assert!(colour("#12807A").is_some());
        assert_eq!(colour("#12807"), None);
        assert_eq!(colour("#12807é"), None);
        assert!(slug("limpieza-dental").is_some());
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "ñ"] {
            assert_eq!(slug(bad), None, "{bad}");
        }
    }

    #[test]
    fn amounts_have_at_most_two_decimals() {
        assert_eq!(hundredths(9.90), Some(990));
        assert_eq!(hundredths(2_400_000.0), Some(240_000_000));
        assert_eq!(hundredths(0.0), Some(0));
        for bad in [-1.0, 0.001, 9.999, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(hundredths(bad), None, "{bad}");
        }
    }
}
