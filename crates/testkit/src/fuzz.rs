//! A fuzzer for tests: what is good is changed at random, again and again, and given to whatever must stand it. The same
//! seed makes the same inputs on every machine; an input under which something panics is printed.
//!
//! `MISY_FUZZ_ROUNDS` says how many inputs each target gets (a few hundred unless set), `MISY_FUZZ_SEED` which ones.

use serde_json::{Map, Value};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Inputs of each target unless `MISY_FUZZ_ROUNDS` says otherwise.
const ROUNDS: u64 = 400;
/// No input is longer, in bytes.
const LONGEST: usize = 64 * 1024;

/// What has broken parsers before: ends of ranges, texts that look like something else, characters of every kind.
const ODD: [&str; 60] = [
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\"",
    "'",
    "\\",
    "/",
    "//",
    "..",
    ";",
    ":",
    ",",
    "=",
    "==",
    "%",
    "%00",
    "%2e%2e",
    "@",
    "*",
    "-",
    "--",
    "+",
    ".",
    "0",
    "-0",
    "-1",
    "1e999",
    "1e-999",
    "18446744073709551616",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967296",
    "2147483648",
    "99999999999999999999",
    "0x10",
    "NaN",
    "Infinity",
    "null",
    "true",
    "{}",
    "[]",
    "\u{feff}",
    "\u{200b}",
    "\u{202e}",
    "\u{301}",
    "\u{1F468}\u{200D}\u{1F469}",
    "\u{10ffff}",
    "ﬃ",
    "İ",
    "ß",
    "१२",
    "9999-12-31T23:59:59Z",
    "-009999-01-01T00:00:00Z",
    "2024-02-30",
    "24:60",
    "\\ud800",
    "\\u0000",
];

