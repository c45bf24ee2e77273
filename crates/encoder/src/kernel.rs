//! The few loops that take nearly all the time, each compiled for several kinds of processors; the one at hand is chosen when the
//! program runs. What is here must be inlined into one of those, hence the attributes.

#![allow(
    clippy::inline_always,
    reason = "a loop is compiled for a kind of processor only where it is inlined"
)]

use fearless_simd::{Level, dispatch, f32x16, prelude::*};

/// How many rows of a matrix are multiplied at once.
pub(crate) const PANEL: usize = 16;

/// Multiplies tokens with a matrix in panels: `out[token][row] = tokens[token] · matrix[row] * scales[row] + bias[row]`.
///
/// A panel holds sixteen rows, the numbers of a column side by side; `room` holds one of them in full width.
pub(crate) fn multiply(
    level: Level,
    tokens: &[f32],
    columns: usize,
    (panels, scales, bias): (&[i8], &[f32], &[f32]),
    room: &mut Vec<f32>,
    out: &mut [f32],
) {
    room.resize(columns * PANEL, 0.0);
    dispatch!(level, simd => multiply_with(simd, tokens, columns, panels, room, out, bias.len()));
    for out in out.chunks_exact_mut(bias.len()) {
        for ((out, scale), bias) in out.iter_mut().zip(scales).zip(bias) {
            *out = *out * scale + bias;
        }
    }
}

#[inline(always)]
fn multiply_with<S: Simd>(
    simd: S,
    tokens: &[f32],
    columns: usize,
    panels: &[i8],
    room: &mut [f32],
    out: &mut [f32],
    rows: usize,
) {
    for (at, panel) in panels.chunks_exact(columns * PANEL).enumerate() {
        for (wide, narrow) in room.iter_mut().zip(panel) {
            *wide = f32::from(*narrow);
        }
        let row = at * PANEL;
        let (mut tokens, mut out) = (tokens, &mut *out);
        // Six tokens at once keep the registers full; a rest of one would waste most of them.
        while !tokens.is_empty() {
            let now = match tokens.len() / columns {
                1 => tile::<S, 1>(simd, tokens, columns, room, out, rows, row),
                2 => tile::<S, 2>(simd, tokens, columns, room, out, rows, row),
                3 => tile::<S, 3>(simd, tokens, columns, room, out, rows, row),
                4 | 7 | 8 => tile::<S, 4>(simd, tokens, columns, room, out, rows, row),
                5 | 9 | 10 => tile::<S, 5>(simd, tokens, columns, room, out, rows, row),
                _ => tile::<S, 6>(simd, tokens, columns, room, out, rows, row),
            };
            (tokens, out) = (&tokens[now * columns..], &mut out[now * rows..]);
        }
    }
}

/// Multiplies the first tokens with sixteen rows; tells how many tokens that were.
#[inline(always)]
fn tile<S: Simd, const TOKENS: usize>(
    simd: S,
    tokens: &[f32],
    columns: usize,
    panel: &[f32],
    out: &mut [f32],
    rows: usize,
    row: usize,
) -> usize {
    let panel = &panel.as_chunks::<PANEL>().0[..columns];
    let tokens: [&[f32]; TOKENS] = std::array::from_fn(|at| &tokens[at * columns..][..columns]);
    let mut sums = [f32x16::splat(simd, 0.0); TOKENS];
    for (column, weights) in panel.iter().enumerate() {
        let weights = f32x16::from_slice(simd, weights);
        for (sum, token) in sums.iter_mut().zip(tokens) {
            *sum = f32x16::splat(simd, token[column]).mul_add(weights, *sum);
        }
    }
    for (at, sum) in sums.iter().enumerate() {
        sum.store_slice(&mut out[at * rows + row..][..PANEL]);
    }
    TOKENS
}

/// The Gaussian error linear unit, x Φ(x), in place.
pub(crate) fn gelu(level: Level, numbers: &mut [f32]) {
    dispatch!(level, _simd => gelu_with(numbers));
}

