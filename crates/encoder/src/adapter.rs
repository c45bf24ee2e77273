//! The product's own adapter: what training on customers' questions changed in the weights.
//!
//! Little-endian: `MISYLORA`, the count of parts; for each the length of its name in a byte, its name, its kind in a byte, rows and
//! columns. Kind 0 holds floats and replaces a part of the weights. Kind 1 holds rows of a scale and bytes; such parts come in pairs,
//! `NAME.up` and `NAME.down`, whose product is added to the part. `dev/adapter.py` writes the file.

use crate::bytes::{Bytes, WeightsError, floats};
use std::collections::HashMap;

const MAGIC: &[u8] = b"MISYLORA";
const REPLACES: u8 = 0;
const ADDS: u8 = 1;
/// Wider pairs would be no small change.
const MOST_RANK: usize = 256;

/// The adapter that is compiled in.
pub(crate) static OWN: &[u8] = include_bytes!("../data/adapter.bin");

struct Part {
    kind: u8,
    columns: usize,
    numbers: Vec<f32>,
}

/// Changes that are not yet applied.
pub(crate) struct Adapter<'a>(HashMap<&'a str, Part>);

impl<'a> Adapter<'a> {
    /// Changes nothing.
    pub(crate) fn none() -> Self {
        Self(HashMap::new())
    }

    pub(crate) fn read(all: &'a [u8]) -> Result<Self, WeightsError> {
        let mut bytes = Bytes::new(all);
        if all.get(..MAGIC.len()) != Some(MAGIC) {
            return Err(WeightsError::Foreign("the adapter"));
        }
        bytes.take(MAGIC.len(), "the adapter")?;
        let mut parts = HashMap::new();
        for _ in 0..bytes.count("the count of changes", 0, 10_000)? {
            let length = bytes.u8("the name of a change")?;
            let name = bytes.take(length.into(), "the name of a change")?;
            let name = str::from_utf8(name).map_err(|_| WeightsError::Foreign("the name of a change"))?;
            let kind = bytes.u8("the kind of a change")?;
            let rows = bytes.count("the rows of a change", 1, 65_536)?;
            let columns = bytes.count("the columns of a change", 1, 65_536)?;
            let numbers = match kind {
                REPLACES => floats(bytes.take(4 * rows * columns, "a change")?).collect(),
                ADDS => scaled(bytes.take(rows * (4 + columns), "a change")?, columns),
                _ => {
                    return Err(WeightsError::Impossible {
                        what: "the kind of a change",
                        found: kind.into(),
                    });
                }
            };
            if numbers.iter().any(|number: &f32| !number.is_finite()) {
                return Err(WeightsError::NotFinite(name.to_owned()));
            }
            parts.insert(name, Part { kind, columns, numbers });
        }
        Ok(Self(parts))
    }

    fn take(&mut self, name: &str, kind: u8) -> Result<Option<Part>, WeightsError> {
        match self.0.remove(name) {
            Some(part) if part.kind != kind => Err(WeightsError::Unknown(name.to_owned())),
            part => Ok(part),
        }
    }

    /// Puts new numbers in the place of a part.
    pub(crate) fn replace(&mut self, name: &str, numbers: &mut Vec<f32>) -> Result<(), WeightsError> {
        let Some(part) = self.take(name, REPLACES)? else { return Ok(()) };
        check(name, part.numbers.len(), numbers.len())?;
        *numbers = part.numbers;
        Ok(())
    }

    /// Adds the product of a pair to a matrix of some columns.
    pub(crate) fn add(&mut self, name: &str, matrix: &mut [f32], columns: usize) -> Result<(), WeightsError> {
        let (up, down) = (format!("{name}.up"), format!("{name}.down"));
        let (up, down) = match (self.take(&up, ADDS)?, self.take(&down, ADDS)?) {
            (None, None) => return Ok(()),
            (Some(up), Some(down)) => (up, down),
            _ => return Err(WeightsError::Missing(format!("one half of the change of {name}"))),
        };
        let rank = up.columns;
        if rank > MOST_RANK {
            return Err(WeightsError::Impossible { what: "the rank of a change", found: rank as u64 });
        }
        check(name, up.numbers.len(), matrix.len() / columns * rank)?;
        check(name, down.numbers.len(), rank * columns)?;
        for (row, shares) in matrix.chunks_exact_mut(columns).zip(up.numbers.chunks_exact(rank)) {
            for (share, change) in shares.iter().zip(down.numbers.chunks_exact(columns)) {
                for (number, change) in row.iter_mut().zip(change) {
                    *number += share * change;
                }
            }
        }
        Ok(())
    }

    /// Tells whether all of it was applied.
    pub(crate) fn finish(self) -> Result<(), WeightsError> {
        match self.0.into_keys().min() {
            Some(left) => Err(WeightsError::Unknown(left.to_owned())),
            None => Ok(()),
        }
    }
}

fn check(name: &str, found: usize, expected: usize) -> Result<(), WeightsError> {
    if found == expected {
        Ok(())
    } else {
        Err(WeightsError::Size { name: format!("the change of {name}"), found, expected })
    }
}

/// Rows of a scale and bytes.
fn scaled(bytes: &[u8], columns: usize) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(bytes.len());
    for row in bytes.chunks_exact(4 + columns) {
        let (scale, row) = row.split_at(4);
        let scale = floats(scale).next().unwrap_or_default();
        numbers.extend(row.iter().map(|byte| f32::from(i8::from_le_bytes([*byte])) * scale));
    }
    numbers
}
