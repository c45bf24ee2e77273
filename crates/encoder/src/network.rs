//! From pieces to a vector: the layers of a BERT, each attention and a small network of its own.

use crate::{
    adapter::Adapter,
    bytes::WeightsError,
    embedding::Embedding,
    kernel,
    matrix::Matrix,
    weights::{BLOCK, BLOCK_BYTES, File, Shape, unpack},
};
use fearless_simd::Level;

/// A weight and a bias for each number of a token.
#[derive(Debug)]
struct Norm {
    weight: Box<[f32]>,
    bias: Box<[f32]>,
}

#[derive(Debug)]
struct Layer {
    queries: Matrix,
    keys: Matrix,
    values: Matrix,
    attended: Matrix,
    attended_norm: Norm,
    wide: Matrix,
    narrow: Matrix,
    narrow_norm: Norm,
}

/// The weights, ready for use.
#[derive(Debug)]
pub(crate) struct Network {
    shape: Shape,
    level: Level,
    /// The vectors of the words, packed as in the file.
    words: Box<[[u8; BLOCK_BYTES]]>,
    /// The vectors of the positions; that of the one kind of text is added to each.
    positions: Box<[f32]>,
    norm: Norm,
    layers: Box<[Layer]>,
}

/// Reads parts of the file as the adapter changes them.
struct Parts<'a, 'b> {
    file: &'b File<'a>,
    adapter: Adapter<'b>,
}

impl Parts<'_, '_> {
    fn numbers(&mut self, name: &str, count: usize) -> Result<Vec<f32>, WeightsError> {
        let mut numbers = self.file.numbers(name, count)?;
        self.adapter.replace(name, &mut numbers)?;
        Ok(numbers)
    }

    fn norm(&mut self, name: &str, width: usize) -> Result<Norm, WeightsError> {
        let weight = self.numbers(&format!("{name}.w"), width)?.into();
        Ok(Norm { weight, bias: self.numbers(&format!("{name}.b"), width)?.into() })
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, WeightsError> {
        let mut numbers = self.file.numbers(&format!("{name}.w"), rows * columns)?;
        self.adapter.add(&format!("{name}.w"), &mut numbers, columns)?;
        Ok(Matrix::new(&numbers, self.numbers(&format!("{name}.b"), rows)?))
    }

    fn layer(&mut self, at: usize, hidden: usize, inner: usize) -> Result<Layer, WeightsError> {
        let name = |part: &str| format!("l{at}.{part}");
        Ok(Layer {
            queries: self.matrix(&name("q"), hidden, hidden)?,
            keys: self.matrix(&name("k"), hidden, hidden)?,
            values: self.matrix(&name("v"), hidden, hidden)?,
            attended: self.matrix(&name("ao"), hidden, hidden)?,
            attended_norm: self.norm(&name("aln"), hidden)?,
            wide: self.matrix(&name("fi"), inner, hidden)?,
            narrow: self.matrix(&name("fo"), hidden, inner)?,
            narrow_norm: self.norm(&name("oln"), hidden)?,
        })
    }
}

impl Network {
    pub(crate) fn new(file: &File<'_>, adapter: Adapter<'_>) -> Result<Self, WeightsError> {
        let shape = file.shape;
        let hidden = shape.hidden;
        let mut parts = Parts { file, adapter };
        let layers = (0..shape.layers).map(|at| parts.layer(at, hidden, shape.inner));
        let layers = layers.collect::<Result<_, _>>()?;
        let norm = parts.norm("emb.ln", hidden)?;
        parts.adapter.finish()?;
        let mut positions = file.numbers("emb.pos", shape.positions * hidden)?;
        let kind = file.numbers("emb.type", shape.kinds * hidden)?;
        for position in positions.chunks_exact_mut(hidden) {
            position.iter_mut().zip(&kind).for_each(|(number, kind)| *number += kind);
        }
        let words = file.blocks("emb.word", shape.words * hidden)?.as_chunks().0.into();
        Ok(Self { shape, level: Level::new(), words, positions: positions.into(), norm, layers })
    }

    /// The longest text, in pieces.
    pub(crate) fn longest(&self) -> usize {
        self.shape.positions
    }

    /// The vector of some pieces: the mean over all of them.
    pub(crate) fn embed(&self, pieces: &[u32]) -> Embedding {
        let Shape { hidden, heads, epsilon, .. } = self.shape;
        let (level, width) = (self.level, hidden / heads);
        let normalise =
            |tokens: &mut [f32], norm: &Norm| kernel::normalise(tokens, &norm.weight, &norm.bias, epsilon);
        let mut tokens = self.words_of(pieces);
        normalise(&mut tokens, &self.norm);
        let (mut room, mut scores, mut out) = (Vec::new(), Vec::new(), Vec::new());
        let (mut queries, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut attended = vec![0.0; tokens.len()];
        for layer in &self.layers {
            layer.queries.multiply(level, &tokens, &mut room, &mut queries);
            layer.keys.multiply(level, &tokens, &mut room, &mut keys);
            layer.values.multiply(level, &tokens, &mut room, &mut values);
            for head in 0..heads {
                let place = (hidden, head * width, width);
                kernel::attend(level, [&queries, &keys, &values], place, &mut scores, &mut attended);
            }
            layer.attended.multiply(level, &attended, &mut room, &mut out);
            add(&mut tokens, &out);
            normalise(&mut tokens, &layer.attended_norm);
            layer.wide.multiply(level, &tokens, &mut room, &mut values);
            kernel::gelu(level, &mut values);
            layer.narrow.multiply(level, &values, &mut room, &mut out);
            add(&mut tokens, &out);
            normalise(&mut tokens, &layer.narrow_norm);
        }
        let mut sum = vec![0.0; hidden];
        tokens.chunks_exact(hidden).for_each(|token| add(&mut sum, token));
        Embedding::pointing(sum)
    }

    /// The vectors of the pieces themselves, each at its position.
    fn words_of(&self, pieces: &[u32]) -> Vec<f32> {
        let hidden = self.shape.hidden;
        let blocks = hidden / BLOCK;
        let mut tokens = Vec::with_capacity(pieces.len() * hidden);
        for piece in pieces.iter().take(self.shape.positions) {
            let at = *piece as usize * blocks;
            self.words[at..at + blocks].iter().for_each(|block| unpack(block, |number| tokens.push(number)));
        }
        add(&mut tokens, &self.positions);
        tokens
    }

    pub(crate) fn bytes(&self) -> usize {
        let matrices = |layer: &Layer| {
            let Layer { queries, keys, values, attended, wide, narrow, .. } = layer;
            [queries, keys, values, attended, wide, narrow].map(Matrix::bytes).iter().sum::<usize>()
        };
        size_of_val(&*self.words)
            + size_of_val(&*self.positions)
            + self.layers.iter().map(matrices).sum::<usize>()
    }
}

fn add(numbers: &mut [f32], others: &[f32]) {
    numbers.iter_mut().zip(others).for_each(|(number, other)| *number += other);
}