#[inline(always)]
fn gelu_with(numbers: &mut [f32]) {
    for number in numbers {
        *number = 0.5 * *number * (1.0 + erf(*number * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The error function as Abramowitz and Stegun approximate it in 7.1.28, within 3e-7: no branches, no exponential.
#[inline(always)]
fn erf(x: f32) -> f32 {
    #[allow(clippy::excessive_precision, reason = "as the handbook prints them")]
    const A: [f32; 6] = [
        0.000_043_063_8,
        0.000_276_567_2,
        0.000_152_014_3,
        0.009_270_527_2,
        0.042_282_012_3,
        0.070_523_078_4,
    ];
    let (size, mut sum) = (x.abs(), 0.0);
    for a in A {
        sum = (sum + a) * size;
    }
    let mut power = 1.0 + sum;
    for _ in 0..4 {
        power *= power;
    }
    (1.0 - 1.0 / power).copysign(x)
}

/// Attention of every token to every token, one head: `out` gets the values, weighted by how well queries and keys agree.
///
/// `packed` holds the queries, keys and values of a token, all heads, each `hidden` wide.
pub(crate) fn attend(
    level: Level,
    [queries, keys, values]: [&[f32]; 3],
    (hidden, start, width): (usize, usize, usize),
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    scores.clear();
    scores.resize(queries.len() / hidden, 0.0);
    dispatch!(level, _simd => attend_with([queries, keys, values], (hidden, start, width), scores, out));
}

#[inline(always)]
fn attend_with(
    [queries, keys, values]: [&[f32]; 3],
    (hidden, start, width): (usize, usize, usize),
    scores: &mut [f32],
    out: &mut [f32],
) {
    #[allow(clippy::cast_precision_loss)] // A head is far narrower than 2^23.
    let scale = 1.0 / (width as f32).sqrt();
    for (query, out) in queries.chunks_exact(hidden).zip(out.chunks_exact_mut(hidden)) {
        let (query, out) = (&query[start..][..width], &mut out[start..][..width]);
        for (score, key) in scores.iter_mut().zip(keys.chunks_exact(hidden)) {
            *score = dot(query, &key[start..][..width]) * scale;
        }
        let most = scores.iter().copied().fold(f32::MIN, f32::max);
        let mut total = 0.0;
        for score in scores.iter_mut() {
            *score = (*score - most).exp();
            total += *score;
        }
        out.fill(0.0);
        for (score, value) in scores.iter().zip(values.chunks_exact(hidden)) {
            let share = score / total;
            for (out, value) in out.iter_mut().zip(&value[start..][..width]) {
                *out += share * value;
            }
        }
    }
}

/// In eight sums, which the processor adds up side by side.
#[inline(always)]
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.iter().zip(other) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += one * other;
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f32>() + rest
}

/// Gives each token the mean 0 and the variance 1, then a weight and a bias a number.
pub(crate) fn normalise(tokens: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    #[allow(clippy::cast_precision_loss)] // A token is far shorter than 2^23.
    let count = weight.len() as f32;
    for token in tokens.chunks_exact_mut(weight.len()) {
        let mean = sum_of(token, |number| number) / count;
        let variance = sum_of(token, |number| (number - mean) * (number - mean)) / count;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((number, weight), bias) in token.iter_mut().zip(weight).zip(bias) {
            *number = (*number - mean) * scale * weight + bias;
        }
    }
}

fn sum_of(numbers: &[f32], part: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = numbers.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for chunk in chunks {
        for (sum, number) in sums.iter_mut().zip(chunk) {
            *sum += part(*number);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|number| part(*number)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_right_to_six_digits() {
        for (x, value) in
            [(0.0, 0.0), (0.5, 0.520_499_9), (-1.0, -0.842_700_8), (2.0, 0.995_322_3), (30.0, 1.0)]
        {
            assert!((erf(x) - value).abs() < 1e-6, "erf({x}) = {}", erf(x));
        }
    }

    #[test]
    fn each_kind_of_processor_multiplies_alike() {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        for tokens in 1..20 {
            let (columns, rows) = (24, 32);
            let numbers: Vec<f32> = (0..tokens * columns).map(|at| (at * 31 % 17) as f32 - 8.0).collect();
            let panels: Vec<i8> = (0..columns * rows).map(|at| (at * 7 % 23) as i8 - 11).collect();
            let (scales, bias) = (vec![0.5; rows], (0..rows).map(|at| at as f32).collect::<Vec<_>>());
            let mut expected = vec![0.0; tokens * rows];
            for token in 0..tokens {
                for row in 0..rows {
                    let weight = |column| panels[(row / PANEL * columns + column) * PANEL + row % PANEL];
                    let products =
                        (0..columns).map(|at| numbers[token * columns + at] * f32::from(weight(at)));
                    expected[token * rows + row] = products.sum::<f32>() * 0.5 + bias[row];
                }
            }
            for level in [Level::new(), Level::baseline()] {
                let mut out = vec![0.0; tokens * rows];
                multiply(level, &numbers, columns, (&panels, &scales, &bias), &mut Vec::new(), &mut out);
                assert!(out.iter().zip(&expected).all(|(one, other)| (one - other).abs() < 1e-3));
            }
        }
    }
}
