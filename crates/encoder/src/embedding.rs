//! The vector of a text.

/// The meaning of a text as a direction: its length is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

impl Embedding {
    /// From numbers of any length; all zero where there is no direction.
    pub fn pointing(mut numbers: Vec<f32>) -> Self {
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

/// Many vectors in a quarter of the room, a byte a number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    width: usize,
    /// What makes the length of each one.
    scales: Vec<f32>,
    parts: Vec<i8>,
}

impl Vectors {
    /// Adds one at the end; one of another length than the first points nowhere.
    pub fn push(&mut self, embedding: &Embedding) {
        let numbers = embedding.numbers();
        if self.scales.is_empty() {
            self.width = numbers.len();
        }
        let most = numbers.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
        let fits = numbers.len() == self.width && most > 0.0;
        let scale = if fits { 127.0 / most } else { 0.0 };
        #[allow(clippy::cast_possible_truncation)] // Between -127 and 127.
        self.parts.extend(
            (0..self.width).map(|at| numbers.get(at).map_or(0, |number| (number * scale).round() as i8)),
        );
        let own = &self.parts[self.parts.len() - self.width..];
        let length = own.iter().map(|part| f32::from(*part).powi(2)).sum::<f32>().sqrt();
        self.scales.push(if length > 0.0 { 1.0 / length } else { 0.0 });
    }

    /// Adds one of others at the end.
    pub fn push_from(&mut self, others: &Self, at: usize) {
        self.push(&others.get(at));
    }

    /// The vector at a place; one that points nowhere if there is none.
    pub fn get(&self, at: usize) -> Embedding {
        let own = self.own(at);
        Embedding::pointing(own.iter().map(|part| f32::from(*part)).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// How near the one at a place is to another vector.
    pub fn cosine(&self, at: usize, other: &Embedding) -> f32 {
        let (own, other) = (self.own(at), other.numbers());
        if own.len() != other.len() {
            return 0.0;
        }
        own.iter().zip(other).map(|(one, other)| f32::from(*one) * other).sum::<f32>() * self.scales[at]
    }

    fn own(&self, at: usize) -> &[i8] {
        self.parts.get(at * self.width..(at + 1) * self.width).unwrap_or_default()
    }

    /// What they take in memory.
    pub fn bytes(&self) -> usize {
        self.parts.capacity() + self.scales.capacity() * size_of::<f32>()
    }

    /// Gives back the room that further ones would have taken.
    pub fn shrink(&mut self) {
        self.parts.shrink_to_fit();
        self.scales.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_kept_as_near_as_they_were() {
        #[allow(clippy::cast_precision_loss)]
        let of =
            |n: usize| Embedding::pointing((0..384).map(|at| ((at * n % 101) as f32 - 50.0) / 3.0).collect());
        let mut kept = Vectors::default();
        (1..5).for_each(|n| kept.push(&of(n)));
        kept.push(&Embedding::pointing(vec![1.0]));
        kept.push(&Embedding::pointing(vec![0.0; 384]));
        for n in 1..5 {
            let expected = of(n).cosine(&of(3));
            assert!((kept.cosine(n - 1, &of(3)) - expected).abs() < 0.01, "{n}");
        }
        assert!(kept.cosine(4, &of(1)).abs() < 1e-6 && kept.cosine(5, &of(1)).abs() < 1e-6);
        assert!(kept.cosine(0, &Embedding::pointing(vec![1.0])).abs() < 1e-6);
        let mut others = Vectors::default();
        others.push_from(&kept, 2);
        assert!(others.cosine(0, &of(3)) > 0.999);
        assert_eq!((kept.len(), kept.is_empty()), (6, false));
        kept.shrink();
        assert_eq!(kept.bytes(), 6 * (384 + 4));
    }

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
