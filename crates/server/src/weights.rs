//! The weights that are installed in the data directory.

use misy_encoder::{
    Encoder,
    models::{Model, ModelError, Shelf},
};
use misy_trust::sha256;
use std::path::Path;

/// The first of the known weights that is installed, by its name; nothing if none is. What is installed and differs from what is
/// pinned is never used.
pub(crate) fn open(data_dir: &Path) -> Result<Option<(String, Encoder)>, ModelError> {
    let shelf = Shelf::of(data_dir, sha256);
    for model in Model::known() {
        match shelf.open(&model) {
            Ok(encoder) => return Ok(Some((model.name, encoder))),
            Err(ModelError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
