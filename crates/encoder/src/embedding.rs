//! The vector of a text.

/// The meaning of a text as a direction: its length is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

impl Embedding {
    /// From numbers of any length; all zero where there is no direction.
    pub(crate) fn pointing(mut numbers: Vec<f32>) -> Self {
        let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        let scale = if length > 0.0 && length.is_finite() { 1.0 / length } else { 0.0 };
        for number in &mut numbers {
            *number = if scale > 0.0 { *number * scale } else { 0.0 };
        }
        Self(numbers.into())
    }

    /// The numbers.
    pub fn numbers(&self) -> &[f32] {
        &self.0
    }

    /// How near two texts are in meaning, 1 for the same; 0 between vectors of different encoders.
    pub fn cosine(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(&other.0).map(|(one, other)| one * other).sum()
    }

    /// In a quarter of the room, for keeping: the largest number, then each as a part of it in one byte.
    pub fn to_bytes(&self) -> Vec<u8> {
        let most = self.0.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
        let scale = if most > 0.0 { 127.0 / most } else { 0.0 };
        #[allow(clippy::cast_possible_truncation)] // Between -127 and 127.
        let bytes = self.0.iter().flat_map(|number| ((number * scale).round() as i8).to_le_bytes());
        most.to_le_bytes().into_iter().chain(bytes).collect()
    }

    /// Reads what [`Self::to_bytes`] wrote; none if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (most, parts) = bytes.split_first_chunk::<4>()?;
        let most = f32::from_le_bytes(*most);
        if !most.is_finite() || most < 0.0 || parts.is_empty() {
            return None;
        }
        let numbers = parts.iter().map(|part| f32::from(i8::from_le_bytes([*part])) * most / 127.0);
        Some(Self::pointing(numbers.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_points_the_same_way() {
        #[allow(clippy::cast_precision_loss)]
        let one = Embedding::pointing((0..384).map(|at| ((at * 37 % 101) as f32 - 50.0) / 3.0).collect());
        let kept = one.to_bytes();
        assert_eq!(kept.len(), 388);
        let read = Embedding::from_bytes(&kept).unwrap();
        assert!(read.cosine(&one) > 0.9999, "{}", read.cosine(&one));
        assert!(Embedding::from_bytes(&kept[..3]).is_none());
        assert!(Embedding::from_bytes(&[0, 0, 192, 127, 1]).is_none());
    }

    #[test]
    fn no_direction_is_near_to_nothing() {
        let none = Embedding::pointing(vec![0.0; 3]);
        let not = Embedding::pointing(vec![f32::NAN, 1.0, 0.0]);
        let some = Embedding::pointing(vec![3.0, 0.0, 4.0]);
        assert!((some.cosine(&some) - 1.0).abs() < 1e-6);
        for other in [&none, &not, &Embedding::pointing(vec![1.0; 4])] {
            assert!(some.cosine(other).abs() < 1e-9);
        }
    }
}
