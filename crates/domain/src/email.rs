//! E-mail addresses of people.

use crate::Origin;
use std::{fmt, str::FromStr};

/// An address in the one form in which it is compared: in lower case, without blanks around it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct InvalidEmail;

/// RFC 5321, section 4.5.3.1, less the brackets.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain that it is in; none if that is written in a way that no certificate could name.
    pub fn domain(&self) -> Option<crate::DomainName> {
        self.0.rsplit_once('@').and_then(|(_, domain)| domain.parse().ok())
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let plain = |c: char| {
            c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"' | '\\' | '@')
        };
        let fits = (1..=LONGEST_LOCAL).contains(&local.len())
            && text.len() <= LONGEST
            && local.chars().all(plain)
            && domain.contains('.')
            && !domain.contains(':')
            && Origin::of_url(&format!("https://{domain}")).is_ok();
        if fits { Ok(Self(text)) } else { Err(InvalidEmail) }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows no person in a log.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        let address: EmailAddress = " Ana.Rojas+shop@Business.Example ".parse().unwrap();
        assert_eq!(address.as_str(), "ana.rojas+shop@business.example");
        assert_eq!(address.local(), "ana.rojas+shop");
        assert_eq!(address.domain().unwrap().as_str(), "business.example");
        assert_eq!(format!("{address:?}"), "EmailAddress(…)");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ana",
            "@x.example",
            "ana@",
            "ana@localhost",
            "a b@x.example",
            "a@x.example:25",
            "a\"@x.example",
            "a@x.example, b@x.example",
            "a@x.example\r\nBcc: b@x.example",
            "ana@x_.exa mple",
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(InvalidEmail), "{text}");
        }
    }
}
