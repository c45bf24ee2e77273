//! A matrix in one byte a number.

use crate::kernel::{self, PANEL};
use fearless_simd::Level;

/// A matrix with a bias, ready for multiplying tokens. Each row has a scale of its own and takes one byte a number, which loses
/// less than the four bits of the file lost before.
#[derive(Debug)]
pub(crate) struct Matrix {
    columns: usize,
    panels: Box<[i8]>,
    scales: Box<[f32]>,
    bias: Box<[f32]>,
}

impl Matrix {
    /// From rows of full width, as many as the bias has numbers; their count is a multiple of [`PANEL`].
    pub(crate) fn new(numbers: &[f32], bias: Vec<f32>) -> Self {
        let (rows, columns) = (bias.len(), numbers.len() / bias.len());
        let mut panels = vec![0_i8; rows * columns];
        let mut scales = Vec::with_capacity(rows);
        for (at, row) in numbers.chunks_exact(columns).enumerate() {
            let most = row.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
            let scale = if most > 0.0 { 127.0 / most } else { 0.0 };
            scales.push(most / 127.0);
            let panel = &mut panels[at / PANEL * PANEL * columns..];
            for (column, number) in row.iter().enumerate() {
                #[allow(clippy::cast_possible_truncation)] // Between -127 and 127.
                let small = (number * scale).round() as i8;
                panel[column * PANEL + at % PANEL] = small;
            }
        }
        Self { columns, panels: panels.into(), scales: scales.into(), bias: bias.into() }
    }

    /// Multiplies tokens; the result stands in `out`.
    pub(crate) fn multiply(&self, level: Level, tokens: &[f32], room: &mut Vec<f32>, out: &mut Vec<f32>) {
        out.clear();
        out.resize(tokens.len() / self.columns * self.bias.len(), 0.0);
        let matrix = (&*self.panels, &*self.scales, &*self.bias);
        kernel::multiply(level, tokens, self.columns, matrix, room, out);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.panels.len() + size_of_val(&*self.scales) + size_of_val(&*self.bias)
    }
}
