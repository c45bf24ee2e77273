//! Where something is.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Degrees of latitude or longitude, to the centimetre: written as a number, kept as ten-millionths, so that the same place
/// is always the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Degrees(i32);

const PER_DEGREE: f64 = 1e7;
const MOST: f64 = 180.0;

impl Degrees {
    /// From a number; `None` beyond 180 either way.
    pub fn new(degrees: f64) -> Option<Self> {
        if !(-MOST..=MOST).contains(&degrees) {
            return None;
        }
        // 1.8 · 10^9 fits.
        #[allow(clippy::cast_possible_truncation)]
        Some(Self((degrees * PER_DEGREE).round() as i32))
    }

    /// As a number.
    pub fn get(self) -> f64 {
        f64::from(self.0) / PER_DEGREE
    }
}

impl Serialize for Degrees {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| D::Error::custom("must be from -180 to 180"))
    }
}
