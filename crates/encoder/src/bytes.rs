//! Reading files that may be cut short, foreign or hostile.

use std::io;

/// Why a file of weights or an adapter is refused.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file could not be read.
    #[error("cannot read the weights: {0}")]
    Read(#[from] io::Error),
    /// The file is larger than any that is known.
    #[error("the weights are larger than {0} bytes")]
    TooLarge(usize),
    /// The first bytes are those of another kind of file.
    #[error("{0} has another format: its first bytes differ")]
    Foreign(&'static str),
    /// The file ends too early.
    #[error("the file ends in the middle of {0}")]
    Truncated(&'static str),
    /// A number lies outside of what makes sense.
    #[error("{what} cannot be {found}")]
    Impossible {
        /// Which number.
        what: &'static str,
        /// Its value.
        found: u64,
    },
    /// A part that is needed is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A part has another size than the rest asks for.
    #[error("{name} holds {found} numbers, not {expected}")]
    Size {
        /// Which part.
        name: String,
        /// How many numbers it holds.
        found: usize,
        /// How many it should hold.
        expected: usize,
    },
    /// A part holds an infinity or something that is no number.
    #[error("{0} holds something that is no number")]
    NotFinite(String),
    /// The adapter changes a part that the weights do not have.
    #[error("the adapter changes {0}, which the weights do not have")]
    Unknown(String),
}

/// Bytes that are read from the front.
pub(crate) struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// The next bytes, which are part of `what`.
    pub(crate) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], WeightsError> {
        let end = self.at.checked_add(count).ok_or(WeightsError::Truncated(what))?;
        let taken = self.all.get(self.at..end).ok_or(WeightsError::Truncated(what))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WeightsError> {
        let taken = self.take(N, what)?;
        taken.first_chunk::<N>().copied().ok_or(WeightsError::Truncated(what))
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, WeightsError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, WeightsError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, WeightsError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, WeightsError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn f32(&mut self, what: &'static str) -> Result<f32, WeightsError> {
        Ok(f32::from_le_bytes(self.array(what)?))
    }

    /// A count that must lie between two bounds.
    pub(crate) fn count(&mut self, what: &'static str, least: u32, most: u32) -> Result<usize, WeightsError> {
        let found = self.u32(what)?;
        if (least..=most).contains(&found) {
            Ok(found as usize)
        } else {
            Err(WeightsError::Impossible { what, found: found.into() })
        }
    }

    /// A length or place, which must lie within the file.
    pub(crate) fn length(&mut self, what: &'static str) -> Result<usize, WeightsError> {
        let found = self.u64(what)?;
        let length = usize::try_from(found).ok().filter(|length| *length <= self.all.len());
        length.ok_or(WeightsError::Truncated(what))
    }
}

/// Numbers of four bytes each.
pub(crate) fn floats(bytes: &[u8]) -> impl ExactSizeIterator<Item = f32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}

/// A number in half precision.
pub(crate) fn half(bits: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bits);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = ((bits >> 10) & 31, f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2_f32.powi(i32::from(exponent) - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_as_it_is_defined() {
        for (bits, value) in
            [(0x0000, 0.0), (0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0001, 5.960_464_5e-8)]
        {
            assert!((half(u16::to_le_bytes(bits)) - value).abs() <= f32::EPSILON * f32::abs(value));
        }
        assert!(half(0x7c00_u16.to_le_bytes()).is_nan());
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let mut bytes = Bytes::new(&[1, 0, 0]);
        assert!(matches!(bytes.take(usize::MAX, "all"), Err(WeightsError::Truncated("all"))));
        assert_eq!(bytes.u16("two").unwrap(), 1);
        assert!(matches!(bytes.u16("two more"), Err(WeightsError::Truncated("two more"))));
    }
}
