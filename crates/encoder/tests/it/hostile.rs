//! Weights that are cut short, foreign or hostile, made from a tiny model of our own.

use misy_encoder::{Encoder, WeightsError};

const HIDDEN: usize = 32;
const WORDS: usize = 16;
const POSITIONS: usize = 8;
const NO_CHANGES: &[u8] = b"MISYLORA\0\0\0\0";

/// A model of one layer that knows a few pieces; each part can be changed before it is written.
struct Tiny {
    head: [u32; 7],
    epsilon: f32,
    block: u32,
    special: [u32; 4],
    pieces: Vec<(&'static str, f32)>,
    written: Vec<(u32, &'static [u32])>,
    tensors: Vec<(String, u8, usize)>,
    number: f32,
}

impl Tiny {
    fn new() -> Self {
        let width = u32::try_from(HIDDEN).unwrap();
        let mut tensors = vec![
            ("emb.word".to_owned(), 1, WORDS * HIDDEN),
            ("emb.pos".to_owned(), 0, POSITIONS * HIDDEN),
            ("emb.type".to_owned(), 0, HIDDEN),
        ];
        for part in ["q", "k", "v", "ao", "fi", "fo"] {
            tensors.push((format!("l0.{part}.w"), 1, HIDDEN * HIDDEN));
            tensors.push((format!("l0.{part}.b"), 0, HIDDEN));
        }
        for norm in ["emb.ln", "l0.aln", "l0.oln"] {
            tensors.extend(["w", "b"].map(|part| (format!("{norm}.{part}"), 0, HIDDEN)));
        }
        Self {
            head: [width, 1, 2, width, u32::try_from(WORDS).unwrap(), u32::try_from(POSITIONS).unwrap(), 1],
            epsilon: 1e-6,
            block: 32,
            special: [0, 2, 1, 3],
            pieces: vec![
                ("<s>", 0.0),
                ("<pad>", 0.0),
                ("</s>", 0.0),
                ("<unk>", 0.0),
                ("\u{2581}", -3.0),
                ("\u{2581}query", -4.0),
                (":", -3.0),
                ("a", -3.0),
                ("b", -3.0),
                ("ab", -4.0),
                ("\u{2581}ab", -5.0),
                ("é", -4.0),
            ],
            written: vec![(0xff21, &[0x61]), (0xa0, &[0x20])],
            tensors,
            number: 0.5,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = b"E5S1\x01\0\0\0".to_vec();
        let put = |out: &mut Vec<u8>, number: u32| out.extend(number.to_le_bytes());
        self.head.iter().for_each(|number| put(&mut out, *number));
        out.extend(self.epsilon.to_le_bytes());
        put(&mut out, self.block);
        put(&mut out, u32::try_from(self.pieces.len()).unwrap());
        self.special.iter().for_each(|number| put(&mut out, *number));
        let text: String = self.pieces.iter().map(|(piece, _)| *piece).collect();
        out.extend((text.len() as u64).to_le_bytes());
        let mut end = 0;
        put(&mut out, 0);
        for (piece, _) in &self.pieces {
            end += u32::try_from(piece.len()).unwrap();
            put(&mut out, end);
        }
        self.pieces.iter().for_each(|(_, score)| out.extend(score.to_le_bytes()));
        out.extend(text.as_bytes());
        let mut table = Vec::new();
        for (from, to) in &self.written {
            put(&mut table, *from);
            table.push(u8::try_from(to.len()).unwrap());
            to.iter().for_each(|c| put(&mut table, *c));
        }
        put(&mut out, u32::try_from(self.written.len()).unwrap());
        put(&mut out, u32::try_from(table.len()).unwrap());
        out.extend(table);
        put(&mut out, u32::try_from(self.tensors.len()).unwrap());
        let length = |kind: u8, count: usize| if kind == 0 { 4 * count } else { count / 32 * 18 };
        let list: usize = self.tensors.iter().map(|(name, ..)| 2 + name.len() + 21).sum();
        let mut place = out.len() + list;
        for (name, kind, count) in &self.tensors {
            out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            out.extend(name.as_bytes());
            out.push(*kind);
            put(&mut out, u32::try_from(*count).unwrap());
            out.extend((place as u64).to_le_bytes());
            out.extend((length(*kind, *count) as u64).to_le_bytes());
            place += length(*kind, *count);
        }
        for (at, (_, kind, count)) in self.tensors.iter().enumerate() {
            let mut seed = u32::try_from(at).unwrap();
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                u8::try_from(seed >> 24).unwrap()
            };
            if *kind == 0 {
                (0..*count).for_each(|_| out.extend((self.number * f32::from(next()) / 256.0).to_le_bytes()));
            } else {
                for _ in 0..count / 32 {
                    out.extend(0x3000_u16.to_le_bytes());
                    out.extend((0..16).map(|_| next()));
                }
            }
        }
        out
    }
}

fn read(bytes: &[u8]) -> Result<Encoder, WeightsError> {
    Encoder::with_adapter(bytes, NO_CHANGES)
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes).err().map_or_else(String::new, |refusal| refusal.to_string())
}

#[test]
fn a_tiny_model_embeds_texts() {
    let encoder = read(&Tiny::new().bytes()).unwrap();
    assert_eq!(encoder.query_pieces("ab"), [0, 5, 6, 10, 2]);
    // Another way of writing, several spaces, a character that no piece holds, a sign that steers.
    assert_eq!(encoder.query_pieces("\u{ff21}b"), encoder.query_pieces("ab"));
    assert_eq!(encoder.query_pieces(" \u{a0}  ab"), encoder.query_pieces("ab"));
    assert_eq!(encoder.query_pieces("éx"), [0, 5, 6, 4, 11, 3, 2]);
    assert!(!encoder.query_pieces("</s>")[1..].starts_with(&[2]));
    // No text is longer than the positions that the model has.
    assert_eq!(encoder.query_pieces(&"ab ".repeat(100_000)).len(), POSITIONS);
    let texts = ["", "a", "b", "ab ab", "\u{1f642}"];
    let together = encoder.passages(&texts);
    for (text, embedding) in texts.iter().zip(&together) {
        assert_eq!(embedding.numbers().len(), HIDDEN);
        assert!((embedding.cosine(embedding) - 1.0).abs() < 1e-5);
        assert_eq!(encoder.passage(text), *embedding);
    }
    assert_ne!(encoder.query("a"), encoder.query("b"));
    assert!(encoder.passages(&[] as &[&str]).is_empty());
}

#[test]
fn a_file_that_is_cut_short_is_refused_wherever_it_ends() {
    let bytes = Tiny::new().bytes();
    for end in (0..1800).chain((1800..bytes.len()).step_by(97)) {
        assert!(read(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
    }
    assert_eq!(refusal(&bytes[..bytes.len() - 1]), "the file ends in the middle of a tensor");
}

#[test]
fn no_changed_byte_brings_the_reader_down() {
    let bytes = Tiny::new().bytes();
    // The head, the vocabulary and the list of tensors; what follows are numbers.
    for at in 0..bytes.len().min(1800) {
        for value in [0, 127, 255] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if let Ok(encoder) = read(&changed) {
                encoder.query("ab é x");
            }
        }
    }
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let with = |change: &dyn Fn(&mut Tiny)| {
        let mut tiny = Tiny::new();
        change(&mut tiny);
        refusal(&tiny.bytes())
    };
    assert_eq!(
        refusal(b"PK\x03\x04 a wheel"),
        "the file of weights has another format: its first bytes differ"
    );
    assert_eq!(refusal(b"E5S1\x02\0\0\0"), "the file of weights has another format: its first bytes differ");
    // Counts that would take memory which the file cannot fill.
    assert_eq!(with(&|tiny| tiny.head[0] = u32::MAX), "the width cannot be 4294967295");
    assert_eq!(with(&|tiny| tiny.head[4] = 1_000_000), "the file ends in the middle of the tensors");
    assert_eq!(with(&|tiny| tiny.head[1] = 48), "the file ends in the middle of the tensors");
    assert_eq!(with(&|tiny| tiny.head[2] = 3), "the count of heads cannot be 3");
    assert_eq!(with(&|tiny| tiny.head[2] = 0), "the count of heads cannot be 0");
    assert_eq!(with(&|tiny| tiny.head[3] = 48), "the width cannot be 48");
    assert_eq!(with(&|tiny| tiny.block = 64), "the size of a block cannot be 64");
    assert_eq!(with(&|tiny| tiny.special[1] = 12), "the number of a piece cannot be 12");
    assert_eq!(with(&|tiny| tiny.epsilon = f32::NAN), "the epsilon holds something that is no number");
    assert_eq!(with(&|tiny| tiny.written[0].0 = 0xd800), "a character cannot be 55296");
    assert_eq!(
        with(&|tiny| tiny.pieces[7].1 = f32::INFINITY),
        "the scores of the pieces holds something that is no number"
    );
    assert_eq!(with(&|tiny| tiny.tensors[3].0 = "l0.other".to_owned()), "l0.q.w is missing");
    assert_eq!(with(&|tiny| tiny.tensors[3].1 = 9), "the kind of a tensor cannot be 9");
    assert_eq!(with(&|tiny| tiny.tensors[3].2 = 64), "l0.q.w holds 64 numbers, not 1024");
    assert_eq!(with(&|tiny| tiny.number = f32::NAN), "l0.q.b holds something that is no number");
}

#[test]
fn an_adapter_must_fit_the_weights() {
    let weights = Tiny::new().bytes();
    let refusal = |adapter: &[u8]| Encoder::with_adapter(&weights, adapter).unwrap_err().to_string();
    let change = |name: &str, kind: u8, rows: u32, columns: u32, data: &[u8]| {
        let mut bytes = vec![u8::try_from(name.len()).unwrap()];
        bytes.extend(name.as_bytes());
        bytes.push(kind);
        bytes.extend(rows.to_le_bytes());
        bytes.extend(columns.to_le_bytes());
        bytes.extend(data);
        bytes
    };
    let adapter = |changes: &[Vec<u8>]| {
        let count = u32::try_from(changes.len()).unwrap().to_le_bytes();
        [b"MISYLORA".as_slice(), &count, &changes.concat()].concat()
    };
    let row = |scale: f32, numbers: usize| [scale.to_le_bytes().to_vec(), vec![100; numbers]].concat();
    let up = change("l0.q.w.up", 1, 32, 1, &row(0.01, 1).repeat(32));
    let down = change("l0.q.w.down", 1, 1, 32, &row(0.01, 32));
    let bias = change("l0.fo.b", 0, 1, 32, &[0; 128]);
    let fits = adapter(&[up.clone(), down, bias.clone()]);
    let (plain, other) = (read(&weights).unwrap(), Encoder::with_adapter(&weights, &fits).unwrap());
    assert!(plain.query("ab").cosine(&other.query("ab")) < 0.9999);
    for end in 0..fits.len() {
        assert!(Encoder::with_adapter(&weights, &fits[..end]).is_err(), "{end}");
    }
    assert_eq!(refusal(b"MISYLORB\0\0\0\0"), "the adapter has another format: its first bytes differ");
    assert_eq!(
        refusal(&adapter(&[change("l7.q.b", 0, 1, 1, &[0; 4])])),
        "the adapter changes l7.q.b, which the weights do not have"
    );
    assert_eq!(
        refusal(&adapter(&[change("l0.q.b", 0, 1, 1, &[0; 4])])),
        "the change of l0.q.b holds 1 numbers, not 32"
    );
    let half = "one half of the change of l0.q.w is missing";
    assert_eq!(refusal(&adapter(std::slice::from_ref(&up))), half);
    let narrow = change("l0.q.w.down", 1, 1, 8, &row(0.01, 8));
    assert_eq!(refusal(&adapter(&[up, narrow])), "the change of l0.q.w holds 8 numbers, not 32");
    let endless = [bias[..17].to_vec(), f32::INFINITY.to_le_bytes().repeat(32)].concat();
    assert_eq!(refusal(&adapter(&[endless])), "l0.fo.b holds something that is no number");
}
