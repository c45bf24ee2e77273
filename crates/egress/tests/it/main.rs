//! The way out against real servers on this machine.

mod bodies;
mod redirects;
mod refusals;
mod support;