/// Random numbers that are the same on every machine (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// For one target.
    pub fn of(target: &str) -> Self {
        let seed = number("MISY_FUZZ_SEED").unwrap_or(1);
        let name = target.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(name ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another one; 0 below 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    /// One of several.
    pub fn one<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    fn odd(&mut self) -> &'static str {
        ODD[self.below(ODD.len())]
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        // Mostly a few bytes, sometimes all that is left.
        let most = if self.below(4) == 0 { length - start } else { (length - start).min(8) };
        start..start + self.below(most + 1)
    }

    /// Changes bytes in a few places; `others` lend pieces.
    pub fn bytes(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let range = self.range(bytes.len());
            match self.below(8) {
                0 if !bytes.is_empty() => {
                    let (at, bit) = (self.below(bytes.len()), self.below(8));
                    bytes[at] ^= 1 << bit;
                }
                1 if !bytes.is_empty() => {
                    let at = self.below(bytes.len());
                    bytes[at] = u8::try_from(self.below(256)).unwrap_or_default();
                }
                2 => drop(bytes.drain(range)),
                3 => bytes.truncate(range.start),
                4 => {
                    let copy = bytes[range.clone()].repeat(1 + self.below(40));
                    bytes.splice(range.start..range.start, copy);
                }
                5 => {
                    let other = self.one(others).map(Vec::as_slice).unwrap_or_default();
                    let piece = other[self.range(other.len())].to_vec();
                    bytes.splice(range, piece);
                }
                _ => {
                    let odd = self.odd();
                    bytes.splice(range, odd.bytes());
                }
            }
            bytes.truncate(LONGEST);
        }
        bytes
    }

    /// Changes JSON in a few places, so that it stays JSON.
    pub fn json(&mut self, input: &Value) -> Value {
        let mut value = input.clone();
        for _ in 0..=self.below(3) {
            let places = count(&value);
            let at = self.below(places);
            self.change_at(&mut value, &mut { at });
        }
        value
    }

    fn change_at(&mut self, value: &mut Value, left: &mut usize) -> bool {
        if *left == 0 {
            self.change(value);
            return true;
        }
        *left -= 1;
        match value {
            Value::Array(items) => items.iter_mut().any(|item| self.change_at(item, left)),
            Value::Object(members) => members.values_mut().any(|member| self.change_at(member, left)),
            _ => false,
        }
    }

    fn change(&mut self, value: &mut Value) {
        let kind = self.below(10);
        match value {
            Value::String(text) if kind < 6 => {
                let changed = self.bytes(text.as_bytes(), &[]);
                *text = String::from_utf8_lossy(&changed).into_owned();
            }
            Value::Number(number) if kind < 6 => {
                let near = number
                    .as_i64()
                    .unwrap_or_default()
                    .wrapping_add(i64::try_from(kind).unwrap_or_default() - 3);
                let ends = [near, -near, 0, -1, i64::MAX, i64::MIN, 1 << 32, 1 << 53];
                *value = self.one(&ends).copied().unwrap_or_default().into();
            }
            Value::Array(items) if kind < 6 => match self.below(4) {
                0 if !items.is_empty() => drop(items.remove(self.below(items.len()))),
                1 if !items.is_empty() => {
                    let item = items[self.below(items.len())].clone();
                    let more = 1 + self.below(30);
                    items.extend(std::iter::repeat_n(item, more));
                }
                2 => items.reverse(),
                _ => items.clear(),
            },
            Value::Object(members) if kind < 6 => {
                let name = members.keys().nth(self.below(members.len())).cloned().unwrap_or_default();
                match self.below(3) {
                    0 => drop(members.remove(&name)),
                    1 => {
                        let other = members.remove(&name).unwrap_or_default();
                        members.insert(self.odd().to_owned(), other);
                    }
                    _ => drop(members.insert(self.odd().to_owned(), Value::Null)),
                }
            }
            _ => *value = self.strange(),
        }
    }

    fn strange(&mut self) -> Value {
        match self.below(8) {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => Value::from(-1),
            3 => Value::from(1e300),
            4 => Value::Array(Vec::new()),
            5 => Value::Object(Map::new()),
            6 => (0..self.below(60)).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
            _ => Value::String(self.odd().repeat(1 + self.below(200))),
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// How many inputs each target gets; `heavy` ones get so many times fewer.
pub fn rounds(heavy: u64) -> u64 {
    (number("MISY_FUZZ_ROUNDS").unwrap_or(ROUNDS) / heavy.max(1)).max(1)
}

/// Gives a target changed bytes: of good inputs, and of what was made of them before.
pub fn fuzz_bytes(target: &str, good: &[&[u8]], test: impl Fn(&[u8])) {
    let mut dice = Dice::of(target);
    let good: Vec<Vec<u8>> = good.iter().map(|input| input.to_vec()).collect();
    let mut pool = good.clone();
    for input in &good {
        guarded(target, input, || test(input));
    }
    for round in 0..rounds(1) {
        let from = dice.one(&pool).cloned().unwrap_or_default();
        let input = dice.bytes(&from, &good);
        guarded(target, &input, || test(&input));
        // Some go on from what they have become.
        if round % 8 == 0 && input.len() < 4096 {
            pool.truncate(good.len() + 63);
            pool.push(input);
        }
    }
}

/// Gives a target changed texts.
pub fn fuzz_text(target: &str, good: &[&str], test: impl Fn(&str)) {
    let good: Vec<&[u8]> = good.iter().map(|input| input.as_bytes()).collect();
    fuzz_bytes(target, &good, |bytes| test(&String::from_utf8_lossy(bytes)));
}

/// Gives a target changed JSON, `heavy` times fewer than others.
pub fn fuzz_json(target: &str, heavy: u64, good: &[Value], test: impl Fn(&Value)) {
    let mut dice = Dice::of(target);
    for input in good {
        guarded(target, input.to_string().as_bytes(), || test(input));
    }
    for _ in 0..rounds(heavy) {
        let from = dice.one(good).cloned().unwrap_or_default();
        let input = dice.json(&from);
        guarded(target, input.to_string().as_bytes(), || test(&input));
    }
}

/// Runs something, and shows the input under which it panics.
pub fn guarded<T>(target: &str, input: &[u8], run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let shown: String = String::from_utf8_lossy(input).escape_debug().take(20_000).collect();
        eprint(&format!("{target} breaks on: {shown}\n"));
        resume_unwind(panic)
    })
}

fn eprint(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(text.as_bytes());
}
