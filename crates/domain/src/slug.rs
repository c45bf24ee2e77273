//! Names that stand in addresses: tenants and sites.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// Why a text is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 2 to 40 characters of a-z, 0-9 and single hyphens, starting with a letter and not ending in a hyphen"
)]
pub struct InvalidSlug;

const MAX_LENGTH: usize = 40;

fn check(text: &str) -> Result<(), InvalidSlug> {
    let bytes = text.as_bytes();
    let characters = bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
    let shape = (2..=MAX_LENGTH).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && !text.ends_with('-')
        && !text.contains("--");
    if characters && shape { Ok(()) } else { Err(InvalidSlug) }
}

/// The slug of a tenant, such as `andina`: chosen once, immutable, never reused.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(Arc<str>);

/// The slug of a site within its tenant, such as `main`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteId(Arc<str>);

impl TenantId {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slug of a business name: lower case, accents removed, everything else turned into hyphens.
    pub fn from_name(name: &str) -> Result<Self, InvalidSlug> {
        let mut slug = String::with_capacity(name.len());
        for c in name.chars().flat_map(char::to_lowercase) {
            let plain = match c {
                'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
                'é' | 'è' | 'ê' | 'ë' => 'e',
                'í' | 'ì' | 'î' | 'ï' => 'i',
                'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
                'ú' | 'ù' | 'û' | 'ü' => 'u',
                'ñ' => 'n',
                'ç' => 'c',
                other => other,
            };
            if plain.is_ascii_lowercase() || plain.is_ascii_digit() {
                slug.push(plain);
            } else if !slug.ends_with('-') && !slug.is_empty() {
                slug.push('-');
            }
        }
        slug.truncate(MAX_LENGTH);
        slug.trim_end_matches('-').parse()
    }
}

impl SiteId {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidSlug;
    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        check(text).map(|()| Self(text.into()))
    }
}

impl FromStr for SiteId {
    type Err = InvalidSlug;
    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        check(text).map(|()| Self(text.into()))
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidSlug;
    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        text.parse()
    }
}

impl TryFrom<String> for SiteId {
    type Error = InvalidSlug;
    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0.as_ref().into()
    }
}

impl From<SiteId> for String {
    fn from(id: SiteId) -> Self {
        id.0.as_ref().into()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_name_becomes_a_readable_slug() {
        assert_eq!(TenantId::from_name("Clínica  Ándina & Cía.").unwrap().as_str(), "clinica-andina-cia");
    }

    #[test]
    fn slugs_with_tricks_are_refused() {
        for text in
            ["", "a", "-ab", "ab-", "a--b", "Ab", "a_b", "a/b", "á1", "1ab", "a b", &"a".repeat(41), "ab\n"]
        {
            assert_eq!(text.parse::<TenantId>(), Err(InvalidSlug), "{text:?}");
        }
    }
}
