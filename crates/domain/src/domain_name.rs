//! Domains that people's e-mail addresses are in.

use crate::Origin;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A domain such as `business.example`, in lower case: a name with a dot in it, no address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// The text is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain such as business.example")]
pub struct InvalidDomain;

impl DomainName {
    /// The domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let text = text.to_ascii_lowercase();
        let last = text.rsplit('.').next().unwrap_or_default();
        let fits = text.contains('.')
            && !text.contains([':', '/', '?', '#', '@'])
            && last.starts_with(|c: char| c.is_ascii_lowercase())
            && format!("https://{text}").parse::<Origin>().is_ok();
        if fits { Ok(Self(text)) } else { Err(InvalidDomain) }
    }
}

impl TryFrom<String> for DomainName {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, InvalidDomain> {
        text.parse()
    }
}

impl From<DomainName> for String {
    fn from(domain: DomainName) -> Self {
        domain.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_name_with_a_dot_in_it() {
        assert_eq!("Business.Example".parse::<DomainName>().unwrap().as_str(), "business.example");
        assert!("xn--caf-dma.example".parse::<DomainName>().is_ok());
        for text in [
            "",
            "example",
            "localhost",
            ".example",
            "a..example",
            "business.example.",
            "127.0.0.1",
            "10.1",
            "business.example:443",
            "business.example/x",
            "a@business.example",
            "[::1]",
            "café.example",
            " business.example",
            "-a.example",
            "a_b.example",
            "business.example#x",
        ] {
            assert_eq!(text.parse::<DomainName>(), Err(InvalidDomain), "{text}");
        }
    }
}
