//! Messenger and Instagram, which share most.

mod read;
mod shown;

use misy_channels::{Channel, instagram::Instagram, messenger::Messenger};

pub(crate) const PAGE: &str = "300000000000003";
pub(crate) const THEY: &str = "1000000000000001";

pub(crate) const BOTH: [(&dyn Channel, &str); 2] = [(&Messenger, "page"), (&Instagram, "instagram")];
