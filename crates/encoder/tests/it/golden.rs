//! The encoder against vectors that numpy reckoned from the same weights.
//!
//! The weights are no part of the repository: `MISY_WEIGHTS` names the file, and without it the test says that it was skipped.

use misy_encoder::{Embedding, Encoder};
use std::path::Path;

#[test]
fn vectors_are_those_of_the_reference() {
    let Some(weights) = std::env::var_os("MISY_WEIGHTS") else {
        eprintln!("skipped: MISY_WEIGHTS names no file of weights");
        return;
    };
    let encoder = Encoder::open(Path::new(&weights)).unwrap();
    let mut worst = 1.0_f32;
    for line in include_str!("golden.tsv").lines() {
        let [kind, text, pieces, vector] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let bytes: Vec<u8> =
            (0..vector.len() / 2).map(|at| u8::from_str_radix(&vector[2 * at..][..2], 16).unwrap()).collect();
        let expected = Embedding::from_bytes(&bytes).unwrap();
        let found = if kind == "query" { encoder.query(text) } else { encoder.passage(text) };
        if kind == "query" {
            let found = encoder.query_pieces(text);
            assert_eq!(found.iter().map(u32::to_string).collect::<Vec<_>>().join(","), pieces, "{text}");
        }
        let cosine = found.cosine(&expected);
        eprintln!("{cosine:.5} {kind}: {text:.40}");
        worst = worst.min(cosine);
    }
    assert!(worst > 0.99, "{worst}");
}
