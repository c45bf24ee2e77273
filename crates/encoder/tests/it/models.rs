//! Weights are installed whole and as pinned, or not at all.

use misy_encoder::models::{Model, ModelError, Shelf};
use std::{fs, path::PathBuf};

/// Stands for SHA-256, which lies in another crate.
fn sums(bytes: &[u8]) -> [u8; 32] {
    let mut sums = [0_u8; 32];
    bytes
        .iter()
        .enumerate()
        .for_each(|(at, byte)| sums[at % 32] = sums[at % 32].wrapping_mul(31).wrapping_add(*byte));
    sums
}

fn model(bytes: &[u8]) -> Model {
    let hex = sums(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Model { bytes: bytes.len(), sha256: hex, ..Model::known().remove(0) }
}

/// A data directory that goes away.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("misy-models-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_known_model_is_pinned() {
    let known = Model::known();
    assert!(!known.is_empty());
    for model in known {
        assert_eq!(model.sha256.len(), 64);
        assert!(model.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!model.file.contains(['/', '\\']) && !model.file.starts_with('.'));
        assert_eq!(Model::named(&model.name).unwrap(), model);
    }
    let unknown = Model::named("../secret").unwrap_err().to_string();
    assert_eq!(unknown, "there is no model ../secret; known: multilingual-e5-small");
}

#[test]
fn only_what_is_pinned_is_installed_and_twice_does_no_harm() {
    let (place, bytes) = (Place::new("pinned"), b"weights of a kind".to_vec());
    let (shelf, model) = (Shelf::of(&place.0, sums), model(&bytes));
    assert!(matches!(shelf.verified(&model), Err(ModelError::Missing(_))));
    assert!(!shelf.remove(&model).unwrap());
    let other = [&bytes[..bytes.len() - 1], b"D"].concat();
    for wrong in [&bytes[1..], &other] {
        assert!(matches!(shelf.install(&model, wrong), Err(ModelError::Differs { .. })));
        assert!(!shelf.path(&model).exists());
    }
    for _ in 0..2 {
        shelf.install(&model, &bytes).unwrap();
        assert_eq!(shelf.verified(&model).unwrap(), bytes);
    }
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(shelf.path(&model).parent().unwrap()).unwrap().count(), 1);
    assert!(matches!(shelf.open(&model), Err(ModelError::Weights(_))));
    fs::write(shelf.path(&model), &other).unwrap();
    let differs = shelf.verified(&model).unwrap_err().to_string();
    assert!(differs.starts_with("the checksum ") && differs.contains("is not the pinned one"), "{differs}");
    assert!(shelf.remove(&model).unwrap());
    assert!(!shelf.path(&model).exists());
}
