//! Where agents work. What a tenant or a contact wrote decides how long that takes, so it happens on threads that serve
//! nobody else, of which one tenant occupies a share at most: [`Workbench`]. Packs are made ready there too, once for each
//! version, and kept within a bound in bytes: [`Packs`].

mod packs;
mod threads;

pub use misy_agents::{CompiledPack, TooCostly};
pub use packs::{PackError, Packs, Prepared};
pub use threads::{Unfinished, Workbench};
