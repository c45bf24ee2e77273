//! Texts as channels show them: cut to lengths, and with the marks of another syntax.

mod markup;
mod split;

pub use markup::{Marks, written_with};
pub use split::{Measure, shortened, split};
